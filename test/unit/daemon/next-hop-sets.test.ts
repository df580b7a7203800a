import { beforeEach, describe, expect, test } from 'vitest'
import { NextHopSets, inUse, type Offer } from '../../../src/daemon/next-hop-sets.ts'
import { NEXT_HOP_ID_FIRST } from '../../../src/fib/kernel.ts'
import { objectText } from '../../../src/fib/forwarding.ts'
import { Targets } from '../../../src/fib/targets.ts'
import { address } from '../../../src/net/address.ts'
import { accept } from '../../../src/policy/standard.ts'
import type { NextHop } from '../../../src/rib/next-hop-table.ts'
import { RibPeer } from '../../../src/rib/peer.ts'
import { FakeClock } from '../../support/fake-clock.ts'
import { MemoryKernel } from '../../support/memory-kernel.ts'

let clock: FakeClock
let kernel: MemoryKernel
let targets: Targets
let sets: NextHopSets
beforeEach(() => {
  clock = new FakeClock()
  kernel = new MemoryKernel()
  targets = new Targets(kernel, clock, { failed: () => {} })
  sets = new NextHopSets(targets, 16)
})

/** 10.0.<link>.1, on this link; `via` more gateways for a next hop that is not on a link. */
const nextHop = (link: number, gateways = [link]): NextHop => ({
  id: link,
  address: address(`10.0.${link}.1`),
  resolution: {
    gateways: gateways.map((it) => ({ via: address(`10.0.${it}.1`), link: it })),
    onLink: true,
    own: false,
    metric: 0,
    resolvedBy: '',
  },
})
const peer = (number: number, more: { external?: boolean } = {}): RibPeer =>
  new RibPeer(
    number,
    {
      name: `peer ${number}`,
      address: address(`10.0.${number}.1`),
      routerId: number,
      asn: 65_000 + number,
      external: true,
      routeReflectorClient: false,
      ...more,
    },
    accept,
  )
const A = nextHop(1)
const B = nextHop(2)
const C = nextHop(3)
const torA = peer(1)
const torB = peer(2)
const torC = peer(3)
const byA: Offer = { nextHop: A, peer: torA }
const byB: Offer = { nextHop: B, peer: torB }
const byC: Offer = { nextHop: C, peer: torC }

/** The target, in use by a route. */
function used(offers: readonly Offer[], backup?: Offer, shares?: readonly number[]): number {
  const target = sets.target({ family: 'ipv4', overlaid: false }, offers, backup, shares)
  targets.retain(target)
  return target
}
const forwarding = (target: number): string =>
  objectText(targets.get(target)?.target ?? { kind: 'unreachable' })
const first = NEXT_HOP_ID_FIRST

describe('a set', () => {
  test('is one target, whoever asks and in whatever order', () => {
    expect(used([byA, byB])).toBe(first)
    expect(used([byB, byA])).toBe(first)
    expect(used([byA])).toBe(first + 1)
    expect(used([byA], byB)).toBe(first + 2)
    expect(used([byA, byB], undefined, [1, 4])).toBe(first + 3)
    expect(forwarding(first + 2)).toBe('via 10.0.1.1 link 1 or via 10.0.2.1 link 2')
    expect(forwarding(first + 3)).toBe('via 10.0.1.1 link 1, via 10.0.2.1 link 2 weight 4')
  })

  test('of unreachable next hops is none', () => {
    expect(used([{ nextHop: nextHop(1, []), peer: torA }])).toBe(0)
    expect([...sets]).toEqual([])
  })

  test('is forgotten when its last route has gone', () => {
    const target = used([byA], byB)
    targets.release(target)
    clock.advance(60_000)
    expect([...sets]).toEqual([])
    expect(used([byA], byB)).toBe(first + 1)
  })

  test('serves again when nothing but the order of its members is another', () => {
    const target = used([byA, byB], byC)
    expect(sets.current(target, [byB, byA], false)?.target).toBe(target)
    expect(sets.current(target, [byA], false)).toBeUndefined()
    expect(sets.current(target, [byA, byC], false)).toBeUndefined()
    expect(sets.current(used([byA, byB], undefined, [1, 4]), [byA, byB], false)).toBeUndefined()
  })
})

