import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Family } from '../../src/net/family.ts'
import { bird } from '../support/daemons/bird.ts'
import { byPrefix, familyOf, route, type Route } from '../support/daemons/route.ts'
import { eventually, eventuallyEqual } from '../support/eventually.ts'
import { Chain, linnetSeenFrom, linnetTowards } from './chain.ts'

const LINNET_ASN = 65001
const LEFT_ASN = 4200000002
const RIGHT_ASN = 65003

/** 10,000 routes with 60 sets of attributes between them. */
const ROUTES: readonly Route[] = [...Array(10_000).keys()].map((n) =>
  route({
    prefix: n < 8000 ? `10.${128 + (n >> 8)}.${n & 255}.0/24` : `fd00:b:${n.toString(16)}::/48`,
    origin: (['igp', 'egp', 'incomplete'] as const)[n % 3],
    asPath: n % 4 === 0 ? '' : `${4200000010 + (n % 4)} 65010`,
    med: n % 5,
    communities: n % 2 === 0 ? [`65002:${n % 5}`] : [],
    largeCommunities: n % 3 === 0 ? ['4200000002:1:2'] : [],
    extendedCommunities: n % 5 === 0 ? ['rt:65002:9'] : [],
  }),
)

let chain: Chain
beforeAll(async () => {
  chain = await Chain.open({
    linnetAsn: LINNET_ASN,
    left: { daemon: bird, asn: LEFT_ASN },
    right: { daemon: bird, asn: RIGHT_ASN },
    peers: {},
  })
})
afterAll(() => chain?.close())

const PATIENCE = { deadlineMs: 40_000, pauseMs: 300 }

const rightHas = (family: Family, routes: readonly Route[]): Promise<void> =>
  eventuallyEqual(
    `${family} routes in the right BIRD's table`,
    () => chain.right.table(linnetSeenFrom('right', LINNET_ASN, family), family),
    byPrefix(
      routes
        .filter(({ prefix }) => familyOf(prefix) === family)
        .map((it) => ({
          ...it,
          nextHop: linnetTowards('right', family),
          asPath: `${LINNET_ASN} ${LEFT_ASN} ${it.asPath}`.trim(),
          med: null, // RFC 4271 5.1.4: not told to a third AS
        })),
    ),
    PATIENCE,
  )

test('10,000 routes of one BIRD are in the table of another, every attribute as due', async () => {
  await chain.left.originate(ROUTES)
  await rightHas('ipv4', ROUTES)
  await rightHas('ipv6', ROUTES)
})

test('half of them withdrawn, the other half changed: the tables agree again', async () => {
  const now = ROUTES.filter((_, n) => n % 2 === 0).map((it) => ({
    ...it,
    origin: 'incomplete' as const,
    communities: ['65002:77'],
  }))
  await chain.left.originate(now)
  await rightHas('ipv4', now)
  await rightHas('ipv6', now)
})

test('when the session with the first is gone, so are its routes', async () => {
  await chain.left.kill()
  await rightHas('ipv4', [])
  await rightHas('ipv6', [])
  const peer = await eventually(
    'linnet has forgotten them',
    () => chain.linnet.peer('right4'),
    ({ announced }) => announced === 0,
  )
  expect(peer.state).toBe('Established')
})
