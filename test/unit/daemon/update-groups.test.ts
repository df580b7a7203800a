import { describe, expect, test } from 'vitest'
import { Events } from '../../../src/daemon/events.ts'
import { UpdateGroups, type Hearing } from '../../../src/daemon/update-groups.ts'
import { address } from '../../../src/net/address.ts'
import { IPV6 } from '../../../src/net/family.ts'
import { prefix } from '../../../src/net/prefix.ts'
import { local } from '../../../src/policy/standard.ts'
import type { Membership } from '../../../src/rib/update-group.ts'
import { describeAttributes } from '../../../src/wire/attributes/describe.ts'
import type { RoleName } from '../../../src/wire/capabilities/role.ts'
import type { OutgoingPath } from '../../../src/wire/outgoing-path.ts'
import { FakeClock } from '../../support/fake-clock.ts'
import type { AttributeValues } from '../../support/update-builder.ts'
import { updateAsText } from '../../support/update-text.ts'
import { OWN_ASN, OWN_ROUTER_ID, SmallRib, type PeerValues } from '../rib/small-rib.ts'
import { HEARING } from './hearings.ts'

const PATH: OutgoingPath = {
  confederation: false,
  prepend: [OWN_ASN],
  localAsn: OWN_ASN,
  peerAsn: 65001,
  override: true,
  privateAsns: 'keep',
}
const INTERNAL: Hearing = { ...HEARING, external: false }
const MEMBER: Hearing = {
  ...INTERNAL,
  confederation: true,
  path: { ...PATH, confederation: true, prepend: [65101], override: false },
}

function stage() {
  const rib = new SmallRib()
  const clock = new FakeClock()
  const events = new Events(clock)
  const told: string[] = []
  events.subscribe(({ kind, text }) => told.push(`${kind}: ${text}`))
  const groups = new UpdateGroups(rib.rib, OWN_ROUTER_ID, {
    events,
    clock,
    localOrigin: () => undefined,
    fib: () => undefined,
    isSummarized: () => false,
    isRestarting: () => false,
  })
  return { rib, clock, told, groups }
}

describe('sessions that hear the same share a group', () => {
  const differing: readonly [what: string, other: Partial<Hearing>][] = [
    ['family', { family: IPV6, self: address('2001:db8::100') }],
    ['internal or external', { external: false }],
    ['in our confederation or not', { external: false, confederation: true }],
    ['client or not', { routeReflectorClient: true }],
    ['what we are to it', { role: 'peer' }],
    ['about to go or not', { drained: true }],
    ['hearing of stale routes', { longLived: true }],
    ['AS number', { localAsn: 65200 }],
    ['AS_PATH', { path: PATH }],
    ['octets of AS numbers', { fourOctetAs: false }],
    ['longest message', { maxMessageLength: 65_535 }],
    ['path identifiers', { addPath: 'best' }],
    ['several paths', { addPath: 2 }],
    ['more paths', { addPath: 3 }],
    ['all paths', { addPath: 'all' }],
    ['next hop policy', { nextHop: 'keep' }],
    ['IPv6 next hops', { ipv6NextHops: true }],
    ['our link-local address', { selfLinkLocal: address('fe80::100') }],
    ['our address', { self: address('10.0.1.100') }],
    ['link', { link: 2 }],
    ['a limit, which is for one peer', { ceiling: { most: 9, peer: 1 } }],
    ['at once or when the kernel has it', { afterInstall: true }],
    ['a default route of ours', { defaultRoute: true }],
    ['export policy', { exportPolicy: local }],
  ]
  test('and only they', () => {
    const { rib, groups } = stage()
    const join = (name: string, hearing: Hearing) => groups.join(rib.peer(name).peer, hearing).group
    const first = join('first', HEARING)
    expect(join('second', { ...HEARING })).toBe(first)
    for (const [what, other] of differing) {
      expect(join(what, { ...HEARING, ...other }), what).not.toBe(first)
    }
    expect([...groups]).toHaveLength(1 + differing.length)
  })

  test('every field of what they hear is in the table', () => {
    const fields = new Set(differing.flatMap(([, other]) => Object.keys(other)))
    expect([...fields].toSorted()).toEqual(Object.keys(HEARING).toSorted())
  })

  test('a group goes with its last member', () => {
    const { rib, groups } = stage()
    const memberships = ['a', 'b'].map((name) => groups.join(rib.peer(name).peer, HEARING))
    groups.leave(memberships[0])
    expect([...groups]).toHaveLength(1)
    groups.leave(memberships[1])
    expect([...groups]).toHaveLength(0)
  })

  test('who shall hear the same as before stays, who shall not moves', () => {
    const { rib, groups } = stage()
    const [mover, stayer] = ['mover', 'stayer'].map((name) => rib.peer(name))
    const before = groups.join(mover.peer, HEARING)
    groups.join(stayer.peer, HEARING)
    expect(groups.move(before, { ...HEARING })).toBe(before)
    const after = groups.move(before, { ...HEARING, exportPolicy: local })
    expect(after.group).not.toBe(before.group)
    rib.settle()
    expect([before.group.size, after.group.size]).toEqual([1, 1])
    groups.leave(after)
    expect([...groups]).toEqual([before.group])
  })
})

