/**
 * What the FIB asks of the kernel, and what it hears from it. `linux/` implements both sides; tests
 * have a kernel of plain Maps.
 *
 * Two very different channels. Next-hop objects are few and urgent: each call takes effect before it
 * returns (some 10-100 us), so a route put afterwards may point to them, and a failover is one call.
 * Routes are many: they are put into a ring that a worker thread empties, and only counted back.
 * The ring keeps order; results come in that order too.
 */
import type { Address } from '../net/address.ts'
import type { Prefix } from '../net/prefix.ts'
import type { Family } from '../net/family.ts'

/** What the kernel puts around packets of a leg (a lightweight tunnel): an outer header to `to`. */
export interface Encapsulation {
  /** The network identifier of VXLAN; 0 for IP-in-IP. */
  readonly id: number
  readonly to: Address
}

/** One leg of a kernel next hop. */
export interface KernelNextHop {
  /** The neighbour; absent for a route that is on-link by itself. May be IPv6 for an IPv4 route. */
  readonly via?: Address
  readonly link: number
  /** RTNH_F_ONLINK: don't check that `via` is reachable (tunnels). */
  readonly onLink?: boolean
  /** 1..256, for weighted ECMP; default 1. */
  readonly weight?: number
  /** For a device that has no other end of its own, and asks the route for it. */
  readonly encap?: Encapsulation
}

/** What routes of this id do with packets. */
export type KernelTarget =
  | {
      readonly kind: 'gateways'
      readonly hops: readonly KernelNextHop[]
      /**
       * Takes over, in the kernel itself, when the links of all hops have gone. null: nothing stands by now,
       * but something may later; what is made without one can't get one.
       */
      readonly standby?: KernelNextHop | null
    }
  | { readonly kind: 'blackhole' | 'unreachable' }

export interface KernelError {
  /** Linux errno, positive: 101 ENETUNREACH, 28 ENOSPC... */
  readonly errno: number
  /** `ENETUNREACH: Nexthop has invalid gateway`: name and the kernel's extended text. */
  readonly text: string
}

/** A route of ours or of somebody else's, as dumped or notified. */
export interface KernelRoute {
  readonly prefix: Prefix
  readonly table: number
  readonly metric: number
  /** RTPROT_*: 2 kernel, 3 boot, 4 static, 179 ours. */
  readonly protocol: number
  /** RTN_*: 1 unicast, 6 blackhole, 7 unreachable. */
  readonly type: number
  /** RT_SCOPE_*. */
  readonly scope: number
  /** Id of the nexthop object, or 0. */
  readonly nextHopId: number
  /** The gateways written in the route itself (empty when it has a nexthop id). */
  readonly hops: readonly KernelNextHop[]
  readonly preferredSource?: Address
  /** RTM_F_CLONED and other per-route flags (RTNH_F_DEAD 1, RTNH_F_LINKDOWN 16). */
  readonly flags: number
}

/** A nexthop object, as dumped or notified. */
export interface KernelNextHopObject {
  readonly id: number
  readonly protocol: number
  /** Member ids and weights of a group; empty for a single one. */
  readonly group: readonly { readonly id: number; readonly weight: number }[]
  /** A resilient group: it may hold a member that gets no traffic as long as there are others. */
  readonly resilient?: boolean
  readonly hop?: KernelNextHop
  readonly blackhole: boolean
}

export interface KernelOptions {
  /** Numeric routing table; 254 is main. */
  readonly table: number
  /** Never 0: REPLACE with metric 0 would overwrite connected routes. */
  readonly metric: number
  readonly protocol: number
  readonly preferredSource: { readonly ipv4?: Address; readonly ipv6?: Address }
}

export const ROUTE_PUT = 1
export const ROUTE_DELETE = 2
export type RouteOperation = typeof ROUTE_PUT | typeof ROUTE_DELETE

export interface KernelWriter {
  /** True when the kernel takes nexthop objects and they are not switched off. */
  readonly nextHopObjects: boolean
  /** True when the kernel takes a standby beside the hops; otherwise it is to be left out. */
  readonly standbys: boolean

  /**
   * Creates or replaces the nexthop object (or group) `id` to forward to `target`; takes effect before
   * it returns. One single-hop object per leg is made underneath for a group. Without nexthop objects
   * it only remembers what routes of this id shall carry. Returns what went wrong.
   */
  putNextHop(id: number, family: Family, target: KernelTarget): KernelError | undefined
  /**
   * `listener` hears of objects that a put had to make anew: the kernel had dropped them without a word,
   * and the routes that pointed to them. Set once.
   */
  onDropped(listener: (id: number) => void): void
  /** Removes an object; the kernel also drops routes that still use it, so move them first. */
  deleteNextHop(id: number): KernelError | undefined

  /** Makes ready for many routes, so that the first need not wait. */
  prepare(): void
  /** Routes that the ring takes now. */
  free(): number
  /**
   * Queues one route. `words` holds the address as 1 (IPv4) or 4 (IPv6) big-endian words from `at`.
   * PUT creates or replaces the route to `nextHopId`; DELETE removes ours. Only call while `free() > 0`.
   */
  put(
    operation: RouteOperation,
    family: Family,
    words: Int32Array,
    at: number,
    length: number,
    nextHopId: number,
  ): void
  /** Hands what was put to the kernel: at once when it is a handful, else through the worker. */
  flush(): void

  /** Tells progress; set once, before the first `put`. */
  onProgress(progress: KernelProgress): void
  close(): Promise<void>
}

export interface KernelProgress {
  /** The next `count` operations, in the order they were put, are done; errors were told before. */
  completed(count: number): void
  /** An operation failed: `ahead` counts from the first one not yet told as completed, which is 0. */
  failed(ahead: number, error: KernelError): void
  /** The worker died or the socket broke; nothing put since is certain. A re-dump is due. */
  broken(reason: string): void
}

/** What the monitor tells the FIB about the kernel's tables. */
export interface KernelEvents {
  /**
   * A route of our protocol and table was added, changed or deleted by somebody else: `by` says who, as far
   * as it is known (`zebra (pid 812)`). `instead` names the protocol of a route that took its place.
   */
  ourRouteChanged(change: 'new' | 'deleted', route: KernelRoute, by: string, instead?: string): void
  /** A nexthop object in our id range was changed or deleted by somebody else. */
  ourNextHopChanged(change: 'new' | 'deleted', object: KernelNextHopObject, by: string): void
  /** The link went down, lost its carrier, came back or vanished: what hangs on it must be checked. */
  linkChanged(link: number): void
  /** Notifications were lost: only a dump tells the truth. */
  lost(): void
}

export interface KernelReader {
  /** Our own routes (protocol and table) of one family, in batches, consistent or repeated until so. */
  dumpOurRoutes(family: Family, each: (route: KernelRoute) => void): Promise<void>
  /** All nexthop objects in our id range. */
  dumpOurNextHops(): Promise<readonly KernelNextHopObject[]>
  watch(events: KernelEvents): () => void
}

/** Our nexthop ids: 0x4c000000..0x4cffffff ('L'); zebra and iproute2 count from 1. */
export const NEXT_HOP_ID_FIRST = 0x4c000000
export const NEXT_HOP_ID_LAST = 0x4cffffff
/**
 * From here on, ids belong to the writer: the single objects (legs) under the groups. The FIB gives
 * out ids below, sees legs in dumps as members of groups, and leaves making and deleting to the writer.
 */
export const NEXT_HOP_LEG_ID_FIRST = 0x4c800000

/** What tells the standby in a resilient group: the weights of the others are even numbers. */
export const STANDBY_WEIGHT = 1
