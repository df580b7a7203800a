/**
 * What an update group was told last, for each prefix, and which prefixes it shall look at again. Columns,
 * by PrefixId:
 *
 *   0  set     AttrId that the group was told, or 0
 *   1  source  peer that it came from (bits 0-15), marked (bit 16)
 *
 * Whatever is told here is held here: the prefix, the attribute set, and the number of the source, which is
 * looked up when the route is told once more. A mark holds its prefix too.
 */
import type { AttributeStore } from './attribute-store.ts'
import type { RibPeers } from './peer.ts'
import type { PrefixTable } from './prefix-table.ts'
import { Column } from '../net/rows.ts'
import { SourceTally } from './source-tally.ts'
import type { Told } from './teller.ts'

const SET = 0
const SOURCE = 1
const SOURCE_MASK = 0xffff
const MARKED = 1 << 16

export class ToldRoutes implements Told {
  readonly #prefixes: PrefixTable
  readonly #attributes: AttributeStore
  readonly #columns = new Column(2)
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

  set(prefix: number): number {
    return this.#columns.get(prefix, SET)
  }

  /** Means nothing when nothing is told. */
  source(prefix: number): number {
    return this.#columns.get(prefix, SOURCE) & SOURCE_MASK
  }

  /** Notes that `set` from `source` is told now; 0 for nothing. */
  put(prefix: number, set: number, source: number): void {
    const before = this.set(prefix)
    const sourceBefore = this.source(prefix)
    if (set !== 0) {
      this.#prefixes.retain(prefix)
      this.#attributes.retain(set)
      this.#tally.add(source, 1)
    }
    const mark = this.#columns.get(prefix, SOURCE) & MARKED
    this.#columns.set(prefix, set, SET)
    this.#columns.set(prefix, source | mark, SOURCE)
    if (before === 0) return
    this.#tally.add(sourceBefore, -1)
    this.#attributes.release(before)
    this.#prefixes.release(prefix)
  }

  mark(prefix: number): boolean {
    const source = this.#columns.get(prefix, SOURCE)
    if ((source & MARKED) !== 0) return false
    this.#columns.set(prefix, source | MARKED, SOURCE)
    this.#prefixes.retain(prefix)
    return true
  }

  unmark(prefix: number): void {
    const source = this.#columns.get(prefix, SOURCE)
    if ((source & MARKED) === 0) return
    this.#columns.set(prefix, source & ~MARKED, SOURCE)
    this.#prefixes.release(prefix)
  }

  forget(prefix: number): void {
    this.put(prefix, 0, 0)
    this.unmark(prefix)
  }
}
