/**
 * What a reload would do, for one change each.
 */
import { describe, expect, test } from 'vitest'
import { changeOf, EFFECTS } from '../../../src/config/change.ts'
import { configOf } from './loading.ts'

const withPeer = (settings: string): string =>
  `asn: 65101\npeers: [{ name: a, address: 10.0.1.1, ${settings} }]`
const BEFORE = withPeer('asn: 65001, import: accept, password: one')

const PEER: readonly (readonly [settings: string, effect: string, ...fields: string[]])[] = [
  ['asn: 65001, import: reject, password: one', 'live', 'importPolicy'],
  ['asn: 65001, import: accept, password: one, export: accept', 'live', 'exportPolicy'],
  ['asn: 65001, import: accept, password: one, description: x', 'live', 'description'],
  ['asn: 65001, import: accept, password: one, maxPrefixes: 9', 'live', 'maxPrefixes'],
  ['asn: 65001, import: accept, password: one, maxPrefixesOut: 9', 'live', 'maxPrefixesOut'],
  ['asn: 65001, import: accept, password: one, defaultOriginate: true', 'live', 'defaultOriginate'],
  ['asn: 65001, import: accept, password: one, bfd: true', 'live', 'bfd'],
  ['asn: 65001, import: accept, password: one, passive: true', 'nextSession', 'passive'],
  [
    'asn: 65001, import: accept, password: one, connectRetry: 9s',
    'nextSession',
    'connectRetrySeconds',
  ],
  ['asn: 65001, import: accept, password: two', 'live', 'password'],
  ['asn: 65001, import: accept', 'live', 'password'],
  ['asn: 65002, import: accept, password: one', 'reset', 'asn'],
  ['asn: internal, import: accept, password: one', 'reset', 'asn', 'type'],
  ['asn: 65001, import: accept, password: one, holdTime: 9s', 'reset', 'holdTimeSeconds'],
  ['asn: 65001, import: accept, password: one, families: [ipv4]', 'reset', 'families'],
  ['asn: 65001, import: accept, password: one, localAddress: 10.0.1.2', 'reset', 'localAddress'],
  ['asn: 65001, import: accept, password: one, multihop: 2', 'reset', 'multihop'],
  ['asn: 65001, import: accept, password: one, addPath: { receive: true }', 'reset', 'addPath'],
  [
    'asn: 65001, import: accept, password: one, extendedMessages: false',
    'reset',
    'extendedMessages',
  ],
  [
    'asn: 65001, import: accept, password: one, enhancedRouteRefresh: true',
    'reset',
    'enhancedRouteRefresh',
  ],
  [
    'asn: 65001, import: accept, password: one, gracefulRestart: false',
    'nextSession',
    'gracefulRestart',
  ],
  ['asn: 65001, import: accept, password: one, allowOwnAsn: 1', 'live', 'allowOwnAsn'],
  ['asn: 65001, import: accept, password: one, enforceFirstAsn: false', 'live', 'enforceFirstAsn'],
  ['asn: 65001, import: accept, password: one, asOverride: true', 'live', 'asOverride'],
  ['asn: 65001, import: accept, password: one, announce: afterInstall', 'live', 'announce'],
  ['asn: 65001, import: accept, password: one, removePrivateAsn: all', 'live', 'removePrivateAsn'],
  ['asn: 65001, import: accept, password: one, role: peer', 'reset', 'role'],
  [
    'asn: 65001, import: accept, password: one, gracefulShutdown: false',
    'live',
    'gracefulShutdown',
  ],
  ['asn: 65001, import: reject, password: one, nextHop: self', 'reset', 'importPolicy', 'nextHop'],
]

describe('a peer whose settings become', () => {
  test.each(PEER)('%s', (settings, effect, ...fields) => {
    const change = changeOf(configOf(BEFORE), configOf(withPeer(settings)))
    expect(change.changed.map((it) => [it.name, it.effect])).toEqual([['a', effect]])
    expect(change.changed[0]?.fields.map((it) => it.field)).toEqual(fields)
    expect([change.added, change.removed, change.unchanged, change.refusals]).toEqual([
      [],
      [],
      [],
      [],
    ])
  })
})

