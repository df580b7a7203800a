/** Our own restart (RFC 4724 section 4.1): whom we wait for, for how long, and what OPEN says meanwhile. */
import { expect, test } from 'vitest'
import { Events } from '../../../src/daemon/events.ts'
import { Restart, type RestartPeer } from '../../../src/daemon/restart.ts'
import type { RestartTerms } from '../../../src/session/graceful-restart.ts'
import { FakeClock } from '../../support/fake-clock.ts'

const SECOND_MS = 1000

const TERMS: RestartTerms = {
  restarting: false,
  notification: true,
  restartTimeSeconds: 120,
  longLived: false,
  families: [],
}

/** A peer whose session is up, with these terms. */
const peer = (name: string, gracefulRestart: RestartTerms | undefined = TERMS) => ({
  config: { name },
  session: {
    negotiated: gracefulRestart === undefined ? {} : { gracefulRestart },
  } as RestartPeer['session'],
  saidAll: false,
  outOfReach: false,
})

function stage(peers: readonly RestartPeer[], found: readonly [number, number] = [3, 0]) {
  const clock = new FakeClock()
  const done: string[] = []
  const events = new Events(clock)
  const told: string[] = []
  events.subscribe(({ text }) => void told.push(text))
  const restart = new Restart({
    clock,
    events,
    neighbors: () => peers,
    sweep: () => done.push('sweep'),
    allTold: () => done.push('End-of-RIB'),
  })
  restart.begin(found)
  restart.look()
  return { clock, done, told, restart }
}

test('a start without routes in the kernel is no restart, and nobody waits', () => {
  const { clock, done, told, restart } = stage([peer('a')], [0, 0])
  expect(restart.state).toEqual({ restarting: false, preserved: [] })
  expect(restart.waits).toBe(false)
  expect(restart.words).toBeUndefined()
  clock.advance(60 * SECOND_MS)
  expect(done).toEqual(['sweep'])
  expect(told).toEqual([])
})

test('families with routes in the kernel were forwarded, others not; later all were, for we were there', () => {
  const it = peer('a')
  const { clock, restart, told } = stage([it], [0, 7])
  expect(restart.state).toEqual({ restarting: true, preserved: ['ipv6'] })
  expect(told).toEqual([
    'found 0 ipv4 and 7 ipv6 routes of an earlier run: they stay until the peers have told theirs again, 60 s at most',
  ])
  it.saidAll = true
  restart.look()
  clock.advance(SECOND_MS)
  expect(restart.state).toEqual({ restarting: false, preserved: ['ipv4', 'ipv6'] })
})

test('End-of-RIB waits for that of the peers, and what is stale goes a moment later', () => {
  const [a, b] = [peer('a'), peer('b')]
  const { clock, done, told, restart } = stage([a, b])
  a.saidAll = true
  clock.advance(2 * SECOND_MS)
  restart.look()
  expect(restart.waits).toBe(true)
  expect(restart.words).toBe('waiting for End-of-RIB of b, at most 58 s more')
  b.saidAll = true
  restart.look()
  expect(done).toEqual(['End-of-RIB'])
  expect(restart.words).toBe('waiting for the last routes, at most 58 s more')
  clock.advance(SECOND_MS)
  expect(done).toEqual(['End-of-RIB', 'sweep'])
  expect(restart.words).toBeUndefined()
  expect(told[1]).toBe('the restart is over after 3.0 s: what is still stale goes')
})

test('two that have restarted do not wait for each other to say it, but for the routes', () => {
  const a = peer('a', { ...TERMS, restarting: true })
  const { clock, done, restart } = stage([a])
  expect(done).toEqual(['End-of-RIB'])
  clock.advance(5 * SECOND_MS)
  a.saidAll = true
  restart.look()
  clock.advance(SECOND_MS)
  expect(done).toEqual(['End-of-RIB', 'sweep'])
})

test('nor does anybody wait for the End-of-RIB of a peer without graceful restart to say ours', () => {
  const mute: RestartPeer = { ...peer('a'), session: { negotiated: {} } }
  expect(stage([mute]).done).toEqual(['End-of-RIB'])
})

test('a peer that does not connect is waited for ten seconds, one that is out of reach not at all', () => {
  const [away, gone] = [
    { ...peer('away'), session: undefined },
    { ...peer('gone'), session: undefined, outOfReach: true },
  ]
  const { clock, done, restart } = stage([away, gone])
  expect(restart.words).toBe('waiting for away to connect, at most 60 s more')
  clock.advance(9 * SECOND_MS)
  expect(done).toEqual([])
  clock.advance(2 * SECOND_MS)
  expect(done).toEqual(['End-of-RIB', 'sweep'])
})

test('nobody is waited for longer than a minute', () => {
  const { clock, done, told } = stage([peer('slow')])
  clock.advance(59 * SECOND_MS)
  expect(done).toEqual([])
  clock.advance(SECOND_MS)
  expect(done).toEqual(['End-of-RIB', 'sweep'])
  expect(told[1]).toBe(
    'the restart is over after 60.0 s without the End-of-RIB of slow: what is still stale goes',
  )
})
