/**
 * Verdicts: what was found in the kernel against what shall be there. Reconcile, never wipe.
 */
import { forwardingOf, sameForwarding } from './forwarding.ts'
import {
  NEXT_HOP_ID_FIRST,
  NEXT_HOP_ID_LAST,
  NEXT_HOP_LEG_ID_FIRST,
  STANDBY_WEIGHT,
  type KernelNextHopObject,
  type KernelOptions,
  type KernelRoute,
  type KernelTarget,
} from './kernel.ts'
import { greatestCommonDivisor } from './shares.ts'

export type Verdict = 'keep' | 'replace' | 'delete'

/** What tells our routes from everybody else's. */
export interface RouteMark extends Pick<KernelOptions, 'table' | 'metric' | 'protocol'> {
  /** Addresses that unicast routes carry; undefined: not looked at. */
  readonly preferredSource?: KernelOptions['preferredSource'] | undefined
}

/** How a prefix shall be forwarded. */
export interface WantedForwarding {
  readonly id: number
  readonly target: KernelTarget
  /** Routes carry the id of the object; otherwise what the target says. */
  readonly object: boolean
}

/** Routes that differ in any of these are never touched. */
export const isOurs = (route: KernelRoute, mark: RouteMark): boolean =>
  route.protocol === mark.protocol &&
  route.table === mark.table &&
  route.metric === mark.metric &&
  (route.nextHopId === 0 ||
    (route.nextHopId >= NEXT_HOP_ID_FIRST && route.nextHopId <= NEXT_HOP_ID_LAST))

/** `found` is ours; `wanted` is how its prefix shall be forwarded, undefined when not at all. */
export function verdict(
  found: KernelRoute,
  wanted: WantedForwarding | undefined,
  mark: RouteMark,
): Verdict {
  if (wanted === undefined) return 'delete'
  if (!hasSource(found, wanted, mark)) return 'replace'
  if (wanted.object) return found.nextHopId === wanted.id ? 'keep' : 'replace'
  const forwarding = found.nextHopId === 0 ? forwardingOf(found) : undefined
  const same = forwarding !== undefined && sameForwarding(forwarding, wanted.target)
  return same ? 'keep' : 'replace'
}

function hasSource(
  found: KernelRoute,
  { target }: WantedForwarding,
  { preferredSource }: RouteMark,
): boolean {
  if (preferredSource === undefined || target.kind !== 'gateways') return true
  return found.preferredSource?.text === preferredSource[found.prefix.family]?.text
}

/** How each group of ours forwards, by its id: members are looked up among `objects`. */
export function targetsOfObjects(
  objects: readonly KernelNextHopObject[],
): Map<number, KernelTarget> {
  const byId = new Map(objects.map((object) => [object.id, object]))
  const targets = new Map<number, KernelTarget>()
  for (const object of objects) {
    if (object.id < NEXT_HOP_ID_FIRST || object.id >= NEXT_HOP_LEG_ID_FIRST) continue
    targets.set(object.id, targetOf(object, byId))
  }
  return targets
}

function targetOf(
  { group, hop, blackhole, resilient }: KernelNextHopObject,
  byId: ReadonlyMap<number, KernelNextHopObject>,
): KernelTarget {
  if (blackhole) return { kind: 'blackhole' }
  if (hop !== undefined) return { kind: 'gateways', hops: [hop] }
  const legs = group.flatMap(({ id, weight }) => {
    const leg = byId.get(id)?.hop
    return leg === undefined ? [] : [{ ...leg, weight }]
  })
  if (resilient !== true) return { kind: 'gateways', hops: legs }
  const hops = legs.filter(({ weight }) => weight !== STANDBY_WEIGHT)
  const share = hops.reduce((divisor, { weight }) => greatestCommonDivisor(weight, divisor), 0)
  const standby = legs.find(({ weight }) => weight === STANDBY_WEIGHT)
  return {
    kind: 'gateways',
    hops: hops.map((leg) => ({ ...leg, weight: leg.weight / share })),
    standby: standby === undefined ? null : { ...standby, weight: 1 },
  }
}
