import { describe, expect, test } from 'vitest'
import { addressFromWords } from '../../../src/net/address.ts'
import { RtrClient, type RtrConnectionEvents } from '../../../src/rpki/client.ts'
import type { Vrp } from '../../../src/rpki/vrp.ts'
import { FakeClock } from '../../support/fake-clock.ts'
import { RtrCache, type RtrCacheOptions } from '../../support/rtr-cache.ts'

const textOf = ({ family, words, length, maxLength, asn }: Vrp): string =>
  `${addressFromWords(family.name, words).text}/${length}-${maxLength} ${asn}`

/** A client and a cache with a wire between them that may be cut anywhere. */
function stage(options: RtrCacheOptions = {}, cut = Infinity) {
  const clock = new FakeClock()
  const cache = new RtrCache(options)
  const changes: string[][] = []
  const told: string[] = []
  let reachable = true
  let events: RtrConnectionEvents | undefined
  const client = new RtrClient({
    clock,
    connect: (listener) => {
      let open = true
      const send = (bytes: Uint8Array): void => {
        for (let at = 0; at < bytes.length; at += Math.min(cut, bytes.length)) {
          if (open) listener.received(bytes.slice(at, at + cut))
        }
      }
      const serve = cache.serve(send)
      events = listener
      clock.after(1, () => {
        if (!open) return
        if (reachable) listener.opened()
        else listener.closed('refused')
      })
      return {
        send: (bytes) => void clock.after(1, () => serve(bytes)),
        close: () => {
          open = false
          cache.leave(send)
        },
      }
    },
    changed: (vrps) => changes.push(vrps.map(textOf).toSorted()),
    told: (text) => told.push(text),
  })
  return {
    clock,
    cache,
    client,
    changes,
    told,
    known: () => [...client.vrps].map(textOf).toSorted(),
    lose: () => events?.closed('connection reset'),
    inject: (bytes: readonly number[]) => events?.received(Uint8Array.from(bytes)),
    reach: (now: boolean) => {
      reachable = now
    },
  }
}

const FIRST = ['10.0.0.0/8-24 65001', '2001:db8::/32-48 4200000000']

describe.each([
  { version: 1 as const, cut: Infinity },
  { version: 1 as const, cut: 1 },
  { version: 0 as const, cut: Infinity },
])('a cache of version $version, its stream in pieces of $cut', ({ version, cut }) => {
  test('tells all, then what has changed', () => {
    const { client, cache, clock, changes, known } = stage({ version }, cut)
    cache.publish(FIRST)
    client.start()
    clock.advance(5000)
    expect(known()).toEqual(FIRST)
    expect(client.snapshot()).toMatchObject({ state: 'synchronized', version, serial: 2 })
    cache.publish(['10.0.0.0/8-24 65001', '192.0.2.0/24-24 65002'])
    clock.advance(1000)
    expect(known()).toEqual(['10.0.0.0/8-24 65001', '192.0.2.0/24-24 65002'])
    expect(changes).toEqual([FIRST, ['192.0.2.0/24-24 65002', '2001:db8::/32-48 4200000000']])
    const first = version === 0 ? ['version 1', 'reset query'] : ['reset query']
    expect(cache.asked).toEqual([...first, 'serial query 2'])
  })
})

test('it asks by itself when the cache says nothing', () => {
  const { client, cache, clock, known } = stage({ timers: [100, 50, 7200] })
  cache.publish(FIRST)
  client.start()
  clock.advance(1000)
  cache.publish([], true)
  expect(known()).toEqual(FIRST)
  clock.advance(101_000)
  expect(known()).toEqual([])
})

test('a cache that has forgotten, or is another one, tells everything again', () => {
  const { client, cache, clock, changes, known } = stage()
  cache.publish(FIRST)
  client.start()
  clock.advance(1000)
  cache.publish(['10.0.0.0/8-24 65001'], true)
  cache.forget()
  cache.publish(['10.0.0.0/8-24 65001'])
  clock.advance(1000)
  expect(known()).toEqual(['10.0.0.0/8-24 65001'])
  cache.sessionId = 8
  cache.publish(['10.0.0.0/8-24 65001', '10.0.0.0/8-9 1'])
  clock.advance(1000)
  expect(changes).toEqual([FIRST, ['2001:db8::/32-48 4200000000'], ['10.0.0.0/8-9 1']])
  expect(cache.asked).toEqual(['reset query', 'serial query 2', 'reset query', 'reset query'])
})

