/**
 * Other routing daemons that write to the same kernel: told of once each, when we start or when they appear. Their
 * routes are never touched, but two who learn the same prefixes confuse people, and some remove what they don't know.
 */
import type { NetlinkProcess } from '../linux/netlink-author.ts'
import type { Events } from './events.ts'

export interface RivalsOptions {
  readonly events: Events
  /** Who speaks to the kernel about routes. */
  processes(): readonly NetlinkProcess[]
}

const EVERY_MS = 60_000

/** By the kernel's name of the process. */
const REMEDIES: ReadonlyMap<string, string> = new Map([
  ['zebra', 'give FRR other prefixes, or another routing table (kernel.table)'],
  ['bird', 'give BIRD other prefixes, or another routing table (kernel.table)'],
  ['bird6', 'give BIRD other prefixes, or another routing table (kernel.table)'],
])

/** Looks now and every minute; returns what ends it. */
export function watchForRivals({ events, processes }: RivalsOptions): () => void {
  const known = new Set<number>()
  const look = (): void => {
    for (const { name, pid } of processes()) {
      const remedy = REMEDIES.get(name)
      if (remedy === undefined || known.has(pid)) continue
      known.add(pid)
      events.tell({
        level: 'warn',
        topic: 'fib',
        kind: 'RivalFound',
        text: `${name} (pid ${pid}) may write routes into this kernel too: its routes are left alone, and a prefix of both goes by the lower metric; ${remedy}`,
      })
    }
  }
  look()
  const timer = setInterval(look, EVERY_MS)
  timer.unref()
  return () => clearInterval(timer)
}
