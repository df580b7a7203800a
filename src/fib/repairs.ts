/**
 * Putting things back that somebody else has changed: at once for the first few times, then slower, for
 * two programs that correct each other would do nothing else. More than ten times within a minute is a
 * fight, which people must hear of.
 */
import type { Clock, Timer } from '../net/clock.ts'

interface Repair {
  /** How often, halved with each minute that passes. */
  times: number
  minuteBegan: number
  told: boolean
  /** What happened, until it is repaired. */
  what: string | undefined
  timer: Timer | undefined
}

const MINUTE_MS = 60_000
const AT_ONCE = 3
const FIRST_DELAY_MS = 250
const MAX_DELAY_MS = 30_000
const FIGHT = 10
/** Beyond this many at a time, somebody has flushed the table: that is no fight about a route. */
const MOST = 10_000

export class Repairs {
  readonly #clock: Clock
  readonly #fighting: (code: number, times: number) => void
  readonly #repairs = new Map<number, Repair>()
  #prunedAt = -Infinity
  #count = 0

  /** `fighting` hears of it once a minute. */
  constructor(clock: Clock, fighting: (code: number, times: number) => void) {
    this.#clock = clock
    this.#fighting = fighting
  }

  /** Since the start. */
  get count(): number {
    return this.#count
  }

  /** Calls `repair` when it is time: now, as a rule. */
  attempt(code: number, what: string, repair: () => void): void {
    this.#count++
    const now = this.#clock.now()
    const entry = this.#repairs.get(code) ?? this.#add(code, now)
    if (entry === undefined) return repair()
    decay(entry, now)
    entry.what = what
    entry.times++
    if (entry.times > FIGHT && !entry.told) {
      entry.told = true
      this.#fighting(code, entry.times)
    }
    if (entry.timer !== undefined) return
    if (entry.times <= AT_ONCE) return repair()
    entry.timer = this.#clock.after(delayOf(entry.times), () => {
      entry.timer = undefined
      repair()
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

  close(): void {
    for (const { timer } of this.#repairs.values()) timer?.cancel()
    this.#repairs.clear()
  }

  #add(code: number, now: number): Repair | undefined {
    if (now - this.#prunedAt >= MINUTE_MS) this.#prune(now)
    if (this.#repairs.size >= MOST) return undefined
    const what = undefined
    const entry: Repair = { times: 0, minuteBegan: now, told: false, what, timer: undefined }
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
  entry.told = false
}

const delayOf = (times: number): number =>
  times > FIGHT ? MAX_DELAY_MS : Math.min(MAX_DELAY_MS, FIRST_DELAY_MS * 2 ** (times - AT_ONCE - 1))
