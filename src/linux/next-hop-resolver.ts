/**
 * Next-hop resolution over the kernel's own links, addresses and routes (RFC 4271 9.1.2.1): the
 * `rib/next-hop` resolver.
 *
 * A next hop is looked up as the kernel would look up a packet to it, but never through our own
 * routes. Of the longest prefix that can be used, the best metric counts. Two rules differ from plain
 * forwarding: a next hop in a network of one of our links is reached on that link or not at all (when
 * the link is down, a default route would send a neighbour's traffic the wrong way), and routes over
 * links without carrier don't count.
 *
 * Watched next hops are looked up again when a turn has brought changes; only real differences are
 * told. Gateways carry no zone: their `link` says where they are.
 */
import { addressFromBytes, isLinkLocal, type Address } from '../net/address.ts'
import { contains } from '../net/prefix.ts'
import type { KernelRoute } from '../fib/kernel.ts'
import type { Gateway, NextHopResolver, Resolution } from '../rib/next-hop.ts'
import type { KernelTables } from './kernel-tables.ts'
import { RTN_UNICAST, RTPROT_KERNEL, protocolName } from './route-message.ts'

/** The monitor, as far as resolution needs it. */
export interface TablesSource {
  readonly tables: KernelTables
  onTablesChanged(listener: (change: { readonly hosts: boolean }) => void): () => void
}

interface Watched {
  readonly nextHop: Address
  resolution: Resolution
}

/** How long route changes wait after a check, in units of what the check took. */
const REST_FACTOR = 10

type Listener = (nextHop: Address, resolution: Resolution) => void

export class KernelNextHopResolver implements NextHopResolver {
  readonly #tables: KernelTables
  readonly #watched = new Map<string, Watched>()
  readonly #listeners: Listener[] = []
  readonly #unsubscribe: () => void
  #restUntil = 0
  #timer: NodeJS.Timeout | undefined

  constructor(source: TablesSource) {
    this.#tables = source.tables
    this.#unsubscribe = source.onTablesChanged(({ hosts }) => this.#changed(hosts))
  }

