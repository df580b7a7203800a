/**
 * Policies, and the RPKI in them: what one daemon announces, linnet filters and changes on the way in and on
 * the way out, and the table of the other daemon shows.
 */
import { expect } from 'vitest'
import { parse } from 'yaml'
import { bird } from '../support/daemons/bird.ts'
import { frr } from '../support/daemons/frr.ts'
import { byPrefix, familyOf, route, type Route } from '../support/daemons/route.ts'
import { eventually, eventuallyEqual } from '../support/eventually.ts'
import { RtrServer } from '../support/rtr-server.ts'
import type { ChainSuite, Stage } from './chain-suites.ts'
import { linnetConfig, linnetSeenFrom, linnetTowards, type Side } from './chain.ts'

const LINNET_ASN = 65001
const ASN: Readonly<Record<Side, number>> = { left: 65002, right: 65003 }
const SIDES = [
  { from: 'left', to: 'right' },
  { from: 'right', to: 'left' },
] as const
const CACHE_PORT = 3323

/** Prefix, AS path and community decide on import; the mark that it leaves decides on export. */
const FILTERS = `
  from-them:
    - { match: { asPath: _64666_ }, then: reject }
    - { match: { community: "65010:666" }, then: reject }
    - match: { prefix: customers }
      set:
        med: 50
        localPref: 200
        community: { remove: "65010:*", add: "65001:1" }
        largeCommunity: { add: "65001:2:3" }
      then: accept
    - { match: { prefix: others }, set: { community: { set: "65001:2" } }, then: accept }
    - then: reject
  to-them:
    - match: { community: "65001:1" }
      set: { prepend: { asn: 65001, times: 2 }, med: 7, origin: incomplete }
      then: accept
    - { match: { community: "65001:2" }, then: accept }
`

/** Other rules for the same routes. */
const OTHER_FILTERS = `
  from-them:
    - { match: { prefix: customers }, then: reject }
    - { set: { extendedCommunity: { add: "rt:65001:9" } }, then: accept }
  to-them:
    - { match: { not: { asPath: _64666_ } }, then: accept }
`

const BY_RPKI = `
  from-them:
    - { match: { rpki: invalid }, then: reject }
    - { match: { rpki: valid }, set: { community: { add: "65001:11" } }, then: accept }
    - { match: { rpki: notFound }, set: { community: { add: "65001:12" } }, then: accept }
  to-them:
    - then: accept
`

const config = (policies: string): Record<string, unknown> => ({
  sets: {
    prefixes: {
      customers: ['10.202.0.0/16 le 24', '10.203.0.0/16 le 24', 'fd00:200::/32 le 48'],
      others: ['10.204.0.0/16 le 24', 'fd00:204::/32 le 48'],
    },
  },
  policies: parse(policies) as unknown,
})

/** What the daemon on this side announces: of each kind one, and of the last two families. */
function announced(side: Side): Route[] {
  const n = side === 'left' ? 2 : 3
  const communities = ['65010:5', '65020:5']
  return [
    route({ prefix: `10.20${n}.1.0/24`, asPath: '65010', med: 3, communities }),
    route({ prefix: `10.20${n}.2.0/25`, asPath: '65010', med: 3 }),
    route({ prefix: `10.20${n}.3.0/24`, asPath: '65010 64666', med: 3 }),
    route({ prefix: `10.20${n}.4.0/24`, asPath: '65010', med: 3, communities: ['65010:666'] }),
    route({ prefix: `10.204.${n}.0/24`, asPath: '65010', med: 3, communities }),
    route({ prefix: `10.20${n + 3}.5.0/24`, med: 3 }),
    route({ prefix: `fd00:200:${n}::/48`, med: 3, communities }),
    route({ prefix: `fd00:204:${n}::/48`, med: 3, communities }),
  ]
}

/** As the other side has it, when nothing but the path is changed. */
const passed = (from: Side, to: Side, it: Route): Route => ({
  ...it,
  nextHop: linnetTowards(to, familyOf(it.prefix)),
  asPath: `${LINNET_ASN} ${ASN[from]} ${it.asPath}`.trim(),
  med: null,
})

function filtered(from: Side, to: Side): Route[] {
  const [customer, , , , other, , customer6, other6] = announced(from)
  return [
    ...[customer, customer6].map((it) =>
      route({
        ...passed(from, to, it),
        asPath: `${LINNET_ASN} ${LINNET_ASN} ${passed(from, to, it).asPath}`,
        med: 7,
        origin: 'incomplete',
        communities: ['65001:1', ...it.communities.filter((text) => !text.startsWith('65010:'))],
        largeCommunities: ['65001:2:3'],
      }),
    ),
    ...[other, other6].map((it) => route({ ...passed(from, to, it), communities: ['65001:2'] })),
  ]
}

async function otherSideHas(stage: Stage, to: Side, routes: readonly Route[]): Promise<void> {
  for (const family of ['ipv4', 'ipv6'] as const) {
    await eventuallyEqual(
      `${family} routes in ${stage.options[to].daemon.title}`,
      () => stage.chain[to].table(linnetSeenFrom(to, LINNET_ASN, family), family),
      byPrefix(routes.filter(({ prefix }) => familyOf(prefix) === family)),
    )
  }
}

const reload = ({ chain, options }: Stage, more: Readonly<Record<string, unknown>>) =>
  chain.linnet.reload(linnetConfig({ ...options, more }))

/** Since when each session is up, and how many refreshes were asked for. */
const quiet = ({ chain }: Stage): Promise<unknown[]> =>
  Promise.all(
    ['left4', 'left6', 'right4', 'right6'].map(async (name) => {
      const { since, messagesSent, messagesReceived } = await chain.linnet.peer(name)
      return [name, since, messagesSent.routeRefresh, messagesReceived.routeRefresh]
    }),
  )

