/**
 * Who changed something in the kernel: a notification carries the port id of the netlink socket that asked for
 * it (netlink(7)), 0 for the kernel itself.
 *
 * The kernel gives the first socket of a process its process id for a port, and later ones a number beyond all
 * process ids; /proc/net/netlink leads from a port to the socket's inode, and /proc/PID/fd from there to who
 * holds it. `ip` has mostly ended before it can be looked at; then its process id is all that is left of it.
 */
import { readFileSync } from 'node:fs'
import { commOf, holdersOf } from './port-owner.ts'

/** PID_MAX_LIMIT: ports from here on are no process ids. */
const FIRST_NO_PID = 1 << 22
/** What one look has found is good for so long: changes come in bursts. */
const KEPT_MS = 5_000
const NETLINK_ROUTE = 0

export class AuthorOfChanges {
  readonly #now: () => number
  #port = -1
  #text = ''
  #lookedAt = -Infinity

  constructor(now: () => number = () => performance.now()) {
    this.#now = now
  }

  /** `zebra (pid 812)`, `the kernel`, `a process that has ended (pid 4711)`, `an unknown process (netlink port ...)`. */
  of(port: number): string {
    const now = this.#now()
    if (port === this.#port && now - this.#lookedAt < KEPT_MS) return this.#text
    this.#port = port
    this.#lookedAt = now
    this.#text = describeAuthor(port)
    return this.#text
  }
}

function describeAuthor(port: number): string {
  if (port === 0) return 'the kernel'
  const inode = inodeOfPort(port)
  const holder = inode === undefined ? undefined : holdersOf(new Set([inode]), port).get(inode)
  // A process that is just ending has let go of its socket already.
  const pid = holder ?? pidOf(port)
  if (pid === undefined) return `an unknown process (netlink port ${port})`
  const name = commOf(pid)
  return name === '' ? `a process that has ended (pid ${pid})` : `${name} (pid ${pid})`
}

export interface NetlinkProcess {
  readonly name: string
  readonly pid: number
}

/** Who else speaks to the kernel about routes in our network namespace, by the first socket of each. */
export function netlinkProcesses(): NetlinkProcess[] {
  return portsInTable(readTable()).flatMap((port) => {
    const pid = pidOf(port)
    const name = pid === undefined || pid === process.pid ? '' : commOf(pid)
    return pid === undefined || name === '' ? [] : [{ name, pid }]
  })
}

const pidOf = (port: number): number | undefined => (port < FIRST_NO_PID ? port : undefined)

/** The rows of /proc/net/netlink about routing: `sk Eth Pid Groups Rmem Wmem Dump Locks Drops Inode`. */
const rowsOf = (table: string): string[][] =>
  table
    .split('\n')
    .slice(1)
    .map((line) => line.trim().split(/\s+/))
    .filter(([, protocol]) => Number(protocol) === NETLINK_ROUTE)

export function inodeInTable(table: string, port: number): number | undefined {
  const row = rowsOf(table).find((it) => it[2] === String(port))
  return row === undefined ? undefined : Number(row[9])
}

/** Ports of sockets; the kernel's own has 0. */
export const portsInTable = (table: string): number[] =>
  rowsOf(table).flatMap(([, , port]) => (Number(port) > 0 ? Number(port) : []))

const inodeOfPort = (port: number): number | undefined => inodeInTable(readTable(), port)

function readTable(): string {
  try {
    return readFileSync('/proc/thread-self/net/netlink', 'utf8')
  } catch {
    return '' // no /proc here
  }
}
