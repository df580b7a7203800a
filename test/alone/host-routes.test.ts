/**
 * Routes to single containers (`advertise.hostRoutes`), as Calico's agent makes them: peers hear of them within a
 * second, and of nothing else that looks alike.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { SourceRow } from '../../src/control/rows.ts'
import { announce } from '../support/bgp-messages.ts'
import { BgpPeer } from '../support/bgp-peer.ts'
import { linnet, Workshop, type Daemon } from '../support/daemon.ts'
import { enterFabric, ourRoutes, wire, type Host } from '../support/fabric.ts'
import { until } from '../support/until.ts'

const WITHIN_MS = 1_000
const BLOCK = '10.244.7.0/26'
const config = (exported: string): string => `
asn: 65101
routerId: 10.0.1.1
policies:
  block: [{ match: { source: static }, then: accept }, { then: reject }]
peers:
  - { name: tor, address: 10.0.1.2, asn: 65001, passive: true, import: accept, export: ${exported} }
advertise:
  hostRoutes: { interfaces: ["cali*"] }
  prefixes: [{ prefix: ${BLOCK}, blackhole: true }]
`
const workshop = new Workshop()
let host: Host
let daemon: Daemon
let tor: BgpPeer

beforeAll(async () => {
  const hosts = enterFabric()
  host = hosts[0]
  await wire(host, {
    link: 'eth0',
    host: ['10.0.1.1/24', '2001:db8:1::1/64'],
    fabric: ['10.0.1.2/24', '2001:db8:1::2/64'],
  })
  for (const name of ['cali1', 'cali2']) {
    host.ip(`link add ${name} type veth peer name ${name}c`)
    host.ip(`link set ${name}c up`)
    host.ip(`link set ${name} up`)
  }
  host.ip('route add 10.244.7.2/32 dev cali1 scope link')
  daemon = await workshop.daemon(host, config('local'))
  const families = ['ipv4', 'ipv6'] as const
  tor = await new BgpPeer({ local: '10.0.1.2', remote: '10.0.1.1', asn: 65001, families }).up()
})
afterAll(async () => {
  tor.close()
  await workshop.close()
})

const heard = (...prefixes: string[]): Promise<void> => {
  const wanted = [BLOCK, ...prefixes].toSorted().join()
  const isHeard = (): boolean => [...tor.heard.keys()].toSorted().join() === wanted
  return until(wanted, isHeard, WITHIN_MS)
}

const TWO = '10.244.7.2/32'
const THREE = '10.244.7.3/32'
const SIX = 'fd00:7::3/128'

/** Kernel commands, and the host routes that the peer knows afterwards. */
const story: readonly (readonly [
  what: string,
  commands: readonly string[],
  heard: readonly string[],
])[] = [
  ['what is there at start', [], [TWO]],
  ['a container', [`route add ${THREE} dev cali2 scope link`], [TWO, THREE]],
  ['its IPv6 address', [`-6 route add ${SIX} dev cali2`], [TWO, THREE, SIX]],
  ['its end goes down', ['link set cali2c down'], [TWO]],
  ['and comes back', ['link set cali2c up'], [TWO, THREE, SIX]],
  ['its link goes down, which takes routes away', ['link set cali2 down'], [TWO]],
  ['and comes up, without', ['link set cali2 up'], [TWO]],
  ['the address moves to it', [`route replace ${TWO} dev cali2 scope link`], [TWO]],
  ['the first link goes', ['link del cali1'], [TWO]],
  [
    'what is none: a network, a gateway, another link, a blackhole, another table, a routing daemon',
    [
      'route add 10.244.7.8/30 dev cali2',
      'route add 10.244.7.12/32 via 10.244.7.2 dev cali2 onlink',
      'route add 10.244.7.13/32 dev eth0',
      'route add blackhole 10.244.7.14/32',
      'route add 10.244.7.15/32 dev cali2 table 77',
      'route add 10.244.7.16/32 dev cali2 proto bird',
      '-6 addr add fd00:7::1/128 dev cali2 nodad',
    ],
    [TWO],
  ],
  [
    'until the route is whose it seems',
    ['route replace 10.244.7.16/32 dev cali2'],
    [TWO, '10.244.7.16/32'],
  ],
  ['the last link goes', ['link del cali2'], []],
]

describe('peers hear within a second', () => {
  for (const [what, commands, prefixes] of story) {
    test(what, async () => {
      for (const command of commands) host.ip(command)
      await heard(...prefixes)
      const rows = await daemon.client.get<SourceRow[]>('/v1/sources')
      const found = rows.filter(({ source }) => source === 'hostRoute')
      expect(new Set(found.map(({ prefix }) => prefix))).toEqual(new Set(prefixes))
    })
  }

  test('of a point-to-point address, whose far end the kernel routes', async () => {
    host.ip('link add cali3 type veth peer name cali3c')
    host.ip('link set cali3c up')
    host.ip('link set cali3 up')
    host.ip('addr add 10.244.7.1 peer 10.244.7.9/32 dev cali3')
    await heard('10.244.7.9/32')
    const shown = await linnet(host, ['show', 'sources', '--socket', daemon.socket])
    expect(shown.stdout).toMatch(/10\.244\.7\.9\/32 +hostRoute +cali3/)
  })

  test('not of what linnet itself puts into the kernel', async () => {
    tor.send(announce({ prefixes: ['203.0.113.7/32'], nextHop: '10.0.1.2', asPath: [65001] }))
    await until('installed', () => ourRoutes(host).has('203.0.113.7'), WITHIN_MS)
    await heard('10.244.7.9/32')
  })
})

describe('a block and the addresses in it', () => {
  const routeTo = (address: string): string => {
    try {
      return host.ip(`route get ${address}`)
    } catch (error) {
      return String(error)
    }
  }

  test('lead to the containers, and nowhere where there is none', () => {
    expect(routeTo('10.244.7.9')).toContain('dev cali3')
    expect(ourRoutes(host).get(BLOCK)?.type).toBe('6')
    expect(routeTo('10.244.7.60')).toContain('Invalid argument') // what a blackhole says
  })

  test('are announced together, or the block alone, as the policy wants it', async () => {
    await heard('10.244.7.9/32')
    daemon.rewriteConfig(config('block'))
    daemon.signal('SIGHUP')
    await heard()
    host.ip('route add 10.244.7.10/32 dev cali3')
    await until('the route is known', async () => {
      const rows = await daemon.client.get<SourceRow[]>('/v1/sources')
      return rows.some((it) => it.prefix === '10.244.7.10/32')
    })
    daemon.rewriteConfig(config('local'))
    daemon.signal('SIGHUP')
    await heard('10.244.7.9/32', '10.244.7.10/32')
    expect(tor.sessions).toBe(1)
  })
})
