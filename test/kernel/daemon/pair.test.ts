/**
 * Two daemons that call each other at the same time, with a password and both families: what a host and its
 * ToR are, both of them linnet. One dies, freezes, comes back. Routes go with the session: no graceful restart.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { ip } from '../../support/box.ts'
import { Workshop, type Daemon } from '../../support/daemon.ts'
import { enterFabric, gatewaysOf, type Host } from '../../support/fabric.ts'
import { until } from '../../support/until.ts'

const workshop = new Workshop()
let host: Host
let tor: Host
let hostDaemon: Daemon
let torDaemon: Daemon

const hostConfig = `
asn: 65101
peers:
  - { name: tor, address: 10.0.1.1, asn: 65001, import: accept, holdTime: 3s, connectRetry: 1s, password: s3cret, ttlSecurity: 1, gracefulRestart: false }
advertise: { interfaces: [docker0] }
`
const torConfig = `
asn: 65001
peers:
  - { name: host, address: 10.0.1.11, asn: 65101, import: accept, holdTime: 3s, connectRetry: 1s, password: s3cret, ttlSecurity: 1, gracefulRestart: false }
advertise: { prefixes: [198.51.100.0/24, "2001:db8:99::/48"] }
`

beforeAll(async () => {
  const hosts = enterFabric(2)
  host = hosts[0]
  tor = hosts[1]
  ip(`link add eth0 netns ${host.path} type veth peer name eth1 netns ${tor.path}`)
  host.ip('addr add 10.0.1.11/24 dev eth0')
  host.ip('addr add 2001:db8:1::11/64 dev eth0 nodad')
  tor.ip('addr add 10.0.1.1/24 dev eth1')
  tor.ip('addr add 2001:db8:1::1/64 dev eth1 nodad')
  host.ip('link set eth0 up')
  tor.ip('link set eth1 up')
  host.ip('link add docker0 type bridge')
  host.ip('addr add 172.18.1.1/24 dev docker0')
  host.ip('addr add fd00:18:1::1/64 dev docker0 nodad')
  host.ip('link set docker0 up')
  // At the same time, so that both call.
  ;[hostDaemon, torDaemon] = await Promise.all([
    workshop.daemon(host, hostConfig, { name: 'host' }),
    workshop.daemon(tor, torConfig, { name: 'tor' }),
  ])
})
afterAll(() => workshop.close())

const ipv6Routes = (at: Host): (string | undefined)[] =>
  at.json('-6 route show proto 179').map((row) => row.dst)

const isComplete = (): boolean =>
  gatewaysOf(host, '198.51.100.0/24').join() === '10.0.1.1' &&
  gatewaysOf(tor, '172.18.1.0/24').join() === '10.0.1.11' &&
  ipv6Routes(host).join() === '2001:db8:99::/48' &&
  ipv6Routes(tor).join() === 'fd00:18:1::/64'

const RECOVERED_MS = 20_000

describe('a host and its ToR', () => {
  test('find each other, whoever calls first, and each has the routes of the other', async () => {
    await until('all routes are there, both families, both ways', isComplete, RECOVERED_MS)
    const [seenByHost, seenByTor] = await Promise.all([
      hostDaemon.peer('tor'),
      torDaemon.peer('host'),
    ])
    expect([seenByHost.state, seenByTor.state]).toEqual(['Established', 'Established'])
    expect(seenByHost).toMatchObject({ asn: 65001, holdTime: 3, families: ['ipv4', 'ipv6'] })
    // That their calls met is no failure, and nothing to warn of.
    const told = [...hostDaemon.lines('AttemptFailed'), ...torDaemon.lines('AttemptFailed')]
    expect(told.filter((it) => /kept|Collision|without an OPEN/.test(it.text))).toEqual([])
  })

  test('the ToR is killed: the host drops its routes; it comes back', async () => {
    await torDaemon.kill()
    await until('its routes are gone', () => gatewaysOf(host, '198.51.100.0/24').length === 0)
    expect(ipv6Routes(host)).toEqual([])
    torDaemon = await workshop.daemon(tor, torConfig, { name: 'tor' })
    await until('all is as before', isComplete, RECOVERED_MS)
  })

  test('the ToR freezes: the hold timer finds out; it thaws', async () => {
    torDaemon.signal('SIGSTOP')
    await until('its routes are gone', () => gatewaysOf(host, '198.51.100.0/24').length === 0)
    torDaemon.signal('SIGCONT')
    await until('all is as before', isComplete, RECOVERED_MS)
    expect((await hostDaemon.logged('SessionEnded', (it) => /3 s/.test(it.text))).peer).toBe('tor')
  })

  test('the ToR stops and says so: the host tells its operator', async () => {
    expect(await torDaemon.stop()).toBe(0)
    const line = await hostDaemon.logged('SessionEnded', (it) => /linnet is stopped/.test(it.text))
    expect(line.peer).toBe('tor')
    await until('its routes are gone', () => gatewaysOf(host, '198.51.100.0/24').length === 0)
    // The other side's kernel keeps what it has, as configured by default.
    expect(gatewaysOf(tor, '172.18.1.0/24')).toEqual(['10.0.1.11'])
  })
})
