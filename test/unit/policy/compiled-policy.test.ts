/**
 * A compiled policy, with all that it remembers, decides as rules do that are read one by one; and what it
 * makes of attributes leaves nothing behind.
 */
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { wordsOf } from '../../../src/net/address.ts'
import { factsOf } from '../../../src/net/family.ts'
import { prefix } from '../../../src/net/prefix.ts'
import { CompiledPolicy } from '../../../src/policy/compiled-policy.ts'
import type { PolicyDefinition, RuleDefinition } from '../../../src/policy/definition.ts'
import { originOf, Route } from '../../../src/policy/policy.ts'
import { SetReader } from '../../../src/policy/set-reader.ts'
import { AttributeStore } from '../../../src/rib/attribute-store.ts'
import { NextHopTable } from '../../../src/rib/next-hop-table.ts'
import { encodeAttributes, describeAttributes } from '../../../src/wire/attributes/describe.ts'
import { FakeResolver } from '../../support/fake-resolver.ts'
import { policyOf } from './trying.ts'

function stage() {
  const sets = new AttributeStore({ asns: [], clusterId: 0 }, new NextHopTable(new FakeResolver()))
  const reader = new SetReader(sets)
  const world = { sets, reader, rpkiState: () => 'notFound' as const }
  const compile = (policies: readonly PolicyDefinition[]) =>
    new CompiledPolicy(policies, 'import', world)
  return { sets, compile }
}

interface Tried {
  readonly prefix: string
  readonly peer: number
  readonly med: number
  readonly community: number
  readonly localPref: number
}

const ORIGINS = ['a', 'b'].map((name) => originOf({ local: false, name, source: 'peer' }))

const attributesOf = ({ med, community, localPref }: Omit<Tried, 'prefix' | 'peer'>): Uint8Array =>
  encodeAttributes({
    origin: 'IGP',
    asPath: '65001',
    nextHop: '10.0.0.1',
    med,
    localPref,
    ...(community === 0 ? {} : { communities: [`1:${community}`] }),
  })

/** What becomes of a route by reading the rules, with numbers instead of attributes. */
function naively(rules: readonly RuleDefinition[], tried: Tried): Tried | undefined {
  let now = tried
  for (const { match, not, set, end } of rules) {
    const holds = (name: string, texts: readonly string[]): boolean => {
      if (name === 'med') return texts.includes(`${now.med}`)
      if (name === 'community') return texts.includes(`1:${now.community}`)
      if (name === 'localPref') return texts.includes(`${now.localPref}`)
      if (name === 'peer') return texts.includes(ORIGINS[now.peer]?.name ?? '')
      return texts.some((text) => text.split(' ')[0] === now.prefix || text.includes('orlonger'))
    }
    const all = Object.entries(match).every(([name, texts]) => holds(name, texts))
    const none = Object.entries(not).every(([name, texts]) => !holds(name, texts))
    if (!all || !none) continue
    const med = set['med']?.['']?.[0]
    const added = set['community']?.['set']?.[0]
    const pref = set['localPref']?.['']?.[0]
    if (med !== undefined) now = Object.assign({}, now, { med: Number(med) })
    if (pref !== undefined)
      now = Object.assign({}, now, { localPref: now.localPref + Number(pref) })
    if (added !== undefined)
      now = Object.assign({}, now, { community: Number(added.split(':')[1]) })
    if (end !== 'next') return end === 'accept' ? now : undefined
  }
  return undefined
}

const small = fc.integer({ min: 1, max: 3 })
const texts = (of: (n: number) => string) => fc.array(small.map(of), { minLength: 1, maxLength: 2 })
const PREFIXES = ['10.1.0.0/16', '10.1.2.0/24', '10.1.2.3/32']

const matches = (withPrefix: boolean) =>
  fc
    .record(
      {
        med: texts(String),
        community: texts((n) => `1:${n}`),
        localPref: texts((n) => `${100 + n}`),
        peer: fc.constantFrom(['a'], ['b'], ['a', 'b']),
        ...(withPrefix
          ? { prefix: fc.constantFrom(['10.1.0.0/16'], ['10.1.2.0/24'], ['10.1.0.0/16 orlonger']) }
          : {}),
      },
      { requiredKeys: [] },
    )
    .map((it) => it as Record<string, string[]>)

