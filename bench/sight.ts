/** Many destinations, looked at over and over: how long until the kernel sends all of them another way? */
import type { Address } from '../src/net/address.ts'
import { RouteLookup } from './route-lookup.ts'

const DEADLINE_MS = 120_000

/** Whether packets to `to` go as they should. */
export type GoesRight = (lookup: RouteLookup, to: Address) => boolean

export class Sight {
  readonly #lookup: RouteLookup
  readonly #destinations: readonly Address[]

  constructor(namespace: string, destinations: readonly Address[]) {
    this.#lookup = new RouteLookup(namespace)
    this.#destinations = destinations
  }

  /** How many go right. */
  count(right: GoesRight): number {
    return this.#destinations.filter((to) => right(this.#lookup, to)).length
  }

  all(right: GoesRight): boolean {
    return this.count(right) === this.#destinations.length
  }

  /**
   * Looks until all go right. Returns the milliseconds from `begin` until the last look that found one which did not, or
   * until the first look if that was too late to find any: a look at one destination takes some microseconds, so that is
   * how exact it is.
   */
  millisecondsUntilAll(right: GoesRight, begin: number): number {
    let last = performance.now()
    const noting: GoesRight = (lookup, to) => {
      if (right(lookup, to)) return true
      last = performance.now()
      return false
    }
    while (!this.all(noting)) {
      if (last > begin + DEADLINE_MS) throw new Error('two minutes after, some go the old way')
    }
    return last - begin
  }

  close(): void {
    this.#lookup.close()
  }
}
