import { afterEach, beforeAll, describe, expect, test } from 'vitest'
import { address, wordsOf } from '../../src/net/address.ts'
import { parsePrefix } from '../../src/net/prefix.ts'
import {
  NEXT_HOP_ID_FIRST,
  NEXT_HOP_ID_LAST,
  NEXT_HOP_LEG_ID_FIRST,
  ROUTE_DELETE,
  ROUTE_PUT,
  type KernelError,
  type KernelNextHop,
  type KernelTarget,
  type RouteOperation,
} from '../../src/fib/kernel.ts'
import { openFibWriter, type FibWriter, type FibWriterOptions } from '../../src/linux/fib-writer.ts'
import * as sys from '../../src/linux/sys.ts'
import { descriptorOfPort } from '../../src/linux/netlink-socket.ts'
import { openMonitor } from '../../src/linux/monitor.ts'
import { readSysctl, writeSysctl } from '../../src/linux/sysctl.ts'
import { enterBox, ip, ipJson, linkIndex, wire, type IpRow } from '../support/box.ts'
import { until } from '../support/until.ts'

const ID = NEXT_HOP_ID_FIRST
const OPTIONS: FibWriterOptions = {
  table: 254,
  metric: 20,
  protocol: 179,
  preferredSource: {},
  nextHopObjects: 'auto',
}

let one: number
let two: number

beforeAll(() => {
  enterBox()
  wire('one', 'one-far', ['10.1.0.1/24', '2001:db8:1::1/64'])
  wire('two', 'two-far', ['10.2.0.1/24', '2001:db8:2::1/64'])
  one = linkIndex('one')
  two = linkIndex('two')
})

const opened: FibWriter[] = []

afterEach(async () => {
  for (const writer of opened.splice(0)) await writer.close()
  ip('route flush proto 179')
  ip('-6 route flush proto 179')
  ip('nexthop flush proto 179')
})

/** A writer, with what it tells of its progress. */
async function open(options: Partial<FibWriterOptions> = {}) {
  const writer = await openFibWriter({ ...OPTIONS, ...options })
  opened.push(writer)
  const told = { completed: 0, failed: [] as [number, KernelError][], broken: [] as string[] }
  writer.onProgress({
    completed: (count) => (told.completed += count),
    failed: (ahead, error) => told.failed.push([told.completed + ahead, error]),
    broken: (reason) => told.broken.push(reason),
  })
  const put = (text: string, id = ID, operation: RouteOperation = ROUTE_PUT): void => {
    const prefix = parsePrefix(text)
    if (prefix === undefined) throw new Error(text)
    writer.put(operation, prefix.family, wordsOf(prefix.bytes), 0, prefix.length, id)
  }
  return { writer, told, put }
}

const gateways = (...hops: KernelNextHop[]): KernelTarget => ({ kind: 'gateways', hops })
const via = (text: string, link: number, more: Partial<KernelNextHop> = {}): KernelNextHop => ({
  via: address(text),
  link,
  ...more,
})

const ours = (family: '-4' | '-6' = '-4'): readonly IpRow[] =>
  ipJson(`${family} route show table all`)
    .filter((row) => row.protocol === '179')
    .map((row) => ({ ...row, nh_info: undefined }))

/** Where the object sends packets: `10.1.0.2 one, 10.2.0.2 two*3`. */
function objectText(id: number): string {
  const rows = ipJson('nexthop show')
  const object = rows.find((row) => row.id === id)
  const legs = (object?.group ?? []).map(({ id: leg, weight }) => {
    const row = rows.find((it) => it.id === leg)
    return `${row?.gateway ?? 'on-link'} ${row?.dev}${(weight ?? 1) > 1 ? `*${weight}` : ''}`
  })
  return legs.join(', ')
}

const objectCount = (): number => ipJson('nexthop show').length

