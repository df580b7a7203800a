/**
 * A small set of prefixes that answers "does any of them cover this one?" in some nanoseconds.
 *
 * Most hosts have a handful, whose first words are simply compared in a row (1 ns each). Beyond that, or
 * where an IPv6 first word agrees, one open-addressed table of (length, address words) is asked, at most
 * half full, once for each length that occurs in the set and is not longer than the asked prefix.
 */
import { wordsOf } from '../net/address.ts'
import type { FamilyFacts } from '../net/family.ts'
import type { Prefix } from '../net/prefix.ts'
import type { PrefixIndex } from './prefix-index.ts'

/** Up to so many prefixes are compared in a row. */
const FEW = 16

export class PrefixSet {
  readonly #words: 1 | 4
  #prefixes: ReadonlyMap<string, Prefix> = new Map()
  /** Lengths that occur, shortest first. */
  #lengths: number[] = []
  /** Rows of a length + 1 (0 = empty) and the words. */
  #table = new Int32Array(0)
  #mask = 0
  /** Of a few: first word, its mask, and length. */
  #few = new Int32Array(0)
  readonly #$key = new Int32Array(4)

  constructor(family: FamilyFacts) {
    this.#words = family.words
  }

  values(): Iterable<Prefix> {
    return this.#prefixes.values()
  }

  /** Takes these prefixes in place of the former ones; returns those that came or went. */
  replace(prefixes: readonly Prefix[]): Prefix[] {
    const before = this.#prefixes
    const now = new Map(prefixes.map((it) => [it.text, it]))
    const changed = [
      ...[...before.values()].filter(({ text }) => !now.has(text)),
      ...[...now.values()].filter(({ text }) => !before.has(text)),
    ]
    if (changed.length === 0) return changed
    this.#prefixes = now
    this.#lengths = [...new Set([...now.values()].map(({ length }) => length))].toSorted(
      (a, b) => a - b,
    )
    let capacity = 2
    while (capacity < 2 * now.size) capacity *= 2
    this.#mask = capacity - 1
    this.#table = new Int32Array(capacity * (1 + this.#words))
    for (const { bytes, length } of now.values()) {
      this.#$key.set(wordsOf(bytes))
      const at = this.#find(length)
      this.#table[at] = length + 1
      this.#table.set(this.#$key.subarray(0, this.#words), at + 1)
    }
    this.#few = new Int32Array(now.size <= FEW ? 3 * now.size : 0)
    if (now.size <= FEW) {
      ;[...now.values()].forEach(({ bytes, length }, i) => {
        this.#few.set([wordsOf(bytes)[0], masked(-1, length), length], 3 * i)
      })
    }
    return changed
  }

  /**
   * True when the prefix of `id`, or one that it lies in, is in the set. Its first word and length are
   * handed in, for the caller has just read them.
   */
  covers(prefixes: PrefixIndex, id: number, first: number, length: number): boolean {
    const few = this.#few
    for (let i = 0; i < few.length; i += 3) {
      if (((first ^ few[i]) & few[i + 1]) !== 0 || few[i + 2] > length) continue
      if (few[i + 2] <= 32 || this.#isIn(prefixes, id, length)) return true
    }
    return few.length === 0 && this.#lengths.length > 0 && this.#isIn(prefixes, id, length)
  }

  /** True when the prefix of `id` itself is in the set. */
  has(prefixes: PrefixIndex, id: number, length: number): boolean {
    if (!this.#lengths.includes(length)) return false
    for (let word = 0; word < this.#words; word++) this.#$key[word] = prefixes.word(id, word)
    return this.#table[this.#find(length)] !== 0
  }

  #isIn(prefixes: PrefixIndex, id: number, most: number): boolean {
    const lengths = this.#lengths
    for (let i = 0; i < lengths.length && lengths[i] <= most; i++) {
      const length = lengths[i]
      for (let word = 0; word < this.#words; word++) {
        this.#$key[word] = masked(prefixes.word(id, word), length - 32 * word)
      }
      if (this.#table[this.#find(length)] !== 0) return true
    }
    return false
  }

  /** Index of the row that holds `$key` with this length, or of the empty row where it would go. */
  #find(length: number): number {
    const key = this.#$key
    const table = this.#table
    const width = 1 + this.#words
    let hash = Math.imul(key[0] ^ Math.imul(length, 0x9e3779b1), 0x85ebca6b)
    if (width === 5) {
      hash = Math.imul((hash ^ (hash >>> 15)) + key[1], 0xc2b2ae35)
      hash = Math.imul((hash ^ (hash >>> 13)) + key[2], 0x27d4eb2f)
      hash = Math.imul((hash ^ (hash >>> 15)) + key[3], 0x85ebca6b)
    }
    for (let row = hash ^ (hash >>> 15); ; row++) {
      const at = (row & this.#mask) * width
      const found = table[at]
      if (found === 0) return at
      if (found !== length + 1 || table[at + 1] !== key[0]) continue
      if (width === 2) return at
      if (table[at + 2] === key[1] && table[at + 3] === key[2] && table[at + 4] === key[3])
        return at
    }
  }
}

/** The first `bits` bits of a word. */
const masked = (word: number, bits: number): number =>
  bits >= 32 ? word : bits <= 0 ? 0 : word & (-1 << (32 - bits))
