/**
 * `maxPrefixes` and `maxPrefixesOut`: how many prefixes a session may carry, and what happens beyond. A
 * number alone is the limit with everything else as it is by default.
 */
import { z } from 'zod'
import type { Complaints } from './advice.ts'
import type { PrefixLimit } from './config.ts'
import { key } from './key.ts'
import type { Path } from './tree.ts'
import { choice, integer, pause, percentage, valueFacts } from './values.ts'

/** More than any table has; a peer gone mad must not take all memory. */
export const DEFAULT_MAX_PREFIXES = { limit: 5_000_000, action: 'block' } as const

/** RFC 4486 section 4 tells the limit in four octets. */
const count = integer(1, 4294967295, 'a number of prefixes')

const prefixLimit = z.strictObject({
  limit: key(count, 'How many prefixes of each family; with ADD-PATH, how many paths.', 50000),
  warnAt: key(
    percentage.optional(),
    'Log a warning when the number reaches this part of the limit; again only after it was clearly below.',
    '90%',
    '`75%`',
  ),
  action: key(
    choice('warn', 'block', 'disconnect', 'restart').optional(),
    'Beyond the limit: `warn` = tell it; `block` = leave out what is new; `disconnect` = end the session (RFC 4486) until `linnet startup`; `restart` = end it, and begin again `after` a while.',
    'restart',
    '`block`',
  ),
  after: key(
    pause.optional(),
    'How long the session stays down; only with `action: restart`.',
    '15m',
    '`5m`',
  ),
})

export const prefixLimitSchema = z.union([count, prefixLimit]).register(valueFacts, {
  noun: 'a limit',
  write: '50000 or { limit: 50000, action: restart }',
  explain: (given, shown) => {
    if (typeof given !== 'number') return undefined
    return { message: `${shown} is not a number of prefixes`, remedy: 'write 1..4294967295' }
  },
})

export type PrefixLimitEntry = z.output<typeof prefixLimitSchema>

export function checkPrefixLimit(
  path: Path,
  entry: PrefixLimitEntry | undefined,
  complaints: Complaints,
): void {
  if (typeof entry !== 'object' || entry.after === undefined) return
  if (entry.action === 'restart') return
  const message = `after says when to begin again, and ${entry.action ?? 'block'} does not`
  complaints.error([...path, 'after'], message, 'remove it, or write action: restart')
}

export function resolvePrefixLimit(entry: PrefixLimitEntry): PrefixLimit {
  const given = typeof entry === 'number' ? { limit: entry } : entry
  const { limit, warnAt = 75, action = 'block', after = 300 } = given
  return { limit, warnAt, action, ...(action === 'restart' ? { afterSeconds: after } : {}) }
}
