/**
 * What a daemon can tell about its own body: how late its timers are, how much memory it holds.
 *
 * One timer fires twice a second and sees how late it is. More often would cost an idle daemon ten times
 * what all its sessions do; what our own work holds the loop between two looks is measured where the work
 * is handed out (daemon/scheduler.ts). (Node's own monitorEventLoopDelay forgets its last sample on reset,
 * and with it the stall that is being looked for.)
 */
import { readdirSync } from 'node:fs'

const EVERY_MS = 500

export interface VitalSigns {
  /** Longest that a timer was late since the previous call, in milliseconds. */
  eventLoopLagMs(): number
  rssBytes(): number
  /** 0 where the system does not tell. */
  openFiles(): number
  stop(): void
}

export function startVitalSigns(now: () => number = () => performance.now()): VitalSigns {
  let due = now() + EVERY_MS
  let longest = 0
  const look = (): void => {
    longest = Math.max(longest, now() - due)
  }
  const timer = setInterval(() => {
    look()
    due = now() + EVERY_MS
  }, EVERY_MS)
  timer.unref()
  return {
    eventLoopLagMs() {
      look() // a stall may not be over
      const answer = longest
      longest = 0
      return answer
    },
    rssBytes: () => process.memoryUsage.rss(),
    openFiles,
    stop: () => clearInterval(timer),
  }
}

function openFiles(): number {
  try {
    return readdirSync('/proc/self/fd').length - 1 // the folder itself
  } catch {
    return 0
  }
}
