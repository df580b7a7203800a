import { beforeAll, expect, test } from 'vitest'
import { NEXT_HOP_ID_FIRST, type KernelNextHop, type KernelRoute } from '../../src/fib/kernel.ts'
import type { Family } from '../../src/net/family.ts'
import { dumpRoutes, kernelReader } from '../../src/linux/kernel-reader.ts'
import { NetlinkSocket } from '../../src/linux/netlink-socket.ts'
import { routeDumpRequest } from '../../src/linux/route-message.ts'
import { enterBox, ip, ipBatch, ipJson, linkIndex, wire, type IpRow } from '../support/box.ts'

const ID = NEXT_HOP_ID_FIRST
const reader = kernelReader({ table: 254, protocol: 179, events: { watch: () => () => {} } })

beforeAll(() => {
  enterBox()
  wire('one', 'one-far', ['10.1.0.1/24', '2001:db8:1::1/64'])
  wire('two', 'two-far', ['10.2.0.1/24', '2001:db8:2::1/64'])
  ipBatch([
    `nexthop add id ${ID} via 10.1.0.2 dev one proto 179`,
    `nexthop add id ${ID + 1} via fe80::2 dev two proto 179`,
    `nexthop add id ${ID + 2} group ${ID}/${ID + 1} proto 179`,
    `nexthop add id ${ID + 3} blackhole proto 179`,
    'nexthop add id 5 via 10.1.0.3 dev one',
    'route add 10.10.0.0/16 via 10.1.0.2 proto 179 metric 20',
    `route add 10.11.0.0/16 nhid ${ID + 2} proto 179 metric 20`,
    'route add 10.12.0.0/16 proto 179 metric 20 nexthop via 10.1.0.2 weight 3 nexthop via 10.2.0.2',
    'route add 10.13.0.0/16 via inet6 fe80::2 dev two proto 179 metric 20',
    'route add blackhole 10.14.0.0/16 proto 179 metric 20',
    'route add 10.15.0.0/16 via 192.0.2.1 dev one onlink proto 179 metric 20 src 10.1.0.1',
    'route add 10.16.0.0/16 dev two proto 179 metric 20 scope link',
    'route add default via 10.1.0.2 proto 179 metric 20',
    'route add 10.17.0.1/32 via 10.1.0.2 proto static metric 20',
    'route add 10.18.0.0/16 via 10.1.0.2 proto 179 metric 20 table 1000',
  ])
  ipBatch(
    [
      'route add 2001:db8:10::/48 via 2001:db8:1::2 proto 179 metric 20',
      `route add 2001:db8:11::/48 nhid ${ID + 1} proto 179 metric 20`,
      'route add 2001:db8:12::/48 proto 179 metric 20 nexthop via 2001:db8:1::2 nexthop via 2001:db8:2::2',
      'route add unreachable 2001:db8:14::/48 proto 179 metric 20',
      'route add default via fe80::9 dev one proto 179 metric 20',
      'route add 2001:db8:17::1/128 via 2001:db8:1::2 proto static metric 20',
    ],
    '-6',
  )
})

const NAMES = (): ReadonlyMap<number, string> =>
  new Map(['lo', 'one', 'two'].map((name) => [linkIndex(name), name]))

/** A route in words, the same for what we read and for what `ip` says. */
function ourWords(route: KernelRoute, names: ReadonlyMap<number, string>): string {
  const words = [route.prefix.text, `type ${route.type}`, `proto ${route.protocol}`]
  words.push(`metric ${route.metric}`, `table ${route.table}`)
  if (route.nextHopId !== 0) words.push(`nhid ${route.nextHopId}`)
  if (route.preferredSource !== undefined) words.push(`src ${route.preferredSource.text}`)
  const hop = ({ via, link, weight = 1, onLink }: KernelNextHop): string =>
    `${via?.text ?? '-'} ${names.get(link)}*${weight}${onLink === true ? ' onlink' : ''}`
  return [...words, ...route.hops.map(hop)].join(' ')
}

