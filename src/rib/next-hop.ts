/**
 * Next-hop resolution as the decision process needs it (RFC 4271 9.1.2.1): is this address reachable,
 * how far is it, and through which neighbour on which link does traffic go?
 *
 * `linux/` implements the resolver over the kernel's own addresses and routes. Answers are values: the
 * RIB keeps them until `changed` names the address, then asks again.
 */
import type { Address } from '../net/address.ts'

/** One way to a next hop: a neighbour on a link. */
export interface Gateway {
  /** The neighbour's address; absent when the next hop itself is on the link (then via = next hop). */
  readonly via: Address
  /** Interface index. */
  readonly link: number
}

export interface Resolution {
  /** How the next hop is reached; empty = unreachable (the route is not eligible). */
  readonly gateways: readonly Gateway[]
  /** The next hop lies on a connected network, or is link-local. */
  readonly onLink: boolean
  /** The next hop is one of this host's own addresses (RFC 4271 5.1.3: never a usable next hop). */
  readonly own: boolean
  /** Interior cost for rung (e): the metric of the route used; 0 when on-link. */
  readonly metric: number
  /** For people: `connected on eth0`, `via 10.0.1.1 (ospf)`, `no route to 10.9.9.9`. */
  readonly resolvedBy: string
}

export interface NextHopResolver {
  /** Resolves now, and keeps watching `nextHop` until `forget`. */
  resolve(nextHop: Address): Resolution
  /** No path uses `nextHop` any more. */
  forget(nextHop: Address): void
  /** `listener` hears of each watched next hop whose resolution has changed. */
  onChange(listener: (nextHop: Address, resolution: Resolution) => void): void
}
