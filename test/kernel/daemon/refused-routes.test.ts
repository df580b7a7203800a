/**
 * Routes that a peer should not announce: kept out of the kernel, counted, and shown with the reason. Our own
 * and other people's routes in the kernel stay as they are.
 */
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import type { RouteRow } from '../../../src/control/rows.ts'
import { announce, withdraw } from '../../support/bgp-messages.ts'
import { BgpPeer } from '../../support/bgp-peer.ts'
import { linnet, Workshop, type Daemon } from '../../support/daemon.ts'
import { enterFabric, gatewaysOf, ourRoutes, wire, type Host } from '../../support/fabric.ts'
import { until } from '../../support/until.ts'

const workshop = new Workshop()
let host: Host
beforeAll(async () => {
  const hosts = enterFabric()
  host = hosts[0]
  await wire(host, {
    link: 'eth0',
    host: ['10.0.1.1/24', '2001:db8:1::1/64'],
    fabric: ['10.0.1.2/24', '10.0.1.3/24', '2001:db8:1::2/64'],
  })
  host.ip('link add docker0 type bridge')
  host.ip('addr add 172.18.1.1/24 dev docker0')
  host.ip('link set docker0 up')
})
let tor: BgpPeer | undefined
afterEach(async () => {
  tor?.close()
  await workshop.endDaemons()
  host.ip('route flush proto 179')
  host.ip('-6 route flush proto 179')
})
afterAll(() => workshop.close())

const config = (kernel = ''): string => `
asn: 65101
routerId: 10.0.1.1
peers:
  - { name: tor-a, address: 10.0.1.2, asn: 65001, passive: true, import: accept }
  - { name: tor-b, address: 10.0.1.3, asn: 65002, passive: true, import: accept }
advertise: { interfaces: [docker0] }
kernel: { ${kernel} }
`
const path = { nextHop: '10.0.1.2', asPath: [65001] }
const GOOD = '198.51.100.0/24'
const GOOD_IPV6 = '2001:db8:99::/48'
const isIpv6 = (prefix: string): boolean => prefix.includes(':')

/** What must not be installed, and the word that tells why. */
const refused: readonly (readonly [prefix: string, reason: RegExp])[] = [
  ['0.0.0.0/0', /default route.*kernel\.defaultRoute: true/],
  ['172.18.1.0/24', /inside a prefix that this host announces/],
  ['172.18.1.128/25', /inside a prefix that this host announces/],
  ['172.18.1.7/32', /inside a prefix that this host announces/],
  ['10.0.1.1/32', /our own addresses/],
  ['10.0.1.2/32', /address of a peer/],
  ['10.0.1.3/32', /address of a peer/],
  ['10.0.1.0/25', /in which a peer is/],
  ['10.0.1.2/31', /in which a peer is/],
  ['127.0.0.0/8', /martian: loopback/],
  ['127.1.0.0/16', /martian: loopback/],
  ['169.254.0.0/16', /martian: link-local/],
  ['224.0.0.0/4', /martian: multicast/],
  ['0.0.0.0/8', /martian/],
  ['255.255.255.255/32', /martian: limited broadcast/],
  ['::/0', /default route.*kernel\.defaultRoute: true/],
  ['fe80::/64', /martian: link-local/],
  ['ff00::/8', /martian: multicast/],
  ['::ffff:10.0.0.0/104', /martian: IPv4-mapped/],
  ['2001:db8:1::1/128', /our own addresses/],
]

async function installed(prefix: string): Promise<void> {
  await until(`${prefix} is in the kernel`, () => gatewaysOf(host, prefix).length > 0)
}

async function start(kernel = ''): Promise<{ daemon: Daemon; tor: BgpPeer }> {
  const daemon = await workshop.daemon(host, config(kernel))
  const families = ['ipv4', 'ipv6'] as const
  tor = await new BgpPeer({ local: '10.0.1.2', remote: '10.0.1.1', asn: 65001, families }).up()
  return { daemon, tor }
}

const rejected = (daemon: Daemon): Promise<RouteRow[]> => daemon.routes({ view: 'rejected' })

