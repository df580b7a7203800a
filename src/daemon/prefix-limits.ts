/**
 * How many prefixes a peer may announce (`maxPrefixes`), and what happens beyond: one for each family.
 *
 * The RIB leaves out what is new beyond the limit (`RibPeer.mostPaths`) and says how much that was; what
 * it means is decided here, when the message has been dealt with. Between two thresholds nothing happens,
 * so a message costs two comparisons.
 */
import type { PrefixLimit } from '../config/config.ts'
import type { Clock, Timer } from '../net/clock.ts'
import type { FamilyFacts } from '../net/family.ts'
import type { RibPeer } from '../rib/peer.ts'
import type { Cease } from '../session/peer-options.ts'
import { MAXIMUM_PREFIXES_REACHED } from '../wire/constants.ts'
import { encodePrefixLimit } from '../wire/notification.ts'
import type { Level } from './events.ts'

/** What a limit needs of the neighbour that it is set for. */
export interface Limited {
  readonly clock: Clock
  tell(level: Level, kind: string, text: string): void
  /** Ends the session; the peer stays down for so many seconds, or until somebody says otherwise. */
  holdDown(cease: Cease, seconds: number | undefined): void
  /** Memory is short: no more routes are taken. */
  takesNoMore(): boolean
  /** Asks the peer for its routes of a family again; false when it doesn't know how. */
  askAgain(family: FamilyFacts): boolean
}

const BLOCKED_SILENCE_MS = 60_000
/** The peer is asked for a whole table: at most once a minute, and less often when that doesn't help. */
const ASK_AGAIN_MS = 60_000
const ASK_AGAIN_AT_MOST_MS = 3_600_000
/** Fallen so far below a threshold, a number may cross it anew. */
const CLEARLY_BELOW = 0.9

const grouped = (count: number): string => count.toLocaleString('en-US')

export class PrefixLimits {
  readonly family: FamilyFacts
  readonly #limited: Limited
  #limit: PrefixLimit
  #peer: RibPeer | undefined
  /** So many were held when memory became short: no more are taken. */
  #held = Infinity
  /** Crossed, and not clearly below again: the warning, the limit. */
  #near = false
  #over = false
  /** Left out in the present session, and not asked for since. */
  #missing = 0
  /** Left out by the message that is being dealt with. */
  #beyond = 0
  /** Nothing happens while the count is in `[low, high)`. */
  #low = 0
  #high = 0
  #blocked = 0
  #exceeded = 0
  #silentUntil = 0
  #mayAskAt = 0
  #askPauseMs = ASK_AGAIN_MS
  #askTimer: Timer | undefined

  constructor(family: FamilyFacts, limit: PrefixLimit, limited: Limited) {
    this.family = family
    this.#limit = limit
    this.#limited = limited
  }

  /** Prefixes left out, since start or `clear`; one that is announced ten times counts ten times. */
  get blocked(): number {
    return this.#blocked
  }

  /** Times that the limit was exceeded. */
  get exceeded(): number {
    return this.#exceeded
  }

  clear(): void {
    this.#blocked = 0
    this.#exceeded = 0
  }

