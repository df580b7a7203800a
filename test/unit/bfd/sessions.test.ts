/** Two hosts with BFD between them, on a clock and a wire that the test owns. */
import { createHash } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { BfdSessions, type BfdSpec } from '../../../src/bfd/sessions.ts'
import type { BfdReport } from '../../../src/bfd/session.ts'
import type { Heard, Hops } from '../../../src/bfd/transport.ts'
import { address } from '../../../src/net/address.ts'
import { FakeClock } from '../../support/fake-clock.ts'

const A = address('10.0.0.1')
const B = address('10.0.0.2')
type Told = [state: string, failure: boolean]

class Host {
  readonly sessions: BfdSessions
  readonly told: Told[] = []
  readonly problems: string[] = []
  report: BfdReport | undefined
  heard: Heard = () => {}
  /** What waits in the socket of a host that does not run. */
  waiting: (() => void)[] | undefined
  sent = 0

  constructor(clock: FakeClock, deliver: (bytes: Uint8Array, hops: Hops) => void) {
    this.sessions = new BfdSessions({
      clock,
      random: () => this.#random(),
      digest: (bytes) => createHash('sha1').update(bytes).digest(),
      transport: (heard) => {
        this.heard = heard
        return {
          open: ({ hops, device }) => {
            if (device !== undefined) throw new Error(`there is no ${device}`)
            return {
              send: (bytes) => {
                this.sent++
                deliver(bytes, hops)
              },
              close: () => {},
            }
          },
          drain: () => {
            const waiting = this.waiting ?? []
            this.waiting = undefined
            for (const packet of waiting) packet()
          },
          close: () => {},
        }
      },
      changed: (_name, report, failure) => {
        const before = this.report?.state
        this.report = report
        if (report.state !== before || failure) this.told.push([report.state, failure])
      },
      failed: (_name, problem) => this.problems.push(problem),
    })
  }

  #seed = 1
  /** The same in each run; the mean is what counts. */
  #random(): number {
    this.#seed = (this.#seed * 1103515245 + 12345) % 2 ** 31
    return this.#seed / 2 ** 31
  }
}

class Pair {
  readonly clock = new FakeClock()
  isCut = false
  readonly a: Host
  readonly b: Host

  constructor() {
    const to =
      (of: () => Host, from: typeof A) =>
      (bytes: Uint8Array, hops: Hops): void => {
        if (this.isCut) return
        const host = of()
        const arrive = (): void => host.heard(bytes, from, hops)
        if (host.waiting === undefined) arrive()
        else host.waiting.push(arrive)
      }
    this.a = new Host(
      this.clock,
      to(() => this.b, A),
    )
    this.b = new Host(
      this.clock,
      to(() => this.a, B),
    )
  }

  start(specA: Partial<BfdSpec> = {}, specB: Partial<BfdSpec> = specA): void {
    this.a.sessions.set('b', { ...SPEC, path: { hops: 'single', remote: B }, ...specA })
    this.b.sessions.set('a', { ...SPEC, path: { hops: 'single', remote: A }, ...specB })
  }

  /** Up, and at full pace. */
  settled(specA: Partial<BfdSpec> = {}, specB: Partial<BfdSpec> = specA): this {
    this.start(specA, specB)
    this.clock.advance(5000)
    expect([this.a.report?.state, this.b.report?.state]).toEqual(['Up', 'Up'])
    return this
  }
}

const TIMERS = {
  desiredMinTxMicroseconds: 100_000,
  requiredMinRxMicroseconds: 100_000,
  detectMultiplier: 3,
}
const SPEC = { timers: TIMERS }
const key = (secret: string, meticulous = false) => ({
  key: { id: 1, meticulous, secret: Buffer.from(secret) },
})

test('two that call each other are up after two packets each, and then send at the agreed pace', () => {
  const pair = new Pair()
  pair.start()
  pair.clock.advance(1001)
  expect([pair.a.report, pair.b.report]).toMatchObject([{ state: 'Up' }, { state: 'Up' }])
  pair.clock.advance(1000)
  const before = pair.a.sent
  pair.clock.advance(10_000)
  // 75 to 100 ms apart.
  expect(pair.a.sent - before).toBeGreaterThanOrEqual(100)
  expect(pair.a.sent - before).toBeLessThanOrEqual(134)
  expect(pair.a.report).toMatchObject({ transmitMs: 100, receiveMs: 100, detectionMs: 300 })
  expect(pair.a.sessions.report('b')?.longestSilenceMs).toBeLessThanOrEqual(100)
})

