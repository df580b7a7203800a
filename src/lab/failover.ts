/**
 * What a failure costs: under steady load, the daemon of one router is killed and comes back; then
 * another router is removed with its namespace. Losses are counted from outside, packet by packet.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { unmet, waitUntilMet } from './expect.ts'
import { measureDrain, measureRestarts } from './restart.ts'
import { LabFailure } from './runner.ts'
import { ownerOf } from './topology.ts'
import { monotonicMs } from './traffic.ts'
import {
  eventOf,
  forwards,
  PACKETS_PER_SECOND,
  startTraffic,
  STEADY_MS,
  type FailoverEvent,
  type FailoverWorld,
  type Measured,
} from './under-load.ts'

export interface FailoverReport {
  readonly streams: number
  readonly packetsPerSecond: number
  readonly events: readonly FailoverEvent[]
  readonly worstMs: number
  /** Why the measurement means nothing; empty when it does. */
  readonly doubts: readonly string[]
}

const SETTLE_MS = 500
const MOVE_AWAY_MS = 5000
/** Longer than it takes to tell that a session is gone, and to withdraw what came from it. */
const KEPT_FOR_MS = 1500
/** A sender that stood still for so long can't say much about an outage. */
const TOLERABLE_STALL_MS = 1000

export async function measureFailover(world: FailoverWorld): Promise<FailoverReport> {
  const { fail, remove, restart, drain } = world.lab.proof
  const runs: Measured[] = []
  if (restart !== undefined) runs.push(await measureRestarts(world, restart))
  if (drain !== undefined) runs.push(await measureDrain(world, drain))
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
