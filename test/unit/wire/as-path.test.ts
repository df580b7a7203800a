import { describe, expect, test } from 'vitest'
import {
  formatAsPath,
  lengthOfAsPath,
  mergeAsPaths,
  parseAsPath,
  type AsPath,
} from '../../../src/wire/attributes/as-path.ts'

const path = (text: string): AsPath => {
  const parsed = parseAsPath(text)
  if (parsed === undefined) throw new RangeError(text)
  return parsed
}

const lengths: readonly [text: string, length: number][] = [
  ['', 0],
  ['65001', 1],
  ['65001 65001 65002', 3],
  ['65001 {1,2,3}', 2],
  ['(65101 65102) 65001', 1],
  ['({65101,65102})', 0],
  ['(65101) {1} {2}', 2],
]
test.each(lengths)('"%s" reads as it is written and has length %i', (text, length) => {
  expect(formatAsPath(path(text))).toBe(text)
  expect(lengthOfAsPath(path(text))).toBe(length)
})

test('a sequence of 300 takes two segments', () => {
  const text = Array.from({ length: 300 }, (_, i) => i + 1).join(' ')
  expect(path(text).map(({ asns }) => asns.length)).toEqual([255, 45])
  expect(formatAsPath(path(text))).toBe(text)
})

describe('AS_PATH and AS4_PATH together (RFC 6793 4.2.3)', () => {
  const cases: readonly [asPath: string, as4Path: string, merged: string][] = [
    ['65001 23456', '65001 200000', '65001 200000'],
    ['65001 65002 23456', '200000', '65001 65002 200000'],
    // AS_PATH shorter: someone has removed ASes, and AS4_PATH is out of date.
    ['65001', '65001 200000', '65001'],
    ['', '200000', ''],
    ['65001 23456', '', '65001 23456'],
    // A set counts as one.
    ['65001 {1,2}', '200000', '65001 200000'],
    ['{1,2} 23456', '200000', '{1,2} 200000'],
    ['65001 23456', '{200000,3}', '65001 {200000,3}'],
    // Confederation segments don't count, and stay where they lead or stand next to what is kept.
    ['(65101) 23456', '200000', '(65101) 200000'],
    ['(65101) 65001 23456', '200000', '(65101) 65001 200000'],
    ['65001 (65101) 23456', '200000', '65001 (65101) 200000'],
    ['65001 23456 (65101)', '200000', '65001 200000'],
  ]
  test.each(cases)('"%s" and "%s" make "%s"', (asPath, as4Path, merged) => {
    expect(formatAsPath(mergeAsPaths(path(asPath), path(as4Path)))).toBe(merged)
  })

  test('sequences that meet become one where they fit', () => {
    expect(mergeAsPaths(path('1 2'), path('200000'))).toEqual([
      { kind: 'sequence', asns: [1, 200_000] },
    ])
    const long = Array.from({ length: 255 }, (_, i) => i + 1).join(' ')
    expect(mergeAsPaths(path(`7 ${long}`), path(long)).map(({ asns }) => asns.length)).toEqual([
      1, 255,
    ])
  })
})

test.each(['x', '1,2', '0', '4294967296', '{}', '()', '{1', '(1', '1)', '({1)', '1{2}'])(
  '"%s" is no path',
  (text) => {
    expect(parseAsPath(text)).toBeUndefined()
  },
)