/** What a member of `hearing` is told of a route that `source` offers. */
function told(
  hearing: Hearing,
  source: PeerValues | 'own',
  set: AttributeValues,
  prepare: (rib: SmallRib) => void = () => {},
) {
  const { rib, groups } = stage()
  prepare(rib)
  const ipv6 = hearing.family === IPV6
  const text = ipv6 ? '2001:db8:9::/48' : '192.0.2.0/24'
  const hearer = rib.peer('hearer', { address: '10.0.0.50' })
  const { group, member } = groups.join(hearer.peer, hearing)
  if (source === 'own') rib.announceOwn(text, set)
  else {
    const values = source.external === false ? { localPref: 100, ...set } : set
    const peer = rib.peer('source', { address: '10.0.0.60', ...source })
    peer.send({ announce: [text], set: values, nextHop6: set.nextHop ?? '' })
  }
  rib.settle()
  group.pull(member, 1, [])
  const id = rib.rib.families[ipv6 ? 1 : 0].prefixes.findPrefix(prefix(text))
  const form = group.toldTo(hearer.peer.id, id)[0]
  return form === undefined ? undefined : { ...describeAttributes(form.set), nextHop: form.nextHop }
}

describe('the next hop (RFC 4271 5.1.3)', () => {
  const EXTERNAL_SOURCE: PeerValues = {}
  const INTERNAL_SOURCE: PeerValues = { external: false, routeReflectorClient: true }
  const theirs = '10.0.0.9'
  const cases: readonly [
    what: string,
    hearing: Hearing,
    source: PeerValues | 'own',
    nextHop: string,
  ][] = [
    ['our own route: ourselves', HEARING, 'own', '10.0.0.100'],
    ['our own route within the AS: ourselves', INTERNAL, 'own', '10.0.0.100'],
    [
      'our own route, although theirs shall be kept',
      { ...HEARING, nextHop: 'keep' },
      'own',
      '10.0.0.100',
    ],
    ['a neighbour on the link that the peer is on too: that one', HEARING, EXTERNAL_SOURCE, theirs],
    ['a peer on another link: ourselves', { ...HEARING, link: 2 }, EXTERNAL_SOURCE, '10.0.0.100'],
    ['a peer on no link: ourselves', { ...HEARING, link: 0 }, EXTERNAL_SOURCE, '10.0.0.100'],
    ['self', { ...HEARING, nextHop: 'self' }, EXTERNAL_SOURCE, '10.0.0.100'],
    ['keep', { ...HEARING, nextHop: 'keep', link: 2 }, EXTERNAL_SOURCE, theirs],
    ['within the AS it stays', INTERNAL, EXTERNAL_SOURCE, theirs],
    ['within the AS, self', { ...INTERNAL, nextHop: 'self' }, EXTERNAL_SOURCE, '10.0.0.100'],
    ['reflected it stays', INTERNAL, INTERNAL_SOURCE, theirs],
    ['within the confederation it stays', MEMBER, EXTERNAL_SOURCE, theirs],
    ['within the confederation, self', { ...MEMBER, nextHop: 'self' }, {}, '10.0.0.100'],
  ]
  test.each(cases)('%s', (_, hearing, source, nextHop) => {
    const set = source === 'own' ? {} : { asPath: '65001', nextHop: theirs }
    expect(told(hearing, source, set)?.nextHop).toBe(nextHop)
  })

  test('one that is reached through a router is nobody on the link', () => {
    const far = (rib: SmallRib): void => rib.resolver.set(theirs, { onLink: false })
    expect(told(HEARING, {}, { asPath: '65001', nextHop: theirs }, far)?.nextHop).toBe('10.0.0.100')
  })

  test('IPv6 has its own', () => {
    const hearing = { ...HEARING, family: IPV6, self: address('2001:db8::100') }
    expect(told(hearing, 'own', {})?.nextHop).toBe('2001:db8::100')
    const set = { asPath: '65001', nextHop: '2001:db8::9' }
    expect(told(hearing, {}, set)?.nextHop).toBe('2001:db8::9')
    expect(told({ ...hearing, link: 2 }, {}, set)?.nextHop).toBe('2001:db8::100')
  })
})

