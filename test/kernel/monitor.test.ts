import { readFileSync } from 'node:fs'
import { afterEach, beforeAll, describe, expect, test } from 'vitest'
import { address } from '../../src/net/address.ts'
import {
  NEXT_HOP_ID_FIRST,
  ROUTE_DELETE,
  ROUTE_PUT,
  type KernelNextHopObject,
  type KernelRoute,
} from '../../src/fib/kernel.ts'
import { openFibWriter } from '../../src/linux/fib-writer.ts'
import { openMonitor, type Monitor, type MonitorOptions } from '../../src/linux/monitor.ts'
import { enterBox, ip, ipBatch, linkIndex, wire } from '../support/box.ts'
import { until } from '../support/until.ts'

const ID = NEXT_HOP_ID_FIRST

beforeAll(() => {
  enterBox()
  wire('one', 'one-far', ['10.1.0.1/24', '2001:db8:1::1/64'])
})

const cleanUps: (() => void | Promise<void>)[] = []
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).toReversed()) await cleanUp()
})

/** A monitor, with what it tells. */
async function open(options: Partial<MonitorOptions> = {}) {
  const monitor = await openMonitor({ protocol: 179, table: 254, ...options })
  cleanUps.push(() => monitor.close())
  const told = {
    routes: [] as string[],
    authors: [] as string[],
    objects: [] as string[],
    links: new Set<number>(),
    lost: 0,
  }
  monitor.watch({
    ourRouteChanged: (change, route: KernelRoute, by, instead) => {
      told.routes.push(`${change} ${route.prefix.text}`)
      told.authors.push(instead === undefined ? by : `${by}: ${instead}`)
    },
    ourNextHopChanged: (change, object: KernelNextHopObject) => {
      told.objects.push(`${change} ${object.id}`)
    },
    linkChanged: (link) => told.links.add(link),
    lost: () => told.lost++,
  })
  return { monitor, told }
}

/** What was done before has been heard: the monitor knows a link that was made just now. */
async function heard(monitor: Monitor): Promise<void> {
  ip('link add mark type bridge')
  await until('the mark is seen', () => linkNames(monitor).includes('mark'))
  ip('link del mark')
  await until('the mark is gone', () => !linkNames(monitor).includes('mark'))
}

const linkNames = (monitor: Monitor): string[] => [...monitor.links()].map(({ name }) => name)

const addressTexts = (monitor: Monitor): string[] =>
  [...monitor.addresses()]
    .filter(({ scope }) => scope === 0)
    .map((it) => `${it.address.text}/${it.length}`)
    .toSorted()

const routeTexts = (monitor: Monitor): string[] =>
  [...monitor.tables.routes.all()].map(({ prefix }) => prefix.text).toSorted()

describe('links and addresses', () => {
  test('are known from the start', async () => {
    const { monitor } = await open()
    const link = [...monitor.links()].find(({ name }) => name === 'one')
    expect(link).toEqual({
      index: linkIndex('one'),
      name: 'one',
      kind: 'veth',
      up: true,
      carrier: true,
      loopback: false,
      mtu: 1500,
      master: 0,
    })
    expect([...monitor.links()].find(({ name }) => name === 'lo')?.loopback).toBe(true)
    expect(addressTexts(monitor)).toEqual(['10.1.0.1/24', '2001:db8:1::1/64'])
  })

  test('come, change and go', async () => {
    const { monitor } = await open()
    let turns = 0
    cleanUps.push(monitor.onLinksChanged(() => turns++))
    ip('link add docker0 type bridge')
    cleanUps.push(() => void ip('link del docker0'))
    await until('docker0 is seen', () => linkNames(monitor).includes('docker0'))
    const bridge = linkIndex('docker0')
    expect(monitor.tables.links.get(bridge)).toMatchObject({ kind: 'bridge', up: false })

    ip('addr add 172.17.0.1/16 dev docker0')
    await until('its address is seen', () => addressTexts(monitor).includes('172.17.0.1/16'))
    ip('link set docker0 up')
    await until('it is up', () => monitor.tables.links.get(bridge)?.up === true)

    ip('link add port type veth peer name port-far')
    ip('link set port master docker0 up')
    ip('link set port-far up')
    const port = () => [...monitor.links()].find(({ name }) => name === 'port')
    await until('its port is seen', () => port()?.master === bridge && port()?.carrier === true)

    ip('link del port')
    await until('it has no carrier', () => monitor.tables.links.get(bridge)?.carrier === false)
    ip('addr del 172.17.0.1/16 dev docker0')
    await until('its address is gone', () => !addressTexts(monitor).includes('172.17.0.1/16'))
    await heard(monitor)
    expect(linkNames(monitor)).not.toContain('port')
    expect(turns).toBeGreaterThan(5)
  })

  test('a removed link takes its addresses along', async () => {
    const { monitor } = await open()
    ip('link add short type bridge')
    ip('addr add 10.99.0.1/24 dev short')
    await until('it is seen', () => addressTexts(monitor).includes('10.99.0.1/24'))
    ip('link del short')
    await until('it is gone', () => !linkNames(monitor).includes('short'))
    expect(addressTexts(monitor)).not.toContain('10.99.0.1/24')
  })

  test('a point-to-point address has a peer', async () => {
    const { monitor } = await open()
    ip('addr add 10.98.0.1 peer 10.98.0.2/32 dev one')
    cleanUps.push(() => void ip('addr del 10.98.0.1 peer 10.98.0.2/32 dev one'))
    const find = () => [...monitor.addresses()].find((it) => it.address.text === '10.98.0.1')
    await until('it is seen', () => find() !== undefined)
    expect(find()).toMatchObject({ length: 32, peer: { text: '10.98.0.2' }, tentative: false })
  })

  test('an IPv6 address is tentative until it is known to be unique', async () => {
    const { monitor } = await open()
    const find = () => [...monitor.addresses()].find((it) => it.address.text === '2001:db8:9::1')
    ip('addr add 2001:db8:9::1/64 dev one')
    cleanUps.push(() => void ip('addr del 2001:db8:9::1/64 dev one'))
    await until('it is seen', () => find() !== undefined)
    expect(find()?.tentative).toBe(true)
    await until('it is settled', () => find()?.tentative === false)
  })
})

