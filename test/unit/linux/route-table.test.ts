import { describe, expect, test } from 'vitest'
import { address } from '../../../src/net/address.ts'
import { prefix } from '../../../src/net/prefix.ts'
import type { KernelNextHop, KernelRoute } from '../../../src/fib/kernel.ts'
import { RouteTable } from '../../../src/linux/route-table.ts'

const route = (text: string, more: Partial<KernelRoute> = {}): KernelRoute => ({
  prefix: prefix(text),
  table: 254,
  metric: 0,
  protocol: 4,
  type: 1,
  scope: 0,
  nextHopId: 0,
  hops: [],
  flags: 0,
  ...more,
})

const via = (text: string, link: number): KernelNextHop => ({ via: address(text), link })

const found = (table: RouteTable, text: string): string[] =>
  [...table.candidates(address(text))].map((routes) =>
    routes.map((it) => `${it.prefix.text} metric ${it.metric}`).join(' + '),
  )

describe('lookups', () => {
  const table = new RouteTable()
  for (const text of [
    '0.0.0.0/0',
    '10.0.0.0/8',
    '10.128.0.0/9',
    '10.255.255.255/32',
    '::/0',
    '2001:db8::/32',
    '2001:db8:8000::/33',
    '2001:db8:8000::1/128',
  ]) {
    table.put(route(text), false)
  }

  const cases: readonly [wanted: string, found: readonly string[]][] = [
    ['9.9.9.9', ['0.0.0.0/0']],
    ['10.1.1.1', ['10.0.0.0/8', '0.0.0.0/0']],
    ['10.128.0.0', ['10.128.0.0/9', '10.0.0.0/8', '0.0.0.0/0']],
    ['10.255.255.255', ['10.255.255.255/32', '10.128.0.0/9', '10.0.0.0/8', '0.0.0.0/0']],
    ['255.255.255.255', ['0.0.0.0/0']],
    ['2001:db9::1', ['::/0']],
    ['2001:db8:7fff::1', ['2001:db8::/32', '::/0']],
    ['2001:db8:8000::2', ['2001:db8:8000::/33', '2001:db8::/32', '::/0']],
    ['2001:db8:8000::1', ['2001:db8:8000::1/128', '2001:db8:8000::/33', '2001:db8::/32', '::/0']],
  ]
  test.each(cases)('%s', (wanted, expected) => {
    expect(found(table, wanted)).toEqual(expected.map((text) => `${text} metric 0`))
  })
})

describe('routes of one prefix', () => {
  test('stand in the order of their metrics, whatever the order of coming', () => {
    const table = new RouteTable()
    for (const metric of [20, 5, 30, 10]) table.put(route('10.0.0.0/8', { metric }), false)
    expect(found(table, '10.1.1.1')).toEqual([
      [5, 10, 20, 30].map((metric) => `10.0.0.0/8 metric ${metric}`).join(' + '),
    ])
    expect(table.size).toBe(1)
  })

  test('are replaced by metric, when the kernel says so', () => {
    const table = new RouteTable()
    table.put(route('10.0.0.0/8', { hops: [via('10.1.0.2', 1)] }), false)
    table.put(route('10.0.0.0/8', { metric: 5, hops: [via('10.1.0.3', 1)] }), false)
    table.put(route('10.0.0.0/8', { hops: [via('10.1.0.4', 1)] }), true)
    expect([...table.all()].map(({ hops }) => hops[0].via?.text)).toEqual(['10.1.0.4', '10.1.0.3'])
  })

  test('told twice are one', () => {
    const table = new RouteTable()
    table.put(route('10.0.0.0/8', { hops: [via('10.1.0.2', 1)] }), false)
    table.put(route('10.0.0.0/8', { hops: [via('10.1.0.2', 1)] }), false)
    expect([...table.all()].length).toBe(1)
  })
})

