/**
 * How much memory is left, by each limit that we live under: the machine's, and those of the control groups that
 * we are in (a container's, a service's), of which the tightest counts. Version 2 and version 1 differ in names.
 *
 * What a group uses holds files that were read: the kernel drops these before it says no, so they don't count.
 */
import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

export interface MemoryRoom {
  /** Whose: `the machine`, `control group /system.slice/linnet.service`. */
  readonly of: string
  readonly limitBytes: number
  readonly leftBytes: number
}

/** Gives the text of a file, '' where there is none. */
export type ReadText = (path: string) => string

const CGROUP_ROOT = '/sys/fs/cgroup'

/** What can't be found out is left out. */
export function readMemoryRooms(read: ReadText = readIfThere): readonly MemoryRoom[] {
  return [machineRoom(read), groupRoom(read)].filter((it) => it !== undefined)
}

function machineRoom(read: ReadText): MemoryRoom | undefined {
  const text = read('/proc/meminfo')
  const bytes = (name: string): number =>
    1024 * Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(text)?.[1] ?? NaN)
  const room = {
    of: 'the machine',
    limitBytes: bytes('MemTotal'),
    leftBytes: bytes('MemAvailable'),
  }
  return isKnown(room) ? room : undefined
}

/** Of our own group and those around it, the one with the least room. */
function groupRoom(read: ReadText): MemoryRoom | undefined {
  let tightest: MemoryRoom | undefined
  for (const line of read('/proc/self/cgroup').split('\n')) {
    const [, controllers = '', group = ''] = /^\d+:([^:]*):(\/.*)$/.exec(line) ?? []
    const names = controllers === '' ? VERSION_2 : VERSION_1
    if (group === '' || (controllers !== '' && !controllers.split(',').includes('memory'))) continue
    // Inside a container the group may be named as the host knows it, while its files are at the root.
    for (let at = group; ; at = dirname(at)) {
      const room = roomOf(read, at, names)
      if (room !== undefined && room.leftBytes < (tightest?.leftBytes ?? Infinity)) tightest = room
      if (at === '/') break
    }
  }
  return tightest
}

interface Names {
  readonly folder: string
  readonly limit: string
  readonly used: string
  readonly files: RegExp
}

const VERSION_2: Names = {
  folder: CGROUP_ROOT,
  limit: 'memory.max',
  used: 'memory.current',
  files: /^(?:in)?active_file (\d+)$/gm,
}
const VERSION_1: Names = {
  folder: join(CGROUP_ROOT, 'memory'),
  limit: 'memory.limit_in_bytes',
  used: 'memory.usage_in_bytes',
  files: /^total_(?:in)?active_file (\d+)$/gm,
}
/** Version 1 writes "none" as a huge number. */
const NO_LIMIT_BYTES = 2 ** 60

function roomOf(read: ReadText, group: string, names: Names): MemoryRoom | undefined {
  const of = (file: string): string => read(join(names.folder, group, file)).trim()
  const limit = of(names.limit)
  const limitBytes = Number(limit) // 'max' is none
  if (limit === '' || !(limitBytes < NO_LIMIT_BYTES)) return undefined
  let leftBytes = limitBytes - Number(of(names.used))
  for (const [, files] of of('memory.stat').matchAll(names.files)) leftBytes += Number(files)
  const room = { of: `control group ${group}`, limitBytes, leftBytes }
  return isKnown(room) ? room : undefined
}

const isKnown = ({ limitBytes, leftBytes }: MemoryRoom): boolean =>
  Number.isFinite(limitBytes) && Number.isFinite(leftBytes)

function readIfThere(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return '' // another version of control groups, or a container that hides it
  }
}
