/**
 * All prefix sources together: what this host announces as its own.
 *
 * The same prefix may come from several sources (a block in the configuration that is also docker0's
 * network). It is announced once, with the facts of the source that ranks highest, and withdrawn when the
 * last source lets go.
 */
import type { Prefix } from '../net/prefix.ts'
import type { PrefixSource, SourcedPrefix, SourceKind } from './source.ts'

export interface OwnPrefixEvents {
  /** First offered, or its facts have changed. */
  announced(sourced: SourcedPrefix): void
  withdrawn(prefix: Prefix): void
}

/** A row of `show sources`: one source's offer. */
export interface SourceRecord {
  readonly sourced: SourcedPrefix
  /** When it was offered, in milliseconds since the epoch. */
  readonly since: number
}

/** Who decides about communities and blackholes: what somebody wrote down, before what was found. */
const RANKS: readonly SourceKind[] = [
  'static',
  'aggregate',
  'docker',
  'cni',
  'hostRoute',
  'fan',
  'interface',
]

export class PrefixSources {
  readonly #wallNow: () => number
  readonly #events: OwnPrefixEvents
  readonly #running = new Set<PrefixSource>()
  /** Offers by prefix, then by source. */
  readonly #offers = new Map<string, Map<PrefixSource, SourceRecord>>()

  constructor(wallNow: () => number, events: OwnPrefixEvents) {
    this.#wallNow = wallNow
    this.#events = events
  }

  add(source: PrefixSource): void {
    this.#running.add(source)
    source.start({
      offer: (sourced) => this.#offer(source, sourced),
      retract: (prefix) => this.#retract(source, prefix),
    })
  }

  remove(source: PrefixSource): void {
    if (this.#running.delete(source)) source.stop()
  }

  /** Every offer, also those that another one outranks. */
  *records(): Iterable<SourceRecord> {
    for (const offers of this.#offers.values()) yield* offers.values()
  }

  #offer(source: PrefixSource, sourced: SourcedPrefix): void {
    const { text } = sourced.prefix
    const offers = this.#offers.get(text) ?? new Map<PrefixSource, SourceRecord>()
    this.#offers.set(text, offers)
    const before = best(offers)
    offers.set(source, { sourced, since: offers.get(source)?.since ?? this.#wallNow() })
    this.#announce(before, best(offers))
  }

  #retract(source: PrefixSource, prefix: Prefix): void {
    const offers = this.#offers.get(prefix.text)
    const before = offers === undefined ? undefined : best(offers)
    if (offers === undefined || !offers.delete(source)) return
    if (offers.size === 0) {
      this.#offers.delete(prefix.text)
      this.#events.withdrawn(prefix)
      return
    }
    this.#announce(before, best(offers))
  }

  /** A reload puts a source in another's place: whoever offers it, the same is not announced anew. */
  #announce(before: SourcedPrefix | undefined, now: SourcedPrefix | undefined): void {
    if (now === undefined || (before !== undefined && sameFacts(before, now))) return
    this.#events.announced(now)
  }
}

/** Announcing `b` after `a` would tell nobody anything. */
export const sameFacts = (a: SourcedPrefix, b: SourcedPrefix): boolean =>
  a.source === b.source &&
  a.interface === b.interface &&
  a.network === b.network &&
  a.container === b.container &&
  sameList(a.communities, b.communities) &&
  sameList(a.largeCommunities, b.largeCommunities) &&
  a.med === b.med &&
  (a.blackhole ?? false) === (b.blackhole ?? false)

const sameList = (a: readonly string[] = [], b: readonly string[] = []): boolean =>
  a.length === b.length && a.every((text, i) => text === b[i])

function best(offers: ReadonlyMap<PrefixSource, SourceRecord>): SourcedPrefix | undefined {
  let highest: SourcedPrefix | undefined
  for (const { sourced } of offers.values()) {
    if (highest === undefined || rank(sourced) < rank(highest)) highest = sourced
  }
  return highest
}

const rank = ({ source }: SourcedPrefix): number => RANKS.indexOf(source)
