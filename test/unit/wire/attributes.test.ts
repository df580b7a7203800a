import { describe, expect, test } from 'vitest'
import { describeAttributes, encodeAttributes } from '../../../src/wire/attributes/describe.ts'
import { ATTRIBUTES } from '../../../src/wire/attributes/index.ts'
import { normalizeAttributes } from '../../../src/wire/attributes/normalize.ts'
import { GOLDEN } from './attribute-golden.ts'
import { hex, toHex } from './hex.ts'

const internal = { external: false, fourOctetAs: true }

const normalized = (text: string) => {
  const bytes = hex(text)
  return normalizeAttributes(bytes, 0, bytes.length, internal)
}

test.each(GOLDEN)('golden bytes of $name', ({ wire, canonical = wire, reads }) => {
  const result = normalized(wire)
  expect(result.problems).toEqual([])
  expect(toHex(result.canonical)).toBe(toHex(hex(canonical)))
  expect(describeAttributes(result.canonical)).toMatchObject(reads)
})

test('every row has golden bytes, except those that are never in a set', () => {
  const tested = new Set(GOLDEN.map(({ name }) => name))
  expect(ATTRIBUTES.map(({ name }) => name).filter((name) => !tested.has(name))).toEqual([
    'AS4_PATH',
    'AS4_AGGREGATOR',
  ])
})

test('the table is in ascending order, as canonical bytes are', () => {
  const codes = ATTRIBUTES.map(({ code }) => code)
  expect(codes).toEqual([...new Set(codes)].toSorted((a, b) => a - b))
})

describe('a whole set', () => {
  const wire = GOLDEN.map((row) => row.wire).join('')
  const reads = Object.assign({}, ...GOLDEN.map((row) => row.reads)) as object

  test('reads as the sum of its attributes', () => {
    expect(describeAttributes(normalized(wire).canonical)).toEqual(reads)
  })

  test('written from what it reads as, it has the same bytes but for NEXT_HOP, which IPv6 has not', () => {
    const canonical = normalized(
      GOLDEN.filter(({ name }) => name !== 'NEXT_HOP')
        .map((row) => row.wire)
        .join(''),
    ).canonical.slice()
    expect(toHex(encodeAttributes(describeAttributes(canonical)))).toBe(toHex(canonical))
  })

  test('has the same canonical bytes in whatever order it comes', () => {
    const canonical = toHex(normalized(wire).canonical)
    const reversed = [...GOLDEN].toReversed().map((row) => row.wire)
    expect(toHex(normalized(reversed.join('')).canonical)).toBe(canonical)
  })

  test('is canonical when it has been made canonical', () => {
    const canonical = normalized(wire).canonical.slice()
    expect(toHex(normalized(toHex(canonical)).canonical)).toBe(toHex(canonical))
  })

  test('the prefixes of MP_REACH and MP_UNREACH are offsets into the message', () => {
    const bytes = hex(wire)
    const { reach, unreach } = normalizeAttributes(bytes, 0, bytes.length, internal)
    expect(reach).toMatchObject({ afi: 2, safi: 1 })
    expect(toHex(bytes.subarray(reach?.nlriStart, reach?.nlriEnd))).toBe('2020010db8')
    expect(unreach).toMatchObject({ afi: 2, safi: 1 })
    expect(toHex(bytes.subarray(unreach?.nlriStart, unreach?.nlriEnd))).toBe('2020010db9')
  })
})

describe('sets of our own', () => {
  const cases: readonly [string, Parameters<typeof encodeAttributes>[0], string][] = [
    ['a local IPv4 route', { nextHop: '10.0.0.1' }, '40 01 01 00  40 02 00  40 03 04 0a000001'],
    [
      'a local IPv6 route',
      { nextHop: '2001:db8::1', localPref: 100 },
      '40 01 01 00  40 02 00  40 05 04 00000064  80 0e 15 0002 01 10 20010db8000000000000000000000001 00',
    ],
    [
      'IPv4 routes with an IPv6 next hop (RFC 8950)',
      { nextHop: 'fe80::1', reachFamily: 'ipv4' },
      '40 01 01 00  40 02 00  80 0e 15 0001 01 10 fe800000000000000000000000000001 00',
    ],
    [
      'an IPv4 next hop in MP_REACH_NLRI',
      { nextHop: '10.0.0.1', reachFamily: 'ipv4' },
      '40 01 01 00  40 02 00  80 0e 09 0001 01 04 0a000001 00',
    ],
  ]
  test.each(cases)('%s', (_, values, golden) => {
    expect(toHex(encodeAttributes(values))).toBe(toHex(hex(golden)))
    expect(describeAttributes(encodeAttributes(values))).toMatchObject(values)
  })

  const bad: readonly Parameters<typeof encodeAttributes>[0][] = [
    { asPath: '65001 x' },
    { asPath: '0' },
    { asPath: '4294967296' },
    { asPath: '{1,2' },
    { asPath: '(1) (' },
    { nextHop: '10.0.0.256' },
    { aggregator: '65001' },
    { aggregator: '0 10.0.0.1' },
    { originatorId: '::1' },
    { clusterList: ['7'] },
    { communities: ['65536:1'] },
    { communities: ['no-exports'] },
    { extendedCommunities: ['rt:65001:4294967296'] },
    { extendedCommunities: ['rt:4200000001:65536'] },
    { extendedCommunities: ['rt:10.0.0.1:65536'] },
    { extendedCommunities: ['rt:1'] },
    { extendedCommunities: ['rt:1:2:3'] },
    { extendedCommunities: ['bandwidth:65001:-1'] },
    { extendedCommunities: ['bandwidth:65001:fast'] },
    { extendedCommunities: ['generic:1:2'] },
    { largeCommunities: ['1:2'] },
    { largeCommunities: ['1:2:4294967296'] },
    { unknown: [{ code: 99, flags: 0xe0, value: 'abc' }] },
  ]
  test.each(bad)('%o is refused', (values) => {
    expect(() => encodeAttributes(values)).toThrow(RangeError)
  })
})
