/**
 * How long to wait before the next attempt to connect.
 *
 * The wait starts at the configured connect-retry time and doubles with each failure in a row up to a
 * cap, because a peer that is gone for an hour need not be called 700 times; a session that came up ends
 * the row. Sessions that come up and break by an error within a minute, again and again, form a row of
 * their own, or a bad UPDATE would make two hosts exchange their tables every few seconds. Every wait is
 * multiplied by a random 0.75 to 1.0 (RFC 4271 section 10), lest a rack's hosts call in step.
 */
export interface BackOffOptions {
  readonly firstSeconds: number
  /** 0.0 to 1.0, as Math.random. */
  readonly random: () => number
}

const LONGEST_SECONDS = 60
/** A session that lasted this long was a good one, however it ended. */
const GOOD_SESSION_SECONDS = 60

export class BackOff {
  #options: BackOffOptions
  #failures = 0
  #brokenSessions = 0

  constructor(options: BackOffOptions) {
    this.#options = options
  }

  /** From the next wait on. */
  set firstSeconds(firstSeconds: number) {
    this.#options = { ...this.#options, firstSeconds }
  }

  /** Attempts that failed in a row. */
  get failures(): number {
    return this.#failures
  }

  /** An attempt came to nothing. */
  countFailure(): void {
    this.#failures++
  }

  /** Someone asked for a fresh start. */
  forget(): void {
    this.#failures = 0
    this.#brokenSessions = 0
  }

  sessionBegan(): void {
    this.#failures = 0
  }

  /** `byError`: a protocol error at either end, rather than a lost connection or a cease. */
  sessionEnded(lastedSeconds: number, byError: boolean): void {
    this.#failures = 0
    this.#brokenSessions =
      byError && lastedSeconds < GOOD_SESSION_SECONDS ? this.#brokenSessions + 1 : 0
  }

  /** Milliseconds until the next attempt. */
  nextWaitMs(): number {
    return this.#jittered(this.#waitSeconds())
  }

  /** How long one attempt may take. */
  attemptMs(): number {
    return this.#jittered(this.#options.firstSeconds)
  }

  #waitSeconds(): number {
    const first = this.#options.firstSeconds
    const doublings = Math.max(this.#failures, this.#brokenSessions, 1) - 1
    return Math.max(first, Math.min(LONGEST_SECONDS, first * 2 ** doublings))
  }

  #jittered(seconds: number): number {
    return jitteredMs(seconds, this.#options.random)
  }
}

/** `seconds` as milliseconds, times 0.75 to 1.0 (RFC 4271 section 10). */
export function jitteredMs(seconds: number, random: () => number): number {
  return Math.round(seconds * 1000 * (0.75 + 0.25 * random()))
}
