/** How long a router waits, as a cache tells it, within bounds (RFC 8210 section 6). Seconds. */
import type { Timers } from './pdu.ts'

export const DEFAULT_TIMERS: Timers = { refresh: 3600, retry: 600, expire: 7200 }
const MOST_TIMERS: Timers = { refresh: 86_400, retry: 7200, expire: 172_800 }
const LEAST_EXPIRE = 600

export function boundedTimers(told: Timers = DEFAULT_TIMERS): Timers {
  const within = (value: number, most: number): number => Math.min(most, Math.max(1, value))
  return {
    refresh: within(told.refresh, MOST_TIMERS.refresh),
    retry: within(told.retry, MOST_TIMERS.retry),
    expire: Math.max(LEAST_EXPIRE, within(told.expire, MOST_TIMERS.expire)),
  }
}
