/** A peer at one moment, for people and for `show peers`: plain data, no references into the session. */
import type { Counters } from './counters.ts'
import type { State } from './fsm.ts'
import type { LastError } from './last-error.ts'
import type { Negotiated } from './negotiation.ts'
import type { RemoteAsn } from './peer-options.ts'
import type { Endpoint } from './transport.ts'

export interface PeerSnapshot {
  readonly name: string
  /** Where the peer is configured to be. */
  readonly remote: Endpoint
  readonly localAsn: number
  readonly remoteAsn: RemoteAsn
  readonly passive: boolean
  /** False after `stop`: neither connects nor accepts. */
  readonly started: boolean
  readonly state: State
  /** When it entered the state, in milliseconds since the epoch. */
  readonly since: number
  /** Of the session that is up or coming up. */
  readonly negotiated?: Negotiated
  readonly connection?: {
    readonly local?: Endpoint
    readonly remote?: Endpoint
    /** True when the peer opened it. */
    readonly incoming: boolean
  }
  readonly timers: {
    /** Seconds until the silence of the peer ends the session. */
    readonly holdLeftSeconds?: number
    /** Seconds until the next attempt to connect. */
    readonly nextAttemptSeconds?: number
  }
  readonly counters: Counters
  /** Sessions that were Established. */
  readonly established: number
  /** How many of them were lost. */
  readonly flaps: number
  /** Attempts that failed since the last success. */
  readonly failures: number
  /** Connections that it opened too often, reset at once. */
  readonly refused: number
  readonly lastError?: LastError
  /** Why it is not Established, in words. */
  readonly reason?: string
}
