/**
 * Aggregates (`advertise.aggregates`; RFC 4271 9.2.2.2): a prefix that is announced as ours for as long as the
 * Loc-RIB has a best path inside it. With `summaryOnly` nothing inside is told to anybody then. Without an
 * AS_SET, which RFC 9774 forbids: ATOMIC_AGGREGATE says that paths are left out.
 *
 * It is a prefix source that listens to decisions. Each aggregate knows its contributors, so one that comes or
 * goes costs one way down a trie, and nothing at all where there are no aggregates.
 */
import type { AggregateConfig } from '../config/config.ts'
import { wordsOf } from '../net/address.ts'
import { FAMILIES, type FamilyFacts } from '../net/family.ts'
import type { Prefix } from '../net/prefix.ts'
import { PrefixTrie } from '../net/prefix-trie.ts'
import type { PrefixTable } from '../rib/prefix-table.ts'
import type { PrefixSource, SourceEvents } from '../sources/source.ts'

interface Aggregate extends AggregateConfig {
  /** PrefixIds with a best path inside it. */
  readonly contributors: Set<number>
}

export interface AggregateEvents {
  /** Everything inside is to be decided once more. */
  reconsiderWithin(prefix: Prefix): void
  /** What is told of the prefixes inside may be another. */
  lookAgainWithin(prefix: Prefix): void
}

export class Aggregates implements PrefixSource {
  readonly kind = 'aggregate'
  readonly #events: AggregateEvents
  readonly #tables: readonly PrefixTable[]
  /** By family; the values are places in `#all`, from 1. */
  readonly #tries = FAMILIES.map((it) => new PrefixTrie(it))
  #all: Aggregate[] = []
  #summaries = 0
  #source: SourceEvents | undefined
  readonly #$words = new Int32Array(4)

  /** `tables` by family. */
  constructor(tables: readonly PrefixTable[], events: AggregateEvents) {
    this.#tables = tables
    this.#events = events
  }

  start(events: SourceEvents): void {
    this.#source = events
  }

  stop(): void {
    for (const { prefix } of this.#all) this.#source?.retract(prefix)
    this.#source = undefined
  }

  configure(configured: readonly AggregateConfig[]): void {
    const before = new Map(this.#all.map((it) => [it.prefix.text, it]))
    this.#all = configured.map((it) => ({
      ...it,
      contributors: before.get(it.prefix.text)?.contributors ?? new Set(),
    }))
    this.#summaries = this.#all.filter(({ summaryOnly }) => summaryOnly).length
    for (const trie of this.#tries) trie.clear()
    for (const [i, { prefix }] of this.#all.entries()) {
      this.#tries[indexOf(prefix)].set(wordsOf(prefix.bytes), 0, prefix.length, i + 1)
    }
    for (const aggregate of this.#all) {
      const { prefix, summaryOnly, contributors } = aggregate
      const old = before.get(prefix.text)
      before.delete(prefix.text)
      if (old === undefined) this.#events.reconsiderWithin(prefix)
      else if (contributors.size > 0) {
        this.#offer(aggregate)
        if (old.summaryOnly !== summaryOnly) this.#events.lookAgainWithin(prefix)
      }
    }
    for (const { prefix, summaryOnly, contributors } of before.values()) {
      if (contributors.size === 0) continue
      this.#source?.retract(prefix)
      if (summaryOnly) this.#events.lookAgainWithin(prefix)
    }
  }

  /** The RIB has decided: the prefix has a best path, or none. */
  decided({ index }: FamilyFacts, id: number, isReachable: boolean): void {
    const trie = this.#tries[index]
    if (trie.size === 0) return
    const table = this.#tables[index]
    const length = table.length(id)
    table.copyWords(id, this.#$words)
    trie.someCovering(this.#$words, 0, length, (place) => {
      const aggregate = this.#all[place - 1]
      if (aggregate.prefix.length < length) this.#note(aggregate, id, isReachable)
      return false
    })
  }

  /** Nothing but the aggregate is told of this prefix. */
  suppresses({ index }: FamilyFacts, id: number): boolean {
    if (this.#summaries === 0) return false
    const table = this.#tables[index]
    const length = table.length(id)
    table.copyWords(id, this.#$words)
    return this.#tries[index].someCovering(this.#$words, 0, length, (place) => {
      const { prefix, summaryOnly, contributors } = this.#all[place - 1]
      return summaryOnly && contributors.size > 0 && prefix.length < length
    })
  }

  #note(aggregate: Aggregate, id: number, isReachable: boolean): void {
    const { contributors, prefix, summaryOnly } = aggregate
    const before = contributors.size
    if (isReachable) contributors.add(id)
    else contributors.delete(id)
    if (before === 0 && contributors.size > 0) {
      this.#offer(aggregate)
      if (summaryOnly) this.#events.lookAgainWithin(prefix)
    } else if (before > 0 && contributors.size === 0) this.#source?.retract(prefix)
  }

  #offer({ prefix, blackhole, communities, med }: Aggregate): void {
    this.#source?.offer({
      ...{ prefix, source: 'aggregate', blackhole, communities },
      ...(med === undefined ? {} : { med }),
    })
  }
}

const indexOf = ({ family }: Prefix): 0 | 1 => (family === 'ipv4' ? 0 : 1)
