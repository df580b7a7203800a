/**
 * What a restart of linnet on a host costs those who talk through it: nothing. Under steady load its daemon is
 * killed and started again, then told to stop and started again. The kernel forwards on by the routes that are
 * left there, and the routers beside it keep theirs (RFC 4724), so that not a single packet may be lost.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { LabFailure } from './runner.ts'
import { monotonicMs } from './traffic.ts'
import {
  eventOf,
  startTraffic,
  STEADY_MS,
  type FailoverWorld,
  type Measured,
} from './under-load.ts'

/** Longer than the last turn before what is stale goes (daemon/restart.ts). */
const OVER_MS = 1500
const BACK_WITHIN_MS = 30_000
const POLL_MS = 50

const WAYS = [
  { signal: 'SIGKILL', words: 'killed and started' },
  { signal: 'SIGTERM', words: 'stopped and started' },
] as const

export async function measureRestarts(world: FailoverWorld, host: string): Promise<Measured> {
  const { runner, progress } = world
  const traffic = await startTraffic(world, host)
  await sleep(STEADY_MS)
  const restarts = []
  for (const { signal, words } of WAYS) {
    const from = monotonicMs()
    const title = await runner.killSpeaker(host, signal)
    progress(`starting ${title} again`)
    await runner.restart(host)
    const note = await sessionsBack(world, host, from)
    await sleep(OVER_MS)
    restarts.push({ title: `${title} ${words}`, from, until: monotonicMs(), note })
  }
  const report = await traffic.stop()
  return {
    report,
    events: restarts.map(({ title, from, until, note }) => ({
      ...eventOf(title, report, from, until, note),
      allowedMs: 0,
    })),
  }
}

async function sessionsBack(
  { sources, runner }: FailoverWorld,
  host: string,
  since: number,
): Promise<string> {
  while (monotonicMs() - since < BACK_WITHIN_MS) {
    const rows = await sources.table(host, 'peers').catch(() => []) // it is about to start
    if (rows.length > 0 && rows.every(isEstablished)) {
      return `all sessions were back after ${Math.round(monotonicMs() - since)} ms`
    }
    if (runner.deaths().length > 0) break
    await sleep(POLL_MS)
  }
  throw new LabFailure(`the sessions of ${host} did not come back`, runner.lastWords())
}

/** A router with linnet says good-bye properly (`linnet drain --stop`): traffic must be elsewhere before it ends. */
export async function measureDrain(world: FailoverWorld, router: string): Promise<Measured> {
  const { runner, drain, progress } = world
  progress(`draining ${router}`)
  const traffic = await startTraffic(world, router)
  await sleep(STEADY_MS)
  const from = monotonicMs()
  await drain(router)
  const title = await runner.ended(router)
  const note = `it stopped after ${Math.round(monotonicMs() - from)} ms`
  await sleep(STEADY_MS)
  const report = await traffic.stop()
  const event = eventOf(`${title} drained and stopped`, report, from, Infinity, note)
  return { report, events: [{ ...event, allowedMs: 0 }] }
}

const isEstablished = (row: unknown): boolean =>
  typeof row === 'object' && row !== null && 'state' in row && row.state === 'Established'
