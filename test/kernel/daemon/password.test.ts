/**
 * TCP MD5 keys in use (RFC 2385): changed on both sides of a live session, one after the other and with
 * routes on their way; taken away with the peer that had one.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { ip } from '../../support/box.ts'
import { linnet, Workshop, type Daemon } from '../../support/daemon.ts'
import { enterFabric, gatewaysOf, type Host } from '../../support/fabric.ts'
import { until } from '../../support/until.ts'

const workshop = new Workshop()
let host: Host
let tor: Host
let hostDaemon: Daemon
let torDaemon: Daemon

/** The file whose first line is the key of one side. */
const keyFile = (side: 'host' | 'tor', key: string): string => workshop.write(`${side}.key`, key)

/** Both call, so that the session may stand on either's connection. */
const config = (side: 'host' | 'tor', prefixes: string, peers = ''): string => {
  const [asn, name, address, remote] =
    side === 'host' ? [65101, 'tor', '10.0.1.1', 65001] : [65001, 'host', '10.0.1.11', 65101]
  return `
asn: ${asn}
peers:
  - { name: ${name}, address: ${address}, asn: ${remote}, import: accept, connectRetry: 1s, passwordFile: ${side}.key }
${peers}
advertise: { prefixes: [${prefixes}] }
`
}

beforeAll(async () => {
  const hosts = enterFabric(2)
  host = hosts[0]
  tor = hosts[1]
  ip(`link add eth0 netns ${host.path} type veth peer name eth1 netns ${tor.path}`)
  for (const address of ['10.0.1.11', '10.0.1.12']) host.ip(`addr add ${address}/24 dev eth0`)
  tor.ip('addr add 10.0.1.1/24 dev eth1')
  host.ip('link set eth0 up')
  tor.ip('link set eth1 up')
  keyFile('host', 'one')
  keyFile('tor', 'one')
  hostDaemon = await workshop.daemon(host, config('host', '172.18.0.0/24'), { name: 'host' })
  torDaemon = await workshop.daemon(tor, config('tor', '198.51.100.0/24'), { name: 'tor' })
})
afterAll(() => workshop.close())

const routeTo = (at: Host, prefix: string): boolean => gatewaysOf(at, prefix).length > 0

async function reload(daemon: Daemon): Promise<string> {
  const at = daemon === hostDaemon ? host : tor
  const { code, stdout, stderr } = await linnet(at, ['reload', '--socket', daemon.socket])
  expect(stderr).toBe('')
  expect(code).toBe(0)
  return stdout
}

describe('a password that changes', () => {
  test.each([
    { first: 'host', second: 'tor', key: 'two', octet: 1 },
    { first: 'tor', second: 'host', key: 'three', octet: 2 },
  ] as const)(
    'first at the $first, then at the $second: the session lives, and what was said meanwhile arrives',
    async ({ first, second, key, octet }) => {
      await until('both have routes', () => {
        return routeTo(host, '198.51.100.0/24') && routeTo(tor, '172.18.0.0/24')
      })
      const [before, beforeTor] = [await hostDaemon.peer('tor'), await torDaemon.peer('host')]
      const daemons = { host: hostDaemon, tor: torDaemon }
      keyFile(first, key)
      expect(await reload(daemons[first])).toMatch(/password \(applied to the running session\)/)
      // On their way while the keys differ.
      hostDaemon.rewriteConfig(config('host', `172.18.0.0/24, 172.18.${octet}.0/24`))
      torDaemon.rewriteConfig(config('tor', `198.51.100.0/24, 203.0.${octet}.0/24`))
      await reload(hostDaemon)
      await reload(torDaemon)
      const peer = await daemons[first].peer(first === 'host' ? 'tor' : 'host')
      expect(peer.state).toBe('Established')
      keyFile(second, key)
      expect(await reload(daemons[second])).toMatch(/password \(applied to the running session\)/)
      await until(
        'what was said meanwhile has arrived',
        () => routeTo(host, `203.0.${octet}.0/24`) && routeTo(tor, `172.18.${octet}.0/24`),
      )
      const [after, afterTor] = [await hostDaemon.peer('tor'), await torDaemon.peer('host')]
      expect([after.since, after.flaps]).toEqual([before.since, before.flaps])
      expect([afterTor.since, afterTor.flaps]).toEqual([beforeTor.since, beforeTor.flaps])
    },
  )

  test('counts for the next session too, whoever calls', async () => {
    const { since } = await hostDaemon.peer('tor')
    expect((await linnet(host, ['reset', 'tor', '--socket', hostDaemon.socket])).code).toBe(0)
    await until('it is up again', async () => {
      const peer = await hostDaemon.peer('tor')
      return peer.state === 'Established' && peer.since !== since
    })
  })

  test('that can not be read leaves all as it is', async () => {
    const { since } = await hostDaemon.peer('tor')
    keyFile('host', '')
    const { code, stderr } = await linnet(host, ['reload', '--socket', hostDaemon.socket])
    expect([code, stderr]).toEqual([2, expect.stringMatching(/host\.yaml:4:\d+.*no password/)])
    expect((await hostDaemon.peer('tor')).since).toBe(since)
    keyFile('host', 'three')
  })
})

describe('the key of a peer that is removed', () => {
  test('goes with it: a peer of the same address needs none', async () => {
    const second = (settings: string): string =>
      `  - { name: second, address: 10.0.1.12, asn: 65101, passive: true, ${settings} }`
    torDaemon.rewriteConfig(config('tor', '198.51.100.0/24', second('password: lost')))
    await reload(torDaemon)
    torDaemon.rewriteConfig(config('tor', '198.51.100.0/24'))
    await reload(torDaemon)
    torDaemon.rewriteConfig(config('tor', '198.51.100.0/24', second('description: no password')))
    await reload(torDaemon)
    const from = workshop.daemon(
      host,
      `
asn: 65101
routerId: 10.0.1.12
listen: [{ address: 10.0.1.12, port: 1179 }]
peers: [{ name: tor, address: 10.0.1.1, asn: 65001, localAddress: 10.0.1.12, connectRetry: 1s }]
kernel: { install: false }
`,
      { name: 'second' },
    )
    const daemon = await from
    await until('it is up', async () => (await daemon.peer('tor')).state === 'Established')
  })
})
