/** One thing after the other: what arises while a step is taken waits until that is done. */
export class RunToCompletion<Item> {
  readonly #queue: Item[] = []
  readonly #step: (item: Item) => void
  #busy = false

  constructor(step: (item: Item) => void) {
    this.#step = step
  }

  /** True when nothing is left to do; false from within a step. */
  add(item: Item): boolean {
    this.#queue.push(item)
    if (this.#busy) return false
    this.#busy = true
    try {
      for (let next = this.#queue.shift(); next !== undefined; next = this.#queue.shift()) {
        this.#step(next)
      }
    } finally {
      this.#busy = false
    }
    return true
  }
}
