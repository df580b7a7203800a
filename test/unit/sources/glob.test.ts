import { describe, expect, test } from 'vitest'
import { matcher } from '../../../src/sources/glob.ts'

describe('names of links', () => {
  test.each([
    { patterns: ['docker0'], yes: ['docker0'], no: ['docker01', 'xdocker0', 'Docker0', ''] },
    { patterns: ['br-*'], yes: ['br-', 'br-0a1b2c3d4e5f'], no: ['br', 'xbr-1'] },
    { patterns: ['eth?'], yes: ['eth0', 'ethx'], no: ['eth', 'eth10'] },
    { patterns: ['*'], yes: ['lo', ''], no: [] },
    { patterns: ['a*b*c'], yes: ['abc', 'a-b-c', 'abbcc'], no: ['acb', 'abcd'] },
    { patterns: ['docker0', 'br-*'], yes: ['docker0', 'br-1'], no: ['eth0'] },
    { patterns: ['eth0.1'], yes: ['eth0.1'], no: ['eth0x1'] },
    {
      patterns: ['a[b]', 'x+', '(y)', '$^', 'a|b', '{2}', '\\d'],
      yes: ['a[b]', 'x+', '(y)', '$^', 'a|b', '{2}', '\\d'],
      no: ['ab', 'xx', 'y', 'a', '22', '5'],
    },
    { patterns: [], yes: [], no: ['', 'eth0'] },
  ])('$patterns', ({ patterns, yes, no }) => {
    const matches = matcher(patterns)
    expect(yes.filter((name) => !matches(name))).toEqual([])
    expect(no.filter(matches)).toEqual([])
  })
})
