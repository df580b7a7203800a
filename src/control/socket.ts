/**
 * Claiming the control socket's path. A socket file outlives its daemon when that is killed, so the
 * file alone proves nothing: what does not answer is removed, what answers is left alone.
 */
import { lstatSync, mkdirSync, unlinkSync } from 'node:fs'
import { request } from 'node:http'
import { dirname } from 'node:path'

/** sockaddr_un.sun_path, less the final zero (unix(7)). */
const LONGEST_PATH_BYTES = 107

/** A place to listen can't be had; `remedy` says what to do. */
export class CannotListen extends Error {
  readonly remedy: string

  constructor(error: string, remedy: string) {
    super(error)
    this.name = 'CannotListen'
    this.remedy = remedy
  }
}

/** Makes `path` free to listen on: directory there, stale socket gone. Throws CannotListen. */
export async function claimSocketPath(path: string): Promise<void> {
  if (Buffer.byteLength(path) > LONGEST_PATH_BYTES) {
    throw new CannotListen(
      `control socket path is too long for Linux (${Buffer.byteLength(path)} bytes, at most ${LONGEST_PATH_BYTES}): ${path}`,
      'set api.socket to a shorter path',
    )
  }
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o755 })
  } catch (error) {
    throw refused(`control socket ${path}`, error, 'api.socket')
  }
  const found = lstatSync(path, { throwIfNoEntry: false })
  if (found === undefined) return
  if (!found.isSocket()) {
    throw new CannotListen(
      `${path} exists and is no socket`,
      'remove it, or set api.socket to another path',
    )
  }
  const answer = await knock(path)
  if (answer === undefined) {
    throw new CannotListen(
      `another linnet answers on ${path}`,
      'stop it first, or give this one an api.socket of its own',
    )
  }
  if (answer !== 'ECONNREFUSED' && answer !== 'ENOENT') {
    throw new CannotListen(`can't tell who uses ${path} (${answer})`, 'remove it if nobody does')
  }
  unlinkIfThere(path)
}

const MEANINGS: Readonly<Record<string, string>> = {
  EACCES: 'permission denied',
  EADDRINUSE: 'somebody else listens there',
  EADDRNOTAVAIL: 'no such address on this host',
  ENOTDIR: 'a part of the path is no directory',
  EROFS: 'the file system is read-only',
}

/** The system's error on listening at `where`, in words; `key` is what to change in the configuration. */
export function refused(where: string, error: unknown, key: string): CannotListen {
  const { code = '', message } = error as NodeJS.ErrnoException
  const advice =
    code === 'EACCES'
      ? `run as root, or choose another place with ${key}`
      : `choose another place with ${key}`
  return new CannotListen(`can't listen on ${where}: ${MEANINGS[code] ?? message}`, advice)
}

/** Connects once: undefined when somebody accepts, else the error's code. */
function knock(path: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    const call = request({ socketPath: path, path: '/healthz' })
    call.once('socket', (socket) => {
      socket.once('connect', () => {
        call.destroy()
        resolve(undefined)
      })
    })
    call.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message))
  })
}

export function unlinkIfThere(path: string): void {
  try {
    unlinkSync(path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
  }
}
