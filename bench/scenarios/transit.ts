/** One external peer sends a table, another receives all of it. */
import { announcements, routesOf } from '../load/routes.ts'
import { hashOf } from '../load/tally.ts'
import { allHeard, onStage, peerAddress, peerNextHop } from '../stage.ts'
import type { Conditions, Figures } from './scenario.ts'
import type { Subject } from '../subjects/subject.ts'

const DEADLINE_SECONDS = 120

export const transit =
  (family: 'ipv4' | 'ipv6', prefixes: number) =>
  async (subject: Subject, { seed, profile, scale }: Conditions): Promise<Figures> => {
    const routes = routesOf({ family, profile, seed, count: Math.round(prefixes * scale) })
    const asn = 65_001
    const messages = announcements(routes, { asn, nextHop: peerNextHop(0, family), seed: seed + 1 })
    const peers = [
      { address: peerAddress(0), asn },
      { address: peerAddress(1), asn: 65_002 },
    ]
    return onStage(subject, { peers, family, kernel: false }, async (stage) => {
      const [sender, receiver] = stage.peers
      const cpu = stage.cpuSeconds()
      const begin = performance.now()
      sender.send(messages)
      const [tally] = await allHeard([receiver], routes.count, DEADLINE_SECONDS)
      if (tally.hash !== hashOf(routes)) throw new Error('other prefixes came than were sent')
      return {
        seconds: (tally.at - begin) / 1000,
        MB: stage.peakMb(),
        'cpu s': stage.cpuSeconds() - cpu,
      }
    })
  }
