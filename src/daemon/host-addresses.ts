/** What a speaker asks about the host it runs on: its own addresses, and on which link they stand. */
import { isLinkLocal, type Address } from '../net/address.ts'
import type { Family } from '../net/family.ts'
import type { LinkAddress } from '../net/link.ts'
import { contains, prefixOf, type Prefix } from '../net/prefix.ts'
import type { HostView } from '../sources/source.ts'

const SCOPE_UNIVERSE = 0

/** RT_SCOPE_UNIVERSE addresses that may be used. */
const usable = (host: HostView): LinkAddress[] =>
  [...host.addresses()].filter((it) => it.scope === SCOPE_UNIVERSE && !it.tentative)

/** What we tell a peer as the next hop to ourselves. */
export interface OwnNextHop {
  /** Undefined: there is none to tell. */
  readonly address: Address | undefined
  /** Beside a global address: our link-local one on the link that we share with the peer (RFC 2545). */
  readonly linkLocal?: Address
  /** Index of that link; 0 when the session runs over none. */
  readonly link: number
}

/**
 * The next hop for routes of `family` on a session whose our side is `local`: an address on the link that
 * `local` stands on. With `ipv6NextHops` and an IPv6 session, IPv4 routes get an IPv6 next hop, as BIRD and
 * FRR have it (RFC 8950).
 */
export function nextHopBeside(
  host: HostView,
  local: Address,
  family: Family,
  ipv6NextHops: boolean,
): OwnNextHop {
  const link = linkOf(host, local)
  const wanted = ipv6NextHops ? local.family : family
  if (!isLinkLocal(local)) {
    if (local.family === wanted) return { address: local, link }
    return { address: usableOn(host, link, wanted)[0]?.address, link }
  }
  const beside = usableOn(host, link, wanted)
  if (wanted === 'ipv4') return { address: beside[0]?.address, link }
  // One of a network, for the peer to have it on the link too: without, the link-local one alone serves.
  const global = beside.find(({ length }) => length < 128)?.address
  return global === undefined
    ? { address: local, link }
    : { address: global, linkLocal: local, link }
}

const usableOn = (host: HostView, link: number, family: Family): LinkAddress[] =>
  usable(host).filter((it) => it.link === link && it.address.family === family)

/** Index of the link that `local` stands on; a link-local address is the same on many: its zone tells. */
function linkOf(host: HostView, local: Address): number {
  const { zone } = local
  if (zone !== undefined) {
    const named = [...host.links()].find(({ name, index }) => name === zone || `${index}` === zone)
    if (named !== undefined) return named.index
  }
  const bare = local.text.split('%')[0]
  const at = [...host.addresses()].find((it) => it.address.text.split('%')[0] === bare)
  return at?.link ?? 0
}

/** The networks of our links, the longest first; link-local ones are no way to anybody in particular. */
export const networksOf = (host: HostView): Prefix[] =>
  [...host.addresses()]
    .filter(({ address }) => !isLinkLocal(address))
    .map(({ address, peer, length }) => prefixOf(peer ?? address, length))
    .toSorted((a, b) => b.length - a.length)

/** The first of these networks that `address` is in. */
export const networkAround = (networks: readonly Prefix[], address: Address): Prefix | undefined =>
  networks.find((network) => contains(network, address))

/** Name of the link that `local` stands on. */
export function linkNameOf(host: HostView, local: Address): string | undefined {
  const index = linkOf(host, local)
  return [...host.links()].find((link) => link.index === index)?.name
}

/** All of this host's addresses, without their zones. */
export const ownAddresses = (host: HostView): Address[] =>
  [...host.addresses()].map(({ address }) => address)

/** Lowest usable IPv4 address that is on `link`, or on any link but the loopback. */
export function anyIpv4(host: HostView, link?: number): Address | undefined {
  const loopbacks = new Set([...host.links()].filter((it) => it.loopback).map((it) => it.index))
  return usable(host)
    .filter((it) => it.address.family === 'ipv4')
    .filter((it) => (link === undefined ? !loopbacks.has(it.link) : it.link === link))
    .map((it) => it.address)
    .toSorted((a, b) => compareBytes(a.bytes, b.bytes))[0]
}

function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const at = a.findIndex((byte, i) => byte !== b[i])
  return at < 0 ? 0 : a[at] - b[at]
}
