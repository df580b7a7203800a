import { describe, expect, test } from 'vitest'
import { encodeUtf8 } from '../../../src/net/utf8.ts'
import { ourOpen } from '../../../src/session/negotiation.ts'
import type { Connection, ConnectionEvents } from '../../../src/session/transport.ts'
import { SessionError } from '../../../src/wire/errors.ts'
import { KEEPALIVE_MESSAGE } from '../../../src/wire/message.ts'
import { encodeOpen } from '../../../src/wire/open.ts'
import { encodeRouteRefresh } from '../../../src/wire/route-refresh.ts'
import { FakeClock } from '../../support/fake-clock.ts'
import {
  ADDRESS_A,
  ADDRESS_B,
  bothEstablished,
  type Pair,
  establish,
  pair,
  randomFrom,
  update,
} from './pair.ts'

const SHUTDOWN = 2
const RESET = 4

describe('two peers come up', () => {
  test('when both call at once, over exactly one connection', () => {
    const { clock, a, b } = establish()
    clock.advance(10 * 60_000)
    for (const { peer, log } of [a, b]) {
      expect(peer.state).toBe('Established')
      expect(log.filter((line) => line === 'established')).toHaveLength(1)
      expect(peer.snapshot().flaps).toBe(0)
      expect(peer.snapshot().lastError).toBeUndefined()
    }
    const ends = [a, b].map(({ peer }) => peer.snapshot().connection)
    expect(ends[0]?.local).toEqual(ends[1]?.remote)
    expect(ends[0]?.remote).toEqual(ends[1]?.local)
    // b has the higher identifier: the connection that it opened is kept (RFC 4271 6.8).
    expect(ends.map((end) => end?.incoming)).toEqual([true, false])
  })

  const DELAYS = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 20]
  test.each(DELAYS)('when the second calls %i ms later', (delayMs) => {
    for (const first of ['a', 'b'] as const) {
      const made = pair({ latencyMs: () => 3, random: randomFrom(7 + delayMs) })
      const { clock } = made
      made[first].peer.start()
      clock.advance(delayMs)
      made[first === 'a' ? 'b' : 'a'].peer.start()
      clock.advanceUntil(() => bothEstablished(made), 30_000)
      const { a, b } = made
      clock.advance(60_000)
      expect(bothEstablished(made)).toBe(true)
      expect(a.peer.snapshot().connection?.local).toEqual(b.peer.snapshot().connection?.remote)
      expect([a, b].map(({ peer }) => peer.snapshot().flaps)).toEqual([0, 0])
    }
  })

  test('when one only listens', () => {
    const { a, b } = establish({ a: { passive: true } })
    expect(a.peer.snapshot().connection?.incoming).toBe(true)
    expect(b.peer.snapshot().connection?.incoming).toBe(false)
    expect(a.log[0]).toBe('Idle > Active: started')
  })

  test('within one AS', () => {
    const { a } = establish({
      a: { localAsn: 4_200_000_001, remoteAsn: 'internal' },
      b: { localAsn: 4_200_000_001, remoteAsn: 4_200_000_001 },
    })
    expect(a.peer.snapshot().negotiated).toMatchObject({
      external: false,
      fourOctetAs: true,
      routeRefresh: true,
      families: ['ipv4', 'ipv6'],
      peerAsn: 4_200_000_001,
      peerRouterId: 0xc0000202,
      holdTimeSeconds: 90,
      keepaliveSeconds: 30,
    })
  })

  const SEEDS = Array.from({ length: 20 }, (_, i) => i + 1)
  test.each(SEEDS)('over ways of any length, stray order %i', (seed) => {
    const random = randomFrom(seed)
    const made = pair({ latencyMs: () => 1 + Math.floor(30 * random()), random })
    const { clock, a, b } = made
    a.peer.start()
    clock.advance(Math.floor(50 * random()))
    b.peer.start()
    clock.advanceUntil(() => bothEstablished(made), 60_000)
    clock.advance(300_000)
    expect(bothEstablished(made)).toBe(true)
    expect(a.peer.snapshot().connection?.local).toEqual(b.peer.snapshot().connection?.remote)
  })

  test('but not when nobody calls', () => {
    const { clock, a, b } = pair({ a: { passive: true }, b: { passive: true } })
    a.peer.start()
    b.peer.start()
    clock.advance(600_000)
    expect([a.peer.state, b.peer.state]).toEqual(['Active', 'Active'])
    expect(a.peer.snapshot().reason).toBe('not connected yet; waiting for the peer to connect')
    expect(clock.pendingCount).toBe(0)
  })

  test('whatever the pieces in which the bytes come', () => {
    for (let chunkBytes = 1; chunkBytes <= 70; chunkBytes++) {
      const { clock, a, b } = establish({ chunkBytes })
      const sent = ['one', 'two, a longer one', 'three']
      a.peer.send(sent.map(update))
      clock.advance(1000)
      expect(b.updates, `${chunkBytes} bytes at a time`).toEqual(sent)
    }
  })
})

