import { describe, expect, test } from 'vitest'
import { parseSelector, type Labels } from '../../../../src/config/import/calico/selector.ts'

const NODES: Readonly<Record<string, Labels>> = {
  a: { rack: 'r1', zone: 'eu-west-b' },
  b: { rack: 'r2', zone: 'eu-east-b', 'calico/reflector': '' },
  c: { rack: 'r1', in: 'it' },
  d: {},
}

/** A selector, and the nodes that it selects. */
const selectors: readonly (readonly [string, string])[] = [
  ['', 'abcd'],
  ['all()', 'abcd'],
  ['global( )', 'abcd'],
  ['! all()', ''],
  ['!!all()', 'abcd'],
  ['has(rack)', 'abc'],
  ['has( calico/reflector )', 'b'],
  ['!has(rack)', 'd'],
  ['has(toString)', ''],
  ['rack == "r1"', 'ac'],
  ["rack=='r1'", 'ac'],
  ['rack != "r1"', 'bd'],
  ['rack in {"r1", "r2"}', 'abc'],
  ["rack in{'r2'}", 'b'],
  ['rack in {}', ''],
  ['rack in {"r1",}', 'ac'],
  ['rack not in {"r1"}', 'bd'],
  ['rack notin {"r1", "r2"}', 'd'],
  ['zone starts with "eu-"', 'ab'],
  ['zone startswith "eu-e"', 'b'],
  ['zone ends with "-b"', 'ab'],
  ['zone contains "west"', 'a'],
  ['in == "it"', 'c'],
  ['rack == "r1" && has(zone)', 'a'],
  ['rack == "r2" || has(in)', 'bc'],
  ['has(in) || rack == "r1" && has(zone)', 'ac'],
  ['(has(in) || rack == "r1") && has(zone)', 'a'],
  ['!(rack == "r1" || rack == "r2")', 'd'],
  ['!rack == "r1"', 'bd'],
  ['rack == "r1" && !has(zone) && in == "it"', 'c'],
]

test.each(selectors)('%s selects %s', (written, selected) => {
  const selector = parseSelector(written)
  if (typeof selector !== 'function') throw new Error(selector.message)
  const found = Object.entries(NODES).filter(([, labels]) => selector(labels))
  expect(found.map(([name]) => name).join('')).toBe(selected)
})

describe('no selector', () => {
  test.each([
    ['rack = "r1"', '= is no part of a selector; write =='],
    ['a == "b" & has(c)', '& is no part of a selector; write &&'],
    ['rack', 'nothing is said about rack; write has(rack), or rack == "value"'],
    ['rack == r1', 'a text in quotes is missing before r1; write "value"'],
    ['rack ==', 'a text in quotes is missing at the end; write "value"'],
    ['rack == "r1', '"r1 has no closing quote; add it'],
    ['rack in ("r1")', '{ is missing before (; add it'],
    ['rack in {"r1" "r2"}', '} is missing before r2; add it'],
    ['(has(a)', ') is missing at the end; add it'],
    ['has()', /^a label is missing before \);/],
    ['&& has(a)', /^a label is missing before &&;/],
    ['every()', /^there is no every\(\);/],
    ['has(a) has(b)', /^has is too much;/],
    ['rack == "r1" # ours', /^# is no part of a selector;/],
    ['('.repeat(100_000), /^too many parentheses;/],
  ])('%.40s', (written, said) => {
    const selector = parseSelector(written)
    if (typeof selector === 'function') throw new Error('a selector')
    expect(`${selector.message}; ${selector.remedy}`).toMatch(said)
  })
})
