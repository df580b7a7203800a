/**
 * Many BFD neighbours in a thread of this process: the far ends of a daemon's sessions, without BGP. Each pair has
 * addresses of its own on one link: 10.98.1.1 there and 10.98.2.1 here, 10.98.1.2 and 10.98.2.2, and so on.
 */
import { z } from 'zod'
import type { BfdReport } from '../src/bfd/session.ts'
import { bfdThread, type BfdService } from '../src/daemon/bfd-thread.ts'
import { address } from '../src/net/address.ts'
import { ask } from './control-socket.ts'
import { sh } from './ground.ts'

export const MOST_NEIGHBORS = 250
export const subjectAddress = (i: number): string => `10.98.1.${i + 1}`
export const neighborAddress = (i: number): string => `10.98.2.${i + 1}`

export interface NeighborsOptions {
  readonly count: number
  readonly intervalMs: number
  readonly multiplier: number
}

/** Their part of the daemon's configuration: they are not to be called. */
export const neighborsConfig = ({ count, intervalMs, multiplier }: NeighborsOptions): string =>
  Array.from(
    { length: count },
    (_, i) =>
      `  - { name: n${i}, address: ${neighborAddress(i)}, localAddress: ${subjectAddress(i)}, asn: 65009, passive: true, import: accept, bfd: { interval: ${intervalMs}ms, multiplier: ${multiplier} } }\n`,
  ).join('')

/** Gives both ends their addresses, once the link is there. */
export function addAddresses(count: number): void {
  const batch = (of: (i: number) => string): string =>
    Array.from({ length: count }, (_, i) => `addr add ${of(i)}/16 dev eth0`).join('\n')
  sh(`ip -n dut -batch - <<'END'\n${batch(subjectAddress)}\nEND`)
  sh(`ip -batch - <<'END'\n${batch(neighborAddress)}\nEND`)
}

const failures = z.array(z.object({ bfdFailures: z.number() }))

/** How often linnet has given any of them up. */
export async function failuresAtLinnet(socket: string): Promise<number> {
  const peers = failures.parse(JSON.parse(await ask(socket, 'GET', '/v1/peers')))
  return peers.reduce((sum, it) => sum + it.bfdFailures, 0)
}

export class BfdNeighbors {
  readonly #service: BfdService = bfdThread()
  readonly #options: NeighborsOptions
  readonly #reports = new Map<string, BfdReport>()
  /** Times that the daemon was given up. */
  failures = 0

  constructor(options: NeighborsOptions) {
    this.#options = options
    this.#service.listen(
      (news) => {
        if (news.type === 'Failed') throw new Error(`${news.name}: ${news.problem}`)
        this.#reports.set(news.name, news.report)
        if (news.failure) this.failures++
      },
      (why) => {
        throw new Error(`the thread of BFD broke: ${why}`)
      },
    )
    const microseconds = options.intervalMs * 1000
    for (let i = 0; i < options.count; i++) {
      this.#service.set(`n${i}`, {
        path: {
          hops: 'single',
          remote: address(subjectAddress(i)),
          local: address(neighborAddress(i)),
        },
        timers: {
          desiredMinTxMicroseconds: microseconds,
          requiredMinRxMicroseconds: microseconds,
          detectMultiplier: options.multiplier,
        },
      })
    }
  }

  /** All are up, and at the pace that was asked for. */
  get allUp(): boolean {
    const { count, intervalMs, multiplier } = this.#options
    const up = [...this.#reports.values()].filter(
      ({ state, detectionMs }) => state === 'Up' && detectionMs === intervalMs * multiplier,
    )
    return up.length === count
  }

  get longestSilenceMs(): number {
    return Math.max(0, ...[...this.#reports.values()].map((it) => it.longestSilenceMs))
  }

  close(): Promise<void> {
    return this.#service.close()
  }
}
