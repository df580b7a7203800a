/**
 * Other programs: commands that are run for their output, and children that are looked after.
 *
 * Both say what went wrong in one sentence that names the program. A child is ended by its pid, SIGTERM
 * first and SIGKILL after a grace period; nothing here ever looks for a process by its name.
 */
import { spawn, type ChildProcess, type StdioOptions } from 'node:child_process'
import { closeSync, openSync } from 'node:fs'
import { constants } from 'node:os'
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'

export interface ProcessOptions {
  readonly cwd?: string
  /** Added to our own environment; undefined removes a variable. */
  readonly env?: Readonly<Record<string, string | undefined>>
}

export interface ChildOptions extends ProcessOptions {
  /** File that standard output and error are appended to. Without it and `onLine` they are dropped. */
  readonly log?: string
  /** Hears each line of standard output and error. */
  readonly onLine?: (line: string, stream: 'stdout' | 'stderr') => void
  /** A process group of its own, so that Ctrl-C in our terminal doesn't reach it, and `kill` ends its children too. */
  readonly ownGroup?: boolean
  /** Keeps our own standard streams: for an interactive shell. Wins over `log` and `onLine`. */
  readonly interactive?: boolean
}

/** How a process ended: `code` when it did so itself, `signal` when it was killed. */
export interface Exit {
  readonly code: number | undefined
  readonly signal: string | undefined
}

export interface Child {
  /** For people: the command line. */
  readonly title: string
  readonly pid: number
  /** Undefined while it runs. */
  readonly exit: Exit | undefined
  /** Fulfilled when it has ended, however; never rejected. */
  readonly exited: Promise<Exit>
  /** Sends a signal; harmless when it has ended. */
  kill(signal?: NodeJS.Signals): void
  /** SIGTERM, then SIGKILL after `graceMs` (default 3 s); fulfilled when it has ended. */
  stop(graceMs?: number): Promise<Exit>
}

export interface RunOptions extends ProcessOptions {
  /** Written to its standard input. */
  readonly input?: string
  /** SIGKILL after so long; default 10 s. */
  readonly deadlineMs?: number
}

export interface RunResult extends Exit {
  readonly title: string
  readonly stdout: string
  readonly stderr: string
  /** Ended by us, because it took longer than its deadline. */
  readonly timedOut: boolean
}

/** A program could not be started, or failed. `missing` when there is no such program. */
export class ProcessError extends Error {
  readonly missing: boolean

  constructor(text: string, missing = false) {
    super(text)
    this.name = 'ProcessError'
    this.missing = missing
  }
}

/** Starts a program and returns once it runs; throws a ProcessError when it can't be started. */
export async function startProcess(
  command: string,
  args: readonly string[] = [],
  options: ChildOptions = {},
): Promise<Child> {
  const log = options.log === undefined ? undefined : openSync(options.log, 'a')
  const child = spawn(command, args, {
    ...commonOptions(options),
    detached: options.ownGroup === true,
    stdio: stdioOf(options, log),
  })
  if (log !== undefined) closeSync(log)
  const group = options.ownGroup === true
  const supervised = new SupervisedChild(child, titleOf(command, args), group)
  if (child.stdout) forEachLine(child.stdout, (line) => options.onLine?.(line, 'stdout'))
  if (child.stderr) forEachLine(child.stderr, (line) => options.onLine?.(line, 'stderr'))
  await spawned(child, command)
  return supervised
}

/** Runs a program to its end and returns what it wrote, whatever its exit code. */
export async function runProcess(
  command: string,
  args: readonly string[] = [],
  options: RunOptions = {},
): Promise<RunResult> {
  const child = spawn(command, args, { ...commonOptions(options), stdio: 'pipe' })
  const stdout: Buffer[] = []
  const stderr: Buffer[] = []
  let timedOut = false
  child.stdout.on('data', (chunk: Buffer) => stdout.push(chunk))
  child.stderr.on('data', (chunk: Buffer) => stderr.push(chunk))
  child.stdin.on('error', () => {}) // EPIPE: it ended without reading its input, which is its right
  child.stdin.end(options.input ?? '')
  const ended = new Promise<Exit>((resolve) => {
    child.once('close', (code, signal) => resolve(exitOf(code, signal)))
  })
  await spawned(child, command)
  const timer = setTimeout(() => {
    timedOut = true
    child.kill('SIGKILL')
    // A grandchild may hold the pipes open: don't wait for it.
    child.stdout.destroy()
    child.stderr.destroy()
  }, options.deadlineMs ?? 10_000)
  const exit = await ended
  clearTimeout(timer)
  return {
    ...exit,
    title: titleOf(command, args),
    stdout: Buffer.concat(stdout).toString(),
    stderr: Buffer.concat(stderr).toString(),
    timedOut,
  }
}