  resolve(nextHop: Address): Resolution {
    const known = this.#watched.get(nextHop.text)
    if (known !== undefined) return known.resolution
    const resolution = resolveNextHop(this.#tables, nextHop)
    this.#watched.set(nextHop.text, { nextHop, resolution })
    return resolution
  }

  forget(nextHop: Address): void {
    this.#watched.delete(nextHop.text)
  }

  onChange(listener: Listener): void {
    this.#listeners.push(listener)
  }

  close(): void {
    this.#unsubscribe()
    clearTimeout(this.#timer)
  }

  /** Links and addresses at once; a storm of other routes shall cost a tenth of our time at most. */
  #changed(hosts: boolean): void {
    const rest = this.#restUntil - performance.now()
    if (hosts || rest <= 0) this.#checkAll()
    else this.#timer ??= setTimeout(() => this.#checkAll(), rest)
  }

  #checkAll(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    const started = performance.now()
    for (const watched of this.#watched.values()) {
      const now = resolveNextHop(this.#tables, watched.nextHop)
      const changed = !sameResolution(now, watched.resolution)
      watched.resolution = now
      if (!changed) continue
      for (const listener of this.#listeners) listener(watched.nextHop, now)
    }
    const ended = performance.now()
    this.#restUntil = ended + REST_FACTOR * (ended - started)
  }
}

/** How `nextHop` is reached according to `tables`. */
export function resolveNextHop(tables: KernelTables, nextHop: Address): Resolution {
  const owner = ownLink(tables, nextHop)
  if (owner !== undefined) {
    return { ...unreachable(`own address on ${owner}`), own: true }
  }
  return isLinkLocal(nextHop) ? onItsLink(tables, nextHop) : byRoutes(tables, nextHop)
}

const unreachable = (resolvedBy: string): Resolution => ({
  gateways: [],
  onLink: false,
  own: false,
  metric: 0,
  resolvedBy,
})

/** Name of the link that has this address as its own. */
function ownLink(tables: KernelTables, nextHop: Address): string | undefined {
  const zone = nextHop.zone === undefined ? undefined : linkOfZone(tables, nextHop.zone)
  const owner = tables.owners(nextHop).find(({ link }) => zone === undefined || link === zone)
  return owner === undefined ? undefined : nameOf(tables, owner.link)
}

const nameOf = (tables: KernelTables, link: number): string =>
  tables.links.get(link)?.name ?? `link ${link}`

/** A zone is a link's name, or its index in digits (RFC 4007 section 11.2). */
function linkOfZone(tables: KernelTables, zone: string): number | undefined {
  for (const link of tables.links.values()) if (link.name === zone) return link.index
  const index = /^\d+$/.test(zone) ? Number(zone) : 0
  return tables.links.has(index) ? index : undefined
}

function onItsLink(tables: KernelTables, nextHop: Address): Resolution {
  if (nextHop.zone === undefined) {
    return unreachable(`${nextHop.text} is link-local: it needs a link, as in ${nextHop.text}%eth0`)
  }
  const link = linkOfZone(tables, nextHop.zone)
  if (link === undefined) return unreachable(`no link ${nextHop.zone}`)
  if (!tables.isUp(link)) return unreachable(`${nameOf(tables, link)} is down`)
  return onLink(tables, nextHop, [link])
}

function onLink(tables: KernelTables, nextHop: Address, links: readonly number[]): Resolution {
  const via = nextHop.zone === undefined ? nextHop : addressFromBytes(nextHop.bytes)
  return {
    gateways: links.map((link) => ({ via, link })),
    onLink: true,
    own: false,
    metric: 0,
    resolvedBy: `connected on ${links.map((link) => nameOf(tables, link)).join(', ')}`,
  }
}

function byRoutes(tables: KernelTables, nextHop: Address): Resolution {
  const down = downNetwork(tables, nextHop)
  for (const routes of tables.routes.candidates(nextHop)) {
    if (down !== undefined && routes[0].prefix.length < down.length) break
    for (const route of routes) {
      if (route.type !== RTN_UNICAST) {
        return unreachable(`${route.prefix.text} is ${NAME_OF_TYPE[route.type] ?? 'not unicast'}`)
      }
      const resolution = through(tables, nextHop, route)
      if (resolution !== undefined) return resolution
    }
  }
  if (down !== undefined) return unreachable(`${nameOf(tables, down.link)} is down`)
  return unreachable(`no route to ${nextHop.text}`)
}

/** The longest network of ours that the next hop lies in, of those whose link is down. */
function downNetwork(
  tables: KernelTables,
  nextHop: Address,
): { link: number; length: number } | undefined {
  let found: { link: number; length: number } | undefined
  for (const { link, prefix } of tables.networks()) {
    if (tables.isUp(link) || prefix.length <= (found?.length ?? -1)) continue
    if (contains(prefix, nextHop)) found = { link, length: prefix.length }
  }
  return found
}

/** The way over `route`; undefined when none of its links can be used. */
function through(
  tables: KernelTables,
  nextHop: Address,
  route: KernelRoute,
): Resolution | undefined {
  const hops = tables.hopsOf(route).filter(({ link }) => tables.isUp(link))
  const usable = hops.filter(({ link }) => tables.links.get(link)?.loopback !== true)
  if (usable.length === 0) return undefined
  const direct = usable.every((hop) => hop.via === undefined)
  if (direct && route.protocol === RTPROT_KERNEL) {
    return onLink(
      tables,
      nextHop,
      usable.map(({ link }) => link),
    )
  }
  const gateways = usable.map(({ via, link }): Gateway => ({ via: via ?? nextHop, link }))
  const ways = gateways.map(({ via, link }) => `${via.text} on ${nameOf(tables, link)}`)
  return {
    gateways,
    onLink: direct,
    own: false,
    metric: direct ? 0 : route.metric,
    resolvedBy: `via ${ways.join(', ')} (${protocolName(route.protocol)})`,
  }
}

/** RTN_* that take no packets anywhere. */
const NAME_OF_TYPE: Readonly<Record<number, string>> = {
  6: 'a blackhole',
  7: 'unreachable',
  8: 'prohibited',
}

const sameResolution = (a: Resolution, b: Resolution): boolean =>
  a.onLink === b.onLink &&
  a.own === b.own &&
  a.metric === b.metric &&
  a.gateways.length === b.gateways.length &&
  a.gateways.every(
    (it, i) => it.link === b.gateways[i].link && it.via.text === b.gateways[i].via.text,
  )