test('on a link with link-local addresses both of ours are told (RFC 2545 section 3)', () => {
  const { rib, groups } = stage()
  const hearing = {
    ...{ ...HEARING, family: IPV6, self: address('2001:db8::100') },
    selfLinkLocal: address('fe80::100'),
  }
  const { group, member } = groups.join(rib.peer('hearer').peer, hearing)
  rib.announceOwn('2001:db8:9::/48', {})
  rib.settle()
  const [message] = pulled(group, member)
  const session = { external: true, fourOctetAs: true, addPath: [] }
  expect(updateAsText(message, 19, message.length, session)).toMatchObject({
    announce: ['2001:db8:9::/48'],
    set: { nextHop: '2001:db8::100', nextHopLinkLocal: 'fe80::100' },
  })
})

/** The messages that a member gets next. */
function pulled(...[group, member]: [Membership['group'], Membership['member']]): Uint8Array[] {
  const messages: Uint8Array[] = []
  group.pull(member, 1, messages)
  return messages
}

describe('IPv6 next hops of IPv4 routes (RFC 8950)', () => {
  const LINK_LOCAL = { selfLinkLocal: address('fe80::100') }
  const EXTENDED: Hearing = { ...HEARING, ipv6NextHops: true, self: address('2001:db8::100') }
  const source: PeerValues = { ipv6NextHops: true, onLink: 1 }
  const far: PeerValues = { ipv6NextHops: true, onLink: 2 }
  const cases: readonly [
    what: string,
    hearing: Hearing,
    source: PeerValues | 'own',
    theirs: string,
    nextHop: string,
  ][] = [
    ['ourselves', EXTENDED, 'own', '', '2001:db8::100'],
    [
      'ourselves, with our link-local address',
      { ...EXTENDED, ...LINK_LOCAL },
      'own',
      '',
      '2001:db8::100',
    ],
    [
      'ours, where theirs is of IPv6 and the peer knows IPv4 only',
      INTERNAL,
      source,
      '2001:db8::9',
      '10.0.0.100',
    ],
    ['theirs, on the same link', EXTENDED, source, '2001:db8::9', '2001:db8::9'],
    ['theirs of IPv4, kept', { ...EXTENDED, external: false }, source, '10.0.0.9', '10.0.0.9'],
    ['a link-local one on the same link', EXTENDED, source, 'fe80::9', 'fe80::9'],
    [
      'ours, where theirs is link-local elsewhere',
      { ...EXTENDED, external: false },
      far,
      'fe80::9',
      '2001:db8::100',
    ],
    [
      'the global one of a link-local one elsewhere',
      { ...EXTENDED, external: false },
      far,
      '2001:db8::9 fe80::9',
      '2001:db8::9',
    ],
  ]
  test.each(cases)('%s', (_, hearing, from, theirs, nextHop) => {
    const set = from === 'own' ? {} : { asPath: '65001', nextHop: theirs }
    const onItsLink = (rib: SmallRib): void => {
      rib.resolver.linkOf = ({ zone }) => (zone === undefined ? 1 : Number(zone))
    }
    expect(told(hearing, from, set, onItsLink)?.nextHop).toBe(nextHop)
  })
})

