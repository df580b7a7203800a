/**
 * Work in another network namespace (namespaces(7)), as `ip netns` names them under /run/netns.
 *
 * setns(2) moves only the calling thread, and sockets stay in the namespace that they were made in. So
 * one process can hold sockets in many namespaces: step in, make the socket, step back, all without
 * giving the event loop a chance to run in between. A child that is spawned inside stays inside, and
 * /proc/sys/net shows the settings of where we stand.
 */
import { closeSync, openSync } from 'node:fs'
import { CLONE_NEWNET, must, setNamespace } from './sys.ts'

export const namespacePath = (name: string): string => `/run/netns/${name}`

/** Runs `work` in the namespace of this name; it must be synchronous. '' is our own. */
export function inNamespace<T>(name: string, work: () => T): T {
  if (name === '') return work()
  const home = openSync('/proc/thread-self/ns/net', 'r')
  try {
    const there = openSync(namespacePath(name), 'r')
    try {
      must(`enter the namespace ${name}`, setNamespace(there, CLONE_NEWNET))
    } finally {
      closeSync(there)
    }
    try {
      return work()
    } finally {
      must('return from a namespace', setNamespace(home, CLONE_NEWNET))
    }
  } finally {
    closeSync(home)
  }
}
