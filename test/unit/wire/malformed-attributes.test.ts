import { describe, expect, test } from 'vitest'
import { ATTRIBUTES } from '../../../src/wire/attributes/index.ts'
import { normalizeAttributes } from '../../../src/wire/attributes/normalize.ts'
import type { Remedy } from '../../../src/wire/errors.ts'
import { attribute, hex, toHex } from './hex.ts'
import { sessionErrorOf } from './session-error.ts'

type Session = 'iBGP' | 'eBGP' | 'old iBGP' | 'old eBGP'

const contextOf = (session: Session) => ({
  external: session.endsWith('eBGP'),
  fourOctetAs: !session.startsWith('old'),
})

const normalize = (session: Session, bytes: Uint8Array) =>
  normalizeAttributes(bytes, 0, bytes.length, contextOf(session))

const ZERO = '00'.repeat(16)

/** Values that are malformed, and what RFC 7606 section 7 (or the attribute's own RFC) says they cost. */
const malformed: readonly [
  name: string,
  session: Session,
  flags: number,
  value: string,
  remedy: Exclude<Remedy, 'reset'>,
][] = [
  // 7.1
  ['ORIGIN', 'iBGP', 0x40, '', 'withdraw'],
  ['ORIGIN', 'iBGP', 0x40, '0000', 'withdraw'],
  ['ORIGIN', 'iBGP', 0x40, '03', 'withdraw'],
  // 7.2: unknown segment type, overrun, underrun, empty segment; AS 0 by RFC 7607
  ['AS_PATH', 'iBGP', 0x40, '05 01 0000fde9', 'withdraw'],
  ['AS_PATH', 'iBGP', 0x40, '00 01 0000fde9', 'withdraw'],
  ['AS_PATH', 'iBGP', 0x40, '02 02 0000fde9', 'withdraw'],
  ['AS_PATH', 'iBGP', 0x40, '02 01 0000fde9 02', 'withdraw'],
  ['AS_PATH', 'iBGP', 0x40, '02 00', 'withdraw'],
  ['AS_PATH', 'iBGP', 0x40, '02 01 00000000', 'withdraw'],
  ['AS_PATH', 'old iBGP', 0x40, '02 01 0000', 'withdraw'],
  // Four-octet numbers where two octets were agreed.
  ['AS_PATH', 'old iBGP', 0x40, '02 01 0000fde9', 'withdraw'],
  // RFC 5065 section 5: confederation segments from outside
  ['AS_PATH', 'eBGP', 0x40, '03 01 0000fde9', 'withdraw'],
  ['AS_PATH', 'eBGP', 0x40, '02 01 00000001 04 01 0000fde9', 'withdraw'],
  // 7.3; RFC 4271 6.3: not a valid IP host address
  ['NEXT_HOP', 'iBGP', 0x40, '', 'withdraw'],
  ['NEXT_HOP', 'iBGP', 0x40, '0a0000', 'withdraw'],
  ['NEXT_HOP', 'iBGP', 0x40, '0a00000100', 'withdraw'],
  ['NEXT_HOP', 'iBGP', 0x40, '00000000', 'withdraw'],
  ['NEXT_HOP', 'iBGP', 0x40, '7f000001', 'withdraw'],
  ['NEXT_HOP', 'iBGP', 0x40, 'e0000001', 'withdraw'],
  ['NEXT_HOP', 'iBGP', 0x40, 'ffffffff', 'withdraw'],
  // 7.4
  ['MULTI_EXIT_DISC', 'iBGP', 0x80, '000000', 'withdraw'],
  ['MULTI_EXIT_DISC', 'iBGP', 0x80, '0000000000', 'withdraw'],
  // 7.5
  ['LOCAL_PREF', 'iBGP', 0x40, '000064', 'withdraw'],
  ['LOCAL_PREF', 'iBGP', 0x40, '0000006400', 'withdraw'],
  ['LOCAL_PREF', 'eBGP', 0x40, '00000064', 'discard'],
  ['LOCAL_PREF', 'eBGP', 0x40, '64', 'discard'],
  // 7.6
  ['ATOMIC_AGGREGATE', 'iBGP', 0x40, '00', 'discard'],
  // 7.7; AS 0 by RFC 7607
  ['AGGREGATOR', 'iBGP', 0xc0, 'fde90a000001', 'discard'],
  ['AGGREGATOR', 'iBGP', 0xc0, '0000fde90a00000100', 'discard'],
  ['AGGREGATOR', 'old iBGP', 0xc0, '0000fde90a000001', 'discard'],
  ['AGGREGATOR', 'iBGP', 0xc0, '000000000a000001', 'discard'],
  // 7.8
  ['COMMUNITIES', 'iBGP', 0xc0, '', 'withdraw'],
  ['COMMUNITIES', 'iBGP', 0xc0, 'fde900640000', 'withdraw'],
  // 7.9
  ['ORIGINATOR_ID', 'iBGP', 0x80, '0a0000', 'withdraw'],
  ['ORIGINATOR_ID', 'eBGP', 0x80, '0a000001', 'discard'],
  // 7.10
  ['CLUSTER_LIST', 'iBGP', 0x80, '', 'withdraw'],
  ['CLUSTER_LIST', 'iBGP', 0x80, '0a00000100', 'withdraw'],
  ['CLUSTER_LIST', 'eBGP', 0x80, '0a000001', 'discard'],
  // 7.11 keeps its NLRI readable: only the address is no good.
  ['MP_REACH_NLRI', 'iBGP', 0x80, `0002 01 10 ${ZERO} 00 20 20010db8`, 'withdraw'],
  ['MP_REACH_NLRI', 'iBGP', 0x80, `0002 01 10 ff${ZERO.slice(2)} 00 20 20010db8`, 'withdraw'],
  ['MP_REACH_NLRI', 'iBGP', 0x80, `0002 01 10 ${ZERO.slice(2)}01 00 20 20010db8`, 'withdraw'],
  ['MP_REACH_NLRI', 'iBGP', 0x80, '0001 01 04 e0000001 00 08 0a', 'withdraw'],
  // 7.14
  ['EXTENDED_COMMUNITIES', 'iBGP', 0xc0, '', 'withdraw'],
  ['EXTENDED_COMMUNITIES', 'iBGP', 0xc0, '0002fde9000000', 'withdraw'],
  // RFC 6793 sections 4.1 and 6
  ['AS4_PATH', 'iBGP', 0xc0, '02 01 00030d40', 'discard'],
  ['AS4_PATH', 'old iBGP', 0xc0, '', 'discard'],
  ['AS4_PATH', 'old iBGP', 0xc0, '02 02 00030d40', 'discard'],
  ['AS4_PATH', 'old iBGP', 0xc0, '07 01 00030d40', 'discard'],
  ['AS4_PATH', 'old iBGP', 0xc0, '02 01 00000000', 'discard'],
  ['AS4_AGGREGATOR', 'iBGP', 0xc0, '00030d40 0a000001', 'discard'],
  ['AS4_AGGREGATOR', 'old iBGP', 0xc0, '00030d40', 'discard'],
  ['AS4_AGGREGATOR', 'old iBGP', 0xc0, '00000000 0a000001', 'discard'],
  // RFC 8092 section 6
  ['LARGE_COMMUNITIES', 'iBGP', 0xc0, '', 'withdraw'],
  ['LARGE_COMMUNITIES', 'iBGP', 0xc0, '0000fde9 00000001 000002', 'withdraw'],
  // RFC 9234 section 5
  ['ONLY_TO_CUSTOMER', 'eBGP', 0xc0, 'fde9', 'withdraw'],
  ['ONLY_TO_CUSTOMER', 'eBGP', 0xc0, '0000fde900', 'withdraw'],
]

