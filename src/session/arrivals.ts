/**
 * How often a peer may connect to us.
 *
 * Each connection that comes in and can't stay costs a NOTIFICATION and a descriptor until the other end has
 * taken it, some seconds at worst. A peer that opens and closes in a loop, or opens hundreds at once, gets
 * its first ones answered so that it learns why; the rest is reset at once, which costs next to nothing. So
 * the descriptors that one peer can hold are bounded: by the burst, and by the rate times these seconds.
 */

/** Both ends that start again and again for a while. */
const BURST = 30
const PER_SECOND = 5

export class Arrivals {
  readonly #now: () => number
  #left = BURST
  #filledAtMs: number
  #refused = 0

  /** `now` in milliseconds. */
  constructor(now: () => number) {
    this.#now = now
    this.#filledAtMs = now()
  }

  /** Connections that were one too many. */
  get refused(): number {
    return this.#refused
  }

  /** A connection came in: false when it is one too many. */
  admit(): boolean {
    const now = this.#now()
    const gained = ((now - this.#filledAtMs) / 1000) * PER_SECOND
    this.#left = Math.min(BURST, this.#left + gained)
    this.#filledAtMs = now
    if (this.#left < 1) {
      this.#refused++
      return false
    }
    this.#left--
    return true
  }
}
