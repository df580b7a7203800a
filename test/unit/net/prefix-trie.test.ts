import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { addressFromBytes, wordsOf } from '../../../src/net/address.ts'
import { FAMILIES, factsOf } from '../../../src/net/family.ts'
import { covers, prefix, prefixOf, type Prefix } from '../../../src/net/prefix.ts'
import { PrefixTrie } from '../../../src/net/prefix-trie.ts'

const set = (trie: PrefixTrie, it: Prefix, value: number): void =>
  trie.set(wordsOf(it.bytes), 0, it.length, value)

function covering(trie: PrefixTrie, it: Prefix): number[] {
  const found: number[] = []
  trie.someCovering(wordsOf(it.bytes), 0, it.length, (value) => {
    found.push(value)
    return false
  })
  return found
}

test('what covers a prefix is found, the shortest first', () => {
  const trie = new PrefixTrie(factsOf('ipv4'))
  const texts = ['10.1.0.0/16', '0.0.0.0/0', '10.0.0.0/8', '10.1.2.0/24', '10.128.0.0/9']
  texts.forEach((text, i) => set(trie, prefix(text), i + 1))
  expect(covering(trie, prefix('10.1.2.0/24'))).toEqual([2, 3, 1, 4])
  expect(covering(trie, prefix('10.1.3.0/24'))).toEqual([2, 3, 1])
  expect(covering(trie, prefix('10.0.0.0/7'))).toEqual([2])
  expect(covering(trie, prefix('192.0.2.1/32'))).toEqual([2])
  expect(trie.size).toBe(5)
  set(trie, prefix('10.0.0.0/8'), 0)
  expect(covering(trie, prefix('10.1.2.0/24'))).toEqual([2, 1, 4])
  trie.clear()
  expect([trie.size, covering(trie, prefix('10.1.2.0/24'))]).toEqual([0, []])
})

/** Few enough bits that prefixes often cover one another, at places where words meet. */
const prefixes = (family: (typeof FAMILIES)[number]) =>
  fc
    .record({
      bits: fc.array(fc.boolean(), { minLength: 6, maxLength: 6 }),
      length: fc.constantFrom(
        0,
        1,
        3,
        8,
        31,
        32,
        ...(family.bits === 128 ? [33, 64, 97, 128] : []),
      ),
    })
    .map(({ bits, length }) => {
      const bytes = new Uint8Array(family.bits / 8)
      const places = [0, 2, 7, 30, 31, family.bits - 1]
      places.forEach((place, i) => {
        if (bits[i]) bytes[place >> 3] |= 0x80 >> (place & 7)
      })
      return prefixOf(addressFromBytes(bytes), length)
    })

test.each(FAMILIES)('a trie of $name prefixes is what a list would be', (family) => {
  const steps = fc.array(fc.tuple(prefixes(family), fc.integer({ min: 0, max: 3 })), {
    maxLength: 40,
  })
  fc.assert(
    fc.property(steps, prefixes(family), (all, asked) => {
      const trie = new PrefixTrie(family)
      const list = new Map<string, { it: Prefix; value: number }>()
      for (const [it, value] of all) {
        set(trie, it, value)
        if (value === 0) list.delete(it.text)
        else list.set(it.text, { it, value })
      }
      const expected = [...list.values()]
        .filter(({ it }) => covers(it, asked))
        .toSorted((a, b) => a.it.length - b.it.length)
        .map(({ value }) => value)
      expect(covering(trie, asked)).toEqual(expected)
      expect(trie.size).toBe(list.size)
      const exact = trie.get(wordsOf(asked.bytes), 0, asked.length)
      expect(exact).toBe(list.get(asked.text)?.value ?? 0)
    }),
    { numRuns: 500 },
  )
})
