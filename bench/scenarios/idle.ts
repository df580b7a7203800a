/**
 * Two peers and a hundred prefixes: how soon it speaks after its start, and what it takes while nothing happens: in the
 * half minute after that, in which a runtime with a garbage collector clears up, and in the one that follows.
 */
import { announcements, routesOf } from '../load/routes.ts'
import { allHeard, onStage, peerAddress, peerNextHop, seconds } from '../stage.ts'
import type { Subject } from '../subjects/subject.ts'
import type { Conditions, Figures } from './scenario.ts'

const PREFIXES = 100
const CALM_SECONDS = 3
const WATCHED_SECONDS = 30

export async function idle(subject: Subject, { seed, profile }: Conditions): Promise<Figures> {
  const routes = routesOf({ family: 'ipv4', profile, seed, count: PREFIXES })
  const asn = 65_001
  const nextHop = peerNextHop(0, 'ipv4')
  const peers = [
    { address: peerAddress(0), asn },
    { address: peerAddress(1), asn: 65_002 },
  ]
  return onStage(subject, { peers, family: 'ipv4', kernel: true }, async (stage) => {
    const [sender, receiver] = stage.peers
    sender.send(announcements(routes, { asn, nextHop, seed: seed + 1 }))
    await allHeard([receiver], PREFIXES, 30)
    await seconds(CALM_SECONDS)
    const cpuPercent = async (): Promise<number> => {
      const before = stage.cpuSeconds()
      await seconds(WATCHED_SECONDS)
      return (100 * (stage.cpuSeconds() - before)) / WATCHED_SECONDS
    }
    const afterStart = await cpuPercent()
    return {
      MB: stage.residentMb(),
      'CPU %': await cpuPercent(),
      'CPU % after start': afterStart,
      'start s': stage.startSeconds,
    }
  })
}
