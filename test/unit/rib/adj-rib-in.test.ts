import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Family } from '../../../src/net/family.ts'
import { reject } from '../../../src/policy/standard.ts'
import type { Rejection } from '../../../src/rib/paths.ts'
import {
  concat,
  updateBody,
  type AttributeValues,
  type UpdateText,
} from '../../support/update-builder.ts'
import { attribute, hex } from '../wire/hex.ts'
import { sessionErrorOf } from '../wire/session-error.ts'
import { NOTHING, OWN_ROUTER_ID, SmallRib, type PeerValues } from './small-rib.ts'

const SET = { asPath: '65001 65009', nextHop: '10.0.0.1' }
const INTERNAL: PeerValues = { external: false, asn: 65000 }

describe('what an UPDATE does to the routes of its peer', () => {
  const cases: readonly [what: string, updates: readonly UpdateText[], left: readonly string[]][] =
    [
      ['announces', [{ announce: ['10.1.0.0/16', '10.2.0.0/16'] }], ['10.1.0.0/16', '10.2.0.0/16']],
      ['announces IPv6', [{ announce: ['2001:db8:1::/48'] }], ['2001:db8:1::/48']],
      [
        'announces both families in one message',
        [{ announce: ['10.1.0.0/16', '2001:db8:1::/48'] }],
        ['10.1.0.0/16', '2001:db8:1::/48'],
      ],
      ['the default routes', [{ announce: ['0.0.0.0/0', '::/0'] }], ['0.0.0.0/0', '::/0']],
      [
        'host routes',
        [{ announce: ['255.255.255.255/32', '2001:db8::1/128'] }],
        ['255.255.255.255/32', '2001:db8::1/128'],
      ],
      [
        'announces twice',
        [{ announce: ['10.1.0.0/16'] }, { announce: ['10.1.0.0/16'] }],
        ['10.1.0.0/16'],
      ],
      [
        'withdraws',
        [{ announce: ['10.1.0.0/16', '10.2.0.0/16'] }, { withdraw: ['10.1.0.0/16'] }],
        ['10.2.0.0/16'],
      ],
      [
        'withdraws IPv6',
        [{ announce: ['2001:db8:1::/48'] }, { withdraw: ['2001:db8:1::/48'] }],
        [],
      ],
      ['withdraws what was never there', [{ withdraw: ['10.1.0.0/16', '2001:db8::/32'] }], []],
      [
        'tells prefixes apart by their length',
        [{ announce: ['10.0.0.0/8', '10.0.0.0/16'] }, { withdraw: ['10.0.0.0/8'] }],
        ['10.0.0.0/16'],
      ],
      [
        'withdraws before it announces (RFC 4271 3.1)',
        [
          {
            withdraw: ['10.1.0.0/16', '2001:db8::/32'],
            announce: ['10.1.0.0/16', '2001:db8::/32'],
          },
        ],
        ['10.1.0.0/16', '2001:db8::/32'],
      ],
    ]
  test.each(cases)('%s', (_, updates, left) => {
    const rib = new SmallRib()
    const peer = rib.peer('peer')
    for (const update of updates) peer.send({ set: SET, ...update })
    expect(rib.settle().prefixes()).toEqual(left)
    expect(peer.problems).toEqual([])
    expect(peer.peer.paths[0] + peer.peer.paths[1]).toBe(left.length)
    expect(peer.peer.accepted).toEqual(peer.peer.paths)
    rib.expectNoLeak(peer)
  })

  test('each prefix has the attributes it came with, in each family its next hop', () => {
    const rib = new SmallRib()
    rib.peer('peer').send({
      announce: ['10.1.0.0/16', '2001:db8:1::/48'],
      set: { ...SET, med: 7 },
      nextHop6: '2001:db8::7',
    })
    expect(rib.offers('10.1.0.0/16')).toMatchObject({
      peer: { asPath: '65001 65009', med: 7, nextHop: '10.0.0.1' },
    })
    const ipv6 = rib.offers('2001:db8:1::/48').peer
    expect(ipv6).toMatchObject({ asPath: '65001 65009', med: 7, nextHop: '2001:db8::7' })
    expect(rib.live().sets).toBe(2)
  })

  test('a newer announcement replaces the older one (RFC 4271 9.1.4)', () => {
    const rib = new SmallRib()
    const peer = rib.peer('peer')
    for (const med of [1, 2]) peer.send({ announce: ['10.1.0.0/16'], set: { ...SET, med } })
    expect(rib.offers('10.1.0.0/16')).toMatchObject({ peer: { med: 2 } })
    expect(rib.settle().live()).toEqual({ prefixes: 1, paths: 1, sets: 1, watched: 1 })
  })

  test('the same again changes nothing, not even since when it is there', () => {
    const rib = new SmallRib()
    const peer = rib.peer('peer')
    const [{ paths, prefixes }] = rib.rib.families
    peer.send({ announce: ['10.1.0.0/16'], set: SET })
    rib.settle()
    const since = paths.since(prefixes.paths(1))
    peer.send({ announce: ['10.1.0.0/16'], set: SET })
    expect(rib.rib.busy).toBe(false)
    expect(paths.since(prefixes.paths(1))).toBe(since)
    peer.send({ announce: ['10.1.0.0/16'], set: { ...SET, med: 1 } })
    expect(paths.since(prefixes.paths(1))).toBe(since + 2)
  })

  test('bits behind the prefix length mean nothing', () => {
    const rib = new SmallRib()
    const peer = rib.peer('peer')
    const body = updateBody({ announce: ['10.1.16.0/20'], set: SET })
    body[body.length - 1] |= 0x0f
    peer.sendBody(body)
    expect(rib.prefixes()).toEqual(['10.1.16.0/20'])
  })

  test('peers do not touch the routes of each other', () => {
    const rib = new SmallRib()
    const [a, b] = ['a', 'b'].map((name) => rib.peer(name))
    for (const peer of [a, b]) peer.send({ announce: ['10.1.0.0/16'], set: SET })
    a.send({ withdraw: ['10.1.0.0/16'] })
    expect(Object.keys(rib.offers('10.1.0.0/16'))).toEqual(['b'])
    expect(rib.live().sets).toBe(1)
    rib.expectNoLeak(a, b)
  })
})

