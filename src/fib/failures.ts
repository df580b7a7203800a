/**
 * Routes that the kernel has refused: what it said, and when to try again. Delays double from 1 s to 60 s;
 * trying is cheap and the reasons mostly pass (ENOBUFS, a next hop that is not up yet). One timer for all,
 * on whole seconds, so that 100,000 refusals of one cause are tried again together.
 */
import type { Clock, Timer } from '../net/clock.ts'

interface Failure {
  text: string
  attempts: number
  /** Infinity while it is being tried. */
  dueAt: number
}

const FIRST_MS = 1_000
const MAX_MS = 60_000
const GRAIN_MS = 1_000

export class Failures {
  readonly #clock: Clock
  readonly #retry: (code: number) => void
  readonly #failures = new Map<number, Failure>()
  #timer: Timer | undefined
  #timerAt = Infinity

  /** `retry` is called with the code of a route whose time has come. */
  constructor(clock: Clock, retry: (code: number) => void) {
    this.#clock = clock
    this.#retry = retry
  }

  /** The kernel refused; returns how many times in a row. */
  note(code: number, text: string): number {
    const failure = this.#failures.get(code) ?? { text, attempts: 0, dueAt: 0 }
    failure.text = text
    const delay = Math.min(MAX_MS, FIRST_MS * 2 ** failure.attempts++)
    failure.dueAt = Math.ceil((this.#clock.now() + delay) / GRAIN_MS) * GRAIN_MS
    this.#failures.set(code, failure)
    this.#wakeAt(failure.dueAt)
    return failure.attempts
  }

  text(code: number): string | undefined {
    return this.#failures.get(code)?.text
  }

  /** It works, or something else is wanted. */
  forget(code: number): void {
    if (this.#failures.size > 0) this.#failures.delete(code)
  }

  close(): void {
    this.#timer?.cancel()
    this.#timerAt = -Infinity
  }

  #wakeAt(at: number): void {
    if (at >= this.#timerAt) return
    this.#timer?.cancel()
    this.#timerAt = at
    this.#timer = this.#clock.after(at - this.#clock.now(), () => this.#fire())
  }

  #fire(): void {
    this.#timerAt = Infinity
    const now = this.#clock.now()
    let next = Infinity
    for (const [code, failure] of this.#failures) {
      if (failure.dueAt <= now) {
        failure.dueAt = Infinity
        this.#retry(code)
      } else next = Math.min(next, failure.dueAt)
    }
    if (next !== Infinity) this.#wakeAt(next)
  }
}
