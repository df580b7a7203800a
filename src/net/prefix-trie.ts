/**
 * Prefixes of one family with a number each, in a path-compressed binary trie: the question is always
 * "which of them cover this prefix?", and one way down from the root meets them all, the shortest first.
 *
 * A node is a row; a prefix that only joins two others has value 0. Rows grow without copying and freed ones
 * are used again, so half a million prefixes may come and go without a pause.
 *
 *   0  length + 1   1  child that goes on with a 0 bit   2  with a 1 bit   3  value   4..  the address
 */
import type { FamilyFacts } from './family.ts'
import { Rows } from './rows.ts'

const LENGTH = 0
const CHILD = 1
const VALUE = 3
const KEY = 4

export class PrefixTrie {
  readonly #words: 1 | 4
  readonly #rows: Rows
  #root = 0
  #size = 0

  constructor({ words }: FamilyFacts) {
    this.#words = words
    this.#rows = new Rows(KEY + words)
  }

  /** Prefixes with a value. */
  get size(): number {
    return this.#size
  }

  /** The value of exactly this prefix, or 0. */
  get(words: Int32Array, at: number, length: number): number {
    let node = this.#root
    while (node !== 0 && this.#length(node) < length && this.#covers(node, words, at)) {
      node = this.#child(node, bitOf(words, at, this.#length(node)))
    }
    const found = node !== 0 && this.#length(node) === length && this.#covers(node, words, at)
    return found ? this.#rows.get(node, VALUE) : 0
  }

  /**
   * True when `test` says so of the value of a prefix that covers this one, or is it; asked from the shortest
   * to the longest, and no further than the first.
   */
  someCovering(
    words: Int32Array,
    at: number,
    length: number,
    test: (value: number) => boolean,
  ): boolean {
    let node = this.#root
    while (node !== 0 && this.#length(node) <= length && this.#covers(node, words, at)) {
      const value = this.#rows.get(node, VALUE)
      if (value !== 0 && test(value)) return true
      if (this.#length(node) === length) return false
      node = this.#child(node, bitOf(words, at, this.#length(node)))
    }
    return false
  }

  /** Gives the prefix a value; 0 takes it out. Host bits are zero. */
  set(words: Int32Array, at: number, length: number, value: number): void {
    // The way down: `parent` is left by its `side`.
    let parent = 0
    let side = 0
    let node = this.#root
    while (node !== 0 && this.#length(node) < length && this.#covers(node, words, at)) {
      parent = node
      side = bitOf(words, at, this.#length(node))
      node = this.#child(node, side)
    }
    if (node !== 0 && this.#length(node) === length && this.#covers(node, words, at)) {
      this.#revalue(node, parent, side, value)
    } else if (value !== 0) this.#insert(words, at, length, value, { parent, side, node })
  }

  clear(): void {
    const waiting = [this.#root]
    for (let node = waiting.pop() ?? 0; node !== 0; node = waiting.pop() ?? 0) {
      for (const side of [0, 1]) {
        if (this.#child(node, side) !== 0) waiting.push(this.#child(node, side))
      }
      this.#rows.free(node)
    }
    this.#root = 0
    this.#size = 0
  }

  #insert(
    words: Int32Array,
    at: number,
    length: number,
    value: number,
    { parent, side, node }: { parent: number; side: number; node: number },
  ): void {
    this.#size++
    const added = this.#newNode(words, at, length, value)
    if (node === 0) return this.#link(parent, side, added)
    const shared = this.#sharedBits(node, words, at, length)
    if (shared === length) {
      this.#link(added, this.#keyBit(node, length), node)
      return this.#link(parent, side, added)
    }
    const fork = this.#newNode(words, at, shared, 0)
    this.#link(fork, bitOf(words, at, shared), added)
    this.#link(fork, this.#keyBit(node, shared), node)
    this.#link(parent, side, fork)
  }

  #revalue(node: number, parent: number, side: number, value: number): void {
    const before = this.#rows.get(node, VALUE)
    this.#size += Number(value !== 0) - Number(before !== 0)
    this.#rows.set(node, VALUE, value)
    const [left, right] = [this.#child(node, 0), this.#child(node, 1)]
    if (value !== 0 || (left !== 0 && right !== 0)) return
    this.#link(parent, side, left === 0 ? right : left)
    this.#rows.free(node)
    // A fork that has lost a side joins nothing any more.
    if (left !== 0 || right !== 0 || parent === 0 || this.#rows.get(parent, VALUE) !== 0) return
    this.#collapse(parent)
  }

  /** `fork` has no value and one child: the child takes its place. */
  #collapse(fork: number): void {
    let above = 0
    let side = 0
    for (let node = this.#root; node !== fork;) {
      above = node
      side = this.#keyBit(fork, this.#length(node))
      node = this.#child(node, side)
    }
    this.#link(above, side, this.#child(fork, 0) || this.#child(fork, 1))
    this.#rows.free(fork)
  }

  #link(parent: number, side: number, node: number): void {
    if (parent === 0) this.#root = node
    else this.#rows.set(parent, CHILD + side, node)
  }

  #newNode(words: Int32Array, at: number, length: number, value: number): number {
    const node = this.#rows.allocate()
    this.#rows.set(node, LENGTH, length + 1)
    this.#rows.set(node, VALUE, value)
    for (let i = 0; i < this.#words; i++) {
      this.#rows.set(node, KEY + i, words[at + i] & maskOf(length - 32 * i))
    }
    return node
  }

  #length(node: number): number {
    return this.#rows.get(node, LENGTH) - 1
  }

  #child(node: number, side: number): number {
    return this.#rows.get(node, CHILD + side)
  }

  #keyBit(node: number, bit: number): number {
    return (this.#rows.get(node, KEY + (bit >> 5)) >>> (31 - (bit & 31))) & 1
  }

  #covers(node: number, words: Int32Array, at: number): boolean {
    const length = this.#length(node)
    for (let i = 0; 32 * i < length; i++) {
      const different = (this.#rows.get(node, KEY + i) ^ words[at + i]) & maskOf(length - 32 * i)
      if (different !== 0) return false
    }
    return true
  }

  /** Leading bits that the node's prefix and this one have in common. */
  #sharedBits(node: number, words: Int32Array, at: number, length: number): number {
    const most = Math.min(length, this.#length(node))
    for (let i = 0; 32 * i < most; i++) {
      const different = this.#rows.get(node, KEY + i) ^ words[at + i]
      if (different !== 0) return Math.min(most, 32 * i + Math.clz32(different))
    }
    return most
  }
}

/** Bit `i` of an address, counted from the left. */
const bitOf = (words: Int32Array, at: number, i: number): number =>
  (words[at + (i >> 5)] >>> (31 - (i & 31))) & 1

/** The first `bits` bits of a word. */
const maskOf = (bits: number): number => (bits >= 32 ? -1 : bits <= 0 ? 0 : -1 << (32 - bits))