describe('an OPEN that does not suit', () => {
  test('for its AS number is told in words at both ends', () => {
    const { clock, a, b } = pair({ a: { remoteAsn: 65009 }, b: { passive: true } })
    a.peer.start()
    b.peer.start()
    clock.advance(10)
    const [atA, atB] = [a.peer.snapshot(), b.peer.snapshot()]
    expect(atA.lastError).toMatchObject({
      direction: 'sent',
      code: 2,
      subcode: 2,
      text: 'OPEN Message Error/Bad Peer AS: peer says AS 65002, configured 65009',
    })
    expect(atA.reason).toBe(
      'OPEN Message Error/Bad Peer AS: peer says AS 65002, configured 65009; next attempt in 5 s',
    )
    expect(atB.lastError).toMatchObject({
      direction: 'received',
      code: 2,
      subcode: 2,
      text: 'OPEN Message Error/Bad Peer AS: we say AS 65002, the peer (AS 65001) is configured for another',
    })
    expect(atB.reason).toContain('the peer sent OPEN Message Error/Bad Peer AS: we say AS 65002')
  })

  test('for its families is refused, and tried again ever more rarely', () => {
    const { clock, a, b, accepted } = pair({
      a: { families: ['ipv4'] },
      b: { families: ['ipv6'], passive: true },
    })
    a.peer.start()
    b.peer.start()
    clock.advance(300_000)
    expect(accepted.length).toBeGreaterThan(5)
    expect(accepted.length).toBeLessThan(10)
    expect([a, b].map(({ peer }) => peer.snapshot().lastError)).toContainEqual(
      expect.objectContaining({ direction: 'sent', code: 2, subcode: 7 }),
    )
  })
})

/** A bare connection to b from a's address, and the messages that came on it, as `type: body`. */
function bareCall({ network }: Pair): { heard: string[]; call: Connection } {
  const heard: string[] = []
  const remote = { address: ADDRESS_B, port: 179 }
  return { heard, call: network.transportOf(ADDRESS_A).connect({ remote }, writeDown(heard)) }
}

const writeDown = (heard: string[]): ConnectionEvents => ({
  opened: () => {},
  received: (chunk) => {
    const isOpen = chunk[18] === 1
    heard.push(isOpen ? 'OPEN' : `${chunk[18]}: ${chunk.subarray(19).join(' ')}`)
  },
  drained: () => {},
  closed: ({ code }) => heard.push(code),
})