describe('deletions', () => {
  const two = [via('10.1.0.2', 1), via('10.2.0.2', 2)]
  const cases: readonly {
    readonly title: string
    readonly before: readonly KernelRoute[]
    readonly deleted: KernelRoute
    readonly left: readonly string[]
  }[] = [
    {
      title: 'of the route itself',
      before: [route('10.0.0.0/8', { hops: two }), route('10.0.0.0/8', { metric: 9 })],
      deleted: route('10.0.0.0/8', { hops: two }),
      left: ['9:'],
    },
    {
      title: 'of one gateway of several (IPv6)',
      before: [route('2001:db8::/32', { hops: two })],
      deleted: route('2001:db8::/32', { hops: [two[0]] }),
      left: ['0: 10.2.0.2'],
    },
    {
      title: 'without gateways, of whatever it had',
      before: [route('10.0.0.0/8', { hops: two })],
      deleted: route('10.0.0.0/8'),
      left: [],
    },
    {
      title: 'of another protocol’s route: nothing',
      before: [route('10.0.0.0/8', { hops: two })],
      deleted: route('10.0.0.0/8', { protocol: 11 }),
      left: ['0: 10.1.0.2 10.2.0.2'],
    },
    {
      title: 'of a prefix that is not there: nothing',
      before: [route('10.0.0.0/8')],
      deleted: route('10.0.0.0/9'),
      left: ['0:'],
    },
  ]
  test.each(cases)('$title', ({ before, deleted, left }) => {
    const table = new RouteTable()
    for (const it of before) table.put(it, false)
    table.delete(deleted)
    expect(
      [...table.all()].map(({ metric, hops }) =>
        [`${metric}:`, ...hops.map(({ via: gateway }) => gateway?.text)].join(' '),
      ),
    ).toEqual(left)
    expect(table.size).toBe(left.length === 0 ? 0 : 1)
  })

  test('leave no length behind to search', () => {
    const table = new RouteTable()
    table.put(route('10.0.0.0/8'), false)
    table.put(route('10.1.0.0/16'), false)
    table.deleteWhere('ipv4', ({ prefix: it }) => it.length === 16)
    expect(found(table, '10.1.1.1')).toEqual(['10.0.0.0/8 metric 0'])
    table.clear()
    expect(found(table, '10.1.1.1')).toEqual([])
  })
})

describe('addresses on our own links', () => {
  const on = (link: number, more: Partial<KernelRoute> = {}) =>
    route('10.1.0.5/32', { hops: [{ link }], ...more })
  const cases: readonly {
    title: string
    routes: readonly KernelRoute[]
    on: readonly number[]
  }[] = [
    { title: 'a route to a link', routes: [on(7)], on: [7] },
    { title: 'IPv6', routes: [route('fd00::5/128', { hops: [{ link: 7 }] })], on: [7] },
    { title: 'through a gateway', routes: [on(7, { hops: [via('10.0.0.1', 7)] })], on: [] },
    { title: 'to a network', routes: [route('10.1.0.4/31', { hops: [{ link: 7 }] })], on: [] },
    { title: 'to nowhere', routes: [on(7, { type: 6, hops: [] })], on: [] },
    { title: 'a local address', routes: [on(7, { type: 2 })], on: [] },
    { title: 'on two links', routes: [on(7, { hops: [{ link: 7 }, { link: 8 }] })], on: [] },
    { title: 'by a nexthop object', routes: [on(7, { hops: [], nextHopId: 5 })], on: [] },
    {
      title: 'the lower metric counts',
      routes: [on(7, { metric: 9 }), on(8, { metric: 8 })],
      on: [8],
    },
    {
      title: 'a gateway of a lower metric',
      routes: [on(7, { metric: 9 }), on(7, { metric: 8, hops: [via('10.0.0.1', 7)] })],
      on: [],
    },
  ]
  test.each(cases)('$title', ({ routes, on: links }) => {
    const table = new RouteTable()
    for (const it of routes) table.put(it, false)
    expect([...table.hostRoutes].map(({ link }) => link)).toEqual(links)
    const changes = table.hostRouteChanges
    for (const it of routes) table.delete(it)
    expect([...table.hostRoutes]).toEqual([])
    if (links.length > 0) expect(table.hostRouteChanges).toBeGreaterThan(changes)
  })

  test('a route to a network is no change of them', () => {
    const table = new RouteTable()
    table.put(route('10.1.0.0/24', { hops: [{ link: 7 }] }), false)
    expect(table.hostRouteChanges).toBe(0)
  })

  test('go with all others', () => {
    const table = new RouteTable()
    table.put(on(7), false)
    const changes = table.hostRouteChanges
    table.clear()
    expect([...table.hostRoutes]).toEqual([])
    expect(table.hostRouteChanges).toBeGreaterThan(changes)
  })
})
