import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { reject, accept } from '../../../src/policy/standard.ts'
import { MOST_PATHS_OF_PEER } from '../../../src/rib/family-rib.ts'
import { hex } from '../wire/hex.ts'
import { SmallRib, type PeerValues } from './small-rib.ts'

const PREFIX = '10.1.0.0/16'
const SEVERAL: PeerValues = { addPath: ['ipv4', 'ipv6'] }
const SET = { asPath: '65001 65009', nextHop: '10.0.0.1' }

describe('several paths of a peer to one prefix (RFC 7911)', () => {
  test('stand side by side, and the lowest identifier breaks the tie', () => {
    const rib = new SmallRib()
    const peer = rib.peer('a', SEVERAL)
    peer.send({ announce: [`${PREFIX}#7`, `${PREFIX}#3`, `${PREFIX}#4294967295`], set: SET })
    expect(rib.settle().fates(PREFIX)).toEqual({
      'a#3': 'best',
      'a#7': 'path id',
      'a#4294967295': 'path id',
    })
    expect(peer.peer.paths).toEqual([3, 0])
    rib.expectNoLeak(peer)
  })

  test('an identifier of 0 is one like any other', () => {
    const rib = new SmallRib()
    const peer = rib.peer('a', SEVERAL)
    peer.send({ announce: [`${PREFIX}#1`, `${PREFIX}#0`], set: SET })
    expect(rib.settle().fates(PREFIX)).toEqual({ a: 'best', 'a#1': 'path id' })
    peer.send({ withdraw: [`${PREFIX}#0`] })
    expect(rib.settle().fates(PREFIX)).toEqual({ 'a#1': 'best' })
    rib.expectNoLeak(peer)
  })

  test('the address of another peer goes before the identifier', () => {
    const rib = new SmallRib()
    const far = rib.peer('far', { ...SEVERAL, address: '10.0.0.9' })
    const near = rib.peer('near', { address: '10.0.0.2' })
    far.send({ announce: [`${PREFIX}#1`, `${PREFIX}#2`], set: SET })
    near.send({ announce: [PREFIX], set: SET })
    expect(rib.settle().fates(PREFIX)).toEqual({
      near: 'best',
      'far#1': 'peer address',
      'far#2': 'peer address',
    })
    rib.expectNoLeak(far, near)
  })

  test('one with the same identifier replaces the other', () => {
    const rib = new SmallRib()
    const peer = rib.peer('a', SEVERAL)
    peer.send({ announce: [`${PREFIX}#1`, `${PREFIX}#2`], set: SET })
    peer.send({ announce: [`${PREFIX}#1`], set: { ...SET, asPath: '65001 65002 65009' } })
    expect(rib.settle().fates(PREFIX)).toEqual({ 'a#2': 'best', 'a#1': 'AS path length' })
    rib.expectNoLeak(peer)
  })

  test('a withdrawal takes the path that it names, and no other', () => {
    const rib = new SmallRib()
    const peer = rib.peer('a', SEVERAL)
    peer.send({ announce: [`${PREFIX}#1`, `${PREFIX}#2`, '2001:db8::/32#1'], set: SET })
    peer.send({ withdraw: [`${PREFIX}#1`, `${PREFIX}#9`, '2001:db8::/32#2', '10.9.0.0/16#1'] })
    rib.settle()
    expect(rib.fates(PREFIX)).toEqual({ 'a#2': 'best' })
    expect(rib.fates('2001:db8::/32')).toEqual({ 'a#1': 'best' })
    rib.expectNoLeak(peer)
  })

  test('a malformed UPDATE withdraws the paths that it names (RFC 7606)', () => {
    const rib = new SmallRib()
    const peer = rib.peer('a', SEVERAL)
    peer.send({ announce: [`${PREFIX}#1`, `${PREFIX}#2`], set: SET })
    // A MED of three bytes.
    peer.send({ announce: [`${PREFIX}#2`], set: SET, extra: hex('80 04 03 000000') })
    expect(rib.settle().fates(PREFIX)).toEqual({ 'a#1': 'best' })
    expect(peer.problems).not.toEqual([])
    rib.expectNoLeak(peer)
  })

  test('share the load, by next hop', () => {
    const rib = new SmallRib({ multipath: 2 })
    const peer = rib.peer('a', SEVERAL)
    peer.send({ announce: [`${PREFIX}#3`], set: { ...SET, nextHop: '10.0.0.3' } })
    peer.send({ announce: [`${PREFIX}#1`], set: { ...SET, nextHop: '10.0.0.1' } })
    peer.send({ announce: [`${PREFIX}#2`], set: { ...SET, nextHop: '10.0.0.2' } })
    expect(rib.settle().forwarded.get(PREFIX)).toEqual(['a#1', 'a#2'])
    rib.resolver.lose('10.0.0.1')
    rib.settle()
    expect(rib.forwarded.get(PREFIX)).toEqual(['a#2', 'a#3'])
    expect(rib.fates(PREFIX)['a#1']).toBe('next hop unreachable')
    rib.expectNoLeak(peer)
  })

  test('all are judged anew when the import policy changes', () => {
    const rib = new SmallRib()
    const peer = rib.peer('a', SEVERAL)
    peer.send({ announce: [`${PREFIX}#1`, `${PREFIX}#2`], set: SET })
    rib.settle()
    peer.peer.importPolicy = reject
    rib.rib.judgeAgain(peer.session)
    expect(rib.settle().fates(PREFIX)).toEqual({ 'a#1': 'rejected', 'a#2': 'rejected' })
    expect(peer.peer.accepted).toEqual([0, 0])
    peer.peer.importPolicy = accept
    rib.rib.judgeAgain(peer.session)
    expect(rib.settle().best(PREFIX)).toBe('a#1')
    rib.expectNoLeak(peer)
  })

  test('End-of-RIB has no identifier', () => {
    const rib = new SmallRib()
    const peer = rib.peer('a', SEVERAL)
    peer.sendBody(hex('0000 0000'))
    peer.sendBody(hex('0000 0006 80 0f 03 0002 01'))
    expect(peer.endOfRibs).toEqual(['ipv4', 'ipv6'])
    rib.expectNoLeak(peer)
  })

  test('only where it was agreed on: the other family is as ever', () => {
    const rib = new SmallRib()
    const peer = rib.peer('a', { addPath: ['ipv6'] })
    peer.send({ announce: [PREFIX, '2001:db8::/32#5'], set: SET })
    rib.settle()
    expect(rib.fates(PREFIX)).toEqual({ a: 'best' })
    expect(rib.fates('2001:db8::/32')).toEqual({ 'a#5': 'best' })
    rib.expectNoLeak(peer)
  })

  test('a peer that offers too many of one prefix is heard about the first ones', () => {
    const rib = new SmallRib()
    const peer = rib.peer('a', SEVERAL)
    const ids = Array.from({ length: MOST_PATHS_OF_PEER + 2 }, (_, i) => `${PREFIX}#${i}`)
    for (let i = 0; i < ids.length; i += 300)
      peer.send({ announce: ids.slice(i, i + 300), set: SET })
    expect(rib.settle().live().paths).toBe(MOST_PATHS_OF_PEER)
    expect(peer.problems).toEqual(['2 paths refused'])
    // One that is there may change, and one that goes makes room.
    peer.send({ announce: [ids[5]], set: { ...SET, asPath: '65001' } })
    expect(rib.settle().best(PREFIX)).toBe('a#5')
    peer.send({ withdraw: [ids[5]] })
    peer.send({ announce: [ids[MOST_PATHS_OF_PEER]], set: { ...SET, asPath: '65001' } })
    expect(rib.settle().best(PREFIX)).toBe(`a#${MOST_PATHS_OF_PEER}`)
    rib.expectNoLeak(peer)
  })
})

