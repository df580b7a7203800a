import { describe, expect, test } from 'vitest'
import { FAMILIES } from '../../../src/net/family.ts'
import { prefix } from '../../../src/net/prefix.ts'
import { accept, local, reject } from '../../../src/policy/standard.ts'
import { NOTHING, OWN_ASN, SmallRib, type SmallPeer } from './small-rib.ts'
import { NO_ADVERTISE, NO_EXPORT } from '../../../src/wire/scan.ts'

const SET = { asPath: '65001 65009' }

/** More rows than a walk visits at a step. */
const MANY = 5_000
const many = (from = 0, to = MANY): string[] =>
  Array.from({ length: to - from }, (_, i) => `10.${(from + i) >> 8}.${(from + i) & 0xff}.0/24`)

const inMessages = (prefixes: readonly string[]): string[][] =>
  Array.from({ length: Math.ceil(prefixes.length / 500) }, (_, i) =>
    prefixes.slice(500 * i, 500 * (i + 1)),
  )

function offer(peer: SmallPeer, prefixes: readonly string[], med = 0): void {
  for (const announce of inMessages(prefixes)) peer.send({ announce, set: { ...SET, med } })
}

describe('a session that ends', () => {
  test('takes its paths with it, in slices', () => {
    const rib = new SmallRib()
    const peer = rib.peer('peer')
    offer(peer, [...many(), '2001:db8::/32'])
    rib.settle()
    rib.rib.dropPeer(peer.peer)
    let steps = 0
    for (; rib.rib.busy; steps++) rib.step(1)
    expect(steps).toBeGreaterThan(4)
    expect(rib.live()).toEqual(NOTHING)
    expect(peer.peer.paths).toEqual([0, 0])
  })

  test('leaves the field to the other paths, prefix by prefix, before all is done', () => {
    const rib = new SmallRib()
    const [a, b] = ['a', 'b'].map((name, i) => rib.peer(name, { address: `10.0.0.${i + 1}` }))
    offer(a, many())
    offer(b, many())
    rib.settle()
    rib.rib.dropPeer(a.peer)
    rib.step(3)
    expect(rib.rib.busy).toBe(true)
    expect(rib.best(many()[0])).toBe('b')
    rib.settle()
    expect(new Set(many().map((text) => rib.best(text)))).toEqual(new Set(['b']))
    rib.expectNoLeak(b)
  })

  test('does not meet the one that follows, which may come before it is forgotten', () => {
    const rib = new SmallRib()
    const before = rib.peer('before')
    offer(before, many())
    rib.settle()
    rib.rib.dropPeer(before.peer)
    rib.step(2)
    const after = rib.peer('after')
    expect(after.peer.id).not.toBe(before.peer.id)
    offer(after, many(0, MANY / 2), 7)
    after.send({ withdraw: many(0, 10) })
    rib.settle()
    expect(rib.prefixes()).toHaveLength(MANY / 2 - 10)
    expect(rib.offers(many()[10])).toMatchObject({ after: { med: 7 } })
    expect(after.peer.paths).toEqual([MANY / 2 - 10, 0])
    expect(before.peer.paths).toEqual([0, 0])
    rib.expectNoLeak(after)
  })

  test('frees its number when its last path is gone', () => {
    const rib = new SmallRib()
    const first = rib.peer('first')
    offer(first, many())
    rib.rib.dropPeer(first.peer)
    const second = rib.peer('second')
    rib.settle()
    const third = rib.peer('third')
    expect([second.peer.id, third.peer.id]).toEqual([first.peer.id + 1, first.peer.id])
    rib.expectNoLeak(second, third)
  })

  test('may end while its policy is being changed', () => {
    const rib = new SmallRib()
    const peer = rib.peer('peer')
    offer(peer, many())
    rib.settle()
    peer.peer.importPolicy = reject
    rib.rib.judgeAgain(peer.session)
    rib.step(2)
    rib.expectNoLeak(peer)
  })
})

test('a long walk does not hold up decisions about other prefixes', () => {
  const rib = new SmallRib()
  const gone = rib.peer('gone')
  offer(gone, many())
  rib.settle()
  rib.rib.dropPeer(gone.peer)
  const other = rib.peer('other')
  other.send({ announce: ['192.0.2.0/24'], set: SET })
  rib.step(3)
  expect(rib.rib.busy).toBe(true)
  expect(rib.best('192.0.2.0/24')).toBe('other')
})

