/**
 * Graceful restart: what both sides promise each other in OPEN about their routes when the session is over
 * (RFC 4724, RFC 8538, RFC 9494), and whether the end of a session is one that they outlive.
 *
 * The one idea: a session that ends says little about forwarding. A peer that only restarts its BGP goes on
 * forwarding, so what it has told stays in use, as stale, until it tells it again or its time is over.
 */
import { factsOf, familyOfAfi, SAFI_UNICAST, type Family } from '../net/family.ts'
import type { AfiSafi } from '../wire/capabilities/capability.ts'
import type { GracefulRestart } from '../wire/capabilities/graceful-restart.ts'
import type { Capability } from '../wire/capabilities/index.ts'
import type { LongLivedGracefulRestart } from '../wire/capabilities/long-lived-graceful-restart.ts'
import { BFD_DOWN, ERROR_CEASE, ERROR_HOLD_TIMER, HARD_RESET } from '../wire/constants.ts'
import type { LastError } from './last-error.ts'

/** What we offer a peer. */
export interface RestartOffer {
  /** How long the peer is to wait for our next session, at most 4095. */
  readonly restartTimeSeconds: number
  /** How long it may keep our routes after that, as the last choice (RFC 9494). Default: not at all. */
  readonly longLivedStaleSeconds?: number
  /** As it is when an OPEN is sent. */
  now(): RestartState
}

export interface RestartState {
  /** We have restarted, and forward by what an earlier run has left. */
  readonly restarting: boolean
  /** Families that have been forwarded all the time. */
  readonly preserved: readonly Family[]
}

/** What the peer promises, where both sides offer it. */
export interface RestartTerms {
  /** It has restarted, and waits for our End-of-RIB: nobody shall wait for its. */
  readonly restarting: boolean
  /** Both sides let routes outlive NOTIFICATIONs other than a hard reset (RFC 8538). */
  readonly notification: boolean
  readonly restartTimeSeconds: number
  /** It takes part in RFC 9494, if only by hearing of stale routes. */
  readonly longLived: boolean
  readonly families: readonly RestartFamily[]
}

export interface RestartFamily {
  readonly family: Family
  /** It has forwarded all the time while there was no session. */
  readonly forwardingPreserved: boolean
  /** How long its routes stay after the restart time; 0: they don't. */
  readonly longLivedStaleSeconds: number
}

/** The capabilities that say so. */
export function restartCapabilities(
  families: readonly Family[],
  { restartTimeSeconds, longLivedStaleSeconds, now }: RestartOffer,
): Capability[] {
  const { restarting, preserved } = now()
  const rows = families.map((family) => ({
    afi: factsOf(family).afi,
    safi: SAFI_UNICAST,
    forwardingPreserved: preserved.includes(family),
  }))
  const short: Capability = {
    name: 'graceful-restart',
    restarting,
    notification: true,
    restartTimeSeconds,
    families: rows,
  }
  if (longLivedStaleSeconds === undefined) return [short]
  const long = rows.map((row) => ({ ...row, staleTimeSeconds: longLivedStaleSeconds }))
  return [short, { name: 'long-lived-graceful-restart', families: long }]
}

/** Undefined unless both sides offer it. `families`: those of the session. */
export function restartTerms(
  offer: RestartOffer | undefined,
  families: readonly Family[],
  theirs: readonly Capability[],
): RestartTerms | undefined {
  const short = theirs.find((it): it is GracefulRestart => it.name === 'graceful-restart')
  if (offer === undefined || short === undefined) return undefined
  const long = theirs.find(
    (it): it is LongLivedGracefulRestart => it.name === 'long-lived-graceful-restart',
  )
  const ours = offer.longLivedStaleSeconds ?? 0
  return {
    restarting: short.restarting,
    notification: short.notification,
    restartTimeSeconds: short.restartTimeSeconds,
    longLived: long !== undefined,
    families: families.flatMap((family) => {
      const row = short.families.find((it) => isOf(family, it))
      if (row === undefined) return []
      const longRow = long?.families.find((it) => isOf(family, it))
      return {
        family,
        forwardingPreserved: row.forwardingPreserved,
        // The longer time is as good as what both are ready to do.
        longLivedStaleSeconds: Math.min(ours, longRow?.staleTimeSeconds ?? 0),
      }
    }),
  }
}

const isOf = (family: Family, { afi, safi }: AfiSafi): boolean =>
  safi === SAFI_UNICAST && familyOfAfi(afi) === family

/**
 * Whether the routes of a session outlive its end. `ending` is the NOTIFICATION that ended it, in either
 * direction; without one, the connection was lost or closed.
 *
 * What we order ourselves ends for good: it goes out as a hard reset, or to a peer without RFC 8538 as a
 * plain Cease. So does what BFD finds: the forwarding itself is broken.
 */
export function retains(ending: LastError | undefined, terms: RestartTerms | undefined): boolean {
  if (terms === undefined || terms.families.length === 0) return false
  if (ending === undefined) return true
  const { code, subcode, direction } = ending
  if (code === ERROR_CEASE && (subcode === HARD_RESET || subcode === BFD_DOWN)) return false
  // Silence is what a peer that restarts or has crashed is like, whether or not it knows RFC 8538.
  if (code === ERROR_HOLD_TIMER && direction === 'sent') return true
  return terms.notification
}
