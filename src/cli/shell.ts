/**
 * What a command may touch of the world: the terminal, the environment, the clock, Ctrl-C. Commands get
 * it handed in, so that tests run them against a terminal of plain strings.
 */
import { once } from 'node:events'
import type { Clock } from '../net/clock.ts'

/** 0 ok · 1 the answer is no · 2 usage or configuration error · 3 the daemon can't be reached. */
export type ExitCode = 0 | 1 | 2 | 3

export interface Terminal {
  /** Writes to standard output; fulfilled when more is welcome. */
  print(text: string): Promise<void>
  /** Writes to standard error. */
  complain(text: string): void
  /** Standard output is a terminal, not a pipe or a file. */
  readonly interactive: boolean
  /** Colours are welcome. */
  readonly colour: boolean
  /** Characters, as they are now. */
  size(): { readonly columns: number; readonly rows: number }
}

export interface Shell {
  readonly terminal: Terminal
  readonly env: Readonly<Record<string, string | undefined>>
  readonly clock: Clock
  /** Runs `work` with a signal that Ctrl-C aborts. */
  interruptible(work: (interrupted: AbortSignal) => Promise<void>): Promise<void>
  /** What the process will end with. */
  exitCode: number
}

const realClock: Clock = {
  now: () => performance.now(),
  wallNow: () => Date.now(),
  after(milliseconds, fire) {
    const timer = setTimeout(fire, milliseconds)
    return { cancel: () => clearTimeout(timer) }
  },
}

/** The world as this process has it. */
export function processShell(): Shell {
  const { stdout, stderr, env } = process
  let guarded = false
  return {
    terminal: {
      async print(text) {
        if (!guarded) stdout.on('error', endWithReader)
        guarded = true
        if (!stdout.write(text)) await once(stdout, 'drain')
      },
      complain: (text) => void stderr.write(text),
      interactive: stdout.isTTY,
      colour: wantsColour(stdout.isTTY, env),
      // A terminal that does not know its size says 0.
      size: () => ({ columns: stdout.columns || 80, rows: stdout.rows || 24 }),
    },
    env,
    clock: realClock,
    async interruptible(work) {
      const interrupted = new AbortController()
      const stop = () => interrupted.abort()
      process.once('SIGINT', stop).once('SIGTERM', stop)
      try {
        await work(interrupted.signal)
      } finally {
        process.off('SIGINT', stop).off('SIGTERM', stop)
      }
    },
    exitCode: 0,
  }
}

/** `linnet show routes | head`: the reader has seen enough, and that is no error. */
function endWithReader(error: NodeJS.ErrnoException): never {
  process.exit(error.code === 'EPIPE' ? 0 : 1)
}

/** Colours only on a terminal, and never against NO_COLOR (no-color.org). */
export function wantsColour(
  isTerminal: boolean,
  env: Readonly<Record<string, string | undefined>>,
): boolean {
  return isTerminal && (env['NO_COLOR'] ?? '') === '' && env['TERM'] !== 'dumb'
}
