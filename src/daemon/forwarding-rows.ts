/** What the kernel forwards by, as rows of the control API: routes, and the next hops that they share. */
import { FAMILIES } from '../net/family.ts'
import { covers } from '../net/prefix.ts'
import type { PrefixFilter } from '../control/queries.ts'
import type { FibRow, NextHopRow } from '../control/rows.ts'
import type { Overlay } from '../fib/dataplanes/overlay.ts'
import type { KernelTarget } from '../fib/kernel.ts'
import type { HostView } from '../sources/source.ts'
import { isoOf } from './clock.ts'
import { inUse, type NextHopSet } from './next-hop-sets.ts'
import type { Speaker } from './speaker.ts'

/** The legs of a target, with the names of their links. */
function legs(target: KernelTarget, host: HostView, overlay: Overlay | undefined) {
  if (target.kind !== 'gateways') return []
  const names = new Map([...host.links()].map(({ index, name }) => [index, name]))
  return target.hops.map((hop) => ({
    via: hop.via?.text ?? null,
    dev: names.get(hop.link) ?? null,
    weight: hop.weight ?? 1,
    encap: overlay?.wrappingOf(hop) ?? null,
  }))
}

const TYPES = { gateways: 'unicast', blackhole: 'blackhole', unreachable: 'unreachable' } as const

export function* fibRows(speaker: Speaker, host: HostView, filter: PrefixFilter): Iterable<FibRow> {
  const { forwarding } = speaker
  if (forwarding === undefined) return
  const { table, metric, protocol } = speaker.config.kernel
  for (const family of FAMILIES) {
    if (filter.family !== undefined && filter.family !== family.name) continue
    const { prefixes } = speaker.rib.families[family.index]
    for (const row of forwarding.fib.rows(family.index)) {
      const prefix = prefixes.prefix(row.prefixId)
      if (filter.prefix !== undefined) {
        const matches = filter.longer
          ? covers(filter.prefix, prefix)
          : filter.prefix.text === prefix.text
        if (!matches) continue
      }
      const target = forwarding.targets.get(row.targetId)?.target
      yield {
        prefix: prefix.text,
        family: family.name,
        type: TYPES[target?.kind ?? 'gateways'],
        nextHops: target === undefined ? [] : legs(target, host, forwarding.overlay),
        nexthopId: row.targetId === 0 ? null : row.targetId,
        table,
        metric,
        protocol,
        state: row.state,
        error: row.error ?? null,
        since: isoOf(row.since ?? Date.now()),
      }
    }
  }
}

/** Targets of the FIB, then next hops that no route goes by. */
export function nextHopRows(speaker: Speaker, host: HostView): NextHopRow[] {
  const rows: NextHopRow[] = []
  const inTargets = new Set<string>()
  // The RIB knows links by their index, people by their name.
  const named = (text: string): string =>
    text.replace(/(?<=%)\d+$/, (index) => speaker.linkName(Number(index)))
  const { forwarding } = speaker
  for (const target of forwarding?.targets ?? []) {
    const set = forwarding?.sets.get(target.id)
    const members = set === undefined ? [] : inUse(set)
    for (const { address } of members) inTargets.add(address.text)
    rows.push({
      id: target.id,
      nextHops:
        set === undefined ? [target.key] : members.map(({ address }) => named(address.text)),
      members: legs(target.target, host, forwarding?.overlay),
      routes: target.routes,
      backup: set === undefined ? null : backupText(set, named),
      resolvedBy: members.map(({ resolution }) => resolution.resolvedBy).join(', '),
      since: isoOf(target.since),
    })
  }
  for (const { address, resolution } of speaker.rib.nextHops) {
    if (inTargets.has(address.text)) continue
    const hops = resolution.gateways
    rows.push({
      id: null,
      nextHops: [named(address.text)],
      members: legs({ kind: 'gateways', hops }, host, undefined),
      routes: 0,
      backup: null,
      resolvedBy: resolution.resolvedBy,
      since: isoOf(Date.now()),
    })
  }
  return rows
}

function backupText(
  { backup, members }: NextHopSet,
  named: (text: string) => string,
): string | null {
  const takesOver = backup !== undefined && !backup.lost && !members.every(({ lost }) => lost)
  return takesOver ? named(backup.nextHop.address.text) : null
}