const specOf = (name: string) => {
  const spec = ATTRIBUTES.find((row) => row.name === name)
  if (spec === undefined) throw new RangeError(name)
  return spec
}

test.each(malformed)(
  '%s over %s, flags %i, value "%s": %s',
  (name, session, flags, value, remedy) => {
    const { code } = specOf(name)
    const result = normalize(session, hex(attribute(flags, code, value)))
    expect(result.problems).toMatchObject([{ code, name, remedy }])
    expect(result.remedy).toBe(remedy)
    expect(result.canonical).toHaveLength(0)
  },
)

/** The prefixes can't be found, so no milder remedy is left (RFC 7606 7.11, 7.12). */
const fatal: readonly [name: string, value: string][] = [
  ['MP_REACH_NLRI', ''],
  ['MP_REACH_NLRI', '0002 01'],
  ['MP_REACH_NLRI', '0002 01 10 20010db8'],
  ['MP_REACH_NLRI', `0002 01 10 ${ZERO}`],
  ['MP_REACH_NLRI', '0002 01 04 0a000001 00 20 20010db8'],
  ['MP_REACH_NLRI', '0002 01 00 00 20 20010db8'],
  ['MP_REACH_NLRI', '0001 01 05 0a00000100 00 08 0a'],
  ['MP_UNREACH_NLRI', ''],
  ['MP_UNREACH_NLRI', '0002'],
]

