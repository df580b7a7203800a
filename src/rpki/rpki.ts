/**
 * Several caches, in order of preference: the first that has data is believed, alone (RFC 8210 section 10).
 */
import type { FamilyFacts } from '../net/family.ts'
import { PrefixTrie } from '../net/prefix-trie.ts'
import { FAMILIES } from '../net/family.ts'
import { MOST_COMPARED, type Changed } from './answer.ts'
import type { RtrClient } from './client.ts'
import type { Validity } from './vrp-table.ts'

/** Prefixes whose routes may be judged otherwise now. */
export type Affected = (family: FamilyFacts, words: Int32Array, length: number) => boolean

export class Rpki {
  #clients: readonly RtrClient[] = []
  #believed: RtrClient | undefined

  /** Takes these in place of the former; call `settle` then. */
  use(clients: readonly RtrClient[]): void {
    this.#clients = clients
  }

  /** The cache whose data are used. */
  get believed(): RtrClient | undefined {
    return this.#believed
  }

  validate(
    family: FamilyFacts,
    words: Int32Array,
    at: number,
    length: number,
    originAsn: number,
  ): Validity {
    return this.#believed?.vrps.validate(family, words, at, length, originAsn) ?? 'notFound'
  }

  /** Data have come in that are not dealt with yet. */
  get busy(): boolean {
    return this.#clients.some((it) => it.busy)
  }

  /** Deals with them until the clock reaches `deadline`. */
  step(deadline: number): void {
    for (const client of this.#clients) client.step(deadline)
  }

  /**
   * `changed` came or went at a cache, or caches came and went: which prefixes may be judged otherwise now;
   * undefined for none.
   */
  settle(client: RtrClient | undefined, changed: Changed): Affected | undefined {
    const before = this.#believed
    const now = this.#clients.find((it) => it.usable)
    this.#believed = now
    if (now === before) return client === now ? affectedBy(changed) : undefined
    // Another cache is believed: all that either knows, and what has just gone.
    const both = (before?.vrps.size ?? 0) + (now?.vrps.size ?? 0)
    if (changed === 'many' || both > MOST_COMPARED) return affectedBy('many')
    return affectedBy([...changed, ...(before?.vrps ?? []), ...(now?.vrps ?? [])])
  }
}

/**
 * True for prefixes that one of `changed` covers; for all when there are many: to find out which are left
 * would take as long as to judge them.
 */
function affectedBy(changed: Changed): Affected | undefined {
  if (changed === 'many') return () => true
  if (changed.length === 0) return undefined
  const tries = FAMILIES.map((family) => new PrefixTrie(family))
  for (const { family, words, length } of changed) tries[family.index].set(words, 0, length, 1)
  return (family, words, length) => tries[family.index].someCovering(words, 0, length, () => true)
}
