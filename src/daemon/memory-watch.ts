/**
 * Memory that comes to its end: told early, and met by taking no more routes before the kernel ends us.
 *
 * Our tables are typed arrays, outside of V8's heap: the machine and the control groups tell how much room they
 * have, and V8 how much its heap has. `near` is a warning. When it is `short`, what peers announce anew is left
 * out, as beyond `maxPrefixes`; all that is held stays and may change. When there is room again, the peers are
 * asked for what was left out.
 */
import { getHeapStatistics } from 'node:v8'
import type { MemoryRoom } from '../linux/memory.ts'
import type { Events } from './events.ts'
import type { Look } from './pulse.ts'

export interface MemoryWatchOptions {
  readonly events: Events
  rooms(): readonly MemoryRoom[]
  /** Take no more routes, or take them again. */
  takeNoMore(on: boolean): void
}

export interface MemoryWatch extends Look {
  /** For `show status`; undefined while there is room. */
  warning(): string | undefined
}

type Level = 'enough' | 'near' | 'short'

const EVERY_MS = 2_000
const MIB = 1 << 20
/** Less left than this part of the limit, and than this much. */
const NEAR = { part: 1 / 5, bytes: 256 * MIB }
const SHORT = { part: 1 / 10, bytes: 128 * MIB }
/** A level is left only with so much more room than it begins at. */
const CLEARLY = 1.25

/** Bytes below which room under this limit is `near` its end, or `short`. */
const threshold = ({ part, bytes }: typeof NEAR, limitBytes: number): number =>
  Math.min(part * limitBytes, bytes)

export function levelOf({ limitBytes, leftBytes }: MemoryRoom, before: Level): Level {
  const stays = (level: Level): number => (before === level ? CLEARLY : 1)
  if (leftBytes < threshold(SHORT, limitBytes) * stays('short')) return 'short'
  const near = before === 'enough' ? 1 : CLEARLY
  return leftBytes < threshold(NEAR, limitBytes) * near ? 'near' : 'enough'
}

/** V8's heap: of all but the tables. */
export function heapRoom(): MemoryRoom {
  const { heap_size_limit: limitBytes, used_heap_size: used } = getHeapStatistics()
  return { of: "Node's heap", limitBytes, leftBytes: limitBytes - used }
}

export function watchMemory({ events, rooms, takeNoMore }: MemoryWatchOptions): MemoryWatch {
  let level: Level = 'enough'
  let warning: string | undefined
  const look = (): void => {
    const before = level
    let tightest: MemoryRoom | undefined
    level = 'enough'
    for (const room of rooms()) {
      const its = levelOf(room, before)
      if (SEVERITY[its] <= SEVERITY[level]) continue
      level = its
      tightest = room
    }
    warning = tightest === undefined ? undefined : textOf(tightest, level)
    if (level === before) return
    if ((level === 'short') !== (before === 'short')) takeNoMore(level === 'short')
    tell(events, level, warning)
  }
  return { warning: () => warning, everyMs: EVERY_MS, look }
}

const SEVERITY: Readonly<Record<Level, number>> = { enough: 0, near: 1, short: 2 }

function textOf({ of, limitBytes, leftBytes }: MemoryRoom, level: Level): string {
  const mib = (bytes: number): string => `${Math.round(bytes / MIB).toLocaleString('en-US')} MiB`
  const left = `${of} has ${mib(leftBytes)} of ${mib(limitBytes)} memory left`
  return level === 'short'
    ? `${left}: no more routes are taken, what is held stays; give it more, or lower maxPrefixes`
    : `${left}: below ${mib(threshold(SHORT, limitBytes))} no more routes are taken`
}

function tell(events: Events, level: Level, text = 'there is enough memory again'): void {
  const kind = { enough: 'MemoryRecovered', near: 'MemoryNearEnd', short: 'MemoryShort' }[level]
  const severity = ({ enough: 'info', near: 'warn', short: 'error' } as const)[level]
  events.tell({ level: severity, topic: 'daemon', kind, text })
}
