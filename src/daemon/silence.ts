/** What would be said again and again is said once, and again after a while. */
import type { Clock } from '../net/clock.ts'

/** Things said may take turns: a peer that refuses our AS also refuses to talk for a while. */
const MOST_THINGS = 16

export class Silence {
  readonly #clock: Clock
  readonly #milliseconds: number
  readonly #until = new Map<string, number>()

  constructor(clock: Clock, milliseconds: number) {
    this.#clock = clock
    this.#milliseconds = milliseconds
  }

  /** True when `what` is to be said now. */
  endsFor(what: string): boolean {
    const now = this.#clock.now()
    if (now < (this.#until.get(what) ?? 0)) return false
    if (this.#until.size >= MOST_THINGS) this.#until.clear()
    this.#until.set(what, now + this.#milliseconds)
    return true
  }

  /** Whatever was said may be said again. */
  end(): void {
    this.#until.clear()
  }
}
