/**
 * `--watch`: shows an answer again whenever it may have changed. Events say when to ask; a slow beat
 * besides keeps ages and counters moving. On a terminal the screen is drawn over in place; into a pipe
 * goes each answer that differs from the one before.
 */
import type { Clock } from '../net/clock.ts'
import type { Terminal } from './shell.ts'
import { paint } from './style.ts'

/** Never more often than this, however much happens. */
const SHORTEST_MS = 200
/** At least this often, also when nothing happens. */
const LONGEST_MS = 2000

export interface Watching {
  readonly terminal: Terminal
  readonly clock: Clock
  /** First line on a terminal: `linnet show peers`. */
  readonly title: string
  /** Asks and formats once. */
  readonly draw: () => Promise<string>
  /** Something happens that concerns what is shown. */
  readonly events: AsyncIterable<unknown>
  readonly interrupted: AbortSignal
}

/** Until interrupted, or until asking fails. */
export async function watch(watching: Watching): Promise<void> {
  const { clock, interrupted, terminal } = watching
  const bell = new Bell()
  interrupted.addEventListener('abort', () => bell.ring(), { once: true })
  let failure: Error | undefined
  const listening = (async () => {
    try {
      for await (const _ of watching.events) bell.ring()
    } catch (error) {
      failure = error instanceof Error ? error : new Error(String(error))
      bell.ring()
    }
  })()
  const canvas = terminal.interactive ? new Screen(watching) : new Log(terminal)
  try {
    await canvas.open()
    while (!interrupted.aborted) {
      if (failure !== undefined) throw failure
      await canvas.show(await watching.draw())
      await pause(clock, SHORTEST_MS, interrupted)
      await bell.rung(clock, LONGEST_MS - SHORTEST_MS)
    }
  } finally {
    await canvas.close()
  }
  await listening
}

/** Remembers that it was rung until somebody has heard it. */
class Bell {
  #rung = false
  #hear: () => void = () => {}

  ring(): void {
    this.#rung = true
    this.#hear()
  }

  /** Fulfilled when it rings, at once if it has rung since last time, or after `milliseconds`. */
  async rung(clock: Clock, milliseconds: number): Promise<void> {
    if (!this.#rung) {
      await new Promise<void>((resolve) => {
        const timer = clock.after(milliseconds, resolve)
        this.#hear = () => {
          timer.cancel()
          resolve()
        }
      })
      this.#hear = () => {}
    }
    this.#rung = false
  }
}

const pause = (clock: Clock, milliseconds: number, interrupted: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (interrupted.aborted) return resolve()
    const timer = clock.after(milliseconds, end)
    interrupted.addEventListener('abort', end, { once: true })
    function end(): void {
      timer.cancel()
      interrupted.removeEventListener('abort', end)
      resolve()
    }
  })

interface Canvas {
  open(): Promise<void>
  show(text: string): Promise<void>
  close(): Promise<void>
}

/** Draws over the same screen; control sequences are those of ECMA-48 and xterm. */
class Screen implements Canvas {
  readonly #terminal: Terminal
  readonly #title: string
  readonly #clock: Clock

  constructor({ terminal, title, clock }: Watching) {
    this.#terminal = terminal
    this.#title = title
    this.#clock = clock
  }

  /** Other screen, cursor hidden, long lines cut off by the terminal. */
  open(): Promise<void> {
    return this.#terminal.print('\u001b[?1049h\u001b[?25l\u001b[?7l')
  }

  show(text: string): Promise<void> {
    const time = new Date(this.#clock.wallNow()).toISOString().slice(11, 19)
    const title = `${this.#title}   ${time} UTC   Ctrl-C ends`
    const lines = text.trimEnd().split('\n')
    const room = Math.max(1, this.#terminal.size().rows - 3)
    const shown = lines.slice(0, room)
    if (lines.length > room) shown[room - 1] = '... and more'
    const frame = [paint(title, 'dim', this.#terminal.colour), '', ...shown]
    return this.#terminal.print(`\u001b[H${frame.join('\u001b[K\n')}\u001b[K\u001b[J`)
  }

  close(): Promise<void> {
    return this.#terminal.print('\u001b[?7h\u001b[?25h\u001b[?1049l')
  }
}

/** One answer after the other, each only if it is new. */
class Log implements Canvas {
  readonly #terminal: Terminal
  #last: string | undefined

  constructor(terminal: Terminal) {
    this.#terminal = terminal
  }

  async open(): Promise<void> {}

  async show(text: string): Promise<void> {
    if (text === this.#last) return
    this.#last = text
    await this.#terminal.print(text)
  }

  async close(): Promise<void> {}
}
