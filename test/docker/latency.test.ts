/**
 * How long the other host's kernel has to wait for a route: from the event here to the route there, through
 * the router in between, by the clock of the one machine that all of them are on.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openFabric, ROUTED, startTor, type Fabric } from '../support/docker-fabric.ts'
import { RouteWatch } from '../support/route-watch.ts'
import { until } from '../support/until.ts'

const SAMPLES = 20
const WAYS: { title: string; prefix: (i: number) => string; limitMs: number }[] = [
  { title: 'ip addr add', prefix: (i) => `10.79.${i}.0/24`, limitMs: 1_000 },
  { title: 'docker network create', prefix: (i) => `10.76.${i}.0/24`, limitMs: 2_000 },
]

describe('a prefix of a bridge reaches the kernel of the other host', () => {
  let fabric: Fabric
  let routes: RouteWatch
  let addresses: RouteWatch

  beforeAll(async () => {
    fabric = await openFabric(ROUTED)
    const { 1: host1, 2: host2 } = fabric.hosts
    await Promise.all([startTor(fabric), host1.startLinnet(), host2.startLinnet()])
    await until('host 2 knows host 1', async () => (await host2.learned()).length === 1, 15_000)
    routes = await RouteWatch.start(host2, 'route')
    addresses = await RouteWatch.start(host1, 'address')
    await host1.run('ip', 'link', 'add', 'br-test', 'type', 'bridge')
    await host1.run('ip', 'link', 'set', 'br-test', 'up')
  })
  afterAll(() => fabric?.close())

  test.each(WAYS)('in time after $title', async ({ title, prefix, limitMs }) => {
    const { 1: host1 } = fabric.hosts
    const fromCommand: number[] = []
    const fromAddress: number[] = []
    for (let i = 0; i < SAMPLES; i++) {
      const network = prefix(i)
      const address = network.replace('.0/24', '.1/24')
      const startedAt = performance.timeOrigin + performance.now()
      if (title === 'ip addr add') await host1.run('ip', 'addr', 'add', address, 'dev', 'br-test')
      else await host1.docker('network', 'create', `--subnet=${network}`, `net${i}`)
      await until(`${network} is there`, () => routes.events(network).length > 0, limitMs)
      const [route] = routes.events(network)
      await until(`${address} was told`, () => addresses.events(address).length > 0, limitMs)
      const [added] = addresses.events(address)
      fromCommand.push(route.atMs - startedAt)
      fromAddress.push(route.atMs - added.atMs)
    }
    console.log(`${title} -> route in the other host's kernel: ${spread(fromCommand)}`)
    console.log(`address event -> route in the other host's kernel: ${spread(fromAddress)}`)
    expect(Math.max(...fromCommand)).toBeLessThan(limitMs)
  })
})

function spread(samples: readonly number[]): string {
  const sorted = samples.toSorted((a, b) => a - b)
  const median = (sorted[(sorted.length - 1) >> 1] + sorted[sorted.length >> 1]) / 2
  const worst = Math.max(...sorted)
  return `median ${median.toFixed(1)} ms, max ${worst.toFixed(1)} ms of ${sorted.length}`
}
