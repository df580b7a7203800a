import { describe, expect, test } from 'vitest'
import { ACTIONS } from '../../../src/policy/action/index.ts'
import type { AttributeDescription } from '../../../src/wire/attributes/describe.ts'
import { policyOf, tryRoute, type TriedRoute } from './trying.ts'

const V6 = { prefix: '2001:db8:1::/48', nextHop: '2001:db8::1' }
const path = (times: number, asn: number): string =>
  Array.from({ length: times }, () => asn).join(' ')

/** An action, a route, and what is different afterwards. */
type Changed = { readonly [K in keyof AttributeDescription]?: AttributeDescription[K] | undefined }

const rows: readonly (readonly [set: string, TriedRoute, Changed])[] = [
  ['localPref: 200', {}, { localPref: 200 }],
  ['localPref: "+10"', {}, { localPref: 110 }],
  ['localPref: -10', { localPref: 50 }, { localPref: 40 }],
  ['localPref: -4294967295', { localPref: 50 }, { localPref: 0 }],
  ['med: 5', { med: 7 }, { med: 5 }],
  ['med: "+4294967295"', { med: 7 }, { med: 4294967295 }],
  ['med: none', { med: 7 }, { med: undefined }],
  ['origin: incomplete', {}, { origin: 'incomplete' }],
  ['prepend: { asn: 65101 }', { asPath: '65001 {1,2}' }, { asPath: '65101 65001 {1,2}' }],
  ['prepend: { asn: 65101, times: 3 }', { asPath: '' }, { asPath: '65101 65101 65101' }],
  ['prepend: { asn: [8, 9], times: 2 }', { asPath: '7 {1}' }, { asPath: '8 9 8 9 7 {1}' }],
  [
    `prepend: { asn: [${path(12, 9).replaceAll(' ', ', ')}], times: 25 }`,
    { asPath: '7' },
    { asPath: `${path(300, 9)} 7` },
  ],
  [
    'prepend: { asn: 9, times: 2 }',
    { asPath: '(65201 65202) 65001' },
    { asPath: '(65201 65202) 9 9 65001' },
  ],
  ['prepend: { asn: 9, times: 2 }', { asPath: path(254, 7) }, { asPath: `9 9 ${path(254, 7)}` }],
  [
    'community: { add: ["1:2", no-export, "1:1"] }',
    { communities: ['1:1'] },
    { communities: ['1:1', '1:2', 'no-export'] },
  ],
  [
    'community: { remove: ["1:*"] }',
    { communities: ['1:1', '2:1', '1:2'] },
    { communities: ['2:1'] },
  ],
  ['community: { remove: ["*:*"] }', { communities: ['1:1'] }, { communities: [] }],
  ['community: { set: ["3:3"] }', { communities: ['1:1'] }, { communities: ['3:3'] }],
  ['community: { set: [], add: "4:4" }', { communities: ['1:1'] }, { communities: ['4:4'] }],
  [
    'largeCommunity: { remove: "1:*:*", add: "9:9:9" }',
    { largeCommunities: ['1:2:3', '2:2:2'] },
    { largeCommunities: ['2:2:2', '9:9:9'] },
  ],
  [
    'extendedCommunity: { remove: "rt:1:*", add: "ro:10.0.0.1:7" }',
    { extendedCommunities: ['rt:1:1', 'rt:2:1'] },
    { extendedCommunities: ['rt:2:1', 'ro:10.0.0.1:7'] },
  ],
  ['nextHop: 10.9.9.9', {}, { nextHop: '10.9.9.9' }],
  ['nextHop: ["2001:db8::9", 10.9.9.9]', {}, { nextHop: '10.9.9.9' }],
  ['nextHop: ["2001:db8::9", 10.9.9.9]', V6, { nextHop: '2001:db8::9' }],
  ['nextHop: 10.9.9.9', V6, {}],
  ['localPref: 1, med: 2, origin: egp', {}, { localPref: 1, med: 2, origin: 'EGP' }],
]

test.each(rows)('%s of %j', (set, route, changed) => {
  const accept = policyOf('[{ then: accept }]')
  const before = tryRoute([accept], route).attributes
  const after = tryRoute([policyOf(`[{ set: { ${set} }, then: accept }]`)], route)
  expect(after.verdict.accept).toBe(true)
  expect(after.attributes).toEqual(JSON.parse(JSON.stringify({ ...before, ...changed })))
})

test('every action of the table is tried', () => {
  const tried = ACTIONS.filter(({ name }) => rows.some(([set]) => set.startsWith(`${name}:`)))
  expect(tried.map(({ name }) => name)).toEqual(ACTIONS.map(({ name }) => name))
})

describe('a list of policies', () => {
  const mark = policyOf('[{ set: { community: { add: "1:1" }, localPref: 50 }, then: next }]')
  const byMark = policyOf(
    '[{ match: { community: "1:1", localPref: 50 }, set: { med: 5 }, then: accept }]',
  )
  const accept = policyOf('[{ then: accept }]')
  const refuse = policyOf('[{ match: { med: 5 }, then: reject }]')

  test('is asked in order, and sees what was changed before', () => {
    const { verdict, attributes } = tryRoute([mark, byMark], {})
    expect(verdict).toEqual({ accept: true, reason: 'policy p rule 1' })
    expect(attributes).toMatchObject({ communities: ['1:1'], localPref: 50, med: 5 })
    expect(tryRoute([byMark, mark], {}).verdict.accept).toBe(false)
  })

  test('ends with the first that decides', () => {
    expect(tryRoute([refuse, accept], { med: 5 }).verdict.accept).toBe(false)
    expect(tryRoute([accept, refuse], { med: 5 }).verdict.accept).toBe(true)
  })

  test('rejects what none decides, and then nothing is changed', () => {
    const { verdict, attributes, steps } = tryRoute([mark, refuse], {})
    expect(verdict).toEqual({ accept: false, reason: 'no rule of policy p, p accepts it' })
    expect(attributes).toMatchObject({ communities: [] })
    expect(steps.map(({ failed }) => failed)).toEqual([undefined, 'med'])
  })

  test('may hold the standard ones', () => {
    const local = { name: 'local', rules: [] }
    expect(tryRoute([mark, local], {}).verdict).toMatchObject({ accept: false })
    const own = tryRoute([mark, local], { source: 'docker' })
    expect(own).toMatchObject({ verdict: { accept: true }, attributes: { communities: ['1:1'] } })
  })
})

test('a next hop and a MED that export sets are marked, on import nothing is', () => {
  const policy = policyOf('[{ set: { nextHop: self }, then: accept }]')
  expect(tryRoute([policy], {}, 'export').nextHopSelf).toBe(true)
  expect(tryRoute([policy], {}, 'import').nextHopSelf).toBe(false)
})

test('a route with more attributes than fit into a message is rejected, by name', () => {
  const communities = Array.from({ length: 16_370 }, (_, i) => `1:${i}`)
  const policy = policyOf(`[{ set: { prepend: { asn: 1, times: 25 } }, then: accept }]`)
  const { verdict } = tryRoute([policy], { communities })
  expect(verdict.reason).toBe('policy p rule 1: too many attributes for a message')
})