  /** A session with nothing received yet. */
  begin(peer: RibPeer): void {
    this.end()
    this.#peer = peer
    this.#askPauseMs = ASK_AGAIN_MS
    this.#mayAskAt = 0
    if (this.#held === Infinity && this.#limited.takesNoMore()) this.#held = 0
    this.#apply(peer)
  }

  /** Memory is short, or there is enough again: then the peer is asked for what was left out. */
  takeNoMore(on: boolean): void {
    const peer = this.#peer
    this.#held = on ? (peer?.paths[this.family.index] ?? 0) : Infinity
    if (peer === undefined) return
    this.#mayAskAt = 0
    this.#apply(peer)
    if (!on && this.#missing > 0) this.#askAgain()
  }

  end(): void {
    this.#peer = undefined
    this.#near = false
    this.#over = false
    this.#missing = 0
    this.#askTimer?.cancel()
    this.#askTimer = undefined
  }

  /** Another limit, in the session that is up. */
  change(limit: PrefixLimit): void {
    this.#limit = limit
    const peer = this.#peer
    if (peer === undefined) return
    this.#near = false
    this.#over = this.#missing > 0
    this.#mayAskAt = 0
    this.#apply(peer)
    this.look()
  }

  /** The RIB has left out so many new paths of a message. */
  leftOut(count: number): void {
    this.#beyond += count
  }

  /** To be called when a message has been dealt with. */
  look(): void {
    const peer = this.#peer
    if (peer === undefined) return
    const count = peer.paths[this.family.index]
    if (this.#beyond === 0 && count >= this.#low && count < this.#high) return
    const beyond = this.#beyond
    this.#beyond = 0
    if (this.#held < Infinity) {
      if (beyond > 0) this.#leaveOut(beyond)
      return
    }
    this.#crossed(count, beyond)
    this.#setThresholds()
  }

  #crossed(count: number, beyond: number): void {
    const { limit, action } = this.#limit
    const more = beyond > 0 || count > limit
    if (more && (action === 'disconnect' || action === 'restart'))
      return this.#cease(count + beyond)
    if (more && !this.#over) {
      this.#over = true
      this.#near = true
      this.#exceeded++
      if (action === 'warn') this.#tellOver(count)
    }
    if (beyond > 0) this.#leaveOut(beyond)
    if (!more && count < clearlyBelow(limit)) this.#over = false
    if (this.#missing > 0 && count < limit) this.#askAgain()
    this.#compareWithWarning(count)
  }

  #compareWithWarning(count: number): void {
    const { limit, warnAt } = this.#limit
    const threshold = this.#warnCount
    if (count < clearlyBelow(threshold)) this.#near = false
    if (this.#near || count < threshold) return
    this.#near = true
    const { name } = this.family
    const text = `announces ${grouped(count)} ${name} prefixes, ${warnAt} % or more of the ${grouped(limit)} that it may`
    this.#limited.tell('warn', 'PrefixLimitNear', text)
  }

  #tellOver(count: number): void {
    const text = `announces ${grouped(count)} ${this.family.name} prefixes, the limit is ${grouped(this.#limit.limit)}`
    this.#limited.tell('warn', 'PrefixLimitExceeded', text)
  }

  #leaveOut(count: number): void {
    this.#blocked += count
    this.#missing += count
    this.#waitToAsk()
    const { clock } = this.#limited
    if (clock.now() < this.#silentUntil) return
    this.#silentUntil = clock.now() + BLOCKED_SILENCE_MS
    const { name } = this.family
    const missing = `${grouped(this.#missing)} were not taken`
    const text =
      this.#held < Infinity
        ? `announces more ${name} prefixes, but memory is short: ${missing}`
        : `announces more than ${grouped(this.#limit.limit)} ${name} prefixes, the limit: ${missing}`
    this.#limited.tell('warn', 'PrefixesBlocked', text)
  }

  /** RFC 4486 section 4. */
  #cease(count: number): void {
    const { limit, action, afterSeconds } = this.#limit
    this.#exceeded++
    const cause = `${grouped(count)} ${this.family.name} prefixes, the limit is ${grouped(limit)}`
    this.#limited.tell('warn', 'PrefixLimitExceeded', `announces ${cause}`)
    const data = encodePrefixLimit(this.family, limit)
    const seconds = action === 'restart' ? afterSeconds : undefined
    this.#limited.holdDown({ subcode: MAXIMUM_PREFIXES_REACHED, data, cause }, seconds)
  }

  /** Prefixes leave the table without a message as well (RFC 7313): a timer looks after it. */
  #waitToAsk(): void {
    const { clock } = this.#limited
    this.#askTimer ??= clock.after(ASK_AGAIN_MS, () => {
      this.#askTimer = undefined
      if (this.#peer === undefined || this.#missing === 0) return
      this.look()
      if (this.#missing > 0) this.#waitToAsk()
    })
  }

  /** There is room again: what was left out shall not be missing for good. */
  #askAgain(): void {
    const now = this.#limited.clock.now()
    if (now < this.#mayAskAt) return
    this.#mayAskAt = now + this.#askPauseMs
    this.#askPauseMs = Math.min(2 * this.#askPauseMs, ASK_AGAIN_AT_MOST_MS)
    const { name } = this.family
    const missing = `${grouped(this.#missing)} ${name} prefixes were not taken, and there is room again`
    if (this.#limited.askAgain(this.family)) {
      this.#missing = 0
      this.#limited.tell('info', 'RefreshOrdered', `${missing}: asked for its routes again`)
      return
    }
    const remedy = 'it has no route refresh (RFC 2918): linnet reset brings them'
    this.#limited.tell('warn', 'PrefixesMissing', `${missing}; ${remedy}`)
  }

  #apply(peer: RibPeer): void {
    const { limit, action } = this.#limit
    const most = action === 'warn' ? Infinity : limit
    peer.mostPaths[this.family.index] = Math.min(most, this.#held)
    this.#setThresholds()
  }

  get #warnCount(): number {
    const { limit, warnAt } = this.#limit
    return Math.max(1, Math.ceil((limit * warnAt) / 100))
  }

  #setThresholds(): void {
    const { limit } = this.#limit
    const lows = [
      this.#missing > 0 ? limit : 0,
      this.#over ? clearlyBelow(limit) : 0,
      this.#near ? clearlyBelow(this.#warnCount) : 0,
    ]
    this.#low = Math.max(...lows)
    this.#high = !this.#near ? this.#warnCount : this.#over ? Infinity : limit + 1
  }
}

/** At least 1, so that nothing at all is always below. */
const clearlyBelow = (threshold: number): number =>
  Math.max(1, Math.floor(threshold * CLEARLY_BELOW))
