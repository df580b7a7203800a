/**
 * `linnet run` as a service manager starts it: the built program in a namespace of the test's, its log
 * read line by line, its control API asked as the command line does. Whatever becomes of the test, the
 * kernel ends the daemon with it (PR_SET_PDEATHSIG).
 */
import { spawn, type ChildProcess } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { ControlClient, RequestRefused, type Query } from '../../src/control/client.ts'
import type { HealthReport, StatusRow } from '../../src/control/reports.ts'
import type { FibRow, NextHopRow, PeerRow, RouteRow } from '../../src/control/rows.ts'
import type { NetworkNamespace } from './network-namespace.ts'
import { until } from './until.ts'

/** LINNET_MAIN points the tests at another build. */
export const PROGRAM = process.env['LINNET_MAIN'] ?? join(import.meta.dirname, '../../dist/main.js')

/** Many start at once. */
const START_DEADLINE_MS = 60_000

/** One line of the log. */
export interface LogLine {
  readonly level: string
  readonly time: string
  readonly topic: string
  readonly event: string
  readonly peer?: string
  readonly prefix?: string
  readonly text: string
}

export interface Outcome {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

export interface Running {
  /** Put before the command: `setpriv --reuid=...`. */
  readonly wrap?: readonly string[]
  readonly env?: Readonly<Record<string, string>>
}

/** A folder for a test file's configurations and sockets. */
export class Workshop {
  readonly folder = mkdtempSync(join(tmpdir(), 'linnet-daemon-'))
  readonly #daemons: Daemon[] = []

  /** Writes a file there; its path. */
  write(name: string, text: string): string {
    const path = join(this.folder, name)
    writeFileSync(path, text)
    return path
  }

  /** Starts a daemon with this configuration, and waits until it is up. */
  async daemon(
    host: NetworkNamespace,
    config: string,
    { name = 'linnet', ...running }: Running & { name?: string } = {},
  ): Promise<Daemon> {
    const daemon = new Daemon(host, this.write(`${name}.yaml`, config), {
      ...running,
      socket: join(this.folder, `${name}.sock`),
    })
    this.#daemons.push(daemon)
    await daemon.up()
    return daemon
  }

  /** Ends what still runs. */
  async endDaemons(): Promise<void> {
    await Promise.all(this.#daemons.splice(0).map((it) => it.kill()))
  }

  async close(): Promise<void> {
    await this.endDaemons()
    rmSync(this.folder, { recursive: true, force: true })
  }
}

export class Daemon {
  readonly configPath: string
  readonly socket: string
  readonly client: ControlClient
  /** The log so far. */
  readonly log: LogLine[] = []
  /** Lines of standard output that are no log. */
  readonly strayLines: string[] = []
  stderr = ''
  #ended: number | null | undefined
  readonly #child: ChildProcess

  constructor(
    host: NetworkNamespace,
    configPath: string,
    { socket, ...running }: Running & { socket: string },
  ) {
    this.configPath = configPath
    this.socket = socket
    this.client = new ControlClient(socket)
    this.#child = start(host, ['run', '-c', configPath, '--socket', socket], running)
    const { stdout, stderr } = this.#child
    if (stdout === null || stderr === null) throw new Error('no pipes')
    createInterface(stdout).on('line', (line) => this.#read(line))
    stderr.on('data', (it: Buffer) => (this.stderr += it.toString()))
    this.#child.once('close', (code) => (this.#ended = code))
  }

  get pid(): number {
    const { pid } = this.#child
    if (pid === undefined) throw new Error('it was never started')
    return pid
  }

  async up(): Promise<void> {
    const isUp = (): boolean =>
      this.lines('DaemonStarted').length > 0 ||
      this.strayLines.some((it) => it.includes('control socket')) // a log for people
    await until('the daemon is up', () => isUp() || this.#ended !== undefined, START_DEADLINE_MS)
    if (!isUp()) throw new Error(`the daemon has ended: ${this.stderr}`)
  }

  /** Lines of the log about this event. */
  lines(event: string): LogLine[] {
    return this.log.filter((it) => it.event === event)
  }

  async logged(event: string, matches: (line: LogLine) => boolean = () => true): Promise<LogLine> {
    let found: LogLine | undefined
    await until(
      `${event} is logged`,
      () => (found = this.lines(event).find(matches)) !== undefined,
      START_DEADLINE_MS,
    )
    if (found === undefined) throw new Error('unreachable')
    return found
  }

  rewriteConfig(config: string): void {
    writeFileSync(this.configPath, config)
  }

  signal(name: NodeJS.Signals): void {
    this.#child.kill(name)
  }

  status(): Promise<StatusRow> {
    return this.client.get<StatusRow>('/v1/status')
  }

  /** What /readyz says. */
  async isReady(): Promise<boolean> {
    try {
      return (await this.client.get<HealthReport>('/readyz')).ready
    } catch (error) {
      if (error instanceof RequestRefused && error.status === 503) return false
      throw error
    }
  }

  peers(): Promise<PeerRow[]> {
    return this.client.get<PeerRow[]>('/v1/peers')
  }

  async peer(name: string): Promise<PeerRow> {
    const found = (await this.peers()).find((it) => it.name === name)
    if (found === undefined) throw new Error(`no peer ${name}`)
    return found
  }

  async routes(query: Query = {}): Promise<RouteRow[]> {
    return this.client.get<RouteRow[]>('/v1/routes', query)
  }

  async fib(query: Query = {}): Promise<FibRow[]> {
    return this.client.get<FibRow[]>('/v1/fib', query)
  }

  async nextHops(): Promise<NextHopRow[]> {
    return this.client.get<NextHopRow[]>('/v1/nexthops')
  }

  /** SIGTERM, and the exit code. */
  async stop(): Promise<number | null> {
    this.signal('SIGTERM')
    return this.ended()
  }

  /** SIGKILL; resolves when it is gone. */
  async kill(): Promise<void> {
    if (this.#ended === undefined) this.signal('SIGKILL')
    await this.ended()
  }

  /** The exit code, once the process has ended. */
  async ended(): Promise<number | null> {
    await until('the daemon has ended', () => this.#ended !== undefined)
    return this.#ended ?? null
  }

  #read(line: string): void {
    if (line.startsWith('{')) this.log.push(JSON.parse(line) as LogLine)
    else this.strayLines.push(line)
  }
}

/** Runs `linnet WORDS` in a namespace to its end. */
export async function linnet(
  host: NetworkNamespace,
  words: readonly string[],
  running: Running = {},
): Promise<Outcome> {
  const child = start(host, words, running)
  let stdout = ''
  let stderr = ''
  child.stdout?.on('data', (it: Buffer) => (stdout += it.toString()))
  child.stderr?.on('data', (it: Buffer) => (stderr += it.toString()))
  const late = setTimeout(() => child.kill('SIGKILL'), START_DEADLINE_MS)
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve))
  clearTimeout(late)
  return { code, stdout, stderr }
}

function start(
  host: NetworkNamespace,
  words: readonly string[],
  { wrap = [], env = {} }: Running,
): ChildProcess {
  if (!existsSync(PROGRAM)) throw new Error(`${PROGRAM} is not built: npm run build`)
  // A new user drops the death signal: it comes last.
  const mortal = ['setpriv', '--pdeathsig', 'KILL']
  const [command = '', ...args] = [...wrap, ...mortal, process.execPath, PROGRAM, ...words]
  return host.within(() =>
    spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, ...env } }),
  )
}
