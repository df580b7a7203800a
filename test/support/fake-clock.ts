/**
 * A clock that the test owns: nothing happens until `advance` says so, and then in the order in which
 * it was due, with `now()` at each callback being the time it was due at.
 */
import type { Clock, Timer } from '../../src/net/clock.ts'

interface Pending {
  readonly dueAtMs: number
  readonly fire: () => void
}

/** Far more callbacks at one instant than any test needs: one that never ends is a bug. */
const MOST_PER_ADVANCE = 1_000_000

export class FakeClock implements Clock {
  readonly #startedAtWallMs: number
  readonly #pending = new Map<number, Pending>()
  #nowMs = 0
  #nextId = 0

  constructor(startedAtWallMs = Date.UTC(2026, 0, 1)) {
    this.#startedAtWallMs = startedAtWallMs
  }

  // Handed around without their clock, as those of the real one are.
  readonly now = (): number => this.#nowMs
  readonly wallNow = (): number => this.#startedAtWallMs + this.#nowMs

  after(milliseconds: number, fire: () => void): Timer {
    const id = this.#nextId++
    this.#pending.set(id, { dueAtMs: this.#nowMs + Math.max(0, milliseconds), fire })
    return { cancel: () => void this.#pending.delete(id) }
  }

  /** Timers that wait: zero when everything was cleaned up. */
  get pendingCount(): number {
    return this.#pending.size
  }

  /** Lets `milliseconds` pass, firing what falls due, also what is started on the way. */
  advance(milliseconds: number): void {
    const until = this.#nowMs + milliseconds
    for (let i = 0; this.#fireNext(until); i++) {
      if (i > MOST_PER_ADVANCE) throw new Error('the timers never come to an end')
    }
    this.#nowMs = until
  }

  /** Lets time pass in steps of `stepMs` until `done()`; throws when `deadlineMs` pass before. */
  advanceUntil(done: () => boolean, deadlineMs: number, stepMs = 1): void {
    for (const end = this.#nowMs + deadlineMs; !done(); this.advance(stepMs)) {
      if (this.#nowMs >= end) throw new Error(`not so within ${deadlineMs} ms: ${done.toString()}`)
    }
  }

  /** Moves the time without firing anything, as when the process was stopped: all comes late. */
  jump(milliseconds: number): void {
    this.#nowMs += milliseconds
  }

  #fireNext(until: number): boolean {
    let nextId = -1
    let next: Pending | undefined
    for (const [id, pending] of this.#pending) {
      if (pending.dueAtMs > until) continue
      if (next === undefined || pending.dueAtMs < next.dueAtMs) [nextId, next] = [id, pending]
    }
    if (next === undefined) return false
    this.#pending.delete(nextId)
    this.#nowMs = Math.max(this.#nowMs, next.dueAtMs)
    next.fire()
    return true
  }
}