test.each(fatal)('%s of "%s" ends the session, with the attribute as data', (name, value) => {
  const bytes = hex(attribute(0x80, specOf(name).code, value))
  const error = sessionErrorOf(() => normalize('iBGP', bytes))
  expect(error).toMatchObject({ code: 3, subcode: 9 })
  expect(toHex(error?.data ?? new Uint8Array(0))).toBe(toHex(bytes))
})

test('every row has a malformed value in these tables', () => {
  const tested = new Set([...malformed, ...fatal].map(([name]) => name))
  expect(ATTRIBUTES.length).toBeGreaterThan(0)
  expect(ATTRIBUTES.filter(({ name }) => !tested.has(name))).toEqual([])
})

describe('flags that contradict the attribute cost a withdrawal (RFC 7606 section 3 c)', () => {
  const cases = ATTRIBUTES.flatMap(({ name, code, flags }) =>
    [0x00, 0x40, 0x80, 0xc0]
      .filter((wrong) => wrong !== flags)
      .map((wrong) => [name, wrong, code] as const),
  )
  const valueOf = (name: string): string =>
    name === 'MP_REACH_NLRI' || name === 'MP_UNREACH_NLRI'
      ? `0002 01 10 20010db8${'00'.repeat(11)}01 00`
      : '00'
  test.each(cases)('%s with flags %i', (name, wrong, code) => {
    const result = normalize('iBGP', hex(attribute(wrong, code, valueOf(name))))
    expect(result.remedy).toBe('withdraw')
    expect(result.problems[0]).toMatchObject({ code, name, remedy: 'withdraw' })
  })

  test('but the prefixes of MP_REACH_NLRI are still found, since they are to be withdrawn', () => {
    const value = `0002 01 10 20010db8${'00'.repeat(11)}01 00 20 20010db8`
    const bytes = hex(attribute(0xc0, 14, value))
    const { reach } = normalize('iBGP', bytes)
    expect(toHex(bytes.subarray(reach?.nlriStart, reach?.nlriEnd))).toBe('2020010db8')
  })

  test('the partial bit and the four low bits are of no concern', () => {
    expect(toHex(normalize('iBGP', hex('6f 01 01 00')).canonical)).toBe('40010100')
  })
})

describe('unknown attributes', () => {
  test('that are well-known end the session, with the attribute as data (RFC 4271 6.3)', () => {
    const error = sessionErrorOf(() => normalize('iBGP', hex('40 63 01 00')))
    expect(error).toMatchObject({ code: 3, subcode: 2, data: hex('40 63 01 00') })
  })

  const cases: readonly [title: string, wire: string, canonical: string][] = [
    ['transitive ones are passed on as partial', 'c0 63 01 ab', 'e0 63 01 ab'],
    ['also with the low bits of the flags set', 'df 63 0001 ab', 'e0 63 01 ab'],
    ['others are forgotten', '80 63 01 ab', ''],
  ]
  test.each(cases)('%s', (_, wire, canonical) => {
    const result = normalize('iBGP', hex(wire))
    expect(result.problems).toEqual([])
    expect(toHex(result.canonical)).toBe(toHex(hex(canonical)))
  })

  test('of the reserved code 0 are discarded', () => {
    expect(normalize('iBGP', hex('c0 00 01 ab'))).toMatchObject({
      remedy: 'discard',
      problems: [{ code: 0, name: 'attribute 0', why: 'reserved code' }],
      canonical: hex(''),
    })
  })
})
