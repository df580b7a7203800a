import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { describeAttributes, encodeAttributes } from '../../../src/wire/attributes/describe.ts'
import { lengthOfAsPath, parseAsPath } from '../../../src/wire/attributes/as-path.ts'
import { normalizeAttributes } from '../../../src/wire/attributes/normalize.ts'
import { SessionError } from '../../../src/wire/errors.ts'
import * as scan from '../../../src/wire/scan.ts'
import { attribute, hex, toHex } from './hex.ts'

const OWN = { asns: [65_000, 65_010], clusterId: 0x0a000001 }

const scanned = (bytes: Uint8Array): scan.AttributeFacts | undefined => {
  const facts = new scan.AttributeFacts()
  return scan.scanAttributes(bytes, 0, bytes.length, OWN, facts) ? facts : undefined
}

const ORIGIN = '40010100'
const PATH = '4002060201 0000fde9'
const NEXT_HOP = '4003040a000001'
const IPV6 = `20010db8${'00'.repeat(11)}01`
const LINK_LOCAL = `fe80${'00'.repeat(13)}01`
const reach = (nextHop: string): string =>
  attribute(0x80, 14, `000201${toHex(Uint8Array.of(hex(nextHop).length))}${nextHop}00`)

describe('what is plain', () => {
  const plain: readonly [what: string, section: string][] = [
    ['nothing', ''],
    ['the usual set', `${ORIGIN} ${PATH} ${NEXT_HOP} 80040400000001 40050400000064`],
    ['an empty path', '400200'],
    [
      'all that is known',
      `${ORIGIN} ${PATH} ${NEXT_HOP} 400600 c007080000fde90a000001 c00804fde90001 8009040a000007 800a040a000008 c0100800020000fde90001 c0200c${'00000001'.repeat(3)}`,
    ],
    ['Partial on optional transitive attributes', 'e00804fde90001'],
    ['an unknown attribute that is marked partial', 'e0c801ff'],
    ['an extended length where it is needed', attribute(0xc0, 8, 'fde90001'.repeat(64))],
    ['a next hop of 240/4', '400304f0000001'],
    ['an IPv6 next hop', reach(IPV6)],
    ['a link-local next hop', reach(LINK_LOCAL)],
    ['an IPv6 next hop with a link-local one behind it', reach(IPV6 + LINK_LOCAL)],
  ]
  test.each(plain)('%s', (_, section) => {
    expect(scanned(hex(section))).toBeDefined()
  })

  const notPlain: readonly [what: string, section: string][] = [
    ['a header cut off', '40'],
    ['an extended header cut off', '5001'],
    ['an extended header without its second length octet', '500100'],
    ['a value cut off', '40010200'],
    ['a value beyond the section', '400305 0a000001'],
    ['an attribute twice', `${ORIGIN} ${ORIGIN}`],
    ['codes that do not ascend', `${PATH} ${ORIGIN}`],
    ['code 0', 'e00000'],
    ['an extended length that is not needed', '5001000100'],
    ['unused flag bits', '41010100'],
    ['ORIGIN with other flags', 'c0010100'],
    ['ORIGIN 3', '40010103'],
    ['ORIGIN of two bytes', '4001020000'],
    ['AS_PATH with Partial', '6002060201 0000fde9'],
    ['AS_PATH with an unknown segment', '4002060501 0000fde9'],
    ['AS_PATH with an empty segment', '4002020200'],
    ['AS_PATH with a segment cut off', '4002060202 0000fde9'],
    ['AS_PATH with half a segment header', '40020102'],
    ['AS_PATH with AS 0', '4002060201 00000000'],
    ['NEXT_HOP 0.0.0.0', '40030400000000'],
    ['NEXT_HOP 127.0.0.1', '4003047f000001'],
    ['NEXT_HOP of a multicast group', '400304e0000001'],
    ['NEXT_HOP 255.255.255.255', '400304ffffffff'],
    ['MED of two bytes', '8004020001'],
    ['LOCAL_PREF as optional', '80050400000064'],
    ['ATOMIC_AGGREGATE with a value', '40060100'],
    ['AGGREGATOR of two-octet AS numbers', 'c00706fde90a000001'],
    ['AGGREGATOR of AS 0', 'c00708000000000a000001'],
    ['COMMUNITIES of six bytes', 'c00806fde900010000'],
    ['no COMMUNITIES', 'c00800'],
    ['ORIGINATOR_ID of five bytes', '8009050a00000100'],
    ['an empty CLUSTER_LIST', '800a00'],
    ['EXTENDED_COMMUNITIES of nine bytes', 'c01009000200000000000000'.slice(0, 24)],
    ['LARGE_COMMUNITIES of eleven bytes', `c0200b${'00'.repeat(11)}`],
    ['LARGE_COMMUNITIES that repeat themselves', `c02018${'00000001'.repeat(6)}`],
    ['an unknown attribute that is not marked partial', 'c0c801ff'],
    ['an unknown attribute that is not transitive', '80c801ff'],
    ['an unknown well-known attribute', '40c801ff'],
    ['MP_UNREACH_NLRI', '800f03000201'],
    ['AS4_PATH', 'e0110602010000fde9'],
    ['AS4_AGGREGATOR', 'e012080000fde90a000001'],
    ['MP_REACH_NLRI with its NLRI', `80 0e 1a 000201 10 ${IPV6} 00 20 20010db8`],
    ['MP_REACH_NLRI beside NEXT_HOP', `${NEXT_HOP} ${reach(IPV6)}`],
    ['next hop ::', reach('00'.repeat(16))],
    ['next hop ::1', reach(`${'00'.repeat(15)}01`)],
    ['an IPv6 multicast group as next hop', reach(`ff02${'00'.repeat(13)}01`)],
    ['two global next hops', reach(IPV6 + IPV6)],
    ['the link-local next hop twice', reach(LINK_LOCAL + LINK_LOCAL)],
    [':: and a link-local next hop', reach('00'.repeat(16) + LINK_LOCAL)],
    ['::1 and a link-local next hop', reach(`${'00'.repeat(15)}01${LINK_LOCAL}`)],
    ['an IPv6 next hop of 15 bytes', reach(IPV6.slice(2))],
  ]
  test.each(notPlain)('not: %s', (_, section) => {
    expect(scanned(hex(section))).toBeUndefined()
  })

  test('only `start` to `end` of the buffer counts', () => {
    const facts = new scan.AttributeFacts()
    const bytes = hex(`ffff ${ORIGIN} ffff`)
    expect(scan.scanAttributes(bytes, 2, bytes.length - 2, OWN, facts)).toBe(true)
    expect(scan.scanAttributes(bytes, 2, bytes.length - 1, OWN, facts)).toBe(false)
  })
})

