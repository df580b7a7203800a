/**
 * What two daemons put on the wire: every message of a session is network control traffic (DSCP CS6, RFC 4594),
 * and its TTL is as GTSM (RFC 5082) or its absence wants, over IPv4 and IPv6, whoever calls.
 */
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import type { PeerDetail } from '../../../src/control/rows.ts'
import { readDropCounts } from '../../../src/linux/drop-counts.ts'
import { FAMILIES } from '../../../src/net/family.ts'
import { ip } from '../../support/box.ts'
import { Workshop, type Daemon } from '../../support/daemon.ts'
import { enterFabric, type Host } from '../../support/fabric.ts'
import { capture } from '../../support/packets.ts'
import { until } from '../../support/until.ts'

const CS6 = 0xc0
const ADDRESSES = {
  host: { ipv4: '10.0.1.11', ipv6: '2001:db8:1::11' },
  tor: { ipv4: '10.0.1.1', ipv6: '2001:db8:1::1' },
} as const
type Side = keyof typeof ADDRESSES

const workshop = new Workshop()
let hosts: Record<Side, Host>
beforeAll(() => {
  const [host, tor] = enterFabric(2)
  hosts = { host, tor }
  ip(`link add eth0 netns ${host.path} type veth peer name eth0 netns ${tor.path}`)
  for (const side of ['host', 'tor'] as const) {
    hosts[side].ip(`addr add ${ADDRESSES[side].ipv4}/24 dev eth0`)
    hosts[side].ip(`addr add ${ADDRESSES[side].ipv6}/64 dev eth0 nodad`)
    hosts[side].ip('link set eth0 up')
  }
})
afterEach(() => workshop.endDaemons())
afterAll(() => workshop.close())

const other = (side: Side): Side => (side === 'host' ? 'tor' : 'host')

/** A session over each family with the other side. */
function daemon(side: Side, settings: string): Promise<Daemon> {
  const asn = { host: 65101, tor: 65001 }
  const peers = FAMILIES.map(({ name }) => {
    const address = ADDRESSES[other(side)][name]
    return `  - { name: ${name}, address: "${address}", asn: ${asn[other(side)]}, import: accept, connectRetry: 1s, ${settings} }`
  })
  const config = `
asn: ${asn[side]}
routerId: ${ADDRESSES[side].ipv4}
peers:
${peers.join('\n')}
kernel: { install: false }
`
  return workshop.daemon(hosts[side], config, { name: side })
}

async function isUp(it: Daemon): Promise<boolean> {
  const peers = await Promise.all(FAMILIES.map(({ name }) => it.peer(name)))
  return peers.every(({ state }) => state === 'Established')
}

describe.each(['host', 'tor'] as const)('the %s calls', (caller) => {
  test.each([
    { title: 'with GTSM', settings: 'ttlSecurity: 1', ttl: 255 },
    { title: 'without', settings: 'multihop: 1', ttl: 1 },
  ])('$title: every message is marked, and sent with TTL $ttl', async ({ settings, ttl }) => {
    const captures = FAMILIES.flatMap(({ name }) =>
      (['host', 'tor'] as const).map((from) => ({
        family: name,
        from,
        packets: hosts[other(from)].within(() => capture(name)),
      })),
    )
    const daemons = await Promise.all(
      (['host', 'tor'] as const).map((side) =>
        daemon(side, side === caller ? settings : `${settings}, passive: true`),
      ),
    )
    for (const it of daemons) await until('the sessions are up', () => isUp(it))
    for (const { family, from, packets } of captures) {
      const [at] = daemons
      const { localAddress, remoteAddress } = await at.client.get<PeerDetail>(`/v1/peers/${family}`)
      // Of this session, with data: what belongs to no socket the kernel answers by itself, and in its own way.
      const [port, to] = (
        from === 'host' ? [localAddress, remoteAddress] : [remoteAddress, localAddress]
      ).map((it) => Number(it?.split(':').at(-1)))
      const seen = packets().filter((it) => it.port === port && it.to === to && it.bytes > 0)
      const who = `${family} from the ${from}`
      expect(new Set(seen.map(({ tos }) => tos)), who).toEqual(new Set([CS6]))
      expect(new Set(seen.map((it) => it.ttl)), who).toEqual(new Set([ttl]))
    }
  })

  test('without GTSM, and the other side asks for it: its kernel drops that', async () => {
    const listener = other(caller)
    const before = hosts[listener].within(readDropCounts).TCPMinTTLDrop
    const [, asking] = await Promise.all([
      daemon(caller, 'multihop: 1'),
      daemon(listener, 'ttlSecurity: 1, passive: true'),
    ])
    await until(
      'segments were dropped on both sessions',
      () => hosts[listener].within(readDropCounts).TCPMinTTLDrop >= before + 4,
    )
    // The caller may think so: an OPEN that is there before it is known who calls gets through.
    for (const { name } of FAMILIES) expect((await asking.peer(name)).state).not.toBe('Established')
  })
})