describe('someone who connects to us and', () => {
  const OPEN_OF_A = encodeOpen(
    ourOpen({
      localAsn: 65001,
      remoteAsn: 65002,
      routerId: 0x0a000001,
      holdTimeSeconds: 90,
      families: ['ipv4'],
      extendedNextHop: false,
    }),
  )

  /** Says at once all that a session takes. */
  function callWithOpen(made: Pair): ReturnType<typeof bareCall> {
    const bare = bareCall(made)
    made.clock.advance(5)
    bare.call.write(OPEN_OF_A)
    bare.call.write(KEEPALIVE_MESSAGE)
    return bare
  }

  const CASES: readonly [what: string, says: readonly Uint8Array[], hears: readonly string[]][] = [
    ['speaks HTTP', [encodeUtf8('GET / HTTP/1.1\r\nHost: 10.0.0.2\r\n\r\n')], ['3: 1 1']],
    ['sends an UPDATE first', [update('x')], ['3: 5 1 2']],
    ['sends a KEEPALIVE first', [KEEPALIVE_MESSAGE], ['3: 5 1 4']],
    ['sends an UPDATE instead of a KEEPALIVE', [OPEN_OF_A, update('x')], ['4: ', '3: 5 2 2']],
    ['sends its OPEN twice', [OPEN_OF_A, OPEN_OF_A], ['4: ', '3: 5 2 1']],
    ['sends an OPEN in a session', [OPEN_OF_A, KEEPALIVE_MESSAGE, OPEN_OF_A], ['4: ', '3: 5 3 1']],
    [
      'asks for a refresh of a family that is not agreed on',
      [OPEN_OF_A, KEEPALIVE_MESSAGE, encodeRouteRefresh('ipv6')],
      ['4: '],
    ],
  ]
  expect(CASES.length).toBeGreaterThan(0)
  test.each(CASES)('%s', (_what, says, hears) => {
    const made = pair({ b: { passive: true } })
    made.b.peer.start()
    const { heard, call } = bareCall(made)
    made.clock.advance(5)
    for (const message of says) call.write(message)
    made.clock.advance(10)
    expect(heard.slice(0, hears.length + 1)).toEqual(['OPEN', ...hears])
    expect(heard.length > hears.length + 1).toBe(hears.at(-1)?.startsWith('3') === true)
    expect(made.b.log).not.toContain('route refresh: ipv6')
  })

  test('connects once more is taken to have given up the first connection', () => {
    const made = pair({ b: { passive: true } })
    made.b.peer.start()
    const first = bareCall(made)
    made.clock.advance(5)
    const second = bareCall(made)
    made.clock.advance(5)
    expect(first.heard).toEqual(['OPEN', '3: 6 7', 'end'])
    expect(second.heard).toEqual(['OPEN'])
  })

  test('connects while our own call waits for its KEEPALIVE is heard out (RFC 4271 6.8)', () => {
    const made = pair()
    const answered: string[] = []
    made.network.listen(ADDRESS_A, (connection) => {
      connection.listen(writeDown(answered))
      connection.write(OPEN_OF_A)
    })
    made.b.peer.start()
    made.clock.advance(10)
    expect(made.b.peer.state).toBe('OpenConfirm')
    const { heard, call } = bareCall(made)
    made.clock.advance(5)
    expect(heard).toEqual(['OPEN'])
    // b has the higher identifier: the connection that it opened is kept.
    call.write(OPEN_OF_A)
    made.clock.advance(5)
    expect(heard).toEqual(['OPEN', '3: 6 7', 'end'])
    expect(answered).toEqual(['OPEN', '4: '])
    expect(made.b.peer.state).toBe('OpenConfirm')
  })

  test('sends its OPEN there first waits for our KEEPALIVE: our own call may be the one to keep', () => {
    const made = pair()
    const answered: string[] = []
    made.network.listen(ADDRESS_A, (connection) => {
      connection.listen(writeDown(answered))
      made.clock.after(500, () => connection.write(OPEN_OF_A))
    })
    made.b.peer.start()
    made.clock.advance(10)
    const { heard } = callWithOpen(made)
    made.clock.advance(400)
    // A session here would end at once when the other OPEN comes.
    expect(heard).toEqual(['OPEN'])
    made.clock.advance(200)
    expect(heard).toEqual(['OPEN', '3: 6 7', 'end'])
    expect(answered).toEqual(['OPEN', '4: '])
  })

  test('sends its OPEN only there gets a session there', () => {
    const made = pair()
    made.network.listen(ADDRESS_A, (connection) => connection.listen(writeDown([])))
    made.b.peer.start()
    made.clock.advance(10)
    const { heard } = callWithOpen(made)
    made.clock.advance(900)
    expect(made.b.peer.state).toBe('OpenSent')
    made.clock.advance(200)
    expect(heard).toEqual(['OPEN', '4: '])
    expect(made.b.peer.state).toBe('Established')
  })

  test('says nothing on it loses it when the other connection becomes a session', () => {
    const made = pair()
    const answered: string[] = []
    made.network.listen(ADDRESS_A, (connection) => {
      connection.listen(writeDown(answered))
      connection.write(OPEN_OF_A)
      made.clock.after(50, () => connection.write(KEEPALIVE_MESSAGE))
    })
    made.b.peer.start()
    made.clock.advance(10)
    const { heard } = bareCall(made)
    made.clock.advance(5)
    expect(heard).toEqual(['OPEN'])
    made.clock.advance(50)
    expect(heard).toEqual(['OPEN', '3: 6 7', 'end'])
    expect(made.b.peer.state).toBe('Established')
    expect(made.b.peer.snapshot().lastError).toBeUndefined()
  })

  test('connects beside a session is turned away', () => {
    const made = establish()
    const before = made.b.peer.snapshot().counters.sent.keepalive
    const { heard } = bareCall(made)
    made.clock.advance(10)
    expect(heard).toEqual(['3: 6 7', 'end'])
    expect(bothEstablished(made)).toBe(true)
    // And the session is probed: had the peer forgotten it, it would be reset now.
    expect(made.b.peer.snapshot().counters.sent.keepalive).toBe(before + 1)
  })
})

