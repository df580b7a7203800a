/**
 * `gracefulRestart`: how long routes outlive a session whose peer restarts, theirs here and ours there. `true`
 * is the map with everything as it is by default, `false` means that they go with the session.
 */
import { z } from 'zod'
import type { GracefulRestartConfig } from './config.ts'
import { key } from './key.ts'
import { restartTime, staleTime, valueFacts } from './values.ts'

const DEFAULT_RESTART_SECONDS = 120

const gracefulRestart = z.strictObject({
  restartTime: key(
    restartTime.optional(),
    'How long the peer is asked to wait for our next session; what the peer asks of us counts up to 10 minutes.',
    '60s',
    '`120s`',
  ),
  longLivedStaleTime: key(
    staleTime.optional(),
    'After the restart time, routes stay so long as the last choice (RFC 9494), here and at the peer: the shorter time of both sides counts. They are marked with llgr-stale and told to no peer that has no long-lived graceful restart.',
    '24h',
    'off',
  ),
})

export const gracefulRestartSchema = z.union([z.boolean(), gracefulRestart]).register(valueFacts, {
  noun: 'true, false or a map',
  write: 'true, false or { restartTime: 60s }',
})

type Entry = z.output<typeof gracefulRestartSchema>

/** Undefined for `false`. */
export function resolveGracefulRestart(entry: Entry): GracefulRestartConfig | undefined {
  if (entry === false) return undefined
  const { restartTime: seconds = DEFAULT_RESTART_SECONDS, longLivedStaleTime } =
    entry === true ? {} : entry
  return {
    restartTimeSeconds: seconds,
    ...(longLivedStaleTime === undefined ? {} : { longLivedStaleSeconds: longLivedStaleTime }),
  }
}
