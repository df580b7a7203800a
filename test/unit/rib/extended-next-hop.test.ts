/** IPv4 routes with IPv6 next hops, and link-local next hops (RFC 8950, RFC 2545), as UPDATEs bring them. */
import { describe, expect, test } from 'vitest'
import { describeAttributes } from '../../../src/wire/attributes/describe.ts'
import { prefix } from '../../../src/net/prefix.ts'
import { concat } from '../../support/update-builder.ts'
import { attribute, hex } from '../wire/hex.ts'
import { sessionErrorOf } from '../wire/session-error.ts'
import { SmallRib, type PeerValues } from './small-rib.ts'

const NEGOTIATED: PeerValues = { ipv6NextHops: true }
const ON_LINK_3: PeerValues = { ipv6NextHops: true, onLink: 3 }
const GLOBAL = '20010db8000000000000000000000001'
const LOCAL = 'fe800000000000000000000000000001'
const NONE = '00'.repeat(16)

/** The body of an UPDATE that announces 10.1.0.0/16 in MP_REACH_NLRI with this next hop. */
function announcement(nextHop: string, order: 'first' | 'last' = 'first'): Uint8Array {
  const length = (nextHop.length / 2).toString(16).padStart(2, '0')
  const reach = attribute(0x80, 14, `0001 01 ${length} ${nextHop} 00 100a01`)
  const others = attribute(0x40, 1, '00') + attribute(0x40, 2, '0201 0000fde9')
  const section = hex(order === 'first' ? reach + others : others + reach)
  return concat([0, 0, 0, section.length], section)
}

/** The next hop of 10.1.0.0/16 as the RIB has it, and the canonical set as people see it. */
function routeOf(rib: SmallRib) {
  rib.settle()
  const [family] = rib.rib.families
  const id = family.prefixes.findPrefix(prefix('10.1.0.0/16'))
  if (id === 0) return undefined
  const set = family.paths.received(family.prefixes.paths(id))
  const hop = rib.rib.nextHops.get(rib.rib.attributes.nextHop(set))
  return {
    address: hop?.address.text,
    global: hop?.global?.text,
    described: describeAttributes(rib.rib.attributes.view(set)),
  }
}

describe('an IPv4 route with an IPv6 next hop', () => {
  const taken: readonly [
    what: string,
    peer: PeerValues,
    nextHop: string,
    address: string,
    global?: string,
  ][] = [
    ['global', NEGOTIATED, GLOBAL, '2001:db8::1'],
    ['global and link-local: the link is not known', NEGOTIATED, GLOBAL + LOCAL, '2001:db8::1'],
    ['global and link-local', ON_LINK_3, GLOBAL + LOCAL, 'fe80::1%3', '2001:db8::1'],
    ['link-local alone', ON_LINK_3, LOCAL, 'fe80::1%3'],
    ['link-local twice, as FRR sends it', ON_LINK_3, LOCAL + LOCAL, 'fe80::1%3'],
    ['link-local behind ::, as BIRD sends it', ON_LINK_3, NONE + LOCAL, 'fe80::1%3'],
    ['global, and zeros behind it', ON_LINK_3, GLOBAL + NONE, '2001:db8::1'],
    ['of IPv4, as RFC 4760 lets it be', NEGOTIATED, '0a000009', '10.0.0.9'],
  ]
  test.each(taken)('%s', (_, values, nextHop, address, global) => {
    for (const order of ['first', 'last'] as const) {
      const rib = new SmallRib()
      const peer = rib.peer('a', values)
      peer.sendBody(announcement(nextHop, order))
      expect(peer.problems).toEqual([])
      expect(routeOf(rib)).toMatchObject({ address, global })
    }
  })

  test('the same route over two links has two next hops', () => {
    const rib = new SmallRib()
    for (const link of [3, 4])
      rib.peer(`on ${link}`, { ...NEGOTIATED, onLink: link }).sendBody(announcement(LOCAL))
    const texts = [...rib.rib.nextHops].map(({ address }) => address.text)
    expect(texts).toEqual(['fe80::1%3', 'fe80::1%4'])
  })

  test('is described with its link, for those who make a set from the description', () => {
    const rib = new SmallRib()
    rib.peer('a', ON_LINK_3).sendBody(announcement(GLOBAL + LOCAL))
    expect(routeOf(rib)?.described).toMatchObject({
      nextHop: '2001:db8::1',
      nextHopLinkLocal: 'fe80::1',
      nextHopLink: 3,
      reachFamily: 'ipv4',
    })
  })

  test.each(['0001 01 100a01', '0001 01 08 0a'])(
    'is withdrawn in MP_UNREACH_NLRI too: %s',
    (unreach) => {
      const rib = new SmallRib()
      const peer = rib.peer('a', NEGOTIATED)
      peer.sendBody(announcement(GLOBAL))
      const withdrawal = hex(attribute(0x80, 15, unreach))
      peer.sendBody(concat([0, 0, 0, withdrawal.length], withdrawal))
      expect(routeOf(rib) === undefined).toBe(unreach.endsWith('100a01'))
    },
  )

  // The next hop's length says where the prefixes begin: one that can't be is a reset (RFC 7606 7.11).
  const refused: readonly [what: string, peer: PeerValues, nextHop: string][] = [
    ['that was not agreed on', {}, GLOBAL],
    ['and a link-local one, not agreed on', {}, GLOBAL + LOCAL],
    ['of 5 bytes', NEGOTIATED, '0a00000901'],
    ['of 24 bytes: that of a VPN', NEGOTIATED, `${'00'.repeat(8)}${GLOBAL}`],
  ]
  test.each(refused)('%s ends the session', (_, values, nextHop) => {
    const peer = new SmallRib().peer('a', values)
    const error = sessionErrorOf(() => peer.sendBody(announcement(nextHop)))
    expect([error?.code, error?.subcode]).toEqual([3, 9])
  })

  test('an address that nobody can have withdraws the route', () => {
    const rib = new SmallRib()
    const peer = rib.peer('a', NEGOTIATED)
    peer.sendBody(announcement(GLOBAL))
    peer.sendBody(announcement(`ff02${'00'.repeat(13)}01`))
    expect(routeOf(rib)).toBeUndefined()
    expect(peer.problems).toEqual(['MP_REACH_NLRI: next hop ff02::1 (withdraw)'])
  })
})
