/**
 * What BFD needs of UDP (RFC 5881, RFC 5883). `linux/bfd-socket` implements it, tests with plain arrays.
 */
import type { Address } from '../net/address.ts'

/** To a neighbour on the same link, port 3784, or over routers, port 4784. */
export type Hops = 'single' | 'multiple'

export interface BfdPath {
  readonly hops: Hops
  /** A link-local one has the name of its link as zone. */
  readonly remote: Address
  /** Source of our packets; default: the kernel's choice. */
  readonly local?: Address
  /** SO_BINDTODEVICE. */
  readonly device?: string
}

export interface BfdOutlet {
  /** Sends one datagram, or loses it: the next one follows soon. */
  send(bytes: Uint8Array): void
  close(): void
}

/** `bytes` are valid during the call. Single-hop ones have crossed no router (RFC 5881 section 5). */
export type Heard = (bytes: Uint8Array, from: Address, hops: Hops) => void

export interface BfdTransport {
  /** Opens a way to the peer, and hears those that may answer. Throws an Error with words for people. */
  open(path: BfdPath): BfdOutlet
  /** Hands all that waits in the sockets to `Heard`: what lies there is no silence. */
  drain(): void
  close(): void
}
