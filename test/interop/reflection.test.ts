import { afterAll, beforeAll, test } from 'vitest'
import { bird } from '../support/daemons/bird.ts'
import { frr } from '../support/daemons/frr.ts'
import { byPrefix, route, type Route } from '../support/daemons/route.ts'
import { eventually, eventuallyEqual } from '../support/eventually.ts'
import { addressOf, Chain, linnetSeenFrom } from './chain.ts'

const ASN = 65001
/** Of BIRD, and of the cluster: linnet's router id. */
const ORIGINATOR = '10.1.0.2'
const CLUSTER = '10.1.0.1'

let chain: Chain
beforeAll(async () => {
  chain = await Chain.open({
    linnetAsn: ASN,
    left: { daemon: bird, asn: ASN },
    right: { daemon: frr, asn: ASN },
    peers: { routeReflectorClient: true },
  })
})
afterAll(() => chain?.close())

const OWN: readonly Route[] = [
  route({ prefix: '10.202.1.0/24', med: 5, localPref: 150, communities: ['65001:5'] }),
  route({ prefix: '10.202.2.0/24', origin: 'egp', localPref: 160, asPath: '65010 4200000010' }),
]
const OWN6 = [route({ prefix: 'fd00:202:1::/48', localPref: 170, largeCommunities: ['65001:1:2'] })]

test.for([
  { family: 'ipv4', routes: OWN },
  { family: 'ipv6', routes: OWN6 },
] as const)(
  'FRR, a client, has the $family routes of BIRD, a client: next hop and all kept, ORIGINATOR_ID and CLUSTER_LIST added',
  async ({ family, routes }) => {
    await chain.left.originate([...OWN, ...OWN6])
    await eventuallyEqual(
      'routes in FRR',
      () => chain.right.table(linnetSeenFrom('right', ASN, family), family),
      byPrefix(routes).map((it) => ({
        ...it,
        nextHop: addressOf('left', family),
        originatorId: ORIGINATOR,
        clusterList: [CLUSTER],
      })),
    )
  },
)

test('FRR forwards by them: their next hop is reached through the host of the reflector', async () => {
  await eventually(
    'routes of FRR in its kernel',
    () => chain.routesOfRight(),
    (routes) =>
      ['10.202.1.0/24', 'fd00:202:1::/48'].every((prefix) =>
        routes.some(({ dst, protocol }) => dst === prefix && protocol === 'bgp'),
      ),
  )
})

test('BIRD does not get its own routes back, and has those of FRR', async () => {
  const its = route({ prefix: '10.203.1.0/24', med: 0, localPref: 120 })
  await chain.right.originate([its])
  await eventuallyEqual(
    'routes in BIRD',
    () => chain.left.table(linnetSeenFrom('left', ASN, 'ipv4'), 'ipv4'),
    [
      {
        ...its,
        nextHop: addressOf('right', 'ipv4'),
        originatorId: '10.2.0.2',
        clusterList: [CLUSTER],
      },
    ],
  )
})
