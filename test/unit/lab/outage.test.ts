import { expect, test } from 'vitest'
import { choosePairs } from '../../../src/lab/under-load.ts'
import { outagesOf } from '../../../src/lab/outage.ts'

/** A packet a millisecond; `x` arrived, `.` did not. */
const cases: {
  title: string
  packets: string
  outages: [start: number, length: number, lost: number][]
}[] = [
  { title: 'nothing lost', packets: 'xxxxxxxxxx', outages: [] },
  { title: 'nothing sent', packets: '', outages: [] },
  { title: 'one packet lost', packets: 'xxx.xxxxxx', outages: [[3, 1, 1]] },
  { title: 'four in a row', packets: 'xx....xxxxx', outages: [[2, 4, 4]] },
  {
    title: 'a lucky packet does not end an outage',
    packets: 'x..xx..xxxxxx',
    outages: [[1, 6, 4]],
  },
  {
    title: 'five in a row do',
    packets: 'x.xxxxx.xxxxx',
    outages: [
      [1, 1, 1],
      [7, 1, 1],
    ],
  },
  { title: 'lost until the end', packets: 'xxxxx.....', outages: [[5, 4, 5]] },
  { title: 'lost from the start', packets: '...xxxxx', outages: [[0, 3, 3]] },
  { title: 'everything lost', packets: '.....', outages: [[0, 4, 5]] },
  { title: 'luck at the very end', packets: 'xx...xx', outages: [[2, 3, 3]] },
]

test.each(cases)('$title', ({ packets, outages }) => {
  const sentAt = Float64Array.from(packets, (_, i) => i)
  const arrived = Uint8Array.from(packets, (it) => (it === 'x' ? 1 : 0))
  const expected = outages.map(([startMs, lengthMs, lost]) => ({ startMs, lengthMs, lost }))
  expect(outagesOf(sentAt, arrived, packets.length)).toEqual(expected)
})

test('an outage is as long as the clock says, not as many packets', () => {
  const sentAt = Float64Array.of(0, 1, 51, 52, 53, 54, 55, 56)
  const arrived = Uint8Array.of(1, 0, 1, 1, 1, 1, 1, 1)
  expect(outagesOf(sentAt, arrived, 8)).toEqual([{ startMs: 1, lengthMs: 50, lost: 1 }])
})

const path = (...nodes: string[]) => nodes.map((node) => ({ node, address: node }))
const ONE = path('host1', 'tor1', 'host2')
const TWO = path('host1', 'tor2', 'host2')

test('load is put on pairs that use the router which fails, both ways first', () => {
  const pairs = ['a', 'b', 'c', 'd'].map((it) => [it, `${it}'`] as const)
  const chosen = choosePairs(pairs, [TWO, ONE, TWO, ONE], [TWO, TWO, TWO, ONE], 'tor1')
  expect(chosen.map(([it]) => it)).toEqual(['d', 'b'])
})

test('there may be none', () => {
  expect(choosePairs([['a', 'b']], [TWO], [TWO], 'tor1')).toEqual([])
})
