import { describe, expect, test } from 'vitest'
import { IPV4, IPV6 } from '../../../src/net/family.ts'
import { SmallRib, type SmallPeer } from './small-rib.ts'

const A = '10.1.0.0/16'
const B = '10.2.0.0/16'
const A6 = '2001:db8:a::/48'

function twoPeers(): { rib: SmallRib; tor: SmallPeer; other: SmallPeer } {
  const rib = new SmallRib()
  const tor = rib.peer('tor', { address: '10.0.0.1' })
  const other = rib.peer('other', { address: '10.0.0.2', routerId: 2 })
  tor.send({ announce: [A, B] })
  tor.send({ announce: [A6] })
  other.send({ announce: [B] })
  rib.settle()
  return { rib, tor, other }
}

describe('a peer that tells its routes again between marks (RFC 7313)', () => {
  test('loses what it does not tell again, of that family, and nobody else anything', () => {
    const { rib, tor, other } = twoPeers()
    rib.rib.refreshBegan(tor.session, IPV4)
    expect(rib.settle().best(B)).toBe('tor')
    tor.send({ announce: [A] })
    rib.rib.refreshEnded(tor.session, IPV4)
    rib.settle()
    expect(rib.prefixes()).toEqual([A, B, A6])
    expect(rib.best(A)).toBe('tor')
    expect(rib.best(B)).toBe('other')
    expect(tor.peer.paths).toEqual([1, 1])
    rib.expectNoLeak(tor, other)
  })

  test('loses nothing when all comes again, nor does its age change', () => {
    const { rib, tor } = twoPeers()
    const [{ paths, prefixes }] = rib.rib.families
    const since = (text: string): number => {
      const id = prefixes.intern(Int32Array.of(text === A ? 0x0a010000 : 0x0a020000), 0, 16)
      return paths.since(prefixes.paths(id))
    }
    const before = since(A)
    rib.rib.refreshBegan(tor.session, IPV4)
    tor.send({ announce: [A, B] })
    rib.rib.refreshEnded(tor.session, IPV4)
    rib.settle()
    expect(since(A)).toBe(before)
    expect(rib.best(B)).toBe('tor')
  })

  test('what comes new or is withdrawn meanwhile counts as always', () => {
    const { rib, tor, other } = twoPeers()
    rib.rib.refreshBegan(tor.session, IPV4)
    tor.send({ withdraw: [A], announce: ['10.3.0.0/16'] })
    rib.rib.refreshEnded(tor.session, IPV4)
    rib.settle()
    expect(rib.prefixes()).toEqual([B, '10.3.0.0/16', A6])
    rib.expectNoLeak(tor, other)
  })

  test('a second beginning starts anew: what came after the first alone is stale', () => {
    const { rib, tor } = twoPeers()
    rib.rib.refreshBegan(tor.session, IPV4)
    tor.send({ announce: [A] })
    rib.rib.refreshBegan(tor.session, IPV4)
    tor.send({ announce: [B] })
    rib.rib.refreshEnded(tor.session, IPV4)
    rib.settle()
    expect(rib.prefixes()).toEqual([B, A6])
  })

  test('one that begins before the last one has been swept takes nothing from it', () => {
    const { rib, tor } = twoPeers()
    rib.rib.refreshBegan(tor.session, IPV4)
    tor.send({ announce: [A] })
    rib.rib.refreshEnded(tor.session, IPV4)
    rib.rib.refreshBegan(tor.session, IPV4) // the walk has not begun
    rib.settle()
    expect(rib.prefixes()).toEqual([A, B, A6])
    expect(rib.best(B)).toBe('other')
    rib.rib.refreshEnded(tor.session, IPV4)
    expect(rib.settle().prefixes()).toEqual([B, A6])
  })

  test('a hundred times in a row, in both families', () => {
    const { rib, tor, other } = twoPeers()
    for (let round = 0; round < 100; round++) {
      const kept = round % 2 === 0 ? A : B
      for (const family of [IPV4, IPV6]) rib.rib.refreshBegan(tor.session, family)
      tor.send({ announce: [kept] })
      for (const family of [IPV4, IPV6]) rib.rib.refreshEnded(tor.session, family)
      rib.settle()
      expect(tor.peer.paths).toEqual([1, 0])
      expect(rib.best(kept)).toBe('tor')
    }
    rib.expectNoLeak(tor, other)
  })
})
