/**
 * The configuration as the daemon takes it: groups merged into their peers, the mesh expanded, defaults
 * filled in, durations in seconds, addresses as values. Made by check.ts; nobody else knows groups.
 */
import type { OverlayOptions } from '../fib/dataplanes/dataplane.ts'
import type { Address } from '../net/address.ts'
import type { Family } from '../net/family.ts'
import type { FanMapping } from '../net/fan.ts'
import type { Prefix } from '../net/prefix.ts'
import type { PolicyDefinition } from '../policy/definition.ts'
import type { Endpoint, TcpAoKey } from '../session/transport.ts'
import type { EngineEndpoint } from '../sources/docker-engine.ts'
import type { RoleName } from '../wire/capabilities/role.ts'
import type { DecisionEntry, KernelEntry, NatEntry } from './schema.ts'
import type { Secret } from './secret.ts'

export type NextHopPolicy = 'auto' | 'self' | 'keep'

/** How many prefixes of each family a session may carry one way. */
export interface PrefixLimit {
  readonly limit: number
  /** Per cent of the limit at which a warning is due. */
  readonly warnAt: number
  readonly action: 'warn' | 'block' | 'disconnect' | 'restart'
  /** Of `restart`: how long the peer stays down. */
  readonly afterSeconds?: number
}

export interface ResolvedPeer {
  /** Unique; the address, or the interface, where the file gives none. */
  readonly name: string
  readonly description?: string
  readonly group?: string
  /** Where it is; of an unnumbered peer nobody's address, fe80:: on its link: see `interface`. */
  readonly address: Address
  /** An unnumbered peer: whoever is heard on this link. */
  readonly interface?: string
  /** A peer that has called from a range: the name of that. */
  readonly range?: string
  readonly port: number
  /** What the peer's OPEN must say; `external`: an AS that is not ours. */
  readonly asn: number | 'external'
  /** iBGP, between member ASes of our confederation, or eBGP. */
  readonly type: 'internal' | 'confederation' | 'external'
  /** What our OPEN says. */
  readonly localAsn: number
  /** It is put in front of the paths that the peer sends. */
  readonly prependLocalAsn: boolean
  /** Our real number, if `localAsn` is another, follows it in the paths that we send. */
  readonly prependOwnAsn: boolean
  readonly families: readonly Family[]
  readonly extendedNextHop: boolean
  /** 0: no hold timer, no keepalives. */
  readonly holdTimeSeconds: number
  /** 0: never. */
  readonly sendHoldTimeSeconds: number
  readonly connectRetrySeconds: number
  readonly passive: boolean
  readonly localAddress?: Address
  readonly bindDevice?: string
  readonly password?: Secret
  /** Never together with `password`; the preferred one first. */
  readonly tcpAo?: readonly TcpAoConfig[]
  /** GTSM: how many hops the peer may be away. Never together with `multihop`. */
  readonly ttlSecurity?: number
  /** TTL to send with. */
  readonly multihop?: number
  readonly nextHop: NextHopPolicy
  /** Asked one after the other, until one accepts or rejects. */
  readonly importPolicy: readonly PolicyDefinition[]
  readonly exportPolicy: readonly PolicyDefinition[]
  readonly routeReflectorClient: boolean
  readonly allowOwnAsn: number
  /** Several paths of a prefix (RFC 7911). */
  readonly addPath: AddPathConfig
  readonly extendedMessages: boolean
  readonly enhancedRouteRefresh: boolean
  /** The path to it is watched (RFC 5882); absent: it isn't. */
  readonly bfd?: BfdConfig
  /** Routes outlive a session whose peer restarts (RFC 4724); absent: they don't. */
  readonly gracefulRestart?: GracefulRestartConfig
  /** Of what the peer announces, before policy. */
  readonly maxPrefixes: PrefixLimit
  /** Of what we tell the peer. */
  readonly maxPrefixesOut?: PrefixLimit
  /** Learned routes are passed on at once, or when the kernel has them. */
  readonly announce: 'atOnce' | 'afterInstall'
  /** Tell a default route of our own. */
  readonly defaultOriginate: boolean
  readonly enforceFirstAsn: boolean
  readonly asOverride: boolean
  readonly removePrivateAsn: boolean | 'all' | 'replace'
  /** What we are to the peer (RFC 9234). */
  readonly role?: RoleName
  /** Refuse a peer that says nothing of roles. */
  readonly strictRole?: boolean
  /** Take what the peer marks with GRACEFUL_SHUTDOWN for the last choice. */
  readonly gracefulShutdown: boolean
}

/** A setting of a peer as it was written. */
export interface PeerSetting {
  readonly key: string
  /** As written; of a default, as documented. */
  readonly value: string
  /** `linnet.yaml:7:5`; absent for a default. */
  readonly place?: string
  /** The group that it is inherited from. */
  readonly group?: string
}

