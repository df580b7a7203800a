/** A terminal of plain strings and a clock that tests turn. */
import type { Shell } from '../../../src/cli/shell.ts'
import type { Clock, Timer } from '../../../src/net/clock.ts'
import { NOW } from '../control/fake-daemon.ts'

interface Waiting extends Timer {
  readonly due: number
  readonly fire: () => void
}

export class HandClock implements Clock {
  #now = 0
  readonly #waiting = new Set<Waiting>()

  now(): number {
    return this.#now
  }

  wallNow(): number {
    return NOW + this.#now
  }

  /** Timers that have not fired. */
  get waiting(): number {
    return this.#waiting.size
  }

  after(milliseconds: number, fire: () => void): Timer {
    const waiting: Waiting = {
      due: this.#now + milliseconds,
      fire,
      cancel: () => void this.#waiting.delete(waiting),
    }
    this.#waiting.add(waiting)
    return waiting
  }

  advance(milliseconds: number): void {
    this.#now += milliseconds
    const due = [...this.#waiting].filter((it) => it.due <= this.#now)
    for (const it of due) {
      this.#waiting.delete(it)
      it.fire()
    }
  }
}

export interface FakeShell extends Shell {
  readonly clock: HandClock
  /** What was printed, in pieces. */
  readonly printed: string[]
  readonly complained: string[]
  /** Ctrl-C. */
  interrupt(): void
}

export function fakeShell(
  options: {
    readonly env?: Readonly<Record<string, string>>
    readonly interactive?: boolean
    readonly colour?: boolean
    readonly rows?: number
  } = {},
): FakeShell {
  const { env = {}, interactive = false, colour = false, rows = 24 } = options
  const printed: string[] = []
  const complained: string[] = []
  const stop = new AbortController()
  return {
    printed,
    complained,
    env,
    clock: new HandClock(),
    exitCode: 0,
    interrupt: () => stop.abort(),
    interruptible: (work) => work(stop.signal),
    terminal: {
      async print(text) {
        printed.push(text)
      },
      complain: (text) => void complained.push(text),
      interactive,
      colour,
      size: () => ({ columns: 80, rows }),
    },
  }
}
