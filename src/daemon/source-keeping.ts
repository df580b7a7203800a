/**
 * Keeps the source addresses of flows between pools (`nat.exempt`): puts the rules there, looks from time to time
 * whether they are whole, and takes them away when nobody wants them any more.
 */
import type { NatConfig } from '../config/config.ts'
import { NftablesError, type RuleTable } from '../linux/nftables.ts'
import { RULES, REMOVAL, exemptionRules, isWhole } from '../nat/exemption.ts'
import type { Clock, Timer } from '../net/clock.ts'
import type { Prefix } from '../net/prefix.ts'
import type { Events } from './events.ts'

/** From one look at the rules to the next. */
const LOOK_EVERY_MS = 10_000

export class SourceKeeping {
  readonly #rules: RuleTable
  readonly #events: Events
  readonly #clock: Clock
  #pools: readonly Prefix[] = []
  #problem: string | undefined
  #timer: Timer | undefined
  /** Calls of the program go one after the other. */
  #turn: Promise<void> = Promise.resolve()

  constructor(rules: RuleTable, events: Events, clock: Clock) {
    this.#rules = rules
    this.#events = events
    this.#clock = clock
  }

  /** Why the rules are not there, with the remedy. */
  get problem(): string | undefined {
    return this.#problem
  }

  /** Resolves when the rules are as they shall be, or it is told why not. */
  configure(nat: NatConfig | undefined): Promise<void> {
    const pools = nat?.exempt === 'auto' ? nat.pools : []
    const had = this.#pools.length > 0
    this.#pools = pools
    this.#timer?.cancel()
    if (pools.length === 0) {
      this.#problem = undefined
      return had ? this.#remove() : Promise.resolve()
    }
    return this.#put('')
  }

  /** Looks no more; with `remove`, the rules go. */
  async close(remove: boolean): Promise<void> {
    this.#timer?.cancel()
    const had = this.#pools.length > 0
    this.#pools = []
    if (had && remove) await this.#remove()
    else await this.#turn
  }

  #remove(): Promise<void> {
    return this.#inTurn(() => this.#rules.apply(REMOVAL))
  }

  #put(why: string): Promise<void> {
    const pools = this.#pools
    return this.#inTurn(async () => {
      await this.#rules.apply(exemptionRules(pools))
      const list = pools.map(({ text }) => text).join(', ')
      const text = `${why}sources stay as they are from pool to pool: ${list}`
      this.#tell(why === '' ? 'info' : 'warn', why === '' ? 'SourcesKept' : 'RulesRepaired', text)
      this.#problem = undefined
    })
  }

  #look(): Promise<void> {
    const pools = this.#pools
    return this.#inTurn(async () => {
      const listing = await this.#rules.list(RULES.family, RULES.table)
      if (pools !== this.#pools || (listing !== undefined && isWhole(listing, pools))) return
      void this.#put('somebody took our rules away, they are back: ')
    })
  }

  #inTurn(work: () => Promise<void>): Promise<void> {
    this.#turn = this.#after(this.#turn, work)
    return this.#turn
  }

  async #after(turn: Promise<void>, work: () => Promise<void>): Promise<void> {
    await turn
    try {
      await work()
    } catch (error) {
      if (!(error instanceof NftablesError)) throw error
      this.#fail(error.message)
    }
    if (this.#pools.length === 0) return
    this.#timer?.cancel()
    this.#timer = this.#clock.after(LOOK_EVERY_MS, () => void this.#look())
  }

  /** Told once, and tried again. */
  #fail(why: string): void {
    const text = `containers may be hidden behind this host: ${why}`
    if (text !== this.#problem) this.#tell('error', 'RulesFailed', text)
    this.#problem = text
  }

  #tell(level: 'info' | 'warn' | 'error', kind: string, text: string): void {
    this.#events.tell({ level, topic: 'fib', kind, text })
  }
}