describe('the hold time', () => {
  test('of the more impatient side counts, and ends the session when nothing is heard', () => {
    const { clock, network, a, b } = establish({ a: { holdTimeSeconds: 9 } })
    expect(b.peer.snapshot().negotiated).toMatchObject({ holdTimeSeconds: 9, keepaliveSeconds: 3 })
    clock.advance(60_000)
    expect(a.peer.state).toBe('Established')
    network.blackhole(ADDRESS_B)
    clock.advance(5_000)
    expect(a.peer.state).toBe('Established')
    clock.advance(5_000)
    for (const { peer, log } of [a, b]) {
      expect(log).toContain('ended: nothing heard from the peer for 9 s')
      expect(peer.snapshot().flaps).toBe(1)
      expect(peer.snapshot().lastError).toMatchObject({ direction: 'sent', code: 4, subcode: 0 })
    }
    network.heal(ADDRESS_B)
    clock.advanceUntil(() => a.peer.state === 'Established', 120_000)
  })

  test('is kept up by UPDATEs alone', () => {
    const { clock, a, b } = establish({ a: { holdTimeSeconds: 9 } })
    // Only b's keepalives reach a now; what a sends is this.
    for (let i = 0; i < 60; i++) {
      a.peer.send([update('x')])
      clock.advance(1000)
    }
    expect(b.peer.state).toBe('Established')
    expect(b.peer.snapshot().timers.holdLeftSeconds).toBeGreaterThan(7)
  })

  test('of 0 means that nobody watches: no timer, no KEEPALIVE beyond the first', () => {
    const { clock, network, a, b } = establish({ b: { holdTimeSeconds: 0 } })
    expect(a.peer.snapshot().negotiated).toMatchObject({ holdTimeSeconds: 0, keepaliveSeconds: 0 })
    network.blackhole(ADDRESS_A)
    clock.advance(24 * 3600_000)
    expect([a.peer.state, b.peer.state]).toEqual(['Established', 'Established'])
    expect(a.peer.snapshot().counters.sent.keepalive).toBeLessThanOrEqual(2)
    expect(a.peer.snapshot().timers).toEqual({})
  })

  test('does not run against a peer whose words we have not read ourselves', () => {
    const { clock, a } = establish({ a: { holdTimeSeconds: 9 } })
    a.peer.pauseReading()
    clock.advance(60_000)
    expect(a.peer.state).toBe('Established')
    a.peer.resumeReading()
    clock.advance(60_000)
    expect(a.peer.state).toBe('Established')
  })

  test('gives a process that was stopped the time to read what waits', () => {
    const { clock, a } = establish({ a: { holdTimeSeconds: 9 }, b: { passive: true } })
    clock.jump(30_000)
    clock.advance(1)
    expect(a.peer.state).toBe('Established')
  })

  test('KEEPALIVEs go out at three quarters to all of a third of it', () => {
    const { clock, a } = establish({ random: randomFrom(3) })
    const before = a.peer.snapshot().counters.sent.keepalive
    clock.advance(3600_000)
    const sent = a.peer.snapshot().counters.sent.keepalive - before
    expect(sent).toBeGreaterThan(3600 / 30)
    expect(sent).toBeLessThan(3600 / 22.5)
  })
})