describe('with nexthop objects', () => {
  test('one route is in the kernel when flush returns, with our protocol and metric', async () => {
    const { writer, told, put } = await open()
    expect(writer.nextHopObjects).toBe(true)
    expect(writer.notes).toEqual([])
    expect(writer.putNextHop(ID, 'ipv4', gateways(via('10.1.0.2', one)))).toBeUndefined()
    put('10.10.0.0/16')
    writer.flush()
    expect(ours()).toMatchObject([
      { dst: '10.10.0.0/16', nhid: ID, protocol: '179', metric: 20, type: '1' },
    ])
    expect(objectText(ID)).toBe('10.1.0.2 one')
    await until('it is told', () => told.completed === 1)
    expect(told.failed).toEqual([])
  })

  const targets: readonly {
    readonly title: string
    readonly prefix: string
    readonly hops: () => KernelNextHop[]
    readonly object: string
  }[] = [
    {
      title: 'two gateways, IPv4',
      prefix: '10.11.0.0/16',
      hops: () => [via('10.1.0.2', one), via('10.2.0.2', two)],
      object: '10.1.0.2 one, 10.2.0.2 two',
    },
    {
      title: 'weights',
      prefix: '10.11.0.0/16',
      hops: () => [via('10.1.0.2', one), via('10.2.0.2', two, { weight: 256 })],
      object: '10.1.0.2 one, 10.2.0.2 two*256',
    },
    {
      title: 'the same gateway twice counts double',
      prefix: '10.11.0.0/16',
      hops: () => [via('10.1.0.2', one), via('10.2.0.2', two), via('10.1.0.2', one)],
      object: '10.1.0.2 one*2, 10.2.0.2 two',
    },
    {
      title: 'one gateway, IPv6',
      prefix: '2001:db8:11::/48',
      hops: () => [via('2001:db8:1::2', one)],
      object: '2001:db8:1::2 one',
    },
    {
      title: 'two gateways, IPv6',
      prefix: '2001:db8:11::/48',
      hops: () => [via('2001:db8:1::2', one), via('2001:db8:2::2', two)],
      object: '2001:db8:1::2 one, 2001:db8:2::2 two',
    },
    {
      title: 'an IPv6 link-local gateway, its zone left to the link',
      prefix: '2001:db8:11::/48',
      hops: () => [via('fe80::2%one', one)],
      object: 'fe80::2 one',
    },
    {
      title: 'IPv4 through an IPv6 gateway (RFC 8950)',
      prefix: '10.11.0.0/16',
      hops: () => [via('fe80::2', one), via('10.2.0.2', two)],
      object: 'fe80::2 one, 10.2.0.2 two',
    },
    {
      title: 'a gateway outside of all networks, on-link',
      prefix: '10.11.0.0/16',
      hops: () => [via('192.0.2.99', one, { onLink: true })],
      object: '192.0.2.99 one',
    },
    {
      title: 'a link without a gateway, IPv4',
      prefix: '10.11.0.0/16',
      hops: () => [{ link: one }],
      object: 'on-link one',
    },
    {
      title: 'a link without a gateway, IPv6',
      prefix: '2001:db8:11::/48',
      hops: () => [{ link: one }],
      object: 'on-link one',
    },
    {
      title: 'the default route',
      prefix: '0.0.0.0/0',
      hops: () => [via('10.1.0.2', one)],
      object: '10.1.0.2 one',
    },
    {
      title: 'the IPv6 default route',
      prefix: '::/0',
      hops: () => [via('2001:db8:1::2', one)],
      object: '2001:db8:1::2 one',
    },
    {
      title: 'a host route',
      prefix: '2001:db8:11::5/128',
      hops: () => [via('2001:db8:1::2', one)],
      object: '2001:db8:1::2 one',
    },
  ]

  test.each(targets)('routes to $title', async ({ prefix: text, hops, object }) => {
    const { writer, told, put } = await open()
    const family = text.includes(':') ? 'ipv6' : 'ipv4'
    expect(writer.putNextHop(ID, family, gateways(...hops()))).toBeUndefined()
    put(text)
    writer.flush()
    await until('it is told', () => told.completed === 1)
    expect(told.failed).toEqual([])
    const dst = text.replace(/\/(32|128)$/, '').replace(/^(0\.0\.0\.0|::)\/0$/, 'default')
    const rows = ours(family === 'ipv4' ? '-4' : '-6')
    expect(rows).toMatchObject([{ dst, nhid: ID, metric: 20 }])
    expect(objectText(ID)).toBe(object)
    put(text, ID, ROUTE_DELETE)
    writer.flush()
    expect(ours(family === 'ipv4' ? '-4' : '-6')).toEqual([])
    expect(writer.deleteNextHop(ID)).toBeUndefined()
    expect(objectCount()).toBe(0)
  })

  test('replacing a group moves its routes, which stay as they are', async () => {
    const { writer, put } = await open()
    writer.putNextHop(ID, 'ipv4', gateways(via('10.1.0.2', one), via('10.2.0.2', two)))
    put('10.12.0.0/16')
    put('10.13.0.0/16')
    writer.flush()
    const before = ours()
    expect(writer.putNextHop(ID, 'ipv4', gateways(via('10.2.0.2', two)))).toBeUndefined()
    expect(ours()).toEqual(before)
    expect(objectText(ID)).toBe('10.2.0.2 two')
    expect(ip('route get 10.12.0.1')).toContain('via 10.2.0.2 dev two')
    expect(objectCount()).toBe(2) // the leg over `one` is gone
  })

  test('legs are shared, and deleted with the last group that has them', async () => {
    const { writer } = await open()
    writer.putNextHop(ID, 'ipv4', gateways(via('10.1.0.2', one), via('10.2.0.2', two)))
    writer.putNextHop(ID + 1, 'ipv4', gateways(via('10.1.0.2', one)))
    expect(objectCount()).toBe(4)
    writer.deleteNextHop(ID)
    expect(objectText(ID + 1)).toBe('10.1.0.2 one')
    expect(objectCount()).toBe(2)
    writer.deleteNextHop(ID + 1)
    expect(objectCount()).toBe(0)
  })

  test('objects of an earlier run are taken over: replaced, and deleted with their legs', async () => {
    const earlier = await open()
    earlier.writer.putNextHop(ID, 'ipv4', gateways(via('10.1.0.2', one)))
    earlier.writer.putNextHop(ID + 1, 'ipv4', gateways(via('10.2.0.2', two), { link: two }))
    earlier.put('10.14.0.0/16')
    earlier.writer.flush()
    await earlier.writer.close()

    const { writer } = await open()
    writer.putNextHop(ID + 2, 'ipv4', gateways(via('10.1.0.2', one)))
    expect(objectCount()).toBe(6) // the leg over `one` is shared with the earlier group
    expect(writer.deleteNextHop(ID + 1)).toBeUndefined()
    expect(objectCount()).toBe(3)
    expect(ours()).toMatchObject([{ dst: '10.14.0.0/16', nhid: ID }])
  })

  test('a put makes up for objects that went with their link', async () => {
    const { writer, put } = await open()
    wire('three', 'three-far', ['10.3.0.1/24'])
    try {
      const three = linkIndex('three')
      const target = gateways(via('10.3.0.2', three), via('10.1.0.2', one))
      writer.putNextHop(ID, 'ipv4', target)
      put('10.15.0.0/16')
      writer.flush()
      ip('link set three down')
      expect(objectText(ID)).toBe('10.1.0.2 one')
      expect(writer.putNextHop(ID, 'ipv4', target)?.text).toMatch(/^ENETDOWN: /)
      expect(objectText(ID)).toBe('10.1.0.2 one')
      ip('link set three up')
      await until('the carrier is back', () => writer.putNextHop(ID, 'ipv4', target) === undefined)
      expect(objectText(ID)).toBe('10.3.0.2 three, 10.1.0.2 one')
    } finally {
      ip('link del three')
    }
  })

  const refusedTargets: readonly [string, () => KernelTarget, RegExp][] = [
    ['no gateway at all', () => gateways(), /^EINVAL: a next hop needs a gateway/],
    ['weight 0', () => gateways(via('10.1.0.2', one, { weight: 0 })), /^EINVAL: weight 0/],
    ['weight 257', () => gateways(via('10.1.0.2', one, { weight: 257 })), /^EINVAL: weight 257/],
    ['an unreachable gateway', () => gateways(via('192.0.2.1', one)), /invalid gateway/i],
    ['a link that is not there', () => gateways(via('10.1.0.2', 9999)), /^E\w+: /],
  ]

  test.each(refusedTargets)(
    'a next hop with %s is refused and leaves nothing',
    async (_, target, text) => {
      const { writer } = await open()
      const error = writer.putNextHop(ID, 'ipv4', target())
      expect(error?.text).toMatch(text)
      expect(error?.errno).toBeGreaterThan(0)
      expect(objectCount()).toBe(0)
    },
  )

  test.each([1, NEXT_HOP_ID_FIRST - 1, NEXT_HOP_LEG_ID_FIRST, NEXT_HOP_ID_LAST])(
    'id %i is not for the FIB to use',
    async (id) => {
      const { writer } = await open()
      expect(writer.putNextHop(id, 'ipv4', gateways(via('10.1.0.2', one)))?.errno).toBe(sys.EINVAL)
    },
  )

  test('the sysctl that slows failover down is switched off, and put back on request', async () => {
    writeSysctl('net.ipv4.nexthop_compat_mode', 1)
    const { writer } = await open()
    expect(readSysctl('net.ipv4.nexthop_compat_mode')).toBe('0')
    writer.restoreSysctl()
    expect(readSysctl('net.ipv4.nexthop_compat_mode')).toBe('1')
  })

  test('100,000 routes go through the worker, and all are there', async () => {
    const { writer, told } = await open()
    writer.putNextHop(ID, 'ipv4', gateways(via('10.1.0.2', one)))
    const words = new Int32Array(1)
    let put = 0
    const pump = (): void => {
      for (let free = writer.free(); free > 0 && put < 100_000; free--, put++) {
        words[0] = (20 << 24) + (put << 8)
        writer.put(ROUTE_PUT, 'ipv4', words, 0, 24, ID)
      }
      writer.flush()
    }
    await until('all are done', () => {
      pump()
      return told.completed === 100_000
    })
    expect(told.failed).toEqual([])
    const lines = ip('route show proto 179').trim().split('\n')
    expect(lines.length).toBe(100_000)
    expect(lines[0].trim()).toBe(`20.0.0.0/24 nhid ${ID} metric 20`)
    expect(lines[99_999].trim()).toBe(`21.134.159.0/24 nhid ${ID} metric 20`)
  })

  const sizes: readonly [string, number][] = [
    ['at once', 10],
    ['by the worker', 1000],
  ]

  test.each(sizes)('a refusal finds its route when written %s', async (_, count) => {
    const { writer, told, put } = await open()
    writer.putNextHop(ID, 'ipv4', gateways(via('10.1.0.2', one)))
    writer.putNextHop(ID + 1, 'ipv4', gateways(via('10.1.0.2', one)))
    writer.deleteNextHop(ID + 1)
    const bad = new Set([3, 7, count - 1])
    for (let i = 0; i < count; i++) {
      put(`30.${i >> 8}.${i & 255}.0/24`, bad.has(i) ? ID + 1 : ID)
    }
    writer.flush()
    await until('all are done', () => told.completed === count)
    expect(told.failed.map(([place]) => place)).toEqual([...bad])
    for (const [, error] of told.failed) {
      expect(error).toEqual({ errno: 22, text: 'EINVAL: Nexthop id does not exist' })
    }
    expect(ours().length).toBe(count - bad.size)
  })

  test.each(sizes)('deleting what is not there is no failure (%s)', async (_, count) => {
    const { writer, told, put } = await open()
    for (let i = 0; i < count; i++) put(`30.${i >> 8}.${i & 255}.0/24`, ID, ROUTE_DELETE)
    writer.flush()
    await until('all are done', () => told.completed === count)
    expect(told.failed).toEqual([])
  })

  test('small changes keep their place behind a large one', async () => {
    const { writer, told, put } = await open()
    writer.putNextHop(ID, 'ipv4', gateways(via('10.1.0.2', one)))
    for (let i = 0; i < 2000; i++) put(`30.${i >> 8}.${i & 255}.0/24`)
    writer.flush()
    put('30.0.7.0/24', ID, ROUTE_DELETE)
    writer.flush()
    put('30.0.8.0/24', ID, ROUTE_DELETE)
    writer.flush()
    await until('all are done', () => told.completed === 2002)
    expect(ours().length).toBe(1998)
  })

  test('routes into a table of their own, beyond 255', async () => {
    const { writer, told, put } = await open({ table: 1000 })
    writer.putNextHop(ID, 'ipv4', gateways(via('10.1.0.2', one)))
    writer.putNextHop(ID + 1, 'ipv6', gateways(via('2001:db8:1::2', one)))
    put('10.16.0.0/16')
    put('2001:db8:16::/48', ID + 1)
    writer.flush()
    await until('all are done', () => told.completed === 2)
    expect(ours('-4')).toMatchObject([{ dst: '10.16.0.0/16', table: '1000' }])
    expect(ours('-6')).toMatchObject([{ dst: '2001:db8:16::/48', table: '1000' }])
    put('10.16.0.0/16', ID, ROUTE_DELETE)
    writer.flush()
    expect(ours('-4')).toEqual([])
    ip('-6 route flush table 1000')
  })

  test.each([5, 500])('the preferred source may change (%i routes)', async (count) => {
    const { writer, told, put } = await open({ preferredSource: { ipv4: address('10.1.0.1') } })
    writer.putNextHop(ID, 'ipv4', gateways(via('10.1.0.2', one)))
    const sources = (): (string | undefined)[] => [...new Set(ours().map((row) => row.prefsrc))]
    const fill = async (): Promise<void> => {
      told.completed = 0
      for (let i = 0; i < count; i++) put(`50.${i >> 8}.${i & 255}.0/24`)
      writer.flush()
      await until('all are done', () => told.completed === count)
      expect(told.failed).toEqual([])
    }
    await fill()
    expect(sources()).toEqual(['10.1.0.1'])
    writer.preferSource({ ipv4: address('10.2.0.1') })
    await fill()
    expect(sources()).toEqual(['10.2.0.1'])
    writer.preferSource({})
    await fill()
    expect(sources()).toEqual([undefined])
  })

  test('the preferred source of each family is in its routes', async () => {
    ip('addr add 172.17.0.1/16 dev two')
    ip('addr add 2001:db8:17::1/64 dev two nodad')
    try {
      const preferredSource = { ipv4: address('172.17.0.1'), ipv6: address('2001:db8:17::1') }
      const { writer, put } = await open({ preferredSource })
      writer.putNextHop(ID, 'ipv4', gateways(via('10.1.0.2', one)))
      writer.putNextHop(ID + 1, 'ipv6', gateways(via('2001:db8:1::2', one)))
      put('10.17.0.0/16')
      put('2001:db8:18::/48', ID + 1)
      writer.flush()
      expect(ours('-4')).toMatchObject([{ dst: '10.17.0.0/16', prefsrc: '172.17.0.1' }])
      expect(ours('-6')).toMatchObject([{ dst: '2001:db8:18::/48', prefsrc: '2001:db8:17::1' }])
    } finally {
      ip('addr del 172.17.0.1/16 dev two')
      ip('addr del 2001:db8:17::1/64 dev two')
    }
  })
})

