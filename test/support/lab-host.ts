/**
 * A host for other people's daemons: a process in network, mount and pid namespaces of its own.
 *
 * Its first process reads from a pipe that we hold. When we end, however, the pipe closes, the first
 * process ends, and the kernel ends all others and takes links and files away with them: a test can't
 * leave anything behind. /run is a fresh tmpfs, so that daemons with fixed paths can't meet; we reach
 * the files and sockets in it through /proc/PID/root.
 */
import { spawn, type ChildProcess } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { outputOf, startProcess, type Child, type Exit } from '../../src/linux/process.ts'

/** Ends when its standard input does. */
const FIRST_PROCESS = [
  'mount -t tmpfs -o mode=755 tmpfs /run',
  'mount -t proc proc /proc',
  'ip link set lo up',
  'echo ready',
  'exec cat >/dev/null',
].join(' && ')

export interface StartOptions {
  /** File below /run that hears what the program says; default: its name with `.log`. */
  readonly log?: string
  readonly env?: Readonly<Record<string, string>>
}

export class LabHost {
  readonly name: string
  readonly #holder: ChildProcess
  /** Of the first process, as we see it. */
  readonly pid: number
  readonly #logs = new Set<string>()

  private constructor(name: string, holder: ChildProcess, pid: number) {
    this.name = name
    this.#holder = holder
    this.pid = pid
  }

  static async open(name: string): Promise<LabHost> {
    const flags = ['--net', '--mount', '--pid', '--fork', '--kill-child']
    const holder = spawn('unshare', [...flags, '--', 'sh', '-c', FIRST_PROCESS], {
      stdio: ['pipe', 'pipe', 'inherit'],
    })
    holder.stdin.on('error', () => {}) // it went first
    await new Promise<void>((resolve, reject) => {
      createInterface({ input: holder.stdout }).once('line', () => resolve())
      holder.once('exit', () => reject(new Error('no namespaces: interop tests need root')))
      holder.once('error', reject)
    })
    const [pid] = childrenOf(holder.pid ?? -1)
    return new LabHost(name, holder, pid)
  }

  /** Where we find `/run/NAME` of the host. */
  path(name: string): string {
    return ['/proc', this.pid, 'root', 'run', name].join('/')
  }

  /** Writes `/run/NAME`; returns its path as the host's programs see it. */
  write(name: string, text: string): string {
    writeFileSync(this.path(name), text)
    return `/run/${name}`
  }

  /** Runs a program on the host to its end; its standard output. */
  run(program: string, ...args: readonly string[]): Promise<string> {
    return outputOf('nsenter', [...this.#enter(), program, ...args])
  }

  /** `ip COMMAND`, once per line. */
  async ip(commands: readonly string[]): Promise<void> {
    const input = commands.map((line) => `${line}\n`).join('')
    // Our own mount and pid namespaces, so that `netns PID` means what we mean.
    await outputOf('nsenter', [`--net=/proc/${this.pid}/ns/net`, 'ip', '-batch', '-'], { input })
  }

  /** Starts a daemon that stays in the foreground. */
  async start(
    program: string,
    args: readonly string[],
    options: StartOptions = {},
  ): Promise<HostProcess> {
    const log = options.log ?? `${program.split('/').at(-1) ?? program}.log`
    this.#logs.add(log)
    const child = await startProcess('nsenter', [...this.#enter(), program, ...args], {
      log: this.path(log),
      ...(options.env === undefined ? {} : { env: options.env }),
    })
    return new HostProcess(child)
  }

  /** All that a program has said. */
  log(name: string): string {
    try {
      return readFileSync(this.path(name), 'utf8')
    } catch {
      return '' // it never ran, or the host is gone
    }
  }

  /** The end of every log, for the report of a failure. */
  lastWords(lines = 15): string {
    return [...this.#logs]
      .map((name) => {
        const tail = this.log(name).trimEnd().split('\n').slice(-lines).join('\n')
        return `--- ${this.name} ${name}\n${tail}`
      })
      .join('\n')
  }

  async close(): Promise<void> {
    const gone = new Promise((resolve) => this.#holder.once('exit', resolve))
    if (this.#holder.exitCode !== null || this.#holder.signalCode !== null) return
    this.#holder.stdin?.end()
    await gone
  }

  #enter(): string[] {
    return [`--target=${this.pid}`, '--net', '--mount', '--pid', '--']
  }
}

/** A program on a host, with all that it has started. Ended by pid, never by name. */
export class HostProcess {
  readonly #nsenter: Child

  constructor(nsenter: Child) {
    this.#nsenter = nsenter
  }

  get exit(): Exit | undefined {
    return this.#nsenter.exit
  }

  /** SIGTERM to the program itself; SIGKILL to all of it when it takes too long. */
  async stop(graceMs = 5000): Promise<Exit> {
    for (const pid of childrenOf(this.#nsenter.pid)) signal(pid, 'SIGTERM')
    const timer = setTimeout(() => this.#signalAll('SIGKILL'), graceMs)
    const exit = await this.#nsenter.exited
    clearTimeout(timer)
    return exit
  }

  /** Without a chance to say good-bye. */
  async kill(): Promise<void> {
    this.#signalAll('SIGKILL')
    await this.#nsenter.exited
  }

  /** It does nothing any more, but its sockets stay open. */
  freeze(): void {
    this.#signalAll('SIGSTOP')
  }

  thaw(): void {
    this.#signalAll('SIGCONT')
    this.#nsenter.kill('SIGCONT') // nsenter stops with its child
  }

  #signalAll(name: NodeJS.Signals): void {
    if (this.exit !== undefined) return
    for (const pid of descendantsOf(this.#nsenter.pid)) signal(pid, name)
  }
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name)
  } catch {
    // it ended meanwhile
  }
}

function childrenOf(pid: number): number[] {
  try {
    const text = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim()
    return text === '' ? [] : text.split(' ').map(Number)
  } catch {
    return []
  }
}

const descendantsOf = (pid: number): number[] =>
  childrenOf(pid).flatMap((child) => [child, ...descendantsOf(child)])

/** One end of a link: the device and its addresses, as `10.1.0.1/24`. */
export interface LinkEnd {
  readonly host: LabHost
  readonly device: string
  readonly addresses: readonly string[]
}

/** Joins two hosts by a veth; both ends are up, with their addresses. */
export async function join(one: LinkEnd, other: LinkEnd): Promise<void> {
  const peer = `peer name ${other.device} netns ${other.host.pid}`
  await one.host.ip([`link add ${one.device} type veth ${peer}`, ...raising(one)])
  await other.host.ip(raising(other))
}

function raising({ device, addresses }: LinkEnd): string[] {
  const nodad = (address: string): string => (address.includes(':') ? ' nodad' : '')
  return [
    ...addresses.map((it) => `address add ${it} dev ${device}${nodad(it)}`),
    `link set ${device} up`,
  ]
}
