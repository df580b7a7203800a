import { describe, expect, test } from 'vitest'
import { decodeOpen, encodeOpen, type Open } from '../../../src/wire/open.ts'
import type { Role } from '../../../src/wire/capabilities/role.ts'
import { SessionError } from '../../../src/wire/errors.ts'
import {
  negotiate,
  ourOpen,
  type Negotiated,
  type OurSide,
} from '../../../src/session/negotiation.ts'

const US: OurSide = {
  localAsn: 65001,
  remoteAsn: 65002,
  routerId: 0x0a000001,
  holdTimeSeconds: 90,
  families: ['ipv4', 'ipv6'],
  extendedNextHop: false,
}

const IPV4 = { name: 'multiprotocol', afi: 1, safi: 1 } as const
const IPV6 = { name: 'multiprotocol', afi: 2, safi: 1 } as const
const IPV4_MULTICAST = { name: 'multiprotocol', afi: 1, safi: 2 } as const
const L2VPN = { name: 'multiprotocol', afi: 25, safi: 70 } as const
const EXTENDED = (families: readonly [number, number, number][]) =>
  ({
    name: 'extended-next-hop',
    families: families.map(([afi, safi, nextHopAfi]) => ({ afi, safi, nextHopAfi })),
  }) as const
const REFRESH = { name: 'route-refresh' } as const
const ENHANCED = { name: 'enhanced-route-refresh' } as const
const LONG = { name: 'extended-message' } as const
const WIDE = { name: 'four-octet-as', asn: 65002 } as const
const addPath = (...offers: readonly (readonly [afi: number, what: string])[]) => ({
  name: 'add-path' as const,
  families: offers.map(([afi, what]) => ({
    afi,
    safi: 1,
    receive: what !== 'send',
    send: what !== 'receive',
  })),
})
const UNKNOWN = { name: 'unknown', code: 200, bytes: Uint8Array.of(1, 2) } as const

const OPEN: Open = {
  asn: 65002,
  holdTimeSeconds: 180,
  identifier: 0xc0000201,
  capabilities: [IPV4, IPV6, REFRESH, WIDE, UNKNOWN],
}

