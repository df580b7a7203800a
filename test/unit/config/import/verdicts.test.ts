/** Routes through the imported policies: accepted, rejected and changed as Calico's rules have it. */
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { ResolvedPeer } from '../../../../src/config/config.ts'
import { wordsOf } from '../../../../src/net/address.ts'
import { factsOf } from '../../../../src/net/family.ts'
import { prefix } from '../../../../src/net/prefix.ts'
import { CompiledPolicy } from '../../../../src/policy/compiled-policy.ts'
import type { PolicyDefinition } from '../../../../src/policy/definition.ts'
import { originOf, Route, type RouteOrigin } from '../../../../src/policy/policy.ts'
import type { Direction } from '../../../../src/policy/rule.ts'
import { SetReader } from '../../../../src/policy/set-reader.ts'
import { TrialSets } from '../../../../src/policy/trial.ts'
import { describeAttributes, encodeAttributes } from '../../../../src/wire/attributes/describe.ts'
import {
  calicoSays,
  type Announcing,
  type CalicoRoute,
  type CalicoRule,
  type Outcome,
} from './calico-rules.ts'
import { block, carried, cluster, documents, filter, node, peer, pool } from './cluster.ts'

const isLarge = (it: string): boolean => it.split(':').length === 3

const sourceOf = ({ learned, link }: CalicoRoute): string => `${learned} ${link}`

/** What linnet makes of routes: its policies, compiled once, with their caches. */
function linnetFor(policies: readonly PolicyDefinition[], direction: Direction) {
  const sets = new TrialSets()
  const world = { sets, reader: new SetReader(sets), rpkiState: () => 'notFound' as const }
  const policy = new CompiledPolicy(policies, direction, world)
  const origins = new Map<string, RouteOrigin>()
  return (told: CalicoRoute): Outcome => {
    const { prefix: text, asPath, communities, localPref, learned, link } = told
    const source = learned ? 'peer' : 'static'
    const from =
      origins.get(sourceOf(told)) ?? originOf({ local: !learned, name: 'x', source, link })
    origins.set(sourceOf(told), from)
    const bytes = encodeAttributes({
      origin: 'IGP',
      asPath: asPath.join(' '),
      nextHop: '10.0.1.1',
      communities: communities.filter((it) => !isLarge(it)),
      largeCommunities: communities.filter(isLarge),
      localPref,
    })
    const parsed = prefix(text)
    const route = new Route()
    route.family = factsOf(parsed.family)
    route.from = from
    route.words = wordsOf(parsed.bytes)
    route.length = parsed.length
    route.set = sets.intern(bytes, 0, bytes.length)
    if (!policy.judge(route).accept) return undefined
    const attributes = describeAttributes(sets.view(route.set))
    return {
      asPath: attributes.asPath === '' ? [] : attributes.asPath.split(' ').map(Number),
      communities: [...attributes.communities, ...attributes.largeCommunities],
      localPref: attributes.localPref ?? 100,
    }
  }
}

const comparable = (it: Outcome): Outcome =>
  it && {
    asPath: it.asPath,
    communities: it.communities.toSorted(),
    localPref: it.localPref,
  }

const PREFIXES_V4 = [
  '0.0.0.0/0',
  '10.0.0.0/8',
  '10.1.0.0/16',
  '10.1.2.0/24',
  '10.1.2.128/25',
  '10.1.2.3/32',
  '10.2.0.0/16',
  '10.244.7.0/26',
  '10.244.7.9/32',
  '10.244.8.0/26',
  '10.244.200.0/26',
  '192.0.2.0/24',
]
const PREFIXES_V6 = ['::/0', 'fd00::/8', 'fd00:1::/32', 'fd00:1:2::/48', 'fd00:1:2::3/128']

const ATTRIBUTES: readonly Omit<CalicoRoute, 'prefix'>[] = [
  { asPath: [65001], communities: [], localPref: 100, learned: true, link: 'eth0' },
  {
    asPath: [65001, 65002],
    communities: ['65001:100'],
    localPref: 100,
    learned: true,
    link: 'eth1',
  },
  { asPath: [65002, 65001], communities: ['65001:1:2'], localPref: 2147483547, learned: true },
  { asPath: [6500, 65001], communities: ['65001:1', '65001:100'], localPref: 100, learned: true },
]
const OWN: readonly Omit<CalicoRoute, 'prefix'>[] = [
  { asPath: [], communities: [], localPref: 100, learned: false },
  { asPath: [], communities: ['65001:100'], localPref: 100, learned: false, link: 'br-1' },
]

