/**
 * Our own stalls: a thread that did not run could not hear, and its peers, when they share the machine, could
 * not speak. What a timer comes too late is time in which silence means nothing.
 */

/** Late by less is the resolution of timers. */
const NOT_LATE_MS = 5

export class Stalls {
  #totalMs = 0
  #endMs = -Infinity

  /** A timer was due at `dueMs`, and it is `nowMs`. */
  note(dueMs: number, nowMs: number): void {
    if (nowMs - dueMs < NOT_LATE_MS) return
    // Two timers may tell of the same stall.
    this.#totalMs += nowMs - Math.max(dueMs, Math.min(this.#endMs, nowMs))
    this.#endMs = nowMs
  }

  /** Milliseconds of all stalls so far. */
  get totalMs(): number {
    return this.#totalMs
  }
}