// --- the RPKI

const cacheOf = new WeakMap<Stage, RtrServer>()

function validated(side: Side): Readonly<Record<'good' | 'bad' | 'unknown' | 'good6', Route>> {
  const n = side === 'left' ? 2 : 3
  return {
    good: route({ prefix: `10.20${n}.1.0/24`, med: 0 }),
    bad: route({ prefix: `10.20${n}.2.0/24`, med: 0 }),
    unknown: route({ prefix: `10.20${n}.99.0/24`, med: 0 }),
    good6: route({ prefix: `fd00:200:${n}::/48`, med: 0 }),
  }
}

const marked = (from: Side, to: Side, it: Route, community: string): Route => ({
  ...passed(from, to, it),
  communities: [community],
})

/** VRPs under which `good` is valid, and `bad` invalid: another AS holds it, or a longer prefix than may be. */
const FIRST_VRPS = SIDES.flatMap(({ from }) => {
  const { good, bad, good6 } = validated(from)
  return [
    `${good.prefix}-24 ${ASN[from]}`,
    from === 'left'
      ? `${bad.prefix}-24 65099`
      : `${bad.prefix.replace('2.0/24', '0.0/20')}-20 ${ASN[from]}`,
    `${good6.prefix}-48 ${ASN[from]}`,
  ]
})

/** The other way round. */
const NEXT_VRPS = SIDES.flatMap(({ from }) => {
  const { good, bad, good6 } = validated(from)
  return [`${good.prefix}-24 65099`, `${bad.prefix}-24 ${ASN[from]}`, `${good6.prefix}-48 65099`]
})

async function rpkiFilters(stage: Stage): Promise<void> {
  const cache = await RtrServer.listen(stage.chain.host('linnet'), CACHE_PORT)
  stage.atEnd(() => cache.close())
  cacheOf.set(stage, cache)
  for (const { from } of SIDES) await stage.chain[from].originate(Object.values(validated(from)))
  await reload(stage, config(BY_RPKI))
  for (const { from, to } of SIDES) {
    const all = Object.values(validated(from))
    await otherSideHas(
      stage,
      to,
      all.map((it) => marked(from, to, it, '65001:12')),
    )
  }
  cache.cache.publish(FIRST_VRPS)
  await reload(stage, { ...config(BY_RPKI), rpki: [{ address: '127.0.0.1', port: CACHE_PORT }] })
  for (const { from, to } of SIDES) {
    const { good, unknown, good6 } = validated(from)
    await otherSideHas(stage, to, [
      marked(from, to, good, '65001:11'),
      marked(from, to, unknown, '65001:12'),
      marked(from, to, good6, '65001:11'),
    ])
  }
}

async function invalidShown(stage: Stage): Promise<void> {
  for (const { from } of SIDES) {
    const { bad, good } = validated(from)
    const rows = await stage.chain.linnet.received(`${from}4`, 'ipv4')
    const find = (prefix: string) => rows.find((it) => it.prefix === prefix)
    expect(find(bad.prefix)).toMatchObject({ rpki: 'invalid', valid: false, installed: false })
    expect(find(bad.prefix)?.reason).toContain('from-them')
    expect(find(good.prefix)).toMatchObject({ rpki: 'valid', valid: true, best: true })
    await eventually(
      'the kernel has what is valid, and not what is invalid',
      () => stage.chain.host('linnet').run('ip', 'route', 'show'),
      (text) => text.includes(good.prefix) && !text.includes(bad.prefix),
    )
  }
}

async function cacheChanges(stage: Stage): Promise<void> {
  const before = await quiet(stage)
  cacheOf.get(stage)?.cache.publish(NEXT_VRPS)
  for (const { from, to } of SIDES) {
    const { bad, unknown } = validated(from)
    await otherSideHas(stage, to, [
      marked(from, to, bad, '65001:11'),
      marked(from, to, unknown, '65001:12'),
    ])
  }
  expect(await quiet(stage), 'sessions and refreshes').toEqual(before)
}

export const POLICIES: readonly ChainSuite[] = [
  {
    title: 'Policies, between BIRD and FRR',
    options: {
      linnetAsn: LINNET_ASN,
      left: { daemon: bird, asn: ASN.left },
      right: { daemon: frr, asn: ASN.right },
      peers: { import: 'from-them', export: 'to-them' },
      more: config(FILTERS),
    },
    cases: [
      {
        title:
          'prefix sets, AS path and communities decide; MED, ORIGIN, prepends and communities are as set',
        run: async (stage) => {
          for (const { from } of SIDES) await stage.chain[from].originate(announced(from))
          for (const { from, to } of SIDES) await otherSideHas(stage, to, filtered(from, to))
        },
      },
      {
        title:
          'other policies after a reload: the tables follow, no session and no refresh is needed',
        run: async (stage) => {
          const before = await quiet(stage)
          await reload(stage, config(OTHER_FILTERS))
          for (const { from, to } of SIDES) {
            const [, short, , , other, fifth, , other6] = announced(from)
            await otherSideHas(
              stage,
              to,
              [short, other, fifth, other6].map((it) =>
                route({ ...passed(from, to, it), extendedCommunities: ['rt:65001:9'] }),
              ),
            )
          }
          expect(await quiet(stage), 'sessions and refreshes').toEqual(before)
        },
      },
      {
        title:
          '`rpki` (RFC 6811): without a cache all is notFound, with one the invalid go nowhere',
        run: rpkiFilters,
      },
      {
        title: 'what is invalid is shown, with its reason, and is not in our kernel',
        run: invalidShown,
      },
      {
        title:
          'the cache has other data (RFC 8210): the tables follow, no session and no refresh is needed',
        run: cacheChanges,
      },
    ],
  },
]
