import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { reject } from '../../../src/policy/standard.ts'
import { RUNGS, type DecisionOptions, type Fate } from '../../../src/rib/decision.ts'
import type { AttributeValues } from '../../support/update-builder.ts'
import { SmallRib, type PeerValues } from './small-rib.ts'

const PREFIX = '10.244.7.0/26'

interface Candidate extends AttributeValues {
  readonly peer?: PeerValues
}

/** What every candidate of a table is, unless its row says otherwise. */
const PLAIN: AttributeValues = {
  origin: 'IGP',
  asPath: '65001 65009',
  nextHop: '10.0.0.1',
  localPref: 100,
  med: 10,
}

/** Offers the candidates in this order, each from a peer of its own. */
function decide(
  candidates: Readonly<Record<string, Candidate>>,
  options: Partial<DecisionOptions> = {},
  prepare: (it: SmallRib) => void = () => {},
): SmallRib {
  const rib = new SmallRib(options)
  prepare(rib)
  for (const [name, { peer, ...values }] of Object.entries(candidates)) {
    const external = peer?.external ?? true
    const { localPref, ...rest } = { ...PLAIN, ...values }
    rib.peer(name, { external, ...peer }).send({
      announce: [PREFIX],
      // From an external peer it would be discarded (RFC 4271 5.1.5).
      set: external ? rest : { ...rest, ...(localPref === undefined ? {} : { localPref }) },
    })
  }
  return rib.settle()
}

function permutations(items: readonly number[]): number[][] {
  if (items.length === 0) return [[]]
  return items.flatMap((first) =>
    permutations(items.filter((it) => it !== first)).map((rest) => [first, ...rest]),
  )
}

const ORDERS = permutations([0, 1, 2, 3, 4])

const INTERNAL = { external: false, asn: 65000 } as const
const MEMBER = { external: false, confederation: true, asn: 65102 } as const

