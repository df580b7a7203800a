/**
 * Link bandwidth communities (RFC 10005) as weights in the kernel, with nexthop objects and without: two
 * ToRs tell of different links, change their minds, and say nothing.
 */
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { announce } from '../../support/bgp-messages.ts'
import { BgpPeer } from '../../support/bgp-peer.ts'
import { linnet, Workshop, type Daemon } from '../../support/daemon.ts'
import { enterFabric, weightsOf, wire, type Host } from '../../support/fabric.ts'
import { until } from '../../support/until.ts'

const workshop = new Workshop()
let host: Host
let tors: readonly BgpPeer[] = []
beforeAll(async () => {
  host = enterFabric()[0]
  await wire(host, {
    link: 'eth0',
    host: ['10.0.1.1/24'],
    fabric: ['10.0.1.2/24', '10.0.1.3/24'],
  })
})
afterEach(async () => {
  for (const tor of tors) tor.close()
  await workshop.endDaemons()
  host.ip('route flush proto 179')
})
afterAll(() => workshop.close())

const PREFIX = '198.51.100.0/24'

async function start(
  more: string,
  [ofA, ofB]: readonly [string, string] = ['accept', 'accept'],
): Promise<Daemon> {
  const daemon = await workshop.daemon(
    host,
    `
asn: 65101
routerId: 10.0.1.1
peers:
  - { name: tor-a, address: 10.0.1.2, asn: 65001, passive: true, import: ${ofA} }
  - { name: tor-b, address: 10.0.1.3, asn: 65002, passive: true, import: ${ofB} }
${more}
`,
  )
  const up = (local: string, asn: number): Promise<BgpPeer> =>
    new BgpPeer({ local, remote: '10.0.1.1', asn }).up()
  tors = await Promise.all([up('10.0.1.2', 65001), up('10.0.1.3', 65002)])
  return daemon
}

/** EXTENDED_COMMUNITIES with one that says so many bytes per second (IEEE 754), of AS 65001. */
function bandwidth(type: number, bytesPerSecond: number): number[] {
  const rate = new DataView(new ArrayBuffer(4))
  rate.setFloat32(0, bytesPerSecond)
  return [0xc0, 16, 8, type, 0x04, 0xfd, 0xe9, ...new Uint8Array(rate.buffer)]
}
const NON_TRANSITIVE = 0x40
const TRANSITIVE = 0x00
const GBIT = 125_000_000

function tell(tor: 0 | 1, also: readonly number[]): void {
  const { local, asn } = tors[tor].options
  tors[tor].send(announce({ prefixes: [PREFIX], nextHop: local, asPath: [asn], also }))
}

async function weigh(...weights: readonly string[]): Promise<void> {
  const text = weights.join()
  await until(`the kernel has ${text}`, () => weightsOf(host, PREFIX).join() === text)
}

describe.each(['auto', 'off'])('with nexthopObjects: %s', (objects) => {
  test('each gets what its link carries, as long as both tell of theirs', async () => {
    const daemon = await start(`kernel: { nexthopObjects: ${objects} }`)
    tell(0, bandwidth(NON_TRANSITIVE, 10 * GBIT))
    tell(1, bandwidth(TRANSITIVE, 40 * GBIT))
    await weigh('10.0.1.2*1', '10.0.1.3*4')
    const [row] = await daemon.fib({ prefix: PREFIX })
    expect(row.nextHops.map(({ via, weight }) => [via, weight])).toEqual([
      ['10.0.1.2', 1],
      ['10.0.1.3', 4],
    ])
    const routes = await daemon.routes({ prefix: PREFIX })
    expect(routes.map(({ peer, weight }) => `${peer} ${weight}`).toSorted()).toEqual([
      'tor-a 1',
      'tor-b 4',
    ])
    const { stdout } = await linnet(host, ['show', 'routes', '--socket', daemon.socket])
    expect(stdout).toMatch(/tor-a .* 1 +\d+s  (best|multipath)/)
    expect(stdout).toMatch(/tor-b .* 4 +\d+s  (best|multipath)/)

    tell(0, bandwidth(NON_TRANSITIVE, 100 * GBIT))
    await weigh('10.0.1.2*5', '10.0.1.3*2')
    tell(0, [])
    await weigh('10.0.1.2*1', '10.0.1.3*1')
    expect((await daemon.routes({ prefix: PREFIX })).map(({ weight }) => weight)).toEqual([
      null,
      null,
    ])
  })
})

test('are not looked at when that is asked for', async () => {
  const daemon = await start('decision: { linkBandwidth: ignore }')
  tell(0, bandwidth(NON_TRANSITIVE, 10 * GBIT))
  tell(1, bandwidth(NON_TRANSITIVE, 40 * GBIT))
  await weigh('10.0.1.2*1', '10.0.1.3*1')
  expect((await daemon.routes({ prefix: PREFIX })).map(({ weight }) => weight)).toEqual([
    null,
    null,
  ])
})

test('can be set by a policy where the peers tell nothing', async () => {
  const policy = (rate: string): string =>
    `[{ set: { extendedCommunity: { add: ["bandwidth:65101:${rate}"] } }, then: accept }]`
  await start(`policies: { slow: ${policy('1.25e9')}, fast: ${policy('5e9')} }`, ['slow', 'fast'])
  tell(0, [])
  tell(1, [])
  await weigh('10.0.1.2*1', '10.0.1.3*4')
})
