/** NLRI with and without path identifiers, read by the columns of `wire/` and by the oracle's own reading. */
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { factsOf } from '../../src/net/family.ts'
import { NlriColumns } from '../../src/wire/nlri.ts'
import { SEED } from './extent.ts'
import { prefixesOf } from './oracle.ts'

const octet = fc.integer({ min: 0, max: 255 })
const BITS = { ipv4: 32, ipv6: 128 } as const

/** Prefixes that are mostly sound, and now and then a byte too few, too many, or another. */
const field = (bits: 32 | 128, addPath: boolean): fc.Arbitrary<Uint8Array> =>
  fc
    .tuple(
      fc.array(
        fc.tuple(
          fc.oneof(
            { weight: 9, arbitrary: fc.integer({ min: 0, max: bits }) },
            { weight: 1, arbitrary: octet },
          ),
          fc.array(octet, { minLength: 4, maxLength: 4 }),
          fc.array(octet, { minLength: 16, maxLength: 16 }),
        ),
        { maxLength: 6 },
      ),
      fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.nat(8) }),
    )
    .map(([prefixes, cut]) => {
      const bytes = prefixes.flatMap(([length, identifier, address]) => [
        ...(addPath ? identifier : []),
        ...[length, ...address.slice(0, Math.ceil(length / 8))],
      ])
      return Uint8Array.from(bytes.slice(0, Math.max(0, bytes.length - cut)))
    })

const hexOf = (words: Int32Array): string =>
  Array.from(words, (word) => (word >>> 0).toString(16).padStart(8, '0')).join('')

describe.each(['ipv4', 'ipv6'] as const)('NLRI of %s', (family) => {
  const columns = new NlriColumns(factsOf(family))
  const { stride } = columns

  test.each([false, true])('with path identifiers: %s', (addPath) => {
    let good = 0
    let bad = 0
    const property = fc.property(field(BITS[family], addPath), fc.nat(4), (bytes, before) => {
      // What stands before and behind the field is none of its business.
      const buffer = new Uint8Array(before + bytes.length + 4).fill(0xa5)
      buffer.set(bytes, before)
      const isGood = addPath
        ? columns.decodeWithPathIds(buffer, before, before + bytes.length)
        : columns.decode(buffer, before, before + bytes.length)
      const read = Array.from({ length: columns.count }, (_, i) => {
        const address = hexOf(columns.words.subarray(i * stride, (i + 1) * stride))
        const identifier = addPath ? `#${columns.pathIds[i] >>> 0}` : ''
        return `${address}/${columns.lengths[i]}${identifier}`
      })
      const expected = prefixesOf(bytes, BITS[family], addPath)
      expect(isGood ? read : undefined).toEqual(expected)
      if (isGood) good++
      else bad++
    })
    fc.assert(property, { numRuns: 2000, seed: SEED })
    expect(Math.min(good, bad)).toBeGreaterThan(200)
  })
})