describe('two paths that differ in one rung: the better one is best and the other falls there', () => {
  const rungs: readonly [
    rung: Fate,
    why: string,
    winner: Candidate,
    loser: Candidate,
    options?: Partial<DecisionOptions>,
  ][] = [
    [
      'local preference',
      'the higher',
      { peer: INTERNAL, localPref: 200 },
      { peer: { ...INTERNAL, routerId: 0 } },
    ],
    [
      'local preference',
      'an external path has 100',
      { peer: { routerId: 9 } },
      { peer: INTERNAL, localPref: 99 },
    ],
    [
      'long-lived stale',
      'the last choice, whatever its LOCAL_PREF',
      { peer: INTERNAL, localPref: 1 },
      { peer: INTERNAL, localPref: 900, communities: ['llgr-stale'] },
    ],
    ['AS path length', 'the shorter', { asPath: '65001 65009' }, { asPath: '65001 65002 65009' }],
    ['AS path length', 'a set counts one', { asPath: '65001 {1,2,3}' }, { asPath: '65001 1 2' }],
    ['origin', 'IGP before EGP', { origin: 'IGP' }, { origin: 'EGP' }],
    ['origin', 'EGP before incomplete', { origin: 'EGP' }, { origin: 'incomplete' }],
    ['MED', 'the lower', { med: 5 }, { med: 6 }],
    ['MED', 'none is 0', { med: 0 }, { med: 1 }],
    [
      'MED',
      'between different ASes when it is always compared',
      { med: 5, asPath: '65002 65009' },
      { med: 6 },
      { alwaysCompareMed: true },
    ],
    [
      'origin',
      'when the length of the AS path is ignored',
      { asPath: '65001 1 2 3', origin: 'IGP' },
      { asPath: '65001 1', origin: 'EGP' },
      { ignoreAsPathLength: true },
    ],
    [
      'external over internal',
      'eBGP over another member AS of our confederation (RFC 5065 5.3)',
      { peer: { routerId: 9 } },
      { peer: { ...MEMBER, routerId: 1 }, asPath: '(65102) 65001 65009' },
    ],
    [
      'MED',
      'paths that stay within the confederation are compared (RFC 5065 5.3)',
      { peer: MEMBER, asPath: '(65102)', med: 5 },
      { peer: { ...MEMBER, asn: 65103 }, asPath: '(65103)', med: 6 },
    ],
    [
      'router id',
      'another member AS is as good as our own',
      { peer: { ...MEMBER, routerId: 7 }, asPath: '(65102) 65001 65009' },
      { peer: { ...INTERNAL, routerId: 8 } },
    ],
    [
      'external over internal',
      'eBGP',
      { peer: { routerId: 9 } },
      { peer: { ...INTERNAL, routerId: 1 } },
    ],
    [
      'interior cost',
      'the nearer next hop',
      { nextHop: '10.0.0.1', peer: { routerId: 9 } },
      { nextHop: '10.9.9.9', peer: { routerId: 1 } },
    ],
    ['router id', 'the lower', { peer: { routerId: 7 } }, { peer: { routerId: 0xc0000001 } }],
    [
      'router id',
      'the ORIGINATOR_ID stands in for it (RFC 4456 9)',
      { originatorId: '0.0.0.5', peer: { ...INTERNAL, routerId: 9 } },
      { peer: { ...INTERNAL, routerId: 6 } },
    ],
    [
      'cluster list length',
      'the shorter (RFC 4456 9)',
      { clusterList: ['1.1.1.1'], peer: { ...INTERNAL, address: '10.0.0.9' } },
      { clusterList: ['1.1.1.1', '2.2.2.2'], peer: { ...INTERNAL, address: '10.0.0.1' } },
    ],
    [
      'peer address',
      'the lower',
      { peer: { address: '10.0.0.9' } },
      { peer: { address: '10.0.0.10' } },
    ],
    [
      'peer address',
      'IPv4 before IPv6',
      { peer: { address: '192.0.2.1' } },
      { peer: { address: '2001:db8::1' } },
    ],
    [
      'peer address',
      'when router ids are ignored',
      { peer: { routerId: 9, address: '10.0.0.1' } },
      { peer: { routerId: 1, address: '10.0.0.2' } },
      { ignoreRouterId: true },
    ],
  ]

  const far = (it: SmallRib): void => it.resolver.set('10.9.9.9', { onLink: false, metric: 20 })

  test.each(rungs)('%s: %s', (rung, _, winner, loser, options = {}) => {
    for (const candidates of [
      { winner, loser },
      { loser, winner },
    ]) {
      const rib = decide(candidates, options, far)
      expect(rib.best(PREFIX)).toBe('winner')
      expect(rib.fates(PREFIX)).toEqual({ winner: 'best', loser: rung })
      expect(rib.forwarded.get(PREFIX)).toEqual(['winner'])
    }
  })

  test('every rung of the ladder is in the table, or in a test below', () => {
    const tested = new Set(rungs.map(([rung]) => rung))
    // Two paths of one peer are for add-path.test.ts.
    expect(RUNGS.filter((rung) => !tested.has(rung))).toEqual(['own prefix', 'path id'])
  })

  test('own prefix: what we reach by ourselves, whatever others offer', () => {
    const rib = decide({ peer: { peer: INTERNAL, localPref: 500, asPath: '' } })
    rib.announceOwn(PREFIX)
    rib.settle()
    expect(rib.fates(PREFIX)).toEqual({ local: 'best', peer: 'own prefix' })
    expect(rib.forwarded.get(PREFIX)).toEqual(['local'])
    rib.withdrawOwn(PREFIX)
    expect(rib.settle().fates(PREFIX)).toEqual({ peer: 'best' })
  })
})

describe('paths that never stand on the ladder', () => {
  test('one that import policy rejects', () => {
    const rib = decide({ good: { asPath: '1 2 3 4 5' }, bad: { peer: { importPolicy: reject } } })
    expect(rib.fates(PREFIX)).toEqual({ good: 'best', bad: 'rejected' })
  })

  test('one whose next hop is out of reach, until it is back', () => {
    const rib = decide({ near: { asPath: '1 2 3 4 5' }, lost: { nextHop: '10.9.9.9' } })
    expect(rib.best(PREFIX)).toBe('lost')
    rib.resolver.lose('10.9.9.9')
    expect(rib.settle().fates(PREFIX)).toEqual({ near: 'best', lost: 'next hop unreachable' })
    rib.resolver.set('10.9.9.9', {})
    expect(rib.settle().best(PREFIX)).toBe('lost')
  })

  test('one whose next hop is our own address', () => {
    const rib = decide({ near: {}, own: { asPath: '', nextHop: '10.9.9.9' } }, {}, (it) =>
      it.resolver.set('10.9.9.9', { own: true }),
    )
    expect(rib.fates(PREFIX)).toEqual({ near: 'best', own: 'next hop unreachable' })
  })

  test('one of a session that has ended, as soon as it has', () => {
    const rib = new SmallRib()
    const gone = rib.peer('gone', { address: '10.0.0.1' })
    const stays = rib.peer('stays', { address: '10.0.0.2' })
    for (const peer of [gone, stays]) peer.send({ announce: [PREFIX], set: { asPath: '65001' } })
    expect(rib.settle().best(PREFIX)).toBe('gone')
    rib.rib.dropPeer(gone.peer)
    expect(rib.fates(PREFIX)).toEqual({ gone: 'peer down', stays: 'best' })
  })

  test('with no other there is no best path and nothing to forward by', () => {
    const rib = decide({ lost: { nextHop: '10.9.9.9' } }, {}, (it) => it.resolver.lose('10.9.9.9'))
    expect(rib.best(PREFIX)).toBeUndefined()
    expect(rib.forwarded.get(PREFIX)).toEqual([])
  })
})

