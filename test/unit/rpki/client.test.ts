import { describe, expect, test } from 'vitest'
import { address, addressFromWords, wordsOf } from '../../../src/net/address.ts'
import { IPV4 } from '../../../src/net/family.ts'
import { RtrClient, type RtrConnectionEvents } from '../../../src/rpki/client.ts'
import { Rpki } from '../../../src/rpki/rpki.ts'
import type { Vrp } from '../../../src/rpki/vrp.ts'
import { FakeClock } from '../../support/fake-clock.ts'
import { RtrCache, type RtrCacheOptions } from '../../support/rtr-cache.ts'

const textOf = ({ family, words, length, maxLength, asn }: Vrp): string =>
  `${addressFromWords(family.name, words).text}/${length}-${maxLength} ${asn}`

/**
 * A client and a cache with a wire between them that may be cut anywhere. `slow`: a millisecond passes with
 * each look at the clock.
 */
function stage(options: RtrCacheOptions = {}, cut = Infinity, slow = false) {
  const clock = new FakeClock()
  const slowClock = {
    now: () => {
      clock.jump(1)
      return clock.now()
    },
    wallNow: clock.wallNow,
    after: (milliseconds: number, fire: () => void) => clock.after(milliseconds, fire),
  }
  const flow: string[] = []
  const cache = new RtrCache(options)
  const changes: string[][] = []
  const told: string[] = []
  let reachable = true
  let events: RtrConnectionEvents | undefined
  const client = new RtrClient({
    clock: slow ? slowClock : clock,
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
        pause: () => flow.push('pause'),
        resume: () => flow.push('resume'),
        close: () => {
          open = false
          cache.leave(send)
        },
      }
    },
    changed: (vrps) => changes.push(vrps === 'many' ? ['many'] : vrps.map(textOf).toSorted()),
    workArrived: () => flow.push('work'),
    told: (text) => told.push(text),
  })
  return {
    clock,
    cache,
    client,
    changes,
    told,
    flow,
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

test('of several caches the first that has data is believed (RFC 8210 section 10)', () => {
  const [preferred, second] = [stage(), stage()]
  const rpki = new Rpki()
  rpki.use([preferred.client, second.client])
  const [word] = wordsOf(address('10.0.0.0').bytes)
  const validityOf = (asn: number) => {
    rpki.settle(undefined, [])
    return rpki.validate(IPV4, Int32Array.of(word), 0, 8, asn)
  }
  expect(validityOf(65001)).toBe('notFound')
  preferred.reach(false)
  preferred.cache.publish(['10.0.0.0/8-24 65001'])
  second.cache.publish(['10.0.0.0/8-24 65002'])
  for (const { client, clock } of [preferred, second]) {
    client.start()
    clock.advance(5000)
  }
  expect(rpki.believed).toBeUndefined()
  expect(validityOf(65002)).toBe('valid')
  expect(rpki.believed).toBe(second.client)
  preferred.reach(true)
  preferred.clock.advance(700_000)
  expect([validityOf(65001), validityOf(65002)]).toEqual(['valid', 'invalid'])
  expect(rpki.believed).toBe(preferred.client)
  rpki.use([second.client])
  expect([validityOf(65001), validityOf(65002)]).toEqual(['invalid', 'valid'])
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

describe('more than can be dealt with at once', () => {
  const MANY = Array.from({ length: 1500 }, (_, i) => `10.${i >> 8}.${i & 255}.0/24-24 65001`)
  const OTHERS = MANY.map((it) => it.replace('65001', '65002'))

  /** Steps of 2 ms until nothing is left; what was known after each. */
  function work({ client, clock }: ReturnType<typeof stage>): number[] {
    const sizes: number[] = []
    while (client.busy) {
      client.step(clock.now() + 2)
      sizes.push(client.vrps.size)
    }
    return sizes
  }

  function begun(vrps: readonly string[]): ReturnType<typeof stage> {
    const it = stage({}, Infinity, true)
    it.cache.publish(vrps)
    it.client.start()
    it.clock.advance(1000)
    return it
  }

  test('is taken in steps, while the connection waits; it counts when all is there', () => {
    const it = begun(MANY)
    expect(it.client.busy).toBe(true)
    expect(it.flow.slice(-2)).toEqual(['pause', 'work'])
    expect(it.client.state).toBe('synchronizing')
    const sizes = work(it)
    expect(sizes.length).toBeGreaterThan(10)
    expect(new Set(sizes)).toEqual(new Set([0, MANY.length]))
    expect(it.client.state).toBe('synchronized')
    expect(it.flow.at(-1)).toBe('resume')
    expect(it.known()).toEqual(MANY.toSorted())
  })

  test('changes are carried out in steps, and not listed when there are many', () => {
    const it = begun(MANY)
    work(it)
    it.cache.publish(OTHERS)
    it.clock.advance(1000)
    const sizes = work(it)
    expect(new Set(sizes).size).toBeGreaterThan(10)
    expect(it.known()).toEqual(OTHERS.toSorted())
    expect(it.changes.map((list) => list.length)).toEqual([MANY.length, 1])
    expect(it.changes.at(-1)).toEqual(['many'])
  })

  test('none of them counts when the last one is wrong', () => {
    const it = begun(MANY)
    work(it)
    // A notification makes it ask; the answer is ours: what is there goes, and one comes that is there.
    const [first, last] = MANY.map((text) => text.replace(/\/.*/, '').split('.').map(Number))
    const prefix = (flags: number, octets: readonly number[]): number[] => [
      ...[1, 4, 0, 0, 0, 0, 0, 20, flags, 24, 24, 0, ...octets, 0, 0, 253, 233],
    ]
    const gone = MANY.slice(2).flatMap((text) =>
      prefix(0, text.replace(/\/.*/, '').split('.').map(Number)),
    )
    it.inject([1, 0, 0, 7, 0, 0, 0, 12, 0, 0, 0, 9])
    it.inject([1, 3, 0, 7, 0, 0, 0, 8, ...gone, ...prefix(0, first), ...prefix(1, last)])
    it.inject([1, 7, 0, 7, 0, 0, 0, 24, 0, 0, 0, 9, 0, 0, 14, 16, 0, 0, 2, 88, 0, 0, 28, 32])
    const sizes = work(it)
    expect(Math.min(...sizes)).toBeLessThan(MANY.length)
    expect(it.client.state).toBe('down')
    expect(it.known()).toEqual(MANY.toSorted())
    expect(it.changes).toHaveLength(1)
  })

  test('what was told to its end counts also when the connection is lost meanwhile', () => {
    const it = begun(MANY)
    work(it)
    it.cache.publish(OTHERS)
    it.clock.advance(1000)
    while (it.client.vrps.size === MANY.length) it.client.step(it.clock.now() + 2)
    it.lose()
    expect(it.client.state).toBe('down')
    expect(it.client.busy).toBe(false)
    expect(it.known()).toEqual(OTHERS.toSorted())
    expect(it.client.snapshot().serial).toBe(3)
  })

  test('what was not told to its end is forgotten', () => {
    const it = begun(MANY)
    it.lose()
    expect([it.client.busy, it.client.usable, it.known()]).toEqual([false, false, []])
    expect(it.changes).toEqual([])
  })

  test('everything is judged anew then', () => {
    const it = begun(MANY)
    work(it)
    const rpki = new Rpki()
    rpki.use([it.client])
    const [vrp] = it.client.vrps
    const far = Int32Array.of(0x7f000000)
    expect(rpki.settle(it.client, [])?.(vrp.family, vrp.words, vrp.length)).toBe(true)
    expect(rpki.settle(it.client, [vrp])?.(vrp.family, far, 8)).toBe(false)
    expect(rpki.settle(it.client, 'many')?.(vrp.family, far, 8)).toBe(true)
  })
})
