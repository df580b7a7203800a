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