describe('MED (RFC 4271 9.1.2.2 c)', () => {
  const from = (asn: number, med: number, routerId: number): Candidate => ({
    asPath: `${asn} 65009`,
    med,
    peer: { asn, routerId, address: `10.0.1.${routerId}` },
  })

  test('means nothing between different neighbouring ASes', () => {
    const rib = decide({ high: from(65001, 900, 1), low: from(65002, 1, 2) })
    expect(rib.fates(PREFIX)).toEqual({ high: 'best', low: 'router id' })
  })

  test('a path that is beaten within its AS is out before the others are compared', () => {
    // Pairwise comparison would go in circles here: a beats b, b beats c, c beats a.
    const rib = decide({ a: from(65001, 20, 1), b: from(65002, 0, 2), c: from(65001, 10, 3) })
    expect(rib.fates(PREFIX)).toEqual({ a: 'MED', b: 'best', c: 'router id' })
  })

  test('paths of our own AS have no neighbour and are compared with each other', () => {
    const internal = { peer: INTERNAL, asPath: '' }
    const rib = decide({ a: { ...internal, med: 7 }, b: { ...internal, med: 6 } })
    expect(rib.fates(PREFIX)).toEqual({ a: 'MED', b: 'best' })
  })

  test.each([
    ['none is the best there is', false, { none: 'best', some: 'MED' }],
    ['unless it is to be the worst', true, { none: 'MED', some: 'best' }],
  ])('%s', (_, missingMedWorst, fates) => {
    const rib = new SmallRib({ missingMedWorst })
    rib.peer('none', { routerId: 2 }).send({ announce: [PREFIX], set: { asPath: '65001' } })
    rib.peer('some', { routerId: 1 }).send({ announce: [PREFIX], set: { asPath: '65001', med: 1 } })
    expect(rib.settle().fates(PREFIX)).toEqual(fates)
  })
})

describe('sharing the load', () => {
  const via = (id: number, asPath: string, more: Candidate = {}): Candidate => ({
    asPath,
    nextHop: `10.0.1.${id}`,
    ...more,
    peer: { routerId: id, address: `10.0.1.${id}`, ...more.peer },
  })

  const cases: readonly [
    what: string,
    options: Partial<DecisionOptions>,
    candidates: Record<string, Candidate>,
    forwarded: readonly string[],
  ][] = [
    ['off: only the best', { multipath: 1 }, { a: via(1, '1 9'), b: via(2, '1 9') }, ['a']],
    ['equal paths', { multipath: 16 }, { b: via(2, '1 9'), a: via(1, '1 9') }, ['a', 'b']],
    ['not over different ASes', { multipath: 16 }, { b: via(2, '2 9'), a: via(1, '1 9') }, ['a']],
    [
      'over different ASes when relaxed',
      { multipath: 16, multipathRelax: true },
      { b: via(2, '2 9'), a: via(1, '1 9') },
      ['a', 'b'],
    ],
    [
      'never over paths of different length',
      { multipath: 16, multipathRelax: true },
      { b: via(2, '2 3 9'), a: via(1, '1 9') },
      ['a'],
    ],
    [
      'not over external and internal ones',
      { multipath: 16, multipathRelax: true },
      { b: via(2, '1 9', { peer: INTERNAL }), a: via(1, '1 9') },
      ['a'],
    ],
    [
      'not over next hops of different cost',
      { multipath: 16, multipathRelax: true },
      { b: { ...via(2, '1 9'), nextHop: '10.9.9.9' }, a: via(1, '1 9') },
      ['a'],
    ],
    [
      'of more than may share, the best and those of the lowest addresses',
      { multipath: 3, multipathRelax: true },
      {
        e: via(5, '1 9'),
        d: via(4, '2 9'),
        c: via(3, '3 9'),
        // Best by its router id, though its address is the highest.
        z: via(9, '4 9', { peer: { routerId: 0 } }),
      },
      ['z', 'c', 'd'],
    ],
  ]
  test.each(cases)('%s', (_, options, candidates, forwarded) => {
    const far = (it: SmallRib): void => it.resolver.set('10.9.9.9', { metric: 5 })
    const rib = decide(candidates, options, far)
    const names = rib.forwarded.get(PREFIX) ?? []
    expect([names[0], ...names.slice(1).toSorted()]).toEqual(forwarded)
    const fates = Object.entries(rib.fates(PREFIX))
    expect(fates.filter(([, fate]) => fate === 'best').map(([name]) => name)).toEqual([names[0]])
    expect(fates.filter(([, fate]) => fate === 'multipath')).toHaveLength(names.length - 1)
  })
})

