import { expect, test } from 'vitest'
import { Paths } from '../../../src/rib/paths.ts'

/** More than there are marks in a row. */
const PEERS = 20
const PREFIX = 1

/** A chain with a path of each of these peers; its first path. */
const chainOf = (paths: Paths, peers: readonly number[]): number =>
  peers.reduce((first, peer) => paths.add(PREFIX, peer, 0, first), 0)

const everyPeer = Array.from({ length: PEERS }, (_, i) => i + 1)

test('the path of each peer is found, and none of those that have none', () => {
  for (const absent of everyPeer) {
    const paths = new Paths()
    const present = everyPeer.filter((peer) => peer !== absent)
    const first = chainOf(paths, present)
    for (const peer of present) expect(paths.peer(paths.find(first, peer, 0))).toBe(peer)
    expect(paths.find(first, absent, 0)).toBe(0)
  }
})

test('it is found behind paths that were taken out of the chain', () => {
  const paths = new Paths()
  const first = chainOf(paths, everyPeer)
  const second = paths.next(first)
  const third = paths.next(second)
  paths.setNext(first, third)
  paths.free(second)
  expect(paths.peer(paths.find(first, paths.peer(third), 0))).toBe(PEERS - 2)
  expect(paths.find(first, PEERS - 1, 0)).toBe(0)
})

test('attributes that change leave the marks as they are', () => {
  const paths = new Paths()
  const first = chainOf(paths, everyPeer)
  paths.put(first, 5, 0, 'tooLong', 0)
  paths.setGeneration(first, 15)
  expect(paths.rejection(first)).toBe('tooLong')
  expect(paths.generation(first)).toBe(15)
  expect(paths.peer(first)).toBe(PEERS)
  for (const peer of everyPeer) expect(paths.find(first, peer, 0)).not.toBe(0)
})

test('of several paths of a peer the one with the identifier is found, and the others are counted', () => {
  const paths = new Paths()
  let first = 0
  for (const id of [3, 2, 1]) first = paths.add(PREFIX, 7, id, first)
  expect(paths.id(paths.find(first, 7, 3))).toBe(3)
  expect(paths.passed).toBe(2)
  expect(paths.find(first, 7, 4)).toBe(0)
  expect(paths.passed).toBe(3)
})
