import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { addressFromBytes, wordsOf } from '../../../src/net/address.ts'
import { FAMILIES, IPV4, IPV6, type FamilyFacts } from '../../../src/net/family.ts'
import { prefix, prefixOf, type Prefix } from '../../../src/net/prefix.ts'
import { PrefixTable } from '../../../src/rib/prefix-table.ts'

/** Some 200 prefixes of a family, many of which differ in their length only. */
const somePrefix = ({ name, bits, words }: FamilyFacts): fc.Arbitrary<Prefix> =>
  fc
    .record({ first: fc.nat({ max: 3 }), last: fc.nat({ max: 3 }), length: fc.nat({ max: bits }) })
    .map(({ first, last, length }) => {
      const bytes = new Uint8Array(4 * words)
      bytes[0] = 10 + first
      bytes[bytes.length - 1] = last
      return prefixOf(addressFromBytes(bytes), length)
    })
    .filter(({ family }) => family === name)

const held = (table: PrefixTable, it: Prefix): number => {
  const id = table.internPrefix(it)
  table.retain(id)
  return id
}

describe.each(FAMILIES)('a table of $name prefixes', (family) => {
  const example = prefix(family === IPV4 ? '10.1.2.0/24' : '2001:db8:0:1::/64')

  test('gives the same number for the same prefix', () => {
    const table = new PrefixTable(family)
    const id = held(table, example)
    expect(id).toBeGreaterThan(0)
    expect(table.internPrefix(example)).toBe(id)
    expect(table.findPrefix(example)).toBe(id)
    expect(table.live).toBe(1)
  })

  test('finds nothing that nobody holds', () => {
    expect(new PrefixTable(family).findPrefix(example)).toBe(0)
  })

  test('tells what it holds', () => {
    const table = new PrefixTable(family)
    const id = held(table, example)
    expect(table.text(id)).toBe(example.text)
    expect(table.prefix(id)).toEqual(example)
    expect(table.length(id)).toBe(example.length)
    expect([...wordsOf(example.bytes)]).toEqual(
      Array.from({ length: family.words }, (_, i) => table.word(id, i)),
    )
  })

  test('agrees with a Map, whatever is held, let go and asked for', () => {
    const step = fc.record({ prefix: somePrefix(family), retain: fc.boolean() })
    fc.assert(
      fc.property(fc.array(step, { minLength: 1, maxLength: 400 }), (steps) => {
        const table = new PrefixTable(family)
        const model = new Map<string, { id: number; holders: number }>()
        for (const { prefix, retain } of steps) {
          const known = model.get(prefix.text)
          expect(table.findPrefix(prefix)).toBe(known?.id ?? 0)
          if (retain) {
            const id = held(table, prefix)
            model.set(prefix.text, { id, holders: (known?.holders ?? 0) + 1 })
            expect(known === undefined || known.id === id).toBe(true)
          } else if (known !== undefined) {
            table.release(known.id)
            if (--known.holders === 0) model.delete(prefix.text)
          }
          expect(table.live).toBe(model.size)
        }
        for (const [text, { id }] of model) expect(table.text(id)).toBe(text)
        const rows = Array.from({ length: table.end }, (_, id) => id).filter((id) =>
          table.exists(id),
        )
        expect(rows).toHaveLength(model.size)
      }),
      { seed: 1, numRuns: 200 },
    )
  })

  test('grows through many rounds of splitting, shrinks, and uses its rows again', () => {
    const table = new PrefixTable(family)
    const words = new Int32Array(family.words)
    const key = (i: number): Int32Array => {
      words[0] = Math.imul(i, 0x10001)
      words[family.words - 1] ^= i << 8
      return words.map((word) => word)
    }
    const keys = Array.from({ length: 50_000 }, (_, i) => {
      words.fill(0)
      return key(i)
    })
    const intern = (): number[] =>
      keys.map((it) => {
        const id = table.intern(it, 0, family.bits)
        table.retain(id)
        return id
      })
    const ids = intern()
    expect(new Set(ids).size).toBe(keys.length)
    expect(keys.every((it, i) => table.find(it, 0, family.bits) === ids[i])).toBe(true)
    const end = table.end
    for (let i = 0; i < ids.length; i += 2) table.release(ids[i])
    expect(table.live).toBe(keys.length / 2)
    expect(keys.every((it, i) => (table.find(it, 0, family.bits) !== 0) === (i % 2 === 1))).toBe(
      true,
    )
    for (let i = 1; i < ids.length; i += 2) table.release(ids[i])
    expect(table.live).toBe(0)
    intern()
    expect(table.end).toBe(end)
  })
})

describe('the holders of a prefix', () => {
  const table = (): { table: PrefixTable; id: number } => {
    const made = new PrefixTable(IPV4)
    return { table: made, id: made.internPrefix(prefix('10.0.0.0/8')) }
  }

  test('a new prefix has none and is not there for walks', () => {
    const { table: it, id } = table()
    expect(it.exists(id)).toBe(false)
  })

  test('it lives until the last one lets go', () => {
    const { table: it, id } = table()
    it.retain(id)
    it.retain(id)
    it.release(id)
    expect(it.exists(id)).toBe(true)
    it.release(id)
    expect(it.exists(id)).toBe(false)
    expect(it.live).toBe(0)
  })

  test('waiting for a decision holds it, once', () => {
    const { table: it, id } = table()
    it.retain(id)
    expect(it.markWaiting(id)).toBe(true)
    expect(it.markWaiting(id)).toBe(false)
    it.release(id)
    expect(it.exists(id)).toBe(true)
    it.settle(id)
    expect(it.live).toBe(0)
  })

  test('a decision made does not take it from its other holders', () => {
    const { table: it, id } = table()
    it.retain(id)
    it.markWaiting(id)
    it.settle(id)
    expect(it.exists(id)).toBe(true)
  })

  test('a row used again remembers nothing', () => {
    const { table: it, id } = table()
    it.retain(id)
    it.setPaths(id, 7)
    it.setBest(id, 8)
    it.release(id)
    expect(it.internPrefix(prefix('192.0.2.0/24'))).toBe(id)
    expect([it.paths(id), it.best(id), it.length(id)]).toEqual([0, 0, 24])
    it.retain(id)
    expect(it.text(id)).toBe('192.0.2.0/24')
  })
})

describe('a prefix within another', () => {
  const cases: readonly [inner: string, outer: string, within: boolean][] = [
    ['10.1.0.0/16', '10.0.0.0/8', true],
    ['10.0.0.0/8', '10.0.0.0/8', true],
    ['10.0.0.0/8', '10.0.0.0/9', false],
    ['10.128.0.0/9', '10.0.0.0/9', false],
    ['11.0.0.0/8', '10.0.0.0/8', false],
    ['192.0.2.1/32', '0.0.0.0/0', true],
    ['255.255.255.255/32', '255.255.255.254/31', true],
    ['2001:db8:1::/48', '2001:db8::/32', true],
    ['2001:db8::/32', '2001:db8::/33', false],
    ['2001:db8:8000::/33', '2001:db8::/33', false],
    ['2001:db8::1/128', '2001:db8::/127', true],
    ['2001:db8::2/128', '2001:db8::/127', false],
    ['2001:db9::/32', '::/0', true],
  ]
  test.each(cases)('%s in %s: %s', (inner, outer, within) => {
    const it = prefix(inner)
    const table = new PrefixTable(it.family === 'ipv4' ? IPV4 : IPV6)
    const { bytes, length } = prefix(outer)
    expect(table.isWithin(held(table, it), wordsOf(bytes), length)).toBe(within)
  })
})
