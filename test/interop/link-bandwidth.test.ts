/** BIRD and FRR offer the same prefix behind links of different bandwidths (RFC 10005). */
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { FibRow, RouteRow } from '../../src/control/rows.ts'
import { bird } from '../support/daemons/bird.ts'
import { frr } from '../support/daemons/frr.ts'
import { route } from '../support/daemons/route.ts'
import { eventually } from '../support/eventually.ts'
import { addressOf, Chain } from './chain.ts'

const BIRD_ASN = 65002
const FRR_ASN = 65003
const PREFIX = '10.205.1.0/24'

let chain: Chain
beforeAll(async () => {
  chain = await Chain.open({
    linnetAsn: 65001,
    left: { daemon: bird, asn: BIRD_ASN },
    right: { daemon: frr, asn: FRR_ASN },
    peers: {},
  })
})
afterAll(() => chain?.close())

/** 4 Gbit/s of BIRD's AS, as it writes what it has no word for. */
const IN_BIRD = 'generic:0x0004fdea:0x4dee6b28'

test('linnet forwards over both, each by its weight', async () => {
  await chain.left.originate([route({ prefix: PREFIX, extendedCommunities: [IN_BIRD] })])
  const bandwidth = `transitive-bandwidth:${FRR_ASN}:125000000`
  await chain.right.originate([route({ prefix: PREFIX, extendedCommunities: [bandwidth] })])
  const rows = await eventually(
    'both paths are there',
    async () =>
      JSON.parse(
        await chain.linnet.command('show', 'routes', '--prefix', PREFIX, '--json'),
      ) as RouteRow[],
    (found) => found.filter(({ weight }) => weight !== null).length === 2,
  )
  const byPeer = new Map(rows.map((row) => [row.peer, row]))
  expect(byPeer.get('left4')).toMatchObject({
    weight: 4,
    extendedCommunities: [`transitive-bandwidth:${BIRD_ASN}:500000000`],
  })
  expect(byPeer.get('right4')).toMatchObject({ weight: 1, extendedCommunities: [bandwidth] })
  const fib = await eventually(
    'the route is in the kernel',
    async () => JSON.parse(await chain.linnet.command('show', 'fib', '--json')) as FibRow[],
    (found) => found.some(({ prefix, state }) => prefix === PREFIX && state === 'installed'),
  )
  const legs = fib.find(({ prefix }) => prefix === PREFIX)?.nextHops
  expect(legs?.map(({ via, weight }) => [via, weight])).toEqual([
    [addressOf('left', 'ipv4'), 4],
    [addressOf('right', 'ipv4'), 1],
  ])
})