describe('with and without nexthop objects', () => {
  const modes = ['auto', 'off'] as const

  test.each(modes)('blackhole and unreachable (%s)', async (nextHopObjects) => {
    const { writer, told, put } = await open({ nextHopObjects })
    expect(writer.putNextHop(ID, 'ipv4', { kind: 'blackhole' })).toBeUndefined()
    expect(writer.putNextHop(ID + 1, 'ipv6', { kind: 'unreachable' })).toBeUndefined()
    put('10.20.0.0/16')
    put('2001:db8:20::/48', ID)
    put('2001:db8:21::/48', ID + 1)
    writer.flush()
    await until('all are done', () => told.completed === 3)
    expect(told.failed).toEqual([])
    expect(ours('-4')).toMatchObject([{ dst: '10.20.0.0/16', type: '6', metric: 20 }])
    expect(ours('-6')).toMatchObject([
      { dst: '2001:db8:20::/48', type: '6', metric: 20 },
      { dst: '2001:db8:21::/48', type: '7', metric: 20 },
    ])
    for (const prefix of ['10.20.0.0/16', '2001:db8:20::/48', '2001:db8:21::/48']) {
      put(prefix, ID, ROUTE_DELETE)
    }
    writer.flush()
    expect([...ours('-4'), ...ours('-6')]).toEqual([])
  })

  test.each(modes)('an id that was a blackhole becomes a gateway (%s)', async (nextHopObjects) => {
    const { writer, put, told } = await open({ nextHopObjects })
    // First through the worker, so that it must hear of the change as well.
    writer.putNextHop(ID, 'ipv4', { kind: 'blackhole' })
    for (let i = 0; i < 100; i++) put(`10.${100 + i}.0.0/16`)
    writer.flush()
    writer.putNextHop(ID, 'ipv4', gateways(via('10.1.0.2', one)))
    for (let i = 0; i < 100; i++) put(`10.${100 + i}.0.0/16`)
    writer.flush()
    await until('all are done', () => told.completed === 200)
    expect(told.failed).toEqual([])
    const rows = ours()
    expect(rows.length).toBe(100)
    expect(new Set(rows.map(({ type }) => type))).toEqual(new Set(['1']))
  })

  test.each(modes)('foreign routes stay, connected ones above all (%s)', async (nextHopObjects) => {
    ip('route add 10.30.0.0/16 via 10.2.0.2 proto static')
    ip('route add 10.31.0.0/16 via 10.2.0.2 proto 186 metric 20')
    const foreign = (): readonly IpRow[] =>
      ipJson('route show').filter(({ protocol }) => protocol !== '179')
    const before = foreign()
    const { writer, put } = await open({ nextHopObjects })
    writer.putNextHop(ID, 'ipv4', gateways(via('10.1.0.2', one)))
    for (const operation of [ROUTE_PUT, ROUTE_PUT, ROUTE_DELETE, ROUTE_DELETE] as const) {
      put('10.30.0.0/16', ID, operation)
      put('10.1.0.0/24', ID, operation)
      writer.flush()
    }
    put('10.31.0.0/16', ID, ROUTE_DELETE)
    writer.flush()
    expect(foreign()).toEqual(before)
    expect(ours()).toEqual([])
    ip('route del 10.30.0.0/16')
    ip('route del 10.31.0.0/16')
  })

  test('a foreign route of our metric is not replaced: such a put fails, the others go on', async () => {
    const monitor = await openMonitor({ protocol: 179, table: 254 })
    try {
      const { writer, told, put } = await open({ foreign: monitor.tables.routes })
      writer.putNextHop(ID, 'ipv4', gateways(via('10.1.0.2', one)))
      writer.putNextHop(ID + 1, 'ipv6', gateways(via('2001:db8:1::2', one)))
      ip('route add 10.32.0.0/16 via 10.2.0.2 proto 186 metric 20')
      ip('-6 route add 2001:db8:32::/48 via 2001:db8:2::2 proto static metric 20')
      ip('route add 10.33.0.0/16 via 10.2.0.2 proto static metric 5')
      const known = (text: string): boolean =>
        [...monitor.tables.routes.all()].some((route) => route.prefix.text === text)
      await until('they are heard', () => known('10.32.0.0/16') && known('10.33.0.0/16'))
      for (const count of [5, 500]) {
        told.completed = 0
        told.failed.length = 0
        for (let i = 0; i < count; i++) put(`60.${i >> 8}.${i & 255}.0/24`)
        put('10.32.0.0/16')
        put('10.33.0.0/16')
        put('2001:db8:32::/48', ID + 1)
        put('2001:db8:33::/48', ID + 1)
        writer.flush()
        await until('all are done', () => told.completed === count + 4)
        expect(told.failed.map(([place, { text }]) => `${place - count}: ${text}`)).toEqual([
          '0: EEXIST: a route of the same prefix and metric belongs to bgp',
          '2: EEXIST: a route of the same prefix and metric belongs to static',
        ])
      }
      expect(ours('-4').map(({ dst }) => dst)).toContain('10.33.0.0/16')
      expect(ours('-4').map(({ dst }) => dst)).not.toContain('10.32.0.0/16')
      expect(ours('-6').map(({ dst }) => dst)).toEqual(['2001:db8:33::/48'])
      ip('route del 10.32.0.0/16')
      await until('it is heard', () => !known('10.32.0.0/16'))
      put('10.32.0.0/16')
      writer.flush()
      expect(ours('-4').map(({ dst }) => dst)).toContain('10.32.0.0/16')
    } finally {
      monitor.close()
      ip('route del 10.33.0.0/16 metric 5')
      ip('-6 route del 2001:db8:32::/48')
    }
  })

  test('metric 0 is refused: it would overwrite connected routes', async () => {
    await expect(open({ metric: 0 })).rejects.toThrow('metric 0')
  })

  test.each(modes)('a broken worker is told, and the next flush works again (%s)', async (mode) => {
    const { writer, told, put } = await open({ nextHopObjects: mode })
    writer.putNextHop(ID, 'ipv4', gateways(via('10.1.0.2', one)))
    const fill = (): void => {
      for (let i = 0; i < 500; i++) put(`40.${i >> 8}.${i & 255}.0/24`)
      writer.flush()
    }
    fill()
    await until('all are done', () => told.completed === 500)
    sys.close(descriptorOfPort(writer.ports[1])) // the worker's socket, taken away from under it
    fill()
    await until('it is told', () => told.broken.length === 1)
    expect(told.broken[0]).toMatch(/EBADF/)
    expect(writer.free()).toBeGreaterThan(30_000)
    told.completed = 0
    fill()
    await until('all are done', () => told.completed === 500)
    expect(told.failed).toEqual([])
    expect(ours().length).toBe(500)
    // The same port id as before, so that the monitor still knows our changes.
    expect(descriptorOfPort(writer.ports[1])).toBeGreaterThan(0)
  })
})