describe('the order in which paths come', () => {
  const candidate = fc.record({
    asPath: fc.constantFrom('65001 65009', '65002 65009', '65001 65002 65009'),
    med: fc.nat({ max: 2 }),
    origin: fc.constantFrom('IGP', 'EGP', 'incomplete'),
    external: fc.boolean(),
    routerId: fc.nat({ max: 2 }),
    hop: fc.nat({ max: 2 }),
  })
  const options = fc.record({
    alwaysCompareMed: fc.boolean(),
    missingMedWorst: fc.boolean(),
    ignoreAsPathLength: fc.boolean(),
    ignoreRouterId: fc.boolean(),
    multipath: fc.constantFrom(1, 2, 16),
    multipathRelax: fc.boolean(),
  })

  test('changes nothing: all 120 orders of five candidates agree', () => {
    const five = fc.array(candidate, { minLength: 5, maxLength: 5 })
    fc.assert(
      fc.property(five, options, (candidates, options) => {
        const rib = new SmallRib(options)
        rib.resolver.set('10.0.0.2', { metric: 5 })
        const peers = candidates.map(({ external, routerId }, i) =>
          rib.peer(`peer${i}`, { external, routerId, address: `10.0.1.${i}` }),
        )
        const outcomes = ORDERS.map((order) => {
          for (const peer of peers) peer.send({ withdraw: [PREFIX] })
          rib.settle()
          for (const i of order) {
            const { origin, asPath, med, external, hop } = candidates[i]
            const internal = external ? {} : { localPref: 100 }
            const set = { origin, asPath, med, nextHop: `10.0.0.${hop}`, ...internal }
            peers[i].send({ announce: [PREFIX], set })
          }
          rib.settle()
          const shared = rib.forwarded.get(PREFIX) ?? []
          const fates = Object.entries(rib.fates(PREFIX)).toSorted(([a], [b]) => (a < b ? -1 : 1))
          return JSON.stringify([rib.best(PREFIX), shared[0], shared.toSorted(), fates])
        })
        expect(new Set(outcomes).size).toBe(1)
      }),
      { seed: 4, numRuns: 40 },
    )
  })

  test('there are 120 orders of five', () => {
    expect(new Set(ORDERS.map(String)).size).toBe(120)
  })
})

test('a prefix may have more paths than there is room for at first', () => {
  const rib = new SmallRib({ multipath: 16 })
  const peers = Array.from({ length: 300 }, (_, i) =>
    rib.peer(`peer${i}`, { routerId: 300 - i, address: `10.1.${i >> 8}.${i & 0xff}` }),
  )
  for (const peer of peers) peer.send({ announce: [PREFIX], set: { asPath: '65001 65009' } })
  rib.settle()
  expect(rib.best(PREFIX)).toBe('peer299')
  expect(rib.forwarded.get(PREFIX)).toHaveLength(16)
  const fates = Object.values(rib.fates(PREFIX))
  expect(fates.filter((fate) => fate === 'router id')).toHaveLength(300 - 16)
  rib.expectNoLeak(...peers)
})
