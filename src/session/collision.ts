/**
 * Connection collision (RFC 4271 6.8, RFC 6286 2.3): both ends connected to each other, one connection
 * is enough.
 *
 * The one that the speaker with the higher identifier opened stays. It is decided when an OPEN comes in
 * on one connection while the other is in OpenConfirm, and not earlier: before that, this end can't know
 * whether the other connection will ever work, and two ends that guess differently lose both. But an
 * OPEN on the connection that would lose is worth a moment's wait: answered with a KEEPALIVE at once, it
 * makes a session there that ends again as soon as the other OPEN comes. A session that is Established
 * stays in any case.
 */
import type { State } from './fsm.ts'

export interface Identity {
  /** BGP Identifier as an unsigned 32-bit number. */
  readonly routerId: number
  readonly asn: number
}

export interface Collision {
  /** The connection on which the peer's OPEN has just arrived: true when the peer initiated it. */
  readonly openedIncoming: boolean
  /** The state of the peer's other connection, which goes the opposite way. */
  readonly other: State
  readonly local: Identity
  readonly remote: Identity
}

/** How long the other connection's OPEN is waited for. */
export const PATIENCE_MS = 1000

/** `neither` goes: there is no collision; or, while that is open, `undecided`. */
export type Loser = 'neither' | 'other' | 'opened' | 'undecided'

export function loserOf({ openedIncoming, other, local, remote }: Collision): Loser {
  const outranks = openedIncoming === remoteIsHigher(local, remote)
  switch (other) {
    case 'Idle':
      return 'neither'
    case 'OpenSent':
      return outranks ? 'neither' : 'undecided'
    // An attempt that has said nothing yet is not worth finishing.
    case 'Connect':
    case 'Active':
      return 'other'
    case 'OpenConfirm':
      return outranks ? 'other' : 'opened'
    case 'Established':
      return 'opened'
  }
}

/** Identifiers may be equal between different ASes; then the larger AS number counts (RFC 6286 2.3). */
function remoteIsHigher(local: Identity, remote: Identity): boolean {
  if (local.routerId !== remote.routerId) return local.routerId >>> 0 < remote.routerId >>> 0
  return local.asn < remote.asn
}
