/**
 * The one timer for all that is looked at now and then.
 *
 * An idle process pays a millisecond for each time it wakes, since nothing that it needs is in a cache any more. So
 * looks share a beat; it is quick while somebody is at work, less so for a moment after, and slow when nothing happens.
 * How late it fires tells how long the event loop was held up. (Node's own monitorEventLoopDelay forgets its last
 * sample on reset, and with it the stall that is being looked for.)
 */
import { untilTogether } from '../net/clock.ts'

export interface Look {
  /** Not more often than this. */
  readonly everyMs: number
  look(): void
  /** It has begun something that goes on with its next look. */
  busy?(): boolean
}

const QUICK_MS = 500
const MODERATE_MS = 2_000
const SLOW_MS = 10_000
/** So many moderate beats come before the first slow one. */
const MODERATE_BEATS = 3

export class Pulse {
  readonly #now: () => number
  readonly #looks: { readonly it: Look; at: number }[] = []
  #timer: NodeJS.Timeout | undefined
  #due = 0
  #longestMs = 0
  /** Somebody has worked since the last beat. */
  #worked = true
  /** Beats since somebody has. */
  #calm = 0

  constructor(now: () => number) {
    this.#now = now
    this.#wait(QUICK_MS)
  }

  add(it: Look): void {
    this.#looks.push({ it, at: this.#now() })
  }

  /** There is work. Cheap, and may be called at any time. */
  quicken(): void {
    if (this.#worked) return
    this.#worked = true
    if (this.#due - this.#now() > QUICK_MS) this.#wait(QUICK_MS)
  }

  /** How late it was at most since the previous call, in milliseconds; a stall that is not over counts. */
  takeLatenessMs(): number {
    this.#note()
    const longest = this.#longestMs
    this.#longestMs = 0
    return longest
  }

  stop(): void {
    clearTimeout(this.#timer)
  }

  #wait(milliseconds: number): void {
    clearTimeout(this.#timer)
    this.#due = this.#now() + milliseconds
    this.#timer = setTimeout(() => this.#beat(), milliseconds)
    this.#timer.unref()
  }

  #beat(): void {
    this.#note()
    const now = this.#now()
    for (const look of this.#looks) {
      if (now - look.at < look.it.everyMs) continue
      look.at = now
      look.it.look()
    }
    const isBusy = this.#worked || this.#looks.some(({ it }) => it.busy?.() === true)
    this.#worked = false
    this.#calm = isBusy ? 0 : this.#calm + 1
    if (isBusy) this.#wait(QUICK_MS)
    else if (this.#calm <= MODERATE_BEATS) this.#wait(MODERATE_MS)
    else this.#wait(untilTogether(this.#now(), SLOW_MS))
  }

  #note(): void {
    this.#longestMs = Math.max(this.#longestMs, this.#now() - this.#due)
  }
}
