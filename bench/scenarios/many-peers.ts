/** Many external peers with some prefixes each, and everyone hears all. */
import { announcements, partOf, routesOf } from '../load/routes.ts'
import { allHeard, onStage, peerAddress, peerNextHop } from '../stage.ts'
import { hashOf } from '../load/tally.ts'
import type { Conditions, Figures } from './scenario.ts'
import type { Subject } from '../subjects/subject.ts'

const PREFIXES_EACH = 500
const DEADLINE_SECONDS = 400

export const manyPeers =
  (count: number) =>
  async (subject: Subject, { seed, profile, scale }: Conditions): Promise<Figures> => {
    const each = Math.round(PREFIXES_EACH * scale)
    const routes = routesOf({ family: 'ipv4', profile, seed, count: each * count })
    const peers = Array.from({ length: count }, (_, i) => ({
      address: peerAddress(i),
      asn: 60_001 + i,
    }))
    const messages = peers.map(({ asn }, i) =>
      announcements(routes, {
        ...{ asn, nextHop: peerNextHop(i, 'ipv4'), seed: seed + 1 + i },
        ...{ from: i * each, to: (i + 1) * each },
      }),
    )
    const whole = hashOf(routes)
    return onStage(subject, { peers, family: 'ipv4', kernel: false }, async (stage) => {
      const cpu = stage.cpuSeconds()
      const begin = performance.now()
      for (const [i, it] of stage.peers.entries()) it.send(messages[i])
      const others = routes.count - each
      const tallies = await allHeard(stage.peers, others, DEADLINE_SECONDS)
      // Each has heard all but its own; some daemons tell it these too, which would be the whole.
      const right = tallies.every(({ hash, count: heard }, i) => {
        const own = hashOf(partOf(routes, i * each, (i + 1) * each))
        return heard === others ? hash === ((whole - own) | 0) : hash === whole
      })
      if (!right) throw new Error('other prefixes came than were sent')
      return {
        seconds: (Math.max(...tallies.map(({ at }) => at)) - begin) / 1000,
        MB: stage.peakMb(),
        'cpu s': stage.cpuSeconds() - cpu,
      }
    })
  }
