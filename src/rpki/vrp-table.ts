/**
 * The VRPs of one cache, and what they say of a route (RFC 6811). Those of one prefix are chained; a trie finds
 * the prefixes that cover a route's, so half a million VRPs cost a validation no more than a handful.
 *
 *   0  max length + 1   1  next of the same prefix   2  AS number   3  prefix length
 */
import { FAMILIES } from '../net/family.ts'
import type { FamilyFacts } from '../net/family.ts'
import { PrefixTrie } from '../net/prefix-trie.ts'
import { Rows } from '../net/rows.ts'
import type { Vrp } from './vrp.ts'

const MAX_LENGTH = 0
const NEXT = 1
const ASN = 2
const LENGTH = 3
const KEY = 4

export type Validity = 'valid' | 'invalid' | 'notFound'

export class VrpTable {
  readonly #tables = FAMILIES.map((family) => ({
    rows: new Rows(KEY + family.words),
    trie: new PrefixTrie(family),
  }))
  // What is asked, and what is found on the way: see `#look`.
  #$length = 0
  #$asn = 0
  #$covered = false
  #$rows = this.#tables[0].rows

  get size(): number {
    return this.#tables.reduce((sum, { rows }) => sum + rows.live, 0)
  }

  sizeOf(family: FamilyFacts): number {
    return this.#tables[family.index].rows.live
  }

  has({ family, words, length, maxLength, asn }: Vrp): boolean {
    const { rows, trie } = this.#tables[family.index]
    return this.#among(rows, trie.get(words, 0, length), asn, maxLength) !== 0
  }

  /** False when it is there already. */
  add({ family, words, length, maxLength, asn }: Vrp): boolean {
    const { rows, trie } = this.#tables[family.index]
    const first = trie.get(words, 0, length)
    if (this.#among(rows, first, asn, maxLength) !== 0) return false
    const row = rows.allocate()
    rows.set(row, MAX_LENGTH, maxLength + 1)
    rows.set(row, ASN, asn | 0)
    rows.set(row, LENGTH, length)
    for (let i = 0; i < family.words; i++) rows.set(row, KEY + i, words[i])
    if (first === 0) trie.set(words, 0, length, row)
    else {
      rows.set(row, NEXT, rows.get(first, NEXT))
      rows.set(first, NEXT, row)
    }
    return true
  }

  /** False when it is not there. */
  remove({ family, words, length, maxLength, asn }: Vrp): boolean {
    const { rows, trie } = this.#tables[family.index]
    let before = trie.get(words, 0, length)
    const row = this.#among(rows, before, asn, maxLength)
    if (row === 0) return false
    const next = rows.get(row, NEXT)
    if (before === row) trie.set(words, 0, length, next)
    else {
      while (rows.get(before, NEXT) !== row) before = rows.get(before, NEXT)
      rows.set(before, NEXT, next)
    }
    rows.free(row)
    return true
  }

  /** RFC 6811 section 2: `asn` is 0 for a route whose origin is no single AS, which nothing makes valid. */
  validate(
    family: FamilyFacts,
    words: Int32Array,
    at: number,
    length: number,
    asn: number,
  ): Validity {
    const { rows, trie } = this.#tables[family.index]
    this.#$rows = rows
    this.#$length = length
    this.#$asn = asn | 0
    this.#$covered = false
    if (trie.someCovering(words, at, length, this.#look)) return 'valid'
    return this.#$covered ? 'invalid' : 'notFound'
  }

  *[Symbol.iterator](): Iterator<Vrp> {
    for (const family of FAMILIES) {
      const { rows } = this.#tables[family.index]
      for (let row = 1; row < rows.end; row++) {
        if (rows.get(row, MAX_LENGTH) <= 0) continue
        const words = Int32Array.from({ length: family.words }, (_, i) => rows.get(row, KEY + i))
        yield {
          family,
          words,
          length: rows.get(row, LENGTH),
          maxLength: rows.get(row, MAX_LENGTH) - 1,
          asn: rows.get(row, ASN) >>> 0,
        }
      }
    }
  }

  readonly #look = (first: number): boolean => {
    this.#$covered = true
    const rows = this.#$rows
    for (let row = first; row !== 0; row = rows.get(row, NEXT)) {
      const matches = rows.get(row, ASN) === this.#$asn && this.#$asn !== 0
      if (matches && rows.get(row, MAX_LENGTH) > this.#$length) return true
    }
    return false
  }

  /** The row in the chain from `first` that says so of its prefix, or 0. */
  #among(rows: Rows, first: number, asn: number, maxLength: number): number {
    let row = first
    while (row !== 0) {
      if (rows.get(row, ASN) === (asn | 0) && rows.get(row, MAX_LENGTH) === maxLength + 1)
        return row
      row = rows.get(row, NEXT)
    }
    return 0
  }
}