describe('a next hop that changes', () => {
  test('is felt by all paths that use it, and only by them', () => {
    const rib = new SmallRib()
    const [a, b] = ['a', 'b'].map((name, i) => rib.peer(name, { address: `10.0.0.${i + 1}` }))
    a.send({ announce: many(0, 500), set: { ...SET, nextHop: '10.0.0.1' } })
    b.send({ announce: many(0, 500), set: { ...SET, nextHop: '10.0.0.2' } })
    rib.settle()
    rib.forwarded.clear()
    rib.resolver.lose('10.0.0.1')
    rib.settle()
    expect(rib.forwarded.get(many()[0])).toEqual(['b'])
    expect(rib.forwarded.size).toBe(500)
    rib.forwarded.clear()
    rib.resolver.lose('10.0.0.9')
    rib.settle()
    expect(rib.forwarded.size).toBe(0)
    rib.resolver.set('10.0.0.1', {})
    rib.settle()
    expect(rib.best(many()[499])).toBe('a')
    rib.expectNoLeak(a, b)
  })

  test('together with a hundred others costs one walk', () => {
    const rib = new SmallRib()
    const peer = rib.peer('peer')
    const nextHops = Array.from({ length: 100 }, (_, i) => `10.0.1.${i}`)
    for (const [i, nextHop] of nextHops.entries()) {
      peer.send({ announce: [many()[i]], set: { ...SET, nextHop } })
    }
    rib.settle()
    for (const nextHop of nextHops) rib.resolver.lose(nextHop)
    let steps = 0
    for (; rib.rib.busy; steps++) rib.step(1)
    expect(steps).toBeLessThan(20)
    expect(many(0, 100).map((text) => rib.best(text))).toEqual(Array(100).fill(undefined))
    rib.expectNoLeak(peer)
  })

  test('while a walk is under way gets a walk of its own', () => {
    const rib = new SmallRib()
    const peer = rib.peer('peer')
    peer.send({ announce: many(0, 500), set: { ...SET, nextHop: '10.0.1.1' } })
    for (const announce of inMessages(many(500))) {
      peer.send({ announce, set: { ...SET, nextHop: '10.0.1.2' } })
    }
    rib.settle()
    rib.resolver.lose('10.0.1.2')
    rib.step(1)
    rib.resolver.lose('10.0.1.1')
    rib.settle()
    expect(new Set(many().map((text) => rib.best(text)))).toEqual(new Set([undefined]))
    rib.expectNoLeak(peer)
  })
})

describe('an import policy that changes', () => {
  test('judges anew what the peer has sent, without asking it', () => {
    const rib = new SmallRib()
    const peer = rib.peer('peer', { importPolicy: reject })
    offer(peer, many())
    peer.send({ announce: ['192.0.2.0/24'], set: { asPath: `65001 ${OWN_ASN}` } })
    rib.settle()
    expect([peer.peer.paths[0], peer.peer.accepted[0]]).toEqual([MANY + 1, 0])
    peer.peer.importPolicy = accept
    rib.rib.judgeAgain(peer.session)
    rib.settle()
    expect([peer.peer.paths[0], peer.peer.accepted[0]]).toEqual([MANY + 1, MANY])
    expect(rib.best(many()[0])).toBe('peer')
    expect(rib.offers('192.0.2.0/24')).toEqual({ peer: 'ownAs' })
    peer.peer.importPolicy = reject
    rib.rib.judgeAgain(peer.session)
    rib.settle()
    expect(rib.best(many()[0])).toBeUndefined()
    expect(rib.offers(many()[0])).toEqual({ peer: 'importPolicy' })
    rib.expectNoLeak(peer)
  })

  test('does not touch other peers', () => {
    const rib = new SmallRib()
    const [a, b] = ['a', 'b'].map((name) => rib.peer(name))
    for (const peer of [a, b]) peer.send({ announce: ['192.0.2.0/24'], set: SET })
    a.peer.importPolicy = local
    rib.rib.judgeAgain(a.session)
    expect(rib.settle().fates('192.0.2.0/24')).toEqual({ a: 'rejected', b: 'best' })
  })
})

