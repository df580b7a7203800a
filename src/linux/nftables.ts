/**
 * nftables through its own program, as JSON (`nft -j`): each call is one transaction of the kernel, which
 * takes all of its commands or none.
 */
import { ProcessError, runProcess } from './process.ts'
import type { Json } from '../nat/exemption.ts'

/** What went wrong, with the remedy. */
export class NftablesError extends Error {}

/** Whoever keeps a table of rules. */
export interface RuleTable {
  /** Carries out all of the commands or none of them. Rejects with an NftablesError. */
  apply(commands: readonly Json[]): Promise<void>
  /** What `nft -j list table` says; undefined when there is no such table. Rejects with an NftablesError. */
  list(family: string, name: string): Promise<unknown>
}

export const nftables: RuleTable = {
  apply: async (commands) => {
    // As an argument: nft opens /dev/stdin by name, and ours would be a socket, which has none.
    await nft(['-j', JSON.stringify({ nftables: commands })])
  },
  list: async (family, name) => {
    const tables: unknown = JSON.parse(await nft(['-j', 'list', 'tables', family]))
    if (!JSON.stringify(tables).includes(`"name":"${name}"`)) return undefined
    return JSON.parse(await nft(['-j', 'list', 'table', family, name])) as unknown
  },
}

async function nft(args: readonly string[]): Promise<string> {
  try {
    const { code, stdout, stderr, timedOut } = await runProcess('nft', args)
    if (code === 0) return stdout
    const words = stderr.split('\n').find((line) => line.includes('Error')) ?? stderr
    throw new NftablesError(timedOut ? 'nft does not answer' : `nft refuses: ${words.trim()}`)
  } catch (error) {
    if (!(error instanceof ProcessError)) throw error
    throw new NftablesError(
      error.missing
        ? 'there is no program nft on this host: install the package nftables'
        : error.message,
    )
  }
}
