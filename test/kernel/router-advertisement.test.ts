/** Router advertisements between two ends of a link of the real kernel (RFC 4861). */
import { writeFileSync } from 'node:fs'
import { afterEach, beforeAll, test } from 'vitest'
import { routerDiscovery } from '../../src/linux/router-advertisement.ts'
import type { Discovery, DiscoveryLink } from '../../src/session/neighbor-discovery.ts'
import { ip } from '../support/box.ts'
import { enterFabric, wire, type Host } from '../support/fabric.ts'
import { until } from '../support/until.ts'

/** The four that follow each other in the first seconds. */
const FIRST_COUNT = 4

let host: Host
let near: DiscoveryLink
let far: DiscoveryLink
const open: Discovery[] = []
beforeAll(async () => {
  host = enterFabric()[0]
  const noDetection = (): void => writeFileSync('/proc/sys/net/ipv6/conf/default/accept_dad', '0')
  noDetection()
  host.within(noDetection)
  const name = await wire(host, { link: 'eth0', host: [], fabric: [] })
  const indexIn = (json: string): number => (JSON.parse(json) as { ifindex: number }[])[0].ifindex
  near = { name: 'eth0', index: indexIn(host.ip('-j link show dev eth0')) }
  far = { name, index: indexIn(ip(`-j link show dev ${name}`)) }
})
afterEach(() => {
  for (const discovery of open.splice(0)) discovery.close()
})

test('who asks is answered at once, not when the next one is due ten seconds later', async () => {
  let first = 0
  open.push(
    routerDiscovery().open(far, () => first++),
    host.within(() => routerDiscovery().open(near, () => {})),
  )
  await until('the first ones have been heard', () => first >= FIRST_COUNT)
  let second = 0
  open.push(routerDiscovery().open(far, () => second++))
  await until('who came late has been answered', () => second > 0, 5000)
})
