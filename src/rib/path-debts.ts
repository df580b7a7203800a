/**
 * Paths that a member which is told apart from its group may know, or must hear of, by prefix: the more
 * there are of a prefix, the more withdrawals it may need. 8 bytes each, chained.
 */
import { Column, Rows } from '../net/rows.ts'

const ID = 0
const NEXT = 1
const WIDTH = 2

export class PathDebts {
  readonly #rows = new Rows(WIDTH)
  readonly #heads = new Column()

  /** `id` is above 0. */
  add(prefix: number, id: number): void {
    const first = this.#heads.get(prefix)
    for (let row = first; row !== 0; row = this.#rows.get(row, NEXT)) {
      if (this.#rows.get(row, ID) === id) return
    }
    const row = this.#rows.allocate()
    this.#rows.set(row, ID, id)
    this.#rows.set(row, NEXT, first)
    this.#heads.set(prefix, row)
  }

  /** Forgets what is owed for a prefix, and visits it. */
  take(prefix: number, visit: (id: number) => void): void {
    let row = this.#heads.get(prefix)
    if (row === 0) return
    this.#heads.set(prefix, 0)
    while (row !== 0) {
      const next = this.#rows.get(row, NEXT)
      visit(this.#rows.get(row, ID))
      this.#rows.free(row)
      row = next
    }
  }
}
