import { expect, test } from 'vitest'
import { untilTogether } from '../../../src/net/clock.ts'

test.each([
  [0, 10_000],
  [1, 9_999],
  [0.5, 10_000],
  [9_000, 1_000],
  [9_001, 10_999],
  [9_999.7, 10_001],
  [123_456, 6_544],
])('from %d ms it is %d to the next time that all wake together', (now, wait) => {
  expect(untilTogether(now, 10_000)).toBe(wait)
})
