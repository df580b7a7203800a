import { describe, expect, test } from 'vitest'
import { MATCHES } from '../../../src/policy/match/index.ts'
import { policyOf, tryRoute, type TriedRoute } from './trying.ts'

const V6 = { prefix: '2001:db8:1::/48', nextHop: '2001:db8::1' }

/** A match, routes that it takes, and routes that it does not. */
const rows: readonly {
  readonly match: string
  readonly yes: readonly TriedRoute[]
  readonly no: readonly TriedRoute[]
}[] = [
  {
    match: 'prefix: 10.1.0.0/16',
    yes: [{ prefix: '10.1.0.0/16' }],
    no: [{ prefix: '10.1.0.0/17' }, { prefix: '10.0.0.0/8' }, V6],
  },
  {
    match: 'prefix: 10.0.0.0/8 ge 16 le 24',
    yes: [{ prefix: '10.1.0.0/16' }, { prefix: '10.1.2.0/24' }],
    no: [{ prefix: '10.0.0.0/8' }, { prefix: '10.1.2.0/25' }, { prefix: '11.1.0.0/16' }],
  },
  {
    match: 'prefix: 10.0.0.0/8 orlonger',
    yes: [{ prefix: '10.0.0.0/8' }, { prefix: '10.1.2.3/32' }],
    no: [{ prefix: '0.0.0.0/0' }],
  },
  {
    match: 'prefix: 10.0.0.0/8 longer',
    yes: [{ prefix: '10.1.2.3/32' }],
    no: [{ prefix: '10.0.0.0/8' }],
  },
  {
    match: 'prefix: ["10.1.0.0/16", "10.1.0.0/16 ge 24", "2001:db8::/32 le 48"]',
    yes: [{ prefix: '10.1.0.0/16' }, { prefix: '10.1.2.0/24' }, V6],
    no: [{ prefix: '10.1.0.0/17' }, { ...V6, prefix: '2001:db8:1:1::/64' }],
  },
  { match: 'prefix: 0.0.0.0/0 le 32', yes: [{}], no: [V6] },
  { match: 'family: ipv6', yes: [V6], no: [{}] },
  {
    match: 'peer: tor-*',
    yes: [{ peer: 'tor-a' }, { peer: 'tor-' }],
    no: [{ peer: 'rack' }, { source: 'docker' }],
  },
  {
    match: 'peer: ["*-*-b", x]',
    yes: [{ peer: 'tor-1-b' }, { peer: 'x' }],
    no: [{ peer: 'tor-b' }, { peer: 'xx' }],
  },
  { match: 'peerGroup: tor', yes: [{ group: 'tor' }], no: [{ group: 'rack' }, {}] },
  {
    match: 'source: [docker, peer]',
    yes: [{ source: 'docker' }, {}],
    no: [{ source: 'static' }],
  },
  { match: 'interface: br-*', yes: [{ link: 'br-1' }], no: [{ link: 'eth0' }, {}] },
  {
    match: 'asPath: ["^65001_65002", "^$"]',
    yes: [{ asPath: '65001 65002 65003' }, { asPath: '' }],
    no: [{ asPath: '65001' }],
  },
  {
    match: 'asPathLength: le 2',
    yes: [{ asPath: '' }, { asPath: '1 2' }, { asPath: '1 {2,3,4}' }],
    no: [{ asPath: '1 2 3' }],
  },
  {
    match: 'asPathFirst: [65001, 65010..65019]',
    yes: [{ asPath: '65001 1' }, { asPath: '65015' }, { asPath: '{1,65001}' }],
    no: [{ asPath: '1 65001' }, { asPath: '' }],
  },
  {
    match: 'asPathLast: 65001',
    yes: [{ asPath: '1 65001' }, { asPath: '1 {2,65001}' }],
    no: [{ asPath: '65001 1' }, { asPath: '' }],
  },
  {
    match: 'asPathContains: 4200000000',
    yes: [{ asPath: '1 4200000000 2' }, { asPath: '1 {2,4200000000}' }],
    no: [{ asPath: '1 2' }],
  },
  {
    match: 'community: ["65001:*", no-export]',
    yes: [{ communities: ['1:1', '65001:7'] }, { communities: ['no-export'] }],
    no: [{ communities: ['1:65001'] }, {}],
  },
  {
    match: 'community: "*:100..199"',
    yes: [{ communities: ['7:150'] }],
    no: [{ communities: ['150:7'] }],
  },
  {
    match: 'largeCommunity: "65001:*:5"',
    yes: [{ largeCommunities: ['65001:4200000000:5'] }],
    no: [{ largeCommunities: ['65001:5:6'] }, { communities: ['65001:5'] }],
  },
  {
    match: 'extendedCommunity: "rt:65001:*"',
    yes: [{ extendedCommunities: ['rt:65001:100'] }],
    no: [{ extendedCommunities: ['ro:65001:100'] }, { extendedCommunities: ['rt:65001L:1'] }],
  },
  {
    match: 'extendedCommunity: ["bandwidth:65001:*", "transitive-bandwidth:*:*"]',
    yes: [
      { extendedCommunities: ['bandwidth:65001:125000000'] },
      { extendedCommunities: ['transitive-bandwidth:65002:1'] },
    ],
    no: [{ extendedCommunities: ['bandwidth:65002:1'] }, { extendedCommunities: ['rt:65001:1'] }],
  },
  {
    match: 'extendedCommunity: ["rt:10.0.0.1:1..9", "generic:0x09020304:*"]',
    yes: [
      { extendedCommunities: ['rt:10.0.0.1:5'] },
      { extendedCommunities: ['generic:0x09020304:0x00000001'] },
    ],
    no: [{ extendedCommunities: ['rt:10.0.0.1:10'] }],
  },
  { match: 'origin: [igp, egp]', yes: [{}, { origin: 'EGP' }], no: [{ origin: 'incomplete' }] },
  {
    match: 'localPref: ge 200',
    yes: [{ localPref: 200 }],
    no: [{ localPref: 199 }, {}],
  },
  { match: 'localPref: 100', yes: [{}], no: [{ localPref: 0 }] },
  { match: 'med: 0..10', yes: [{ med: 10 }, { med: 0 }], no: [{ med: 11 }, {}] },
  { match: 'med: none', yes: [{}], no: [{ med: 0 }] },
  {
    match: 'nextHop: [10.0.1.1, 10.0.2.0/24, "2001:db8::/32"]',
    yes: [{}, { nextHop: '10.0.2.9' }, V6],
    no: [{ nextHop: '10.0.1.2' }],
  },
  {
    match: 'rpki: [valid, notFound]',
    yes: [{ rpki: 'valid' }, {}],
    no: [{ rpki: 'invalid' }],
  },
  {
    match: 'community: "1:*", med: 5, not: { community: "1:2", peer: tor-b }',
    yes: [{ communities: ['1:1'], med: 5 }],
    no: [
      { communities: ['1:1'] },
      { communities: ['1:1', '1:2'], med: 5 },
      { communities: ['1:1'], med: 5, peer: 'tor-b' },
    ],
  },
]

describe.each(rows)('$match', ({ match, yes, no }) => {
  const policy = policyOf(`[{ match: { ${match} }, then: accept }]`)
  test.each(yes)('takes %j', (route) => {
    expect(tryRoute([policy], route).verdict.accept).toBe(true)
  })
  test.each(no)('does not take %j', (route) => {
    expect(tryRoute([policy], route).verdict.accept).toBe(false)
  })
})

test('every match of the table is tried', () => {
  const tried = MATCHES.filter(({ name }) => rows.some(({ match }) => match.startsWith(`${name}:`)))
  expect(tried.map(({ name }) => name)).toEqual(MATCHES.map(({ name }) => name))
})
