/** An aggregate in the kernel: a blackhole beside the routes that it stands for. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { announce, withdraw } from '../../support/bgp-messages.ts'
import { BgpPeer } from '../../support/bgp-peer.ts'
import { Workshop } from '../../support/daemon.ts'
import { enterFabric, gatewaysOf, ourRoutes, wire, type Host } from '../../support/fabric.ts'
import { until } from '../../support/until.ts'

const workshop = new Workshop()
let host: Host
let peer: BgpPeer
beforeAll(async () => {
  host = enterFabric()[0]
  await wire(host, { link: 'eth0', host: ['10.0.1.1/24'], fabric: ['10.0.1.2/24'] })
})
afterAll(async () => {
  peer.close()
  await workshop.close()
})

/** RTN_BLACKHOLE. */
const BLACKHOLE = '6'

const kinds = (): Record<string, string> =>
  Object.fromEntries(
    [...ourRoutes(host)].map(([prefix, { type }]) => [
      prefix,
      type === BLACKHOLE ? 'blackhole' : gatewaysOf(host, prefix).join(),
    ]),
  )

test('drops what no route inside takes, and goes with the last of them', async () => {
  await workshop.daemon(
    host,
    `
asn: 65101
peers: [{ name: tor, address: 10.0.1.2, asn: 65001, passive: true, import: accept }]
advertise: { aggregates: [{ prefix: 10.244.0.0/16, summaryOnly: true }] }
`,
  )
  peer = await new BgpPeer({ local: '10.0.1.2', remote: '10.0.1.1', asn: 65001 }).up()
  expect(kinds()).toEqual({})
  peer.send(announce({ prefixes: ['10.244.5.0/24'], nextHop: '10.0.1.2', asPath: [65001] }))
  await until('the aggregate is there', () => '10.244.0.0/16' in kinds())
  await until('and what is inside', () => '10.244.5.0/24' in kinds())
  expect(kinds()).toEqual({ '10.244.0.0/16': 'blackhole', '10.244.5.0/24': '10.0.1.2' })
  await until('the peer hears it', () => peer.heard.has('10.244.0.0/16'))
  peer.send(withdraw('10.244.5.0/24'))
  await until('both are gone', () => Object.keys(kinds()).length === 0)
  await until('also for the peer', () => peer.heard.size === 0)
})