test('the neighbour stands behind what the confederation has added (RFC 5065 5.3)', () => {
  const neighborOf = (path: string) => scanned(hex(path))?.neighborAs
  expect(neighborOf('40020c 0301 0000fde9 0201 00000007')).toBe(7)
  expect(neighborOf('400206 0301 0000fde9')).toBe(0)
  expect(neighborOf('40020c 0101 00000007 0201 00000008')).toBe(0)
})

describe('the facts', () => {
  const flags: readonly [what: string, section: string, flags: number][] = [
    ['MED', '80040400000000', scan.HAS_MED],
    ['LOCAL_PREF', '40050400000000', scan.HAS_LOCAL_PREF],
    ['ORIGINATOR_ID', '8009040a000007', scan.HAS_ORIGINATOR_ID],
    ['CLUSTER_LIST', '800a040a000007', scan.HAS_CLUSTER_LIST],
    ['our own cluster', '800a080a0000070a000001', scan.HAS_CLUSTER_LIST | scan.HAS_OWN_CLUSTER],
    ['ORIGIN', ORIGIN, scan.HAS_ORIGIN],
    ['NEXT_HOP', NEXT_HOP, scan.HAS_NEXT_HOP],
    ['MP_REACH_NLRI', reach(IPV6), scan.HAS_NEXT_HOP | scan.NEXT_HOP_IN_REACH],
    ['AS_PATH', PATH, scan.HAS_AS_PATH],
    ['our own AS', '4002060201 0000fde8', scan.HAS_AS_PATH | scan.HAS_OWN_AS],
    ['our other AS', '4002060201 0000fdf2', scan.HAS_AS_PATH | scan.HAS_OWN_AS],
    ['a confederation', '4002060301 0000fde9', scan.HAS_AS_PATH | scan.HAS_CONFEDERATION],
    ['NO_EXPORT', 'c00804ffffff01', scan.NO_EXPORT],
    ['NO_ADVERTISE', 'c00808fde90001ffffff02', scan.NO_ADVERTISE],
    ['NO_EXPORT_SUBCONFED', 'c00804ffffff03', scan.NO_EXPORT | scan.NO_EXPORT_SUBCONFED],
    ['NO_PEER', 'c00804ffffff04', scan.NO_PEER],
    ['GRACEFUL_SHUTDOWN', 'c00804ffff0000', scan.GRACEFUL_SHUTDOWN],
    ['ONLY_TO_CUSTOMER', 'c023040000fde9', scan.HAS_OTC],
    ['link bandwidth', 'c010104004fde94cee6b280002fde900000001', scan.HAS_LINK_BANDWIDTH],
    ['transitive link bandwidth', 'c010080004fde94cee6b28', scan.HAS_LINK_BANDWIDTH],
    ['other extended communities', 'c010080002fde900000004', 0],
    ['both', 'c00808ffffff01ffffff02', scan.NO_EXPORT | scan.NO_ADVERTISE],
    ['other communities', 'c00804fde90001', 0],
    ['attributes that are only passed on', 'e0c801ff', 0],
  ]
  test.each(flags)('%s as flags', (_, section, flags) => {
    expect(scanned(hex(section))?.flags).toBe(flags)
  })

  test('nothing is left of the set before', () => {
    const facts = new scan.AttributeFacts()
    const bytes = encodeAttributes({
      asPath: '65000 1',
      nextHop: '10.0.0.1',
      med: 1,
      localPref: 2,
      originatorId: '1.1.1.1',
      clusterList: ['1.1.1.1'],
      origin: 'EGP',
      communities: ['no-export'],
    })
    expect(scan.scanAttributes(bytes, 0, bytes.length, OWN, facts)).toBe(true)
    expect(scan.scanAttributes(bytes, 0, 0, OWN, facts)).toBe(true)
    const { nextHopAt: _, ...left } = facts
    const { nextHopAt: __, ...fresh } = new scan.AttributeFacts()
    expect(left).toEqual(fresh)
  })
})