describe('link changes are told', () => {
  const losses: readonly { title: string; lose: string; back: string; far?: true }[] = [
    { title: 'switched off', lose: 'link set one down', back: 'link set one up' },
    { title: 'its carrier lost', lose: 'link set one-far down', back: 'link set one-far up' },
  ]

  test.each(losses)('$title, and back', async ({ lose, back }) => {
    const { monitor, told } = await open()
    const one = linkIndex('one')
    ip(lose)
    await until('the loss is told', () => told.links.has(one) && !monitor.tables.isUp(one))
    told.links.clear()
    ip(back)
    await until('the return is told', () => told.links.has(one) && monitor.tables.isUp(one))
    // The kernel has dropped what stood on the link: put the address of IPv6 back.
    ip('addr replace 2001:db8:1::1/64 dev one nodad')
  })

  test('an address that goes is told, for routes may have gone with it', async () => {
    const { monitor, told } = await open()
    ip('addr add 10.97.0.1/24 dev one')
    await until('it is seen', () => addressTexts(monitor).includes('10.97.0.1/24'))
    told.links.clear()
    ip('addr del 10.97.0.1/24 dev one')
    await until('it is told', () => told.links.has(linkIndex('one')))
  })

  test('nothing is told while nothing changes', async () => {
    const { monitor, told } = await open()
    told.links.clear()
    ip('link set one mtu 1400')
    await until('it is seen', () => monitor.tables.links.get(linkIndex('one'))?.mtu === 1400)
    ip('link set one mtu 1500')
    await heard(monitor)
    expect(told.links.has(linkIndex('one'))).toBe(false)
  })
})

