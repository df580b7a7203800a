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

  /** `zebra (pid 812)`, `the kernel`, `a process that has ended (pid 4711)`. */
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
  const holder = inode === undefined ? pidOf(port) : holdersOf(new Set([inode]), port).get(inode)
  const name = holder === undefined ? '' : commOf(holder)
  if (name !== '') return `${name} (pid ${holder})`
  if (inode !== undefined) return `another user's process (netlink port ${port})`
  return pidOf(port) === undefined
    ? `a process that has ended (netlink port ${port})`
    : `a process that has ended (pid ${port})`
}

const pidOf = (port: number): number | undefined => (port < FIRST_NO_PID ? port : undefined)

/** From the rows of /proc/net/netlink: `sk Eth Pid Groups Rmem Wmem Dump Locks Drops Inode`. */
export function inodeInTable(table: string, port: number): number | undefined {
  const row = table
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .find((it) => Number(it[1]) === NETLINK_ROUTE && it[2] === String(port))
  return row === undefined ? undefined : Number(row[9])
}

function inodeOfPort(port: number): number | undefined {
  try {
    return inodeInTable(readFileSync('/proc/thread-self/net/netlink', 'utf8'), port)
  } catch {
    return undefined // no /proc here
  }
}
