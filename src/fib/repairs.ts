/**
 * Putting things back that somebody else has changed: at once for the first few times, then within a second, for
 * two programs that correct each other would do nothing else. More than ten times within a minute is a
 * fight: people hear of it and of the rival, and the thing is left as he wants it for some minutes. Then it is
 * tried again as if nothing had been.
 */
import type { Clock, Timer } from '../net/clock.ts'

interface Repair {
  /** How often, halved with each minute that passes. */
  times: number
  minuteBegan: number
  /** Left alone until the timer fires. */
  resting: boolean
  /** What happened, until it is repaired. */
  what: string | undefined
  timer: Timer | undefined
}

const MINUTE_MS = 60_000
const AT_ONCE = 3
const FIRST_DELAY_MS = 250
/** However it goes on: what is no fight is repaired within a second. */
const MAX_DELAY_MS = 1_000
const FIGHT = 10
/** A route that is fought over is left alone for so long. */
export const REST_MS = 300_000
/** Beyond this many at a time, somebody has flushed the table: that is no fight about a route. */
const MOST = 10_000

export class Repairs {
  readonly #clock: Clock
  readonly #restMs: number
  readonly #fighting: (code: number, times: number, what: string) => void
  readonly #repairs = new Map<number, Repair>()
  #prunedAt = -Infinity
  #count = 0
  #fights = 0

  /** `fighting` hears how often it was changed, and what was done last; then it rests for `restMs`. */
  constructor(
    clock: Clock,
    restMs: number,
    fighting: (code: number, times: number, what: string) => void,
  ) {
    this.#clock = clock
    this.#restMs = restMs
    this.#fighting = fighting
  }

  /** Since the start. */
  get count(): number {
    return this.#count
  }

  /** How often something was left alone, since the start. */
  get fights(): number {
    return this.#fights
  }

  /** Calls `repair` when it is time: now, as a rule. False: it is left alone for a while. */
  attempt(code: number, what: string, repair: () => void): boolean {
    const now = this.#clock.now()
    const entry = this.#repairs.get(code) ?? this.#add(code, now)
    if (entry?.resting === true) return false
    this.#count++
    if (entry === undefined) {
      repair()
      return true
    }
    decay(entry, now)
    entry.what = what
    entry.times++
    if (entry.times > FIGHT) {
      this.#rest(code, entry, repair)
      return false
    }
    if (entry.timer !== undefined) return true
    if (entry.times <= AT_ONCE) repair()
    else this.#later(entry, delayOf(entry.times), repair)
    return true
  }

  /** What was done to it last, while it is left alone. */
  restingAfter(code: number): string | undefined {
    const entry = this.#repairs.get(code)
    return entry?.resting === true ? entry.what : undefined
  }

  #rest(code: number, entry: Repair, repair: () => void): void {
    this.#fights++
    this.#fighting(code, entry.times, entry.what ?? '')
    entry.resting = true
    this.#later(entry, this.#restMs, () => {
      entry.resting = false
      entry.times = 0
      repair()
    })
  }

  #later(entry: Repair, delayMs: number, action: () => void): void {
    entry.timer?.cancel()
    entry.timer = this.#clock.after(delayMs, () => {
      entry.timer = undefined
      action()
    })
  }

  /** The kernel has it again: what had happened, once; undefined when nothing had. */
  take(code: number): string | undefined {
    if (this.#repairs.size === 0) return undefined
    const entry = this.#repairs.get(code)
    const what = entry?.what
    if (entry !== undefined) entry.what = undefined
    return what
  }

  /** All is as it shall be, but for what waits for its time. */
  forgetDone(): void {
    for (const entry of this.#repairs.values()) {
      if (entry.timer === undefined) entry.what = undefined
    }
  }

  close(): void {
    for (const { timer } of this.#repairs.values()) timer?.cancel()
    this.#repairs.clear()
  }

  #add(code: number, now: number): Repair | undefined {
    if (now - this.#prunedAt >= MINUTE_MS) this.#prune(now)
    if (this.#repairs.size >= MOST) return undefined
    const what = undefined
    const entry: Repair = { times: 0, minuteBegan: now, resting: false, what, timer: undefined }
    this.#repairs.set(code, entry)
    return entry
  }

  #prune(now: number): void {
    this.#prunedAt = now
    for (const [code, entry] of this.#repairs) {
      decay(entry, now)
      if (entry.times === 0 && entry.timer === undefined) this.#repairs.delete(code)
    }
  }
}

function decay(entry: Repair, now: number): void {
  const minutes = Math.floor((now - entry.minuteBegan) / MINUTE_MS)
  if (minutes === 0) return
  entry.times = Math.floor(entry.times / 2 ** Math.min(minutes, 31))
  entry.minuteBegan += minutes * MINUTE_MS
}

const delayOf = (times: number): number =>
  Math.min(MAX_DELAY_MS, FIRST_DELAY_MS * 2 ** (times - AT_ONCE - 1))
