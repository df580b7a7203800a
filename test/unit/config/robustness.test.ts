/**
 * Whatever is in a file, the answer is a Config or complaints that can be printed: never an exception.
 */
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { stringify } from 'yaml'
import { keyRows } from '../../../src/config/reference.ts'
import { peerSchema } from '../../../src/config/peer-schema.ts'
import { configSchema, kernelSchema } from '../../../src/config/schema.ts'
import { loadText } from '../../../src/config/load.ts'
import { linesOf, NOWHERE } from './loading.ts'

const rows = [configSchema, peerSchema, kernelSchema].flatMap((schema) => keyRows(schema))
const keys = [
  ...rows.map((row) => row.key),
  'nodes',
  'prefix',
  'interfaces',
  'prefixes',
  'tor',
  '<<',
]
const examples = rows.map((row) => row.example)

/** Trees of keys that belong somewhere, with values that belong somewhere else, or nowhere. */
const { document } = fc.letrec((tie) => ({
  document: fc.dictionary(fc.constantFrom(...keys), tie('value'), { maxKeys: 8 }),
  value: fc.oneof(
    { depthSize: 'small' },
    fc.constantFrom(...examples),
    fc.constantFrom(null, '', '${HOSTNAME}', '${', '10.0.0.1/24', '::', 'internal'),
    fc.integer(),
    fc.boolean(),
    fc.string(),
    fc.array(tie('value'), { maxLength: 3 }),
    tie('document'),
  ),
}))

const settings = { numRuns: 200, seed: 4271 }
/** The place, then the words: nothing empty, nothing on two lines. */
const LINE = /^c\.yaml:[1-9]\d*:[1-9]\d*: \S.*; \S.*$/

function answer(text: string): void {
  const loaded = loadText(text, 'c.yaml', NOWHERE)
  const lines = linesOf(loaded)
  if ('complaints' in loaded) expect(lines.length).toBeGreaterThan(0)
  for (const line of lines) expect(line).toMatch(LINE)
}

describe('a Config or complaints, for', () => {
  test('maps of known keys with values from anywhere', () => {
    fc.assert(
      fc.property(document, (it) => answer(stringify({ asn: 65101, ...(it as object) }))),
      settings,
    )
  })

  test('any text', () => {
    fc.assert(fc.property(fc.string({ unit: 'binary', maxLength: 200 }), answer), settings)
  })

  test('a good file with a piece cut out', () => {
    const good = stringify(
      Object.fromEntries(keyRows(configSchema).map((it) => [it.key, it.example])),
    )
    const cut = fc.tuple(fc.nat(good.length), fc.nat(20))
    fc.assert(
      fc.property(cut, ([at, length]) => answer(good.slice(0, at) + good.slice(at + length))),
      settings,
    )
  })
})
