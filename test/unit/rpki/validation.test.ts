import { describe, expect, test } from 'vitest'
import { wordsOf } from '../../../src/net/address.ts'
import { factsOf } from '../../../src/net/family.ts'
import { prefix } from '../../../src/net/prefix.ts'
import type { Vrp } from '../../../src/rpki/vrp.ts'
import { VrpTable } from '../../../src/rpki/vrp-table.ts'

function vrp(text: string, maxLength: number, asn: number): Vrp {
  const { family, bytes, length } = prefix(text)
  return { family: factsOf(family), words: wordsOf(bytes), length, maxLength, asn }
}

const VRPS = [
  vrp('10.0.0.0/8', 16, 65001),
  vrp('10.0.0.0/8', 8, 65002),
  vrp('10.1.0.0/16', 24, 65003),
  vrp('192.0.2.0/24', 32, 0),
  vrp('2001:db8::/32', 48, 4200000000),
]

function table(): VrpTable {
  const vrps = new VrpTable()
  for (const it of VRPS) vrps.add(it)
  return vrps
}

function validity(vrps: VrpTable, text: string, asn: number) {
  const { family, bytes, length } = prefix(text)
  return vrps.validate(factsOf(family), wordsOf(bytes), 0, length, asn)
}

/** RFC 6811 section 2. */
describe('a route', () => {
  test.each([
    ['10.0.0.0/8', 65001, 'valid'],
    ['10.0.0.0/8', 65002, 'valid'],
    ['10.2.0.0/16', 65001, 'valid'],
    ['10.2.0.0/16', 65002, 'invalid'],
    ['10.2.0.0/17', 65001, 'invalid'],
    ['10.1.2.0/24', 65003, 'valid'],
    ['10.1.2.0/24', 65001, 'invalid'],
    ['10.0.0.0/8', 65003, 'invalid'],
    ['0.0.0.0/0', 65001, 'notFound'],
    ['11.0.0.0/8', 65001, 'notFound'],
    ['192.0.2.0/24', 65001, 'invalid'],
    ['192.0.2.0/24', 0, 'invalid'],
    ['10.0.0.0/8', 0, 'invalid'],
    ['2001:db8:1::/48', 4200000000, 'valid'],
    ['2001:db8::/49', 4200000000, 'invalid'],
    ['2001:db9::/48', 4200000000, 'notFound'],
  ] as const)('%s of AS %i is %s', (text, asn, expected) => {
    expect(validity(table(), text, asn)).toBe(expected)
  })
})

test('VRPs come and go, each once', () => {
  const vrps = table()
  const [first, second] = VRPS
  expect(vrps.add(first)).toBe(false)
  expect(vrps.size).toBe(VRPS.length)
  expect(vrps.remove(first)).toBe(true)
  expect(vrps.remove(first)).toBe(false)
  expect(validity(vrps, '10.0.0.0/8', 65001)).toBe('invalid')
  expect(validity(vrps, '10.0.0.0/8', 65002)).toBe('valid')
  expect(vrps.remove(second)).toBe(true)
  expect(validity(vrps, '10.0.0.0/8', 65002)).toBe('notFound')
  expect([...vrps]).toEqual(VRPS.slice(2))
})
