/**
 * Several paths of a prefix (RFC 7911): linnet as a route reflector between BIRD, FRR, and a client that is
 * linnet too and forwards over both of them.
 *
 *   BIRD 10.1.0.2 ---- 10.1.0.1 reflector 10.2.0.1 ---- 10.2.0.2 FRR
 *        10.13.0.1              10.3.0.1                10.23.0.1
 *            |                     |                        |
 *        10.13.0.2              10.3.0.2                10.23.0.2
 *            +------------------ client --------------------+
 */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { bird } from '../support/daemons/bird.ts'
import type { DaemonConfig, Neighbor, RunningDaemon } from '../support/daemons/daemon.ts'
import { frr } from '../support/daemons/frr.ts'
import { Linnet } from '../support/daemons/linnet.ts'
import { route } from '../support/daemons/route.ts'
import { eventually, eventuallyEqual } from '../support/eventually.ts'
import { join, LabHost } from '../support/lab-host.ts'

const ASN = 65001
/** Announced by BIRD, by FRR, and by the reflector itself. */
const SHARED = '10.200.0.0/24'
const BIRD = '10.1.0.2'
const FRR = '10.2.0.2'

/** The reflector as the daemon at `own` sees it. */
const reflector = (own: string): Neighbor => ({
  name: 'reflector',
  address: own.replace(/2$/, '1'),
  localAddress: own,
  asn: ASN,
  families: ['ipv4'],
})

const daemonConfig = (own: string): DaemonConfig => ({
  asn: ASN,
  routerId: own,
  addresses: { ipv4: own, ipv6: 'fd00::2' },
  holdTimeSeconds: 90,
  addPath: true,
  neighbors: [reflector(own)],
})

let hosts: LabHost[] = []
let linnet: Linnet
let client: Linnet
let left: RunningDaemon
let right: RunningDaemon

async function link(one: LabHost, other: LabHost, net: string, devices: [string, string]) {
  await join(
    { host: one, device: devices[0], addresses: [`${net}.1/24`] },
    { host: other, device: devices[1], addresses: [`${net}.2/24`] },
  )
}

beforeAll(async () => {
  const names = ['reflector', 'bird', 'frr', 'client']
  hosts = await Promise.all(names.map((name) => LabHost.open(name)))
  const [middle, birdHost, frrHost, clientHost] = hosts
  await link(middle, birdHost, '10.1.0', ['eth1', 'eth0'])
  await link(middle, frrHost, '10.2.0', ['eth2', 'eth0'])
  await link(middle, clientHost, '10.3.0', ['eth3', 'eth0'])
  await link(birdHost, clientHost, '10.13.0', ['eth1', 'eth1'])
  await link(frrHost, clientHost, '10.23.0', ['eth1', 'eth2'])
  await clientHost.ip([
    'route add 10.1.0.0/24 via 10.13.0.1',
    'route add 10.2.0.0/24 via 10.23.0.1',
  ])
  await birdHost.ip(['route add 10.0.0.0/8 via 10.1.0.1'])
  await frrHost.ip(['route add 10.0.0.0/8 via 10.2.0.1'])
  const peer = (name: string, address: string) => ({
    ...{ name, address, asn: ASN, families: ['ipv4'], connectRetry: '1s' },
    ...{ routeReflectorClient: true, addPath: { receive: true, send: 'all' } },
  })
  linnet = await Linnet.start(middle, {
    asn: ASN,
    routerId: '10.1.0.1',
    peers: [peer('bird', BIRD), peer('frr', FRR), peer('client', '10.3.0.2')],
    advertise: { prefixes: [SHARED] },
  })
  client = await Linnet.start(clientHost, {
    asn: ASN,
    routerId: '10.3.0.2',
    peers: [
      {
        ...{ name: 'reflector', address: '10.3.0.1', asn: ASN, families: ['ipv4'] },
        ...{ connectRetry: '1s', addPath: { receive: true } },
      },
    ],
  })
  left = await bird.start(birdHost, daemonConfig(BIRD))
  right = await frr.start(frrHost, daemonConfig(FRR))
  for (const name of ['bird', 'frr', 'client']) {
    await eventually(`${name} is up`, () => linnet.isEstablished(name), Boolean, {
      deadlineMs: 30_000,
    })
  }
}, 60_000)
afterAll(() => Promise.all(hosts.map((host) => host.close())))

