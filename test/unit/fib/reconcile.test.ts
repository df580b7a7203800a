import { describe, expect, test } from 'vitest'
import { address } from '../../../src/net/address.ts'
import { prefix } from '../../../src/net/prefix.ts'
import { forwardingText, sameForwarding } from '../../../src/fib/forwarding.ts'
import {
  NEXT_HOP_ID_FIRST,
  NEXT_HOP_ID_LAST,
  NEXT_HOP_LEG_ID_FIRST,
  type KernelNextHopObject,
  type KernelRoute,
} from '../../../src/fib/kernel.ts'
import { isOurs, targetsOfObjects, verdict, type RouteMark } from '../../../src/fib/reconcile.ts'
import { target } from './stage.ts'

const MARK = { protocol: 179, table: 254, metric: 20 }
const ID = NEXT_HOP_ID_FIRST + 5
const SOURCE = { ipv4: address('172.17.0.1') }

const UNICAST = 1
const BLACKHOLE = 6
const UNREACHABLE = 7
const PROHIBIT = 8

function route(values: Partial<KernelRoute> & { readonly to?: string } = {}): KernelRoute {
  const { to = '', ...more } = values
  const forwarding = target(to)
  return {
    prefix: prefix('10.1.0.0/16'),
    ...MARK,
    type: UNICAST,
    scope: 0,
    nextHopId: 0,
    hops: forwarding.kind === 'gateways' ? forwarding.hops : [],
    flags: 0,
    ...more,
  }
}

describe('whose route it is', () => {
  const cases: { title: string; found: KernelRoute; ours: boolean }[] = [
    { title: 'our mark, gateways of its own', found: route({ to: '10.0.0.1@1' }), ours: true },
    { title: 'our mark, our object', found: route({ nextHopId: ID }), ours: true },
    { title: 'the last id of ours', found: route({ nextHopId: NEXT_HOP_ID_LAST }), ours: true },
    { title: 'an id beyond ours', found: route({ nextHopId: NEXT_HOP_ID_LAST + 1 }), ours: false },
    { title: 'an id below ours', found: route({ nextHopId: 1 }), ours: false },
    { title: 'zebra’s protocol', found: route({ protocol: 186 }), ours: false },
    { title: 'a connected route', found: route({ protocol: 2, metric: 0 }), ours: false },
    { title: 'another table', found: route({ table: 100 }), ours: false },
    { title: 'another metric', found: route({ metric: 21 }), ours: false },
  ]
  test.each(cases)('$title: $ours', ({ found, ours }) => {
    expect(isOurs(found, MARK)).toBe(ours)
  })
})

describe('what becomes of a route of ours', () => {
  const cases: {
    title: string
    found: KernelRoute
    wanted: { to: string; object: boolean } | undefined
    source?: RouteMark['preferredSource']
    says: string
  }[] = [
    { title: 'nobody wants it', found: route(), wanted: undefined, says: 'delete' },
    {
      title: 'it points to the object',
      found: route({ nextHopId: ID }),
      wanted: { to: '10.0.0.1@1', object: true },
      says: 'keep',
    },
    {
      title: 'it points to another object',
      found: route({ nextHopId: ID + 1 }),
      wanted: { to: '10.0.0.1@1', object: true },
      says: 'replace',
    },
    {
      title: 'it carries the gateway itself, where an object is wanted',
      found: route({ to: '10.0.0.1@1' }),
      wanted: { to: '10.0.0.1@1', object: true },
      says: 'replace',
    },
    {
      title: 'it carries the same gateways in another order',
      found: route({ to: '10.0.1.1@2 + 10.0.0.1@1*3' }),
      wanted: { to: '10.0.0.1@1*3 + 10.0.1.1@2', object: false },
      says: 'keep',
    },
    {
      title: 'another weight',
      found: route({ to: '10.0.0.1@1*2' }),
      wanted: { to: '10.0.0.1@1', object: false },
      says: 'replace',
    },
    {
      title: 'another link',
      found: route({ to: '10.0.0.1@2' }),
      wanted: { to: '10.0.0.1@1', object: false },
      says: 'replace',
    },
    {
      title: 'an object, where gateways are wanted',
      found: route({ nextHopId: ID }),
      wanted: { to: '10.0.0.1@1', object: false },
      says: 'replace',
    },
    {
      title: 'a blackhole, as wanted',
      found: route({ type: BLACKHOLE }),
      wanted: { to: 'blackhole', object: false },
      says: 'keep',
    },
    {
      title: 'unreachable, where a blackhole is wanted',
      found: route({ type: UNREACHABLE }),
      wanted: { to: 'blackhole', object: false },
      says: 'replace',
    },
    {
      title: 'a type that we never write',
      found: route({ type: PROHIBIT }),
      wanted: { to: 'unreachable', object: false },
      says: 'replace',
    },
    {
      title: 'the preferred source',
      found: route({ nextHopId: ID, preferredSource: SOURCE.ipv4 }),
      wanted: { to: '10.0.0.1@1', object: true },
      source: SOURCE,
      says: 'keep',
    },
    {
      title: 'without the preferred source',
      found: route({ nextHopId: ID }),
      wanted: { to: '10.0.0.1@1', object: true },
      source: SOURCE,
      says: 'replace',
    },
    {
      title: 'with a source, where there shall be none',
      found: route({ nextHopId: ID, preferredSource: SOURCE.ipv4 }),
      wanted: { to: '10.0.0.1@1', object: true },
      source: {},
      says: 'replace',
    },
    {
      title: 'a blackhole has no source',
      found: route({ type: BLACKHOLE }),
      wanted: { to: 'blackhole', object: false },
      source: SOURCE,
      says: 'keep',
    },
  ]
  test.each(cases)('$title: $says', ({ found, wanted, source, says }) => {
    const forwarding = wanted && { id: ID, target: target(wanted.to), object: wanted.object }
    expect(verdict(found, forwarding, { ...MARK, preferredSource: source })).toBe(says)
  })
})

test('a zone is another name of the link, and no difference', () => {
  const zoned = { kind: 'gateways', hops: [{ via: address('fe80::1%eth0'), link: 1 }] } as const
  expect(sameForwarding(zoned, target('fe80::1@1'))).toBe(true)
  expect(forwardingText(zoned)).toBe('via fe80::1 link 1')
})

test('groups forward as their members do; what is missing of them is left out', () => {
  const leg = (id: number, via: string, link: number): KernelNextHopObject => ({
    id,
    protocol: 179,
    group: [],
    hop: { via: address(via), link },
    blackhole: false,
  })
  const [one, two] = [NEXT_HOP_LEG_ID_FIRST, NEXT_HOP_LEG_ID_FIRST + 1]
  const group = [
    { id: one, weight: 1 },
    { id: two, weight: 3 },
    { id: two + 1, weight: 1 },
  ]
  const found = targetsOfObjects([
    { id: ID, protocol: 179, group, blackhole: false },
    { id: ID + 1, protocol: 179, group: [], blackhole: true },
    { id: 7, protocol: 186, group: [], blackhole: true },
    leg(one, '10.0.0.1', 1),
    leg(two, '10.0.1.1', 2),
  ])
  expect([...found].map(([id, it]) => [id, forwardingText(it)])).toEqual([
    [ID, 'via 10.0.0.1 link 1, via 10.0.1.1 link 2 weight 3'],
    [ID + 1, 'blackhole'],
  ])
})
