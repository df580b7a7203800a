/**
 * Suites with linnet between two daemons, of which each row is held by both; docs/interop.md prints them
 * beside the matrix.
 */
import { afterAll, beforeAll, describe, onTestFailed, test } from 'vitest'
import type { Daemon } from '../support/daemons/daemon.ts'
import type { Route } from '../support/daemons/route.ts'
import { eventually } from '../support/eventually.ts'
import { Chain, linnetSeenFrom, type ChainOptions, type Side } from './chain.ts'

export interface ChainSuite {
  readonly title: string
  readonly options: ChainOptions
  readonly cases: readonly ChainCase[]
}

export interface ChainCase {
  /** A sentence. */
  readonly title: string
  run(stage: Stage): Promise<void>
}

export const daemonsOf = ({ options: { left, right } }: ChainSuite): Daemon[] => [
  left.daemon,
  right.daemon,
]

/** A chain that is up, and what is asked of it again and again. */
export class Stage {
  readonly chain: Chain
  readonly options: ChainOptions
  readonly #atEnd: (() => void)[] = []

  constructor(chain: Chain, options: ChainOptions) {
    this.chain = chain
    this.options = options
  }

  /** To be done when the chain is taken down. */
  atEnd(action: () => void): void {
    this.#atEnd.push(action)
  }

  async close(): Promise<void> {
    for (const action of this.#atEnd) action()
    await this.chain.close()
  }

  /** Fulfilled once the route to `prefix` in the table of the daemon on this side (undefined: none) is as it should be. */
  hears(side: Side, prefix: string, is: (it: Route | undefined) => boolean) {
    const { linnetAsn = this.options.linnetAsn, daemon } = this.options[side]
    const neighbor = linnetSeenFrom(side, linnetAsn, 'ipv4')
    return eventually(
      `${prefix} in ${daemon.title}`,
      async () =>
        (await this.chain[side].table(neighbor, 'ipv4')).find((it) => it.prefix === prefix),
      is,
    )
  }
}

export function playChains(suites: readonly ChainSuite[]): void {
  for (const { title, options, cases } of suites) {
    describe(title, () => {
      let stage: Stage | undefined
      beforeAll(async () => {
        stage = new Stage(await Chain.open(options), options)
      })
      afterAll(() => stage?.close())
      for (const row of cases) {
        test(row.title, async () => {
          const here = stage
          if (here === undefined) throw new Error('no chain')
          onTestFailed(() => {
            process.stderr.write(`${title}: ${row.title}\n${here.chain.lastWords()}\n`)
          })
          await row.run(here)
        })
      }
    })
  }
}