const ruleOf = (withPrefix: boolean): fc.Arbitrary<RuleDefinition> =>
  fc.record({
    match: matches(withPrefix),
    not: fc.oneof({ weight: 3, arbitrary: fc.constant({}) }, matches(false)),
    set: fc
      .record(
        {
          med: small.map((n) => ({ '': [`${n}`] })),
          community: small.map((n) => ({ set: [`1:${n}`] })),
          localPref: fc.constant({ '': ['+1'] }),
        },
        { requiredKeys: [] },
      )
      .map((it) => it as RuleDefinition['set']),
    end: fc.constantFrom('accept' as const, 'reject' as const, 'next' as const, 'next' as const),
  })

const route: fc.Arbitrary<Tried> = fc.record({
  prefix: fc.constantFrom(...PREFIXES),
  peer: fc.integer({ min: 0, max: 1 }),
  med: small,
  community: fc.integer({ min: 0, max: 3 }),
  localPref: small.map((n) => 100 + n),
})

describe.each([true, false])('with rules that look at the prefix: %s', (withPrefix) => {
  test('it decides as the rules do, one after the other', () => {
    const rules = fc.array(ruleOf(withPrefix), { minLength: 1, maxLength: 5 })
    fc.assert(
      fc.property(rules, fc.array(route, { minLength: 1, maxLength: 30 }), (all, routes) => {
        const { sets, compile } = stage()
        const policy = compile([{ name: 'p', rules: all }])
        const $route = new Route()
        for (const tried of routes) {
          const it = prefix(tried.prefix)
          const bytes = attributesOf(tried)
          const set = sets.intern(bytes, 0, bytes.length)
          Object.assign($route, { set, words: wordsOf(it.bytes), length: it.length })
          $route.family = factsOf(it.family)
          $route.from = ORIGINS[tried.peer] ?? $route.from
          const { accept } = policy.judge($route)
          const expected = naively(all, tried)
          const found = accept ? describeAttributes(sets.view($route.set)) : undefined
          const wanted = expected && describeAttributes(attributesOf(expected))
          expect(found).toEqual(wanted)
          if ($route.set !== set) sets.release($route.set)
          sets.release(set)
          expect(sets.live).toBe(0)
        }
      }),
      { numRuns: 400 },
    )
  })
})

test('a policy that does not look at prefixes is asked once for a set', () => {
  const { sets, compile } = stage()
  const policy = compile([
    policyOf('[{ match: { asPath: "^65001" }, set: { localPref: 7 }, then: accept }]'),
  ])
  const bytes = attributesOf({ med: 1, community: 1, localPref: 100 })
  const set = sets.intern(bytes, 0, bytes.length)
  let reads = 0
  const { view } = sets
  sets.view = (id) => {
    reads++
    return view.call(sets, id)
  }
  const $route = new Route()
  for (let i = 0; i < 1000; i++) {
    $route.set = set
    expect(policy.judge($route).accept).toBe(true)
    // Whoever keeps what was made holds it; the thousand references are given back below.
    expect(sets.localPref($route.set)).toBe(7)
  }
  expect(reads).toBeLessThan(5)
  for (let i = 0; i < 1000; i++) sets.release($route.set)
  sets.release(set)
  expect(sets.live).toBe(0)
})

test('an AttrId that is used again is not taken for the set that it was before', () => {
  const { sets, compile } = stage()
  const policy = compile([policyOf('[{ match: { med: 1 }, then: accept }]')])
  const $route = new Route()
  const verdicts = [1, 2, 1].map((med) => {
    const bytes = attributesOf({ med, community: 1, localPref: 100 })
    $route.set = sets.intern(bytes, 0, bytes.length)
    const { accept } = policy.judge($route)
    const id = $route.set
    sets.release(id)
    return `${id} ${accept}`
  })
  expect(verdicts).toEqual(['1 true', '1 false', '1 true'])
})