const routes = (
  prefixes: readonly string[],
  attributes: readonly Omit<CalicoRoute, 'prefix'>[],
): CalicoRoute[] => prefixes.flatMap((it) => attributes.map((more) => ({ prefix: it, ...more })))

const RULES_V4: readonly CalicoRule[] = [
  { action: 'Accept' },
  { action: 'Reject' },
  { cidr: '10.1.0.0/16', matchOperator: 'Equal', action: 'Reject' },
  { cidr: '10.1.0.0/16', matchOperator: 'NotEqual', action: 'Reject' },
  { cidr: '10.1.0.0/16', matchOperator: 'In', action: 'Reject' },
  { cidr: '10.1.0.0/16', matchOperator: 'NotIn', action: 'Reject' },
  { cidr: '0.0.0.0/0', matchOperator: 'Equal', action: 'Reject' },
  { cidr: '10.1.2.3/32', matchOperator: 'In', action: 'Reject' },
  { cidr: '10.0.0.0/8', matchOperator: 'In', prefixLength: { min: 16, max: 24 }, action: 'Reject' },
  { cidr: '10.0.0.0/8', matchOperator: 'In', prefixLength: { min: 25 }, action: 'Reject' },
  { cidr: '10.0.0.0/8', matchOperator: 'In', prefixLength: { max: 8 }, action: 'Reject' },
  { cidr: '10.0.0.0/8', matchOperator: 'In', prefixLength: { max: 7 }, action: 'Reject' },
  { cidr: '10.0.0.0/8', matchOperator: 'NotIn', prefixLength: { max: 7 }, action: 'Reject' },
  { cidr: '10.0.0.0/8', matchOperator: 'NotIn', prefixLength: { min: 16 }, action: 'Accept' },
  { cidr: '10.1.0.0/16', matchOperator: 'Equal', prefixLength: { min: 16 }, action: 'Reject' },
  { cidr: '10.1.0.0/16', matchOperator: 'NotEqual', prefixLength: { min: 17 }, action: 'Reject' },
  { source: 'RemotePeers', action: 'Reject' },
  { interface: 'eth*', action: 'Reject' },
  { interface: '*1', action: 'Accept' },
  { peerType: 'eBGP', action: 'Reject' },
  { peerType: 'iBGP', communities: { values: ['65001:100'] }, action: 'Accept' },
  { communities: { values: ['65001:100'] }, action: 'Reject' },
  { communities: { values: ['65001:1:2'] }, action: 'Accept' },
  { asPathPrefix: [65001], action: 'Reject' },
  { asPathPrefix: [65001, 65002], action: 'Accept' },
  { priority: 100, action: 'Reject' },
  { priority: 2147483547, action: 'Reject' },
  {
    cidr: '10.0.0.0/8',
    matchOperator: 'In',
    action: 'Accept',
    operations: [
      { addCommunity: { value: '65001:7' } },
      { prependASPath: { prefix: [65010, 65011] } },
      { addCommunity: { value: '65001:1:2' } },
      { prependASPath: { prefix: [65012] } },
      { setPriority: { value: 7 } },
    ],
  },
]
const RULES_V6: readonly CalicoRule[] = [
  { cidr: 'fd00:1::/32', matchOperator: 'In', prefixLength: { max: 64 }, action: 'Reject' },
  { cidr: 'fd00:1::/32', matchOperator: 'NotIn', action: 'Reject' },
  { cidr: '::/0', matchOperator: 'Equal', action: 'Reject' },
  { communities: { values: ['65001:100'] }, action: 'Accept' },
  { action: 'Reject' },
]

const ANNOUNCING: Announcing = {
  pools: [{ cidr: '10.244.0.0/16' }, { cidr: '10.244.192.0/18', disableBGPExport: true }],
  blocks: ['10.244.7.0/26'],
}

type Filters = readonly (readonly CalicoRule[])[]

