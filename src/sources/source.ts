/**
 * A prefix source finds prefixes that this host can reach by itself (a bridge's network, a static
 * block) and says so; the daemon announces what all sources together want.
 *
 * Sources are pure: they read the host through `HostView`, which `linux/monitor` implements, and own no
 * timers. The same prefix may come from several sources; it is withdrawn when the last one lets go.
 */
import type { Link, LinkAddress } from '../net/link.ts'
import type { Prefix } from '../net/prefix.ts'

export type SourceKind =
  'interface' | 'static' | 'docker' | 'cni' | 'hostRoute' | 'aggregate' | 'fan'

/** One prefix that a source offers: a row of `show sources`. */
export interface SourcedPrefix {
  readonly prefix: Prefix
  readonly source: SourceKind
  /** Link, network or container that it stands on, where there is one. */
  readonly interface?: string
  readonly network?: string
  readonly container?: string
  /** `asn:value` communities to attach. */
  readonly communities?: readonly string[]
  /** `asn:value:value` (RFC 8092). */
  readonly largeCommunities?: readonly string[]
  readonly med?: number
  /** The kernel shall drop what no more specific route takes (so unused space doesn't loop to the ToR). */
  readonly blackhole?: boolean
}

export interface SourceEvents {
  /** Offers `it`; offering the same prefix again replaces its facts. */
  offer(it: SourcedPrefix): void
  /** Takes back what this source offered for `prefix`. */
  retract(prefix: Prefix): void
}

export interface PrefixSource {
  readonly kind: SourceKind
  start(events: SourceEvents): void
  stop(): void
}

/** The host's links, addresses and routes to single addresses, live. */
export interface HostView {
  links(): Iterable<Link>
  addresses(): Iterable<LinkAddress>
  /** Routes of others than us. */
  hostRoutes(): Iterable<HostRoute>
  /** `listener` is called after each batch of link or address changes; returns the unsubscriber. */
  onLinksChanged(listener: () => void): () => void
  /** Likewise for `hostRoutes`. */
  onHostRoutesChanged(listener: () => void): () => void
}

/** A route of the kernel to one address that is on a link itself, behind no gateway. */
export interface HostRoute {
  /** /32 or /128. */
  readonly prefix: Prefix
  /** Index of the link. */
  readonly link: number
  /** RTPROT_*: 2 kernel, 3 boot, 4 static. */
  readonly protocol: number
}
