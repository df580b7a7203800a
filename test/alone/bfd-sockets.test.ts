/** BFD between two hosts of the real kernel: what is on the wire, what is heard, and what is dropped. */
import { createHash } from 'node:crypto'
import { afterEach, beforeAll, expect, test } from 'vitest'
import { encodePacket } from '../../src/bfd/packet.ts'
import type { BfdReport } from '../../src/bfd/session.ts'
import { BfdSessions, type BfdSpec } from '../../src/bfd/sessions.ts'
import { begin, packetOf } from '../../src/bfd/state-machine.ts'
import type { BfdPath } from '../../src/bfd/transport.ts'
import { systemClock } from '../../src/daemon/clock.ts'
import { BFD_PORTS, bfdTransport } from '../../src/linux/bfd-socket.ts'
import { openCapture } from '../../src/linux/packet.ts'
import { socketAddress } from '../../src/linux/socket-address.ts'
import { AF_INET, close, must, sendTo, SOCK_DGRAM, socket } from '../../src/linux/sys.ts'
import { setTtl } from '../../src/linux/tcp-options.ts'
import { address } from '../../src/net/address.ts'
import { ip } from '../support/box.ts'
import { enterFabric, type Host } from '../support/fabric.ts'
import { until } from '../support/until.ts'

const TIMERS = {
  desiredMinTxMicroseconds: 50_000,
  requiredMinRxMicroseconds: 50_000,
  detectMultiplier: 5,
}

class End {
  readonly sessions: BfdSessions
  report: BfdReport | undefined
  failures = 0
  readonly problems: string[] = []
  readonly #host: Host

  constructor(host: Host) {
    this.#host = host
    this.sessions = new BfdSessions({
      clock: systemClock,
      random: Math.random,
      digest: (bytes) => createHash('sha1').update(bytes).digest(),
      transport: bfdTransport,
      changed: (_name, report, failure) => {
        this.report = report
        if (failure) this.failures++
      },
      failed: (_name, problem) => this.problems.push(problem),
    })
  }

  speak(path: BfdPath, more: Partial<BfdSpec> = {}): this {
    this.#host.within(() => this.sessions.set('peer', { path, timers: TIMERS, ...more }))
    return this
  }

  get isUp(): boolean {
    return this.report?.state === 'Up'
  }
}

let near: Host
let far: Host
const ends: End[] = []
const end = (host: Host): End => {
  const it = new End(host)
  ends.push(it)
  return it
}

beforeAll(() => {
  const hosts = enterFabric(2)
  near = hosts[0]
  far = hosts[1]
  ip(`link add eth0 netns ${near.path} type veth peer name eth0 netns ${far.path}`)
  plugIn(near, 1)
  plugIn(far, 2)
})
afterEach(() => {
  for (const it of ends.splice(0)) it.sessions.close()
  plugIn(near, 1)
})

/** IPv6 addresses go with the link. */
function plugIn(host: Host, n: number): void {
  host.ip('link set eth0 up')
  for (const it of [`10.0.0.${n}/24`, `2001:db8::${n}/64`, `fe80::${n}/64`]) {
    host.ip(`addr replace ${it} dev eth0${it.includes(':') ? ' nodad' : ''}`)
  }
}

const PATHS: readonly [title: string, near: string, far: string, hops: BfdPath['hops']][] = [
  ['IPv4', '10.0.0.1', '10.0.0.2', 'single'],
  ['IPv6', '2001:db8::1', '2001:db8::2', 'single'],
  ['IPv4, over routers', '10.0.0.1', '10.0.0.2', 'multiple'],
  ['IPv6, over routers', '2001:db8::1', '2001:db8::2', 'multiple'],
]
test.each(PATHS)('%s: comes up, and a cut is found', async (_title, one, other, hops) => {
  const a = end(near).speak({ hops, remote: address(other), local: address(one) })
  const b = end(far).speak({ hops, remote: address(one) })
  await until('both are up, at full pace', () =>
    [a, b].every(({ isUp, report }) => isUp && report?.detectionMs === 250),
  )
  near.ip('link set eth0 down')
  const cutAt = performance.now()
  await until('the cut is found', () => a.failures > 0 && b.failures > 0)
  // Not at once, by whatever else, and long before a hold time.
  expect(performance.now() - cutAt).toBeGreaterThan(100)
  expect(performance.now() - cutAt).toBeLessThan(3000)
  expect(a.report).toMatchObject({ state: 'Down', diagnostic: 1 })
})