/** What we say, what the peer says, and what comes of it. */
const GOOD: readonly [
  title: string,
  us: Partial<OurSide>,
  open: Partial<Open>,
  terms: Partial<Negotiated>,
][] = [
  [
    'a refresh has marks when both can (RFC 7313)',
    { enhancedRouteRefresh: true },
    { capabilities: [IPV4, REFRESH, ENHANCED] },
    { routeRefresh: true, enhancedRouteRefresh: true },
  ],
  [
    'marks without refreshes mean nothing',
    { enhancedRouteRefresh: true },
    { capabilities: [IPV4, ENHANCED] },
    { routeRefresh: false, enhancedRouteRefresh: false },
  ],
  [
    'extended messages, when both wish for them (RFC 8654)',
    { extendedMessages: true },
    { capabilities: [IPV4, LONG] },
    { maxMessageLength: 65_535 },
  ],
  ['not when we do not', {}, { capabilities: [IPV4, LONG] }, { maxMessageLength: 4096 }],
  [
    'nor when the peer does not',
    { extendedMessages: true },
    { capabilities: [IPV4] },
    { maxMessageLength: 4096 },
  ],
  [
    'both can everything',
    {},
    {},
    {
      families: ['ipv4', 'ipv6'],
      fourOctetAs: true,
      routeRefresh: true,
      enhancedRouteRefresh: false,
      maxMessageLength: 4096,
      peerAsn: 65002,
      peerRouterId: 0xc0000201,
      external: true,
      peerCapabilities: OPEN.capabilities,
    },
  ],
  [
    'a peer without any capability speaks IPv4',
    {},
    { capabilities: [] },
    { families: ['ipv4'], fourOctetAs: false, routeRefresh: false },
  ],
  ['one family in common', { families: ['ipv6'] }, {}, { families: ['ipv6'] }],
  ['in our order', { families: ['ipv6', 'ipv4'] }, {}, { families: ['ipv6', 'ipv4'] }],
  [
    'families that nobody here knows are passed over',
    {},
    { capabilities: [L2VPN, IPV4_MULTICAST, IPV6] },
    { families: ['ipv6'] },
  ],
  [
    'IPv6 next hops for IPv4, when both say so (RFC 8950)',
    { extendedNextHop: true },
    { capabilities: [IPV4, EXTENDED([[1, 1, 2]])] },
    { extendedNextHop: true },
  ],
  [
    'among others',
    { extendedNextHop: true },
    {
      capabilities: [
        IPV4,
        EXTENDED([
          [1, 2, 2],
          [1, 1, 2],
        ]),
      ],
    },
    { extendedNextHop: true },
  ],
  [
    'not when only the peer does',
    {},
    { capabilities: [IPV4, EXTENDED([[1, 1, 2]])] },
    { extendedNextHop: false },
  ],
  [
    'not when only we do',
    { extendedNextHop: true },
    { capabilities: [IPV4] },
    { extendedNextHop: false },
  ],
  [
    'not for other families',
    { extendedNextHop: true },
    {
      capabilities: [
        IPV4,
        EXTENDED([
          [1, 128, 2],
          [2, 1, 1],
        ]),
      ],
    },
    { extendedNextHop: false },
  ],
  [
    'not without IPv4',
    { extendedNextHop: true, families: ['ipv6'] },
    { capabilities: [IPV4, IPV6, EXTENDED([[1, 1, 2]])] },
    { extendedNextHop: false },
  ],
  ['our hold time is the smaller', {}, {}, { holdTimeSeconds: 90, keepaliveSeconds: 30 }],
  ['theirs is', {}, { holdTimeSeconds: 10 }, { holdTimeSeconds: 10, keepaliveSeconds: 3 }],
  ['the smallest', {}, { holdTimeSeconds: 3 }, { holdTimeSeconds: 3, keepaliveSeconds: 1 }],
  ['theirs is none', {}, { holdTimeSeconds: 0 }, { holdTimeSeconds: 0, keepaliveSeconds: 0 }],
  ['ours is none', { holdTimeSeconds: 0 }, {}, { holdTimeSeconds: 0, keepaliveSeconds: 0 }],
  ['any AS but ours', { remoteAsn: 'external' }, {}, { external: true }],
  ['our AS', { remoteAsn: 'internal' }, { asn: 65001 }, { external: false }],
  ['our AS, by number', { remoteAsn: 65001 }, { asn: 65001 }, { external: false }],
  [
    'several paths of a prefix, each direction by itself (RFC 7911)',
    { addPath: { receive: true, send: true } },
    { capabilities: [...OPEN.capabilities, addPath([1, 'send'], [2, 'receive'])] },
    { addPath: { receive: ['ipv4'], send: ['ipv6'] } },
  ],
  [
    'both directions in both families',
    { addPath: { receive: true, send: true } },
    { capabilities: [...OPEN.capabilities, addPath([1, 'both'], [2, 'both'])] },
    { addPath: { receive: ['ipv4', 'ipv6'], send: ['ipv4', 'ipv6'] } },
  ],
  [
    'paths that we did not ask for',
    { addPath: { receive: false, send: true } },
    { capabilities: [...OPEN.capabilities, addPath([1, 'send'], [2, 'both'])] },
    { addPath: { receive: [], send: ['ipv6'] } },
  ],
  [
    'paths of a family that is not in common',
    { addPath: { receive: true, send: true }, families: ['ipv6'] },
    { capabilities: [...OPEN.capabilities, addPath([1, 'both'])] },
    { families: ['ipv6'], addPath: { receive: [], send: [] } },
  ],
  [
    'what was said last about a family',
    { addPath: { receive: true, send: true } },
    { capabilities: [IPV4, addPath([1, 'both']), addPath([1, 'receive'])] },
    { addPath: { receive: [], send: ['ipv4'] } },
  ],
  [
    'no paths, for the peer says nothing of them',
    { addPath: { receive: true, send: true } },
    {},
    { addPath: { receive: [], send: [] } },
  ],
  [
    'our identifier in another AS (RFC 6286)',
    {},
    { identifier: 0x0a000001 },
    { peerRouterId: 0x0a000001 },
  ],
]

describe('an OPEN that suits:', () => {
  expect(GOOD.length).toBeGreaterThan(0)
  test.each(GOOD)('%s', (_title, us, open, terms) => {
    expect(negotiate({ ...US, ...us }, { ...OPEN, ...open })).toMatchObject(terms)
  })
})

const BAD: readonly [
  title: string,
  us: Partial<OurSide>,
  open: Partial<Open>,
  subcode: number,
  why: string,
  data?: readonly number[],
][] = [
  ['a wrong AS', {}, { asn: 65003 }, 2, 'peer says AS 65003, configured 65002'],
  [
    'our AS where another is expected',
    { remoteAsn: 'external' },
    { asn: 65001 },
    2,
    'peer says AS 65001, our own; configured external',
  ],
  [
    'another AS where ours is expected',
    { remoteAsn: 'internal' },
    {},
    2,
    'peer says AS 65002, configured internal (65001)',
  ],
  ['AS 0', { remoteAsn: 'external' }, { asn: 0 }, 2, 'peer says AS 0'],
  [
    'AS_TRANS',
    { remoteAsn: 'external' },
    { asn: 23456 },
    2,
    "peer says AS 23456 (AS_TRANS), which is nobody's number",
  ],
  ['identifier 0', {}, { identifier: 0 }, 3, 'peer says router id 0.0.0.0'],
  [
    'our identifier within our AS',
    { remoteAsn: 'internal' },
    { asn: 65001, identifier: 0x0a000001 },
    3,
    'peer says router id 10.0.0.1, our own',
  ],
  ['a hold time of 1 s', {}, { holdTimeSeconds: 1 }, 6, 'peer says 1 s, the least is 3 s'],
  ['a hold time of 2 s', {}, { holdTimeSeconds: 2 }, 6, 'peer says 2 s, the least is 3 s'],
  [
    'no family in common',
    { families: ['ipv6'] },
    { capabilities: [IPV4] },
    7,
    'peer offers ipv4, configured ipv6',
    [1, 4, 0, 2, 0, 1],
  ],
  [
    'IPv4 only, without saying so',
    { families: ['ipv6'] },
    { capabilities: [WIDE] },
    7,
    'peer offers ipv4, configured ipv6',
    [1, 4, 0, 2, 0, 1],
  ],
  [
    'only families that nobody here knows',
    {},
    { capabilities: [L2VPN] },
    7,
    'peer offers neither, configured ipv4, ipv6',
    [1, 4, 0, 1, 0, 1, 1, 4, 0, 2, 0, 1],
  ],
]

