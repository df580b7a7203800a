import { describe, expect, test } from 'vitest'
import { unmet, waitUntilMet, type Sources } from '../../../src/lab/expect.ts'
import { routesFrom, type RouteSeen } from '../../../src/lab/kernel-routes.ts'
import type { Expectation } from '../../../src/lab/schema.ts'

/** What `ip -j -d route` and `ip -j nexthop` say -> the route that is meant. */
const listings: { title: string; routes: unknown; nextHops: unknown; seen: Partial<RouteSeen> }[] =
  [
    {
      title: 'a plain route',
      routes: [
        {
          type: 'unicast',
          dst: '10.0.0.0/8',
          gateway: '10.1.1.1',
          dev: 'eth0',
          protocol: 'bird',
          metric: 32,
        },
      ],
      nextHops: [],
      seen: {
        prefix: '10.0.0.0/8',
        nextHops: ['10.1.1.1'],
        dev: ['eth0'],
        protocol: 'bird',
        metric: 32,
      },
    },
    {
      title: 'a route over several gateways',
      routes: [
        {
          dst: '10.0.0.0/8',
          nexthops: [
            { gateway: '10.2.1.1', dev: 'eth1' },
            { gateway: '10.1.1.1', dev: 'eth0' },
          ],
        },
      ],
      nextHops: [],
      seen: { nextHops: ['10.1.1.1', '10.2.1.1'], dev: ['eth0', 'eth1'] },
    },
    {
      title: 'a route that shows only the id of a group',
      routes: [{ dst: '10.0.0.0/8', nhid: 3, protocol: '179', metric: 20 }],
      nextHops: [
        { id: 1, gateway: '10.1.1.1', dev: 'eth0' },
        { id: 2, gateway: '10.2.1.1', dev: 'eth1' },
        { id: 3, group: [{ id: 1 }, { id: 2, weight: 5 }] },
      ],
      seen: { nextHops: ['10.1.1.1', '10.2.1.1'], protocol: '179', metric: 20 },
    },
    {
      title: 'an IPv4 route over an IPv6 neighbour',
      routes: [{ dst: '10.0.0.0/8', via: { family: 'inet6', host: 'fe80::1' }, dev: 'eth0' }],
      nextHops: [],
      seen: { nextHops: ['fe80::1'] },
    },
    {
      title: 'a blackhole',
      routes: [{ type: 'blackhole', dst: '10.0.0.0/8', metric: 1 }],
      nextHops: [],
      seen: { type: 'blackhole', nextHops: [] },
    },
    {
      title: 'a host route',
      routes: [{ dst: '10.0.0.1' }],
      nextHops: [],
      seen: { prefix: '10.0.0.1/32' },
    },
    {
      title: 'an IPv6 host route',
      routes: [{ dst: 'fd00::1' }],
      nextHops: [],
      seen: { prefix: 'fd00::1/128' },
    },
    {
      title: 'the default route',
      routes: [{ dst: 'default' }],
      nextHops: [],
      seen: { prefix: '0.0.0.0/0' },
    },
  ]

describe('kernel routes are read', () => {
  test.each(listings)('$title', ({ routes, nextHops, seen }) => {
    expect(routesFrom(routes, nextHops)).toMatchObject([seen])
  })

  test('something else than a listing is refused', () => {
    expect(() => routesFrom({ dst: '10.0.0.0/8' }, [])).toThrow('expected array')
  })
})

const ROUTE: RouteSeen = {
  prefix: '172.18.2.0/24',
  nextHops: ['10.1.1.1'],
  dev: ['eth0'],
  type: 'unicast',
  protocol: '179',
  metric: 20,
}

const sourcesOf = (routes: readonly RouteSeen[], peers: readonly unknown[] = []): Sources => ({
  kernel: async () => routes,
  table: async () => peers,
})

const expectations: { title: string; expectation: Expectation; says: string[] }[] = [
  {
    title: 'as it is',
    expectation: {
      on: 'h',
      kernel: { '172.18.2.0/24': { nextHops: ['10.1.1.1'], protocol: 179 } },
    },
    says: [],
  },
  {
    title: 'one device, by its name',
    expectation: { on: 'h', kernel: { '172.18.2.0/24': { dev: 'eth0' } } },
    says: [],
  },
  {
    title: 'a gateway more',
    expectation: { on: 'h', kernel: { '172.18.2.0/24': { nextHops: ['10.1.1.1', '10.2.1.1'] } } },
    says: [
      'h: kernel route 172.18.2.0/24: nextHops: expected [10.1.1.1, 10.2.1.1], found [10.1.1.1]',
    ],
  },
  {
    title: 'a route that is not there',
    expectation: { on: 'h', kernel: { '172.18.9.0/24': {} } },
    says: ['h: kernel route 172.18.9.0/24: not there'],
  },
  {
    title: 'a route that should not be there',
    expectation: { on: 'h', kernel: { '172.18.2.0/24': null } },
    says: ['h: kernel route 172.18.2.0/24: expected none, found one'],
  },
  {
    title: 'a session that is not up',
    expectation: { on: 'h', peers: [{ name: 'tor1', state: 'Established' }] },
    says: [
      'h: peers: expected { name: tor1, state: Established }, found at best { name: tor1, state: Idle }',
    ],
  },
]

test.each(expectations)('expecting $title', async ({ expectation, says }) => {
  const sources = sourcesOf([ROUTE], [{ name: 'tor1', state: 'Idle' }])
  expect(await unmet(expectation, sources)).toEqual(says)
})

const WANTED: Expectation[] = [{ on: 'h', kernel: { '172.18.2.0/24': {} } }]

test('waiting ends as soon as all holds', async () => {
  let asked = 0
  const sources: Sources = {
    kernel: async () => (++asked < 3 ? [] : [ROUTE]),
    table: async () => [],
  }
  expect(await waitUntilMet(WANTED, 30, sources)).toMatchObject({ met: true, words: [] })
  expect(asked).toBe(3)
})

test('what held once must still hold at the end', async () => {
  const asked = { a: 0, b: 0 }
  const sources: Sources = {
    // `a` has its route at first, loses it while `b` is waited for, and gets it back.
    kernel: async (node) => {
      if (node === 'a') return ++asked.a === 2 ? [] : [ROUTE]
      return ++asked.b < 2 ? [] : [ROUTE]
    },
    table: async () => [],
  }
  const both = ['a', 'b'].map((on) => ({ on, kernel: { '172.18.2.0/24': {} } }))
  expect(await waitUntilMet(both, 30, sources)).toMatchObject({ met: true })
  expect(asked.a).toBeGreaterThan(2)
})

test('when the time is up, what is missing is told', async () => {
  const waited = await waitUntilMet(WANTED, 0.01, sourcesOf([]))
  expect(waited).toMatchObject({ met: false, words: ['h: kernel route 172.18.2.0/24: not there'] })
})

test('a daemon that died ends the wait', async () => {
  expect(await waitUntilMet(WANTED, 30, sourcesOf([]), () => true)).toMatchObject({ met: false })
})

test('a daemon that does not answer is a difference, not a crash', async () => {
  const sources: Sources = {
    kernel: async () => [],
    table: () => Promise.reject(new Error('nobody answers')),
  }
  expect(await unmet({ on: 'h', peers: [{}] }, sources)).toEqual(['h: nobody answers'])
})
