/**
 * What is still to be told about the prefixes of one family, as one peer (or the decision) changed them.
 *
 * A prefix stands here once, however often it changes; whoever takes it out looks at its state of that
 * moment: the last change wins, and the queue is never longer than the table. Queued prefixes are held,
 * for they may have left the RIB meanwhile, and that is what is to be told.
 *
 * Of a session with path identifiers (RFC 7911) the paths stand in it, by prefix and identifier.
 */
import { IntQueue } from '../net/int-queue.ts'
import { Column } from '../net/rows.ts'
import type { PrefixTable } from '../rib/prefix-table.ts'

export type Show = (prefix: number, pathId: number, marks: number) => void

export interface Changes {
  readonly length: number
  /** `marks`, not 0, are added to those that the path has already. */
  push(prefix: number, pathId: number, marks: number): void
  /** Takes the next one out and shows it; only while `length > 0`. */
  shift(show: Show): void
}

/** All identifiers are 0. */
export class ChangeQueue implements Changes {
  readonly #prefixes: PrefixTable
  readonly #waiting = new IntQueue()
  /** What is to be told of a waiting prefix; 0: it does not wait. */
  readonly #marks = new Column()

  constructor(prefixes: PrefixTable) {
    this.#prefixes = prefixes
  }

  get length(): number {
    return this.#waiting.length
  }

  push(prefix: number, _pathId: number, marks: number): void {
    const before = this.#marks.get(prefix)
    this.#marks.set(prefix, before | marks)
    if (before !== 0) return
    this.#prefixes.retain(prefix)
    this.#waiting.push(prefix)
  }

  shift(show: Show): void {
    const prefix = this.#waiting.shift()
    const marks = this.#marks.get(prefix)
    this.#marks.set(prefix, 0)
    show(prefix, 0, marks)
    this.#prefixes.release(prefix)
  }
}

/** Costs a map a prefix that waits: only sessions that send identifiers have it. */
export class PathChangeQueue implements Changes {
  readonly #prefixes: PrefixTable
  readonly #waiting = new IntQueue()
  readonly #waitingIds = new IntQueue()
  /** By prefix and identifier: what is to be told. */
  readonly #marks = new Map<number, Map<number, number>>()

  constructor(prefixes: PrefixTable) {
    this.#prefixes = prefixes
  }

  get length(): number {
    return this.#waiting.length
  }

  push(prefix: number, pathId: number, marks: number): void {
    const id = pathId | 0 // its bits, as the queue gives them back
    let ofPrefix = this.#marks.get(prefix)
    if (ofPrefix === undefined) this.#marks.set(prefix, (ofPrefix = new Map<number, number>()))
    const before = ofPrefix.get(id)
    ofPrefix.set(id, marks | (before ?? 0))
    if (before !== undefined) return
    this.#prefixes.retain(prefix)
    this.#waiting.push(prefix)
    this.#waitingIds.push(id)
  }

  shift(show: Show): void {
    const prefix = this.#waiting.shift()
    const id = this.#waitingIds.shift()
    const ofPrefix = this.#marks.get(prefix)
    const marks = ofPrefix?.get(id) ?? 0
    ofPrefix?.delete(id)
    if (ofPrefix?.size === 0) this.#marks.delete(prefix)
    show(prefix, id, marks)
    this.#prefixes.release(prefix)
  }
}
