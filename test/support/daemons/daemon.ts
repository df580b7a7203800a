/**
 * What the interop tests need of another BGP implementation. One driver per daemon: it writes the
 * daemon's own configuration, and reads the daemon's own tables.
 */
import type { Family } from '../../../src/net/family.ts'
import type { LabHost } from '../lab-host.ts'
import type { Attribute, Route } from './route.ts'

/** A neighbour of the daemon: linnet, or one more. */
export interface Neighbor {
  /** Letters and digits. */
  readonly name: string
  readonly address: string
  readonly localAddress: string
  /** The link that both are on: both addresses are link-local there. */
  readonly link?: string
  readonly asn: number
  readonly families: readonly Family[]
}

export interface DaemonConfig {
  readonly asn: number
  readonly routerId: string
  /** Its own on the links, for daemons that must be told their next hop. */
  readonly addresses: Readonly<Record<Family, string>>
  readonly holdTimeSeconds: number
  readonly neighbors: readonly Neighbor[]
  /** False: it speaks with two octets only (RFC 6793's OLD speaker). */
  readonly fourOctetAs?: boolean
  /** Messages of more than 4096 bytes (RFC 8654), for daemons that must be told. */
  readonly extendedMessages?: boolean
  /** Several paths of a prefix, sent and received (RFC 7911). */
  readonly addPath?: boolean
  /** What one neighbour announces is told to the others, for daemons that must be told. */
  readonly passesOn?: boolean
  /** IPv4 routes may have IPv6 next hops (RFC 8950). */
  readonly extendedNextHop?: boolean
  /** The TCP MD5 key that it shares with each neighbour (RFC 2385). */
  readonly password?: string
  /** The neighbours are one hop away, and both sides send with TTL 255 (GTSM, RFC 5082). */
  readonly ttlSecurity?: boolean
  /** How many prefixes of a family each neighbour may announce; with one more the session ends. */
  readonly maxPrefixes?: number
  /** What only one test asks of it, in its own words: of the whole, and of each neighbour. */
  readonly words?: { readonly own?: readonly string[]; readonly neighbor?: readonly string[] }
}

export interface SessionView {
  readonly established: boolean
  /** As negotiated; undefined where the daemon doesn't show it, or the session is down. */
  readonly holdTimeSeconds: number | undefined
  /** What it has said about the ends of the session, in its own words. */
  readonly complaints: string
}

export interface RunningDaemon {
  /** What it originates, from now on: whatever isn't in the list is withdrawn. */
  originate(routes: readonly Route[]): Promise<void>
  /** The routes in its own table that this neighbour announced, by prefix. */
  table(neighbor: Neighbor, family: Family): Promise<Route[]>
  session(neighbor: Neighbor): Promise<SessionView>
  /** Asks the neighbour to send its routes again (RFC 2918). */
  refresh(neighbor: Neighbor, family: Family): Promise<void>
  /** Ends the session; with a reason for people where it can (RFC 9003). */
  shutdown(neighbor: Neighbor, reason: string): Promise<void>
  startup(neighbor: Neighbor): Promise<void>
  /** Another TCP MD5 key while it runs, for daemons that can. */
  changePassword(password: string): Promise<void>
  /** SIGKILL. */
  kill(): Promise<void>
  freeze(): void
  thaw(): void
}

/** Something that one daemon can't do and another can: the tests ask before they try. */
export type Ability =
  /** To be started with two-octet AS numbers only. */
  | 'twoOctetAs'
  /** The same, beside a neighbour whose AS number doesn't fit. */
  | 'meetsAsTrans'
  /** The same, and to read AS4_AGGREGATOR. */
  | 'readsAs4Aggregator'
  /** To tell one neighbour what it has heard from another. */
  | 'passesOn'
  /** IPv4 and IPv6 over one session, with next hops that can be used. */
  | 'bothFamilies'
  /** IPv4 routes with IPv6 next hops (RFC 8950). */
  | 'extendedNextHop'
  /** The neighbour on a link, without its address. */
  | 'unnumbered'
  /** A neighbour at a link-local address. */
  | 'linkLocal'
  /** Its session comes back by itself within seconds after an error. */
  | 'comesBack'
  /** To tell its reason for a shutdown (RFC 9003). */
  | 'sendsShutdownText'
  /** To show the reason that it was told. */
  | 'showsShutdownText'
  /** To show that we refused its AS. */
  | 'showsBadPeerAs'
  /** TCP MD5 keys (RFC 2385). */
  | 'tcpMd5'
  /** To take another key while it runs. */
  | 'changesPassword'
  /** GTSM (RFC 5082). */
  | 'ttlSecurity'
  /** And to drop whatever comes with a lower TTL. */
  | 'dropsLowTtl'
  /** A limit of the prefixes that a neighbour may announce. */
  | 'limitsPrefixes'
  /** To ask for routes again, and to send them again when asked (RFC 2918). */
  | 'asksForRefresh'
  | 'answersRefresh'

export interface Daemon {
  /** For people: `BIRD 2`. */
  readonly title: string
  /** What it can't do, and why: printed in docs/interop.md. */
  readonly cannot: Readonly<Partial<Record<Ability, string>>>
  /** Attributes that it can't originate. */
  readonly cannotSend: Readonly<Partial<Record<Attribute, string>>>
  /** Attributes that its tables don't show. */
  readonly cannotShow: Readonly<Partial<Record<Attribute, string>>>
  start(host: LabHost, config: DaemonConfig): Promise<RunningDaemon>
}

/** The AS that a speaker of two octets sees in the OPEN of this neighbour (RFC 6793 section 9). */
export const twoOctetAsn = (asn: number): number => (asn > 65535 ? AS_TRANS : asn)

const AS_TRANS = 23456

/** The pieces of a text that match, for command lines that speak to people. */
export const capture = (text: string, pattern: RegExp): string | undefined =>
  pattern.exec(text)?.[1]