describe('what is told of the states', () => {
  // The keeper of the connection is the caller at b, and the listener at a (see above).
  test.each(['a', 'b'] as const)('of %s is one story from start to stop', (name) => {
    const made = establish()
    const { log, peer } = made[name]
    const other = name === 'a' ? made.b.peer : made.a.peer
    other.reset({ subcode: RESET })
    made.clock.advanceUntil(() => bothEstablished(made), 20_000)
    peer.stop({ subcode: SHUTDOWN })
    const states = log.flatMap((line) => /^\w+ > \w+/.exec(line)?.[0] ?? [])
    // Each step starts where the one before ended.
    states.forEach((step, i) => {
      if (i > 0) expect(states[i - 1]?.split(' > ')[1]).toBe(step.split(' > ')[0])
    })
    expect(states.filter((step) => step === 'Established > Idle')).toHaveLength(2)
    expect(log.filter((line) => line.startsWith('ended'))).toEqual([
      'ended: the peer sent Cease/Administrative Reset',
      'ended: shut down',
    ])
  })
})

describe('a stop', () => {
  test('tells the peer why, and lasts until the next start', () => {
    const { clock, a, b } = establish()
    a.peer.stop({ subcode: SHUTDOWN, text: 'Wartung bis 9 Uhr: größer, schöner' })
    expect(a.peer.state).toBe('Idle')
    clock.advance(100)
    expect(b.log).toContain(
      'ended: the peer sent Cease/Administrative Shutdown: "Wartung bis 9 Uhr: größer, schöner"',
    )
    clock.advance(600_000)
    expect(a.peer.snapshot()).toMatchObject({
      started: false,
      state: 'Idle',
      reason: 'shut down: Wartung bis 9 Uhr: größer, schöner',
      lastError: { direction: 'sent', code: 6, subcode: 2 },
    })
    // b keeps calling, and is turned away.
    expect(b.peer.snapshot().lastError).toMatchObject({
      direction: 'received',
      code: 6,
      subcode: 5,
    })
    a.peer.start()
    clock.advanceUntil(() => b.peer.state === 'Established', 10_000)
  })

  test('leaves no timer behind', () => {
    const { clock, a, b } = establish()
    a.peer.stop({ subcode: SHUTDOWN })
    b.peer.stop({ subcode: SHUTDOWN })
    clock.advance(10_000)
    expect(clock.pendingCount).toBe(0)
  })

  test('from within an UPDATE is the last that is heard of the session', () => {
    const { clock, a, b } = establish()
    b.events = { update: () => b.peer.stop({ subcode: SHUTDOWN }) }
    a.peer.send(['1', '2', '3'].map(update))
    clock.advance(1000)
    expect(b.updates).toEqual(['1'])
    expect(b.log.at(-1)).toBe('ended: shut down')
  })
})

test('a peer that is not configured at the other end is told what to look for', () => {
  const { clock, network, a } = pair()
  network.listen(ADDRESS_B, (connection) => connection.close())
  a.peer.start()
  clock.advance(20)
  expect(a.peer.snapshot().reason).toBe(
    'the peer closed the connection without an OPEN; is this speaker (10.0.0.1, AS 65001) configured there?; next attempt in 5 s',
  )
})

test('a reset comes back by itself', () => {
  const { clock, a, b } = establish()
  a.peer.reset({ subcode: RESET, text: 'new policy' })
  clock.advance(100)
  expect(b.log).toContain('ended: the peer sent Cease/Administrative Reset: "new policy"')
  clock.advanceUntil(() => a.peer.state === 'Established', 6_000)
  expect(a.peer.snapshot()).toMatchObject({ established: 2, flaps: 1 })
})

describe('calling a host that', () => {
  test('refuses, is tried after 5, 10, 20, 40 s and then each minute', () => {
    const { clock, network, a } = pair()
    network.listen(ADDRESS_B, () => {})()
    const attemptsAt: number[] = []
    a.events = {}
    a.peer.start()
    let failures = 0
    const seconds = (): number => Math.floor(clock.now() / 1000)
    clock.advanceUntil(() => {
      const now = a.peer.snapshot().failures
      if (now > failures) attemptsAt.push(seconds())
      failures = now
      return failures === 7
    }, 400_000)
    expect(attemptsAt).toEqual([0, 5, 15, 35, 75, 135, 195])
    expect(a.peer.snapshot().reason).toMatch(
      /^connect ECONNREFUSED 10.0.0.2:179; next attempt in 60 s$/,
    )
  })

  test('swallows everything, says so', () => {
    const { clock, network, a } = pair()
    network.blackhole(ADDRESS_B)
    a.peer.start()
    clock.advance(5_500)
    expect(a.peer.state).toBe('Connect')
    expect(a.peer.snapshot().reason).toBe('10.0.0.2 port 179 does not answer; connecting')
  })

  test('comes back, is called at once when someone knows that it is back', () => {
    const { clock, network, a, b } = pair({ b: { passive: true } })
    const end = network.listen(ADDRESS_B, () => {})
    end()
    a.peer.start()
    b.peer.start()
    clock.advance(200_000)
    network.listen(ADDRESS_B, (connection) => b.peer.accept(connection))
    a.peer.retryNow()
    clock.advance(100)
    expect(a.peer.state).toBe('Established')
    expect(a.peer.snapshot().failures).toBe(0)
  })
})