/** As `runProcess`, but anything but exit code 0 is a ProcessError with its last words. Returns standard output. */
export async function outputOf(
  command: string,
  args: readonly string[] = [],
  options: RunOptions = {},
): Promise<string> {
  const result = await runProcess(command, args, options)
  if (result.code === 0) return result.stdout
  const words = (result.stderr.trim() || result.stdout.trim()).split('\n').slice(-5).join('\n')
  const how = result.timedOut
    ? `did not end within ${(options.deadlineMs ?? 10_000) / 1000} s`
    : describeExit(result)
  throw new ProcessError(`${result.title} ${how}${words === '' ? '' : `: ${words}`}`)
}

/** True when a process with this pid exists (a zombie counts). */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM'
  }
}

/** `exited with code 3`, `was killed by SIGKILL`. */
export const describeExit = (exit: Exit): string =>
  exit.signal === undefined ? `exited with code ${exit.code}` : `was killed by ${exit.signal}`

class SupervisedChild implements Child {
  readonly title: string
  readonly pid: number
  readonly exited: Promise<Exit>
  readonly #group: boolean
  #exit: Exit | undefined

  constructor(child: ChildProcess, title: string, group: boolean) {
    this.title = title
    this.pid = child.pid ?? -1
    this.#group = group
    this.exited = new Promise((resolve) => {
      child.once('exit', (code, signal) => {
        this.#exit = exitOf(code, signal)
        resolve(this.#exit)
      })
    })
  }

  get exit(): Exit | undefined {
    return this.#exit
  }

  kill(signal: NodeJS.Signals = 'SIGTERM'): void {
    // Once it has been waited for, its pid may belong to a stranger.
    if (this.#exit !== undefined || this.pid <= 0) return
    try {
      process.kill(this.#group ? -this.pid : this.pid, signal)
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error
    }
  }

  async stop(graceMs = 3000): Promise<Exit> {
    this.kill('SIGTERM')
    const timer = setTimeout(() => this.kill('SIGKILL'), graceMs)
    const exit = await this.exited
    clearTimeout(timer)
    return exit
  }
}

function commonOptions(options: ProcessOptions): { cwd?: string; env?: NodeJS.ProcessEnv } {
  return {
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    ...(options.env === undefined ? {} : { env: { ...process.env, ...options.env } }),
  }
}

function stdioOf(options: ChildOptions, log: number | undefined): StdioOptions {
  if (options.interactive === true) return 'inherit'
  if (log !== undefined) return ['ignore', log, log]
  return options.onLine === undefined ? 'ignore' : ['ignore', 'pipe', 'pipe']
}

function forEachLine(stream: Readable, hear: (line: string) => void): void {
  createInterface({ input: stream, crlfDelay: Infinity }).on('line', hear)
}

function spawned(child: ChildProcess, command: string): Promise<void> {
  return new Promise((resolve, reject) => {
    child.once('spawn', resolve)
    child.once('error', (error: NodeJS.ErrnoException) => {
      const missing = error.code === 'ENOENT'
      const words = missing ? 'no such program' : error.message
      reject(new ProcessError(`can't start ${command}: ${words}`, missing))
    })
  })
}

const titleOf = (command: string, args: readonly string[]): string => [command, ...args].join(' ')

const exitOf = (code: number | null, signal: string | null): Exit => ({
  code: code ?? undefined,
  signal: signal ?? undefined,
})

/** The shell's number for an exit: the code, or 128 plus the signal. */
export function exitCodeOf(exit: Exit): number {
  if (exit.code !== undefined) return exit.code
  const signals: Record<string, number> = constants.signals
  return 128 + (signals[exit.signal ?? ''] ?? 0)
}