describe('the end of the RIB (RFC 4724 section 2)', () => {
  const cases: readonly [
    what: string,
    body: string,
    families: readonly Family[],
    told: Family[],
  ][] = [
    ['IPv4', '0000 0000', ['ipv4', 'ipv6'], ['ipv4']],
    ['IPv6', '0000 0006 800f03 0002 01', ['ipv4', 'ipv6'], ['ipv6']],
    ['IPv4, as other families say it', '0000 0006 800f03 0001 01', ['ipv4'], ['ipv4']],
    ['IPv6, with an extended length', '0000 0007 900f0003 0002 01', ['ipv6'], ['ipv6']],
    ['of a family not agreed on', '0000 0006 800f03 0002 01', ['ipv4'], []],
    ['IPv4, not agreed on', '0000 0000', ['ipv6'], []],
    ['of a family that we do not speak', '0000 0006 800f03 0019 46', ['ipv4', 'ipv6'], []],
  ]
  test.each(cases)('%s', (_, body, families, told) => {
    const peer = new SmallRib().peer('peer', { families })
    peer.sendBody(hex(body))
    expect(peer.endOfRibs).toEqual(told)
    expect(peer.problems).toEqual([])
  })

  test('a message that withdraws something is none', () => {
    const peer = new SmallRib().peer('peer')
    peer.send({ withdraw: ['10.0.0.0/8'] })
    peer.send({ withdraw: ['2001:db8::/32'] })
    expect(peer.endOfRibs).toEqual([])
  })
})

describe('families that were not agreed on are ignored (RFC 4760 section 8)', () => {
  const cases: readonly [families: readonly Family[], left: readonly string[]][] = [
    [['ipv4'], ['10.1.0.0/16']],
    [['ipv6'], ['2001:db8:1::/48']],
    [
      ['ipv4', 'ipv6'],
      ['10.1.0.0/16', '2001:db8:1::/48'],
    ],
    [[], []],
  ]
  test.each(cases)('%j', (families, left) => {
    const rib = new SmallRib()
    const peer = rib.peer('peer', { families })
    peer.send({ announce: ['10.1.0.0/16', '2001:db8:1::/48'], set: SET })
    expect(rib.prefixes()).toEqual(left)
    expect(rib.live().sets).toBe(left.length)
    rib.expectNoLeak(peer)
  })

  test('the other family and the other kinds of routes', () => {
    const rib = new SmallRib()
    const peer = rib.peer('peer')
    const reach = attribute(0x80, 14, '0002 02 10 20010db8000000000000000000000001 00 20 20010db8')
    const section = hex(`40010100 40020602010000fde9 ${reach}`)
    peer.sendBody(concat([0, 0, 0, section.length], section))
    expect(rib.prefixes()).toEqual([])
    expect(peer.problems).toEqual([])
  })
})

