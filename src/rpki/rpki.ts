/**
 * Several caches, in order of preference: the first that has data is believed, alone (RFC 8210 section 10).
 */
import type { FamilyFacts } from '../net/family.ts'
import { PrefixTrie } from '../net/prefix-trie.ts'
import { FAMILIES } from '../net/family.ts'
import type { RtrClient } from './client.ts'
import type { Vrp } from './vrp.ts'
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

  /**
   * `changed` came or went at a cache, or caches came and went: which prefixes may be judged otherwise now;
   * undefined for none.
   */
  settle(client: RtrClient | undefined, changed: readonly Vrp[]): Affected | undefined {
    const before = this.#believed
    const now = this.#clients.find((it) => it.usable)
    this.#believed = now
    if (now === before) return client === now ? affectedBy(changed) : undefined
    // Another cache is believed: all that either knows, and what has just gone.
    return affectedBy([...changed, ...(before?.vrps ?? []), ...(now?.vrps ?? [])])
  }
}

/** True for prefixes that one of `vrps` covers. */
function affectedBy(vrps: readonly Vrp[]): Affected | undefined {
  if (vrps.length === 0) return undefined
  const tries = FAMILIES.map((family) => new PrefixTrie(family))
  for (const { family, words, length } of vrps) tries[family.index].set(words, 0, length, 1)
  return (family, words, length) => tries[family.index].someCovering(words, 0, length, () => true)
}
