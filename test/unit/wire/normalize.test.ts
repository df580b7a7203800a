import { describe, expect, test } from 'vitest'
import {
  missingMandatory,
  normalizeAttributes,
  type MessageFacts,
} from '../../../src/wire/attributes/normalize.ts'
import { describeAttributes } from '../../../src/wire/attributes/describe.ts'
import { attribute, hex, toHex } from './hex.ts'
import { sessionErrorOf } from './session-error.ts'

const NEW = { external: true, fourOctetAs: true }
const OLD = { external: true, fourOctetAs: false }

const normalize = (text: string, context = NEW, message?: MessageFacts) => {
  const bytes = hex(text)
  return normalizeAttributes(bytes, 0, bytes.length, context, message)
}

const ORIGIN = '40 01 01 00'
const AS_PATH = '40 02 06 02 01 0000fde9'
const NEXT_HOP = '40 03 04 0a000001'
const MED = '80 04 04 00000005'
const REACH = `80 0e 1a 0002 01 10 20010db8${'00'.repeat(11)}01 00 20 20010db8`
const UNREACH = '80 0f 03 0002 01'

describe('the section', () => {
  test('only `start` to `end` of the buffer is read', () => {
    const bytes = hex(`ffff ${ORIGIN} ffff`)
    const { canonical } = normalizeAttributes(bytes, 2, bytes.length - 2, NEW)
    expect(toHex(canonical)).toBe('40010100')
  })

  test('an empty one is an empty set', () => {
    expect(normalize('')).toMatchObject({ remedy: 'none', problems: [] })
  })

  test('each call begins anew', () => {
    normalize(`${ORIGIN} ${REACH} ${UNREACH} ${MED}`)
    expect(normalize(NEXT_HOP)).toEqual({
      remedy: 'none',
      problems: [],
      canonical: hex(NEXT_HOP),
      reach: undefined,
      unreach: undefined,
    })
  })

  test('also after one that was fatal', () => {
    expect(sessionErrorOf(() => normalize(`${MED} ${REACH} ${REACH}`))).toBeDefined()
    expect(toHex(normalize(MED).canonical)).toBe(toHex(hex(MED)))
  })

  // RFC 7606 section 4
  const overruns: readonly [what: string, tail: string][] = [
    ['one byte left', '40'],
    ['two bytes left', '40 03'],
    ['an extended header cut off', '50 03 00'],
    ['a length beyond the end', '40 03 04 0a0000'],
    ['an extended length beyond the end', '50 03 0100 00'],
  ]
  test.each(overruns)('%s: withdraw', (_, tail) => {
    const result = normalize(`${ORIGIN} ${AS_PATH} ${REACH} ${tail}`)
    expect(result.remedy).toBe('withdraw')
    expect(result.reach).toMatchObject({ afi: 2, safi: 1 })
  })

  test.each(['80 0e 20 0002 01', '90 0f 00'])(
    'an overrun of prefixes themselves ends the session: %s',
    (tail) => {
      expect(sessionErrorOf(() => normalize(`${ORIGIN} ${tail}`))).toMatchObject({
        code: 3,
        subcode: 9,
      })
    },
  )

  test('of a repeated attribute the first counts (RFC 7606 section 3 g)', () => {
    const result = normalize(`${MED} ${ORIGIN} 80 04 04 00000007`)
    expect(result.remedy).toBe('discard')
    expect(result.problems).toMatchObject([{ code: 4, why: 'repeated' }])
    expect(describeAttributes(result.canonical)).toMatchObject({ med: 5 })
  })

  test.each([REACH, UNREACH])('a repeated MP attribute ends the session: %s', (repeated) => {
    expect(sessionErrorOf(() => normalize(`${repeated} ${repeated}`))).toMatchObject({
      code: 3,
      subcode: 1,
    })
  })

  test('of several errors the strongest counts, and all are told (RFC 7606 section 3 h)', () => {
    const result = normalize(`${attribute(0x40, 6, '00')} 40 01 01 07 ${MED} ${MED}`)
    expect(result.remedy).toBe('withdraw')
    expect(result.problems.map(({ name, remedy }) => `${name} ${remedy}`)).toEqual([
      'MULTI_EXIT_DISC discard',
      'ORIGIN withdraw',
      'ATOMIC_AGGREGATE discard',
    ])
  })

  test('a discarded attribute is not in the set, the others are', () => {
    expect(toHex(normalize(`${ORIGIN} 40 05 04 00000064 ${MED}`).canonical)).toBe(
      toHex(hex(ORIGIN + MED)),
    )
  })
})

