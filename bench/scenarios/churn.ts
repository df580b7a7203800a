/**
 * A table is held, and four peers change routes of it all the time: does the daemon keep up, and what does that
 * cost? `catch-up s` is how long after the last change the receiver still hears of some. linnet is also asked for its
 * vital signs meanwhile, and has neighbours with BFD, of whom nobody may be given up.
 */
import { BfdNeighbors, failuresAtLinnet } from '../bfd-neighbors.ts'
import { untilCalm } from '../calm.ts'
import { socketIn, watchVitalSigns } from '../control-socket.ts'
import { announcements, partOf, random, routesOf, withdrawals } from '../load/routes.ts'
import { mustHold } from '../kernel-table.ts'
import { quantile } from '../series.ts'
import { until } from '../ground.ts'
import { allHeard, onStage, peerAddress, peerNextHop, seconds, type Stage } from '../stage.ts'
import type { Subject } from '../subjects/subject.ts'
import type { Conditions, Figures } from './scenario.ts'

const HELD = 1_000_000
const SENDERS = 4
const CHANGES_PER_SECOND = 10_000
const CHURN_SECONDS = 60
const TICK_MS = 20
/** Routes that change together, of one attribute set. */
const AT_ONCE = 10
const DEADLINE_SECONDS = 120
const BFD = { count: 50, intervalMs: 100, multiplier: 3 }

export async function churn(subject: Subject, conditions: Conditions): Promise<Figures> {
  const peers = Array.from({ length: SENDERS + 1 }, (_, i) => ({
    address: peerAddress(i),
    asn: 65_001 + i,
  }))
  const plan = { peers, family: 'ipv4', kernel: true } as const
  if (subject.name !== 'linnet') return onStage(subject, plan, (it) => underChurn(it, conditions))
  return onStage(subject, { ...plan, bfd: BFD }, async (stage) => {
    const neighbors = new BfdNeighbors(BFD)
    try {
      await until(() => neighbors.allUp, 30, 'BFD session of everybody')
      const figures = await underChurn(stage, conditions)
      const failures = await failuresAtLinnet(socketIn(stage.folder))
      return { ...figures, 'BFD downs': failures + neighbors.failures }
    } finally {
      await neighbors.close()
    }
  })
}

async function underChurn(stage: Stage, { seed, profile, scale }: Conditions): Promise<Figures> {
  const routes = routesOf({ family: 'ipv4', profile, seed, count: Math.round(HELD * scale) })
  const each = Math.floor(routes.count / SENDERS)
  const options = (i: number, set: number) => ({
    ...{ asn: 65_001 + i, nextHop: peerNextHop(i, 'ipv4'), seed: set },
  })
  const senders = stage.peers.slice(0, SENDERS)
  const [receiver] = stage.peers.slice(SENDERS)
  for (const [i, it] of senders.entries()) {
    const own = { ...options(i, seed + i), from: i * each, to: (i + 1) * each }
    it.send(announcements(routes, own))
  }
  await allHeard([receiver], SENDERS * each, DEADLINE_SECONDS)
  await seconds(5)
  const vigil =
    stage.subject.name === 'linnet' ? watchVitalSigns(socketIn(stage.folder)) : undefined
  const next = random(seed + 99)
  const cpu = stage.cpuSeconds()
  const begin = performance.now()
  let sent = 0
  for (let now = begin; now < begin + CHURN_SECONDS * 1000; now = performance.now()) {
    const due = ((now - begin) / 1000) * CHANGES_PER_SECOND
    for (; sent < due; sent += AT_ONCE) {
      const i = Math.floor(next() * SENDERS)
      const from = i * each + Math.floor(next() * (each - AT_ONCE))
      // One in three is a withdrawal, which the next change of the same routes takes back.
      const gone = next() < 1 / 3
      const few = partOf(routes, from, from + AT_ONCE)
      senders[i].send(
        gone ? withdrawals(few) : announcements(few, options(i, Math.floor(next() * 1e9))),
      )
    }
    await seconds(TICK_MS / 1000)
  }
  const ended = performance.now()
  const signs = await vigil?.end()
  const caughtUp = await untilQuiet(receiver)
  const cpuShare = (100 * (stage.cpuSeconds() - cpu)) / CHURN_SECONDS
  // At last all are announced again: so it is known what the kernel must hold.
  for (const [i, it] of senders.entries()) {
    const own = { ...options(i, seed + i), from: i * each, to: (i + 1) * each }
    it.send(announcements(routes, own))
  }
  await untilQuiet(receiver)
  await untilCalm(() => stage.cpuSeconds(), DEADLINE_SECONDS)
  await mustHold('dut', partOf(routes, 0, SENDERS * each))
  return {
    'CPU %': cpuShare,
    'catch-up s': Math.max(0, caughtUp - ended) / 1000,
    MB: stage.peakMb(),
    ...(signs && { 'lag p99 ms': quantile(signs.lagsMs, 0.99), 'most queued': signs.mostQueued }),
  }
}

const QUIET_MS = 1_000

/** When the last bytes came, once none have come for a second. */
async function untilQuiet(receiver: { readonly lastHeard: number }): Promise<number> {
  do await seconds(0.1)
  while (performance.now() - receiver.lastHeard < QUIET_MS)
  return receiver.lastHeard
}
