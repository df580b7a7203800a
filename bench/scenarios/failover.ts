/**
 * Two ToRs announce the same prefixes, and all are preferred by the one whose session then closes. How long until the
 * kernel sends packets to a thousand random destinations to the other? It is asked for each of them, over and over.
 */
import { untilCalm } from '../calm.ts'
import { until } from '../ground.ts'
import { mustHold } from '../kernel-table.ts'
import { announcements, random, routesOf, textOf, type Routes } from '../load/routes.ts'
import { Sight, type GoesRight } from '../sight.ts'
import { onStage, peerAddress, peerNextHop } from '../stage.ts'
import { address, type Address } from '../../src/net/address.ts'
import type { Conditions, Figures } from './scenario.ts'
import type { Subject } from '../subjects/subject.ts'

const DESTINATIONS = 1_000
const DEADLINE_SECONDS = 120

export const failover =
  (prefixes: number) =>
  async (subject: Subject, { seed, profile, scale }: Conditions): Promise<Figures> => {
    const count = Math.round(prefixes * scale)
    const routes = routesOf({ family: 'ipv4', profile, seed, count })
    const tors = [0, 1].map((i) => ({ address: peerAddress(i), asn: 65_001 + i }))
    const [lost, other] = tors.map(
      ({ address }): GoesRight =>
        (lookup, to) =>
          lookup.gateway(to) === address,
    )
    const messages = tors.map(({ asn }, i) =>
      announcements(routes, { asn, nextHop: peerNextHop(i, 'ipv4'), seed: seed + 1, longer: i }),
    )
    const plan = { peers: tors, family: 'ipv4', kernel: true, silent: true } as const
    return onStage(subject, plan, async (stage) => {
      const sight = new Sight('dut', destinations(routes, seed))
      try {
        // The one that stays comes first: so nothing of it is under way when the other goes.
        for (const i of [1, 0]) stage.peers[i].send(messages[i])
        await until(() => sight.all(lost), DEADLINE_SECONDS, 'routes by the first ToR', 100)
        await untilCalm(() => stage.cpuSeconds(), DEADLINE_SECONDS)
        await mustHold('dut', routes)
        const cpu = stage.cpuSeconds()
        const begin = performance.now()
        stage.peers[0].close()
        // The socket is closed once the event loop has turned.
        await new Promise((resolve) => setImmediate(resolve))
        const milliseconds = sight.millisecondsUntilAll(other, begin)
        await untilCalm(() => stage.cpuSeconds(), DEADLINE_SECONDS)
        await mustHold('dut', routes)
        if (!sight.all(other)) throw new Error('not all stayed with the other ToR')
        return { ms: milliseconds, MB: stage.peakMb(), 'cpu s': stage.cpuSeconds() - cpu }
      } finally {
        sight.close()
      }
    })
  }

/** Each is the first address of a prefix. */
function destinations(routes: Routes, seed: number): Address[] {
  const next = random(seed + 5)
  return Array.from({ length: DESTINATIONS }, () =>
    address(textOf(routes.words[Math.floor(next() * routes.count)])),
  )
}
