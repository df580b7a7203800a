/**
 * Every prefix that anybody in the daemon talks about, under a small number: the PrefixId.
 *
 * One table per family. A row holds the prefix itself and the two things that the RIB hangs on it:
 *
 *   0  meta      prefix length (bits 0-7), waits for a decision (bit 8), watched while it does (bit 9),
 *                holders (bits 10-30)
 *   1  paths     first path row, or 0
 *   2  best      path row that the last decision chose, or 0
 *   3..          the address: 1 word (IPv4) or 4 (IPv6), big-endian
 *
 * 16 bytes a prefix for IPv4, and some 14 to find it by. A prefix lives while it has holders: its paths, a
 * queue it stands in, an update group that has announced it, the FIB.
 */
import { addressFromWords, formatIpv4, formatIpv6 } from '../net/address.ts'
import type { FamilyFacts } from '../net/family.ts'
import type { Prefix } from '../net/prefix.ts'
import { HashIndex } from './hash-index.ts'
import { Rows } from '../net/rows.ts'

const META = 0
const PATHS = 1
const BEST = 2
const KEY = 3

const LENGTH_MASK = 0xff
const WAITING = 0x100
const WATCHED = 0x200
const ONE_HOLDER = 0x400

export class PrefixTable {
  readonly family: FamilyFacts
  readonly #keyWords: 1 | 4
  readonly #rows: Rows
  readonly #index = new HashIndex()
  /** Means nothing, but that what `touch` reads is not left out. */
  touched = 0
  /** Scratch key, for callers that hold a Prefix. */
  readonly #$key: Int32Array

  constructor(family: FamilyFacts) {
    this.family = family
    this.#keyWords = family.words
    this.#rows = new Rows(KEY + family.words)
    this.#$key = new Int32Array(family.words)
  }

  /** Prefixes in the table. */
  get live(): number {
    return this.#rows.live
  }

  /** One more than the highest PrefixId in use: for walks. */
  get end(): number {
    return this.#rows.end
  }

  get bytes(): number {
    return this.#rows.bytes + this.#index.bytes
  }

  /** False for a freed row. */
  exists(id: number): boolean {
    return id > 0 && id < this.#rows.end && this.#rows.get(id, META) >= WAITING
  }

  /** Brings what `intern` and `find` of these prefixes read into the cache, all at once (see `HashIndex.touch`). */
  touch(words: Int32Array, lengths: Uint8Array, count: number): void {
    const stride = this.#keyWords
    let touched = 0
    for (let i = 0; i < count; i++) {
      touched ^= this.#index.touch(this.#hash(words, i * stride, lengths[i]))
    }
    this.touched = touched
  }

  /** The PrefixId, or 0 when nobody holds the prefix. */
  find(words: Int32Array, at: number, length: number): number {
    return this.#search(this.#hash(words, at, length), words, at, length)
  }

  /** The PrefixId, made when new. A new prefix has no holder: `retain` it before the next `release`. */
  intern(words: Int32Array, at: number, length: number): number {
    const hash = this.#hash(words, at, length)
    const known = this.#search(hash, words, at, length)
    if (known !== 0) return known
    const id = this.#rows.allocate()
    const row = this.#rows.words
    const offset = this.#rows.offset(id)
    row[offset + META] = length
    row[offset + KEY] = words[at]
    if (this.#keyWords === 4) {
      row[offset + KEY + 1] = words[at + 1]
      row[offset + KEY + 2] = words[at + 2]
      row[offset + KEY + 3] = words[at + 3]
    }
    this.#index.add(id, hash)
    return id
  }