describe('routes that would do harm', () => {
  test('are not installed, are counted, and are shown as rejected with the reason', async () => {
    const before = host.ip('-4 route show table all')
    const { daemon, tor } = await start()
    const all = refused.map(([prefix]) => prefix)
    const ipv4 = all.filter((prefix) => !isIpv6(prefix))
    const ipv6 = all.filter(isIpv6)
    tor.send(announce({ ...path, prefixes: [...ipv4, GOOD] }))
    tor.send(announce({ ...path, nextHop: '2001:db8:1::2', prefixes: [...ipv6, GOOD_IPV6] }))
    await installed(GOOD)
    await until('IPv6 too', () => ourRoutes(host).has(GOOD_IPV6))
    expect([...ourRoutes(host).keys()]).toEqual([GOOD, GOOD_IPV6])
    const rows = new Map((await rejected(daemon)).map((row) => [row.prefix, row]))
    for (const [prefix, reason] of refused) {
      expect(rows.get(prefix)?.reason, prefix).toMatch(reason)
      expect(rows.get(prefix)?.installed, prefix).toBe(false)
    }
    expect(rows.size).toBe(refused.length)
    expect((await daemon.status()).fib).toMatchObject({ installed: 2, refused: refused.length })
    const table = await linnet(host, ['show', 'routes', '--rejected', '--socket', daemon.socket])
    expect(table.stdout).toMatch(/172\.18\.1\.128\/25 .*inside a prefix that this host announces/)

    tor.send(withdraw(...ipv4), withdraw(...ipv6))
    await until('nothing is refused', async () => (await daemon.status()).fib.refused === 0)
    tor.send(withdraw(GOOD), withdraw(GOOD_IPV6))
    await until('all is gone', () => ourRoutes(host).size === 0)
    // Connected routes and everybody else's are as they were.
    expect(host.ip('-4 route show table all')).toBe(before)
  })

  test('a default route is installed when it is asked for', async () => {
    const { tor } = await start('defaultRoute: true')
    tor.send(announce({ ...path, prefixes: ['0.0.0.0/0'] }))
    await until('it is there', () => gatewaysOf(host, 'default').includes('10.0.1.2'))
    tor.send(withdraw('0.0.0.0/0'))
    await until('it is gone', () => gatewaysOf(host, 'default').length === 0)
  })

  test('a route inside our own prefix is installed when that is allowed', async () => {
    const { tor } = await start('withinOwn: accept')
    tor.send(announce({ ...path, prefixes: ['172.18.1.7/32'] }))
    await installed('172.18.1.7/32')
  })

  test('what is installed follows what is ours', async () => {
    const { daemon, tor } = await start()
    tor.send(announce({ ...path, prefixes: ['172.18.9.0/25', '10.0.1.77/32'] }))
    await installed('172.18.9.0/25')
    await installed('10.0.1.77/32')
    host.ip('addr add 172.18.9.1/24 dev docker0')
    host.ip('addr add 10.0.1.77/32 dev eth0')
    await until('both are gone', () => ourRoutes(host).size === 0)
    expect(await rejected(daemon)).toHaveLength(2)
    host.ip('addr del 172.18.9.1/24 dev docker0')
    host.ip('addr del 10.0.1.77/32 dev eth0')
    await installed('172.18.9.0/25')
    await installed('10.0.1.77/32')
  })

  test('a route whose next hop nobody can reach is not installed, and is shown with the reason', async () => {
    const { daemon, tor } = await start()
    const prefixes = ['203.0.113.0/24']
    tor.send(announce({ nextHop: '10.77.77.77', asPath: [65001], prefixes }))
    await until('it is there', async () => (await rejected(daemon)).length === 1)
    expect((await rejected(daemon))[0]?.reason).toMatch(/next hop unreachable/)
    expect(ourRoutes(host).size).toBe(0)
    host.ip('route add 10.77.77.0/24 via 10.0.1.3')
    await until('resolved by the new route', () => gatewaysOf(host, prefixes[0]).length > 0)
    expect(gatewaysOf(host, prefixes[0])).toEqual(['10.0.1.3'])
    host.ip('route del 10.77.77.0/24')
    await until('it is gone again', () => ourRoutes(host).size === 0)
  })
})

describe('routes of others', () => {
  test('a foreign route of the same prefix stays, beside or instead of ours', async () => {
    host.ip('route add 198.51.100.0/24 via 10.0.1.3 proto static')
    host.ip('route add 203.0.113.0/24 via 10.0.1.3 proto static metric 20')
    const foreign = (): string => host.ip('route show proto static')
    const before = foreign()
    const { daemon, tor } = await start()
    tor.send(announce({ ...path, prefixes: ['198.51.100.0/24', '203.0.113.0/24', '192.0.2.0/24'] }))
    await installed('192.0.2.0/24')
    await installed('198.51.100.0/24')
    expect(foreign()).toBe(before)
    const [row] = await daemon.fib({ prefix: '203.0.113.0/24' })
    expect(row).toMatchObject({ state: 'failed' })
    expect(row.error).not.toBe('')
    tor.send(withdraw('198.51.100.0/24', '203.0.113.0/24', '192.0.2.0/24'))
    await until('ours are gone', () => ourRoutes(host).size === 0)
    expect(foreign()).toBe(before)
    host.ip('route flush proto static')
  })
})
