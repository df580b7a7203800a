/**
 * Refreshes that a peer has begun in one session, per family (RFC 7313 section 4): what it does not tell again
 * before it says that it is done is gone. One that never ends is ended here, for routes must not live on
 * for a promise.
 */
import type { Clock, Timer } from '../net/clock.ts'
import { factsOf, type Family, type FamilyFacts } from '../net/family.ts'

/** A large table takes its time. */
const LONGEST_MS = 15 * 60_000

export interface RefreshEvents {
  /** What the peer has told so far is stale from now on. */
  began(family: FamilyFacts): void
  /** What is stale goes; `overdue` when the peer has not said so. */
  ended(family: FamilyFacts, overdue: boolean): void
}

export class Refreshes {
  readonly #clock: Clock
  readonly #events: RefreshEvents
  readonly #timers = new Map<Family, Timer>()

  constructor(clock: Clock, events: RefreshEvents) {
    this.#clock = clock
    this.#events = events
  }

  /** A second beginning starts anew. */
  begin(family: Family): void {
    this.#timers.get(family)?.cancel()
    const timer = this.#clock.after(LONGEST_MS, () => this.#end(family, true))
    this.#timers.set(family, timer)
    this.#events.began(factsOf(family))
  }

  /** Nothing happens when none has begun. */
  end(family: Family): void {
    if (this.#timers.has(family)) this.#end(family, false)
  }

  close(): void {
    for (const timer of this.#timers.values()) timer.cancel()
    this.#timers.clear()
  }

  #end(family: Family, overdue: boolean): void {
    this.#timers.get(family)?.cancel()
    this.#timers.delete(family)
    this.#events.ended(factsOf(family), overdue)
  }
}
