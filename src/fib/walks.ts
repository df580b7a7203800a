/**
 * Walks over all rows of the tables, in slices: what can't be found by asking (which routes point to this
 * target?) is found by looking at everything, and a million rows must not hold up the loop.
 */
import type { FibTable } from './fib-table.ts'

export type Visit = (table: FibTable, id: number) => void

interface Walk {
  readonly visit: Visit
  readonly done: () => void
  table: number
  id: number
}

/** Rows between two looks at the clock: some 20 us. */
const SLICE = 2_048

export class Walks {
  readonly #tables: readonly FibTable[]
  readonly #now: () => number
  readonly #walks: Walk[] = []

  constructor(tables: readonly FibTable[], now: () => number) {
    this.#tables = tables
    this.#now = now
  }

  get busy(): boolean {
    return this.#walks.length > 0
  }

  /** `visit` sees each id that may have a row, then `done` is called. */
  add(visit: Visit, done: () => void = () => {}): void {
    this.#walks.push({ visit, done, table: 0, id: 1 })
  }

  /** Walks on until there is no walk left or the deadline has come. */
  step(deadline: number): void {
    for (let walk = this.#walks.at(0); walk !== undefined; walk = this.#walks.at(0)) {
      if (this.#slice(walk)) {
        this.#walks.shift()
        walk.done()
      }
      if (this.#now() >= deadline) return
    }
  }

  /** All that is left, at once. */
  finish(): void {
    this.step(Infinity)
  }

  /** True when the walk has come to its end. */
  #slice(walk: Walk): boolean {
    const table = this.#tables[walk.table]
    const end = Math.min(table.end, walk.id + SLICE)
    for (let id = walk.id; id < end; id++) walk.visit(table, id)
    walk.id = end
    if (end < table.end) return false
    walk.id = 1
    return ++walk.table === this.#tables.length
  }
}
