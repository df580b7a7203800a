/** What policies cost linnet: rules that look at each prefix, and a reload that changes all that was kept. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { ask, socketIn } from '../control-socket.ts'
import { announcements, routesOf } from '../load/routes.ts'
import { allHeard, onStage, peerAddress, peerNextHop } from '../stage.ts'
import { linnetConfig, linnetWith } from '../subjects/linnet.ts'
import type { Plan, Subject } from '../subjects/subject.ts'
import type { Conditions, Figures } from './scenario.ts'

const PREFIXES = 1_000_000
const ASN = 65_001

/**
 * All kept routes get another community by import: until all were sent again, and the longest that the control API
 * took to answer meanwhile (asked every 10 ms).
 */
export async function policyChange(
  _subject: Subject,
  { seed, profile, scale }: Conditions,
): Promise<Figures> {
  const routes = routesOf({ family: 'ipv4', profile, seed, count: Math.round(PREFIXES * scale) })
  const nextHop = peerNextHop(0, 'ipv4')
  const messages = announcements(routes, { asn: ASN, nextHop, seed: seed + 1 })
  const peers = [
    { address: peerAddress(0), asn: ASN },
    { address: peerAddress(1), asn: 65_002 },
  ]
  const marked = (community: string): string => `policies:
  marked: [{ set: { community: { add: ["${community}"] } }, then: accept }]
`
  let whole: Plan | undefined
  const subject = linnetWith((plan, folder) => {
    whole = plan
    return linnetConfig(plan, folder, marked('65000:1'), 'marked')
  })
  return onStage(subject, { peers, family: 'ipv4', kernel: false }, async ({ peers, folder }) => {
    const [sender, receiver] = peers
    sender.send(messages)
    const tallies = await allHeard([receiver], routes.count, 120)
    if (whole === undefined) throw new Error('the daemon was not started')
    const config = linnetConfig(whole, folder, marked('65000:2'), 'marked')
    writeFileSync(join(folder, 'linnet.yaml'), config)
    const begin = performance.now()
    const again = allHeard([receiver], 2 * routes.count, 120, tallies)
    const longestMs = await askUntil(again, socketIn(folder))
    const [tally] = await again
    return { seconds: (tally.at - begin) / 1000, 'longest answer ms': longestMs }
  })
}

/** Reloads, and asks for the status until `end`; returns the longest that it took to answer. */
async function askUntil(end: Promise<unknown>, socket: string): Promise<number> {
  let done = false
  const reloaded = ask(socket, 'POST', '/v1/reload')
  const finished = Promise.all([end, reloaded]).then(() => (done = true))
  let longestMs = 0
  while (!done) {
    const asked = performance.now()
    await ask(socket, 'GET', '/v1/status')
    longestMs = Math.max(longestMs, performance.now() - asked)
    await Promise.race([finished, new Promise((resolve) => setTimeout(resolve, 10))])
  }
  return longestMs
}
