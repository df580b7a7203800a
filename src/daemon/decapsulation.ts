/**
 * Lets only hosts of the overlay send us wrapped packets: keeps the rules as the peers and next hops come and go, and
 * looks from time to time whether they are there.
 */
import type { OuterHeader } from '../fib/dataplanes/dataplane.ts'
import { NftablesError, type RuleTable } from '../linux/nftables.ts'
import {
  DECAPSULATION,
  DECAPSULATION_REMOVAL,
  decapsulationRules,
  hasDecapsulationRule,
} from '../nat/decapsulation.ts'
import type { Clock, Timer } from '../net/clock.ts'
import type { Prefix } from '../net/prefix.ts'
import type { Events } from './events.ts'

const LOOK_EVERY_MS = 10_000

export class Decapsulation {
  readonly #rules: RuleTable
  readonly #outer: OuterHeader
  readonly #events: Events
  readonly #clock: Clock
  /** Undefined: not yet, or no longer. */
  #wanted: readonly Prefix[] | undefined
  #written: readonly Prefix[] | undefined
  #problem: string | undefined
  #timer: Timer | undefined
  #work: Promise<void> | undefined

  constructor(outer: OuterHeader, world: { rules: RuleTable; events: Events; clock: Clock }) {
    this.#outer = outer
    this.#rules = world.rules
    this.#events = world.events
    this.#clock = world.clock
  }

  /** Why the rules are not there, with the remedy. */
  get problem(): string | undefined {
    return this.#problem
  }

  /** Only `sources` may send; takes effect soon. */
  accept(sources: readonly Prefix[]): void {
    const text = textOf(sources)
    if (this.#wanted !== undefined && textOf(this.#wanted) === text) return
    this.#wanted = sources
    this.#go()
  }

  /** There are rules already, an earlier run's. */
  async isThere(): Promise<boolean> {
    let found = false
    await this.#try(async () => {
      const { family, table } = DECAPSULATION
      found = hasDecapsulationRule(await this.#rules.list(family, table))
    })
    return found
  }

  /** Looks no more; with `remove`, the rules go. */
  async close(remove: boolean): Promise<void> {
    this.#timer?.cancel()
    this.#wanted = undefined
    await this.#work
    this.#timer?.cancel()
    if (remove) await this.#try(() => this.#rules.apply(DECAPSULATION_REMOVAL))
  }

  #go(): void {
    this.#work ??= this.#run().finally(() => {
      this.#work = undefined
    })
  }

  async #run(): Promise<void> {
    this.#timer?.cancel()
    while (this.#wanted !== undefined && this.#wanted !== this.#written) {
      const wanted = this.#wanted
      const done = await this.#try(() => this.#rules.apply(decapsulationRules(this.#outer, wanted)))
      if (!done) break
      this.#problem = undefined
      this.#written = wanted
    }
    if (this.#wanted === undefined) return
    this.#timer = this.#clock.after(LOOK_EVERY_MS, () => void this.#look())
  }

  async #look(): Promise<void> {
    await this.#try(async () => {
      const { family, table } = DECAPSULATION
      const listing = await this.#rules.list(family, table)
      if (listing === undefined || !hasDecapsulationRule(listing)) this.#written = undefined
    })
    if (this.#wanted !== undefined) this.#go()
  }

  /** False when it failed, which is told once. */
  async #try(work: () => Promise<void>): Promise<boolean> {
    try {
      await work()
      return true
    } catch (error) {
      if (!(error instanceof NftablesError)) throw error
      const text = `anybody may send wrapped packets into the overlay: ${error.message}`
      if (text !== this.#problem) {
        this.#events.tell({ level: 'error', topic: 'fib', kind: 'RulesFailed', text })
      }
      this.#problem = text
      return false
    }
  }
}

const textOf = (sources: readonly Prefix[]): string => sources.map(({ text }) => text).join(' ')
