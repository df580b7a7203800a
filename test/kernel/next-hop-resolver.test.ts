import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { address } from '../../src/net/address.ts'
import { openMonitor, type Monitor } from '../../src/linux/monitor.ts'
import { KernelNextHopResolver } from '../../src/linux/next-hop-resolver.ts'
import type { Resolution } from '../../src/rib/next-hop.ts'
import { enterBox, ip, linkIndex, wire } from '../support/box.ts'
import { until } from '../support/until.ts'

beforeAll(() => enterBox())

let monitor: Monitor
let resolver: KernelNextHopResolver
let changes: string[]

beforeEach(async () => {
  wire('one', 'one-far', ['10.1.0.1/24', '2001:db8:1::1/64'])
  wire('two', 'two-far', ['10.2.0.1/24', '2001:db8:2::1/64'])
  monitor = await openMonitor({ protocol: 179, table: 254 })
  resolver = new KernelNextHopResolver(monitor)
  changes = []
  resolver.onChange((nextHop, resolution) => changes.push(`${nextHop.text}: ${text(resolution)}`))
  await until('all links are up', () =>
    ['one', 'two'].every((name) => monitor.tables.isUp(linkIndex(name))),
  )
})

afterEach(() => {
  resolver.close()
  monitor.close()
  ip('link del one')
  ip('link del two')
  ip('nexthop flush')
  ip('route flush table main')
})

/** `10.1.0.2 one (0) connected on one`: gateways, metric, and why. */
function text({ gateways, metric, resolvedBy }: Resolution): string {
  const links = new Map([...monitor.links()].map(({ index, name }) => [index, name]))
  const ways = gateways.map(({ via, link }) => `${via.text} ${links.get(link)}`)
  return ways.length === 0 ? resolvedBy : `${ways.join(', ')} (${metric}) ${resolvedBy}`
}

const resolve = (nextHop: string): string => {
  const resolution = resolver.resolve(address(nextHop))
  resolver.forget(address(nextHop))
  return text(resolution)
}

