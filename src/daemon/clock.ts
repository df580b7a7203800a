/** The real clock, for the rooms that take one. */
import type { Clock } from '../net/clock.ts'

export const systemClock: Clock = {
  now: () => performance.now(),
  wallNow: () => Date.now(),
  after: (milliseconds, fire) => {
    const timer = setTimeout(fire, milliseconds)
    return { cancel: () => clearTimeout(timer) }
  },
}

/** Milliseconds since the epoch as the control API writes them. */
export const isoOf = (ms: number): string => new Date(ms).toISOString()