/** Next hops of the paths to SHARED in a daemon's table. */
async function nextHops(daemon: RunningDaemon, own: string): Promise<string[]> {
  const table = await daemon.table(reflector(own), 'ipv4')
  return table
    .filter(({ prefix }) => prefix === SHARED)
    .map(({ nextHop }) => nextHop)
    .toSorted()
}

test('`show peer` says that paths go both ways, with BIRD and with FRR', async () => {
  for (const name of ['bird', 'frr']) {
    const { perFamily, capabilities } = await linnet.peer(name)
    expect(perFamily).toMatchObject([{ addPathReceive: true, addPathSend: 'all' }])
    expect(capabilities).toEqual(
      expect.arrayContaining(['add-path ipv4 receive', 'add-path ipv4 send']),
    )
  }
})

test('BIRD and FRR have every path of a prefix but their own', async () => {
  // As long as ours, so that MED and the like decide nothing that matters here.
  await left.originate([route({ prefix: SHARED, localPref: 100, med: 0 })])
  await right.originate([route({ prefix: SHARED, localPref: 100, med: 0 })])
  await eventuallyEqual('paths in BIRD', () => nextHops(left, BIRD), ['10.1.0.1', FRR])
  await eventuallyEqual('paths in FRR', () => nextHops(right, FRR), [BIRD, '10.2.0.1'])
})

test('the identifiers of what is told are distinct, those of what was received are shown', async () => {
  const told = await linnet.advertised('client', 'ipv4')
  expect(told.map(({ prefix }) => prefix)).toEqual([SHARED, SHARED, SHARED])
  const ids = new Set(told.map(({ pathId }) => pathId))
  expect(ids.size).toBe(3)
  expect(ids).not.toContain(null)
  const received = await client.received('reflector', 'ipv4')
  expect(new Set(received.map(({ pathId }) => pathId))).toEqual(ids)
  for (const name of ['bird', 'frr']) {
    expect((await linnet.received(name, 'ipv4'))[0].pathId, name).not.toBeNull()
  }
})

test('a client forwards over both, when the reflector does not reach the prefix itself', async () => {
  await linnet.reload({
    asn: ASN,
    routerId: '10.1.0.1',
    peers: [
      ...['bird', 'frr', 'client'].map((name, at) => ({
        ...{ name, address: `10.${at + 1}.0.2`, asn: ASN, families: ['ipv4'] },
        ...{ connectRetry: '1s', routeReflectorClient: true },
        addPath: { receive: true, send: 'all' },
      })),
    ],
  })
  await eventuallyEqual(
    'paths at the client',
    async () => (await client.received('reflector', 'ipv4')).map((it) => it.nextHops[0]).toSorted(),
    [BIRD, FRR],
  )
  const kernel = async (): Promise<string> => {
    const text = await hosts[3].run('ip', 'route', 'show', SHARED)
    const id = /nhid (\d+)/.exec(text)?.[1]
    if (id === undefined) return text
    const group = /group ([\d/]+)/.exec(await hosts[3].run('ip', 'nexthop', 'get', 'id', id))?.[1]
    const members = (group ?? id).split('/')
    const all = members.map((member) => hosts[3].run('ip', 'nexthop', 'get', 'id', member))
    return (await Promise.all(all)).join('')
  }
  await eventually('ECMP in the kernel of the client', kernel, (text) =>
    ['10.13.0.1', '10.23.0.1'].every((via) => text.includes(`via ${via} `)),
  )
})

test('a path that is withdrawn goes alone; with its daemon goes the other', async () => {
  await left.originate([])
  await eventuallyEqual('paths in FRR', () => nextHops(right, FRR), [])
  const left1 = async (): Promise<string[]> =>
    (await client.received('reflector', 'ipv4')).map((it) => it.nextHops[0])
  await eventuallyEqual('paths at the client', left1, [FRR])
  await right.kill()
  await eventuallyEqual('paths at the client', left1, [])
})
