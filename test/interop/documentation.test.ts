import { expect, test } from 'vitest'
import type { Daemon } from '../support/daemons/daemon.ts'
import { bird } from '../support/daemons/bird.ts'
import { exabgp } from '../support/daemons/exabgp.ts'
import { frr } from '../support/daemons/frr.ts'
import { gobgp } from '../support/daemons/gobgp.ts'
import { openbgpd } from '../support/daemons/openbgpd.ts'
import { route, type Attribute } from '../support/daemons/route.ts'
import { generatedDocument } from '../support/generated-document.ts'
import { SUITES } from './cases.ts'
import { daemonsOf, type ChainSuite } from './chain-suites.ts'
import { obstacle } from './matrix.ts'
import { PATHS } from './paths.ts'
import { POLICIES } from './policies.ts'

const CHAINS: readonly ChainSuite[] = [...PATHS, ...POLICIES]

const DAEMONS: readonly Daemon[] = [bird, frr, gobgp, openbgpd, exabgp]

test('docs/interop.md says what is tested (UPDATE_GOLDEN=1 rewrites it)', async () => {
  const { found, wanted } = await generatedDocument('docs/interop.md', document())
  expect(found).toBe(wanted)
})

test('every row is held by a daemon, and a good part by all', () => {
  const holders = SUITES.flatMap((suite) =>
    suite.cases.map(
      (row) =>
        DAEMONS.filter((it) => obstacle(it, suite) === undefined && obstacle(it, row) === undefined)
          .length,
    ),
  )
  expect(holders.length).toBeGreaterThan(15)
  expect(Math.min(...holders)).toBeGreaterThanOrEqual(1)
  expect(holders.filter((count) => count === DAEMONS.length).length * 3).toBeGreaterThan(
    holders.length,
  )
})

const TITLES: Readonly<Record<Attribute, string>> = {
  origin: 'ORIGIN',
  asPath: 'AS_PATH beyond the own AS, four octets',
  asSet: 'AS_SET in AS_PATH',
  med: 'MULTI_EXIT_DISC',
  noMed: 'no MULTI_EXIT_DISC',
  localPref: 'LOCAL_PREF (internal)',
  communities: 'communities (RFC 1997)',
  extendedCommunities: 'extended communities (RFC 4360)',
  largeCommunities: 'large communities (RFC 8092)',
  atomicAggregate: 'ATOMIC_AGGREGATE',
  aggregator: 'AGGREGATOR, four octets',
  originatorId: 'ORIGINATOR_ID',
  clusterList: 'CLUSTER_LIST',
  unknown: 'unknown attributes',
  partial: 'their Partial bit',
}

/** Of these the matrix shows nothing; the reflected ones are tried below. */
const UNSENT: readonly Attribute[] = ['partial']
const UNSHOWN: readonly Attribute[] = ['noMed', 'originatorId', 'clusterList']

function document(): string {
  const notes: string[] = []
  const cell = (reason: string | undefined): string => {
    if (reason === undefined) return '✓'
    if (!notes.includes(reason)) notes.push(reason)
    return `– ${notes.indexOf(reason) + 1}`
  }
  const table = (first: string, rows: readonly (readonly string[])[]): string[] => [
    `| ${[first, ...DAEMONS.map(({ title }) => title)].join(' | ')} |`,
    `| ${[first, ...DAEMONS].map(() => '---').join(' | ')} |`,
    ...rows.map((row) => `| ${row.join(' | ')} |`),
  ]
  const suites = SUITES.flatMap((suite) => [
    `### ${suite.title.replace(/^./, (letter) => letter.toUpperCase())}`,
    '',
    ...table(
      '',
      suite.cases.map((row) => [
        row.title,
        ...DAEMONS.map((it) => cell(obstacle(it, suite) ?? obstacle(it, row))),
      ]),
    ),
    '',
  ])
  const chains = CHAINS.flatMap((suite) => {
    const held = DAEMONS.map((it) => (daemonsOf(suite).includes(it) ? '✓' : ''))
    return [
      `### ${suite.title}`,
      '',
      ...table(
        '',
        suite.cases.map((row) => [row.title, ...held]),
      ),
      '',
    ]
  })
  const names = Object.keys(TITLES) as Attribute[]
  const attributes = (of: 'cannotSend' | 'cannotShow'): string[] =>
    table(
      '',
      names
        .filter((name) => DAEMONS.some((it) => it[of][name] === undefined))
        .filter((name) => !(of === 'cannotSend' ? UNSENT : UNSHOWN).includes(name))
        .map((name) => [TITLES[name], ...DAEMONS.map((it) => cell(it[of][name]))]),
    )
  return [
    '# Interoperation',
    '',
    'What is tried with other BGP implementations, as Debian 12 packages them, by',
    '`npm test -- --tier interop`. Both daemons run as they are, each on a host (network namespace) of its',
    'own with a link between them, and what counts is the table of the other daemon: `birdc show route all`,',
    '`vtysh -c "show bgp ... json"`, `gobgp global rib -j`, `bgpctl -j show rib detail`; of ExaBGP, which has',
    'no table, the messages that it tells its program. Every attribute is compared. A third host feeds linnet',
    'with attributes that few daemons can make, so that each of them passes through linnet to every daemon.',
    '',
    'A ✓ is a test (`test/interop/`); a – is what the other daemon can not do, with the reason below. This',
    'page is printed from the tests: `UPDATE_GOLDEN=1 npx vitest run --project interop test/interop/documentation`.',
    '',
    ...suites,
    '## Linnet between two of them',
    '',
    'One sends, linnet passes on, and the other one’s table is looked at; mostly both ways. An empty cell: not',
    'tried with this one.',
    '',
    ...chains,
    '### And more',
    '',
    '- BIRD → linnet → BIRD: 10,000 routes of both families are in the table of the second, every attribute as',
    '  due; after half is withdrawn and half is changed; none when the first is killed.',
    '- BIRD and FRR as clients of linnet as their route reflector: next hops and attributes are kept,',
    '  ORIGINATOR_ID and CLUSTER_LIST are there, and FRR forwards by the routes.',
    '- BIRD and FRR, clients of a linnet that reflects with ADD-PATH (RFC 7911): each has every path of a prefix',
    '  but its own; a third client forwards over both; a withdrawn path goes alone.',
    '- BIRD and FRR tell of links of different bandwidths (RFC 10005): linnet forwards over both, by weight.',
    '',
    '## Attributes that reach linnet',
    '',
    ...attributes('cannotSend'),
    '',
    '## Attributes of linnet that the other daemon shows',
    '',
    ...attributes('cannotShow'),
    '',
    '## Why not',
    '',
    ...notes.map((reason, at) => `${at + 1}. ${reason}`),
    '',
  ].join('\n')
}

test('the table of attributes leaves none out', () => {
  const fields = Object.keys(route({ prefix: '10.0.0.0/8' }))
  expect(Object.keys(TITLES)).toEqual(
    expect.arrayContaining(fields.filter((name) => name !== 'prefix' && name !== 'nextHop')),
  )
})