const FIRST: PeerValues = { rules: { enforceFirstAsn: true } }

const MEMBER: PeerValues = { external: false, confederation: true, asn: 65102 }
const MARKED: AttributeValues = { asPath: '65001', onlyToCustomer: 65001 }

describe('loops and policy: the path is kept, but takes no part', () => {
  type Row = [what: string, peer: PeerValues, set: AttributeValues, verdict: Rejection | 'accepted']
  const cases: readonly Row[] = [
    ['our own AS', {}, { asPath: '65001 65000' }, 'ownAs'],
    ['our own AS in a set', {}, { asPath: '65001 {65000,7}' }, 'ownAs'],
    [
      'our own AS, once allowed',
      { rules: { allowOwnAsn: 1 } },
      { asPath: '65001 65000' },
      'accepted',
    ],
    [
      'our own AS, once too often',
      { rules: { allowOwnAsn: 1 } },
      { asPath: '65000 65000' },
      'ownAs',
    ],
    [
      'originated by ourselves (RFC 4456 8)',
      INTERNAL,
      { localPref: 100, originatorId: '10.0.0.100' },
      'ownOriginatorId',
    ],
    [
      'through our own cluster (RFC 4456 8)',
      INTERNAL,
      { localPref: 100, originatorId: '10.0.0.7', clusterList: ['10.0.0.8', '10.0.0.100'] },
      'ownCluster',
    ],
    [
      'through another cluster',
      INTERNAL,
      { localPref: 100, originatorId: '10.0.0.7', clusterList: ['10.0.0.8'] },
      'accepted',
    ],
    [
      'reflection attributes of another AS say nothing',
      {},
      { asPath: '65001', originatorId: '10.0.0.100', clusterList: ['10.0.0.100'] },
      'accepted',
    ],
    [
      'the number that the peer knows us by',
      { rules: { localAsn: 65200 } },
      { asPath: '65001 65200' },
      'ownAs',
    ],
    [
      'that number, once allowed',
      { rules: { localAsn: 65200, allowOwnAsn: 1 } },
      { asPath: '65001 65200' },
      'accepted',
    ],
    ['a first AS that is not the peer', FIRST, { asPath: '65002 65001' }, 'firstAs'],
    ['a first AS that is', FIRST, { asPath: '65001 65002' }, 'accepted'],
    ['no first AS at all', FIRST, { asPath: '' }, 'firstAs'],
    ['a set at first', FIRST, { asPath: '{65001} 65002' }, 'firstAs'],
    [
      'within the AS any may be first',
      { ...INTERNAL, ...FIRST },
      { localPref: 100, asPath: '65002' },
      'accepted',
    ],
    ['from another member AS (RFC 5065 5)', MEMBER, { asPath: '(65102 65103) 65001' }, 'accepted'],
    ['a route of its own', MEMBER, { asPath: '(65102)' }, 'accepted'],
    ['not beginning with that member', MEMBER, { asPath: '(65103 65102)' }, 'firstAs'],
    ['not beginning with a member', MEMBER, { asPath: '65102' }, 'firstAs'],
    ['our own AS in a segment of the confederation', MEMBER, { asPath: '(65102 65000)' }, 'ownAs'],
    ...(['provider', 'rs'] as const).flatMap((role): Row[] => [
      [`we are its ${role}, and it sends what is marked`, { rules: { role } }, MARKED, 'routeLeak'],
      [`we are its ${role}: bare`, { rules: { role } }, { asPath: '65001' }, 'accepted'],
    ]),
    ['a peer marks with its own AS', { rules: { role: 'peer' } }, MARKED, 'accepted'],
    [
      'a peer passes on what another has marked',
      { rules: { role: 'peer' } },
      { ...MARKED, onlyToCustomer: 65002 },
      'routeLeak',
    ],
    ['a provider passes on what is marked', { rules: { role: 'customer' } }, MARKED, 'accepted'],
    ['marked, and nobody has a role', {}, MARKED, 'accepted'],
    ['import policy', { importPolicy: reject }, { asPath: '65001' }, 'importPolicy'],
    ['a loop is named before policy', { importPolicy: reject }, { asPath: '65001 65000' }, 'ownAs'],
  ]
  test.each(cases)('%s', (_, values, set, verdict) => {
    const rib = new SmallRib()
    const peer = rib.peer('peer', values)
    peer.send({ announce: ['10.1.0.0/16'], set })
    const offer = rib.settle().offers('10.1.0.0/16').peer
    const accepted = verdict === 'accepted'
    expect(typeof offer === 'string' ? offer : 'accepted').toBe(verdict)
    expect(rib.best('10.1.0.0/16')).toBe(accepted ? 'peer' : undefined)
    expect([peer.peer.paths[0], peer.peer.accepted[0]]).toEqual([1, accepted ? 1 : 0])
    rib.expectNoLeak(peer)
  })

  test('our identifier in this table is 10.0.0.100', () => {
    expect(OWN_ROUTER_ID).toBe(0x0a000064)
  })
})