describe('without nexthop objects', () => {
  const targets: readonly {
    readonly title: string
    readonly prefix: string
    readonly hops: () => KernelNextHop[]
    readonly row: IpRow
  }[] = [
    {
      title: 'one gateway',
      prefix: '10.40.0.0/16',
      hops: () => [via('10.1.0.2', one)],
      row: { gateway: '10.1.0.2', dev: 'one' },
    },
    {
      title: 'one gateway, IPv6',
      prefix: '2001:db8:40::/48',
      hops: () => [via('2001:db8:1::2', one)],
      row: { gateway: '2001:db8:1::2', dev: 'one' },
    },
    {
      title: 'an on-link gateway',
      prefix: '10.40.0.0/16',
      hops: () => [via('192.0.2.99', one, { onLink: true })],
      row: { gateway: '192.0.2.99', dev: 'one', flags: ['onlink'] },
    },
    {
      title: 'a link without a gateway',
      prefix: '10.40.0.0/16',
      hops: () => [{ link: one }],
      row: { dev: 'one' },
    },
    {
      title: 'IPv4 through an IPv6 gateway',
      prefix: '10.40.0.0/16',
      hops: () => [via('fe80::2', one)],
      row: { via: { family: 'inet6', host: 'fe80::2' }, dev: 'one' },
    },
    {
      title: 'two gateways with weights',
      prefix: '10.40.0.0/16',
      hops: () => [via('10.1.0.2', one, { weight: 3 }), via('10.2.0.2', two)],
      row: {
        nexthops: [
          { gateway: '10.1.0.2', dev: 'one', weight: 3, flags: [] },
          { gateway: '10.2.0.2', dev: 'two', weight: 1, flags: [] },
        ],
      },
    },
    {
      title: 'two gateways of different families',
      prefix: '10.40.0.0/16',
      hops: () => [via('2001:db8:1::2', one), via('10.2.0.2', two)],
      row: {
        nexthops: [
          { via: { family: 'inet6', host: '2001:db8:1::2' }, dev: 'one', weight: 1, flags: [] },
          { gateway: '10.2.0.2', dev: 'two', weight: 1, flags: [] },
        ],
      },
    },
    {
      title: 'two gateways, IPv6',
      prefix: '2001:db8:40::/48',
      hops: () => [via('2001:db8:1::2', one), via('2001:db8:2::2', two)],
      row: {
        nexthops: [
          { gateway: '2001:db8:1::2', dev: 'one', weight: 1, flags: [] },
          { gateway: '2001:db8:2::2', dev: 'two', weight: 1, flags: [] },
        ],
      },
    },
  ]

  test.each(targets)('routes to $title', async ({ prefix: text, hops, row }) => {
    const { writer, told, put } = await open({ nextHopObjects: 'off' })
    expect(writer.nextHopObjects).toBe(false)
    const family = text.includes(':') ? 'ipv6' : 'ipv4'
    const flag = family === 'ipv4' ? '-4' : '-6'
    expect(writer.putNextHop(ID, family, gateways(...hops()))).toBeUndefined()
    put(text)
    writer.flush()
    await until('it is told', () => told.completed === 1)
    expect(told.failed).toEqual([])
    expect(ours(flag)).toMatchObject([{ dst: text, metric: 20, ...row }])
    expect(objectCount()).toBe(0)
    // Replaced as a whole, also by fewer gateways; deleted as a whole.
    writer.putNextHop(ID, family, gateways(hops()[0]))
    put(text)
    writer.flush()
    expect(ours(flag).length).toBe(1)
    expect(ours(flag)[0].nexthops).toBeUndefined()
    put(text, ID, ROUTE_DELETE)
    writer.flush()
    expect(ours(flag)).toEqual([])
    await until('all are told', () => told.completed === 3)
    expect(told.failed).toEqual([])
  })

  test('1,000 routes over 16 gateways each', async () => {
    const { writer, told, put } = await open({ nextHopObjects: 'off' })
    const hops = Array.from({ length: 16 }, (_, i) => via(`2001:db8:1::${i + 2}`, one))
    writer.putNextHop(ID, 'ipv6', gateways(...hops))
    for (let i = 0; i < 1000; i++) put(`2001:db8:5000:${i.toString(16)}::/64`)
    writer.flush()
    await until('all are done', () => told.completed === 1000)
    expect(told.failed).toEqual([])
    const rows = ours('-6')
    expect(rows.length).toBe(1000)
    expect(rows.every((row) => row.nexthops?.length === 16)).toBe(true)
  })
})
