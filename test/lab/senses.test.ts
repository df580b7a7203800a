/** The sockets that a proof stands on, and the traffic that measures outages, in a box of their own. */
import { spawn } from 'node:child_process'
import { beforeAll, expect, test } from 'vitest'
import { markOf, sightingIn } from '../../src/lab/capture.ts'
import { runTraffic } from '../../src/lab/traffic.ts'
import { openIcmp, type IcmpAnswer } from '../../src/linux/icmp.ts'
import { openCapture } from '../../src/linux/packet.ts'
import { address } from '../../src/net/address.ts'
import { enterBox } from '../support/box.ts'
import { until } from '../support/until.ts'

beforeAll(enterBox)

test('an echo is answered, and captured with its TTL and the time', async () => {
  const capture = openCapture('lo')
  const icmp = openIcmp(address('127.0.0.1'))
  const answers: IcmpAnswer[] = []
  icmp.send({
    to: address('127.0.0.2'),
    identifier: 77,
    sequence: 5,
    ttl: 9,
    payload: markOf(42),
  })
  await until('the answer is here', () => answers.push(...icmp.drain()) > 0)
  expect(answers[0]).toMatchObject({ kind: 'reply', identifier: 77, sequence: 5 })
  expect(answers[0]?.from.text).toBe('127.0.0.2')
  const frames = capture.drain().filter((it) => it.outgoing)
  const seen = frames.map((it) => sightingIn(it.bytes, 'lo'))
  expect(seen.map((it) => [it?.kind, it?.pair, it?.outer?.ttl])).toEqual([
    ['request', 42, 9],
    ['reply', 42, 64],
  ])
  expect(Math.abs((frames[0]?.seconds ?? 0) - Date.now() / 1000)).toBeLessThan(60)
  icmp.close()
  capture.close()
  expect(capture.drain()).toEqual([])
})

test('there is no capture on an interface that is not there', () => {
  expect(() => openCapture('eth9')).toThrow('interface eth9: ENODEV')
})

test('an outage of the link is measured as long as it was', async () => {
  const end = (text: string) => ({ namespace: '', address: text })
  const order = {
    packetsPerSecond: 1000,
    streams: [
      { from: end('127.0.0.1'), to: end('127.0.0.2') },
      { from: end('127.0.0.2'), to: end('127.0.0.1') },
    ],
  }
  let over = false
  const script = 'sleep 0.3; ip link set lo down; sleep 0.2; ip link set lo up; sleep 0.3'
  const report = await runTraffic(
    order,
    () => over,
    () => void spawn('sh', ['-c', script]).once('exit', () => (over = true)),
  )
  for (const stream of report.streams) {
    const lost = stream.outages.reduce((sum, it) => sum + it.lost, 0)
    const longest = Math.max(...stream.outages.map((it) => it.lengthMs))
    expect(stream.received).toBe(stream.sent - lost)
    expect(stream.received).toBeGreaterThan(300)
    expect(lost).toBeGreaterThan(100)
    expect(longest).toBeGreaterThan(190)
    expect(longest).toBeLessThan(1000)
  }
})
