/** What a daemon can tell about its own body: how late its timers are, how much memory it holds. */
import { monitorEventLoopDelay } from 'node:perf_hooks'

/** Milliseconds between two looks of the sampler, which its own figures contain. */
const RESOLUTION_MS = 20

export interface VitalSigns {
  /** Longest that a timer was late since the previous call, in milliseconds. */
  eventLoopLagMs(): number
  rssBytes(): number
  stop(): void
}

export function startVitalSigns(): VitalSigns {
  const delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS })
  delay.enable()
  return {
    eventLoopLagMs() {
      const longest = delay.count === 0 ? 0 : delay.max / 1e6 - RESOLUTION_MS
      delay.reset()
      return Math.max(0, longest)
    },
    rssBytes: () => process.memoryUsage.rss(),
    stop: () => delay.disable(),
  }
}
