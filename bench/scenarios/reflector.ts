/** A route reflector: one client sends, fifty receive. */
import { announcements, routesOf } from '../load/routes.ts'
import { hashOf } from '../load/tally.ts'
import { allHeard, onStage, peerAddress, peerNextHop, SUBJECT_ASN } from '../stage.ts'
import type { Conditions, Figures } from './scenario.ts'
import type { Subject } from '../subjects/subject.ts'

const RECEIVERS = 50
const PREFIXES = 100_000
const DEADLINE_SECONDS = 200

export async function reflector(
  subject: Subject,
  { seed, profile, scale }: Conditions,
): Promise<Figures> {
  const routes = routesOf({ family: 'ipv4', profile, seed, count: Math.round(PREFIXES * scale) })
  const nextHop = peerNextHop(0, 'ipv4')
  const messages = announcements(routes, {
    ...{ asn: SUBJECT_ASN, nextHop, seed: seed + 1, internal: true },
  })
  const peers = Array.from({ length: RECEIVERS + 1 }, (_, i) => ({
    ...{ address: peerAddress(i), asn: SUBJECT_ASN, client: true },
  }))
  return onStage(subject, { peers, family: 'ipv4', kernel: false }, async (stage) => {
    const [sender, ...receivers] = stage.peers
    const cpu = stage.cpuSeconds()
    const begin = performance.now()
    sender.send(messages)
    const tallies = await allHeard(receivers, routes.count, DEADLINE_SECONDS)
    if (tallies.some(({ hash }) => hash !== hashOf(routes))) {
      throw new Error('other prefixes came than were sent')
    }
    return {
      seconds: (Math.max(...tallies.map(({ at }) => at)) - begin) / 1000,
      MB: stage.peakMb(),
      'cpu s': stage.cpuSeconds() - cpu,
    }
  })
}
