import { describe, expect, test } from 'vitest'
import { directTarget } from '../../../src/fib/dataplanes/direct.ts'
import { address } from '../../../src/net/address.ts'

/** `10.0.1.1@2`: the gateway 10.0.1.1 on link 2. */
const gateways = (text: string) =>
  text
    .split(' ')
    .filter((it) => it !== '')
    .map((it) => ({ via: address(it.split('@')[0]), link: Number(it.split('@')[1]) }))

const legs = (nextHops: readonly string[], ecmp = 16, shares: readonly number[] = []): string =>
  directTarget(nextHops.map(gateways), ecmp, shares)
    .hops.map(
      ({ via, link, weight }) => `${via?.text}@${link}${weight === undefined ? '' : `*${weight}`}`,
    )
    .join(' ')

interface Case {
  readonly title: string
  readonly nextHops: readonly string[]
  readonly ecmp?: number
  readonly shares?: readonly number[]
  readonly expected: string
}

const cases: readonly Case[] = [
  { title: 'one next hop', nextHops: ['10.0.1.1@2'], expected: '10.0.1.1@2' },
  {
    title: 'two, in whatever order',
    nextHops: ['10.0.2.1@3', '10.0.1.1@2'],
    expected: '10.0.1.1@2 10.0.2.1@3',
  },
  {
    title: 'sorted as numbers, not as text',
    nextHops: ['10.0.10.1@2', '10.0.9.1@2'],
    expected: '10.0.9.1@2 10.0.10.1@2',
  },
  {
    title: 'the same gateway for two next hops is one leg',
    nextHops: ['10.0.1.1@2', '10.0.1.1@2'],
    expected: '10.0.1.1@2',
  },
  {
    title: 'the same neighbour on two links is two legs',
    nextHops: ['fe80::1@2 fe80::1@3'],
    expected: 'fe80::1@2 fe80::1@3',
  },
  {
    title: 'each next hop gets the same share, split among its gateways',
    nextHops: ['10.0.1.1@2 10.0.2.1@3', '10.0.3.1@4'],
    expected: '10.0.1.1@2 10.0.2.1@3 10.0.3.1@4*2',
  },
  {
    title: 'a gateway of two next hops carries both shares',
    nextHops: ['10.0.1.1@2', '10.0.1.1@2', '10.0.3.1@4'],
    expected: '10.0.1.1@2*2 10.0.3.1@4',
  },
  {
    title: 'the unreachable ones are left out',
    nextHops: ['', '10.0.1.1@2', ''],
    expected: '10.0.1.1@2',
  },
  {
    title: 'shares of their own',
    nextHops: ['10.0.1.1@2', '10.0.2.1@3'],
    shares: [1, 4],
    expected: '10.0.1.1@2 10.0.2.1@3*4',
  },
  {
    title: 'a share of its own, split among gateways',
    nextHops: ['10.0.1.1@2 10.0.2.1@3', '10.0.3.1@4'],
    shares: [4, 1],
    expected: '10.0.1.1@2*2 10.0.2.1@3*2 10.0.3.1@4',
  },
  {
    title: 'the shares of those that are reachable',
    nextHops: ['', '10.0.1.1@2', '10.0.2.1@3'],
    shares: [9, 6, 3],
    expected: '10.0.1.1@2*2 10.0.2.1@3',
  },
  { title: 'nothing is reachable', nextHops: ['', ''], expected: '' },
  { title: 'no next hop at all', nextHops: [], expected: '' },
  {
    title: 'no more legs than allowed',
    nextHops: ['10.0.3.1@4', '10.0.1.1@2', '10.0.2.1@3'],
    ecmp: 2,
    expected: '10.0.1.1@2 10.0.2.1@3',
  },
  {
    title: 'without ECMP, always the same one',
    nextHops: ['10.0.2.1@3', '10.0.1.1@2'],
    ecmp: 1,
    expected: '10.0.1.1@2',
  },
]

describe('the gateways of a set of next hops', () => {
  test.each(cases)('$title', ({ nextHops, ecmp, shares, expected }) => {
    expect(legs(nextHops, ecmp, shares)).toBe(expected)
  })

  test('weights stay within what the kernel takes, whatever the numbers of gateways', () => {
    const uneven = [3, 5, 7, 11, 13].map((count, i) =>
      Array.from({ length: count }, (_, j) => `10.${i}.0.${j + 1}@${i + 2}`).join(' '),
    )
    const weights = directTarget([...uneven, '10.9.0.1@9'].map(gateways), 64).hops.map(
      ({ weight = 1 }) => weight,
    )
    expect(weights).toHaveLength(40)
    expect(weights.every((it) => Number.isInteger(it) && it >= 1 && it <= 256)).toBe(true)
    expect(Math.max(...weights)).toBe(256)
  })
})
