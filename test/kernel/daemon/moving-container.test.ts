/**
 * A container that moves from one host to another and keeps its address: both hosts have the same network on
 * their bridges, and announce each container's /32 besides (`advertise.hostRoutes`, `kernel.withinOwn: accept`).
 *
 *   still ) br0 10.1.0.1/24  a  10.0.1.1 --- 10.0.1.2  tor  10.0.2.2 --- 10.0.2.1  b  br0 10.1.0.1/24 ( other
 *   mover )                                                                                          ( mover
 */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openIcmp, type IcmpSocket } from '../../../src/linux/icmp.ts'
import { writeSysctl } from '../../../src/linux/sysctl.ts'
import { address } from '../../../src/net/address.ts'
import { ip } from '../../support/box.ts'
import { Workshop } from '../../support/daemon.ts'
import { enterFabric, gatewaysOf, type Host } from '../../support/fabric.ts'
import { until } from '../../support/until.ts'

const MOVER = '10.1.0.5'
const STILL = '10.1.0.6'
const OTHER = '10.1.0.7'
const workshop = new Workshop()
const sockets: IcmpSocket[] = []
let a: Host
let b: Host
let tor: Host
let mover: Host
let still: Host
let other: Host

beforeAll(async () => {
  ;[a, b, tor, mover, still, other] = enterFabric(6)
  for (const [i, host] of [a, b].entries()) {
    ip(`link add eth0 netns ${host.path} type veth peer name eth${i} netns ${tor.path}`)
    tor.ip(`addr add 10.0.${i + 1}.2/24 dev eth${i}`)
    tor.ip(`link set eth${i} up`)
    host.ip(`addr add 10.0.${i + 1}.1/24 dev eth0`)
    host.ip('link set eth0 up')
    host.ip('link add br0 type bridge')
    host.ip('addr add 10.1.0.1/24 dev br0')
    host.ip('link set br0 up')
    // The host answers on the bridge for containers of the same network that are elsewhere.
    host.within(() => {
      writeSysctl('net.ipv4.conf.br0.proxy_arp', 1)
      writeSysctl('net.ipv4.neigh.br0.proxy_delay', 0)
    })
  }
  for (const router of [a, b, tor]) router.within(() => writeSysctl('net.ipv4.ip_forward', 1))
  await Promise.all([
    workshop.daemon(tor, torConfig, { name: 'tor' }),
    workshop.daemon(a, configOf(1), { name: 'a' }),
    workshop.daemon(b, configOf(2), { name: 'b' }),
  ])
  for (const [container, host, own] of [
    [still, a, STILL],
    [other, b, OTHER],
    [mover, a, MOVER],
  ] as const) {
    place(container, host, own)
    announce(host, own)
  }
})
const torConfig = `
asn: 65001
routerId: 10.0.1.2
peers:
  - { name: a, address: 10.0.1.1, asn: 65101, import: accept, export: accept, connectRetry: 1s }
  - { name: b, address: 10.0.2.1, asn: 65102, import: accept, export: accept, connectRetry: 1s }
`
const configOf = (number: 1 | 2): string => `
asn: ${65100 + number}
routerId: 10.0.${number}.1
peers: [{ name: tor, address: 10.0.${number}.2, asn: 65001, import: accept, connectRetry: 1s }]
advertise: { interfaces: [br0], hostRoutes: { interfaces: [br0] } }
kernel: { withinOwn: accept }
`

/** What a runtime does: a link into the container, whose MAC follows from its address. */
function place(container: Host, host: Host, own: string): void {
  const number = own.split('.').at(-1)
  const link = `c${number}`
  host.ip(`link add ${link} type veth peer name eth0 netns ${container.path}`)
  container.ip(`link set eth0 address 02:42:0a:01:00:0${number}`)
  host.ip(`link set ${link} master br0 up`)
  container.ip(`addr add ${own}/24 dev eth0`)
  container.ip('link set eth0 up')
  container.ip('route add default via 10.1.0.1')
}

/** It is announced, from now on. */
const announce = (host: Host, own: string): string => host.ip(`route add ${own}/32 dev br0`)

function remove(host: Host, own: string): void {
  host.ip(`route del ${own}/32 dev br0`)
  host.ip(`link del c${own.split('.').at(-1)}`)
}

/** Asks until `to` answers; the milliseconds that took, from `since` on. */
function answered(
  from: Host,
  source: string,
  to: string,
  since = performance.now(),
): Promise<number> {
  const socket = from.within(() => openIcmp(address(source)))
  sockets.push(socket)
  let sequence = 0
  const echo = { to: address(to), identifier: 7, ttl: 64, payload: new Uint8Array(8) }
  return until(`${to} answers ${source}`, () => {
    socket.send({ ...echo, sequence: sequence++ })
    return socket.drain().some(({ kind, from: who }) => kind === 'reply' && who.text === to)
  }).then(() => performance.now() - since)
}

afterAll(async () => {
  for (const socket of sockets) socket.close()
  await workshop.close()
})

test('before: all reach all, neighbours of the same network on the other host too', async () => {
  await until('the ToR knows all', () =>
    [MOVER, STILL, OTHER].every((it) => gatewaysOf(tor, it).length === 1),
  )
  await until('a knows what is on b', () => gatewaysOf(a, OTHER).join() === '10.0.1.2')
  await until('b knows what is on a', () => gatewaysOf(b, MOVER).join() === '10.0.2.2')
  expect(gatewaysOf(tor, MOVER)).toEqual(['10.0.1.1'])
  await answered(tor, '10.0.1.2', MOVER)
  await answered(other, OTHER, MOVER)
})

const MOVES = [
  { title: 'to the other host', from: () => a, to: () => b, left: () => still, there: () => other },
  { title: 'and back', from: () => b, to: () => a, left: () => other, there: () => still },
]

test.each(MOVES)('moved $title, it is reached at its new place', async (move) => {
  // Its neighbour knows it by its MAC address, and would ask nobody for a minute.
  await answered(move.left(), move.left() === still ? STILL : OTHER, MOVER)
  remove(move.from(), MOVER)
  place(mover, move.to(), MOVER)
  await answered(move.to(), '10.1.0.1', MOVER)
  announce(move.to(), MOVER)
  const since = performance.now()
  const outside = { host: tor, address: move.to() === a ? '10.0.1.2' : '10.0.2.2' }
  const neighbours = [move.there(), move.left()].map((host) => {
    return { host, address: host === still ? STILL : OTHER }
  })
  const took = await Promise.all(
    [outside, ...neighbours].map((it) => answered(it.host, it.address, MOVER, since)),
  )
  const [first, second, third] = took.map((it) => `${Math.round(it)} ms`)
  console.info(
    `moved ${move.title}: reached from the router after ${first}, by its new neighbour ${second}, by its old ${third}`,
  )
  await until('its old host has the route', () => gatewaysOf(move.from(), MOVER).length === 1)
})
