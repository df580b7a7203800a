/**
 * The kernel's routes that are not ours, for longest-prefix lookups.
 *
 * One Map per family from (network, length) to the routes of that prefix, best metric first. A lookup
 * tries only the lengths that occur, from the longest: a host has a handful of them. Several routes
 * may share prefix and metric (IPv6 siblings, IPv4 `append`), so a route is told from another by
 * metric, protocol, type and gateways.
 *
 * Prefixes of a single address on a link of this host are known apart, for `advertise.hostRoutes`: a look
 * at them costs nothing for all the others.
 */
import { wordsOf, type Address } from '../net/address.ts'
import { factsOf, type Family } from '../net/family.ts'
import type { KernelNextHop, KernelRoute } from '../fib/kernel.ts'
import type { HostRoute } from '../sources/source.ts'
import { RTN_UNICAST } from './route-message.ts'

interface FamilyRoutes {
  readonly byKey: Map<number | string, readonly KernelRoute[]>
  /** Prefixes of each length, and the lengths that occur, longest first. */
  readonly counts: Int32Array
  lengths: readonly number[]
}

const empty = (bits: number): FamilyRoutes => ({
  byKey: new Map(),
  counts: new Int32Array(bits + 1),
  lengths: [],
})

export class RouteTable {
  readonly #families: Record<Family, FamilyRoutes> = { ipv4: empty(32), ipv6: empty(128) }

  /** Routes of each metric. */
  readonly #metrics = new Map<number, number>()

  /** By text. */
  readonly #hostRoutes = new Map<string, HostRoute>()
  #hostRouteChanges = 0

  /** Where the kernel delivers to one address on a link, by the route of the lowest metric. */
  get hostRoutes(): Iterable<HostRoute> {
    return this.#hostRoutes.values()
  }

  /** Grows with each change of them. */
  get hostRouteChanges(): number {
    return this.#hostRouteChanges
  }

  /** Number of prefixes. */
  get size(): number {
    return this.#families.ipv4.byKey.size + this.#families.ipv6.byKey.size
  }

