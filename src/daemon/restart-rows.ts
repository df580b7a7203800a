/** Graceful restart, as `show peer` has it. */
import type { GracefulRestartRow, PeerFamilyRow } from '../control/rows.ts'
import { factsOf, type Family } from '../net/family.ts'
import type { RestartTerms } from '../session/graceful-restart.ts'
import type { Neighbor } from './neighbor.ts'

export const gracefulRestartRow = (terms: RestartTerms | undefined): GracefulRestartRow | null =>
  terms === undefined
    ? null
    : {
        restartTime: terms.restartTimeSeconds,
        notification: terms.notification,
        restarting: terms.restarting,
        longLived: terms.longLived,
      }

/** `now`: on the monotonic clock. */
export function staleFields(
  { session, ribPeer, retention }: Neighbor,
  family: Family,
  now: number,
): Pick<PeerFamilyRow, 'stale' | 'staleFor' | 'longLived' | 'forwardingPreserved'> {
  const kept = retention.staleOf(family)
  const row = session?.negotiated.gracefulRestart?.families.find((it) => it.family === family)
  return {
    stale: ribPeer?.stale[factsOf(family).index] ?? 0,
    staleFor: kept === undefined ? null : Math.max(0, Math.ceil((kept.untilMs - now) / 1000)),
    longLived: kept?.longLived === true,
    forwardingPreserved: row?.forwardingPreserved === true,
  }
}
