/**
 * Several hosts in one test process: fresh network namespaces, made by system calls.
 *
 * Sockets belong to the namespace in which they were made, so a test may hold both ends of a link.
 * The kernel removes the namespaces with the process, however that ends. (`enterBox` is enough for a
 * test of one host.)
 */
import { closeSync, openSync } from 'node:fs'
import { CLONE_NEWNET, must, setNamespace } from '../../src/linux/sys.ts'
import { enterBox } from './box.ts'

export interface NetworkNamespace {
  /** For `ip link set DEV netns PATH`. */
  readonly path: string
  /** Runs `action`, which must not be asynchronous, in this namespace. */
  within<T>(action: () => T): T
}

const PRESENT = '/proc/thread-self/ns/net'

/** Enters a fresh network namespace with its loopback up; the process stays there. */
export function enterNetworkNamespace(): NetworkNamespace {
  enterBox()
  const fd = openSync(PRESENT, 'r')
  return {
    path: `/proc/${process.pid}/fd/${fd}`,
    within: (action) => within(fd, action),
  }
}

/** Runs `action`, which must not be asynchronous, in the network namespace of this process. */
export function withinNetworkOf<T>(pid: number, action: () => T): T {
  const fd = openSync(`/proc/${pid}/ns/net`, 'r')
  try {
    return within(fd, action)
  } finally {
    closeSync(fd)
  }
}

function within<T>(fd: number, action: () => T): T {
  const here = openSync(PRESENT, 'r')
  try {
    must('setns', setNamespace(fd, CLONE_NEWNET))
    return action()
  } finally {
    must('setns back', setNamespace(here, CLONE_NEWNET))
    closeSync(here)
  }
}