test('a cut is found after the detection time, and what is mended comes up again', () => {
  const pair = new Pair().settled()
  pair.isCut = true
  pair.clock.advance(199)
  expect(pair.a.report?.state).toBe('Up')
  pair.clock.advance(102)
  expect(pair.a.report).toMatchObject({ state: 'Down', diagnostic: 1, remoteState: 'Down' })
  expect(pair.a.told.at(-1)).toEqual(['Down', true])
  pair.isCut = false
  pair.clock.advance(3000)
  expect(pair.a.report).toMatchObject({ state: 'Up', ups: 2, failures: 1 })
})

test('a cut soon after the session came up is found as quickly', () => {
  const pair = new Pair()
  pair.start()
  pair.clock.advance(1500)
  expect(pair.a.report).toMatchObject({ state: 'Up', detectionMs: 300 })
  pair.isCut = true
  pair.clock.advance(302)
  expect(pair.a.told.at(-1)).toEqual(['Down', true])
})

test('each side has its own pace', () => {
  const slow = { timers: { ...TIMERS, desiredMinTxMicroseconds: 500_000 } }
  const pair = new Pair().settled({}, slow)
  expect(pair.a.report).toMatchObject({ transmitMs: 100, receiveMs: 500, detectionMs: 1500 })
  expect(pair.b.report).toMatchObject({ transmitMs: 500, receiveMs: 100, detectionMs: 300 })
})

test('other timers count without the session ending', () => {
  const pair = new Pair().settled()
  const timers = { ...TIMERS, requiredMinRxMicroseconds: 400_000, detectMultiplier: 4 }
  pair.a.sessions.set('b', { path: { hops: 'single', remote: B }, timers })
  pair.clock.advance(2000)
  expect(pair.b.report).toMatchObject({ state: 'Up', transmitMs: 400, detectionMs: 400, ups: 1 })
  expect(pair.a.report).toMatchObject({ receiveMs: 400, detectionMs: 1200 })
})

test('one that is removed takes leave, which is no failure', () => {
  const pair = new Pair().settled()
  pair.a.sessions.remove('b')
  expect(pair.b.report).toMatchObject({ state: 'Down', diagnostic: 3, remoteState: 'AdminDown' })
  expect(pair.b.told.at(-1)).toEqual(['Down', false])
  pair.clock.advance(10_000)
  expect(pair.b.report?.failures).toBe(0)
  pair.b.sessions.close()
  expect(pair.clock.pendingCount).toBe(0)
})

test('one that is removed and wanted again at once fails nowhere', () => {
  const pair = new Pair().settled()
  pair.a.sessions.remove('b')
  pair.clock.advance(100)
  pair.a.sessions.set('b', { ...SPEC, path: { hops: 'single', remote: B } })
  pair.clock.advance(10_000)
  expect([pair.a.report, pair.b.report]).toMatchObject([
    { state: 'Up', ups: 2, failures: 0 },
    { state: 'Up', ups: 2, failures: 0 },
  ])
})

test('a peer that is found at another address of its own is up there, and stays so', () => {
  const { a, b, clock } = new Pair().settled()
  a.told.length = b.told.length = 0
  const moved = address('10.0.0.22')
  a.sessions.set('b', { ...SPEC, path: { hops: 'single', remote: moved } })
  clock.advance(10_000)
  expect(a.told).toEqual([
    ['Down', false],
    ['Up', false],
  ])
  expect(b.told.at(-1)).toEqual(['Up', false])
  expect(b.told.filter(([, failure]) => failure)).toEqual([])
})

test('under another name too', () => {
  const pair = new Pair().settled()
  pair.a.sessions.remove('b')
  pair.a.sessions.set('c', { ...SPEC, path: { hops: 'single', remote: B } })
  pair.clock.advance(10_000)
  expect(pair.a.sessions.report('c')).toMatchObject({ state: 'Up', failures: 0 })
  expect(pair.b.report).toMatchObject({ state: 'Up', failures: 0 })
})

