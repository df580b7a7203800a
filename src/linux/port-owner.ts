/**
 * Who holds a TCP port: for "address already in use", which alone helps nobody.
 *
 * /proc/net/tcp and tcp6 (proc(5)) give the socket's inode and owner, and the process whose /proc/PID/fd
 * points to that inode holds it. Without root the descriptors of other users' processes can't be read;
 * then the owner is still known by uid.
 */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs'

export interface PortOwner {
  /** Of the socket. */
  readonly inode: number
  readonly uid: number
  /** Known when we may look into its descriptors. */
  readonly pid?: number
  /** `bird -c /etc/bird.conf`. */
  readonly command?: string
}

/** TCP_LISTEN in the `st` column. */
const LISTENING = '0A'

/** The processes that listen on this TCP port in our network namespace, on any address. */
export function portOwners(port: number): PortOwner[] {
  const listening = ['tcp', 'tcp6'].flatMap((table) =>
    listeningSockets(readIfThere(`/proc/self/net/${table}`), port),
  )
  const holders = holdersOf(new Set(listening.map((socket) => socket.inode)))
  return listening.map((socket) => {
    const pid = holders.get(socket.inode)
    return pid === undefined ? socket : { ...socket, pid, command: commandOf(pid) }
  })
}

/** `bird -c /etc/bird.conf (pid 812)`, or what can be said without it. */
export function describePortOwner(port: number): string {
  const [owner] = portOwners(port)
  if (owner === undefined) return 'another process'
  if (owner.pid === undefined) return `a process of user id ${owner.uid} (run as root to see which)`
  return `${owner.command} (pid ${owner.pid})`
}

/** The rows of a /proc/net/tcp table that listen on `port`. */
export function listeningSockets(table: string, port: number): { inode: number; uid: number }[] {
  const wanted = port.toString(16).toUpperCase().padStart(4, '0')
  return table
    .split('\n')
    .slice(1)
    .map((line) => line.trim().split(/\s+/))
    .filter(([, local = '', , state]) => state === LISTENING && local.endsWith(`:${wanted}`))
    .map((columns) => ({ inode: Number(columns[9]), uid: Number(columns[7]) }))
}

/** The command line of a process; its short name for a kernel thread. */
export function commandOf(pid: number): string {
  const words = readIfThere(`/proc/${pid}/cmdline`).split('\0').filter(Boolean)
  if (words.length > 0) return words.join(' ').slice(0, 200)
  return commOf(pid) || 'unknown'
}

/** The short name of a process; '' when there is none (any more). */
export const commOf = (pid: number): string => readIfThere(`/proc/${pid}/comm`).trim()

/** Which process holds each of these sockets, as far as we may see; `guess` is looked at first. */
export function holdersOf(inodes: ReadonlySet<number>, guess?: number): Map<number, number> {
  const holders = new Map<number, number>()
  const others = inodes.size === 0 ? [] : numbersIn('/proc')
  for (const pid of guess === undefined ? others : [guess, ...others]) {
    if (holders.size === inodes.size) break
    for (const fd of numbersIn(`/proc/${pid}/fd`)) {
      const inode = socketInode(`/proc/${pid}/fd/${fd}`)
      if (inode !== undefined && inodes.has(inode) && !holders.has(inode)) holders.set(inode, pid)
    }
  }
  return holders
}

function socketInode(link: string): number | undefined {
  try {
    const match = /^socket:\[(\d+)\]$/.exec(readlinkSync(link))
    return match === null ? undefined : Number(match[1])
  } catch {
    return undefined // it was closed meanwhile
  }
}

function numbersIn(folder: string): number[] {
  try {
    return readdirSync(folder)
      .filter((name) => /^\d+$/.test(name))
      .map(Number)
  } catch {
    return [] // the process ended, or is another user's
  }
}

function readIfThere(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return '' // IPv6 may be off; the process may have ended
  }
}
