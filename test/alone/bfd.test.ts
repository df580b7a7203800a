/** Two daemons with BFD between them: every kind of peer, a neighbour that stands still, and a reload. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { PeerDetail } from '../../src/control/rows.ts'
import { ip } from '../support/box.ts'
import { linnet, Workshop, type Daemon } from '../support/daemon.ts'
import { eventually } from '../support/eventually.ts'
import { enterFabric, type Host } from '../support/fabric.ts'
import { until } from '../support/until.ts'

const workshop = new Workshop()
let host: Host
let near: Daemon
let far: Daemon

const KEY = 'authentication: { key: correct-horse }'
const nearConfig = (bfd: string): string => `
asn: 65101
routerId: 10.0.0.1
peerGroups: { tor: { asn: 65001, import: accept, connectRetry: 300ms, bfd: ${bfd} } }
peers:
  - { name: v4, address: 10.0.0.2, group: tor }
  - { name: v6, address: "2001:db8::2", group: tor }
  - { name: unnumbered, interface: eth1, group: tor }
  - { name: far, address: 10.0.1.2, group: tor, localAddress: 10.0.1.1, multihop: 2, bfd: { interval: 100ms, ${KEY} } }
  - { name: strict, address: 10.0.1.3, group: tor, multihop: 2, bfd: { strict: true, interval: 100ms } }
kernel: { install: false }
`
const FAR_CONFIG = `
asn: 65001
routerId: 10.0.0.2
peerGroups: { host: { asn: 65101, import: accept, bfd: { interval: 100ms, multiplier: 4 } } }
peers:
  - { name: v6, address: "2001:db8::1", group: host }
  - { name: unnumbered, interface: eth1, group: host }
  - { name: far, address: 10.0.1.1, group: host, localAddress: 10.0.1.2, multihop: 2, bfd: { interval: 100ms, ${KEY} } }
  - { name: nodes, range: 10.0.0.0/24, group: host }
kernel: { install: false }
`
const QUICK = '{ interval: 100ms, multiplier: 4 }'
const NAMES = ['v4', 'v6', 'unnumbered', 'far']

const detail = (of: Daemon, name: string): Promise<PeerDetail> =>
  of.client.get<PeerDetail>(`/v1/peers/${encodeURIComponent(name)}`)

beforeAll(async () => {
  const hosts = enterFabric(2)
  host = hosts[0]
  const tor = hosts[1]
  for (const link of ['eth0', 'eth1']) {
    ip(`link add ${link} netns ${host.path} type veth peer name ${link} netns ${tor.path}`)
  }
  for (const [it, n] of [
    [host, 1],
    [tor, 2],
  ] as const) {
    for (const address of [`10.0.0.${n}/24`, `2001:db8::${n}/64 nodad`]) {
      it.ip(`addr add ${address} dev eth0`)
    }
    it.ip(`addr add fe80::${n}/64 dev eth1 nodad`)
    it.ip(`addr add 10.0.1.${n}/32 dev lo`)
    for (const link of ['eth0', 'eth1']) it.ip(`link set ${link} up`)
    it.ip(`route add 10.0.1.${3 - n}/32 via 10.0.0.${3 - n}`)
  }
  far = await workshop.daemon(tor, FAR_CONFIG, { name: 'far' })
  near = await workshop.daemon(host, nearConfig(QUICK), { name: 'near' })
})
afterAll(() => workshop.close())

const rows = async (): Promise<Readonly<Record<string, string>>> =>
  Object.fromEntries(
    (await near.peers()).map(({ name, state, bfd }) => [name, `${state}, BFD ${bfd}`]),
  )
const allUp = (it: Readonly<Record<string, string>>): boolean =>
  NAMES.every((name) => it[name] === 'Established, BFD Up')

test('BFD is up with every kind of peer, and says on which terms', async () => {
  await eventually('all are up', rows, allUp, { deadlineMs: 20_000 })
  await until(
    'at full pace',
    async () => (await detail(near, 'v4')).bfdSession?.detectionTime === 400,
  )
  expect((await detail(near, 'v4')).bfdSession).toMatchObject({
    ...{ multihop: false, transmitInterval: 100, receiveInterval: 100, remoteMultiplier: 4 },
    ...{ remoteState: 'Up', controlPlaneIndependent: false, authenticated: false, ups: 1 },
  })
  expect((await detail(near, 'far')).bfdSession).toMatchObject({
    ...{ multihop: true, authenticated: true, remoteMultiplier: 3 },
  })
  // The other side knows this peer by its range only.
  expect(await far.peer('10.0.0.1')).toMatchObject({ state: 'Established', bfd: 'Up' })
  const { stdout } = await linnet(host, ['show', 'peer', 'v4', '--socket', near.socket])
  expect(stdout).toMatch(/BFD +Up .*lost after 400 ms/)
  // Nobody is there.
  expect(await near.peer('strict')).toMatchObject({ state: 'Idle', bfd: 'Down' })
  expect((await near.peer('strict')).reason).toBe('waiting for BFD to come up (strict)')
})

test('a neighbour that stands still loses its sessions long before the hold time, and gets them again', async () => {
  far.signal('SIGSTOP')
  const stoppedAt = performance.now()
  await until('all are down', async () => {
    const now = await rows()
    return NAMES.every((name) => !now[name].startsWith('Established'))
  })
  expect(performance.now() - stoppedAt).toBeLessThan(5000)
  for (const name of NAMES) {
    expect(await near.peer(name)).toMatchObject({
      lastError: 'sent Cease/BFD Down (hard reset)', // both have RFC 8538
      bfdFailures: 1,
    })
    const { text } = await near.logged('SessionEnded', (it) => it.peer === name)
    expect(text).toBe('session is down: BFD is down: control detection time expired')
  }
  far.signal('SIGCONT')
  await eventually('all are up again', rows, allUp, { deadlineMs: 30_000 })
})

test('a reload switches BFD off, and on again: the sessions stay', async () => {
  const flapsBefore = (await near.peers()).map(({ name, flaps }) => [name, flaps])
  const { bfdFailures } = await far.peer('v6')
  const reload = async (bfd: string): Promise<void> => {
    near.rewriteConfig(nearConfig(bfd))
    const { code, stderr } = await linnet(host, ['reload', '--socket', near.socket])
    expect([code, stderr]).toEqual([0, ''])
  }
  await reload('false')
  await until('the peer has heard', async () => (await far.peer('v6')).bfd === 'Down')
  expect(await near.peer('v4')).toMatchObject({ state: 'Established', bfd: null })
  expect(await far.peer('v6')).toMatchObject({ state: 'Established', bfdFailures })
  await reload('{ interval: 200ms, multiplier: 5 }')
  await eventually('it is up again', rows, allUp, { deadlineMs: 20_000 })
  await reload(QUICK)
  await until(
    'the peer has heard of the new timers',
    async () => (await detail(far, 'v6')).bfdSession?.remoteMultiplier === 4,
  )
  expect((await near.peers()).map(({ name, flaps }) => [name, flaps])).toEqual(flapsBefore)
})
