import { expect, test } from 'vitest'
import { Events } from '../../../src/daemon/events.ts'
import { TableNews } from '../../../src/daemon/table-news.ts'
import { FakeClock } from '../../support/fake-clock.ts'

const names = { text: (prefix: number): string => `10.0.${prefix}.0/24` }

function stage() {
  const clock = new FakeClock()
  const events = new Events(clock)
  const told: string[] = []
  events.subscribe((row, level) =>
    told.push(`${level} ${row.topic} ${row.kind} ${row.prefix ?? '-'}: ${row.text}`),
  )
  return { clock, told, news: new TableNews(events, clock) }
}

test('one prefix that is decided several times is told once, by name', () => {
  const { clock, told, news } = stage()
  news.decided(0, 7, names)
  news.decided(0, 7, names)
  clock.advance(99)
  expect(told).toEqual([])
  clock.advance(1)
  expect(told).toEqual(['debug routes RoutesChanged 10.0.7.0/24: 10.0.7.0/24 was decided anew'])
  expect(clock.pendingCount).toBe(0)
})

test('many prefixes are told as a number; the next moment begins at nothing', () => {
  const { clock, told, news } = stage()
  for (let i = 0; i < 1000; i++) news.decided(0, i % 256, names)
  news.decided(1, 7, names)
  clock.advance(100)
  news.decided(1, 8, names)
  clock.advance(100)
  expect(told).toEqual([
    'debug routes RoutesChanged -: 1001 decisions about prefixes',
    'debug routes RoutesChanged 10.0.8.0/24: 10.0.8.0/24 was decided anew',
  ])
})

test('next hops are told with what has become of them, writing as such', () => {
  const { clock, told, news } = stage()
  news.nextHopChanged('10.0.1.1', 'eth0 is down')
  news.nextHopChanged('10.0.1.1', 'connected on eth0')
  news.written()
  news.written()
  clock.advance(1000)
  expect(told).toEqual([
    'debug nexthops NextHopChanged -: 10.0.1.1: connected on eth0',
    'debug fib FibChanged -: routes were written',
  ])
})

test('nothing is told when nothing happens, or after the end', () => {
  const { clock, told, news } = stage()
  clock.advance(1000)
  news.decided(0, 1, names)
  news.close()
  clock.advance(1000)
  expect(told).toEqual([])
})
