/**
 * A route as all daemons can tell it: one shape, one spelling, so that the table of any of them can be
 * held against what was announced, attribute by attribute.
 */
import type { Family } from '../../../src/net/family.ts'

export interface Route {
  readonly prefix: string
  /** Of IPv6 the global one. Empty: ourselves (when announced). */
  readonly nextHop: string
  readonly origin: 'igp' | 'egp' | 'incomplete'
  /** `65001 4200000010 {65011,65012}` */
  readonly asPath: string
  readonly med: number | null
  readonly localPref: number | null
  /** Sorted; `65001:7`, `no-export`. */
  readonly communities: readonly string[]
  /** Sorted; `rt:65001:9`, `ro:65001:9`. */
  readonly extendedCommunities: readonly string[]
  /** Sorted; `65001:1:2`. */
  readonly largeCommunities: readonly string[]
  readonly atomicAggregate: boolean
  /** `65010 192.0.2.7` */
  readonly aggregator: string | null
  readonly originatorId: string | null
  readonly clusterList: readonly string[]
  /** Attributes that no daemon here knows: `99 e0 0102` is code, flags and value. */
  readonly unknown: readonly string[]
}

/** A route with these attributes; all others are absent. */
export function route(it: Partial<Route> & Pick<Route, 'prefix'>): Route {
  const sorted = (list: readonly string[] = []): string[] => list.toSorted()
  return {
    prefix: it.prefix,
    nextHop: it.nextHop ?? '',
    origin: it.origin ?? 'igp',
    asPath: it.asPath ?? '',
    med: it.med ?? null,
    localPref: it.localPref ?? null,
    communities: sorted(it.communities?.map(communityName)),
    extendedCommunities: sorted(it.extendedCommunities),
    largeCommunities: sorted(it.largeCommunities),
    atomicAggregate: it.atomicAggregate ?? false,
    aggregator: it.aggregator ?? null,
    originatorId: it.originatorId ?? null,
    clusterList: it.clusterList ?? [],
    unknown: sorted(it.unknown),
  }
}

/**
 * Attributes by name; `asPath` stands for paths beyond the own AS, `asSet` for sets in them, `partial` for
 * the flags of unknown attributes, `noMed` for a route without MULTI_EXIT_DISC.
 */
export type Attribute = Exclude<keyof Route, 'prefix' | 'nextHop'> | 'asSet' | 'partial' | 'noMed'

export const familyOf = (prefix: string): Family => (prefix.includes(':') ? 'ipv6' : 'ipv4')

export const byPrefix = (routes: readonly Route[]): Route[] =>
  routes.toSorted((a, b) => (a.prefix < b.prefix ? -1 : a.prefix > b.prefix ? 1 : 0))

const WELL_KNOWN: Readonly<Record<string, string>> = {
  '65535:0': 'graceful-shutdown',
  '65535:666': 'blackhole',
  '65535:65281': 'no-export',
  '65535:65282': 'no-advertise',
  '65535:65283': 'no-export-subconfed',
}

/** The well-known name of a community that has one. */
export const communityName = (text: string): string => WELL_KNOWN[text] ?? text

/** `65535:65281` for `no-export`, for daemons that want numbers. */
export const communityNumbers = (name: string): string =>
  Object.entries(WELL_KNOWN).find(([, known]) => known === name)?.[0] ?? name

/** `65001:7` for the 32 bits. */
export const communityOf = (bits: number): string =>
  communityName(`${Math.floor(bits / 65536)}:${bits % 65536}`)
