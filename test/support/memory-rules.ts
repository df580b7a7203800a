/** nftables in memory: our table, as far as the daemon looks at it, and a villain's hands. */
import type { Json } from '../../src/nat/exemption.ts'
import { NftablesError, type RuleTable } from '../../src/linux/nftables.ts'

export class MemoryRules implements RuleTable {
  /** What is in our table; undefined: there is none. */
  table: readonly Json[] | undefined
  /** Why nothing can be done. */
  broken: string | undefined
  applied = 0

  async apply(commands: readonly Json[]): Promise<void> {
    this.#mayFail()
    this.applied++
    const added = commands.slice(3)
    this.table = added.length === 0 ? undefined : added
  }

  async list(): Promise<unknown> {
    this.#mayFail()
    return this.table
  }

  #mayFail(): void {
    if (this.broken !== undefined) throw new NftablesError(this.broken)
  }
}
