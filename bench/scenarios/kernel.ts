/** A table goes into the kernel; the clock stops when the kernel has all of it. */
import { kernelRoutes } from '../ground.ts'
import { mustHold, untilHeld } from '../kernel-table.ts'
import { announcements, routesOf } from '../load/routes.ts'
import { onStage, peerAddress, peerNextHop } from '../stage.ts'
import type { Conditions, Figures } from './scenario.ts'
import type { Subject } from '../subjects/subject.ts'

const DEADLINE_SECONDS = 120

export const kernel =
  (family: 'ipv4' | 'ipv6', prefixes: number) =>
  async (subject: Subject, { seed, profile, scale }: Conditions): Promise<Figures> => {
    const routes = routesOf({ family, profile, seed, count: Math.round(prefixes * scale) })
    const asn = 65_001
    const messages = announcements(routes, { asn, nextHop: peerNextHop(0, family), seed: seed + 1 })
    const peers = [{ address: peerAddress(0), asn }]
    return onStage(subject, { peers, family, kernel: true }, async (stage) => {
      const [sender] = stage.peers
      const pid = stage.pids()[0] ?? 0
      const own = kernelRoutes(pid, family)
      const cpu = stage.cpuSeconds()
      const begin = performance.now()
      sender.send(messages)
      const end = await untilHeld(pid, own, routes, DEADLINE_SECONDS)
      const figures = {
        seconds: (end - begin) / 1000,
        MB: stage.peakMb(),
        'cpu s': stage.cpuSeconds() - cpu,
      }
      await mustHold('dut', routes)
      return figures
    })
  }
