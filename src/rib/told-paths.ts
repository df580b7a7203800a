/**
 * What an update group was told last where a prefix may have several paths (RFC 7911), and which prefixes it
 * shall look at again. One told path is one row; those of a prefix are chained.
 *
 *   0  set     AttrId that the group was told
 *   1  source  peer that it came from
 *   2  id      path identifier
 *   3  next    next told path of the same prefix, or 0
 *
 * 16 bytes a path, and for each prefix the head of its chain, whose highest bit is the mark. Whatever is told
 * here is held here: the prefix, the attribute set, and the number of the source. A mark holds its prefix too.
 */
import type { AttributeStore } from './attribute-store.ts'
import type { RibPeers } from './peer.ts'
import type { PrefixTable } from './prefix-table.ts'
import { Column, Rows } from '../net/rows.ts'
import { SourceTally } from './source-tally.ts'
import type { Told } from './teller.ts'

const SET = 0
const SOURCE = 1
const ID = 2
const NEXT = 3
const WIDTH = 4

const MARKED = 1 << 31

export class ToldPaths implements Told {
  readonly #prefixes: PrefixTable
  readonly #attributes: AttributeStore
  readonly #rows = new Rows(WIDTH)
  readonly #heads = new Column()
  readonly #tally: SourceTally

  constructor(prefixes: PrefixTable, attributes: AttributeStore, peers: RibPeers) {
    this.#prefixes = prefixes
    this.#attributes = attributes
    this.#tally = new SourceTally(peers)
  }

  get count(): number {
    return this.#tally.count
  }

  countFrom(peer: number): number {
    return this.#tally.countFrom(peer)
  }

  /** First told path of a prefix, or 0. */
  first(prefix: number): number {
    return this.#heads.get(prefix) & ~MARKED
  }

  next(row: number): number {
    return this.#rows.get(row, NEXT)
  }

  set(row: number): number {
    return this.#rows.get(row, SET)
  }

  source(row: number): number {
    return this.#rows.get(row, SOURCE)
  }

  id(row: number): number {
    return this.#rows.get(row, ID)
  }

  /** One more path of a prefix. */
  add(prefix: number, id: number, set: number, source: number): void {
    const row = this.#rows.allocate()
    this.#rows.set(row, ID, id)
    this.#rows.set(row, NEXT, this.first(prefix))
    this.#setHead(prefix, row)
    this.#prefixes.retain(prefix)
    this.#hold(row, set, source)
  }

  /** The path is told with another set, or from another source. */
  change(row: number, set: number, source: number): void {
    const before = this.set(row)
    const sourceBefore = this.source(row)
    this.#hold(row, set, source)
    this.#tally.add(sourceBefore, -1)
    this.#attributes.release(before)
  }

  /** The path is told no more; `before` stands in front of it in its chain, 0 = it is the first. */
  remove(prefix: number, before: number, row: number): void {
    const next = this.next(row)
    if (before === 0) this.#setHead(prefix, next)
    else this.#rows.set(before, NEXT, next)
    this.#tally.add(this.source(row), -1)
    this.#attributes.release(this.set(row))
    this.#rows.free(row)
    this.#prefixes.release(prefix)
  }

  mark(prefix: number): boolean {
    const head = this.#heads.get(prefix)
    if ((head & MARKED) !== 0) return false
    this.#heads.set(prefix, head | MARKED)
    this.#prefixes.retain(prefix)
    return true
  }

  unmark(prefix: number): void {
    const head = this.#heads.get(prefix)
    if ((head & MARKED) === 0) return
    this.#heads.set(prefix, head & ~MARKED)
    this.#prefixes.release(prefix)
  }

  forget(prefix: number): void {
    for (let row = this.first(prefix); row !== 0; row = this.first(prefix)) {
      this.remove(prefix, 0, row)
    }
    this.unmark(prefix)
  }

  #setHead(prefix: number, row: number): void {
    this.#heads.set(prefix, row | (this.#heads.get(prefix) & MARKED))
  }

  #hold(row: number, set: number, source: number): void {
    this.#attributes.retain(set)
    this.#tally.add(source, 1)
    this.#rows.set(row, SET, set)
    this.#rows.set(row, SOURCE, source)
  }
}