describe('what is changed in a route that passes', () => {
  type Row = [what: string, peer: PeerValues, set: AttributeValues, becomes: AttributeValues]
  const cases: readonly Row[] = [
    [
      'the number that the peer knows us by comes in front',
      { rules: { localAsn: 65200, prependLocalAsn: true } },
      { asPath: '65001' },
      { asPath: '65200 65001' },
    ],
    ['or does not', { rules: { localAsn: 65200 } }, { asPath: '65001' }, { asPath: '65001' }],
    ...(['customer', 'peer', 'rs-client'] as const).map((role): Row => [
      `we are its ${role}: what it has not marked we mark (RFC 9234 5)`,
      { rules: { role } },
      { asPath: '65001' },
      { onlyToCustomer: 65001 },
    ]),
    [
      'what is marked stays as it is',
      { rules: { role: 'customer' } },
      { ...MARKED, onlyToCustomer: 7 },
      { onlyToCustomer: 7 },
    ],
    [
      'GRACEFUL_SHUTDOWN makes it the last choice (RFC 8326)',
      { rules: { gracefulShutdown: true } },
      { asPath: '65001', communities: ['graceful-shutdown'] },
      { localPref: 0, communities: ['graceful-shutdown'] },
    ],
    [
      'within the AS it says nothing',
      { ...INTERNAL, rules: { gracefulShutdown: true } },
      { localPref: 200, communities: ['graceful-shutdown'] },
      { localPref: 200 },
    ],
    [
      'all at once',
      { rules: { gracefulShutdown: true, role: 'peer', localAsn: 65200, prependLocalAsn: true } },
      { asPath: '65001', communities: ['graceful-shutdown'] },
      { localPref: 0, onlyToCustomer: 65001, asPath: '65200 65001' },
    ],
  ]
  test.each(cases)('%s', (_, values, set, becomes) => {
    const rib = new SmallRib()
    const peer = rib.peer('peer', values)
    peer.send({ announce: ['10.1.0.0/16', '2001:db8::/32'], set })
    rib.settle()
    for (const prefix of ['10.1.0.0/16', '2001:db8::/32']) {
      expect(rib.offers(prefix).peer).toMatchObject(becomes)
    }
    rib.expectNoLeak(peer)
  })

  test('what was sent is judged by other rules without asking for it again', () => {
    const rib = new SmallRib()
    const peer = rib.peer('peer', { rules: { localAsn: 65200, prependLocalAsn: true } })
    peer.send({ announce: ['10.1.0.0/16'], set: { asPath: '65001 65000' } })
    expect(rib.settle().offers('10.1.0.0/16').peer).toBe('ownAs')
    peer.peer.rules = { ...peer.peer.rules, allowOwnAsn: 1 }
    rib.rib.judgeAgain(peer.session)
    expect(rib.settle().offers('10.1.0.0/16').peer).toMatchObject({ asPath: '65200 65001 65000' })
    peer.peer.rules = { ...peer.peer.rules, prependLocalAsn: false }
    rib.rib.judgeAgain(peer.session)
    expect(rib.settle().offers('10.1.0.0/16').peer).toMatchObject({ asPath: '65001 65000' })
    rib.expectNoLeak(peer)
  })
})

