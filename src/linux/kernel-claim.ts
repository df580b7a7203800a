/**
 * One linnet per network namespace that writes routes: two would take each other's routes for their own
 * stale ones, and their nexthop ids are the same.
 *
 * The lock file beside the control socket can't tell, because a second daemon may have a socket of its
 * own. The claim is a listening socket with an abstract name (unix(7)): such names belong to the network
 * namespace, as the routes do, and go with the process, however it ends. Anybody may take the name, so
 * only a holder that could write routes counts; the kernel says who it is (SO_PEERCRED).
 */
import { readFileSync } from 'node:fs'
import { LockedError } from './lock.ts'
import { unixAddress } from './notify.ts'
import { commandOf } from './port-owner.ts'
import { parsePrivileges } from './privileges.ts'
import {
  AF_UNIX,
  bind,
  close,
  connect,
  EADDRINUSE,
  getOption,
  listen,
  must,
  SOCK_CLOEXEC,
  SOCK_NONBLOCK,
  SOCK_STREAM,
  socket,
  SOL_SOCKET,
} from './sys.ts'

export interface KernelClaim {
  /** Gives it back; harmless the second time. */
  release(): void
}

const NAME = '@linnet/kernel-routes'
const SO_PEERCRED = 17
/** Nobody accepts: whoever asks who we are stays in this queue. */
const BACKLOG = 1024

/** Claims the routes of our network namespace. Throws a LockedError that names who has them. */
export function claimKernel(name = NAME): KernelClaim {
  const address = unixAddress(name)
  if (address === undefined) throw new RangeError(`not the name of a socket: ${name}`)
  const fd = unixSocket()
  const result = bind(fd, address)
  if (result >= 0) {
    listen(fd, BACKLOG)
    return claimOf(fd)
  }
  close(fd)
  if (result !== -EADDRINUSE) must('claim the routes of the kernel', result)
  const pid = holderOf(address)
  if (pid !== undefined && !mayWriteRoutes(pid)) return { release: () => {} }
  const who = pid === undefined ? 'another process' : `pid ${pid} (${commandOf(pid)})`
  throw new LockedError(
    `another linnet writes routes here already: ${who}; stop it, or write kernel: { install: false } for this one`,
    pid,
  )
}

function claimOf(fd: number): KernelClaim {
  let held = true
  return {
    release() {
      if (held) close(fd)
      held = false
    },
  }
}

/** Undefined when it is not to be seen from here: it has just ended, or is in another pid namespace. */
function holderOf(address: Uint8Array): number | undefined {
  const fd = unixSocket()
  try {
    const credentials = new Int32Array(3) // struct ucred: pid, uid, gid
    if (connect(fd, address) < 0) return undefined
    if (getOption(fd, SOL_SOCKET, SO_PEERCRED, new Uint8Array(credentials.buffer)) < 0)
      return undefined
    return credentials[0] > 0 ? credentials[0] : undefined
  } finally {
    close(fd)
  }
}

function mayWriteRoutes(pid: number): boolean {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8')
    return parsePrivileges(status, '').effective.has('CAP_NET_ADMIN')
  } catch {
    return true // it can't be looked at: the cautious answer
  }
}

const unixSocket = (): number =>
  must('open a socket', socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0))
