/** Whom a message is about: the per-peer header (RFC 7854 section 4.2, RFC 9069 section 4). */
import { Writer } from '../net/bytes.ts'

export const PEER_HEADER_BYTES = 42

const GLOBAL_INSTANCE = 0
const LOC_RIB_INSTANCE = 3
const IPV6 = 0x80
const POST_POLICY = 0x40
/** Where the time stands. */
const SECONDS_AT = 34

export interface MonitoredPeer {
  /** 4 or 16 bytes. */
  readonly address: Uint8Array
  readonly asn: number
  /** Unsigned BGP identifier. */
  readonly routerId: number
}

/**
 * The header of a peer, its time left open. Before import policy, or after it (the L flag). AS numbers
 * have four octets whatever the session's have: the A flag is never set.
 */
export function peerHeader(peer: MonitoredPeer, side: 'prePolicy' | 'postPolicy'): Uint8Array {
  const { address } = peer
  const flags = (address.length === 16 ? IPV6 : 0) | (side === 'postPolicy' ? POST_POLICY : 0)
  return header(GLOBAL_INSTANCE, flags, peer)
}

/** The header of our Loc-RIB: no address, and ourselves. */
export const locRibHeader = (own: Omit<MonitoredPeer, 'address'>): Uint8Array =>
  header(LOC_RIB_INSTANCE, 0, { ...own, address: new Uint8Array(0) })

function header(
  type: number,
  flags: number,
  { address, asn, routerId }: MonitoredPeer,
): Uint8Array {
  const to = new Writer(PEER_HEADER_BYTES).u8(type).u8(flags).bytes(new Uint8Array(8))
  to.bytes(new Uint8Array(16 - address.length)).bytes(address)
  return to.u32(asn).u32(routerId).u32(0).u32(0).take()
}

/** Writes a header to `to[at..]` with its time, milliseconds since the epoch. */
export function putPeerHeader(
  to: Uint8Array,
  at: number,
  header: Uint8Array,
  wallMs: number,
): void {
  to.set(header, at)
  const seconds = Math.floor(wallMs / 1000)
  put32(to, at + SECONDS_AT, seconds)
  put32(to, at + SECONDS_AT + 4, Math.floor((wallMs - 1000 * seconds) * 1000))
}

function put32(to: Uint8Array, at: number, value: number): void {
  to[at] = value >>> 24
  to[at + 1] = value >>> 16
  to[at + 2] = value >>> 8
  to[at + 3] = value
}
