/** `announce: afterInstall`: a route is passed on when the kernel has it, and for as long as it has it. */
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { announce } from '../../support/bgp-messages.ts'
import { BgpPeer } from '../../support/bgp-peer.ts'
import { Workshop } from '../../support/daemon.ts'
import { enterFabric, ourRoutes, wire, type Host } from '../../support/fabric.ts'
import { until } from '../../support/until.ts'

const workshop = new Workshop()
let host: Host
beforeAll(async () => {
  host = enterFabric()[0]
  const fabric = [SENDER, RECEIVER].map((it) => `${it}/24`)
  await wire(host, { link: 'eth0', host: ['10.0.1.1/24'], fabric })
})
const peers: BgpPeer[] = []
afterEach(async () => {
  for (const peer of peers.splice(0)) peer.close()
  await workshop.endDaemons()
})
afterAll(() => workshop.close())

const SENDER = '10.0.1.2'
const RECEIVER = '10.0.1.3'
const PREFIXES = Array.from({ length: 50 }, (_, i) => `198.18.${i}.0/24`)
/** Somebody else has a route of this prefix and metric in the kernel. */
const TAKEN = '203.0.113.0/24'
/** Never installed: it lies within what the host announces itself. */
const INSIDE = '172.18.1.0/25'
const OWN = '172.18.1.0/24'

const config = (when: string): string => `
asn: 65101
routerId: 10.0.1.1
peers:
  - { name: sender, address: ${SENDER}, asn: 65001, passive: true, import: accept }
  - { name: receiver, address: ${RECEIVER}, asn: 65002, passive: true, export: accept, announce: ${when} }
advertise: { prefixes: [${OWN}] }
`

test('what the kernel has is passed on, and nothing else that was learned', async () => {
  const foreign = `route add blackhole ${TAKEN} metric 20 proto static`
  host.ip(foreign)
  const daemon = await workshop.daemon(host, config('afterInstall'))
  const prefixes = [...PREFIXES, TAKEN, INSIDE]
  const routes = [announce({ prefixes, nextHop: SENDER, asPath: [65001] })]
  const sender = new BgpPeer({ local: SENDER, remote: '10.0.1.1', asn: 65001, routes })
  const receiver = new BgpPeer({ local: RECEIVER, remote: '10.0.1.1', asn: 65002 })
  peers.push(sender, receiver)
  await Promise.all([sender.up(), receiver.up()])
  const hears = (...expected: readonly string[]): boolean =>
    [...receiver.heard.keys()].toSorted().join() === expected.toSorted().join()
  await until('it hears what is there', () => hears(...PREFIXES, OWN))
  await until('that was all', () => receiver.endOfRibs > 0)
  expect(ourRoutes(host).has(TAKEN)).toBe(false)

  host.ip(`route del blackhole ${TAKEN} metric 20`)
  await until('it hears of one that is taken now', () => hears(...PREFIXES, TAKEN, OWN))
  expect(ourRoutes(host).has(TAKEN)).toBe(true)

  host.ip('link set eth0 down') // the kernel drops all, and can have none of them
  host.ip('link set eth0 up')
  await until('all are back', () => ourRoutes(host).size === PREFIXES.length + 1)
  await until('it hears all again', () => hears(...PREFIXES, TAKEN, OWN))

  daemon.rewriteConfig(config('atOnce'))
  daemon.signal('SIGHUP')
  await until('it hears what is not installed, too', () => hears(...prefixes, OWN))
  expect([sender.sessions, receiver.sessions]).toEqual([1, 1])
})