test('whatever peers with and without identifiers say, each holds what it said last', () => {
  const step = fc.record({
    peer: fc.constantFrom('a', 'b', 'c'),
    prefix: fc.constantFrom('10.1.0.0/16', '10.2.0.0/16', '2001:db8::/32'),
    id: fc.nat({ max: 3 }),
    withdraw: fc.boolean(),
  })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const rib = new SmallRib()
      const peers = {
        a: rib.peer('a', { ...SEVERAL, address: '10.0.0.1' }),
        b: rib.peer('b', { ...SEVERAL, address: '10.0.0.2' }),
        c: rib.peer('c', { address: '10.0.0.3' }),
      }
      const model = new Map<string, Set<string>>()
      for (const { peer, prefix, id, withdraw } of steps) {
        const plain = peer === 'c'
        const path = plain || id === 0 ? peer : `${peer}#${id}`
        const text = plain ? prefix : `${prefix}#${id}`
        const paths = model.get(prefix) ?? new Set()
        model.set(prefix, paths)
        if (withdraw) {
          paths.delete(path)
          peers[peer].send({ withdraw: [text] })
        } else {
          paths.add(path)
          peers[peer].send({ announce: [text], set: SET })
        }
        if (id === 0) rib.settle()
      }
      rib.settle()
      for (const [prefix, paths] of model) {
        expect(new Set(Object.keys(rib.fates(prefix)))).toEqual(paths)
        const best = ['a', 'b', 'c'].flatMap((peer) =>
          [peer, `${peer}#1`, `${peer}#2`, `${peer}#3`].filter((path) => paths.has(path)),
        )[0]
        expect(rib.best(prefix)).toBe(best)
      }
      rib.expectNoLeak(...Object.values(peers))
    }),
    { seed: 7911, numRuns: 200 },
  )
})