test('what was learned stays while the cache is away, until it expires', () => {
  const { client, cache, clock, changes, known, lose, reach, told } = stage({
    timers: [3600, 60, 7200],
  })
  cache.publish(FIRST)
  client.start()
  clock.advance(1000)
  reach(false)
  lose()
  clock.advance(3_600_000)
  expect(known()).toEqual(FIRST)
  expect(client.usable).toBe(true)
  clock.advance(3_700_000)
  expect([client.usable, known()]).toEqual([false, []])
  expect(changes.at(-1)).toEqual(FIRST)
  expect(told).toContain('its data have expired')
  reach(true)
  clock.advance(200_000)
  expect(known()).toEqual(FIRST)
})

test('after a lost connection it goes on from where it was', () => {
  const { client, cache, clock, known, lose } = stage()
  cache.publish(FIRST)
  client.start()
  clock.advance(1000)
  lose()
  cache.publish(['10.0.0.0/8-24 65001'])
  clock.advance(5000)
  expect(known()).toEqual(['10.0.0.0/8-24 65001'])
  expect(cache.asked).toEqual(['reset query', 'serial query 2'])
})

describe('what a cache must not say ends the session, with a report, and the next asks for everything', () => {
  const head = (type: number, field: number, length: number): number[] => [
    1,
    type,
    field >> 8,
    field & 255,
    0,
    0,
    0,
    length,
  ]
  test.each([
    [
      'a prefix outside an answer',
      [...head(4, 0, 20), 1, 8, 24, 0, 10, 0, 0, 0, 0, 0, 253, 233],
      0,
    ],
    ['an unknown type', head(99, 0, 8), 5],
    ['a length that is none', head(3, 7, 4), 0],
    ['a wrong length', head(7, 7, 8), 0],
    ['another version', [2, 0, 0, 7, 0, 0, 0, 12, 0, 0, 0, 9], 8],
    ['an answer that nobody asked for', head(3, 7, 8), 0],
  ])('%s', (_, bytes, code) => {
    const { client, cache, clock, known, inject } = stage()
    cache.publish(FIRST)
    client.start()
    clock.advance(1000)
    inject(bytes)
    expect(client.state).toBe('down')
    expect(known()).toEqual(FIRST)
    clock.advance(5000)
    expect(client.state).toBe('synchronized')
    expect(cache.asked).toEqual(['reset query', `error report ${code}`, 'reset query'])
  })

  test.each([
    ['a withdrawal of what is not there', 0, 6],
    ['an announcement of what is there', 1, 7],
  ])('%s', (_, flags, code) => {
    const { client, cache, clock, known, changes, inject } = stage()
    cache.publish(['10.0.0.0/8-24 65001'])
    client.start()
    clock.advance(1000)
    // A notification makes it ask; the answer is ours.
    inject([...head(0, 7, 12), 0, 0, 0, 9])
    const asn = flags === 1 ? [0, 0, 253, 233] : [0, 0, 0, 9]
    inject(head(3, 7, 8))
    inject([...head(4, 0, 20), 1, 8, 8, 0, 11, 0, 0, 0, 0, 0, 0, 1])
    inject([...head(4, 0, 20), flags, 8, 24, 0, 10, 0, 0, 0, ...asn])
    inject([...head(7, 7, 24), 0, 0, 0, 9, 0, 0, 14, 16, 0, 0, 2, 88, 0, 0, 28, 32])
    // Nothing of it counts.
    expect(known()).toEqual(['10.0.0.0/8-24 65001'])
    expect(changes).toHaveLength(1)
    clock.advance(5000)
    expect(cache.asked).toContain(`error report ${code}`)
    expect(client.state).toBe('synchronized')
  })
})

test('a cache without data is asked again', () => {
  const { client, clock, told, cache, inject } = stage()
  client.start()
  clock.advance(1)
  inject([1, 10, 0, 2, 0, 0, 0, 16, 0, 0, 0, 0, 0, 0, 0, 0])
  expect(told).toEqual(['the cache has no data yet'])
  clock.advance(2000)
  expect(client.state).toBe('synchronized')
  expect(cache.asked.length).toBeGreaterThan(0)
})
