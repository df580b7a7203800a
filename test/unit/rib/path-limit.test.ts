/** `RibPeer.mostPaths`: what is new beyond it is left out, and nothing else changes. */
import { describe, expect, test } from 'vitest'
import { accept } from '../../../src/policy/standard.ts'
import type { Policy } from '../../../src/policy/policy.ts'
import type { UpdateText } from '../../support/update-builder.ts'
import { SmallRib } from './small-rib.ts'

const A = '10.1.0.0/16'
const B = '10.2.0.0/16'
const C = '10.3.0.0/16'
const D = '10.4.0.0/16'

interface Row {
  readonly title: string
  readonly most: number
  readonly updates: readonly UpdateText[]
  readonly held: readonly string[]
  readonly leftOut: readonly string[]
}

const ROWS: readonly Row[] = [
  {
    title: 'as many as the limit, in one message',
    most: 3,
    updates: [{ announce: [A, B, C] }],
    held: [A, B, C],
    leftOut: [],
  },
  {
    title: 'one more in the same message',
    most: 2,
    updates: [{ announce: [A, B, C] }],
    held: [A, B],
    leftOut: ['1 ipv4'],
  },
  {
    title: 'one message each',
    most: 2,
    updates: [{ announce: [A] }, { announce: [B] }, { announce: [C] }, { announce: [D] }],
    held: [A, B],
    leftOut: ['1 ipv4', '1 ipv4'],
  },
  {
    title: 'what is held may be announced again, between what is new',
    most: 2,
    updates: [{ announce: [A, B] }, { announce: [C, B, D, A], set: { med: 7 } }],
    held: [A, B],
    leftOut: ['2 ipv4'],
  },
  {
    title: 'a prefix twice in a message is one',
    most: 2,
    updates: [{ announce: [A, A, B, B] }],
    held: [A, B],
    leftOut: [],
  },
  {
    title: 'a withdrawal makes room, in the same message as well',
    most: 2,
    updates: [{ announce: [A, B] }, { withdraw: [A], announce: [C, D] }],
    held: [B, C],
    leftOut: ['1 ipv4'],
  },
  {
    title: 'each family counts for itself',
    most: 1,
    updates: [
      { announce: [A] },
      { announce: ['2001:db8:1::/48', '2001:db8:2::/48'], nextHop6: '2001:db8::1' },
    ],
    held: [A, '2001:db8:1::/48'],
    leftOut: ['1 ipv6'],
  },
  {
    title: 'withdrawals of what was left out do nothing',
    most: 1,
    updates: [{ announce: [A, B] }, { withdraw: [B, C] }],
    held: [A],
    leftOut: ['1 ipv4'],
  },
]

/** Makes a verdict for each prefix. */
const eachPrefix: Policy = { ...accept, looksAtPrefix: true }

describe.each([accept, eachPrefix])('with a policy that looks at prefixes or not', (policy) => {
  test.each(ROWS)('$title', ({ most, updates, held, leftOut }) => {
    const rib = new SmallRib()
    const peer = rib.peer('a', { importPolicy: policy })
    peer.peer.mostPaths.fill(most)
    for (const update of updates) peer.send(update)
    rib.settle()
    expect(rib.prefixes()).toEqual(held)
    expect(peer.leftOut).toEqual(leftOut)
    expect(peer.peer.paths[0] + peer.peer.paths[1]).toBe(held.length)
    rib.expectNoLeak(peer)
  })
})

test('what is held beyond a limit that was lowered may change and go', () => {
  const rib = new SmallRib()
  const peer = rib.peer('a')
  peer.send({ announce: [A, B, C] })
  peer.peer.mostPaths[0] = 1
  peer.send({ announce: [A, D], set: { med: 7 } })
  peer.send({ withdraw: [B] })
  rib.settle()
  expect(rib.prefixes()).toEqual([A, C])
  expect(rib.offers(A)).toMatchObject({ a: { med: 7 } })
  expect(peer.leftOut).toEqual(['1 ipv4'])
  rib.expectNoLeak(peer)
})

test("another peer's limit is another matter", () => {
  const rib = new SmallRib()
  const one = rib.peer('one')
  const other = rib.peer('other', { address: '10.0.0.2' })
  one.peer.mostPaths[0] = 1
  one.send({ announce: [A, B] })
  other.send({ announce: [A, B] })
  rib.settle()
  expect(Object.keys(rib.offers(B))).toEqual(['other'])
  rib.expectNoLeak(one, other)
})
