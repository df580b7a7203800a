/** What a station is told of routes, whenever it takes bytes: the tables that follow are those of the RIB. */
import { expect, test, describe } from 'vitest'
import * as fc from 'fast-check'
import { locRibHeader, peerHeader } from '../../../src/bmp/peer-header.ts'
import { BmpFeed, type BmpView } from '../../../src/daemon/bmp-feed.ts'
import { IPV4, FAMILIES } from '../../../src/net/family.ts'
import { accept, reject } from '../../../src/policy/standard.ts'
import { readBmp } from '../../support/bmp-messages.ts'
import { NOTHING, SmallRib, type SmallPeer } from '../rib/small-rib.ts'

const VIEWS: readonly BmpView[] = ['prePolicy', 'postPolicy', 'locRib']

/** A connection to a station that takes what it is given and keeps tables. */
class Connection {
  readonly tables = new Map<string, Map<string, string>>()
  readonly ends: string[] = []
  updates = 0
  /** Addresses of peers with path identifiers. */
  readonly #several = new Set<string>()
  readonly feed: BmpFeed
  readonly #rib: SmallRib

  constructor(rib: SmallRib, views = VIEWS) {
    this.#rib = rib
    const own = locRibHeader({ asn: 65000, routerId: 1 })
    this.feed = new BmpFeed(rib.rib, views, own, () => 1000)
    rib.rib.watch(this.feed)
  }

  add({ peer }: SmallPeer, table: boolean): void {
    const { address, asn, routerId, addPath = [] } = peer.options
    if (addPath.length > 0) this.#several.add(address.text)
    const it = { address: address.bytes, asn, routerId }
    const [prePolicy, postPolicy] = [peerHeader(it, 'prePolicy'), peerHeader(it, 'postPolicy')]
    this.feed.addPeer({ peer, prePolicy, postPolicy }, table ? FAMILIES : [])
  }

  /** What a Peer Down does at both ends. */
  drop(session: SmallPeer): void {
    this.feed.removePeer(session.peer)
    const { text } = session.peer.options.address
    for (const side of ['pre', 'post']) this.tables.delete(`${side} ${text}`)
    this.#rib.rib.dropPeer(session.peer)
  }

