/**
 * `kill -9` with a table in the kernel, and a new start: how long until its peers have told everything anew and it has
 * nothing more to do? And how often did it write to the kernel, which had all of it already?
 */
import { spawn } from 'node:child_process'
import { untilCalm } from '../calm.ts'
import { kernelRoutes } from '../ground.ts'
import { mustHold, untilHeld } from '../kernel-table.ts'
import { announcements, routesOf } from '../load/routes.ts'
import { onStage, peerAddress, peerNextHop } from '../stage.ts'
import type { Subject } from '../subjects/subject.ts'
import type { Conditions, Figures } from './scenario.ts'

const PREFIXES = 500_000
const DEADLINE_SECONDS = 180

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
    await untilHeld(pid, own, routes, DEADLINE_SECONDS)
    await untilCalm(() => stage.cpuSeconds(), DEADLINE_SECONDS)
    const watch = watchRoutes()
    const begin = performance.now()
    await stage.restart()
    await stage.connect()
    const upMs = performance.now() - begin
    stage.peers[0].send(messages)
    stage.peers[0].send(endOfRib)
    const calmSince = await untilCalm(() => stage.cpuSeconds(), DEADLINE_SECONDS)
    const writes = await watch.end()
    await mustHold('dut', routes)
    return {
      seconds: (calmSince - begin) / 1000,
      'up s': upMs / 1000,
      'kernel writes': writes,
      MB: stage.peakMb(),
    }
  })
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
