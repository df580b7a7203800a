/**
 * Says what happened to prefixes without drowning the listener: of each sentence the first few are told
 * with their prefixes, and the others in one sum when the window ends.
 */
import type { Clock, Timer } from '../net/clock.ts'

interface Sum {
  told: number
  /** One of those that were not told. */
  example: string
  untold: number
}

const WINDOW_MS = 10_000
const TOLD_EACH = 5

export class Digest {
  readonly #clock: Clock
  readonly #tell: (prefix: string, text: string) => void
  readonly #sums = new Map<string, Sum>()
  #timer: Timer | undefined

  constructor(clock: Clock, tell: (prefix: string, text: string) => void) {
    this.#clock = clock
    this.#tell = tell
  }

  add(prefix: string, text: string): void {
    const sum = this.#sums.get(text) ?? { told: 0, example: prefix, untold: 0 }
    this.#sums.set(text, sum)
    this.#timer ??= this.#clock.after(WINDOW_MS, () => this.flush())
    if (sum.told < TOLD_EACH) {
      sum.told++
      this.#tell(prefix, text)
    } else if (sum.untold++ === 0) sum.example = prefix
  }

  /** Tells the sums, and begins anew. */
  flush(): void {
    this.#timer?.cancel()
    this.#timer = undefined
    const sums = [...this.#sums]
    this.#sums.clear()
    for (const [text, { example, untold }] of sums) {
      if (untold === 1) this.#tell(example, text)
      else if (untold > 1) this.#tell(`${example} and ${untold - 1} more prefixes`, text)
    }
  }
}