describe('routes', () => {
  test('of others in the main table are kept, ours and other tables are not', async () => {
    ip('route add 10.50.0.0/16 via 10.1.0.2 proto 179 metric 20')
    ip('route add 10.51.0.0/16 via 10.1.0.2 proto static')
    const { monitor } = await open()
    ip('route add 10.52.0.0/16 via 10.1.0.2 proto bird')
    ip('route add 10.53.0.0/16 via 10.1.0.2 proto bird table 77')
    ip('route add 10.54.0.0/16 via 10.1.0.2 proto 179 metric 20')
    ip('-6 route add 2001:db8:52::/48 via 2001:db8:1::2 proto bird')
    await heard(monitor)
    expect(routeTexts(monitor)).toEqual(
      expect.arrayContaining(['10.1.0.0/24', '10.51.0.0/16', '10.52.0.0/16', '2001:db8:52::/48']),
    )
    for (const absent of ['10.50.0.0/16', '10.53.0.0/16', '10.54.0.0/16']) {
      expect(routeTexts(monitor)).not.toContain(absent)
    }
    for (const it of ['10.50.0.0/16', '10.51.0.0/16', '10.52.0.0/16', '10.54.0.0/16']) {
      ip(`route del ${it}`)
    }
    ip('route flush table 77')
    ip('-6 route del 2001:db8:52::/48')
    await heard(monitor)
    expect(routeTexts(monitor).filter((text) => text.startsWith('10.5'))).toEqual([])
    expect(routeTexts(monitor)).not.toContain('2001:db8:52::/48')
  })

  test('go silently when their device goes down, and the monitor knows', async () => {
    wire('two', 'two-far', ['10.2.0.1/24'])
    cleanUps.push(() => void ip('link del two'))
    ip('route add 10.60.0.0/16 via 10.2.0.2')
    const { monitor } = await open()
    expect(routeTexts(monitor)).toContain('10.60.0.0/16')
    ip('link set two down')
    await until('it is gone', () => !routeTexts(monitor).includes('10.60.0.0/16'))
    expect(routeTexts(monitor)).not.toContain('10.2.0.0/24')
    ip('link set two up')
    await until('the network is back', () => routeTexts(monitor).includes('10.2.0.0/24'))
    expect(routeTexts(monitor)).not.toContain('10.60.0.0/16')
  })

  test('a change of our route by somebody else is told', async () => {
    const { monitor, told } = await open()
    ip('route add 10.61.0.0/16 via 10.1.0.2 proto 179 metric 20')
    ip('route del 10.61.0.0/16 proto 179')
    ip('route add 10.61.0.0/16 via 10.1.0.2 proto 179 metric 20 table 78')
    ip('route flush table 78')
    await heard(monitor)
    expect(told.routes).toEqual(['new 10.61.0.0/16', 'deleted 10.61.0.0/16'])
  })

  test('our route replaced by one of another protocol is told as deleted', async () => {
    const { monitor, told } = await open()
    ip('route add 10.62.0.0/16 via 10.1.0.2 proto 179 metric 20')
    ip('route replace 10.62.0.0/16 via 10.1.0.3 proto static metric 20')
    await heard(monitor)
    expect(told.routes).toEqual(['new 10.62.0.0/16', 'deleted 10.62.0.0/16'])
    expect(told.authors[1]).toMatch(/: static$/)
    ip('route del 10.62.0.0/16')
  })

  test('who changed our route is told: a program that has ended, or one that lives', async () => {
    const { monitor, told } = await open()
    ip('route add 10.63.0.0/16 via 10.1.0.2 proto 179 metric 20')
    await heard(monitor)
    expect(told.authors).toEqual([
      expect.stringMatching(/^(a process that has ended|ip) \(pid \d+\)$/),
    ])
    const writer = await openFibWriter({
      ...{ table: 254, metric: 20, protocol: 179, preferredSource: {}, nextHopObjects: 'off' },
    })
    cleanUps.push(() => writer.close())
    writer.put(ROUTE_DELETE, 'ipv4', Int32Array.of((10 << 24) + (63 << 16)), 0, 16, ID)
    writer.flush()
    await heard(monitor)
    // Not the first netlink socket of its process: its port is no process id.
    expect(told.authors[1]).toBe(
      `${readFileSync('/proc/self/comm', 'utf8').trim()} (pid ${process.pid})`,
    )
  })

  test('a change of our nexthop object by somebody else is told, of others not', async () => {
    const { monitor, told } = await open()
    ip(`nexthop add id ${ID} via 10.1.0.2 dev one`)
    ip('nexthop add id 5 via 10.1.0.2 dev one')
    ip(`nexthop del id ${ID}`)
    ip('nexthop del id 5')
    await heard(monitor)
    expect(told.objects).toEqual([`new ${ID}`, `deleted ${ID}`])
  })

  test('our own changes are not told, by hand or by the worker', async () => {
    const { monitor, told } = await open()
    const writer = await openFibWriter({
      table: 254,
      metric: 20,
      protocol: 179,
      preferredSource: {},
      nextHopObjects: 'auto',
    })
    cleanUps.push(() => writer.close())
    cleanUps.push(() => void ip('nexthop flush proto 179'))
    monitor.ignorePorts(writer.ports)
    let completed = 0
    writer.onProgress({
      completed: (count) => (completed += count),
      failed: () => {},
      broken: () => {},
    })
    const hops = [{ via: address('10.1.0.2'), link: linkIndex('one') }]
    writer.putNextHop(ID, 'ipv4', { kind: 'gateways', hops })
    const put = (count: number): void => {
      for (let i = 0; i < count; i++) {
        writer.put(ROUTE_PUT, 'ipv4', Int32Array.of((62 << 24) + (i << 8)), 0, 24, ID)
      }
      writer.flush()
    }
    put(1)
    put(2000)
    await until('all are done', () => completed === 2001)
    await heard(monitor)
    expect(told.routes).toEqual([])
    expect(told.objects).toEqual([])
    ip('route del 62.0.9.0/24 proto 179')
    await heard(monitor)
    expect(told.routes).toEqual(['deleted 62.0.9.0/24'])
  })
})

describe('lost notifications', () => {
  test('are noticed, survived, and made up for', async () => {
    const { monitor, told } = await open({ receiveBufferBytes: 4096 })
    const routes = Array.from({ length: 5000 }, (_, i) => `10.${100 + (i >> 8)}.${i & 255}.0/24`)
    // One synchronous burst: the event loop can't read meanwhile.
    ipBatch(routes.map((route) => `route add ${route} via 10.1.0.2 proto static`))
    await until('the loss is told', () => told.lost > 0)
    await until('the tables are right', () => monitor.tables.routes.size > 5000)
    const known = new Set(routeTexts(monitor))
    expect(routes.filter((route) => !known.has(route))).toEqual([])
    ipBatch(routes.map((route) => `route del ${route}`))
    await until('the tables are right again', () => monitor.tables.routes.size < 100)
    await heard(monitor)
    const left = routeTexts(monitor).filter((text) => /^10\.1\d\d\./.test(text))
    expect(left).toEqual([])
  })
})
