/**
 * Fresh network namespaces for kernel tests, made by system calls in the test's own process.
 *
 * Vitest gives each test file a process of its own; its main thread moves into the new namespace and
 * the kernel removes the namespace with the process, however that ends. Sockets belong to the namespace
 * in which they were made, so a test can hold several hosts at once.
 */
import { execFileSync } from 'node:child_process'
import { closeSync, openSync } from 'node:fs'
import { CLONE_NEWNET, setNamespace, unshare } from '../../src/linux/sys.ts'

export interface NetworkNamespace {
  /** For `ip link set DEV netns PATH`. */
  readonly path: string
  /** Runs `action`, which must not be asynchronous, in this namespace. */
  within<T>(action: () => T): T
}

/** Enters a fresh network namespace with its loopback up; the process stays there. */
export function enterNetworkNamespace(): NetworkNamespace {
  if (unshare(CLONE_NEWNET) < 0)
    throw new Error(
      'network namespaces need root: run `npm test -- --tier kernel`, which brings it',
    )
  const fd = openSync('/proc/thread-self/ns/net', 'r')
  ip('link set lo up')
  return {
    path: `/proc/${process.pid}/fd/${fd}`,
    within(action) {
      const here = openSync('/proc/thread-self/ns/net', 'r')
      try {
        if (setNamespace(fd, CLONE_NEWNET) < 0) throw new Error('setns was refused')
        return action()
      } finally {
        setNamespace(here, CLONE_NEWNET)
        closeSync(here)
      }
    },
  }
}

/** Runs one `ip` command in the present namespace; its complaint is the error. */
export function ip(command: string): string {
  return execFileSync('ip', command.split(' '), { encoding: 'utf8' })
}
