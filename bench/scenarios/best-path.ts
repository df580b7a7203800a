/** Ten peers send the same prefixes by paths of different length; one more receives the best. */
import { announcements, routesOf } from '../load/routes.ts'
import { hashOf } from '../load/tally.ts'
import { onStage, peerAddress, peerNextHop, seconds } from '../stage.ts'
import type { Conditions, Figures } from './scenario.ts'
import type { Subject } from '../subjects/subject.ts'
import { BestPaths } from '../load/best-paths.ts'

const SENDERS = 10
const PREFIXES = 100_000
const DEADLINE_SECONDS = 120

export async function bestPath(
  subject: Subject,
  { seed, profile, scale }: Conditions,
): Promise<Figures> {
  const routes = routesOf({ family: 'ipv4', profile, seed, count: Math.round(PREFIXES * scale) })
  // The same hops for all, so that the one with the fewest of its own in front is best: nobody knows which before.
  const best = seed % SENDERS
  const messages = Array.from({ length: SENDERS }, (_, i) =>
    announcements(routes, {
      asn: 65_001 + i,
      nextHop: peerNextHop(i, 'ipv4'),
      seed: seed + 1,
      longer: i === best ? 0 : 1 + (i % 3),
    }),
  )
  const peers = Array.from({ length: SENDERS + 1 }, (_, i) => ({
    address: peerAddress(i),
    asn: 65_001 + i,
  }))
  return onStage(subject, { peers, family: 'ipv4', kernel: false }, async (stage) => {
    const senders = stage.peers.slice(0, SENDERS)
    const [receiver] = stage.peers.slice(SENDERS)
    const table = new BestPaths(65_001 + best)
    const cpu = stage.cpuSeconds()
    const begin = performance.now()
    for (const [i, it] of senders.entries()) it.send(messages[i])
    while (table.settled < routes.count) {
      await seconds(0.05)
      if (performance.now() - receiver.lastHeard < 150) continue
      if (performance.now() - begin > DEADLINE_SECONDS * 1000) {
        throw new Error(`only ${table.settled} of ${routes.count} have their best path`)
      }
      receiver.take((message, at) => table.hear(message, at))
    }
    if (table.hash !== hashOf(routes)) throw new Error('other prefixes came than were sent')
    return {
      seconds: (table.settledAt - begin) / 1000,
      MB: stage.peakMb(),
      'cpu s': stage.cpuSeconds() - cpu,
    }
  })
}