describe('a next hop that is reached otherwise', () => {
  test.each([
    [true, 1],
    [false, 0],
  ])('is told of where the overlay serves it (%s)', (overlaid, times) => {
    let heard = 0
    targets.retain(sets.target({ family: 'ipv4', overlaid }, [byA], undefined))
    sets.onOverlaid = () => void heard++
    sets.changed({ ...A, resolution: nextHop(3).resolution })
    expect(heard).toBe(times)
  })

  test('by another link: all sets that contain it are repointed', () => {
    const alone = used([byA])
    const both = used([byB], byA)
    sets.changed({ ...A, resolution: nextHop(3).resolution })
    expect(forwarding(alone)).toBe('via 10.0.3.1 link 3')
    expect(forwarding(both)).toBe('via 10.0.2.1 link 2 or via 10.0.3.1 link 3')
  })

  test('no longer: its backup takes over, and gives back', () => {
    const target = used([byA], byB)
    const gone = nextHop(1, [])
    sets.changed(gone)
    expect(forwarding(target)).toBe('via 10.0.2.1 link 2 or nothing')
    const [set] = sets
    expect(inUse(set)).toEqual([B])
    sets.changed(A)
    expect(forwarding(target)).toBe('via 10.0.1.1 link 1 or via 10.0.2.1 link 2')
    expect(used([byA], byB)).toBe(target)
  })

  test('no longer, and it was the last: the kernel is left alone', () => {
    const target = used([byA])
    sets.changed(nextHop(1, []))
    expect(kernel.objects.get(target)).toHaveLength(1)
  })

  test('by the same gateway as its backup: nothing stands by', () => {
    const target = used([{ nextHop: nextHop(1, [3]), peer: torA }], byC)
    expect(forwarding(target)).toBe('via 10.0.3.1 link 3 or nothing')
  })
})

describe('a session that ends', () => {
  test('takes its next hop along: what is left of the set takes over, for good', () => {
    const target = used([byA, byB])
    const other = used([byC])
    sets.lost(torA)
    expect(forwarding(target)).toBe('via 10.0.2.1 link 2')
    expect(forwarding(other)).toBe('via 10.0.3.1 link 3')
    // The peer is back, and with it the first of its paths: the others are not.
    const again = used([{ nextHop: A, peer: peer(1) }, byB])
    expect(again).not.toBe(target)
    expect(forwarding(again)).toBe('via 10.0.1.1 link 1, via 10.0.2.1 link 2')
    expect(forwarding(target)).toBe('via 10.0.2.1 link 2')
    expect(sets.current(target, [byA, byB], false)).toBeUndefined()
  })

  test('of the backup: nothing stands by until it is back; the set stays in use', () => {
    const target = used([byA], byB)
    sets.lost(torB)
    expect(forwarding(target)).toBe('via 10.0.1.1 link 1 or nothing')
    const set = sets.current(target, [byA], false)
    expect(set?.target).toBe(target)
    if (set !== undefined) sets.heard(set, [byA], { nextHop: B, peer: peer(2) })
    expect(forwarding(target)).toBe('via 10.0.1.1 link 1 or via 10.0.2.1 link 2')
  })

  test('and then that of the backup: nothing can be done', () => {
    const target = used([byA], byB)
    sets.lost(torA)
    sets.lost(torB)
    expect(forwarding(target)).toBe('via 10.0.2.1 link 2 or nothing')
  })

  test('without another way: the kernel is left alone, and the peer may come back to the set', () => {
    const target = used([byA])
    sets.lost(torA)
    expect(forwarding(target)).toBe('via 10.0.1.1 link 1')
    expect(used([{ nextHop: A, peer: peer(1) }])).toBe(target)
  })

  test('while another session offers the same next hop: that goes on', () => {
    const target = used([byA], byB)
    used([{ nextHop: A, peer: torC }], byB)
    sets.lost(torA)
    expect(forwarding(target)).toBe('via 10.0.1.1 link 1 or via 10.0.2.1 link 2')
    sets.lost(torC)
    expect(forwarding(target)).toBe('via 10.0.2.1 link 2 or nothing')
  })

  test('of a route reflector says nothing of the next hops that it told of', () => {
    const reflector = peer(9, { external: false })
    const target = used([{ nextHop: A, peer: reflector }], { nextHop: B, peer: reflector })
    sets.lost(reflector)
    expect(forwarding(target)).toBe('via 10.0.1.1 link 1 or via 10.0.2.1 link 2')
  })

  test('of an internal peer that is the next hop itself', () => {
    const node = peer(1, { external: false })
    const target = used([{ nextHop: A, peer: node }], byB)
    sets.lost(node)
    expect(forwarding(target)).toBe('via 10.0.2.1 link 2 or nothing')
  })
})

test('4096 sets have a backup, the others none', () => {
  for (let i = 0; i < 4096; i++) {
    const other = { ...A, address: address(`10.1.${i >> 8}.${i & 255}`) }
    used([{ nextHop: other, peer: torA }], byB)
  }
  expect(forwarding(used([byA], byB))).toBe('via 10.0.1.1 link 1')
  expect(forwarding(first)).toBe('via 10.0.1.1 link 1 or via 10.0.2.1 link 2')
})