describe('scanning and normalising agree', () => {
  const octet = fc.integer({ min: 0, max: 255 })
  const section = fc
    .record({
      origin: fc.constantFrom('IGP' as const, 'EGP' as const, 'incomplete' as const),
      asPath: fc.constantFrom('', '65001', '65001 65000 {65010,7}', '(65001) 7', '4200000000 1'),
      nextHop: fc.constantFrom('10.0.0.1', '240.0.0.1', '2001:db8::1', 'fe80::1'),
      med: octet,
      localPref: octet,
      communities: fc.constantFrom(['no-export'], ['65001:1', 'no-advertise'], []),
      originatorId: fc.constantFrom('1.2.3.4', '10.0.0.1'),
      clusterList: fc.constantFrom(['10.0.0.1'], ['1.1.1.1', '2.2.2.2'], []),
      largeCommunities: fc.constantFrom(['1:2:3'], ['1:2:3', '1:2:4'], []),
    })
    .map(encodeAttributes)
  const changed = fc
    .tuple(section, fc.array(fc.tuple(fc.nat(), octet), { maxLength: 2 }))
    .map(([bytes, changes]) => {
      const copy = bytes.slice()
      for (const [at, value] of changes) copy[at % copy.length] = value
      return copy
    })

  test('what is plain is left as it is by the rules of RFC 7606, with the same facts', () => {
    let plain = 0
    let other = 0
    fc.assert(
      fc.property(changed, (bytes) => {
        const facts = scanned(bytes)
        if (facts === undefined) return void other++
        plain++
        const context = { external: false, fourOctetAs: true }
        const normalized = normalizeAttributes(bytes, 0, bytes.length, context)
        expect(normalized.problems).toEqual([])
        expect(toHex(normalized.canonical)).toBe(toHex(bytes))
        const it = describeAttributes(bytes)
        const asns = it.asPath.match(/\d+/g)?.map(Number) ?? []
        expect(facts).toMatchObject({
          origin: ['IGP', 'EGP', 'incomplete'].indexOf(it.origin),
          asPathLength: lengthOfAsPath(parseAsPath(it.asPath) ?? []),
          ownAsCount: asns.filter((asn) => OWN.asns.includes(asn)).length,
          localPref: it.localPref ?? 100,
          med: it.med ?? 0,
          clusterListLength: it.clusterList.length,
        })
      }),
      { seed: 8, numRuns: 3000 },
    )
    expect(plain).toBeGreaterThan(500)
    expect(other).toBeGreaterThan(500)
  })

  test('what comes out of normalising is plain', () => {
    fc.assert(
      fc.property(changed, fc.boolean(), (bytes, external) => {
        try {
          const context = { external, fourOctetAs: true }
          const { remedy, canonical } = normalizeAttributes(bytes, 0, bytes.length, context)
          if (remedy !== 'withdraw') expect(scanned(canonical)).toBeDefined()
        } catch (error) {
          if (!(error instanceof SessionError)) throw error
        }
      }),
      { seed: 9, numRuns: 2000 },
    )
  })
})
