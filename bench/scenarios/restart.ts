/**
 * `kill -9` with a table in the kernel, and a new start: how long until its peers have told everything anew and it has
 * nothing more to do? And how often did it write to the kernel, which had all of it already?
 */
import { spawn } from 'node:child_process'
import { kernelRoutes, until } from '../ground.ts'
import { announcements, routesOf } from '../load/routes.ts'
import { onStage, peerAddress, peerNextHop } from '../stage.ts'
import type { Subject } from '../subjects/subject.ts'
import type { Conditions, Figures } from './scenario.ts'

const PREFIXES = 500_000
const DEADLINE_SECONDS = 180
/** Of a second, that a daemon uses which has nothing to do. */
const CALM = 0.02
const LOOK_MS = 250

export async function restart(
  subject: Subject,
  { seed, profile, scale }: Conditions,
): Promise<Figures> {
  const routes = routesOf({ family: 'ipv4', profile, seed, count: Math.round(PREFIXES * scale) })
  const asn = 65_001
  const nextHop = peerNextHop(0, 'ipv4')
  const messages = announcements(routes, { asn, nextHop, seed: seed + 1 })
  const endOfRib = Uint8Array.from([...Array.from({ length: 16 }, () => 255), 0, 23, 2, 0, 0, 0, 0])
  const peers = [{ address: peerAddress(0), asn }]
  return onStage(subject, { peers, family: 'ipv4', kernel: true }, async (stage) => {
    const pid = stage.pids()[0] ?? 0
    const own = kernelRoutes(pid)
    stage.peers[0].send(messages)
    await until(() => kernelRoutes(pid) >= own + routes.count, DEADLINE_SECONDS, 'table', 50)
    await until(calm(stage), DEADLINE_SECONDS, 'calm', LOOK_MS)
    const watch = watchRoutes()
    const begin = performance.now()
    await stage.restart()
    await stage.connect()
    const upMs = performance.now() - begin
    stage.peers[0].send(messages)
    stage.peers[0].send(endOfRib)
    await until(calm(stage), DEADLINE_SECONDS, 'calm', LOOK_MS)
    const quietMs = performance.now() - begin - CALM_LOOKS * LOOK_MS
    const now = kernelRoutes(stage.pids()[0] ?? 0)
    if (now < own + routes.count) throw new Error(`the kernel has ${now} routes now`)
    return {
      seconds: quietMs / 1000,
      'up s': upMs / 1000,
      'kernel writes': await watch.end(),
      MB: stage.peakMb(),
    }
  })
}

const CALM_LOOKS = 4

/** True when it has used next to no CPU since some looks. */
function calm(stage: { cpuSeconds(): number }): () => boolean {
  let before = -1
  let times = 0
  return () => {
    const now = stage.cpuSeconds()
    times = before >= 0 && now - before <= CALM ? times + 1 : 0
    before = now
    return times >= CALM_LOOKS
  }
}

/** Counts changes of routes in the namespace. */
function watchRoutes(): { end(): Promise<number> } {
  const child = spawn('ip', ['-n', 'dut', '-o', 'monitor', 'route'], {
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  let lines = 0
  child.stdout.on('data', (bytes: Buffer) => {
    for (const byte of bytes) if (byte === 10) lines++
  })
  const ended = new Promise((resolve) => child.once('close', resolve))
  return {
    end: async () => {
      child.kill('SIGTERM')
      await ended
      return lines
    },
  }
}
