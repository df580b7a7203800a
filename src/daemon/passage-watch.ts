/**
 * Looks from time to time whether the host's rules let containers of other hosts in (`nat.pools`), and tells once what
 * is in the way, with the command that helps. No rule of Docker's or anybody's is touched: a table of our own could
 * not overrule a drop in another.
 */
import type { NatConfig } from '../config/config.ts'
import { FirewallError } from '../linux/firewall-rules.ts'
import type { Finding } from '../nat/finding.ts'
import type { Clock, Timer } from '../net/clock.ts'
import type { Prefix } from '../net/prefix.ts'
import type { Events } from './events.ts'

/** While something is in the way, or nothing could be asked about yet. */
const SOON_MS = 10_000
/** While all is well: reading all rules takes a few processes. */
const LATER_MS = 60_000

/** What is in the way between these pools; undefined when there is nobody to ask about yet. */
export type Examine = (pools: readonly Prefix[]) => Promise<readonly Finding[] | undefined>

export class PassageWatch {
  readonly #examine: Examine
  readonly #events: Events
  readonly #clock: Clock
  #pools: readonly Prefix[] = []
  #problems: readonly string[] = []
  #timer: Timer | undefined
  /** Looks that are under way count only if nothing was configured since. */
  #turn = 0

  constructor(examine: Examine, events: Events, clock: Clock) {
    this.#examine = examine
    this.#events = events
    this.#clock = clock
  }

  /** What is in the way, with the remedy. */
  get problems(): readonly string[] {
    return this.#problems
  }

  configure(nat: NatConfig | undefined): void {
    this.#pools = nat?.exempt === 'auto' ? nat.pools : []
    this.#timer?.cancel()
    this.#turn++
    if (this.#pools.length === 0) this.#problems = []
    else void this.#look(this.#turn)
  }

  close(): void {
    this.configure(undefined)
  }

  async #look(turn: number): Promise<void> {
    const found = await this.#ask()
    if (turn !== this.#turn) return
    if (found !== undefined) this.#tell(found)
    const isWell = found !== undefined && found.length === 0
    this.#timer = this.#clock.after(isWell ? LATER_MS : SOON_MS, () => void this.#look(turn))
  }

  async #ask(): Promise<readonly string[] | undefined> {
    try {
      const findings = await this.#examine(this.#pools)
      return findings?.filter(({ severity }) => severity === 'problem').map(textOf)
    } catch (error) {
      if (!(error instanceof FirewallError)) throw error
      return [error.message]
    }
  }

  #tell(found: readonly string[]): void {
    const fresh = found.filter((text) => !this.#problems.includes(text))
    const isOver = found.length === 0 && this.#problems.length > 0
    this.#problems = found
    const about = { topic: 'fib' } as const
    for (const text of fresh) {
      this.#events.tell({ ...about, level: 'warn', kind: 'PassageBlocked', text })
    }
    if (!isOver) return
    const text = 'no rule of this host is in the way of containers any more'
    this.#events.tell({ ...about, level: 'info', kind: 'PassageFree', text })
  }
}

function textOf({ networks, text, rules, command, setting, instead }: Finding): string {
  const by = rules.length === 0 ? '' : ` (${rules[0]})`
  const parts = instead === true ? [command ?? setting] : [command, setting]
  const remedy = parts.flatMap((it) => it ?? []).join('; and ')
  return `${networks.join(', ')}: ${text}${by}${remedy === '' ? '' : `: ${remedy}`}; linnet doctor docker tells more`
}
