/**
 * Time as the pure rooms see it: handed in, never read from the world, so that tests own it.
 */
export interface Timer {
  /** Stops the timer; harmless when it has fired or was stopped. */
  cancel(): void
}

export interface Clock {
  /** Milliseconds on a monotonic scale; only differences mean something. */
  now(): number
  /** Milliseconds since the Unix epoch, for what people read. */
  wallNow(): number
  /** Calls `fire` once, `milliseconds` from now. */
  after(milliseconds: number, fire: () => void): Timer
}

/**
 * Milliseconds from `now` until the clock shows a whole multiple of `periodMs`, or the one after when that is close. What
 * need not be punctual is looked at then: an idle process wakes once for all of it, instead of once for each.
 */
export function untilTogether(now: number, periodMs: number): number {
  const left = Math.ceil(periodMs - (now % periodMs))
  return left < periodMs / 10 ? left + periodMs : left
}
