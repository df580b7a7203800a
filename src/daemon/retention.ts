/**
 * Paths of a neighbour that outlive its session: the helper's side of graceful restart (RFC 4724 section 4.2,
 * RFC 9494 section 4).
 *
 * They go on with the RibPeer that they came with, as stale; the next session takes it over. A family's stale
 * paths go when the peer has told all again (End-of-RIB), when it says that it has not forwarded meanwhile,
 * or when their time is over; before that they may live on as the last choice. Whatever else ends a session
 * takes its paths along at once, and so does what the operator orders: all of that is `#lose`.
 */
import { isDeepStrictEqual } from 'node:util'
import type { Clock, Timer } from '../net/clock.ts'
import { FAMILIES, factsOf, type Family } from '../net/family.ts'
import type { RibPeer, RibPeerOptions } from '../rib/peer.ts'
import type { Rib } from '../rib/rib.ts'
import { retains, type RestartFamily, type RestartTerms } from '../session/graceful-restart.ts'
import type { LastError } from '../session/last-error.ts'
import type { Level } from './events.ts'

/** A peer may ask for more than an hour: no longer than this is its word taken for its forwarding. */
export const LONGEST_RESTART_SECONDS = 600
/** A peer that is back has so long to tell its routes again; FRR has the same. */
export const LONGEST_REFRESH_SECONDS = 360

export interface RetentionWorld {
  readonly rib: Rib
  readonly clock: Clock
  /** The paths of this peer are no way any more. */
  pathsLost(peer: RibPeer): void
  tell(level: Level, kind: string, text: string): void
}

/** Stale paths of a family. */
export interface StaleFamily {
  /** They are the last choice from now on. */
  readonly longLived: boolean
  /** On the monotonic clock. */
  readonly untilMs: number
}

interface Kept extends StaleFamily {
  readonly row: RestartFamily
  readonly timer: Timer
}

export class Retention {
  readonly #world: RetentionWorld
  readonly #kept = new Map<Family, Kept>()
  /** Whose paths these are. */
  #peer: RibPeer | undefined
  #hasSession = false
  #closed = false

  constructor(world: RetentionWorld) {
    this.#world = world
  }

  /** While there are stale paths: whose they are. */
  get peer(): RibPeer | undefined {
    return this.#peer
  }

  staleOf(family: Family): StaleFamily | undefined {
    return this.#kept.get(family)
  }

