/**
 * A machine for Docker that can be thrown away: namespaces for network, mounts and processes, with
 * everything that dockerd would write (/run, /etc/docker, its data) on memory of their own.
 *
 * The box ends when the other end of its standard input closes, so it ends with the test however that
 * ends. Its first process then kills the rest, and the kernel takes namespaces, overlays and the data
 * along. Only control groups live outside of namespaces: they carry the box's name and are removed
 * last, or, should even that process have been killed, by the next box.
 */
import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { boxCommand, enterCommand } from '../../src/linux/box.ts'
import { removeCgroups, sweepCgroups } from '../../src/linux/cgroups.ts'
import { outputOf, startProcess, type Exit } from '../../src/linux/process.ts'
import { until } from './until.ts'

const CGROUPS = '/sys/fs/cgroup'
const CGROUP_NAME = /^linnet-test-(\d+)$/

/** The first process of the box. bash, because it takes care of orphans while it waits for input. */
const INIT = `
  set -eu
  read -r pid _ </proc/self/stat # /proc is still the outer one, and so is the number
  mount -t proc proc /proc
  mount -t tmpfs -o mode=755 tmpfs /run
  mkdir /run/etc /run/etc/upper /run/etc/work /run/netns
  mount -t overlay -o lowerdir=/etc,upperdir=/run/etc/upper,workdir=/run/etc/work overlay /etc
  rm -rf /etc/docker
  ip link set lo up
  echo "$pid"
  while read -r _; do :; done
  kill -KILL -1 2>/dev/null || true
  for attempt in {1..100}; do
    find ${CGROUPS} -depth -type d -path "*/$1*" -exec rmdir {} + 2>/dev/null || true
    find ${CGROUPS} -type d -name "$1" | grep -q . || break
    sleep 0.02
  done
`

/** A process in the box. */
export interface BoxProcess {
  /** For people: where it runs, and the command line. */
  readonly title: string
  /** As seen from outside of the box. */
  readonly pid: number
  /** All that it has written. */
  readonly lines: readonly string[]
  readonly exited: Promise<Exit>
  readonly exit: Exit | undefined
  /** Sends a signal to the process itself; harmless when it has ended. */
  kill(signal: NodeJS.Signals): void
}

export interface DockerBox {
  /** Its first process, as seen from outside. */
  readonly pid: number
  /** Parent of all control groups in it. */
  readonly cgroup: string
  /** All that was started. */
  readonly started: readonly BoxProcess[]
  /** Runs a command in one of the box's network namespaces ('' = its first) and returns what it wrote. */
  run(namespace: string, command: readonly string[], deadlineMs?: number): Promise<string>
  /** Starts one that goes on. */
  start(namespace: string, command: readonly string[]): Promise<BoxProcess>
  /** Ends all that runs in it; fulfilled when nothing is left. */
  close(): Promise<void>
}

export async function openDockerBox(): Promise<DockerBox> {
  sweepCgroups(CGROUP_NAME)
  // Vitest runs us in a process of its own, which would go on to the end of the test without it.
  process.once('disconnect', () => process.exit(1))
  const name = `linnet-test-${process.pid}`
  const [program = '', ...args] = boxCommand(true, ['bash', '-c', INIT, 'box', name])
  const box = spawn(program, args, { stdio: ['pipe', 'pipe', 'inherit'], detached: true })
  const exited = new Promise<void>((resolve) => box.once('close', () => resolve()))
  const pid = await new Promise<number>((resolve, reject) => {
    box.once('error', reject)
    box.once('exit', (code) => reject(new Error(`the box ended with ${code}; it needs root`)))
    createInterface({ input: box.stdout }).once('line', (line) => resolve(Number(line)))
  })
  const enter = (namespace: string, command: readonly string[]): [string, string[]] => {
    const [first = '', ...rest] = enterCommand(pid, true, namespace, command)
    return [first, rest]
  }
  const started: BoxProcess[] = []
  return {
    pid,
    cgroup: `/${name}`,
    started,
    run: (namespace, command, deadlineMs = 30_000) =>
      outputOf(...enter(namespace, command), { deadlineMs }),
    async start(namespace, command) {
      const lines: string[] = []
      const entering = await startProcess(...enter(namespace, command), {
        onLine: (line) => void lines.push(line),
      })
      // nsenter waits outside for the process that it has put into the box.
      let child = 0
      await until(`${command[0]} has started`, () => {
        child = firstChild(entering.pid)
        return child !== 0 || entering.exit !== undefined
      })
      const it: BoxProcess = {
        title: `${namespace}: ${command.join(' ')}`,
        pid: child,
        lines,
        exited: entering.exited,
        get exit() {
          return entering.exit
        },
        kill: (signal) => {
          if (entering.exit === undefined) process.kill(child, signal)
        },
      }
      started.push(it)
      return it
    },
    async close() {
      box.stdin.end()
      await exited
      // Left over when its first process was killed.
      removeCgroups(name)
    },
  }
}

function firstChild(pid: number): number {
  try {
    return Number(readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ')[0])
  } catch {
    return 0 // it has ended
  }
}