/** Whoever calls from there is a peer. */
export interface PeerRange {
  readonly prefix: Prefix
  /** Peers at a time. */
  readonly limit: number
  /** How long one that is down is remembered. */
  readonly removeAfterSeconds: number
  /** What each of them is; its name and address stand for the range. */
  readonly peer: ResolvedPeer
}

/** A key of TCP-AO (RFC 5925). */
export interface TcpAoConfig extends Omit<TcpAoKey, 'key'> {
  readonly key: Secret
}

export interface BfdConfig {
  readonly intervalMs: number
  readonly minReceiveMs: number
  readonly multiplier: number
  /** Absent: as the session is. */
  readonly multihop?: boolean
  /** No session before BFD is up. */
  readonly strict: boolean
  /** Keyed SHA1. */
  readonly authentication?: {
    readonly key: Secret
    readonly keyId: number
    readonly meticulous: boolean
  }
}

export interface GracefulRestartConfig {
  readonly restartTimeSeconds: number
  /** As the last choice, after that (RFC 9494). */
  readonly longLivedStaleSeconds?: number
}

export interface AddPathConfig {
  readonly receive: boolean
  readonly send: 'off' | 'best' | 'all' | number
}

export interface Confederation {
  /** The number that the outside knows. */
  readonly asn: number
  /** The other member ASes, and maybe our own. */
  readonly members: readonly number[]
}

export interface StaticPrefix {
  readonly prefix: Prefix
  readonly blackhole: boolean
  /** `asn:value` */
  readonly communities: readonly string[]
  readonly med?: number
}

/** Announced while there is a route inside it. */
export interface AggregateConfig extends StaticPrefix {
  /** The routes inside are not announced then. */
  readonly summaryOnly: boolean
}

/** Networks, and maybe containers, of a Docker engine. */
export interface DockerConfig {
  readonly endpoint: EngineEndpoint
  readonly networks: 'all' | 'labelled'
  readonly containers: boolean | 'labelled'
}

export interface PreferredSource {
  readonly ipv4?: Address
  readonly ipv6?: Address
}

export interface KernelConfig extends Readonly<Omit<KernelEntry, 'table' | 'preferredSource'>> {
  /** 254 is main. */
  readonly table: number
  readonly preferredSource: 'auto' | 'none' | PreferredSource
}

/** What is reached through a tunnel. */
export type OverlayConfig = OverlayOptions & {
  /** The address plan, in the mode `fan`. */
  readonly fan?: FanMapping & {
    readonly learn: 'bgp' | 'static'
    readonly validate: 'strict' | 'none'
    /** Shall be made; without a name it is called after the slice. */
    readonly bridge?: { readonly name: string | undefined }
  }
}

/** Whose source addresses stay as they are. */
export type NatConfig = Readonly<NatEntry>

export interface MrtConfig {
  /** Where messages and changes of state are appended. */
  readonly updates?: string
  /** Where table dumps are put. */
  readonly rib?: string
  readonly everySeconds: number
}

export interface BmpConfig {
  readonly address: Address
  readonly port: number
  readonly monitor: readonly ('prePolicy' | 'postPolicy' | 'locRib')[]
  /** 0: none. */
  readonly statisticsSeconds: number
  readonly connectRetrySeconds: number
  readonly sendHoldTimeSeconds: number
}

export interface Config {
  readonly asn: number
  readonly routerId?: Address
  readonly clusterId?: Address
  /** RFC 5065: `asn` is one of its member ASes. */
  readonly confederation?: Confederation
  readonly listen: readonly Endpoint[]
  readonly decision: Readonly<DecisionEntry>
  readonly peers: readonly ResolvedPeer[]
  readonly ranges: readonly PeerRange[]
  /** Where the settings of each peer and range are written, by name: for people. */
  readonly settings: ReadonlyMap<string, readonly PeerSetting[]>
  /** Caches, the preferred one first. */
  readonly rpki: readonly Endpoint[]
  /** All of them, whoever uses them. */
  readonly policies: readonly PolicyDefinition[]
  readonly advertise: {
    /** Names and patterns of links. */
    readonly interfaces: readonly string[]
    /** Whose routes to single addresses are announced. */
    readonly hostRoutes: { readonly interfaces: readonly string[] }
    /** Where the files of the CNI are. */
    readonly cni?: { readonly directory: string }
    readonly docker?: DockerConfig
    readonly prefixes: readonly StaticPrefix[]
    readonly aggregates: readonly AggregateConfig[]
  }
  readonly kernel: KernelConfig
  readonly overlay?: OverlayConfig
  readonly nat?: NatConfig
  readonly mrt?: MrtConfig
  readonly bmp: readonly BmpConfig[]
  readonly api: { readonly socket: string; readonly http?: Endpoint }
  readonly log: {
    readonly level: 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal'
    readonly format: 'auto' | 'json' | 'pretty'
  }
}