test('packets are marked, sent with TTL 255 and from a port that RFC 5881 allows', async () => {
  const capture = far.within(() => openCapture('eth0', { incomingOnly: true }))
  end(near).speak({ hops: 'single', remote: address('10.0.0.2') })
  let seen: Buffer | undefined
  await until('one is seen', () => {
    const frames = capture.drain().map(({ bytes }) => Buffer.from(bytes))
    seen = frames.find((it) => it.length >= 66 && it.readUInt16BE(36) === BFD_PORTS.single)
    return seen !== undefined
  })
  capture.close()
  expect(seen?.subarray(14 + 1, 14 + 2).toString('hex')).toBe('c0')
  expect(seen?.readUInt8(14 + 8)).toBe(255)
  expect(seen?.readUInt16BE(34)).toBeGreaterThanOrEqual(49_152)
})

/** One packet of a stranger's making, in the name of the peer. */
function forge(ttl: number, port: number): void {
  const fd = far.within(() => must('socket', socket(AF_INET, SOCK_DGRAM, 0)))
  setTtl(fd, 'ipv4', ttl)
  const bytes = encodePacket(packetOf(begin(99, TIMERS).session))
  must('send', sendTo(fd, bytes, bytes.length, socketAddress(address('10.0.0.1'), port)))
  close(fd)
}

test('what has crossed a router is dropped, unless that is expected', async () => {
  const a = end(near).speak({ hops: 'single', remote: address('10.0.0.2') })
  const b = end(near).speak({ hops: 'multiple', remote: address('10.0.0.2') })
  for (const ttl of [254, 64, 1]) forge(ttl, BFD_PORTS.single)
  forge(254, BFD_PORTS.multiple)
  await until('the one over routers is heard', () => b.report?.state === 'Init')
  expect(a.report?.state).toBe('Down')
  expect(a.report?.remoteDiscriminator).toBe(0)
  expect(a.sessions.refused).toBe(0)
  forge(255, BFD_PORTS.single)
  await until('the one of the link is heard', () => a.report?.state === 'Init')
})

test('with another key nobody comes up', async () => {
  const key = (secret: string) => ({
    key: { id: 1, meticulous: true, secret: Buffer.from(secret) },
  })
  const a = end(near).speak({ hops: 'single', remote: address('10.0.0.2') }, key('one'))
  const b = end(far).speak({ hops: 'single', remote: address('10.0.0.1') }, key('other'))
  await until('packets are refused', () => a.sessions.refused > 1 && b.sessions.refused > 1)
  expect([a.report?.state, b.report?.state]).toEqual(['Down', 'Down'])
  b.speak({ hops: 'single', remote: address('10.0.0.1') }, key('one'))
  await until('with the same it is up', () => a.isUp && b.isUp)
})

test.each([
  ['a port that another daemon has', {}, /UDP port 3784 is in use: another BFD daemon/],
  ['an address that is not ours', { local: address('10.0.0.9') }, /10\.0\.0\.9.*EADDRNOTAVAIL/],
  ['a link that is not there', { remote: address('fe80::9%eth9') }, /link eth9/],
  ['a device that is not there', { device: 'eth9' }, /device eth9/],
])('says what is wrong: %s', (title, more, problem) => {
  if (title.includes('port')) end(near).speak({ hops: 'single', remote: address('10.0.0.3') })
  const it = end(near).speak({ hops: 'single', remote: address('10.0.0.2'), ...more })
  expect(it.problems).toHaveLength(1)
  expect(it.problems[0]).toMatch(problem)
})
