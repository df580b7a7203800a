import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { PrefixSet } from '../../../src/fib/prefix-set.ts'
import { addressFromBytes, wordsOf } from '../../../src/net/address.ts'
import { FAMILIES, type FamilyFacts } from '../../../src/net/family.ts'
import { covers, prefixOf, type Prefix } from '../../../src/net/prefix.ts'
import { PrefixTable } from '../../../src/rib/prefix-table.ts'

/** Prefixes from a few bytes only, so that many of them cover each other. */
const anyPrefix = ({ bits }: FamilyFacts): fc.Arbitrary<Prefix> =>
  fc
    .tuple(
      fc.array(fc.constantFrom(0, 1, 128, 255), { minLength: bits / 8, maxLength: bits / 8 }),
      fc.integer({ min: 0, max: bits }),
    )
    .map(([bytes, length]) => prefixOf(addressFromBytes(Uint8Array.from(bytes)), length))

function asks(set: PrefixSet, prefixes: PrefixTable, asked: Prefix): boolean {
  const first = wordsOf(asked.bytes)[0]
  return set.covers(prefixes, prefixes.internPrefix(asked), first, asked.length)
}

const sizes = [
  { title: 'a few', constraints: { minLength: 0, maxLength: 6 } },
  { title: 'more than are compared in a row', constraints: { minLength: 30, maxLength: 60 } },
]

describe.each(FAMILIES)('$name', (family) => {
  test.each(sizes)('$title: as one by one, also after others were there', ({ constraints }) => {
    const many = fc.array(anyPrefix(family), constraints)
    const prefixes = new PrefixTable(family)
    fc.assert(
      fc.property(many, many, anyPrefix(family), (former, own, asked) => {
        const set = new PrefixSet(family)
        set.replace(former)
        set.replace(own)
        expect(asks(set, prefixes, asked)).toBe(own.some((it) => covers(it, asked)))
        for (const it of own) expect(asks(set, prefixes, it)).toBe(true)
      }),
      { seed: 4271, numRuns: 200 },
    )
  })
})
