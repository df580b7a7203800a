/**
 * The prefixes of bridges, as they come, change and go: each peer hears within a second of the kernel's
 * event.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { SourceRow } from '../../src/control/rows.ts'
import { BgpPeer } from '../support/bgp-peer.ts'
import { linnet, Workshop, type Daemon } from '../support/daemon.ts'
import { enterFabric, wire, type Host } from '../support/fabric.ts'
import { until } from '../support/until.ts'

const WITHIN_MS = 1_000
const workshop = new Workshop()
let host: Host
let daemon: Daemon
let peers: readonly BgpPeer[] = []

beforeAll(async () => {
  const hosts = enterFabric()
  host = hosts[0]
  await wire(host, {
    link: 'eth0',
    host: ['10.0.1.1/24', '2001:db8:1::1/64'],
    fabric: ['10.0.1.2/24', '10.0.1.3/24'],
  })
  daemon = await workshop.daemon(
    host,
    `
asn: 65101
routerId: 10.0.1.1
peers:
  - { name: tor-a, address: 10.0.1.2, asn: 65001, passive: true }
  - { name: tor-b, address: 10.0.1.3, asn: 65002, passive: true }
advertise: { interfaces: [docker0, "br-*"], prefixes: [10.244.7.0/26] }
`,
  )
  const families = ['ipv4', 'ipv6'] as const
  const of = (local: string, asn: number): BgpPeer =>
    new BgpPeer({ local, remote: '10.0.1.1', asn, families })
  peers = await Promise.all([of('10.0.1.2', 65001).up(), of('10.0.1.3', 65002).up()])
  await until('the static prefix is heard', () => heardByAll(['10.244.7.0/26']))
})
afterAll(async () => {
  for (const peer of peers) peer.close()
  await workshop.close()
})

const heardByAll = (prefixes: readonly string[]): boolean =>
  peers.every((it) => [...it.heard.keys()].toSorted().join() === prefixes.toSorted().join())

/** Kernel commands, and the prefixes that every peer knows afterwards, beside the static one. */
const story: readonly (readonly [
  what: string,
  commands: readonly string[],
  heard: readonly string[],
])[] = [
  ['a bridge appears without an address', ['link add docker0 type bridge'], []],
  ['it goes up', ['link set docker0 up'], []],
  ['it gets an address', ['addr add 172.18.1.1/24 dev docker0'], ['172.18.1.0/24']],
  [
    'it changes it',
    ['addr del 172.18.1.1/24 dev docker0', 'addr add 172.18.2.1/24 dev docker0'],
    ['172.18.2.0/24'],
  ],
  [
    'it gets a second one',
    ['addr add 172.18.3.1/25 dev docker0'],
    ['172.18.2.0/24', '172.18.3.0/25'],
  ],
  [
    'and an IPv6 one',
    ['addr add fd00:18::1/64 dev docker0 nodad'],
    ['172.18.2.0/24', '172.18.3.0/25', 'fd00:18::/64'],
  ],
  ['it goes down, and IPv6 loses its address', ['link set docker0 down'], []],
  [
    'its address changes while it is down',
    ['addr del 172.18.2.1/24 dev docker0', 'addr add 172.18.4.1/24 dev docker0'],
    [],
  ],
  ['it goes up', ['link set docker0 up'], ['172.18.3.0/25', '172.18.4.0/24']],
  [
    'another one with a matching name',
    ['link add br-web type bridge', 'addr add 172.20.0.1/16 dev br-web', 'link set br-web up'],
    ['172.18.3.0/25', '172.18.4.0/24', '172.20.0.0/16'],
  ],
  [
    'one whose name does not match',
    ['link add virbr0 type bridge', 'addr add 172.21.0.1/16 dev virbr0', 'link set virbr0 up'],
    ['172.18.3.0/25', '172.18.4.0/24', '172.20.0.0/16'],
  ],
  [
    'until it is renamed',
    ['link set virbr0 down', 'link set virbr0 name br-new', 'link set br-new up'],
    ['172.18.3.0/25', '172.18.4.0/24', '172.20.0.0/16', '172.21.0.0/16'],
  ],
  ['one is deleted', ['link del br-web'], ['172.18.3.0/25', '172.18.4.0/24', '172.21.0.0/16']],
  ['and the others', ['link del docker0', 'link del br-new'], []],
  [
    'the static prefix is also on a bridge now, and told once',
    ['link add docker0 type bridge', 'addr add 10.244.7.1/26 dev docker0', 'link set docker0 up'],
    [],
  ],
  ['and stays when that goes', ['link del docker0'], []],
]