describe('keys of TCP-AO that change', () => {
  const KEYS = {
    old: '{ sendId: 1, receiveId: 1, key: one }',
    next: '{ sendId: 2, receiveId: 2, key: two }',
    otherSecret: '{ sendId: 1, receiveId: 1, key: two }',
    otherAlgorithm: '{ sendId: 1, receiveId: 1, key: one, algorithm: hmac-sha256 }',
    sameId: '{ sendId: 1, receiveId: 3, key: three }',
  }
  type Name = keyof typeof KEYS
  const withKeys = (names: readonly Name[]): string =>
    withPeer(
      `asn: 65001, import: accept, ${names.length === 0 ? 'passive: false' : `tcpAo: [${names.map((it) => KEYS[it]).join(', ')}]`}`,
    )
  const rows: readonly (readonly [before: readonly Name[], after: readonly Name[], string])[] = [
    [['old'], ['old', 'next'], 'live'],
    [['old', 'next'], ['next', 'old'], 'live'],
    [['next', 'old'], ['next'], 'live'],
    [['old'], ['next'], 'reset'],
    [['old'], ['otherSecret'], 'reset'],
    [['old'], ['otherAlgorithm'], 'reset'],
    [['old', 'next'], ['otherSecret', 'next'], 'reset'],
    [['old', 'next'], ['next', 'sameId'], 'reset'],
    [[], ['old'], 'reset'],
    [['old'], [], 'reset'],
  ]
  test.each(rows)('from %j to %j', (before, after, effect) => {
    const { changed } = changeOf(configOf(withKeys(before)), configOf(withKeys(after)))
    expect(changed.map((it) => [it.effect, it.fields.map(({ field }) => field)])).toEqual([
      [effect, ['tcpAo']],
    ])
  })
})

test('the same file changes nothing', () => {
  const change = changeOf(configOf(BEFORE), configOf(BEFORE))
  expect(change).toMatchObject({ added: [], removed: [], changed: [], global: [], refusals: [] })
  expect(change.unchanged.map((peer) => peer.name)).toEqual(['a'])
})

test('moving settings into a group is no reason to end a session', () => {
  const grouped = `asn: 65101
peerGroups: { tor: { asn: 65001, import: accept, password: one } }
peers: [{ name: a, address: 10.0.1.1, group: tor }]`
  const change = changeOf(configOf(BEFORE), configOf(grouped))
  expect(change.changed.map((it) => it.effect)).toEqual(['live'])
})

test('peers come, go and stay by their names', () => {
  const peers = (names: string): string =>
    `asn: 1\npeers:\n${[...names].map((it) => `  - { name: ${it}, address: 10.0.0.${it.charCodeAt(0)}, asn: internal }`).join('\n')}`
  const change = changeOf(configOf(peers('abc')), configOf(peers('cbd')))
  expect(change.added.map((it) => it.name)).toEqual(['d'])
  expect(change.removed.map((it) => it.name)).toEqual(['a'])
  expect(change.unchanged.map((it) => it.name)).toEqual(['c', 'b'])
})