describe('our own stall is not taken for silence', () => {
  test('what waits in the sockets is read first', () => {
    const pair = new Pair().settled()
    pair.a.waiting = []
    pair.clock.advance(2000)
    expect(pair.a.told.some(([, failure]) => failure)).toBe(false)
    expect(pair.a.report?.state).toBe('Up')
  })

  test('and a machine that stood still has silenced both', () => {
    const pair = new Pair().settled()
    pair.clock.jump(2000)
    pair.clock.advance(5000)
    expect([...pair.a.told, ...pair.b.told].some(([, failure]) => failure)).toBe(false)
  })

  test('but a peer that is gone by then is found out after one more detection time', () => {
    const pair = new Pair().settled()
    pair.isCut = true
    pair.clock.jump(2000)
    pair.clock.advance(301)
    expect(pair.a.told.at(-1)).toEqual(['Down', true])
  })
})

describe('signed', () => {
  test.each([false, true])('with the same key (meticulous: %s) all is as without', (meticulous) => {
    const pair = new Pair().settled(key('secret', meticulous))
    pair.clock.advance(20_000)
    expect(pair.a.report).toMatchObject({ state: 'Up', failures: 0 })
    expect(pair.a.sessions.refused).toBe(0)
  })

  test.each([
    ['another key', key('secret'), key('other')],
    ['one side alone', key('secret'), {}],
  ])('%s stays down', (_title, one, other) => {
    const pair = new Pair()
    pair.start(one, other)
    pair.clock.advance(10_000)
    expect([pair.a.report?.state, pair.b.report?.state]).toEqual(['Down', 'Down'])
    expect(pair.a.sessions.refused).toBeGreaterThan(5)
  })

  test('a peer that begins anew, with other sequence numbers, is believed after a while', () => {
    const pair = new Pair().settled(key('secret'))
    pair.isCut = true
    pair.b.sessions.close()
    pair.isCut = false
    pair.b.sessions.set('a', { ...SPEC, path: { hops: 'single', remote: A }, ...key('secret') })
    pair.clock.advance(5000)
    expect(pair.a.report).toMatchObject({ state: 'Up', ups: 2, failures: 1 })
  })

  test('both may take another key together', () => {
    const pair = new Pair().settled(key('secret'))
    pair.start(key('new'))
    pair.clock.advance(5000)
    expect(pair.a.report).toMatchObject({ state: 'Up', ups: 1 })
  })
})

describe('packets of nobody are refused', () => {
  const DOWN = Buffer.from('2040031800000005000000000000271000002710'.padEnd(48, '0'), 'hex')
  const ours = (it: Buffer, discriminator: number): Buffer => {
    const bytes = Buffer.from(it)
    bytes.writeUInt32BE(discriminator, 8)
    return bytes
  }
  test.each([
    ['nonsense', Buffer.from('00'), B, 'single'],
    ['a stranger', DOWN, address('10.0.0.3'), 'single'],
    ['one that has crossed routers', DOWN, B, 'multiple'],
    ['a discriminator of nobody', ours(DOWN, 12345), B, 'single'],
  ] as const)('%s', (_title, bytes, from, hops) => {
    const pair = new Pair()
    pair.isCut = true
    pair.start()
    pair.a.heard(bytes, from, hops)
    expect(pair.a.sessions.refused).toBe(1)
    expect(pair.a.report?.state).toBe('Down')
    pair.a.heard(DOWN, B, 'single')
    expect(pair.a.report?.state).toBe('Init')
  })

  test('one over routers does not speak for a session on the link', () => {
    const pair = new Pair().settled()
    const { discriminator = 0 } = pair.a.report ?? {}
    pair.a.heard(ours(DOWN, discriminator), B, 'multiple')
    expect(pair.a.report?.state).toBe('Up')
    pair.a.heard(ours(DOWN, discriminator), B, 'single')
    expect(pair.a.report?.state).toBe('Down')
  })
})

test('what can not be opened is told', () => {
  const pair = new Pair()
  pair.start({ path: { hops: 'single', remote: B, device: 'eth9' } })
  expect(pair.a.problems).toEqual(['there is no eth9'])
})