const roles = (...names: readonly Role['role'][]): Partial<Open> => ({
  capabilities: [...OPEN.capabilities, ...names.map((role): Role => ({ name: 'role', role }))],
})

describe('roles (RFC 9234 section 4.2)', () => {
  const ours = ['provider', 'rs', 'rs-client', 'customer', 'peer'] as const
  const fitting = [
    'provider customer',
    'customer provider',
    'rs rs-client',
    'rs-client rs',
    'peer peer',
  ]
  const pairs = ours.flatMap((role) =>
    [...ours, 'unassigned' as const].map((it) => [role, it] as const),
  )

  test.each(pairs)('we are its %s, it says that it is our %s', (role, theirs) => {
    const meet = (): Negotiated => negotiate({ ...US, role }, { ...OPEN, ...roles(theirs) })
    if (fitting.includes(`${role} ${theirs}`)) expect(meet().peerAsn).toBe(65002)
    else expect(meet).toThrow(expect.objectContaining({ code: 2, subcode: 11 }))
  })

  test('one that says nothing is taken, unless it must say', () => {
    expect(negotiate({ ...US, role: 'customer' }, OPEN).peerAsn).toBe(65002)
    expect(() => negotiate({ ...US, role: 'customer', strictRole: true }, OPEN)).toThrow(
      expect.objectContaining({
        code: 2,
        subcode: 11,
        why: 'peer says no role, we are customer and expect provider',
      }),
    )
  })

  test('saying it twice is saying it; saying two is not', () => {
    const us: OurSide = { ...US, role: 'peer' }
    expect(negotiate(us, { ...OPEN, ...roles('peer', 'peer') }).peerAsn).toBe(65002)
    expect(() => negotiate(us, { ...OPEN, ...roles('peer', 'customer') })).toThrow(
      expect.objectContaining({
        subcode: 11,
        why: 'peer says peer and customer, we are peer and expect peer',
      }),
    )
  })

  test('who has none listens to none', () => {
    expect(negotiate(US, { ...OPEN, ...roles('provider') }).peerAsn).toBe(65002)
  })

  test('ours is told', () => {
    expect(ourOpen({ ...US, role: 'rs-client' }).capabilities).toContainEqual({
      name: 'role',
      role: 'rs-client',
    })
  })
})

describe('an OPEN is refused for', () => {
  expect(BAD.length).toBeGreaterThan(0)
  test.each(BAD)('%s', (_title, us, open, subcode, why, data = []) => {
    let thrown: unknown
    try {
      negotiate({ ...US, ...us }, { ...OPEN, ...open })
    } catch (error) {
      thrown = error
    }
    expect(thrown).toBeInstanceOf(SessionError)
    expect(thrown).toMatchObject({ code: 2, subcode, why, data: Uint8Array.from(data) })
  })
})

test('extended messages are offered only when wished for', () => {
  const names = (us: OurSide): string[] => ourOpen(us).capabilities.map(({ name }) => name)
  expect(names(US)).not.toContain('extended-message')
  expect(names({ ...US, extendedMessages: true })).toContain('extended-message')
})

test('our own OPEN says what we are, also with an AS of four octets', () => {
  const us: OurSide = { ...US, localAsn: 4_200_000_001, families: ['ipv6'] }
  const message = encodeOpen(ourOpen(us))
  expect(decodeOpen(message, 19, message.length)).toEqual({
    asn: 4_200_000_001,
    holdTimeSeconds: 90,
    identifier: 0x0a000001,
    capabilities: [IPV6, REFRESH, { name: 'four-octet-as', asn: 4_200_000_001 }],
  })
  // The two octets of My Autonomous System hold AS_TRANS (RFC 6793 section 4.2.1).
  expect([message[20], message[21]]).toEqual([23456 >> 8, 23456 & 255])
})
