/**
 * One linnet per control socket: a lock file beside it, locked with flock(2).
 *
 * The kernel drops the lock when its holder dies, however it dies, so there are no stale locks; the
 * file's text, the holder's pid, is only for people. The file is removed on release, so the lock that
 * was got must be on the file that the path still names: otherwise try again.
 */
import {
  closeSync,
  fstatSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readFileSync,
  statSync,
  unlinkSync,
  writeSync,
} from 'node:fs'
import { dirname } from 'node:path'
import { commandOf } from './port-owner.ts'
import { EAGAIN, flock, SystemError } from './sys.ts'

export interface Lock {
  readonly path: string
  /** Gives it back; harmless the second time. */
  release(): void
}

/** Somebody else holds the lock. */
export class LockedError extends Error {
  /** The holder, where the file told. */
  readonly pid: number | undefined

  constructor(text: string, pid: number | undefined) {
    super(text)
    this.name = 'LockedError'
    this.pid = pid
  }
}

const REMEDY = 'stop that linnet first, or use `linnet reload` if it is only to read its file again'

const LOCK_EX = 2
const LOCK_NB = 4

/** Takes the lock at `path`, making its folder. Throws a LockedError that names the holder. */
export function takeLock(path: string): Lock {
  mkdirSync(dirname(path), { recursive: true })
  for (;;) {
    const fd = openSync(path, 'a+', 0o640) // who may read a file may also lock it
    const result = flock(fd, LOCK_EX | LOCK_NB)
    if (result < 0) {
      closeSync(fd)
      if (result === -EAGAIN) throw lockedError(path)
      throw new SystemError(`lock ${path}`, -result)
    }
    if (isStillAt(path, fd)) return heldLock(path, fd)
    closeSync(fd) // its holder released and removed it between our open and our flock
  }
}

function heldLock(path: string, fd: number): Lock {
  ftruncateSync(fd)
  writeSync(fd, `${process.pid}\n`)
  let held = true
  return {
    path,
    release() {
      if (!held) return
      held = false
      if (isStillAt(path, fd)) unlinkSync(path)
      closeSync(fd)
    },
  }
}

function lockedError(path: string): LockedError {
  const pid = Number.parseInt(readIfThere(path), 10)
  if (Number.isNaN(pid))
    return new LockedError(`${path} is locked by another process; ${REMEDY}`, undefined)
  return new LockedError(`${path} is locked by pid ${pid} (${commandOf(pid)}); ${REMEDY}`, pid)
}

function isStillAt(path: string, fd: number): boolean {
  try {
    return statSync(path).ino === fstatSync(fd).ino
  } catch {
    return false
  }
}

function readIfThere(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}