  /** Adds a route; with `replace`, in place of those of the same metric (NLM_F_REPLACE). */
  put(route: KernelRoute, replace: boolean): void {
    const others = this.#at(route).filter((other) =>
      replace ? other.metric !== route.metric : !sameRoute(other, route),
    )
    this.#set(route, insertByMetric(others, route))
  }

  /** Removes what a deletion told of: that route, or the gateways it names out of a larger one. */
  delete(route: KernelRoute): void {
    const found = this.#at(route)
    const exact = found.find((other) => sameRoute(other, route))
    if (exact !== undefined) {
      this.#set(
        route,
        found.filter((other) => other !== exact),
      )
      return
    }
    const gone = new Set(route.hops.map(hopText))
    const left: KernelRoute[] = []
    for (const other of found) {
      const kin = other.metric === route.metric && other.protocol === route.protocol
      const hops = other.hops.filter((hop) => !gone.has(hopText(hop)))
      if (!kin) left.push(other)
      else if (gone.size > 0 && hops.length > 0) left.push({ ...other, hops })
    }
    this.#set(route, left)
  }

  /** Removes all routes for which `gone` holds. */
  deleteWhere(family: Family, gone: (route: KernelRoute) => boolean): void {
    for (const routes of this.#families[family].byKey.values()) {
      if (!routes.some(gone)) continue
      this.#set(
        routes[0],
        routes.filter((route) => !gone(route)),
      )
    }
  }

  /**
   * The route of exactly this prefix and metric; the address words are big-endian at `words[at]`. Cheap
   * while there is no route of that metric at all.
   */
  find(
    family: Family,
    words: Int32Array,
    at: number,
    length: number,
    metric: number,
  ): KernelRoute | undefined {
    if (!this.#metrics.has(metric)) return undefined
    const key = keyOf(words.subarray(at, at + factsOf(family).words), length)
    return this.#families[family].byKey.get(key)?.find((route) => route.metric === metric)
  }

  clear(): void {
    this.#metrics.clear()
    this.#hostRoutes.clear()
    this.#hostRouteChanges++
    this.#families.ipv4 = empty(32)
    this.#families.ipv6 = empty(128)
  }

  /** The routes of each prefix that `address` lies in, the longest prefix first. */
  *candidates(address: Address): Generator<readonly KernelRoute[]> {
    const { byKey, lengths } = this.#families[address.family]
    const words = wordsOf(address.bytes)
    for (const length of lengths) {
      const routes = byKey.get(keyOf(words, length))
      if (routes !== undefined) yield routes
    }
  }

  *all(): Generator<KernelRoute> {
    for (const { byKey } of [this.#families.ipv4, this.#families.ipv6]) {
      for (const routes of byKey.values()) yield* routes
    }
  }

  #at({ prefix }: KernelRoute): readonly KernelRoute[] {
    const key = keyOf(wordsOf(prefix.bytes), prefix.length)
    return this.#families[prefix.family].byKey.get(key) ?? []
  }

  #set({ prefix }: KernelRoute, routes: readonly KernelRoute[]): void {
    const family = this.#families[prefix.family]
    const key = keyOf(wordsOf(prefix.bytes), prefix.length)
    for (const { metric } of family.byKey.get(key) ?? []) this.#count(metric, -1)
    for (const { metric } of routes) this.#count(metric, 1)
    if (prefix.length === factsOf(prefix.family).bits) this.#setHostRoute(prefix.text, routes[0])
    const existed = family.byKey.has(key)
    if (routes.length > 0) family.byKey.set(key, routes)
    else family.byKey.delete(key)
    if (existed === routes.length > 0) return
    const before = family.counts[prefix.length]
    const now = before + (existed ? -1 : 1)
    family.counts[prefix.length] = now
    if (before > 0 && now > 0) return
    const { bits } = factsOf(prefix.family)
    family.lengths = Array.from({ length: bits + 1 }, (_, i) => bits - i).filter(
      (length) => family.counts[length] > 0,
    )
  }

  #setHostRoute(text: string, best: KernelRoute | undefined): void {
    const link = best === undefined ? undefined : linkOfHost(best)
    if (best === undefined || link === undefined) {
      if (this.#hostRoutes.delete(text)) this.#hostRouteChanges++
      return
    }
    const { prefix, protocol } = best
    this.#hostRoutes.set(text, { prefix, link, protocol })
    this.#hostRouteChanges++
  }

  #count(metric: number, by: 1 | -1): void {
    const count = (this.#metrics.get(metric) ?? 0) + by
    if (count > 0) this.#metrics.set(metric, count)
    else this.#metrics.delete(metric)
  }
}

/** The link that a route delivers on by itself, through no gateway. */
function linkOfHost({ type, hops }: KernelRoute): number | undefined {
  const [hop] = hops
  const isDirect = type === RTN_UNICAST && hops.length === 1 && hop?.via === undefined
  return isDirect ? hop?.link : undefined
}

/** Map key of the network of `length` bits that the address `words` lie in. */
function keyOf(words: Int32Array, length: number): number | string {
  if (words.length === 1) return (masked(words[0], length) >>> 0) * 64 + length
  let key = `${length}`
  for (let i = 0; i < 4; i++) key += ` ${masked(words[i], length - 32 * i)}`
  return key
}

const masked = (word: number, bits: number): number =>
  bits >= 32 ? word : bits <= 0 ? 0 : word & (-1 << (32 - bits))

function insertByMetric(routes: readonly KernelRoute[], route: KernelRoute): KernelRoute[] {
  const at = routes.findIndex((other) => other.metric > route.metric)
  return at < 0 ? [...routes, route] : [...routes.slice(0, at), route, ...routes.slice(at)]
}

const hopText = (hop: KernelNextHop): string => `${hop.via?.text ?? ''} ${hop.link}`

const sameRoute = (a: KernelRoute, b: KernelRoute): boolean =>
  a.metric === b.metric &&
  a.protocol === b.protocol &&
  a.type === b.type &&
  a.nextHopId === b.nextHopId &&
  a.hops.length === b.hops.length &&
  a.hops.every((hop, i) => hopText(hop) === hopText(b.hops[i]))
