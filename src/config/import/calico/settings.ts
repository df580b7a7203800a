/**
 * Every setting of Calico that has to do with BGP and routes: what says the same in linnet, or why nothing
 * does. docs/calico.md is printed from these rows, and the importer tells by them what it leaves out.
 */
import { plainOf, nodeAt, type Path } from '../../tree.ts'
import { nearest } from '../../spelling.ts'
import type { Kind } from './kinds.ts'
import type { Report } from './report.ts'
import type { Found } from './found.ts'
import type { Setting } from './setting.ts'
import { BLOCK_AFFINITY, IP_POOL, NODE } from './settings-of-addresses.ts'
import { BGP_FILTER } from './settings-of-filters.ts'
import { BGP_CONFIGURATION, BGP_PEER } from './settings-of-sessions.ts'

export const SETTINGS: Readonly<Record<Kind, readonly Setting[]>> = {
  BGPConfiguration: BGP_CONFIGURATION,
  BGPPeer: BGP_PEER,
  BGPFilter: BGP_FILTER,
  IPPool: IP_POOL,
  Node: NODE,
  BlockAffinity: BLOCK_AFFINITY,
}

/** Tells of all that a resource says and linnet can't, and of fields that nobody knows. */
export function tellOfSettings(found: Found & { readonly kind: Kind }, report: Report): void {
  tellOfFields(found, [], '', report)
}

/** As `tellOfSettings`, for the map at `steps`, whose rows begin with `prefix`. */
export function tellOfFields(
  found: Found & { readonly kind: Kind },
  steps: Path,
  prefix: string,
  report: Report,
): void {
  const node = nodeAt(found.root, [...found.path, 'spec', ...steps])
  if (node?.kind !== 'map') return
  const rows = SETTINGS[found.kind]
  for (const [key, entry] of node.entries) {
    const field = `${prefix}${key}`
    const row = rows.find((it) => it.field === field)
    const at = [...steps, key]
    if (row?.told !== undefined && !isSaid(plainOf(entry.node), row.told.except)) {
      report.tell(found, at, row.told.why, row.told.instead)
    }
    if (row !== undefined) continue
    if (rows.some((it) => it.field.startsWith(`${field}.`))) {
      tellOfFields(found, at, `${field}.`, report)
      continue
    }
    const known = rows
      .filter((it) => it.field.startsWith(prefix))
      .map((it) => it.field.slice(prefix.length))
    const near = nearest(key, known)
    const instead = near === undefined ? 'look up what it does there' : `did you mean ${near}?`
    report.tell(found, at, 'Calico had no such field when this was written', instead)
  }
}

const EMPTY: readonly unknown[] = [null, '', false, [], {}]

/** Empty, or one of the values that say what linnet does anyway. */
function isSaid(value: unknown, except: readonly unknown[] = []): boolean {
  const text = JSON.stringify(value)
  return [...EMPTY, ...except].some((it) => JSON.stringify(it) === text)
}
