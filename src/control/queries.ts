/**
 * What control asks of the daemon, as plain data. The daemon implements these three interfaces over its
 * live tables; control turns them into HTTP, and tests implement them with arrays.
 *
 * Questions are answered at once and change nothing. The two tables that may hold a million rows answer
 * with iterables that are pulled a slice at a time, with other work in between: an implementation walks
 * its columns lazily and must bear that routes come and go while it walks (a row may be missed or be
 * stale, never torn). An iterator that is given up early hears `return()`.
 */
import type { Family } from '../net/family.ts'
import type { Prefix } from '../net/prefix.ts'
import type { EventRow, HealthReport, ReloadReport, StatusRow } from './reports.ts'
import type {
  FibRow,
  MonitorRow,
  NextHopRow,
  PeerDetail,
  PeerRow,
  RouteRow,
  RpkiRow,
  SourceRow,
} from './rows.ts'

/**
 * Which routes: `all` every path in the Loc-RIB and the rejected ones; `best` the chosen ones;
 * `received` a peer's Adj-RIB-In; `advertised` its Adj-RIB-Out; `rejected` what is not eligible.
 */
export type RouteView = 'all' | 'best' | 'received' | 'advertised' | 'rejected'

export interface PrefixFilter {
  readonly family?: Family
  /** Only this prefix, or with `longer` it and all inside it. */
  readonly prefix?: Prefix
  readonly longer: boolean
}

export interface RouteFilter extends PrefixFilter {
  readonly view: RouteView
  /** Name of a peer that exists; always set for `advertised`. */
  readonly peer?: string
}

export interface Queries {
  status(): StatusRow
  peers(): readonly PeerRow[]
  peer(name: string): PeerDetail | undefined
  routes(filter: RouteFilter): Iterable<RouteRow>
  fib(filter: PrefixFilter): Iterable<FibRow>
  sources(): readonly SourceRow[]
  nextHops(): readonly NextHopRow[]
  monitors(): readonly MonitorRow[]
  rpki(): readonly RpkiRow[]
  health(): HealthReport
}

/** `in`: ask the peer for its routes again; `out`: send it ours again. */
export type RefreshDirection = 'in' | 'out' | 'both'

/**
 * What the operator may order. Peers are given by the name of one that exists. The text returned says what
 * was done (`asked tor-a for its ipv4 and ipv6 routes`); what can't be done throws a `Refusal`.
 */
export interface Commands {
  reload(): Promise<ReloadReport>
  refresh(peer: string, direction: RefreshDirection): string
  reset(peer: string): string
  shutdown(peer: string, message?: string): string
  startup(peer: string): string
  /** Settles when the peers have been told, or take too long to hear it; with `stop`, when all is withdrawn. */
  drain(on: boolean, stop: boolean): Promise<string>
  clearCounters(): string
}

export interface EventStream {
  /** Calls `listener` for each event from now on; returns the unsubscriber. */
  subscribe(listener: (event: EventRow) => void): () => void
}

/** An order or a question that makes no sense now: what is wrong, and what to do instead. */
export class Refusal extends Error {
  readonly remedy: string
  /** HTTP status: 400 malformed, 404 no such thing, 409 not in this state. */
  readonly status: 400 | 404 | 409

  constructor(error: string, remedy: string, status: 400 | 404 | 409 = 409) {
    super(error)
    this.name = 'Refusal'
    this.remedy = remedy
    this.status = status
  }
}
