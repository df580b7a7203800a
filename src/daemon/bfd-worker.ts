/**
 * The worker thread of BFD: all sessions and their sockets, away from the event loop that carries tables.
 *
 * Nothing here waits for the main thread: what that orders comes as messages, what it should know goes as
 * messages. It ends when it is told to, having said AdminDown to all peers.
 */
import { createHash } from 'node:crypto'
import { setPriority } from 'node:os'
import { parentPort } from 'node:worker_threads'
import type { BfdReport } from '../bfd/session.ts'
import { BfdSessions, type BfdSpec } from '../bfd/sessions.ts'
import { bfdTransport } from '../linux/bfd-socket.ts'
import { systemClock } from './clock.ts'

export type BfdOrder =
  | { readonly type: 'Set'; readonly name: string; readonly spec: BfdSpec }
  | { readonly type: 'Remove'; readonly name: string }
  | { readonly type: 'Close' }

export type BfdNews =
  | {
      readonly type: 'Changed'
      readonly name: string
      readonly report: BfdReport
      /** The path of the session has broken just now. */
      readonly failure: boolean
    }
  /** A session can't be had, in words for people. */
  | { readonly type: 'Failed'; readonly name: string; readonly problem: string }

/** Of this thread alone: before what else runs here, and far from starving it, for it runs some microseconds at a time. */
const NICE = -10
try {
  setPriority(NICE)
} catch {
  // Without CAP_SYS_NICE it is one of many, as the rest of the daemon.
}

const port = parentPort
if (port === null) throw new Error('this is a worker thread')
const tell = (news: BfdNews): void => port.postMessage(news)

const sessions = new BfdSessions({
  clock: systemClock,
  random: Math.random,
  digest: (bytes) => createHash('sha1').update(bytes).digest(),
  transport: bfdTransport,
  changed: (name, report, failure) => tell({ type: 'Changed', name, report, failure }),
  failed: (name, problem) => tell({ type: 'Failed', name, problem }),
})

port.on('message', (order: BfdOrder) => {
  switch (order.type) {
    case 'Set':
      return sessions.set(order.name, order.spec)
    case 'Remove':
      return sessions.remove(order.name)
    case 'Close':
      sessions.close()
      return port.close()
  }
})
