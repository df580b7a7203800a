/**
 * Steady traffic through a node while something happens to it, and what that has cost. Losses are counted from
 * outside, packet by packet.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { startProcess } from '../linux/process.ts'
import { tracePaths } from './evidence.ts'
import type { Sources } from './expect.ts'
import type { Outage } from './outage.ts'
import { LabFailure, type LabRunner } from './runner.ts'
import { containerNamed, nodeNamed, type Lab } from './topology.ts'
import type { TrafficOrder, TrafficReport } from './traffic.ts'
import type { Hop } from './verdict.ts'

export interface FailoverEvent {
  /** `tor1: daemon killed (tor1/linnet)`. */
  readonly title: string
  /** Packets sent on all streams while it was watched. */
  readonly sent: number
  readonly lost: number
  /** The longest interruption of a stream. */
  readonly outageMs: number
  readonly note: string
  /** The longest interruption that may be. Default: that of the proof. */
  readonly allowedMs?: number
}

export interface FailoverWorld {
  readonly lab: Lab
  readonly runner: LabRunner
  readonly sources: Sources
  /** `linnet drain --stop` there; resolves when it is about to stop. */
  readonly drain: (router: string) => Promise<unknown>
  /** How to start linnet: node and the program. */
  readonly program: readonly string[]
  /** Tells what goes on, in a few words. */
  readonly progress: (text: string) => void
}

export const PACKETS_PER_SECOND = 1000
export const STEADY_MS = 300
const MOST_PAIRS = 2

export interface Measured {
  readonly report: TrafficReport
  readonly events: readonly FailoverEvent[]
}

export function eventOf(
  title: string,
  report: TrafficReport,
  from: number,
  until: number,
  note: string,
): FailoverEvent {
  // What was lost just before counts as well: a packet on its way when the event came.
  const during = (it: Outage): boolean => it.startMs >= from - 100 && it.startMs < until - 100
  const outages = report.streams.flatMap((stream) => stream.outages.filter(during))
  return {
    title,
    sent: report.streams.reduce((sum, stream) => sum + stream.sent, 0),
    lost: outages.reduce((sum, it) => sum + it.lost, 0),
    outageMs: Math.ceil(Math.max(0, ...outages.map((it) => it.lengthMs))),
    note,
  }
}

interface Traffic {
  stop(): Promise<TrafficReport>
}

export async function startTraffic(world: FailoverWorld, router: string): Promise<Traffic> {
  const { lab, program } = world
  const pairs = await pairsThrough(lab, router)
  const endOf = (name: string): { namespace: string; address: string } => ({
    namespace: name,
    address: containerNamed(lab, name).address,
  })
  const order: TrafficOrder = {
    packetsPerSecond: PACKETS_PER_SECOND,
    streams: pairs.flatMap(([a, b]) => [
      { from: endOf(a), to: endOf(b) },
      { from: endOf(b), to: endOf(a) },
    ]),
  }
  const errors: string[] = []
  let report: TrafficReport | undefined
  let started: () => void = () => {}
  const running = new Promise<void>((resolve) => (started = resolve))
  const [command = '', ...args] = program
  const child = await startProcess(command, [...args, 'lab', 'traffic', JSON.stringify(order)], {
    onLine(line, stream) {
      if (stream === 'stderr') errors.push(line)
      else if (line === 'started') started()
      else report = JSON.parse(line) as TrafficReport // written by traffic.ts, in this same program
    },
  })
  const died = child.exited.then(() => {
    throw new LabFailure(`the traffic between containers failed: ${errors.join(' ')}`)
  })
  died.catch(() => {}) // it ends in any case; only an early end is a failure
  await Promise.race([running, died])
  return {
    async stop() {
      child.kill('SIGTERM')
      await child.exited
      // The last line may still be on its way through the pipe.
      for (let i = 0; i < 100 && report === undefined; i++) await sleep(10)
      if (report !== undefined) return report
      throw new LabFailure(`the traffic told nothing: ${errors.join(' ')}`)
    },
  }
}

/** A route reflector beside the road forwards nothing: a linnet with `kernel: { install: false }`. */
export function forwards(lab: Lab, router: string): boolean {
  const { config } = nodeNamed(lab, router)
  const kernel = typeof config === 'object' ? config['kernel'] : undefined
  return !(
    typeof kernel === 'object' &&
    kernel !== null &&
    'install' in kernel &&
    kernel.install === false
  )
}

/** Pairs whose packets cross the router now, in both directions where there are such. */
async function pairsThrough(
  lab: Lab,
  router: string,
): Promise<readonly (readonly [string, string])[]> {
  const there = lab.proof.pairs
  const back = there.map(([a, b]) => [b, a] as const)
  const paths = await tracePaths(lab, [...there, ...back])
  const chosen = choosePairs(there, paths.slice(0, there.length), paths.slice(there.length), router)
  if (chosen.length > 0) return chosen
  if (!forwards(lab, router)) return there.slice(0, MOST_PAIRS)
  throw new LabFailure(`no pair of containers uses ${router}: its failure would prove nothing`)
}

/** Pure: those that cross the router both ways first, at most a few. */
export function choosePairs(
  pairs: readonly (readonly [string, string])[],
  there: readonly (readonly Hop[])[],
  back: readonly (readonly Hop[])[],
  router: string,
): readonly (readonly [string, string])[] {
  const crosses = (path: readonly Hop[] | undefined): number =>
    path?.some((hop) => hop.node === router) === true ? 1 : 0
  return pairs
    .map((pair, i) => ({ pair, score: crosses(there[i]) + crosses(back[i]) }))
    .filter(({ score }) => score > 0)
    .toSorted((a, b) => b.score - a.score)
    .slice(0, MOST_PAIRS)
    .map(({ pair }) => pair)
}
