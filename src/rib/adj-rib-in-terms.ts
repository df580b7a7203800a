/** What an Adj-RIB-In is told of its session, and what it tells in return. */
import type { Family, FamilyFacts } from '../net/family.ts'
import type { AttributeProblem } from '../wire/attributes/normalize.ts'

/** What a session has agreed on, as far as UPDATEs depend on it. */
export interface AdjRibInOptions {
  readonly families: readonly Family[]
  readonly fourOctetAs: boolean
  /** The peer is in our confederation: its paths may have segments of it (RFC 5065 section 5). */
  readonly confederation: boolean
  /** IPv4 routes may come with IPv6 next hops (RFC 8950). */
  readonly ipv6NextHops: boolean
  /** Link-local next hops live on the link with this interface index; 0: nobody knows where. */
  readonly link: number
  /** Our own identifier, unsigned: a path that we originated comes back (RFC 4456 section 8). */
  readonly routerId: number
}

/** Valid during the call that hands it over. */
export interface MalformedUpdate {
  readonly problems: readonly AttributeProblem[]
  /** The body of the message. */
  readonly bytes: Uint8Array
  /** The prefixes that it names, withdrawn ones first, at most so many. */
  prefixes(most: number): string[]
}

export interface AdjRibInEvents {
  /** A malformed UPDATE was dealt with without ending the session. */
  malformedReceived(update: MalformedUpdate): void
  endOfRibReceived(family: Family): void
  /** So many paths were left out, for the peer offers too many of one prefix. */
  pathsRefused(count: number): void
  /** So many new paths of a message were left out: the session holds as many as it may. */
  pathsBeyondLimit(family: FamilyFacts, count: number): void
}
