/**
 * Unnumbered peers on a real kernel: a ToR and two hosts, linnet on each, and no address on the links between
 * them but the link-local ones that the kernel makes. The hosts' bridges reach each other through the ToR.
 */
import { writeFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openIcmp } from '../../../src/linux/icmp.ts'
import { address } from '../../../src/net/address.ts'
import { ip } from '../../support/box.ts'
import { Workshop, type Daemon } from '../../support/daemon.ts'
import { enterFabric, gatewaysOf, type Host } from '../../support/fabric.ts'
import { until } from '../../support/until.ts'

const workshop = new Workshop()
let one: Host
let two: Host
let tor: Host
let oneDaemon: Daemon
let torDaemon: Daemon

const session = 'asn: external, import: accept, holdTime: 3s, connectRetry: 1s'
const hostConfig = (n: number): string => `
asn: ${65100 + n}
routerId: 10.0.0.${n}
peers: [{ interface: eth0, ${session} }]
advertise: { interfaces: [docker0] }
`
const torConfig = `
asn: 65001
routerId: 10.0.0.100
peerGroups: { host: { ${session}, export: accept } }
peers: [{ interface: down1, group: host, passive: true }, { name: second, interface: down2, group: host }]
`

/** Sysctls of the calling thread's network namespace. */
function sysctl(name: string, value: string): void {
  writeFileSync(`/proc/sys/net/${name}`, value)
}

beforeAll(async () => {
  const hosts = enterFabric(3)
  one = hosts[0]
  two = hosts[1]
  tor = hosts[2]
  for (const host of hosts) {
    host.within(() => {
      sysctl('ipv6/conf/default/accept_dad', '0')
      sysctl('ipv6/conf/all/forwarding', '1')
      sysctl('ipv4/ip_forward', '1')
    })
  }
  ip(`link add eth0 netns ${one.path} type veth peer name down1 netns ${tor.path}`)
  ip(`link add eth0 netns ${two.path} type veth peer name down2 netns ${tor.path}`)
  for (const [n, host] of [one, two].entries()) {
    host.ip('link add docker0 type bridge')
    host.ip(`addr add 172.18.${n + 1}.1/24 dev docker0`)
    host.ip(`addr add fd00:18:${n + 1}::1/64 dev docker0 nodad`)
    host.ip('link set docker0 up')
    host.ip('link set eth0 up')
  }
  // down2 comes up later: its peer is configured before there is a neighbour.
  tor.ip('link set down1 up')
  ;[oneDaemon, , torDaemon] = await Promise.all([
    workshop.daemon(one, hostConfig(1), { name: 'one' }),
    workshop.daemon(two, hostConfig(2), { name: 'two' }),
    workshop.daemon(tor, torConfig, { name: 'tor' }),
  ])
})
afterAll(() => workshop.close())

/** The link-local address on a link. */
const linkLocal = (host: Host, link: string): string => {
  const [row] = host.json(`-6 addr show dev ${link} scope link`) as readonly {
    readonly addr_info?: readonly { readonly local?: string }[]
  }[]
  return row?.addr_info?.[0]?.local ?? ''
}

const isComplete = (): boolean =>
  gatewaysOf(one, '172.18.2.0/24').join() === linkLocal(tor, 'down1') &&
  gatewaysOf(two, '172.18.1.0/24').join() === linkLocal(tor, 'down2') &&
  gatewaysOf(tor, '172.18.1.0/24').join() === linkLocal(one, 'eth0') &&
  gatewaysOf(tor, '172.18.2.0/24').join() === linkLocal(two, 'eth0')

const RECOVERED_MS = 30_000

/** True when the bridge of one host gets an answer from that of the other. */
function ping(): boolean {
  const socket = one.within(() => openIcmp(address('172.18.1.1')))
  try {
    socket.send({
      to: address('172.18.2.1'),
      identifier: 7,
      sequence: 1,
      ttl: 8,
      payload: new Uint8Array(8),
    })
    // veth hands packets over within the call: the answer is here already.
    return socket.drain().some(({ kind }) => kind === 'reply')
  } finally {
    socket.close()
  }
}

describe('hosts on unnumbered links', () => {
  test('a peer without a neighbour says what it waits for', async () => {
    expect(await torDaemon.peer('second')).toMatchObject({
      interface: 'down2',
      state: 'Idle',
      reason: 'down2 is down',
    })
    tor.ip('link set down2 up')
  })

  test('find their ToR, and have its routes over its link-local address', async () => {
    await until('all routes are there', isComplete, RECOVERED_MS)
    const peer = await oneDaemon.peer('eth0')
    expect(peer).toMatchObject({
      state: 'Established',
      asn: 65001,
      interface: 'eth0',
      address: `${linkLocal(tor, 'down1')}%eth0`,
    })
    expect(peer.capabilities).toContain('extended-next-hop')
  })

  test('reach each other: IPv4 over links without IPv4', async () => {
    await until('a ping is answered', ping, RECOVERED_MS)
  })

  test('are shown so: next hop with its link, gateway and device', async () => {
    const via = linkLocal(tor, 'down1')
    const routes = await oneDaemon.routes({ prefix: '172.18.2.0/24' })
    expect(routes).toMatchObject([{ nextHops: [`${via}%eth0`], installed: true }])
    const fib = await oneDaemon.fib({ prefix: '172.18.2.0/24' })
    expect(fib).toMatchObject([{ nextHops: [{ via, dev: 'eth0' }], state: 'installed' }])
  })

  test('have IPv6 routes the same way', async () => {
    const dst = (): string[] => one.json('-6 route show proto 179').map((row) => row.dst ?? '')
    await until('the route is there', () => dst().includes('fd00:18:2::/64'), RECOVERED_MS)
  })

  test('lose the session with the carrier at once, and find each other again', async () => {
    tor.ip('link set down1 down')
    const line = await oneDaemon.logged('SessionEnded', ({ text }) => text.includes('eth0'))
    expect(line.text).toContain('eth0 has no carrier')
    await until('its routes are gone', () => gatewaysOf(one, '172.18.2.0/24').length === 0)
    tor.ip('link set down1 up')
    await until('all is as before', isComplete, RECOVERED_MS)
    await until('a ping is answered', ping, RECOVERED_MS)
  })

  test('follow a neighbour to another address', async () => {
    const before = linkLocal(tor, 'down1')
    tor.ip(`addr add fe80::99/64 dev down1 nodad`)
    tor.ip(`addr del ${before}/64 dev down1`)
    await until(
      'the new one is the gateway',
      () => isComplete() && linkLocal(tor, 'down1') === 'fe80::99',
      RECOVERED_MS,
    )
    await until('a ping is answered', ping, RECOVERED_MS)
    expect((await oneDaemon.peer('eth0')).address).toBe('fe80::99%eth0')
  })

  test('stay down when told to, whoever is heard', async () => {
    await oneDaemon.client.post('/v1/shutdown', { peer: 'eth0' })
    await until('the routes are gone', () => gatewaysOf(one, '172.18.2.0/24').length === 0)
    tor.ip('link set down1 down')
    tor.ip('link set down1 up')
    expect((await oneDaemon.peer('eth0')).state).toBe('Idle')
    await oneDaemon.client.post('/v1/startup', { peer: 'eth0' })
    await until('all is as before', () => gatewaysOf(one, '172.18.2.0/24').length > 0, RECOVERED_MS)
  })
})