describe('a next hop is resolved', () => {
  const cases: readonly {
    readonly title: string
    readonly setUp?: readonly string[]
    readonly nextHop: string
    readonly resolved: string
  }[] = [
    {
      title: 'on a connected network',
      nextHop: '10.1.0.2',
      resolved: '10.1.0.2 one (0) connected on one',
    },
    {
      title: 'on a connected network, IPv6',
      nextHop: '2001:db8:2::9',
      resolved: '2001:db8:2::9 two (0) connected on two',
    },
    { title: 'to nothing', nextHop: '10.9.9.9', resolved: 'no route to 10.9.9.9' },
    { title: 'to nothing, IPv6', nextHop: '2001:db9::1', resolved: 'no route to 2001:db9::1' },
    { title: 'to itself', nextHop: '10.1.0.1', resolved: 'own address on one' },
    { title: 'to itself, IPv6', nextHop: '2001:db8:1::1', resolved: 'own address on one' },
    {
      title: 'by a link-local address with its zone',
      nextHop: 'fe80::2%one',
      resolved: 'fe80::2 one (0) connected on one',
    },
    {
      title: 'not by a link-local address without zone',
      nextHop: 'fe80::2',
      resolved: 'fe80::2 is link-local: it needs a link, as in fe80::2%eth0',
    },
    {
      title: 'not by a link-local address on a link that is not there',
      nextHop: 'fe80::2%nine',
      resolved: 'no link nine',
    },
    {
      title: 'through a gateway',
      setUp: ['route add 10.7.0.0/16 via 10.1.0.2 proto static metric 5'],
      nextHop: '10.7.1.1',
      resolved: '10.1.0.2 one (5) via 10.1.0.2 on one (static)',
    },
    {
      title: 'through two gateways',
      setUp: [
        'route add 10.7.0.0/16 proto ospf metric 7 nexthop via 10.1.0.2 nexthop via 10.2.0.2',
      ],
      nextHop: '10.7.1.1',
      resolved: '10.1.0.2 one, 10.2.0.2 two (7) via 10.1.0.2 on one, 10.2.0.2 on two (ospf)',
    },
    {
      title: 'by the longest prefix',
      setUp: [
        'route add 10.7.0.0/16 via 10.1.0.2 proto bird',
        'route add 10.7.1.0/24 via 10.2.0.2 proto bird metric 50',
      ],
      nextHop: '10.7.1.1',
      resolved: '10.2.0.2 two (50) via 10.2.0.2 on two (bird)',
    },
    {
      title: 'by the best metric of a prefix',
      setUp: [
        'route add 10.7.0.0/16 via 10.1.0.2 proto bird metric 30',
        'route add 10.7.0.0/16 via 10.2.0.2 proto static metric 10',
      ],
      nextHop: '10.7.1.1',
      resolved: '10.2.0.2 two (10) via 10.2.0.2 on two (static)',
    },
    {
      title: 'by the second metric when the first has no link',
      setUp: [
        'route add 10.7.0.0/16 via 10.1.0.2 proto bird metric 30',
        'route add 10.7.0.0/16 via 10.2.0.2 proto static metric 10',
        'link set two-far down',
      ],
      nextHop: '10.7.1.1',
      resolved: '10.1.0.2 one (30) via 10.1.0.2 on one (bird)',
    },
    {
      title: 'by the default route',
      setUp: ['route add default via 10.1.0.2 proto dhcp metric 100'],
      nextHop: '198.51.100.1',
      resolved: '10.1.0.2 one (100) via 10.1.0.2 on one (dhcp)',
    },
    {
      title: 'not by the default route when it is a neighbour on a link without carrier',
      setUp: ['route add default via 10.1.0.2', 'link set two-far down'],
      nextHop: '10.2.0.2',
      resolved: 'two is down',
    },
    {
      title: 'not by the default route when it is a neighbour on a link switched off',
      setUp: ['route add default via 10.1.0.2', 'link set two down'],
      nextHop: '10.2.0.2',
      resolved: 'two is down',
    },
    {
      title: 'not by a blackhole, even if a shorter prefix would do',
      setUp: ['route add default via 10.1.0.2', 'route add blackhole 10.7.0.0/16 proto static'],
      nextHop: '10.7.1.1',
      resolved: '10.7.0.0/16 is a blackhole',
    },
    {
      title: 'never through a route of our own',
      setUp: [
        'route add 10.7.0.0/16 via 10.1.0.2 proto static',
        'route add 10.7.1.0/24 via 10.2.0.2 proto 179 metric 20',
      ],
      nextHop: '10.7.1.1',
      resolved: '10.1.0.2 one (0) via 10.1.0.2 on one (static)',
    },
    {
      title: 'IPv4 through an IPv6 gateway',
      setUp: ['route add 10.7.0.0/16 via inet6 2001:db8:1::2 dev one proto static'],
      nextHop: '10.7.1.1',
      resolved: '2001:db8:1::2 one (0) via 2001:db8:1::2 on one (static)',
    },
    {
      title: 'through somebody else’s nexthop object',
      setUp: [
        'nexthop add id 5 via 10.1.0.2 dev one',
        'nexthop add id 6 via 10.2.0.2 dev two',
        'nexthop add id 7 group 5/6',
        'route add 10.7.0.0/16 nhid 7 proto zebra metric 20',
      ],
      nextHop: '10.7.1.1',
      resolved: '10.1.0.2 one, 10.2.0.2 two (20) via 10.1.0.2 on one, 10.2.0.2 on two (zebra)',
    },
    {
      title: 'by a device route',
      setUp: ['route add 10.7.0.0/16 dev one proto static'],
      nextHop: '10.7.1.1',
      resolved: '10.7.1.1 one (0) via 10.7.1.1 on one (static)',
    },
    {
      title: 'at the far end of a point-to-point address',
      setUp: ['addr add 10.98.0.1 peer 10.98.0.2/32 dev one'],
      nextHop: '10.98.0.2',
      resolved: '10.98.0.2 one (0) connected on one',
    },
  ]

  for (const { title, setUp = [], nextHop, resolved } of cases) {
    // Once with the kernel's tables read at the start, once by notifications alone.
    test(`${title} (${nextHop}), as it is heard`, async () => {
      for (const command of setUp) ip(command)
      await until(`it is ${resolved}`, () => resolve(nextHop) === resolved)
    })
    if (setUp.length === 0) continue
    test(`${title} (${nextHop}), as it is found`, async () => {
      for (const command of setUp) ip(command)
      const late = await openMonitor({ protocol: 179, table: 254 })
      const found = new KernelNextHopResolver(late)
      expect(text(found.resolve(address(nextHop)))).toBe(resolved)
      late.close()
    })
  }
})