describe('the canonical form', () => {
  const long = 'fde90001'.repeat(64)
  const cases: readonly [title: string, wire: string, canonical: string][] = [
    ['short lengths', '50 01 0001 00', ORIGIN],
    ['long lengths where they are needed', `d0 08 0100 ${long}`, `d0 08 0100 ${long}`],
    ['ascending codes', `${MED} ${AS_PATH} ${ORIGIN}`, `${ORIGIN} ${AS_PATH} ${MED}`],
    ['Partial stays on optional transitive attributes', 'e0 08 04 fde90001', 'e0 08 04 fde90001'],
    ['Partial goes where it means nothing', 'a0 04 04 00000005', MED],
    [
      'large communities once',
      `c0 20 18 ${'000000010000000200000003'.repeat(2)}`,
      'c0 20 0c 000000010000000200000003',
    ],
    [
      'AS_TRANS as such in a path of four-octet numbers',
      '40 02 06 02 01 00005ba0',
      '40 02 06 02 01 00005ba0',
    ],
    ['a next hop of 240/4, which Fan overlays use', '40 03 04 f0000001', '40 03 04 f0000001'],
  ]
  test.each(cases)('%s', (_, wire, canonical) => {
    const result = normalize(wire)
    expect(result.problems).toEqual([])
    expect(toHex(result.canonical)).toBe(toHex(hex(canonical)))
  })

  const LINK_LOCAL = `fe80${'00'.repeat(13)}01`
  const GLOBAL = `20010db8${'00'.repeat(11)}01`
  const ZERO = '00'.repeat(16)
  const nextHops: readonly [title: string, sent: string, kept: string][] = [
    ['a global address', GLOBAL, GLOBAL],
    ['a link-local address (unnumbered)', LINK_LOCAL, LINK_LOCAL],
    ['global and link-local', GLOBAL + LINK_LOCAL, GLOBAL + LINK_LOCAL],
    ['the link-local address twice', LINK_LOCAL + LINK_LOCAL, LINK_LOCAL],
    [':: and link-local', ZERO + LINK_LOCAL, LINK_LOCAL],
    ['global and ::', GLOBAL + ZERO, GLOBAL],
  ]
  test.each(nextHops)('IPv6 next hop: %s', (_, sent, kept) => {
    const result = normalize(
      attribute(0x80, 14, `000201${toHex(Uint8Array.of(sent.length / 2))}${sent}00`),
    )
    expect(result.problems).toEqual([])
    expect(toHex(result.reach?.nextHop ?? hex(''))).toBe(kept)
    const length = toHex(Uint8Array.of(kept.length / 2))
    expect(toHex(result.canonical)).toBe(attribute(0x80, 14, `000201${length}${kept}00`))
  })

  test('the reserved byte of MP_REACH_NLRI is ignored, whatever it is', () => {
    const { canonical } = normalize(`80 0e 09 0001 01 04 0a000001 ff`)
    expect(toHex(canonical)).toBe(toHex(hex('80 0e 09 0001 01 04 0a000001 00')))
  })

  test('next hops of families that we do not speak are left alone', () => {
    const wire = '80 0e 11 0019 46 0c 000000000000000000000000 00'
    expect(normalize(wire)).toMatchObject({ remedy: 'none', reach: { afi: 25, safi: 70 } })
  })
})

describe('a peer with two-octet AS numbers (RFC 6793)', () => {
  const OLD_PATH = '40 02 06 02 02 fde9 5ba0'
  const AS4_PATH = 'c0 11 0a 02 02 0000fde9 00030d40'
  const cases: readonly [title: string, wire: string, reads: object][] = [
    ['numbers grow', OLD_PATH, { asPath: '65001 23456' }],
    ['AS4_PATH is merged', `${OLD_PATH} ${AS4_PATH}`, { asPath: '65001 200000', unknown: [] }],
    [
      'confederation segments in AS4_PATH are left out (section 6)',
      `${OLD_PATH} c0 11 0c 03 01 0000fe4d 02 01 00030d40`,
      { asPath: '65001 200000' },
    ],
    ['AGGREGATOR grows', 'c0 07 06 fde9 0a000001', { aggregator: '65001 10.0.0.1' }],
    [
      'AS4_AGGREGATOR replaces an AGGREGATOR of AS_TRANS',
      'c0 07 06 5ba0 0a000001 c0 12 08 00030d40 0a000002',
      { aggregator: '200000 10.0.0.2' },
    ],
    [
      'an AGGREGATOR of another AS makes both AS4 attributes worthless',
      `${OLD_PATH} c0 07 06 fde9 0a000001 ${AS4_PATH} c0 12 08 00030d40 0a000002`,
      { asPath: '65001 23456', aggregator: '65001 10.0.0.1' },
    ],
    [
      'AS4_AGGREGATOR alone says nothing, AS4_PATH is merged all the same',
      `${OLD_PATH} ${AS4_PATH} c0 12 08 00030d40 0a000002`,
      { asPath: '65001 200000', unknown: [] },
    ],
  ]
  test.each(cases)('%s', (_, wire, reads) => {
    const result = normalize(wire, OLD)
    expect(result.problems).toEqual([])
    expect(describeAttributes(result.canonical)).toMatchObject(reads)
  })

  test('a malformed AS4_PATH is discarded and AS_PATH stands', () => {
    const result = normalize(`${OLD_PATH} c0 11 05 02 01 000000`, OLD)
    expect(result.remedy).toBe('discard')
    expect(describeAttributes(result.canonical).asPath).toBe('65001 23456')
  })

  test('a path that no attribute can hold with four-octet numbers is withdrawn', () => {
    const segment = `02ff${'0001'.repeat(255)}`
    const result = normalize(attribute(0x40, 2, segment.repeat(100)), OLD)
    expect(result).toMatchObject({ remedy: 'withdraw', problems: [{ name: 'AS_PATH' }] })
  })
})