function ipWords(row: IpRow, family: Family): string {
  const bits = family === 'ipv4' ? 32 : 128
  const any = family === 'ipv4' ? '0.0.0.0/0' : '::/0'
  const dst = row.dst === 'default' ? any : row.dst
  const words = [dst?.includes('/') === true ? dst : `${dst}/${bits}`, `type ${row.type}`]
  words.push(`proto ${row.protocol}`, `metric ${row.metric ?? 0}`, `table ${row.table ?? 254}`)
  if (row.nhid !== undefined) return [...words, `nhid ${row.nhid}`].join(' ')
  if (row.prefsrc !== undefined) words.push(`src ${row.prefsrc}`)
  const legs =
    row.nexthops ?? (row.dev === undefined ? [] : [{ ...row, weight: 1, flags: row.flags ?? [] }])
  for (const leg of legs) {
    const gateway = leg.gateway ?? leg.via?.host ?? '-'
    const onLink = leg.flags.includes('onlink') ? ' onlink' : ''
    words.push(`${gateway} ${leg.dev}*${leg.weight}${onLink}`)
  }
  return words.join(' ')
}

const cases: readonly { readonly family: Family; readonly flag: string; readonly count: number }[] =
  [
    { family: 'ipv4', flag: '-4', count: 8 },
    { family: 'ipv6', flag: '-6', count: 5 },
  ]

for (const { family, flag, count } of cases) {
  test(`a dump of our ${family} routes is what ip shows`, async () => {
    const names = NAMES()
    const found: string[] = []
    await reader.dumpOurRoutes(family, (route) => found.push(ourWords(route, names)))
    const shown = ipJson(`${flag} route show proto 179`).map((row) =>
      ipWords({ ...row, protocol: '179' }, family),
    )
    expect(found.toSorted()).toEqual(shown.toSorted())
    expect(found.length).toBe(count)
  })

  test(`a dump of all ${family} routes of the main table is what ip shows`, async () => {
    const names = NAMES()
    const found: string[] = []
    await dumpRoutes(
      family,
      { table: 254 },
      () => true,
      (route) => {
        if (route.table === 254) found.push(ourWords(route, names))
      },
    )
    const shown = ipJson(`${flag} route show`).map((row) => ipWords(row, family))
    expect(found.filter((it) => !/undefined/.test(it)).toSorted()).toEqual(
      shown.filter((it) => !/-far/.test(it)).toSorted(),
    )
    expect(found.length).toBeGreaterThan(count)
  })
}

test('with compat mode the gateways of an object are not taken for the route’s own', async () => {
  ip('route add 10.19.0.0/16 nhid 5 proto 179 metric 20')
  const found: KernelRoute[] = []
  await reader.dumpOurRoutes('ipv4', (route) => {
    if (route.prefix.text === '10.19.0.0/16') found.push(route)
  })
  expect(found).toMatchObject([{ nextHopId: 5, hops: [] }])
  ip('route del 10.19.0.0/16')
})

test('a table that does not exist is empty', async () => {
  const nowhere = kernelReader({ table: 4711, protocol: 179, events: { watch: () => () => {} } })
  const found: KernelRoute[] = []
  await nowhere.dumpOurRoutes('ipv4', (route) => found.push(route))
  await nowhere.dumpOurRoutes('ipv6', (route) => found.push(route))
  expect(found).toEqual([])
})

test('a dump of our nexthop objects has those of our range only', async () => {
  const objects = await reader.dumpOurNextHops()
  expect(objects.map(({ id }) => id)).toEqual([ID, ID + 1, ID + 2, ID + 3])
  const [single, , group, blackhole] = objects
  expect(single).toMatchObject({
    protocol: 179,
    hop: { via: { text: '10.1.0.2' }, link: linkIndex('one') },
    group: [],
    blackhole: false,
  })
  expect(group.hop).toBeUndefined()
  expect(group.group).toEqual([
    { id: ID, weight: 1 },
    { id: ID + 1, weight: 1 },
  ])
  expect(blackhole).toMatchObject({ blackhole: true, group: [] })
})

test('20,000 routes are read in pieces: the event loop turns meanwhile', async () => {
  ipBatch(
    Array.from(
      { length: 20_000 },
      (_, i) => `route add 20.${i >> 8}.${i & 255}.0/24 via 10.1.0.2 proto 179 metric 20`,
    ),
  )
  let turns = 0
  let running = true
  const turn = (): void => {
    turns++
    if (running) setImmediate(turn)
  }
  turn()
  const prefixes = new Set<string>()
  await reader.dumpOurRoutes('ipv4', (route) => prefixes.add(route.prefix.text))
  running = false
  expect(prefixes.size).toBe(20_008)
  expect(turns).toBeGreaterThan(3)
})

test('a dump that the kernel refuses rejects with its words', async () => {
  const socket = NetlinkSocket.open()
  const request = routeDumpRequest('ipv4')
  request[17] = 8 // a destination length, which a dump must not have
  await expect(socket.dump(request, () => {})).rejects.toThrow(/^EINVAL: .*nvalid values in header/)
  socket.close()
})