describe('messages', () => {
  test('keep their order and number when reading pauses at each of them', () => {
    const { clock, a, b } = establish({ chunkBytes: 50 })
    b.events = { update: () => b.peer.pauseReading() }
    const sent = Array.from({ length: 40 }, (_, i) => `route ${i}`)
    a.peer.send(sent.map(update))
    clock.advance(100)
    expect(b.updates).toEqual(['route 0'])
    for (let i = 1; i < sent.length; i++) {
      b.peer.resumeReading()
      clock.advance(10)
      expect(b.updates).toHaveLength(i + 1)
    }
    expect(b.updates).toEqual(sent)
  })

  test('flow on when reading pauses and resumes within one', () => {
    const { clock, a, b } = establish()
    b.events = {
      update: () => {
        b.peer.pauseReading()
        b.peer.resumeReading()
      },
    }
    a.peer.send(['1', '2', '3'].map(update))
    clock.advance(100)
    expect(b.updates).toEqual(['1', '2', '3'])
  })

  test('wait for room, and are asked for again', () => {
    const { clock, a, b } = establish({ queueBytes: 1000 })
    b.peer.pauseReading()
    expect(a.peer.send([update('x'.repeat(400))])).toBe(true)
    expect(a.peer.send([update('y'.repeat(600))])).toBe(false)
    clock.advance(1000)
    expect(a.log).not.toContain('writable')
    b.peer.resumeReading()
    clock.advance(10)
    expect(a.log).toContain('writable')
    expect(b.updates).toHaveLength(2)
  })

  test('that nobody takes for eight minutes end the session (RFC 9687)', () => {
    const { clock, a, b } = establish({ queueBytes: 1000 })
    b.peer.pauseReading()
    a.peer.send([update('y'.repeat(2000))])
    clock.advance(470_000)
    expect(a.peer.state).toBe('Established')
    clock.advance(15_000)
    expect(a.log).toContain('ended: the peer takes no bytes')
    expect(a.peer.snapshot().lastError).toMatchObject({ direction: 'sent', code: 8 })
  })

  test.each([5, 1000])('that nobody takes for as long as is configured, %i s', (seconds) => {
    const { clock, a, b } = establish({ queueBytes: 1000, a: { sendHoldSeconds: seconds } })
    b.peer.pauseReading()
    a.peer.send([update('y'.repeat(2000))])
    clock.advance((seconds - 1) * 1000)
    expect(a.peer.state).toBe('Established')
    clock.advance(2000)
    expect(a.log).toContain('ended: the peer takes no bytes')
  })

  test('that nobody takes cost nothing where no time is configured', () => {
    const { clock, a, b } = establish({ queueBytes: 1000, a: { sendHoldSeconds: 0 } })
    b.peer.pauseReading()
    a.peer.send([update('y'.repeat(2000))])
    clock.advance(2_000_000)
    expect(a.peer.state).toBe('Established')
  })

  test('are not taken before the session is up', () => {
    const { a } = pair()
    a.peer.start()
    expect(a.peer.send([update('x')])).toBe(false)
    expect(a.peer.snapshot().counters.sent.update).toBe(0)
  })

  test('that are bad cost the session what they say', () => {
    const { clock, a, b } = establish()
    b.events = {
      update: () => {
        throw new SessionError(3, 1, 'withdrawn routes overrun the message')
      },
    }
    a.peer.send([update('x'), update('y')])
    clock.advance(100)
    expect(b.updates).toEqual(['x'])
    const words = 'UPDATE Message Error/Malformed Attribute List'
    expect(b.log).toContain(`ended: ${words}: withdrawn routes overrun the message`)
    expect(a.log).toContain(`ended: the peer sent ${words}`)
  })

  test('of up to 65,535 bytes, where both sides wish for them (RFC 8654)', () => {
    const long = update('x'.repeat(60_000))
    const both = establish({ a: { extendedMessages: true }, b: { extendedMessages: true } })
    both.a.peer.send([long])
    both.clock.advance(100)
    expect(both.b.updates).toEqual(['x'.repeat(60_000)])
    const one = establish({ a: { extendedMessages: true } })
    one.a.peer.send([long])
    one.clock.advance(100)
    expect(one.b.updates).toEqual([])
    expect(one.a.peer.snapshot().lastError).toMatchObject({ code: 1, subcode: 2 })
  })

  test('that mark a refresh reach who asked for it (RFC 7313), of families in use', () => {
    const { clock, a, b } = establish({
      a: { families: ['ipv4'], enhancedRouteRefresh: true },
      b: { enhancedRouteRefresh: true },
    })
    const marks = (['begin', 'end'] as const).flatMap((mark) => [
      encodeRouteRefresh('ipv4', mark),
      encodeRouteRefresh('ipv6', mark),
    ])
    b.peer.send(marks)
    clock.advance(100)
    expect(a.log.filter((line) => line.startsWith('refresh'))).toEqual([
      'refresh began: ipv4',
      'refresh ended: ipv4',
    ])
    expect(b.peer.snapshot().counters.sent).toMatchObject({ routeRefresh: 4, update: 0 })
  })

  test('that mark a refresh are ignored where only one side has offered it', () => {
    const { clock, a, b } = establish({ b: { enhancedRouteRefresh: true } })
    b.peer.send([encodeRouteRefresh('ipv4', 'begin'), encodeRouteRefresh('ipv4', 'end')])
    clock.advance(100)
    expect(a.log.filter((line) => line.startsWith('refresh'))).toEqual([])
    expect(a.peer.snapshot().counters.received.routeRefresh).toBe(2)
    expect(a.peer.state).toBe('Established')
  })

  test('are counted each way', () => {
    const { clock, a, b } = establish({ a: { passive: true } })
    a.peer.send([update('x'), update('y')])
    b.peer.sendRouteRefresh('ipv6')
    clock.advance(100)
    expect(a.log).toContain('route refresh: ipv6')
    const [atA, atB] = [a.peer.snapshot().counters, b.peer.snapshot().counters]
    expect(atA.sent).toEqual(atB.received)
    expect(atB.sent).toEqual(atA.received)
    expect(atA.sent).toMatchObject({ open: 1, update: 2, keepalive: 1, notification: 0 })
    expect(atB.sent.routeRefresh).toBe(1)
  })
})

