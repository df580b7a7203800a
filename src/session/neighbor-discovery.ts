/**
 * What an unnumbered peer needs of its link: to hear which routers are there, and to be heard (RFC 4861).
 * `linux/router-advertisement` implements it on raw ICMPv6, tests with plain calls.
 */
import type { Address } from '../net/address.ts'

export interface DiscoveryLink {
  readonly name: string
  /** Interface index. */
  readonly index: number
}

export interface Discovery {
  /** Tells the routers on the link that we are here now, out of turn. */
  announce(): void
  close(): void
}

export interface NeighborDiscovery {
  /**
   * Advertises us on `link` and tells `heard` of each router that does the same, with every advertisement; the
   * address has the link's name as its zone. Throws an Error with words for people when the link can't be
   * used.
   */
  open(link: DiscoveryLink, heard: (router: Address) => void): Discovery
}