  findPrefix(prefix: Prefix): number {
    return this.find(this.#keyOf(prefix), 0, prefix.length)
  }

  internPrefix(prefix: Prefix): number {
    return this.intern(this.#keyOf(prefix), 0, prefix.length)
  }

  retain(id: number): void {
    this.#rows.set(id, META, this.#rows.get(id, META) + ONE_HOLDER)
  }

  /** Gives up one hold; the last one removes the prefix. */
  release(id: number): void {
    const meta = this.#rows.get(id, META) - ONE_HOLDER
    this.#rows.set(id, META, meta)
    if (meta < WAITING) this.#remove(id)
  }

  /** Marks the prefix as waiting for a decision, which holds it too; false when it waits already. */
  markWaiting(id: number): boolean {
    const meta = this.#rows.get(id, META)
    if ((meta & WAITING) !== 0) return false
    this.#rows.set(id, META, meta | WAITING)
    return true
  }

  isWaiting(id: number): boolean {
    return (this.#rows.get(id, META) & WAITING) !== 0
  }

  /** Somebody who looked at a waiting prefix wants to look again once it is decided, whatever comes out. */
  watch(id: number): void {
    this.#rows.set(id, META, this.#rows.get(id, META) | WATCHED)
  }

  isWatched(id: number): boolean {
    return (this.#rows.get(id, META) & WATCHED) !== 0
  }

  /** The decision has been made; without another holder the prefix goes. */
  settle(id: number): void {
    const meta = this.#rows.get(id, META) & ~(WAITING | WATCHED)
    this.#rows.set(id, META, meta)
    if (meta < WAITING) this.#remove(id)
  }

  word(id: number, i: number): number {
    return this.#rows.get(id, KEY + i)
  }

  length(id: number): number {
    return this.#rows.get(id, META) & LENGTH_MASK
  }

  /** True when the prefix is the one of `length` bits in `words`, or lies in it. */
  isWithin(id: number, words: Int32Array, length: number): boolean {
    if (this.length(id) < length) return false
    for (let i = 0; 32 * i < length; i++) {
      const bits = Math.min(32, length - 32 * i)
      if ((this.word(id, i) ^ words[i]) >>> (32 - bits) !== 0) return false
    }
    return true
  }

  /** First path row, or 0. */
  paths(id: number): number {
    return this.#rows.get(id, PATHS)
  }

  setPaths(id: number, path: number): void {
    this.#rows.set(id, PATHS, path)
  }

  /** The path that the last decision chose, or 0. */
  best(id: number): number {
    return this.#rows.get(id, BEST)
  }

  setBest(id: number, path: number): void {
    this.#rows.set(id, BEST, path)
  }

  /** Copies the words of the address into `to`. */
  copyWords(id: number, to: Int32Array): void {
    for (let i = 0; i < this.#keyWords; i++) to[i] = this.word(id, i)
  }

  /** Canonical text, `10.0.0.0/8`. */
  text(id: number): string {
    return `${this.#addressText(id)}/${this.length(id)}`
  }

  /** The prefix as a value, for cold code. */
  prefix(id: number): Prefix {
    const words = this.#key(id)
    const { bytes } = addressFromWords(this.family.name, words)
    return { family: this.family.name, bytes, length: this.length(id), text: this.text(id) }
  }

  #addressText(id: number): string {
    return this.#keyWords === 1 ? formatIpv4(this.word(id, 0)) : formatIpv6(this.#key(id), 0)
  }

  #key(id: number): Int32Array {
    const key = new Int32Array(this.#keyWords)
    this.copyWords(id, key)
    return key
  }

  #keyOf(prefix: Prefix): Int32Array {
    const key = this.#$key.fill(0)
    for (let i = 0; i < prefix.bytes.length; i++) key[i >> 2] = (key[i >> 2] << 8) | prefix.bytes[i]
    return key
  }

  #search(hash: number, words: Int32Array, at: number, length: number): number {
    let id = this.#index.first(hash)
    while (id !== 0 && !this.#isKey(id, words, at, length)) id = this.#index.next()
    return id
  }

  #isKey(id: number, words: Int32Array, at: number, length: number): boolean {
    const row = this.#rows.words
    const offset = this.#rows.offset(id)
    if (row[offset + KEY] !== words[at] || (row[offset + META] & LENGTH_MASK) !== length)
      return false
    return (
      this.#keyWords === 1 ||
      (row[offset + KEY + 1] === words[at + 1] &&
        row[offset + KEY + 2] === words[at + 2] &&
        row[offset + KEY + 3] === words[at + 3])
    )
  }

  #hash(words: Int32Array, at: number, length: number): number {
    let hash = Math.imul(words[at] ^ Math.imul(length, 0x9e3779b1), 0x85ebca6b)
    if (this.#keyWords === 4) {
      hash = Math.imul((hash ^ (hash >>> 15)) + words[at + 1], 0xc2b2ae35)
      hash = Math.imul((hash ^ (hash >>> 13)) + words[at + 2], 0x27d4eb2f)
      hash = Math.imul((hash ^ (hash >>> 15)) + words[at + 3], 0x85ebca6b)
    }
    hash = Math.imul(hash ^ (hash >>> 15), 0xc2b2ae35)
    return hash ^ (hash >>> 13)
  }

  #hashOfRow(id: number): number {
    const row = this.#rows.words
    const offset = this.#rows.offset(id)
    return this.#hash(row, offset + KEY, row[offset + META] & LENGTH_MASK)
  }

  #remove(id: number): void {
    this.#index.remove(id, this.#hashOfRow(id))
    this.#rows.free(id)
  }
}
