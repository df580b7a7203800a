import { expect, test } from 'vitest'
import { loadShares } from '../../../src/daemon/load-shares.ts'
import { prefix } from '../../../src/net/prefix.ts'
import { SmallRib } from '../rib/small-rib.ts'

const PREFIX = '10.1.0.0/16'

/** The shares of paths with these bandwidths, in gigabits per second; undefined for one that tells of none. */
function sharesOf(...gigabits: readonly (number | undefined)[]): readonly number[] | undefined {
  const rib = new SmallRib()
  for (const [i, rate] of gigabits.entries()) {
    const extendedCommunities = rate === undefined ? [] : [`bandwidth:65001:${rate * 125_000_000}`]
    const set = { asPath: '65001', nextHop: `10.0.0.${i + 1}`, extendedCommunities }
    rib.peer(`p${i}`, { address: `10.0.0.${i + 1}` }).send({ announce: [PREFIX], set })
  }
  rib.settle()
  const [{ prefixes, paths }] = rib.rib.families
  const chain: number[] = []
  const first = prefixes.paths(prefixes.findPrefix(prefix(PREFIX)))
  for (let path = first; path !== 0; path = paths.next(path)) chain.push(path)
  const inOrder = chain.toSorted((a, b) => paths.peer(a) - paths.peer(b))
  return loadShares(rib.rib.attributes, paths, inOrder)
}

test('paths share the load by the bandwidths that they tell of', () => {
  expect(sharesOf(10, 40)).toEqual([1, 4])
  expect(sharesOf(10, 40, 20)).toEqual([1, 4, 2])
})

test('evenly where all are the same', () => {
  expect(sharesOf(10, 10)).toBeUndefined()
})

test('evenly where one of them tells of none, wherever it stands', () => {
  expect(sharesOf(10, 40, undefined)).toBeUndefined()
  expect(sharesOf(undefined, 10, 40)).toBeUndefined()
  expect(sharesOf(undefined, undefined)).toBeUndefined()
})
