/** What the load generator can do at most: one end of it sends to the other, and no daemon is between them. */
import { createServer } from 'node:net'
import { announcements, routesOf } from '../load/routes.ts'
import { BenchSpeaker } from '../load/speaker.ts'
import { freshTally, hear } from '../load/tally.ts'
import { peerNextHop, seconds } from '../stage.ts'
import type { Subject } from '../subjects/subject.ts'
import type { Conditions, Figures } from './scenario.ts'

const PREFIXES = 1_000_000
const PORT = 1179
const KEEPALIVE = Uint8Array.from([...Array.from({ length: 16 }, () => 255), 0, 19, 4])

export async function limit(
  _subject: Subject,
  { seed, profile, scale }: Conditions,
): Promise<Figures> {
  const count = Math.round(PREFIXES * scale)
  const routes = routesOf({ family: 'ipv4', profile, seed, count })
  const nextHop = peerNextHop(0, 'ipv4')
  const messages = announcements(routes, { asn: 65_001, nextHop, seed: seed + 1 })
  let send = (): void => {}
  const server = createServer((socket) => {
    socket.write(KEEPALIVE)
    socket.resume()
    send = () => void socket.write(messages)
  }).listen(PORT, '127.0.0.1')
  const receiver = new BenchSpeaker({ local: '127.0.0.1', remote: '127.0.0.1', port: PORT, asn: 1 })
  await receiver.established
  const begin = performance.now()
  send()
  const tally = freshTally()
  while (tally.count < count) {
    await seconds(0.05)
    receiver.take((update, at) => hear(tally, update, at))
  }
  receiver.close()
  server.close()
  return { seconds: (tally.at - begin) / 1000 }
}