test('a peer that restarted without a word is heard again as soon as its RST or its silence shows', () => {
  const { clock, a, b, network } = establish({
    a: { passive: true },
    b: { connectRetrySeconds: 1 },
  })
  // b forgets everything: its end of the connection is gone, unseen by a.
  network.blackhole(ADDRESS_B)
  b.peer.stop({ subcode: SHUTDOWN })
  clock.advance(4_000)
  network.heal(ADDRESS_B)
  b.peer.start()
  clock.advanceUntil(() => b.peer.state === 'Established', 200_000)
  expect(a.peer.state).toBe('Established')
  expect(a.peer.snapshot().flaps).toBe(1)
})

test('the clock of these tests fires in order, also what is started on the way', () => {
  const clock = new FakeClock()
  const fired: string[] = []
  clock.after(20, () => fired.push(`b at ${clock.now()}`))
  clock.after(10, () => {
    fired.push(`a at ${clock.now()}`)
    clock.after(5, () => fired.push(`c at ${clock.now()}`))
  })
  clock.after(5, () => fired.push('never')).cancel()
  clock.advance(100)
  expect(fired).toEqual(['a at 10', 'c at 15', 'b at 20'])
})

test.each([
  { socket: {}, words: '10.0.0.2 port 179 does not answer' },
  { socket: { password: 'x' }, words: 'does not answer; the key may differ there, or be missing' },
  { socket: { minimumTtl: 255 }, words: 'does not answer; it may not send with TTL 255 (GTSM)' },
])('a host that swallows everything $socket', ({ socket, words }) => {
  const { a, clock, network } = pair({ a: { socket } })
  network.blackhole(ADDRESS_B)
  a.peer.start()
  clock.advance(6000)
  expect(a.peer.snapshot().reason).toContain(words)
})
