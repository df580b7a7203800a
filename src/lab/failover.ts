/**
 * What a failure costs: under steady load, the daemon of one router is killed and comes back; then
 * another router is removed with its namespace. Losses are counted from outside, packet by packet.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { startProcess } from '../linux/process.ts'
import { tracePaths } from './evidence.ts'
import { unmet, waitUntilMet, type Sources } from './expect.ts'
import type { Outage } from './outage.ts'
import { measureRestarts } from './restart.ts'
import { LabFailure, type LabRunner } from './runner.ts'
import { containerNamed, nodeNamed, ownerOf, type Lab } from './topology.ts'
import { monotonicMs, type TrafficOrder, type TrafficReport } from './traffic.ts'
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

export interface FailoverReport {
  readonly streams: number
  readonly packetsPerSecond: number
  readonly events: readonly FailoverEvent[]
  readonly worstMs: number
  /** Why the measurement means nothing; empty when it does. */
  readonly doubts: readonly string[]
}

export interface FailoverWorld {
  readonly lab: Lab
  readonly runner: LabRunner
  readonly sources: Sources
  /** How to start linnet: node and the program. */
  readonly program: readonly string[]
  /** Tells what goes on, in a few words. */
  readonly progress: (text: string) => void
}

const PACKETS_PER_SECOND = 1000
export const STEADY_MS = 300
const SETTLE_MS = 500
const MOVE_AWAY_MS = 5000
/** Longer than it takes to tell that a session is gone, and to withdraw what came from it. */
const KEPT_FOR_MS = 1500
const MOST_PAIRS = 2
/** A sender that stood still for so long can't say much about an outage. */
const TOLERABLE_STALL_MS = 1000

export async function measureFailover(world: FailoverWorld): Promise<FailoverReport> {
  const { fail, remove, restart } = world.lab.proof
  const runs: Measured[] = []
  if (restart !== undefined) runs.push(await measureRestarts(world, restart))
  if (fail !== undefined) runs.push(await killAndRestart(world, fail))
  if (remove !== undefined) runs.push(await removeRouter(world, remove))
  const events = runs.flatMap((it) => it.events)
  return {
    streams: Math.max(...runs.map((it) => it.report.streams.length)),
    packetsPerSecond: PACKETS_PER_SECOND,
    events,
    worstMs: Math.max(0, ...events.map((it) => it.outageMs)),
    doubts: runs.flatMap(doubtsOf),
  }
}

export interface Measured {
  readonly report: TrafficReport
  readonly events: readonly FailoverEvent[]
}

async function killAndRestart(world: FailoverWorld, router: string): Promise<Measured> {
  const { lab, runner, sources, progress } = world
  progress(`killing the daemon of ${router}`)
  const traffic = await startTraffic(world, router)
  await sleep(STEADY_MS)
  const killedAt = monotonicMs()
  const title = await runner.killSpeaker(router)
  const away = forwards(lab, router)
    ? await routesMovedAway(world, router, killedAt)
    : await routesKept(world, router, killedAt)
  await sleep(SETTLE_MS)
  progress(`starting ${title} again`)
  const restartedAt = monotonicMs()
  await runner.restart(router)
  const back = await waitUntilMet(lab.expect, lab.within, sources, () => runner.deaths().length > 0)
  if (!back.met) {
    throw new LabFailure(`${title} did not come back`, [...back.words, ...runner.lastWords()])
  }
  await sleep(SETTLE_MS)
  const report = await traffic.stop()
  return {
    report,
    events: [
      eventOf(`${title} killed`, report, killedAt, restartedAt, away),
      eventOf(
        `${title} back`,
        report,
        restartedAt,
        Infinity,
        `as before after ${(back.milliseconds / 1000).toFixed(1)} s`,
      ),
    ],
  }
}

async function removeRouter(world: FailoverWorld, router: string): Promise<Measured> {
  const { runner, progress } = world
  progress(`removing ${router} with its namespace`)
  const traffic = await startTraffic(world, router)
  await sleep(STEADY_MS)
  const removedAt = monotonicMs()
  await runner.remove(router)
  const away = await routesMovedAway(world, router, removedAt)
  await sleep(SETTLE_MS)
  const report = await traffic.stop()
  return { report, events: [eventOf(`${router} removed`, report, removedAt, Infinity, away)] }
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

const doubtsOf = ({ report }: Measured): string[] => {
  const doubts: string[] = []
  if (report.streams.some((it) => it.received === 0)) doubts.push('a stream never got through')
  if (report.longestStallMs > TOLERABLE_STALL_MS) {
    doubts.push(`the machine held the sender up for ${Math.round(report.longestStallMs)} ms`)
  }
  return doubts
}

/** Waits until no host forwards through `router`; says how that went. */
async function routesMovedAway(
  { lab, sources }: FailoverWorld,
  router: string,
  since: number,
): Promise<string> {
  const hosts = lab.nodes.filter((it) => it.containers.length > 0)
  while (monotonicMs() - since < MOVE_AWAY_MS) {
    let through = false
    for (const { name } of hosts) {
      const routes = await sources.kernel(name)
      through ||= routes.some((it) => it.nextHops.some((hop) => ownerOf(lab, hop) === router))
      if (through) break
    }
    if (!through) return `no route through ${router} after ${Math.round(monotonicMs() - since)} ms`
    await sleep(20)
  }
  return `routes through ${router} are kept`
}

/** Watches for a while that the other nodes keep the routes that the file expects: a reflector takes none with it. */
async function routesKept(
  { lab, sources }: FailoverWorld,
  router: string,
  since: number,
): Promise<string> {
  const others = lab.expect.filter(({ on }) => on !== router)
  while (monotonicMs() - since < KEPT_FOR_MS) {
    for (const { on, kernel } of others) {
      const words = kernel === undefined ? [] : await unmet({ on, kernel }, sources)
      if (words.length > 0) throw new LabFailure(`${router} took routes with it`, words)
    }
    await sleep(20)
  }
  return `all routes were kept for ${Math.round(monotonicMs() - since)} ms`
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
function forwards(lab: Lab, router: string): boolean {
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