describe('the attributes', () => {
  const set = { asPath: '65001', nextHop: '10.0.0.9', med: 7 }

  test('to another AS: ours in front, a MED only of our own routes', () => {
    const it = told(HEARING, {}, set)
    expect(it).toMatchObject({ asPath: `${OWN_ASN} 65001` })
    expect(it).not.toHaveProperty('med')
    expect(told(HEARING, 'own', { med: 7 })).toMatchObject({ asPath: `${OWN_ASN}`, med: 7 })
  })

  test('reflected: who originated it, and our cluster', () => {
    const source = { external: false, routeReflectorClient: true, routerId: 0x0a000007 }
    expect(told(INTERNAL, source, set)).toMatchObject({
      originatorId: '10.0.0.7',
      clusterList: ['10.0.0.100'],
    })
    const before = { ...set, originatorId: '1.2.3.4', clusterList: ['5.6.7.8'] }
    expect(told(INTERNAL, source, before)).toMatchObject({
      originatorId: '1.2.3.4',
      clusterList: ['10.0.0.100', '5.6.7.8'],
    })
  })

  test('within the AS, from outside: not reflected', () => {
    expect(told(INTERNAL, {}, set)).not.toHaveProperty('originatorId')
  })
})

describe('to another member AS of our confederation (RFC 5065 section 4)', () => {
  const source = { external: false, routeReflectorClient: true, routerId: 7 }

  test('LOCAL_PREF and MED go along, and our AS stands in a segment of its own', () => {
    const set = { asPath: '65001', nextHop: '10.0.0.9', med: 7, localPref: 200 }
    expect(told(MEMBER, source, set)).toMatchObject({
      asPath: '(65101) 65001',
      med: 7,
      localPref: 200,
    })
  })

  test('reflection stays behind', () => {
    const set = {
      asPath: '',
      nextHop: '10.0.0.9',
      originatorId: '1.2.3.4',
      clusterList: ['5.6.7.8'],
    }
    const it = told(MEMBER, source, set)
    expect(it).toMatchObject({ asPath: '(65101)', clusterList: [] })
    expect(it).not.toHaveProperty('originatorId')
  })

  test('to the outside no segment of it is left', () => {
    const set = { asPath: '(65102 65103) 65001', nextHop: '10.0.0.9', localPref: 100 }
    const member = { external: false, confederation: true, asn: 65102 }
    const outside = { ...HEARING, path: { ...PATH, override: false } }
    expect(told(outside, member, set)).toMatchObject({ asPath: `${OWN_ASN} 65001` })
    expect(told(MEMBER, member, set)).toMatchObject({ asPath: '(65101 65102 65103) 65001' })
    expect(told(INTERNAL, member, set)).toMatchObject({ asPath: '(65102 65103) 65001' })
  })
})

describe('before we go (RFC 8326)', () => {
  const set = { asPath: '65001', nextHop: '10.0.0.9', communities: ['65001:1'] }

  test('external peers hear GRACEFUL_SHUTDOWN', () => {
    const it = told({ ...HEARING, drained: true }, {}, set)
    expect(it?.communities).toEqual(['65001:1', 'graceful-shutdown'])
    const own = told({ ...HEARING, drained: true }, 'own', {})
    expect(own?.communities).toEqual(['graceful-shutdown'])
  })

  test.each([INTERNAL, MEMBER])('internal ones the lowest LOCAL_PREF', (hearing) => {
    const it = told({ ...hearing, drained: true }, {}, set)
    expect(it).toMatchObject({ localPref: 0, communities: ['65001:1'] })
  })
})

describe('ONLY_TO_CUSTOMER (RFC 9234 section 5, egress)', () => {
  const set = { asPath: '65001', nextHop: '10.0.0.9' }
  const marked = { ...set, onlyToCustomer: 65009 }
  const cases: readonly [role: RoleName | undefined, bare: unknown, marked: unknown][] = [
    ['provider', OWN_ASN, 65009],
    ['rs', OWN_ASN, 65009],
    ['peer', OWN_ASN, 'withheld'],
    ['customer', 'none', 'withheld'],
    ['rs-client', 'none', 'withheld'],
    [undefined, 'none', 65009],
  ]
  test.each(cases)('we are its %s: a bare route %s, a marked one %s', (role, ofBare, ofMarked) => {
    const hears = (values: AttributeValues): unknown => {
      const it = told({ ...HEARING, role }, {}, values)
      return it === undefined ? 'withheld' : (it.onlyToCustomer ?? 'none')
    }
    expect([hears(set), hears(marked)]).toEqual([ofBare, ofMarked])
  })
})

