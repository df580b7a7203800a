/**
 * Losing a way costs as many calls as there are next hops, and where the link goes none at all: the kernel has
 * been told beforehand who takes over.
 */
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { ip } from '../../support/box.ts'
import { announce, withdraw } from '../../support/bgp-messages.ts'
import { BgpPeer } from '../../support/bgp-peer.ts'
import { Workshop, type Daemon } from '../../support/daemon.ts'
import { enterFabric, gatewaysOf, ourRoutes, wire, type Host } from '../../support/fabric.ts'
import { until } from '../../support/until.ts'

const workshop = new Workshop()
let host: Host
let farA: string
beforeAll(async () => {
  const hosts = enterFabric()
  host = hosts[0]
  farA = await wire(host, { link: 'eth0', host: ['10.0.1.1/24'], fabric: [`${A}/24`] })
  await wire(host, { link: 'eth1', host: ['10.0.2.1/24'], fabric: [`${B}/24`] })
})
const peers: BgpPeer[] = []
afterEach(async () => {
  for (const peer of peers.splice(0)) peer.close()
  await workshop.endDaemons()
  host.ip('link set eth0 up')
  ip(`link set ${farA} up`)
  host.ip('route flush proto 179')
  host.ip('nexthop flush')
})
afterAll(() => workshop.close())

const A = '10.0.1.2'
const B = '10.0.2.2'
const ROUTES = 2_000
/** The first half is nearer by tor-a, the second by tor-b. */
const NEAR_A = Array.from({ length: ROUTES / 2 }, (_, i) => `20.0.${i >> 8}.${i & 255}/32`)
const NEAR_B = Array.from({ length: ROUTES / 2 }, (_, i) => `20.1.${i >> 8}.${i & 255}/32`)

const config = `
asn: 65101
routerId: 10.0.1.1
peers:
  - { name: tor-a, address: ${A}, asn: 65001, passive: true, import: accept, holdTime: 30s }
  - { name: tor-b, address: ${B}, asn: 65002, passive: true, import: accept, holdTime: 30s }
`

async function tor(name: 'a' | 'b'): Promise<BgpPeer> {
  const [local, remote, asn] = name === 'a' ? [A, '10.0.1.1', 65001] : [B, '10.0.2.1', 65002]
  const routes = [NEAR_A, NEAR_B].flatMap((prefixes, i) => {
    const far = (i === 0) === (name === 'b')
    const asPath = far ? [asn, asn, 65200] : [asn, 65200]
    return [0, 500].map((at) =>
      announce({ prefixes: prefixes.slice(at, at + 500), nextHop: local, asPath }),
    )
  })
  const peer = new BgpPeer({ local, remote, asn, routes })
  peers.push(peer)
  return peer.up()
}

interface Stage {
  readonly daemon: Daemon
  readonly a: BgpPeer
}

async function stage(): Promise<Stage> {
  const daemon = await workshop.daemon(host, config)
  const [a] = await Promise.all([tor('a'), tor('b')])
  await until('each half goes its way, and has another', async () => {
    const rows = await nextHops(daemon)
    return rows[`${A} or ${B}`] === ROUTES / 2 && rows[`${B} or ${A}`] === ROUTES / 2
  })
  return { daemon, a }
}

/** Routes by next hop and backup, as `show nexthops` has them. */
async function nextHops(daemon: Daemon): Promise<Readonly<Record<string, number>>> {
  const rows = await daemon.nextHops()
  return Object.fromEntries(
    rows.map((it) => [`${it.nextHops.join(' ')} or ${it.backup ?? 'nothing'}`, it.routes]),
  )
}

/** The link that a packet to the destination leaves by. */
const linkTo = (destination: string): string =>
  host.json(`route get ${destination}`)[0]?.dev ?? 'none'

/** The nexthop object of a route. */
const objectOf = (prefix: string): number => host.json(`route show ${prefix}`)[0]?.nhid ?? 0

describe('half of the routes prefer tor-a, half tor-b, and tor-a is lost', () => {
  test('with its session: its routes go by tor-b at once, and come back one by one', async () => {
    const { daemon, a } = await stage()
    const object = objectOf(NEAR_A[0])
    a.close()
    await until('the object of the routes leads elsewhere', () => linkTo('20.0.0.7') === 'eth1')
    await until('the RIB has followed', () => objectOf(NEAR_A[0]) !== object)
    // Those near tor-b stay where they are, though nothing stands by for them.
    const other = objectOf(NEAR_B[0])
    const back = await tor('a')
    await until('each goes its own way again', async () => {
      return (await nextHops(daemon))[`${A} or ${B}`] === ROUTES / 2
    })
    expect(objectOf(NEAR_B[0])).toBe(other)
    back.send(withdraw(NEAR_A[0]))
    await until('a single one is withdrawn', () => gatewaysOf(host, NEAR_A[0]).join() === B)
    expect((await daemon.status()).fib).toMatchObject({ installed: ROUTES, failed: 0, repairs: 0 })
  })

  test.each([
    ['its link is set down', () => host.ip('link set eth0 down')],
    ['its cable is pulled', () => ip(`link set ${farA} down`)],
  ])('while the daemon is stopped, as %s: the kernel moves its routes', async (_, cut) => {
    const { daemon } = await stage()
    daemon.signal('SIGSTOP')
    try {
      expect(linkTo('20.0.0.7')).toBe('eth0')
      cut()
      await until('the kernel has moved them', () => linkTo('20.0.0.7') === 'eth1')
      expect(ourRoutes(host).size).toBe(ROUTES)
    } finally {
      daemon.signal('SIGCONT')
    }
    await until('the daemon agrees', () => gatewaysOf(host, NEAR_A[0]).join() === B)
    host.ip('link set eth0 up')
    ip(`link set ${farA} up`)
    await until('the link is back, and its routes', () => linkTo('20.0.0.7') === 'eth0')
    const nothingLeft = async (): Promise<boolean> => {
      const { fib } = await daemon.status()
      return fib.installed === ROUTES && fib.pending === 0
    }
    await until('nothing is left to do', nothingLeft)
    expect(ourRoutes(host).size).toBe(ROUTES)
  })
})
