import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { sharesOf } from '../../../src/fib/shares.ts'

const G = 125_000_000

describe('shares of link bandwidths', () => {
  const cases: readonly (readonly [rates: readonly number[], shares: readonly number[]])[] = [
    [[G], [1]],
    [
      [10 * G, 10 * G],
      [1, 1],
    ],
    [
      [10 * G, 40 * G],
      [1, 4],
    ],
    [
      [40 * G, 100 * G],
      [2, 5],
    ],
    [
      [10 * G, 25 * G, 40 * G],
      [2, 5, 8],
    ],
    [
      [1000, 1001], // within a hundredth
      [1, 1],
    ],
    [
      [1, 255],
      [1, 255],
    ],
    [
      [1, 1e9], // further apart than weights can say
      [1, 255],
    ],
    [
      [1, 250, 1e30],
      [1, 1, 255],
    ],
  ]
  test.each(cases)('%j are %j', (rates, shares) => {
    expect(sharesOf(rates)).toEqual(shares)
  })

  const rate = fc.float({ min: Math.fround(1e-3), max: Math.fround(1e12), noNaN: true })

  test('whole numbers that the kernel takes; a faster link never gets less', () => {
    fc.assert(
      fc.property(fc.array(rate, { minLength: 1, maxLength: 16 }), (rates) => {
        const shares = sharesOf(rates)
        expect(shares.every((it) => Number.isInteger(it) && it >= 1 && it <= 255)).toBe(true)
        const sorted = rates.map((it, i) => [it, shares[i]]).toSorted(([a], [b]) => a - b)
        const ascending = sorted.map(([, share]) => share)
        expect(ascending).toEqual(ascending.toSorted((a, b) => a - b))
      }),
    )
  })

  test('the order of the links does not matter', () => {
    fc.assert(
      fc.property(fc.array(rate, { minLength: 1, maxLength: 6 }), (rates) => {
        expect(sharesOf(rates.toReversed())).toEqual(sharesOf(rates).toReversed())
      }),
    )
  })
})