  /** Takes some messages: as many as are made before the clock has been looked at so often. */
  take(looks = 1): void {
    let left = looks
    const { parts } = this.feed.pull(() => -left--, 0)
    for (const part of parts) {
      const { messages } = readBmp(part, (it) => this.#several.has(it.address))
      for (const message of messages) {
        if (message.kind !== 'route') continue
        const { header, announced, withdrawn, route, endOfRib } = message
        const side = header.postPolicy ? 'post' : 'pre'
        const name = header.type === 'locRib' ? 'locRib' : `${side} ${header.address}`
        if (endOfRib) this.ends.push(name)
        else this.updates++
        const table = this.tables.get(name) ?? new Map<string, string>()
        this.tables.set(name, table)
        for (const prefix of withdrawn) table.delete(prefix)
        for (const prefix of announced) table.set(prefix, String(route.med))
      }
    }
  }

  takeAll(): void {
    for (let i = 0; this.feed.hasWork; i++) {
      if (i > 100_000) throw new Error('it never ends')
      this.take(1000)
    }
  }

  table(name: string): Record<string, string> {
    return Object.fromEntries(this.tables.get(name) ?? [])
  }
}

const PREFIXES = Array.from({ length: 12 }, (_, i) =>
  i % 3 === 0 ? `2001:db8:${i}::/48` : `10.0.${i}.0/24`,
)

/** What the RIB holds of a peer, or has chosen, by prefix with the MED. */
function expected(rib: SmallRib, side: 'received' | 'accepted' | 'best', peer?: SmallPeer) {
  const found: [string, string][] = []
  for (const { prefixes, paths } of rib.rib.families) {
    for (let id = 1; id < prefixes.end; id++) {
      if (!prefixes.exists(id)) continue
      for (let path = prefixes.paths(id); path !== 0; path = paths.next(path)) {
        const wanted =
          side === 'best' ? path === prefixes.best(id) : paths.peer(path) === peer?.peer.id
        if (!wanted) continue
        const set = side === 'received' ? paths.received(path) : paths.accepted(path)
        const several = side !== 'best' && (peer?.peer.options.addPath ?? []).length > 0
        const name = several ? `${prefixes.text(id)}#${paths.id(path) >>> 0}` : prefixes.text(id)
        if (set !== 0) found.push([name, String(rib.rib.attributes.med(set))])
      }
    }
  }
  return Object.fromEntries(found)
}

/** Of the peer with path identifiers, each prefix under some of these. */
const IDS = [0, 7, 4294967295]

const event = fc.oneof(
  fc.record({
    kind: fc.constant('announce' as const),
    peer: fc.nat(1),
    prefixes: fc.uniqueArray(fc.constantFrom(...PREFIXES), { minLength: 1 }),
    ids: fc.uniqueArray(fc.constantFrom(...IDS), { minLength: 1 }),
    med: fc.nat(2),
  }),
  fc.record({
    kind: fc.constant('withdraw' as const),
    peer: fc.nat(1),
    prefixes: fc.uniqueArray(fc.constantFrom(...PREFIXES), { minLength: 1 }),
    ids: fc.uniqueArray(fc.constantFrom(...IDS), { minLength: 1 }),
  }),
  fc.record({ kind: fc.constant('policy' as const), peer: fc.nat(1), accept: fc.boolean() }),
  fc.record({ kind: fc.constant('flap' as const), peer: fc.nat(1) }),
  fc.record({ kind: fc.constant('decide' as const) }),
  fc.record({ kind: fc.constant('take' as const) }),
)

const namesOf = (it: { peer: number; prefixes: string[]; ids: number[] }): string[] =>
  it.peer === 0
    ? it.prefixes
    : it.prefixes.flatMap((prefix) => it.ids.map((id) => `${prefix}#${id}`))

test('whatever happens, and whenever it takes bytes: its tables are those of the RIB in the end', () => {
  fc.assert(
    fc.property(fc.array(event, { maxLength: 60 }), fc.nat(60), (events, connects) => {
      const rib = new SmallRib()
      const open = (i: number): SmallPeer =>
        rib.peer(`p${i}`, { address: `10.1.0.${i + 1}`, addPath: i === 1 ? ['ipv4', 'ipv6'] : [] })
      const peers = [open(0), open(1)]
      let station: Connection | undefined
      events.forEach((it, at) => {
        if (at === Math.min(connects, events.length - 1)) {
          station = new Connection(rib)
          for (const peer of peers) station.add(peer, true)
        }
        if (it.kind === 'decide') rib.step(1)
        else if (it.kind === 'take') station?.take()
        else if (it.kind === 'announce') {
          peers[it.peer].send({ announce: namesOf(it), set: { asPath: '65001', med: it.med } })
        } else if (it.kind === 'withdraw') peers[it.peer].send({ withdraw: namesOf(it) })
        else if (it.kind === 'policy') {
          peers[it.peer].peer.importPolicy = it.accept ? accept : reject
          rib.rib.judgeAgain(peers[it.peer].session)
        } else {
          station?.drop(peers[it.peer])
          if (station === undefined) rib.rib.dropPeer(peers[it.peer].peer)
          peers[it.peer] = open(it.peer)
          station?.add(peers[it.peer], false)
        }
      })
      if (station === undefined) return
      rib.settle()
      station.takeAll()
      for (const peer of peers) {
        const { text } = peer.peer.options.address
        expect(station.table(`pre ${text}`)).toEqual(expected(rib, 'received', peer))
        expect(station.table(`post ${text}`)).toEqual(expected(rib, 'accepted', peer))
      }
      expect(station.table('locRib')).toEqual(expected(rib, 'best'))
      expect(station.feed.queued).toBe(0)
      // Nothing is held any more on behalf of the station.
      rib.rib.watch(undefined)
      station.feed.close()
      while (station.feed.letGo());
      for (const peer of peers) rib.rib.dropPeer(peer.peer)
      rib.settle()
      expect(rib.live()).toEqual(NOTHING)
    }),
    { numRuns: 200 },
  )
})

describe('a station', () => {
  test('that takes nothing for a while hears a flapping prefix once', () => {
    const rib = new SmallRib()
    const peer = rib.peer('p')
    const station = new Connection(rib)
    station.add(peer, true)
    station.takeAll()
    for (let i = 0; i < 100; i++) {
      peer.send({ announce: ['10.0.1.0/24'], set: { asPath: '65001', med: i } })
      rib.settle()
    }
    expect(station.feed.queued).toBe(2)
    station.takeAll()
    expect(station.updates).toBe(3)
    expect(station.table('locRib')).toEqual({ '10.0.1.0/24': '99' })
  })

  test('gets End-of-RIB once the walk is over, for each view and family', () => {
    const rib = new SmallRib()
    const peer = rib.peer('p', { address: '10.1.0.1' })
    const station = new Connection(rib)
    station.add(peer, true)
    expect(station.ends).toEqual([])
    station.takeAll()
    expect(station.ends.toSorted()).toEqual([
      'locRib',
      'locRib',
      'post 10.1.0.1',
      'post 10.1.0.1',
      'pre 10.1.0.1',
      'pre 10.1.0.1',
    ])
    station.feed.endOfRib(peer.peer, IPV4)
    station.takeAll()
    expect(station.ends.filter((name) => name === 'pre 10.1.0.1')).toHaveLength(3)
  })

  test('hears of each path of a session with path identifiers (RFC 7911), and of no other', () => {
    const rib = new SmallRib()
    const peer = rib.peer('p', { address: '10.1.0.1', addPath: ['ipv4'] })
    const set = { asPath: '65001' }
    peer.send({ announce: ['10.0.1.0/24#1', '10.0.1.0/24#2'], set })
    const station = new Connection(rib)
    station.add(peer, true)
    station.takeAll()
    expect(Object.keys(station.table('pre 10.1.0.1'))).toEqual(['10.0.1.0/24#1', '10.0.1.0/24#2'])
    peer.send({ withdraw: ['10.0.1.0/24#1'] })
    peer.send({ announce: ['10.0.1.0/24#3'], set })
    expect(station.feed.queued).toBe(2)
    station.takeAll()
    for (const view of ['pre', 'post']) {
      const paths = Object.keys(station.table(`${view} 10.1.0.1`))
      expect(paths).toEqual(['10.0.1.0/24#2', '10.0.1.0/24#3'])
    }
    rib.settle()
    station.takeAll()
    expect(Object.keys(station.table('locRib'))).toEqual(['10.0.1.0/24'])
  })

  test('that only wants the Loc-RIB hears nothing else', () => {
    const rib = new SmallRib()
    const peer = rib.peer('p')
    peer.send({ announce: ['10.0.1.0/24'], set: { asPath: '65001' } })
    rib.settle()
    const station = new Connection(rib, ['locRib'])
    station.takeAll()
    peer.send({ withdraw: ['10.0.1.0/24'] })
    rib.settle()
    station.takeAll()
    expect([...station.tables.keys()]).toEqual(['locRib'])
    expect(station.table('locRib')).toEqual({})
  })
})
