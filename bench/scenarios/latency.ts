/**
 * A table is held, and one prefix more is announced and withdrawn twenty times a second: how long until the other peer
 * hears it, or until the kernel forwards by it?
 */
import { announcements, routesOf, textOf, withdrawals } from '../load/routes.ts'
import { allHeard, onStage, peerAddress, peerNextHop, seconds } from '../stage.ts'
import { RouteLookup } from '../route-lookup.ts'
import { address } from '../../src/net/address.ts'
import { quantile } from '../series.ts'
import type { Conditions, Figures } from './scenario.ts'
import type { Subject } from '../subjects/subject.ts'

const HELD = 10_000
const TIMES = 400
const EVERY_MS = 50
/** FRR takes 50 ms and more for a change, by timers of its own. */
const DEADLINE_MS = 10_000
const PAUSE_MS = 0.01
/** Nobody writes to it: whoever waits for that only sleeps. */
const NEVER = new Int32Array(new SharedArrayBuffer(4))

export const latency =
  (where: 'peer' | 'kernel') =>
  async (subject: Subject, { seed, profile }: Conditions): Promise<Figures> => {
    const routes = routesOf({ family: 'ipv4', profile, seed, count: HELD + 1 })
    const asn = 65_001
    const options = { asn, nextHop: peerNextHop(0, 'ipv4'), seed: seed + 1 }
    const held = announcements(routes, { ...options, to: HELD })
    const changes = [
      announcements(routes, { ...options, from: HELD }),
      withdrawals(routes, HELD, HELD + 1),
    ]
    const peers = [
      { address: peerAddress(0), asn },
      { address: peerAddress(1), asn: 65_002 },
    ]
    const target = address(textOf(routes.words[HELD]))
    const inKernel = where === 'kernel'
    return onStage(subject, { peers, family: 'ipv4', kernel: inKernel }, async (stage) => {
      const [sender, receiver] = stage.peers
      sender.send(held)
      await allHeard([receiver], HELD, 60)
      await seconds(1)
      const lookup = inKernel ? new RouteLookup('dut') : undefined
      const times: number[] = []
      for (let i = 0; i < TIMES; i++) {
        const change = changes[i % 2]
        const announced = i % 2 === 0
        times.push(
          lookup === undefined
            ? await untilHeard(() => sender.send(change), receiver)
            : await untilForwarded(() => sender.send(change), lookup, target, announced),
        )
        await seconds(EVERY_MS / 1000)
      }
      lookup?.close()
      const [p50, p99] = [0.5, 0.99].map((share) => 1000 * quantile(times, share))
      return { 'p50 us': p50, 'p99 us': p99, MB: stage.peakMb() }
    })
  }

type Heard = { onUpdate: ((message: Buffer, at: number) => void) | undefined }

const untilHeard = (send: () => void, receiver: Heard): Promise<number> =>
  new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error('the other peer hears nothing')), DEADLINE_MS)
    const begin = performance.now()
    receiver.onUpdate = (_message, heard) => {
      clearTimeout(timer)
      resolve(heard - begin)
    }
    send()
  })

/**
 * Asks the kernel over and over; one question takes some microseconds. Between two of them the core is left alone: a
 * daemon that the scheduler wakes on it would wait for its turn otherwise, 2 ms and more, while the other core idles.
 */
async function untilForwarded(
  send: () => void,
  lookup: RouteLookup,
  target: ReturnType<typeof address>,
  announced: boolean,
): Promise<number> {
  const begin = performance.now()
  send()
  // What was sent leaves once the event loop has turned.
  await new Promise((resolve) => setImmediate(resolve))
  while (lookup.link(target) > 0 !== announced) {
    if (performance.now() - begin > DEADLINE_MS) throw new Error('the kernel does not follow')
    Atomics.wait(NEVER, 0, 0, PAUSE_MS)
  }
  return performance.now() - begin
}
