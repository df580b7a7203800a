import { describe, expect, test } from 'vitest'
import { AsPathPattern, parseAsPathPattern } from '../../../src/policy/as-path-pattern.ts'

const PATHS = ['', '65001', '65001 65002', '165001', '65002 65001 {65003,65004}', '(65201) 65001']

const rows: readonly (readonly [pattern: string, ...matched: string[]])[] = [
  ['.*', ...PATHS],
  ['^$', ''],
  ['^65001', '65001', '65001 65002'],
  ['^65001_', '65001', '65001 65002'],
  ['_65001_', '65001', '65001 65002', '65002 65001 {65003,65004}', '(65201) 65001'],
  ['65001$', '65001', '165001', '(65201) 65001'],
  ['_65001$', '65001', '(65201) 65001'],
  ['_65001_65002_', '65001 65002'],
  ['^[0-9]+$', '65001', '165001'],
  ['^[0-9]+ [0-9]+$', '65001 65002'],
  ['^[^ ]+$', '65001', '165001'],
  ['_6500[2-4]_', '65001 65002', '65002 65001 {65003,65004}'],
  ['_(65002|65201)_', '65001 65002', '65002 65001 {65003,65004}', '(65201) 65001'],
  ['\\{', '65002 65001 {65003,65004}'],
  ['_65003_', '65002 65001 {65003,65004}'],
  ['\\(65201\\)', '(65201) 65001'],
  ['^1?65001$', '65001', '165001'],
  ['^(6500[12] ?){2}$', '65001 65002'],
  ['^(6500[12] ?){2,}', '65001 65002', '65002 65001 {65003,65004}'],
  ['0{2}1$', '65001', '165001', '(65201) 65001'],
  ['^(|65001)$', '', '65001'],
  ['(a*)*65002$', '65001 65002'],
  ['_', ...PATHS],
  ['[]{]', '65002 65001 {65003,65004}'],
]

test.each(rows)('%s', (text, ...expected) => {
  const pattern = parseAsPathPattern(text)
  if (!(pattern instanceof AsPathPattern)) throw new Error(pattern.message)
  expect(PATHS.filter((path) => pattern.test(path))).toEqual(expected)
})

describe('what is no pattern', () => {
  test.each([
    ['(65001', '( has no )'],
    ['65001)', ') has no ('],
    ['[0-9', '[ has no ]'],
    ['*', '* repeats nothing'],
    ['a|+', '+ repeats nothing'],
    ['[9-0]', '9-0 is no range'],
    ['6{3,2}', '{3,2} is no number of times'],
    ['6{1000}', '{1000} is no number of times'],
    ['65001\\', '\\ stands at the end'],
    ['((((6{64}){64}){64}){64}){64}', 'it is too large'],
    [`${'('.repeat(200)}6`, 'too many parentheses'],
  ])('%s', (text, message) => {
    const pattern = parseAsPathPattern(text)
    expect(pattern instanceof AsPathPattern ? 'a pattern' : pattern.message).toBe(message)
  })
})

test('no pattern can hold up the daemon', () => {
  const pattern = parseAsPathPattern('^(([0-9]+ ?)+)+x$')
  if (!(pattern instanceof AsPathPattern)) throw new Error(pattern.message)
  const path = Array.from({ length: 400 }, (_, i) => 65000 + i).join(' ')
  const begin = performance.now()
  expect(pattern.test(path)).toBe(false)
  // A matcher that tries would need longer than there will be.
  expect(performance.now() - begin).toBeLessThan(1000)
})