describe('peers hear within a second', () => {
  for (const [what, commands, heard] of story) {
    test(what, async () => {
      for (const command of commands) host.ip(command)
      const wanted = ['10.244.7.0/26', ...heard]
      await until(wanted.join(', '), () => heardByAll(wanted), WITHIN_MS)
      const rows = await daemon.client.get<SourceRow[]>('/v1/sources')
      expect(new Set(rows.map((it) => it.prefix))).toEqual(new Set(wanted))
    })
  }

  test('a bridge that comes and goes is announced and withdrawn each time', async () => {
    for (let i = 0; i < 5; i++) {
      host.ip('link add docker0 type bridge')
      host.ip('addr add 172.18.1.1/24 dev docker0')
      host.ip('link set docker0 up')
      await until('heard', () => heardByAll(['10.244.7.0/26', '172.18.1.0/24']), WITHIN_MS)
      host.ip('link del docker0')
      await until('withdrawn', () => heardByAll(['10.244.7.0/26']), WITHIN_MS)
    }
    expect(peers.map((it) => it.sessions)).toEqual([1, 1])
  })

  test('and of IPv6 prefixes as the address comes, goes and changes that is their next hop', async () => {
    host.ip('link add docker0 type bridge')
    host.ip('addr add fd00:18::1/64 dev docker0 nodad')
    host.ip('link set docker0 up')
    const nextHops = (): string => peers.map((it) => it.heard.get('fd00:18::/64')?.nextHop).join()
    const heard = (nextHop: string): Promise<void> =>
      until(nextHop || 'nothing', () => nextHops() === `${nextHop},${nextHop}`, WITHIN_MS)
    await heard('2001:db8:1::1')
    host.ip('addr del 2001:db8:1::1/64 dev eth0')
    await heard('')
    host.ip('addr add 2001:db8:1::77/64 dev eth0 nodad')
    await heard('2001:db8:1::77')
    host.ip('addr add 2001:db8:1::1/64 dev eth0 nodad')
    host.ip('addr del 2001:db8:1::77/64 dev eth0')
    await heard('2001:db8:1::1')
    host.ip('link del docker0')
    await until('only the static prefix', () => heardByAll(['10.244.7.0/26']), WITHIN_MS)
    expect(peers.map((it) => it.sessions)).toEqual([1, 1])
    expect(daemon.lines('FamilyNotAnnounced').map((it) => it.peer)).toEqual(['tor-a', 'tor-b'])
  })

  test('with the attributes of a route of our own', async () => {
    host.ip('link add docker0 type bridge')
    host.ip('addr add 172.18.1.1/24 dev docker0')
    host.ip('addr add fd00:18::1/64 dev docker0 nodad')
    host.ip('link set docker0 up')
    const all = ['10.244.7.0/26', '172.18.1.0/24', 'fd00:18::/64']
    await until('heard', () => heardByAll(all), WITHIN_MS)
    for (const { heard } of peers) {
      const route = { asPath: [65101], communities: [] }
      expect(heard.get('172.18.1.0/24')).toEqual({ ...route, nextHop: '10.0.1.1' })
      expect(heard.get('fd00:18::/64')).toEqual({ ...route, nextHop: '2001:db8:1::1' })
    }
    const shown = await linnet(host, ['show', 'sources', '--socket', daemon.socket])
    expect(shown.stdout).toMatch(/172\.18\.1\.0\/24 +interface +docker0/)
    host.ip('link del docker0')
  })
})
