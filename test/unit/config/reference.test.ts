/**
 * The documentation, the JSON schema and the examples are what the schema says; UPDATE_DOCS=1 rewrites
 * the first two.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { format, resolveConfig } from 'prettier'
import { describe, expect, test } from 'vitest'
import { checkFile } from '../../../src/config/load.ts'
import {
  configurationJsonSchema,
  configurationReference,
  keyRows,
} from '../../../src/config/reference.ts'
import { groupSchema, peerSchema } from '../../../src/config/peer-schema.ts'
import { advertiseSchema, configSchema, kernelSchema } from '../../../src/config/schema.ts'
import { bmpSchema, mrtSchema } from '../../../src/config/monitors.ts'
import { stringify } from 'yaml'
import { complaintsAbout, linesOf, NOWHERE } from './loading.ts'

const DOCUMENT = 'docs/configuration.md'
const JSON_SCHEMA = 'config/schema.json'
const MARK = /<!-- What follows is printed from .*-->\n/

async function held(file: string, expected: string): Promise<void> {
  const options = { ...(await resolveConfig(file)), filepath: file }
  const formatted = await format(expected, options)
  if (process.env['UPDATE_DOCS'] === '1') writeFileSync(file, formatted)
  expect(readFileSync(file, 'utf8')).toBe(formatted)
}

test('docs/configuration.md is in step', async () => {
  const written = readFileSync(DOCUMENT, 'utf8')
  const mark = MARK.exec(written)
  if (mark === null) throw new Error(`${DOCUMENT} has lost its mark`)
  const prose = written.slice(0, mark.index + mark[0].length)
  await held(DOCUMENT, `${prose}\n${configurationReference()}\n`)
})

test('config/schema.json is in step', async () => {
  await held(JSON_SCHEMA, JSON.stringify(configurationJsonSchema()))
})

const examples = readdirSync('config').filter((name) => name.endsWith('.yaml'))

test('there are examples', () => expect(examples).toContain('node.yaml'))

test.each(examples)('config/%s loads without complaint', (name) => {
  expect(linesOf({ complaints: checkFile(`config/${name}`, NOWHERE) })).toEqual([])
})

const snippets = [...readFileSync(DOCUMENT, 'utf8').matchAll(/```yaml\n(.*?)```/gs)].map(
  (it) => it[1] ?? '',
)

test('the documentation has snippets', () => expect(snippets.length).toBeGreaterThan(3))

test.each(snippets)('a snippet of the documentation loads without complaint: %s', (snippet) => {
  const text = snippet.replace(
    /^include:.*$/m,
    'peerGroups: { tor: { asn: 65001, import: accept } }',
  )
  const environment = { variables: { HOSTNAME: 'host1', NODE_ADDRESS: '10.0.1.11' } }
  expect(complaintsAbout(text, environment)).toEqual([])
})

test('the complaints that the documentation shows are those that are made', () => {
  const shown = /```\n(node\.yaml:.*?)```/s.exec(readFileSync(DOCUMENT, 'utf8'))?.[1]
  const made = complaintsAbout(`asn: 65101
peers:
  - { name: tor-a, address: 10.0.1.1, asn: 65001, import: accept }
  - name: tor-b
    address: 10.0.2.1
    asn: 0
    holdTme: 9s
  - { name: tor-c, address: 10.0.3.1, asn: 65003 }
`)
  expect(shown).toBe(`${made.join('\n').replaceAll('c.yaml', 'node.yaml')}\n`)
})

describe('the example of every key is good', () => {
  const peer = { address: '10.0.1.1', asn: 65001, import: 'accept' }
  const base = { asn: 65101, peerGroups: { tor: { asn: 65001 } } }
  const own = (name: string, value: unknown): Record<string, unknown> =>
    name === 'routeReflectorClient'
      ? { ...peer, asn: 'internal', [name]: value }
      : ['interface', 'range'].includes(name)
        ? { asn: 65001, import: 'accept', [name]: value }
        : ['limit', 'removeAfter'].includes(name)
          ? { asn: 65001, import: 'accept', range: '10.0.1.0/24', [name]: value }
          : { ...peer, [name]: value }
  const documents = [
    ...keyRows(configSchema)
      .filter((row) => row.key !== 'include')
      .map((row) => [row.key, { ...base, [row.key]: row.example }] as const),
    ...keyRows(peerSchema)
      .filter((row) => row.key !== 'passwordFile')
      .map(
        (row) => [`peers[].${row.key}`, { ...base, peers: [own(row.key, row.example)] }] as const,
      ),
    ...keyRows(kernelSchema).map(
      (row) => [`kernel.${row.key}`, { ...base, kernel: { [row.key]: row.example } }] as const,
    ),
    ...keyRows(bmpSchema).map(
      (row) =>
        [
          `bmp[].${row.key}`,
          { ...base, bmp: [{ address: '192.0.2.8', [row.key]: row.example }] },
        ] as const,
    ),
    ...keyRows(mrtSchema).map(
      (row) =>
        [
          `mrt.${row.key}`,
          { ...base, mrt: { updates: '/u.mrt', [row.key]: row.example } },
        ] as const,
    ),
    ...keyRows(advertiseSchema).map(
      (row) =>
        [`advertise.${row.key}`, { ...base, advertise: { [row.key]: row.example } }] as const,
    ),
  ]

  test.each(documents)('%s', (_, document) => {
    const lines = complaintsAbout(stringify(document))
    expect(lines.filter((line) => !line.includes('warning'))).toEqual([])
  })

  test('and every setting of a peer is one of a group', () => {
    const [peers, groups] = [peerSchema, groupSchema].map((it) => Object.keys(it.shape))
    expect(peers?.filter((key) => groups?.includes(key))).toEqual(groups)
  })
})
