import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { ATTRIBUTES } from '../../../src/wire/attributes/index.ts'
import { CAPABILITIES } from '../../../src/wire/capabilities/index.ts'
import { ROUTE_REFRESH } from '../../../src/wire/constants.ts'
import { generatedDocument } from '../../support/generated-document.ts'
import { PROTOCOL, type ProtocolRow } from './rows.ts'

test('docs/protocol.md says what the rows say (UPDATE_GOLDEN=1 rewrites it)', async () => {
  const { found, wanted } = await generatedDocument('docs/protocol.md', document())
  expect(found).toBe(wanted)
})

test('every code point of wire/ has a row, and no row has others', () => {
  const messages = Array.from({ length: ROUTE_REFRESH }, (_, i) => `message ${i + 1}`)
  const registered = [
    ...messages,
    ...ATTRIBUTES.map(({ code }) => `attribute ${code}`),
    ...CAPABILITIES.map(({ code }) => `capability ${code}`),
  ]
  const covered = new Set(PROTOCOL.flatMap((row) => row.codes ?? []))
  expect(registered.filter((code) => !covered.has(code))).toEqual([])
  expect([...covered].filter((code) => !registered.includes(code))).toEqual([])
})

test('an RFC and a title make one row', () => {
  const keys = PROTOCOL.map(({ rfc, title }) => `${rfc} ${title}`)
  expect(keys).toEqual([...new Set(keys)])
})

test.each(PROTOCOL)('$rfc, $title: its tests are there and run', ({ tests }) => {
  expect(tests.length).toBeGreaterThan(0)
  for (const named of tests) {
    const { file, title } = split(named)
    const path = fileURLToPath(new URL(`../../${file}`, import.meta.url))
    expect(existsSync(path), `test/${file} is there`).toBe(true)
    const text = readFileSync(path, 'utf8')
    expect(text.includes(title), `test/${file} has "${title}"`).toBe(true)
    expect(text, `test/${file} skips nothing`).not.toMatch(/\.(skip|skipIf|todo|only)\b/)
  }
})

function split(named: string): { readonly file: string; readonly title: string } {
  const at = named.indexOf(': ')
  return { file: named.slice(0, at), title: named.slice(at + 2) }
}

function document(): string {
  return `# What linnet speaks

One row for each RFC, or part of one. A test is named by its file below \`test/\` and its title. This page
is printed from \`test/unit/protocol/rows.ts\`, which a test holds against the tables of \`src/wire/\` and
against the tests that it names: \`UPDATE_GOLDEN=1 npx vitest run --project unit test/unit/protocol\`.
What is tried with other daemons is in [interop.md](interop.md).

| RFC | | done | not done | code points | tests |
| --- | --- | --- | --- | --- | --- |
${PROTOCOL.map(line).join('\n')}
`
}

function line(row: ProtocolRow): string {
  const tests = row.tests.map((named) => {
    const { file, title } = split(named)
    return `\`${file}\` ${title}`
  })
  const cells = [row.rfc, row.title, row.done, row.missing ?? '', (row.codes ?? []).join(', ')]
  return `| ${[...cells, tests.join('; ')].map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`
}