describe('what is decided again when asked', () => {
  const rib = new SmallRib()
  rib.peer('peer').send({
    announce: ['10.1.0.0/16', '10.1.2.0/24', '10.2.0.0/16', '2001:db8:1::/48', '2001:db9::/32'],
    set: SET,
  })
  rib.announceOwn('10.1.3.0/24')
  rib.settle()
  const decided = (): string[] => {
    rib.forwarded.clear()
    rib.settle()
    return [...rib.forwarded.keys()].toSorted()
  }

  const within: readonly [within: string, decided: readonly string[]][] = [
    ['10.1.0.0/16', ['10.1.0.0/16', '10.1.2.0/24', '10.1.3.0/24']],
    ['10.1.2.0/24', ['10.1.2.0/24']],
    ['10.1.2.128/25', []],
    ['2001:db8::/32', ['2001:db8:1::/48']],
    ['::/0', ['2001:db8:1::/48', '2001:db9::/32']],
  ]
  test.each(within)('all within %s', (text, expected) => {
    rib.rib.reconsiderWithin(prefix(text))
    expect(decided()).toEqual(expected)
  })

  test('all there is', () => {
    rib.rib.reconsiderAll()
    expect(decided()).toHaveLength(6)
  })
})

describe('our own prefixes', () => {
  test('are announced, changed and withdrawn', () => {
    const rib = new SmallRib()
    rib.announceOwn('10.244.7.0/26')
    rib.announceOwn('10.244.7.0/26', { communities: ['65000:7'] })
    rib.announceOwn('2001:db8:7::/64')
    rib.settle()
    expect(rib.offers('10.244.7.0/26').local).toMatchObject({
      communities: ['65000:7'],
      asPath: '',
    })
    expect(rib.live()).toEqual({ prefixes: 2, paths: 2, sets: 2, watched: 0 })
    rib.withdrawOwn('10.244.7.0/26')
    rib.withdrawOwn('10.244.7.0/26')
    rib.withdrawOwn('2001:db8:7::/64')
    rib.expectNoLeak()
  })

  test('are refused with attributes that are not canonical, and nothing is left of them', () => {
    const rib = new SmallRib()
    const announce = (): void => rib.rib.announce(prefix('10.0.0.0/8'), Uint8Array.of(0x40), 1)
    expect(announce).toThrow('attributes of 10.0.0.0/8 are not canonical')
    rib.expectNoLeak()
  })
})

describe.each(FAMILIES)('the number of a $name peer', (family) => {
  const text = family.index === 0 ? '10.1.0.0/16' : '2001:db8:1::/48'
  const self = new Uint8Array(family.bits / 8).fill(1)

  test('stays taken while an update group tells its routes', () => {
    const rib = new SmallRib()
    const [source, hearer] = ['source', 'hearer'].map((name) => rib.peer(name))
    const { attributes } = rib.rib
    const group = rib.rib.createGroup(family, {
      external: true,
      confederation: false,
      withheld: NO_ADVERTISE | NO_EXPORT,
      routeReflectorClient: false,
      maxMessageLength: 4096,
      exported: (_prefix, set) => set,
      formOf: (set) => ({
        set: attributes.view(set),
        nextHop: self,
        form: {
          external: true,
          localAsn: OWN_ASN,
          fourOctetAs: true,
          nextHop: family.index === 0 ? self : undefined,
          keepMed: false,
          reflection: undefined,
        },
      }),
      tooLong: () => expect.unreachable(),
    })
    const member = group.join(hearer.peer)
    source.send({ announce: [text], set: SET })
    rib.settle()
    group.pull(member, 1, [])
    rib.rib.dropPeer(source.peer)
    rib.settle()
    expect(rib.peer('meanwhile').peer.id).not.toBe(source.peer.id)
    expect(
      group.toldTo(
        hearer.peer.id,
        rib.rib.families[family.index].prefixes.findPrefix(prefix(text)),
      ),
    ).toHaveLength(1)
    group.pull(member, 1, [])
    expect(rib.peer('after').peer.id).toBe(source.peer.id)
  })
})