describe('what must be there (RFC 7606 section 3 d)', () => {
  const names = (...parameters: Parameters<typeof missingMandatory>) =>
    missingMandatory(...parameters).map(({ name }) => name)

  const cases: readonly [set: string, hasNlri: boolean, external: boolean, missing: string[]][] = [
    [`${ORIGIN} ${AS_PATH} ${NEXT_HOP}`, true, true, []],
    ['', true, true, ['ORIGIN', 'AS_PATH', 'NEXT_HOP']],
    [`${AS_PATH} ${NEXT_HOP}`, true, true, ['ORIGIN']],
    [`${ORIGIN} ${AS_PATH} 80 0e 09 0001 01 04 0a000001 00`, false, true, []],
    [`${ORIGIN} ${AS_PATH} 80 0e 09 0001 01 04 0a000001 00`, true, true, ['NEXT_HOP']],
    [`${ORIGIN} ${AS_PATH} ${NEXT_HOP}`, true, false, ['LOCAL_PREF']],
    [`${ORIGIN} ${AS_PATH} ${NEXT_HOP} 40 05 04 00000064`, true, false, []],
  ]
  test.each(cases)('in "%s", NLRI %s, eBGP %s: %o', (set, hasNlri, external, missing) => {
    expect(names(hex(set), hasNlri, { external })).toEqual(missing)
  })
})

describe('with the facts of the message', () => {
  const both = `${ORIGIN} ${AS_PATH} ${NEXT_HOP} ${REACH}`
  const nextHopIn = (message: MessageFacts, text = both) =>
    describeAttributes(normalize(text, NEW, message).canonical).nextHop

  test('each set has one next hop (RFC 4760 section 3)', () => {
    expect(nextHopIn({ hasNlri: false })).toBe('2001:db8::1')
    expect(nextHopIn({ hasNlri: true, setFor: 'reach' })).toBe('2001:db8::1')
    expect(nextHopIn({ hasNlri: true, setFor: 'nlri' })).toBe('10.0.0.1')
  })

  test('a broken NEXT_HOP beside MP_REACH_NLRI is ignored where nothing uses it', () => {
    const broken = `${ORIGIN} ${AS_PATH} 40 03 01 00 ${REACH}`
    expect(normalize(broken, NEW, { hasNlri: false }).remedy).toBe('none')
    expect(normalize(broken, NEW, { hasNlri: true, setFor: 'nlri' }).remedy).toBe('withdraw')
  })

  // RFC 7606 5.2: the NOTIFICATION is that of RFC 4271 6.3, here Invalid ORIGIN.
  const BROKEN_ORIGIN = '40 01 01 07'
  const nothingToWithdraw: readonly [what: string, section: string, fatal: boolean][] = [
    ['a broken attribute', BROKEN_ORIGIN, true],
    ['a broken attribute beside MP_UNREACH_NLRI', `${BROKEN_ORIGIN} ${UNREACH}`, true],
    ['MP_UNREACH_NLRI alone, with odd flags', 'c0 0f 03 0002 01', false],
    ['a broken attribute beside MP_REACH_NLRI', `${BROKEN_ORIGIN} ${REACH}`, false],
    ['an attribute that is only discarded', '40 06 01 00', false],
  ]
  test.each(nothingToWithdraw)('without NLRI: %s', (_, section, fatal) => {
    const error = sessionErrorOf(() => normalize(section, NEW, { hasNlri: false }))
    expect(error === undefined).toBe(!fatal)
    if (fatal) expect(error).toMatchObject({ code: 3, subcode: 6, data: hex(BROKEN_ORIGIN) })
    expect(sessionErrorOf(() => normalize(section, NEW, { hasNlri: true }))).toBeUndefined()
  })
})
