/**
 * A node's kernel routes as an expectation sees them: what `ip -j route` says, with nexthop objects
 * resolved (with nexthop_compat_mode=0 a route shows only an id).
 */
import { z } from 'zod'
import { inNamespace } from '../linux/netns.ts'
import { outputOf } from '../linux/process.ts'

export interface RouteSeen {
  readonly prefix: string
  /** Gateways; empty for a route that is on the link or drops. */
  readonly nextHops: readonly string[]
  readonly dev: readonly string[]
  readonly type: string
  readonly protocol: string
  readonly metric: number
}

const leg = z.object({
  gateway: z.string().optional(),
  via: z.object({ host: z.string() }).optional(),
  dev: z.string().optional(),
})
type Leg = z.output<typeof leg>

const routeSchema = leg.extend({
  type: z.string().optional(),
  dst: z.string(),
  protocol: z.string().optional(),
  metric: z.number().optional(),
  nhid: z.number().optional(),
  nexthops: z.array(leg).optional(),
})

const nextHopSchema = leg.extend({
  id: z.number(),
  group: z.array(z.object({ id: z.number(), weight: z.number().optional() })).optional(),
  type: z.string().optional(),
})
type NextHopObject = z.output<typeof nextHopSchema>

/** The members of a group that packets go by: not what stands by (linux/nexthop-objects.ts). */
function serving({ group = [], type }: NextHopObject): readonly { readonly id: number }[] {
  const heavy = group.filter(({ weight = 1 }) => weight > 1)
  return type === 'resilient' && heavy.length > 0 ? heavy : group
}

/** Pure: the two listings -> routes. */
export function routesFrom(routes: unknown, nextHops: unknown): RouteSeen[] {
  const objects = new Map<number, NextHopObject>()
  for (const it of z.array(nextHopSchema).parse(nextHops)) objects.set(it.id, it)
  const legsOf = (id: number): Leg[] => {
    const object = objects.get(id)
    if (object === undefined) return []
    return object.group === undefined ? [object] : serving(object).flatMap((it) => legsOf(it.id))
  }
  return z
    .array(routeSchema)
    .parse(routes)
    .map((route) => {
      const written = route.nexthops ?? [route]
      const legs = route.nhid === undefined ? written : legsOf(route.nhid)
      return {
        prefix: prefixOf(route.dst),
        nextHops: legs.flatMap((it) => it.gateway ?? it.via?.host ?? []).toSorted(),
        dev: [...new Set(legs.flatMap((it) => it.dev ?? []))].toSorted(),
        type: route.type ?? 'unicast',
        protocol: route.protocol ?? 'boot',
        metric: route.metric ?? 0,
      }
    })
}

function prefixOf(destination: string): string {
  if (destination === 'default') return '0.0.0.0/0'
  if (destination.includes('/')) return destination
  return `${destination}/${destination.includes(':') ? 128 : 32}`
}

/** The main table of a namespace, both families. */
export async function kernelRoutes(namespace: string): Promise<RouteSeen[]> {
  const ip = async (...args: readonly string[]): Promise<unknown> => {
    const text = await inNamespace(namespace, () => outputOf('ip', ['-j', ...args]))
    return text.trim() === '' ? [] : JSON.parse(text)
  }
  const nextHops = await ip('nexthop', 'show')
  const ipv4 = routesFrom(await ip('-d', '-4', 'route', 'show'), nextHops)
  return [...ipv4, ...routesFrom(await ip('-d', '-6', 'route', 'show'), nextHops)]
}
