import { describe, expect, test } from 'vitest'
import { address } from '../../../src/net/address.ts'
import type { Link, LinkAddress } from '../../../src/net/link.ts'
import { prefix } from '../../../src/net/prefix.ts'
import type { KernelNextHop, KernelRoute } from '../../../src/fib/kernel.ts'
import { KernelTables } from '../../../src/linux/kernel-tables.ts'

const link = (index: number, more: Partial<Link> = {}): Link => ({
  index,
  name: `eth${index}`,
  kind: '',
  up: true,
  carrier: true,
  loopback: false,
  mtu: 1500,
  master: 0,
  ...more,
})

const on = (index: number, text: string, length = 24): LinkAddress => ({
  link: index,
  address: address(text),
  length,
  scope: 0,
  tentative: false,
})

const route = (text: string, more: Partial<KernelRoute> = {}): KernelRoute => ({
  prefix: prefix(text),
  table: 254,
  metric: 0,
  protocol: 4,
  type: 1,
  scope: 0,
  nextHopId: 0,
  hops: [],
  flags: 0,
  ...more,
})

const via = (text: string, index: number): KernelNextHop => ({ via: address(text), link: index })

const object = (id: number, hop: KernelNextHop) => ({
  id,
  protocol: 11,
  group: [],
  hop,
  blackhole: false,
})

/** Two links with an address each, and routes over one, the other, and both. */
function tables(): KernelTables {
  const it = new KernelTables()
  it.putLink(link(1))
  it.putLink(link(2))
  it.putAddress(on(1, '10.1.0.1'))
  it.putAddress(on(2, '10.2.0.1'))
  it.routes.put(route('10.10.0.0/16', { hops: [via('10.1.0.2', 1)] }), false)
  it.routes.put(route('10.20.0.0/16', { hops: [via('10.2.0.2', 2)] }), false)
  it.routes.put(route('10.30.0.0/16', { hops: [via('10.1.0.2', 1), via('10.2.0.2', 2)] }), false)
  it.routes.put(route('10.40.0.0/16', { type: 6 }), false)
  it.routes.put(
    route('10.50.0.0/16', { hops: [via('10.2.0.2', 2)], preferredSource: address('10.1.0.1') }),
    false,
  )
  return it
}

const left = (of: KernelTables): string[] =>
  [...of.routes.all()].map((it) => it.prefix.text.split('.')[1] ?? '').toSorted()

describe('what the kernel does without a word', () => {
  const cases: readonly {
    readonly title: string
    readonly change: (of: KernelTables) => void
    readonly left: readonly string[]
  }[] = [
    { title: 'nothing', change: () => {}, left: ['10', '20', '30', '40', '50'] },
    {
      title: 'a link goes down: routes over it alone go',
      change: (of) => of.putLink(link(1, { up: false, carrier: false })),
      left: ['20', '30', '40', '50'],
    },
    {
      title: 'both links go down: routes over both go too',
      change: (of) => {
        of.putLink(link(1, { up: false, carrier: false }))
        of.putLink(link(2, { up: false, carrier: false }))
      },
      left: ['40'],
    },
    {
      title: 'a link loses its carrier: routes stay',
      change: (of) => of.putLink(link(1, { carrier: false })),
      left: ['10', '20', '30', '40', '50'],
    },
    {
      title: 'a link vanishes: routes over it alone go',
      change: (of) => of.removeLink(1),
      left: ['20', '30', '40', '50'],
    },
    {
      title: 'the last address of a link goes: its routes, and those with that source',
      change: (of) => of.removeAddress(on(1, '10.1.0.1')),
      left: ['20', '30', '40'],
    },
    {
      title: 'one of two addresses goes: those with that source',
      change: (of) => {
        of.putAddress(on(1, '10.1.1.1'))
        of.removeAddress(on(1, '10.1.0.1'))
      },
      left: ['10', '20', '30', '40'],
    },
  ]
  test.each(cases)('$title', ({ change, left: expected }) => {
    const of = tables()
    change(of)
    expect(left(of)).toEqual(expected)
  })
})

describe('nexthop objects of others', () => {
  const withObjects = (): KernelTables => {
    const of = tables()
    of.putObject(object(5, via('10.1.0.2', 1)))
    of.putObject(object(6, via('10.2.0.2', 2)))
    of.putObject({
      id: 7,
      protocol: 11,
      group: [
        { id: 5, weight: 1 },
        { id: 6, weight: 2 },
      ],
      blackhole: false,
    })
    of.routes.put(route('10.60.0.0/16', { nextHopId: 7 }), false)
    of.routes.put(route('10.70.0.0/16', { nextHopId: 5 }), false)
    return of
  }
  const hops = (of: KernelTables, id: number): string =>
    of
      .hopsOf(route('10.60.0.0/16', { nextHopId: id }))
      .map((hop) => `${hop.via?.text} ${hop.link}*${hop.weight ?? 1}`)
      .join(', ')

  test('are looked through', () => {
    expect(hops(withObjects(), 5)).toBe('10.1.0.2 1*1')
    expect(hops(withObjects(), 7)).toBe('10.1.0.2 1*1, 10.2.0.2 2*2')
    expect(hops(withObjects(), 8)).toBe('')
  })

  test.each([
    ['carrier', (of: KernelTables) => of.putLink(link(1, { carrier: false }))],
    ['link', (of: KernelTables) => of.removeLink(1)],
    ['object', (of: KernelTables) => of.removeObject(5)],
  ])('go with their %s, out of groups too, and take their routes along', (_, change) => {
    const of = withObjects()
    change(of)
    expect(hops(of, 7)).toBe('10.2.0.2 2*2')
    expect(left(of)).toContain('60')
    expect(left(of)).not.toContain('70')
    of.removeObject(6)
    expect(hops(of, 7)).toBe('')
    expect(left(of)).not.toContain('60')
  })
})

describe('a link is worth checking', () => {
  const cases: readonly [title: string, before: Link | undefined, now: Link, told: boolean][] = [
    ['when it is new', undefined, link(1), true],
    ['when it goes down', link(1), link(1, { up: false }), true],
    ['when it comes up', link(1, { up: false }), link(1), true],
    ['when its carrier goes', link(1), link(1, { carrier: false }), true],
    ['not when it is renamed', link(1), link(1, { name: 'other' }), false],
    ['not when nothing changed', link(1), link(1), false],
  ]
  test.each(cases)('%s', (_, before, now, told) => {
    const of = new KernelTables()
    if (before !== undefined) of.putLink(before)
    expect(of.putLink(now)).toBe(told)
  })
})

test('an address is known by its owners until it is gone everywhere', () => {
  const of = tables()
  of.putAddress(on(2, '10.1.0.1', 32))
  const owners = (): number[] => of.owners(address('10.1.0.1')).map((it) => it.link)
  expect(owners()).toEqual([1, 2])
  of.putAddress(on(1, '10.1.0.1')) // told again
  expect(new Set(owners())).toEqual(new Set([1, 2]))
  of.removeLink(1)
  expect(owners()).toEqual([2])
  of.removeAddress(on(2, '10.1.0.1', 32))
  expect(owners()).toEqual([])
  expect([...of.networks()].map((it) => it.prefix.text)).toEqual(['10.2.0.0/24'])
})