describe('attributes that depend on whose they are', () => {
  test('LOCAL_PREF of another AS is discarded (RFC 4271 5.1.5), and that is told', () => {
    const rib = new SmallRib()
    const peer = rib.peer('peer')
    peer.send({ announce: ['10.1.0.0/16'], set: { ...SET, localPref: 500 } })
    expect(rib.offers('10.1.0.0/16').peer).not.toHaveProperty('localPref')
    expect(peer.problems.map((it) => it.replace(/:.*\(/, ' ('))).toEqual(['LOCAL_PREF (discard)'])
  })

  test('an internal peer must send it: without, the route counts as withdrawn', () => {
    const rib = new SmallRib()
    const peer = rib.peer('peer', INTERNAL)
    peer.send({ announce: ['10.1.0.0/16', '2001:db8::/32'], set: { ...SET, localPref: 1 } })
    peer.send({ announce: ['10.1.0.0/16', '2001:db8::/32'], set: SET })
    expect(rib.prefixes()).toEqual([])
    expect(new Set(peer.problems)).toEqual(new Set(['LOCAL_PREF: missing (withdraw)']))
  })

  // 10.1.0.0/16 from a session of two-octet AS numbers, AS_PATH 65001 AS_TRANS AS_TRANS
  const oldBody = (more: string): Uint8Array => {
    const section = hex(`40010100 40020802 03 fde9 5ba0 5ba0 4003040a000001 ${more}`)
    return concat([0, 0, 0, section.length], section, [16, 10, 1])
  }
  const old: readonly [what: string, more: string, asPath: string][] = [
    ['as it stands', '', '65001 23456 23456'],
    ['with AS4_PATH (RFC 6793 4.2.3)', 'c0110a0202 00030d40 00030d41', '65001 200000 200001'],
    ['with our own AS behind it', 'c0110a0202 00030d40 0000fde8', 'ownAs'],
  ]
  test.each(old)('a path of two-octet AS numbers %s', (_, more, asPath) => {
    const rib = new SmallRib()
    const peer = rib.peer('peer', { fourOctetAs: false })
    peer.sendBody(oldBody(more))
    const offer = rib.offers('10.1.0.0/16').peer
    expect(typeof offer === 'string' ? offer : offer.asPath).toBe(asPath)
    expect(peer.problems).toEqual([])
    rib.expectNoLeak(peer)
  })

  test('the same route from speakers of both kinds is one attribute set', () => {
    const rib = new SmallRib()
    rib.peer('old', { fourOctetAs: false }).sendBody(oldBody('c0110a0202 00030d40 00030d41'))
    rib.peer('new').send({
      announce: ['10.1.0.0/16'],
      set: { asPath: '65001 200000 200001', nextHop: '10.0.0.1' },
    })
    expect(rib.live()).toMatchObject({ paths: 2, sets: 1 })
  })
})

describe('one set, however it is written', () => {
  const PATH = '40020a02020000fde90000fdf1'
  const REACH = attribute(0x80, 14, `0002 01 10 20010db8${'00'.repeat(11)}01 00 30 20010db80001`)
  const spellings: readonly [what: string, section: string][] = [
    ['MP_REACH_NLRI first', `${REACH} 40010100 ${PATH} c00804fde90001`],
    ['MP_REACH_NLRI in its place', `40010100 ${PATH} c00804fde90001 ${REACH}`],
    ['out of order', `c00804fde90001 ${PATH} ${REACH} 40010100`],
    ['with extended lengths', `50010001 00 ${PATH} c00804fde90001 ${REACH}`],
    [
      'with a NEXT_HOP that says nothing',
      `40010100 ${PATH} 4003040a000001 c00804fde90001 ${REACH}`,
    ],
  ]
  test('is interned once', () => {
    const rib = new SmallRib()
    const peers = spellings.map(([what, text]) => {
      const peer = rib.peer(what)
      const section = hex(text)
      peer.sendBody(concat([0, 0, 0, section.length], section))
      expect(peer.problems, what).toEqual([])
      return peer
    })
    expect(rib.live()).toMatchObject({ prefixes: 1, paths: spellings.length, sets: 1 })
    rib.expectNoLeak(...peers)
  })
})

describe('malformed UPDATEs cost what RFC 7606 says', () => {
  const BOTH = ['10.1.0.0/16', '2001:db8:1::/48']
  const withdrawn: readonly [what: string, extra: string][] = [
    ['a MED of two bytes', '800402 0001'],
    ['communities of five bytes', 'c00805 fde9000100'],
    ['a header cut off', 'c0'],
    ['an attribute longer than the section', '800404'],
  ]
  test.each(withdrawn)('%s: its prefixes are withdrawn, in both families', (_, extra) => {
    const rib = new SmallRib()
    const peer = rib.peer('peer')
    peer.send({ announce: [...BOTH, '10.9.0.0/16'], set: SET })
    peer.send({ announce: BOTH, set: SET, extra: hex(extra) })
    expect(rib.settle().prefixes()).toEqual(['10.9.0.0/16'])
    expect(peer.problems.length).toBeGreaterThan(0)
    rib.expectNoLeak(peer)
  })

  test('what is treated as a withdrawal is counted; what only loses an attribute is not', () => {
    const rib = new SmallRib()
    const peer = rib.peer('peer')
    peer.send({ announce: BOTH, set: SET })
    peer.send({ announce: BOTH, set: SET, extra: hex('800402 0001') })
    peer.send({ announce: ['10.9.0.0/16'], set: SET, extra: hex('c00805 fde9000100') })
    peer.send({ announce: ['10.9.0.0/16'], set: SET, extra: hex('40060100') })
    peer.send({ withdraw: ['10.9.0.0/16'] })
    expect(peer.peer.counters).toMatchObject({ erroneousUpdates: 2, erroneousPrefixes: 3 })
  })

  test('a missing mandatory attribute is told, and the route withdrawn', () => {
    const rib = new SmallRib()
    const peer = rib.peer('peer')
    peer.send({ announce: ['10.1.0.0/16'], set: SET })
    const section = hex('40010100 4003040a000001')
    peer.sendBody(concat([0, 0, 0, section.length], section, [16, 10, 1]))
    expect(rib.prefixes()).toEqual([])
    expect(peer.problems).toEqual(['AS_PATH: missing (withdraw)'])
  })

  const fatal: readonly [what: string, body: string][] = [
    ['withdrawn routes beyond the message', '0009 0000'],
    ['attributes beyond the message', '0000 0009 40'],
    ['a message too short for its own lengths', '00'],
    [
      'a prefix longer than an address',
      '0000 0014 40010100 40020602010000fde9 4003040a000001 21 0a00000000',
    ],
    [
      'a prefix that ends too early',
      '0000 0014 40010100 40020602010000fde9 4003040a000001 18 0a00',
    ],
    ['a withdrawn prefix longer than an address', '0002 2100 0000'],
    ['a withdrawn IPv6 prefix longer than an address', '0000 0007 800f04 0002 01 81'],
  ]
  test.each(fatal)('%s: the session ends, and nothing leaks', (_, body) => {
    const rib = new SmallRib()
    const peer = rib.peer('peer')
    expect(sessionErrorOf(() => peer.sendBody(hex(body)))).toMatchObject({ code: 3 })
    rib.expectNoLeak(peer)
  })
})

describe('any sequence of UPDATEs', () => {
  const names = [
    '10.0.0.0/8',
    '10.1.0.0/16',
    '0.0.0.0/0',
    '2001:db8::/32',
    '2001:db8:1::/48',
    '::/0',
  ]
  const some = fc.uniqueArray(fc.constantFrom(...names), { maxLength: 4 })
  const step = fc.record({
    peer: fc.nat({ max: 2 }),
    withdraw: some,
    announce: some,
    med: fc.nat({ max: 2 }),
    hop: fc.nat({ max: 2 }),
    slice: fc.constantFrom(0, 1, Infinity),
  })

  test('leaves what a Map of the last announcements says, and no leaks', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const rib = new SmallRib()
        const peers = [0, 1, 2].map((i) => rib.peer(`${i}`, { address: `10.0.0.${i}` }))
        const model = new Map<string, { prefix: string; peer: string; med: number }>()
        for (const { peer, withdraw, announce, med, hop, slice } of steps) {
          const set = { asPath: '65001', med, nextHop: `10.0.1.${hop}` }
          peers[peer].send({ withdraw, announce, set, nextHop6: `2001:db8::${hop + 1}` })
          for (const prefix of withdraw) model.delete(`${peer} ${prefix}`)
          for (const prefix of announce) {
            model.set(`${peer} ${prefix}`, { prefix, peer: `${peer}`, med })
          }
          if (slice > 0) rib.step(slice)
        }
        rib.settle()
        const wanted = [...model.values()]
        expect(rib.live().paths).toBe(wanted.length)
        for (const { prefix, peer, med } of wanted) {
          expect(rib.offers(prefix)[peer]).toMatchObject({ med })
        }
        for (const prefix of names) {
          const offers = wanted.filter((it) => it.prefix === prefix)
          const lowest = Math.min(...offers.map(({ med }) => med))
          const best = offers.filter(({ med }) => med === lowest).toSorted(byPeer)[0]?.peer
          expect(rib.best(prefix)).toBe(best)
        }
        for (const { peer } of peers) rib.rib.dropPeer(peer)
        expect(rib.settle().live()).toEqual(NOTHING)
      }),
      { seed: 5, numRuns: 100 },
    )
  })
})

const byPeer = (a: { peer: string }, b: { peer: string }): number => Number(a.peer) - Number(b.peer)