/** For each of `lists` an internal and an external peer that has filters with these rules. */
function peersWith(lists: readonly Filters[], family: 'V4' | 'V6' = 'V4') {
  const address = (type: number, i: number): string =>
    family === 'V4' ? `10.0.${type}.${i + 1}` : `fd00:${type}::${i + 1}`
  const { config } = carried(
    documents(
      cluster(
        node('node-1', { ipv4Address: '10.0.1.11/24', ipv6Address: 'fd00::11/64' }),
        ...ANNOUNCING.pools.map((it, i) => pool(i === 0 ? 'pool' : 'kept', { ...it })),
        block('block', { cidr: '10.244.7.0/26' }),
        ...lists.flatMap((filters, i) => [
          ...filters.map((rules, k) =>
            filter(`f${i}-${k}`, { [`import${family}`]: rules, [`export${family}`]: rules }),
          ),
          ...[65001, 64512].map((asNumber, type) =>
            peer(`${type === 0 ? 'eBGP' : 'iBGP'}-${i}`, {
              peerIP: address(type + 20, i),
              asNumber,
              filters: filters.map((_, k) => `f${i}-${k}`),
            }),
          ),
        ]),
      ),
    ),
  )
  return (name: string): ResolvedPeer => {
    const found = config.peers.find((it) => it.name === name)
    if (found === undefined) throw new Error(`no peer ${name}`)
    return found
  }
}

/** Compares route by route; counts, so that no table is all the same. */
function compare(
  judged: ResolvedPeer,
  type: 'eBGP' | 'iBGP',
  filters: Filters,
  prefixes: readonly string[],
): { accepted: number; rejected: number } {
  const count = { accepted: 0, rejected: 0 }
  const different: unknown[] = []
  for (const direction of ['import', 'export'] as const) {
    const attributes = direction === 'import' ? ATTRIBUTES : [...ATTRIBUTES, ...OWN]
    const policies = direction === 'import' ? judged.importPolicy : judged.exportPolicy
    const linnetSays = linnetFor(policies, direction)
    for (const route of routes(prefixes, attributes)) {
      const announcing = direction === 'import' ? undefined : ANNOUNCING
      const calico = comparable(calicoSays(filters, route, type, announcing))
      const linnet = comparable(linnetSays(route))
      if (JSON.stringify(calico) !== JSON.stringify(linnet)) {
        different.push({ direction, route, calico, linnet })
      }
      count[linnet === undefined ? 'rejected' : 'accepted']++
    }
  }
  expect(different).toEqual([])
  return count
}

test('without filters', () => {
  const peerOf = peersWith([[]])
  for (const type of ['eBGP', 'iBGP'] as const) {
    const count = compare(peerOf(`${type}-0`), type, [], PREFIXES_V4)
    expect(count).toEqual({ accepted: 60, rejected: 60 })
  }
})

describe.each([
  { family: 'V4', rules: RULES_V4, prefixes: PREFIXES_V4 },
  { family: 'V6', rules: RULES_V6, prefixes: PREFIXES_V6 },
] as const)('each rule by itself, $family', ({ family, rules, prefixes }) => {
  const peerOf = peersWith(
    rules.map((rule) => [[rule]]),
    family,
  )
  test.each(rules.map((rule, i) => ({ title: JSON.stringify(rule), rule, i })))(
    '$title',
    ({ rule, i }) => {
      for (const type of ['eBGP', 'iBGP'] as const) {
        compare(peerOf(`${type}-${i}`), type, [[rule]], prefixes)
      }
    },
  )
})

/** One of each kind. */
const FEW = ['0.0.0.0/0', '10.1.0.0/16', '10.1.2.128/25', '10.244.7.9/32', '10.244.8.0/26']

test('any rules in any order, in several filters', () => {
  const rules = fc.array(fc.constantFrom(...RULES_V4.slice(2)), { minLength: 1, maxLength: 5 })
  const filters = fc.array(rules, { minLength: 1, maxLength: 3 })
  const lists = fc.array(filters, { minLength: 10, maxLength: 10 })
  fc.assert(
    fc.property(lists, (drawn) => {
      const peerOf = peersWith(drawn)
      for (const [i, it] of drawn.entries()) {
        const type = i % 2 === 0 ? 'eBGP' : 'iBGP'
        compare(peerOf(`${type}-${i}`), type, it, FEW)
      }
    }),
    { numRuns: 5 },
  )
})
