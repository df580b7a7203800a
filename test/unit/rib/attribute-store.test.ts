import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { AttributeStore } from '../../../src/rib/attribute-store.ts'
import { NextHopTable, NEXT_HOP_SELF } from '../../../src/rib/next-hop-table.ts'
import { encodeAttributes } from '../../../src/wire/attributes/describe.ts'
import { HAS_MED, HAS_OWN_AS, HAS_OWN_CLUSTER, NO_EXPORT } from '../../../src/wire/scan.ts'
import { FakeResolver } from '../../support/fake-resolver.ts'
import { concat, type AttributeValues } from '../../support/update-builder.ts'

function store() {
  const resolver = new FakeResolver()
  const nextHops = new NextHopTable(resolver)
  const own = { asns: [65000, 4_200_000_000], clusterId: 0x0a000001 }
  const made = new AttributeStore(own, nextHops)
  const intern = (values: AttributeValues): number => {
    const bytes = encodeAttributes(values)
    return made.intern(bytes, 0, bytes.length)
  }
  return { store: made, nextHops, resolver, intern }
}

describe('an attribute store', () => {
  test('gives equal sets one number and different ones two', () => {
    const { store: it, intern } = store()
    const id = intern({ asPath: '65001', nextHop: '10.0.0.1' })
    expect(id).toBeGreaterThan(0)
    expect(intern({ asPath: '65001', nextHop: '10.0.0.1' })).toBe(id)
    expect(intern({ asPath: '65001', nextHop: '10.0.0.2' })).not.toBe(id)
    expect(it.live).toBe(2)
  })

  test('knows the link bandwidth that a set tells of', () => {
    const { store: it, intern } = store()
    const of = (...extendedCommunities: string[]): number =>
      it.linkBandwidth(intern({ asPath: '65001', nextHop: '10.0.0.1', extendedCommunities }))
    expect(of('rt:65001:1', 'bandwidth:65001:125000000')).toBe(125_000_000)
    expect(of('transitive-bandwidth:65001:250000000')).toBe(250_000_000)
    expect(of('rt:65001:1')).toBe(0)
    expect(of()).toBe(0)
  })

  test('reads the bytes where they stand in a message', () => {
    const { store: it, intern } = store()
    const bytes = encodeAttributes({ asPath: '65001', nextHop: '10.0.0.1' })
    const framed = concat([0xff, 0xff], bytes, [0xff])
    const id = it.intern(framed, 2, 2 + bytes.length)
    expect(intern({ asPath: '65001', nextHop: '10.0.0.1' })).toBe(id)
    expect([...it.view(id)]).toEqual([...bytes])
  })

  test('frees a set with its last reference, and its next hop with it', () => {
    const { store: it, intern, resolver } = store()
    const id = intern({ asPath: '65001', nextHop: '10.0.0.1' })
    it.retain(id, 2)
    for (const left of [2, 1]) {
      it.release(id)
      expect([it.live, resolver.watched.size], `${left} references left`).toEqual([1, 1])
    }
    it.release(id)
    expect([it.live, resolver.watched.size]).toEqual([0, 0])
    expect(intern({ asPath: '65001', nextHop: '10.0.0.1' })).toBe(id)
    expect([...resolver.watched]).toEqual(['10.0.0.1'])
  })

  test('a next hop is watched while any set names it', () => {
    const { store: it, intern, resolver } = store()
    const sets = ['65001', '65002'].map((asPath) => intern({ asPath, nextHop: '10.0.0.1' }))
    expect(it.nextHop(sets[0])).toBe(it.nextHop(sets[1]))
    it.release(sets[0])
    expect([...resolver.watched]).toEqual(['10.0.0.1'])
    it.release(sets[1])
    expect([...resolver.watched]).toEqual([])
  })

  test('a set without a next hop has ourselves as next hop', () => {
    const { store: it, intern, resolver } = store()
    expect(it.nextHop(intern({ asPath: '' }))).toBe(NEXT_HOP_SELF)
    expect([...resolver.watched]).toEqual([])
  })

  test('the empty set is a set like others', () => {
    const { store: it } = store()
    const id = it.intern(new Uint8Array(0), 0, 0)
    expect(it.view(id)).toHaveLength(0)
    it.release(id)
    expect(it.live).toBe(0)
  })

  const facts: readonly [
    what: string,
    values: AttributeValues,
    read: (it: AttributeStore, id: number) => number,
    value: number,
  ][] = [
    ['ORIGIN', { origin: 'EGP' }, (it, id) => it.origin(id), 1],
    ['ORIGIN', { origin: 'incomplete' }, (it, id) => it.origin(id), 2],
    [
      'AS_PATH length, a set counts one',
      { asPath: '1 2 {3,4} 5' },
      (it, id) => it.asPathLength(id),
      4,
    ],
    [
      'confederation segments count nothing',
      { asPath: '(1 2) 3' },
      (it, id) => it.asPathLength(id),
      1,
    ],
    ['neighbouring AS', { asPath: '4200000001 2' }, (it, id) => it.neighborAs(id), 4_200_000_001],
    ['neighbouring AS of an empty path', { asPath: '' }, (it, id) => it.neighborAs(id), 0],
    [
      'neighbouring AS of a path that begins with a set',
      { asPath: '{7,8} 9' },
      (it, id) => it.neighborAs(id),
      0,
    ],
    ['own AS', { asPath: '1 65000 2 65000 4200000000' }, (it, id) => it.ownAsCount(id), 3],
    ['own AS in a set', { asPath: '1 {65000,2}' }, (it, id) => it.ownAsCount(id), 1],
    [
      'own AS, more often than counts',
      { asPath: Array(200).fill(65000).join(' ') },
      (it, id) => it.ownAsCount(id),
      63,
    ],
    ['own AS, as a flag', { asPath: '65000' }, (it, id) => it.flags(id) & HAS_OWN_AS, HAS_OWN_AS],
    ['LOCAL_PREF', { localPref: 4_294_967_295 }, (it, id) => it.localPref(id), 4_294_967_295],
    ['no LOCAL_PREF', {}, (it, id) => it.localPref(id), 100],
    ['MED', { med: 4_294_967_295 }, (it, id) => it.med(id), 4_294_967_295],
    ['no MED', {}, (it, id) => it.med(id), 0],
    ['no MED, as a flag', {}, (it, id) => it.flags(id) & HAS_MED, 0],
    ['ORIGINATOR_ID', { originatorId: '255.0.0.1' }, (it, id) => it.originatorId(id), 0xff000001],
    [
      'CLUSTER_LIST length',
      { clusterList: ['1.1.1.1', '2.2.2.2'] },
      (it, id) => it.clusterListLength(id),
      2,
    ],
    [
      'own cluster',
      { clusterList: ['10.0.0.1'] },
      (it, id) => it.flags(id) & HAS_OWN_CLUSTER,
      HAS_OWN_CLUSTER,
    ],
    ['no-export', { communities: ['no-export'] }, (it, id) => it.flags(id) & NO_EXPORT, NO_EXPORT],
    [
      'no-export-subconfed: we are in no confederation',
      { communities: ['65535:65283'] },
      (it, id) => it.flags(id) & NO_EXPORT,
      NO_EXPORT,
    ],
  ]
  test.each(facts)('%s: %j', (_, values, read, value) => {
    const { store: it, intern } = store()
    expect(read(it, intern(values))).toBe(value)
  })

  const notPlain: readonly [what: string, bytes: Uint8Array][] = [
    ['a truncated header', Uint8Array.of(0x40, 1)],
    ['an unknown well-known attribute', Uint8Array.of(0x40, 200, 0)],
    [
      'more bytes than a message has',
      concat(
        encodeAttributes({ asPath: '65001' }),
        encodeAttributes({ communities: Array<string>(16_000).fill('65001:1') }).subarray(7),
        [0xd0, 16, 0x10, 0x00],
        new Uint8Array(4096),
      ),
    ],
  ]
  test.each(notPlain)('refuses what is not canonical: %s', (_, bytes) => {
    const { store: it } = store()
    expect(it.intern(bytes, 0, bytes.length)).toBe(0)
    expect(it.live).toBe(0)
  })

  test('counts references as a Map does, and leaks nothing', () => {
    const values = fc.record({ path: fc.integer({ min: 1, max: 12 }), hop: fc.nat({ max: 2 }) })
    const step = fc.record({ values, keep: fc.boolean() })
    fc.assert(
      fc.property(fc.array(step, { minLength: 1, maxLength: 200 }), (steps) => {
        const { store: it, intern, resolver, nextHops } = store()
        const references = new Map<string, { id: number; count: number; hop: string }>()
        for (const { values, keep } of steps) {
          const key = JSON.stringify(values)
          const known = references.get(key)
          if (keep) {
            const hop = `10.0.0.${values.hop}`
            const id = intern({ asPath: `${values.path} 7`, nextHop: hop })
            expect(known === undefined || known.id === id).toBe(true)
            references.set(key, { id, count: (known?.count ?? 0) + 1, hop })
          } else if (known !== undefined) {
            it.release(known.id)
            if (--known.count === 0) references.delete(key)
          }
          const left = [...references.values()]
          expect(it.live).toBe(left.length)
          expect(new Set(left.map(({ id }) => id)).size).toBe(left.length)
          expect(resolver.watched).toEqual(new Set(left.map(({ hop }) => hop)))
          for (const { id, hop } of left) {
            expect(nextHops.get(it.nextHop(id))?.address.text).toBe(hop)
          }
        }
      }),
      { seed: 3, numRuns: 100 },
    )
  })

  test('holds more sets than the index begins with', () => {
    const { store: it, intern } = store()
    const ids = Array.from({ length: 5000 }, (_, i) => intern({ asPath: `${i + 1} 65001` }))
    expect(new Set(ids).size).toBe(5000)
    expect(ids.every((id, i) => intern({ asPath: `${i + 1} 65001` }) === id)).toBe(true)
    for (const id of ids) {
      it.release(id)
      it.release(id)
    }
    expect(it.live).toBe(0)
  })
})