const GLOBAL: readonly (readonly [line: string, field: string, effect: string])[] = [
  ['routerId: 10.0.0.9', 'routerId', 'restart'],
  ['clusterId: 10.0.0.9', 'clusterId', 'restart'],

  ['decision: { alwaysCompareMed: true }', 'decision', 'restart'],
  ['listen: [{ address: 10.0.0.1 }]', 'listen', 'live'],
  ['policies: { p: [{ then: accept }] }', 'policies', 'live'],
  ['rpki: [{ address: 192.0.2.9 }]', 'rpki', 'live'],
  ['advertise: { interfaces: [docker0] }', 'advertise.interfaces', 'live'],
  ['advertise: { hostRoutes: { interfaces: [cali*] } }', 'advertise.hostRoutes', 'live'],
  ['advertise: { cni: true }', 'advertise.cni', 'live'],
  ['advertise: { docker: true }', 'advertise.docker', 'live'],
  ['advertise: { prefixes: [10.1.0.0/16] }', 'advertise.prefixes', 'live'],
  ['advertise: { aggregates: [10.1.0.0/16] }', 'advertise.aggregates', 'live'],
  ['kernel: { install: false }', 'kernel.install', 'restart'],
  ['kernel: { table: 100 }', 'kernel.table', 'restart'],
  ['kernel: { metric: 30 }', 'kernel.metric', 'restart'],
  ['kernel: { protocol: 190 }', 'kernel.protocol', 'restart'],
  ['kernel: { nexthopObjects: off }', 'kernel.nexthopObjects', 'restart'],
  ['kernel: { ecmp: 2 }', 'kernel.ecmp', 'restart'],
  ['kernel: { multipathRelax: false }', 'kernel.multipathRelax', 'restart'],
  ['kernel: { defaultRoute: true }', 'kernel.defaultRoute', 'restart'],
  ['kernel: { withinOwn: accept }', 'kernel.withinOwn', 'restart'],
  ['kernel: { preferredSource: 10.1.0.1 }', 'kernel.preferredSource', 'restart'],
  ['kernel: { onStop: remove }', 'kernel.onStop', 'live'],
  ['overlay: { mode: ipip, prefixes: [10.244.0.0/16] }', 'overlay', 'restart'],
  ['nat: { pools: [10.244.0.0/16] }', 'nat', 'live'],
  ['bmp: [{ address: 192.0.2.8 }]', 'bmp', 'live'],
  ['mrt: { rib: /r.mrt }', 'mrt', 'live'],
  ['api: { socket: /x }', 'api.socket', 'restart'],
  ['api: { http: "127.0.0.1:1" }', 'api.http', 'restart'],
  ['log: { level: debug }', 'log.level', 'live'],
  ['log: { format: json }', 'log.format', 'restart'],
]

describe('beside the peers, a file with', () => {
  test.each(GLOBAL)('%s', (line, field, effect) => {
    const change = changeOf(configOf(BEFORE), configOf(`${BEFORE}\n${line}`))
    expect(change.global.map((it) => [it.field, it.effect])).toEqual([[field, effect]])
    expect(change.refusals).toHaveLength(effect === 'restart' ? 1 : 0)
    expect(change.changed).toEqual([])
  })

  test('has a row for every field that can change', () => {
    const rows = new Set(GLOBAL.map(([, field]) => field))
    const more = ['asn', 'confederation', 'ranges']
    const inTable = EFFECTS.global.map(([field]) => field)
    expect(inTable.filter((field) => !more.includes(field))).toEqual([...rows])
  })
})

test('a confederation shows another AS number to those outside, and is refused too', () => {
  const confederation = 'confederation: { asn: 65000, members: [65109] }'
  const change = changeOf(configOf(BEFORE), configOf(`${BEFORE}\n${confederation}`))
  expect(change.global.map((it) => [it.field, it.effect])).toEqual([['confederation', 'restart']])
  expect(change.changed.flatMap(({ fields }) => fields.map((it) => it.field))).toEqual(['localAsn'])
})

test('a range is changed in the running daemon', () => {
  const range = (limit: number): string =>
    `asn: 65101\npeers: [{ range: 10.0.1.0/24, asn: internal, limit: ${limit} }]`
  const change = changeOf(configOf(range(8)), configOf(range(9)))
  expect(change.global.map((it) => [it.field, it.effect])).toEqual([['ranges', 'live']])
  expect([change.added, change.removed, change.changed, change.refusals]).toEqual([[], [], [], []])
})

test('another AS number is refused, in words', () => {
  const [refusal] = changeOf(configOf('asn: 1'), configOf('asn: 2')).refusals
  expect(refusal).toBe(
    "asn can't change while linnet runs (every session and every route is built on it); restart it",
  )
})

test('the tables name every field of a Config', () => {
  const config = configOf(BEFORE)
  const fields = Object.entries(config).flatMap(([key, value]) =>
    ['advertise', 'kernel', 'log'].includes(key)
      ? Object.keys(value as object).map((inner) => `${key}.${inner}`)
      : ['peers', 'api', 'settings'].includes(key) // what is written where changes nothing
        ? []
        : [key],
  )
  const known = EFFECTS.global.map(([field]) => field)
  expect(fields.filter((field) => !known.includes(field))).toEqual([])
})