describe('what is told at all', () => {
  const CLIENT = { ...INTERNAL, routeReflectorClient: true }
  const fromClient = { external: false, routeReflectorClient: true }
  const fromOther = { external: false }
  const fromMember = { external: false, confederation: true }
  const cases: readonly [
    what: string,
    hearing: Hearing,
    source: PeerValues | 'own',
    communities: readonly string[],
    told: boolean,
  ][] = [
    ['from outside to outside', HEARING, {}, [], true],
    ['from outside to inside', INTERNAL, {}, [], true],
    ['from inside to outside', HEARING, fromOther, [], true],
    ['from inside to inside (RFC 4271 9.2.1)', INTERNAL, fromOther, [], false],
    ['from a client to inside (RFC 4456 6)', INTERNAL, fromClient, [], true],
    ['from inside to a client', CLIENT, fromOther, [], true],
    ['from client to client', CLIENT, fromClient, [], true],
    ['our own, local policy', { ...HEARING, exportPolicy: local }, 'own', [], true],
    ['learned, local policy', { ...HEARING, exportPolicy: local }, {}, [], false],
    ['no-export to outside (RFC 1997)', HEARING, {}, ['no-export'], false],
    ['no-export to inside', INTERNAL, {}, ['no-export'], true],
    ['no-export of our own: for the neighbour to keep', HEARING, 'own', ['no-export'], true],
    ['no-advertise to inside', INTERNAL, {}, ['no-advertise'], false],
    ['no-export within the confederation', MEMBER, {}, ['no-export'], true],
    ['no-export-subconfed within it (RFC 1997)', MEMBER, {}, ['no-export-subconfed'], false],
    ['no-export-subconfed within the AS', INTERNAL, {}, ['no-export-subconfed'], true],
    ['no-export-subconfed to outside', HEARING, {}, ['no-export-subconfed'], false],
    ['from another member AS to inside', INTERNAL, fromMember, [], true],
    ['from inside to another member AS', MEMBER, fromOther, [], true],
    ['from one member AS to another', MEMBER, fromMember, [], true],
    [
      'no-peer to one of equal standing (RFC 3765)',
      { ...HEARING, role: 'peer' },
      {},
      ['no-peer'],
      false,
    ],
    ['no-peer to a customer', { ...HEARING, role: 'provider' }, {}, ['no-peer'], true],
    ['no-peer to who has no role', HEARING, {}, ['no-peer'], true],
    ['no-advertise of our own', HEARING, 'own', ['no-advertise'], true],
  ]
  test.each(cases)('%s: %s', (_, hearing, source, communities, isTold) => {
    const member = source !== 'own' && source.confederation === true
    const asPath = member ? '(65001)' : '65001'
    const set = source === 'own' ? {} : { asPath, nextHop: '10.0.0.9' }
    expect(told(hearing, source, { ...set, communities }) !== undefined).toBe(isTold)
  })
})

test('a route that is too long to be told is named, once a minute', () => {
  const { rib, clock, told, groups } = stage()
  const { group, member } = groups.join(rib.peer('hearer').peer, HEARING)
  const source = rib.peer('source')
  const announce = (text: string): void => {
    const unknown = [{ code: 200, flags: 0xe0, value: 'ab'.repeat(4060) }]
    source.send({ announce: [text], set: { asPath: '65001', unknown } })
    rib.settle()
    group.pull(member, 1, [])
  }
  announce('192.0.2.0/24')
  announce('198.51.100.0/24')
  expect(told).toEqual([
    "RouteTooLong: 192.0.2.0/24 can't be announced: with its attributes a message takes 4116 bytes, and no more than 4096 may be sent",
  ])
  clock.advance(60_000)
  announce('203.0.113.0/24')
  expect(told).toHaveLength(2)
})