test('own addresses and unreachable next hops have no gateways', () => {
  expect(resolver.resolve(address('10.1.0.1'))).toMatchObject({ own: true, gateways: [] })
  expect(resolver.resolve(address('10.9.9.9'))).toMatchObject({ own: false, gateways: [] })
  expect(resolver.resolve(address('10.1.0.2'))).toMatchObject({ own: false, onLink: true })
})

describe('changes of watched next hops', () => {
  test('follow links, addresses and routes, and nothing else', async () => {
    for (const nextHop of ['10.1.0.2', '10.7.1.1', 'fe80::2%one'])
      resolver.resolve(address(nextHop))
    const told = async (command: string, expected: readonly string[]): Promise<void> => {
      changes.length = 0
      ip(command)
      await until(`${command} brings ${expected.join('; ')}, not ${changes.join('; ')}`, () =>
        expected.every((change) => changes.includes(change)),
      )
      expect(changes.toSorted()).toEqual(expected.toSorted())
    }
    await told('route add 10.7.0.0/16 via 10.2.0.2 proto static metric 9', [
      '10.7.1.1: 10.2.0.2 two (9) via 10.2.0.2 on two (static)',
    ])
    await told('route replace 10.7.0.0/16 via 10.2.0.3 proto static metric 9', [
      '10.7.1.1: 10.2.0.3 two (9) via 10.2.0.3 on two (static)',
    ])
    await told('route add 10.7.1.0/24 via 10.1.0.3 proto static metric 9', [
      '10.7.1.1: 10.1.0.3 one (9) via 10.1.0.3 on one (static)',
    ])
    await told('link set one-far down', [
      '10.1.0.2: one is down',
      '10.7.1.1: 10.2.0.3 two (9) via 10.2.0.3 on two (static)',
      'fe80::2%one: one is down',
    ])
    await told('link set one-far up', [
      '10.1.0.2: 10.1.0.2 one (0) connected on one',
      '10.7.1.1: 10.1.0.3 one (9) via 10.1.0.3 on one (static)',
      'fe80::2%one: fe80::2 one (0) connected on one',
    ])
    await told('addr add 10.7.1.1/32 dev two', ['10.7.1.1: own address on two'])
    await told('addr del 10.7.1.1/32 dev two', [
      '10.7.1.1: 10.1.0.3 one (9) via 10.1.0.3 on one (static)',
    ])
    await told('addr del 10.1.0.1/24 dev one', [
      '10.1.0.2: no route to 10.1.0.2',
      '10.7.1.1: 10.2.0.3 two (9) via 10.2.0.3 on two (static)',
    ])
  })

  test('are not told of a next hop that is forgotten', async () => {
    resolver.resolve(address('10.1.0.2'))
    resolver.resolve(address('10.2.0.2'))
    resolver.forget(address('10.1.0.2'))
    ip('link set one down')
    ip('link set two down')
    await until('the other is told', () => changes.length > 0)
    expect(changes).toEqual(['10.2.0.2: two is down'])
  })
})
