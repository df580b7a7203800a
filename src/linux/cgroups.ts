/**
 * Control groups of boxes with containers (cgroups(7)): the one thing that namespaces don't take along when
 * they go. Each box has a parent of its own, named after the process that it ends with, so whoever comes
 * later can tell what is left of a box that was killed.
 */
import { existsSync, readdirSync, rmdirSync } from 'node:fs'
import { join } from 'node:path'
import { isAlive } from './process.ts'

const CGROUPS = '/sys/fs/cgroup'

/** What exists of the group called `name`; empty once the box is closed. */
export const cgroupsOf = (name: string): string[] =>
  hierarchies().flatMap((it) => (existsSync(join(it, name)) ? [join(it, name)] : []))

/** Removes it with all below; throws (EBUSY) while processes are in it. */
export function removeCgroups(name: string): void {
  for (const group of cgroupsOf(name)) removeTree(group)
}

/** Removes what boxes have left whose process is gone; `names` has their pid in brackets. */
export function sweepCgroups(names: RegExp): void {
  for (const hierarchy of hierarchies()) {
    for (const name of readdirSync(hierarchy)) {
      const owner = names.exec(name)?.[1]
      if (owner !== undefined && !isAlive(Number(owner))) removeTree(join(hierarchy, name))
    }
  }
}

/** The mounted hierarchies: one in version 2, one for each controller in version 1. */
const hierarchies = (): string[] => [
  CGROUPS,
  ...readdirSync(CGROUPS, { withFileTypes: true })
    .filter((it) => it.isDirectory())
    .map((it) => join(CGROUPS, it.name)),
]

function removeTree(group: string): void {
  for (const entry of readdirSync(group, { withFileTypes: true })) {
    if (entry.isDirectory()) removeTree(join(group, entry.name))
  }
  rmdirSync(group)
}