  /** A session is up: the RibPeer that it is to go on with, or undefined for one of its own. */
  resume(options: RibPeerOptions, terms: RestartTerms | undefined): RibPeer | undefined {
    const peer = this.#peer
    if (peer === undefined) return undefined
    const back = [...this.#kept.keys()].filter((family) =>
      terms?.families.some((it) => it.family === family && it.forwardingPreserved),
    )
    if (back.length === 0 || !isDeepStrictEqual(options, peer.options)) {
      const why = back.length === 0 ? 'it has not forwarded meanwhile' : 'it is another one now'
      this.#tellGone(peer, 'its', why)
      this.#lose(peer)
      return undefined
    }
    this.#hasSession = true
    for (const [family, { row, longLived }] of [...this.#kept]) {
      if (!back.includes(family)) this.#sweep(family, 'it has not forwarded them meanwhile')
      else this.#keep(row, LONGEST_REFRESH_SECONDS, longLived)
    }
    return peer
  }

  /** The peer has told all of its routes of the family: what it has not told again goes. */
  endOfRib(family: Family): void {
    if (this.#kept.has(family)) this.#sweep(family, 'it has not told them again')
  }

  /** The session with this peer is over; `ending` is the NOTIFICATION that ended it. */
  sessionEnded(
    peer: RibPeer,
    ending: LastError | undefined,
    terms: RestartTerms | undefined,
  ): void {
    this.#hasSession = false
    if (this.#closed) return
    const hasPaths = peer.paths[0] + peer.paths[1] > 0
    if (terms === undefined || !retains(ending, terms) || !hasPaths) return this.#lose(peer)
    this.#peer = peer
    for (const facts of FAMILIES) {
      const { name: family, index } = facts
      // What was stale before and has not come again does not get another time (section 4.2).
      if (this.#kept.has(family)) this.#world.rib.refreshEnded({ peer }, facts)
      this.#forget(family)
      const row = terms.families.find((it) => it.family === family)
      this.#world.rib.refreshBegan({ peer }, facts)
      if (row === undefined) this.#world.rib.refreshEnded({ peer }, facts)
      else if (peer.paths[index] > 0) {
        this.#keep(row, Math.min(terms.restartTimeSeconds, LONGEST_RESTART_SECONDS), false)
      }
    }
    const seconds = Math.min(terms.restartTimeSeconds, LONGEST_RESTART_SECONDS)
    const text = `its ${peer.stale[0] + peer.stale[1]} paths stay in use, as stale, for ${seconds} s at most`
    this.#world.tell('info', 'PathsRetained', text)
  }

  /** Nothing is to stay: the operator has ordered so, or the neighbour is no more. */
  drop(): void {
    if (this.#peer !== undefined && !this.#hasSession) this.#lose(this.#peer)
  }

  /** We stop, and forwarding goes on: nothing is dropped any more, and no timer is left. */
  close(): void {
    this.#closed = true
    for (const { timer } of this.#kept.values()) timer.cancel()
  }

  #keep(row: RestartFamily, seconds: number, longLived: boolean): void {
    const { clock } = this.#world
    this.#forget(row.family)
    this.#kept.set(row.family, {
      row,
      longLived,
      untilMs: clock.now() + 1000 * seconds,
      timer: clock.after(1000 * seconds, () => this.#expired(row, longLived)),
    })
  }

  #expired(row: RestartFamily, longLived: boolean): void {
    const { family, longLivedStaleSeconds: seconds } = row
    if (longLived || this.#hasSession || seconds === 0 || this.#peer === undefined) {
      return this.#sweep(family, 'their time is over')
    }
    const { rib, tell } = this.#world
    rib.longLivedBegan(this.#peer, factsOf(family))
    this.#keep(row, seconds, true)
    const text = `its ${this.#peer.stale[factsOf(family).index]} ${family} paths are the last choice from now on, for ${seconds} s at most`
    tell('warn', 'StalePathsLongLived', text)
  }

  /** What is stale of a family goes; without a session and other families, so does the peer. */
  #sweep(family: Family, why: string): void {
    const peer = this.#peer
    this.#forget(family)
    if (peer === undefined) return
    this.#tellGone(peer, family, why)
    if (this.#kept.size === 0 && !this.#hasSession) return this.#lose(peer)
    this.#world.rib.refreshEnded({ peer }, factsOf(family))
    if (this.#kept.size === 0) this.#peer = undefined
  }

  #tellGone(peer: RibPeer, whose: Family | 'its', why: string): void {
    const [ipv4, ipv6] = peer.stale
    const count = whose === 'its' ? ipv4 + ipv6 : peer.stale[factsOf(whose).index]
    if (count === 0) return
    const which = whose === 'its' ? 'its' : `its ${whose}`
    this.#world.tell('info', 'StalePathsDropped', `${count} of ${which} paths are dropped: ${why}`)
  }

  /** The paths of a session that is over go, all and at once: the only place where they do. */
  #lose(peer: RibPeer): void {
    for (const { timer } of this.#kept.values()) timer.cancel()
    this.#kept.clear()
    this.#peer = undefined
    // First of all: packets wait for nothing else.
    this.#world.pathsLost(peer)
    this.#world.rib.dropPeer(peer)
  }

  #forget(family: Family): void {
    this.#kept.get(family)?.timer.cancel()
    this.#kept.delete(family)
  }
}
