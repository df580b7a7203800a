/**
 * What a peer is made of: the configured side (`PeerOptions`), the world handed in (`PeerEnvironment`),
 * and those who hear of it (`PeerEvents`).
 */
import type { Clock } from '../net/clock.ts'
import type { Family } from '../net/family.ts'
import type { RoleName } from '../wire/capabilities/role.ts'
import type { State } from './fsm.ts'
import type { RestartOffer } from './graceful-restart.ts'
import type { Negotiated } from './negotiation.ts'
import type { LastError } from './last-error.ts'
import type { Endpoint, SocketOptions, Transport } from './transport.ts'

/** A number, or whether it is ours (`internal`) or any but ours (`external`). */
export type RemoteAsn = number | 'internal' | 'external'

export interface PeerOptions {
  /** For people. */
  readonly name: string
  readonly remote: Endpoint
  readonly localAsn: number
  readonly remoteAsn: RemoteAsn
  /** Our BGP Identifier, an unsigned 32-bit number. */
  readonly routerId: number
  /** 0 for none, else at least 3 (RFC 4271 4.2). */
  readonly holdTimeSeconds: number
  readonly connectRetrySeconds: number
  /** How long the peer may take no bytes (RFC 9687); 0 for ever. Default: 8 minutes, or twice the hold time. */
  readonly sendHoldSeconds?: number
  /** Never connects, only accepts. */
  readonly passive: boolean
  readonly families: readonly Family[]
  /** Messages of more than 4096 bytes, with peers that can (RFC 8654). Default: false. */
  readonly extendedMessages?: boolean
  /** Refreshes with a marked beginning and end (RFC 7313). Default: false. */
  readonly enhancedRouteRefresh?: boolean
  /** Several paths of a prefix (RFC 7911): what we offer, in all families. Default: neither. */
  readonly addPath?: { readonly receive: boolean; readonly send: boolean }
  /** Offers IPv6 next hops for IPv4 routes (RFC 8950). */
  readonly extendedNextHop: boolean
  /** What becomes of routes when the session is over (RFC 4724). Default: they go. */
  readonly gracefulRestart?: RestartOffer
  /** What we are to the peer (RFC 9234), and whether it must say what it is. */
  readonly role?: RoleName
  readonly strictRole?: boolean
  readonly socket: SocketOptions
}

export interface PeerEnvironment {
  readonly transport: Transport
  readonly clock: Clock
  /** 0.0 to 1.0, for jitter. */
  readonly random: () => number
}

/** The words that go with a stop or a reset (RFC 4486, RFC 9003). */
export interface Cease {
  readonly subcode: number
  /** What the subcode asks for beside a text. */
  readonly data?: Uint8Array
  /** Why, for our own log and `show peers`. Default: that it was shut down or reset, and the text. */
  readonly cause?: string
  /** Sent along with an administrative shutdown or reset; at most 255 bytes of UTF-8. */
  readonly text?: string
}

export interface PeerEvents {
  stateChanged(from: State, to: State, cause: string): void
  established(session: Negotiated): void
  /**
   * One UPDATE body: `buffer[start..end)`, valid during the call. May throw a SessionError to end the
   * session with it.
   */
  update(buffer: Uint8Array, start: number, end: number): void
  /** The peer wants all our routes of this family once more (RFC 2918). */
  routeRefreshReceived(family: Family): void
  /** The peer begins to tell all of its routes of this family once more (RFC 7313). */
  refreshBegan(family: Family): void
  /** It has told them: what did not come again is gone. May follow no `refreshBegan`. */
  refreshEnded(family: Family): void
  /**
   * Follows each `established` in the end: the routes of this session are to go. `ending` is the
   * NOTIFICATION that ended it, if one did.
   */
  sessionEnded(cause: string, ending?: LastError): void
  /** `send` had returned false; more is welcome now. */
  writable(): void
  /** A received chunk was dealt with, or set aside because of `pauseReading`. */
  chunkDone?(): void
}
