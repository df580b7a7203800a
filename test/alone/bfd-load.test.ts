/** BFD while a table arrives and goes to the kernel; at full size it is a bench (`npm run bench:bfd`). */
import { afterAll, beforeAll, expect, test } from 'vitest'
import {
  BfdNeighbors,
  neighborAddress,
  neighborsConfig,
  subjectAddress,
} from '../../bench/bfd-neighbors.ts'
import { usualTable } from '../../bench/load/routes.ts'
import { BgpPeer } from '../support/bgp-peer.ts'
import { Workshop } from '../support/daemon.ts'
import { enterFabric, wire, type Host } from '../support/fabric.ts'
import { until } from '../support/until.ts'

/** The bench asks for 3; here other tests of a busy machine must not count. */
const NEIGHBORS = { count: 20, intervalMs: 100, multiplier: 5 }
const PREFIXES = 200_000
const SENDER = '10.0.1.2'

const workshop = new Workshop()
let host: Host
let neighbors: BfdNeighbors
beforeAll(async () => {
  host = enterFabric()[0]
  const each = (of: (i: number) => string): string[] =>
    Array.from({ length: NEIGHBORS.count }, (_, i) => `${of(i)}/16`)
  await wire(host, {
    link: 'eth0',
    host: ['10.0.1.1/24', ...each(subjectAddress)],
    fabric: [`${SENDER}/24`, ...each(neighborAddress)],
  })
})
afterAll(async () => {
  await neighbors?.close()
  await workshop.close()
})

test('nobody gives anybody up while 200,000 routes go to the kernel', async () => {
  const daemon = await workshop.daemon(
    host,
    `
asn: 65000
routerId: 10.0.1.1
peers:
  - { name: sender, address: ${SENDER}, asn: 65001, passive: true, import: accept }
${neighborsConfig(NEIGHBORS)}
kernel: { ecmp: 1 }
`,
  )
  neighbors = new BfdNeighbors(NEIGHBORS)
  await until('all are up, at full pace', () => neighbors.allUp, 20_000)
  const sender = new BgpPeer({ remote: '10.0.1.1', local: SENDER, asn: 65001, countOnly: true })
  await sender.up()
  sender.send(usualTable(PREFIXES, 65001, SENDER))
  const installed = async (): Promise<boolean> => (await daemon.status()).fib.installed >= PREFIXES
  await until('all are in the kernel', installed, 40_000)
  const rows = (await daemon.peers()).filter(({ name }) => name !== 'sender')
  expect(rows).toHaveLength(NEIGHBORS.count)
  for (const row of rows) expect(row).toMatchObject({ bfd: 'Up', bfdFailures: 0 })
  expect(neighbors.failures).toBe(0)
  sender.close()
})
