/**
 * Update groups that tell several paths of a prefix (RFC 7911), against a naive model: whatever happens and
 * however slowly a member reads, what it has been sent, replayed, is exactly what it shall know.
 */
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { address, addressFromWords } from '../../../src/net/address.ts'
import { FAMILIES, type FamilyFacts } from '../../../src/net/family.ts'
import type { GroupMember } from '../../../src/rib/group-member.ts'
import type { AddPathMode } from '../../../src/rib/update-group-options.ts'
import type { UpdateGroup } from '../../../src/rib/update-group.ts'
import { describeAttributes } from '../../../src/wire/attributes/describe.ts'
import { NlriColumns } from '../../../src/wire/nlri.ts'
import { UpdateView } from '../../../src/wire/update.ts'
import { eachUpdate } from './reading.ts'
import { NOTHING, OWN_ASN, SmallRib, type SmallPeer } from './small-rib.ts'
import { NO_ADVERTISE, NO_EXPORT } from '../../../src/wire/scan.ts'

const PREFIXES = [
  ['10.1.0.0/16', '10.2.3.0/24', '0.0.0.0/0'],
  ['2001:db8:1::/48', '2001:db8:2::/64', '::/0'],
] as const
/** The first two send path identifiers; the last never announces anything. */
const NAMES = ['a', 'b', 'c', 'd'] as const
type Name = (typeof NAMES)[number]
const WITH_IDS: readonly string[] = ['a', 'b']
const LISTENER = 'd'
/** Its routes are not exported by the second group, nor by the first while that is strict. */
const UNLOVED = 'a'
const SELF = [address('10.0.0.100').bytes, address('2001:db8::100').bytes] as const

/** What one peer has been sent, read as it would read it: AS_PATHs by prefix and path identifier. */
class Reading {
  readonly table = new Map<string, Map<number, string>>()
  endOfRibs = 0
  updates = 0
  readonly #family: FamilyFacts
  readonly #nlri: NlriColumns
  readonly #view = new UpdateView()

  constructor(family: FamilyFacts) {
    this.#family = family
    this.#nlri = new NlriColumns(family)
  }

  read(chunk: Uint8Array): void {
    eachUpdate(chunk, (start, end) => this.#update(chunk, start, end))
  }

  /** AS_PATHs of each prefix that has any. */
  paths(): [string, string[]][] {
    return [...this.table]
      .filter(([, paths]) => paths.size > 0)
      .map(([text, paths]): [string, string[]] => [text, [...paths.values()].toSorted()])
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
  }

  #update(bytes: Uint8Array, start: number, end: number): void {
    const view = this.#view
    view.split(bytes, start, end)
    this.updates++
    let prefixes = 0
    const each = (
      from: number,
      to: number,
      use: (paths: Map<number, string>, id: number) => void,
    ) => {
      const nlri = this.#nlri
      expect(nlri.decodeWithPathIds(bytes, from, to)).toBe(true)
      for (let i = 0; i < nlri.count; i++) {
        const at = addressFromWords(this.#family.name, nlri.words, i * nlri.stride)
        const text = `${at.text}/${nlri.lengths[i]}`
        const paths = this.table.get(text) ?? new Map<number, string>()
        this.table.set(text, paths)
        use(paths, nlri.pathIds[i])
        prefixes++
      }
    }
    each(view.withdrawnStart, view.withdrawnEnd, (paths, id) => paths.delete(id))
    if (view.unreachAfi !== 0) {
      each(view.unreachStart, view.unreachEnd, (paths, id) => paths.delete(id))
    }
    const announced =
      this.#family.index === 0
        ? ([view.nlriStart, view.nlriEnd] as const)
        : ([view.reachStart, view.reachEnd] as const)
    if (announced[0] < announced[1] && (this.#family.index === 0 || view.reachAfi !== 0)) {
      const { asPath } = describeAttributes(view.attributes?.slice(view.from, view.to) ?? bytes)
      each(...announced, (paths, id) => paths.set(id, asPath))
    }
    if (prefixes === 0) this.endOfRibs++
  }
}

interface Session {
  readonly small: SmallPeer
  readonly reading: Reading
  group: number
  member: GroupMember
}

interface Offer {
  readonly asPath: string
  readonly hops: number
  readonly peer: number
  readonly id: number
  readonly nextHop: number
}

/** A RIB, two update groups of one family and mode, and peers that offer, hear, come and go. */
class Neighbourhood {
  readonly rib = new SmallRib()
  readonly family: FamilyFacts
  readonly mode: AddPathMode
  readonly sessions = new Map<string, Session>()
  /** By peer, then by prefix and identifier. */
  readonly #offers = new Map<string, Map<string, Offer>>()
  readonly #lost = new Set<number>()
  readonly #groups: (UpdateGroup | undefined)[] = [undefined, undefined]
  readonly #logLimitBytes: number
  #strict = false
  #version = 0

  constructor(family: FamilyFacts, mode: AddPathMode, logLimitBytes = 4 << 20) {
    this.family = family
    this.mode = mode
    this.#logLimitBytes = logLimitBytes
    for (const name of NAMES) this.connect(name, 0)
  }

  get prefixes(): readonly string[] {
    return PREFIXES[this.family.index]
  }

  group(index: number): UpdateGroup {
    const { attributes } = this.rib.rib
    const self = SELF[this.family.index]
    return (this.#groups[index] ??= this.rib.rib.createGroup(this.family, {
      external: true,
      confederation: false,
      withheld: NO_ADVERTISE | NO_EXPORT,
      routeReflectorClient: false,
      maxMessageLength: 4096,
      addPath: this.mode,
      logLimitBytes: this.#logLimitBytes,
      exported: (_prefix, set, source) => (this.#isExported(index, source.options.name) ? set : 0),
      formOf: (set) => ({
        set: attributes.view(set),
        nextHop: self,
        form: {
          external: true,
          confederation: false,
          withheld: NO_ADVERTISE | NO_EXPORT,
          localAsn: OWN_ASN,
          fourOctetAs: true,
          nextHop: this.family.index === 0 ? self : undefined,
          keepMed: false,
          reflection: undefined,
        },
      }),
      tooLong: () => expect.unreachable(),
    }))
  }

  connect(name: string, group: number): void {
    if (this.sessions.has(name)) return
    const number = NAMES.findIndex((it) => it === name) + 1
    const small = this.rib.peer(name, {
      asn: 65000 + number,
      routerId: number,
      address: `10.0.0.${number}`,
      families: [this.family.name],
      addPath: WITH_IDS.includes(name) ? [this.family.name] : [],
    })
    const member = this.group(group).join(small.peer)
    this.sessions.set(name, { small, group, member, reading: new Reading(this.family) })
    this.#offers.set(name, new Map())
  }

  disconnect(name: string): void {
    const session = this.sessions.get(name)
    if (session === undefined) return
    this.#leave(this.group(session.group), session.member)
    this.rib.rib.dropPeer(session.small.peer)
    this.sessions.delete(name)
    this.#offers.delete(name)
  }

  /** The session goes on with another export policy. */
  regroup(name: string, to: number): void {
    const session = this.sessions.get(name)
    if (session === undefined || session.group === to) return
    const { member, small } = session
    const old = this.group(session.group)
    session.member = this.group(to).join(small.peer)
    session.group = to
    const now = { group: this.group(to), member: session.member }
    this.rib.rib.succeed(now, { group: old, member }, () => this.#leave(old, member))
  }

  /** The export policy of the first group becomes another one. */
  judgeAnew(strict: boolean): void {
    this.#strict = strict
    this.#groups[0]?.lookAgain()
  }

  announce(name: string, prefix: string, id: number, hops = 1): void {
    const session = this.sessions.get(name)
    if (session === undefined || name === LISTENER) return
    const peer = session.small.peer.options.routerId
    const filler = Array.from({ length: hops }, (_, i) => 100 + i)
    const asPath = [65000 + peer, ...filler, 1_000 + this.#version++].join(' ')
    const text = WITH_IDS.includes(name) ? `${prefix}#${id}` : prefix
    const nextHop = 1 + (id % 3)
    session.small.send({
      announce: [text],
      set: { origin: 'IGP', asPath, nextHop: `10.0.0.${nextHop}` },
      nextHop6: `2001:db8::${nextHop}`,
    })
    this.#offers.get(name)?.set(text, { asPath, hops, peer, id, nextHop })
  }

  withdraw(name: string, prefix: string, id: number): void {
    const text = WITH_IDS.includes(name) ? `${prefix}#${id}` : prefix
    this.sessions.get(name)?.small.send({ withdraw: [text] })
    this.#offers.get(name)?.delete(text)
  }

  reach(nextHop: number, there: boolean): void {
    const text = this.family.index === 0 ? `10.0.0.${nextHop}` : `2001:db8::${nextHop}`
    if (there) this.#lost.delete(nextHop)
    else this.#lost.add(nextHop)
    if (there) this.rib.resolver.set(text, {})
    else this.rib.resolver.lose(text)
  }

  pull(name: string, bytes: number): void {
    const session = this.sessions.get(name)
    if (session === undefined) return
    const out: Uint8Array[] = []
    this.group(session.group).pull(session.member, bytes, out)
    for (const chunk of out) session.reading.read(chunk)
  }

  tellAgain(name: string): void {
    const session = this.sessions.get(name)
    if (session !== undefined) this.group(session.group).tellAgain(session.member)
  }

  settle(): void {
    this.rib.settle()
    for (const [name, { group, member }] of this.sessions) {
      for (let pulls = 0; this.group(group).hasWork(member); pulls++) {
        if (pulls > 10_000) throw new Error(`${name} never comes to an end`)
        this.pull(name, 100_000)
      }
    }
  }

  /** Offers that `name` shall know, by prefix. */
  expected(name: string): [string, string[]][] {
    const group = this.sessions.get(name)?.group ?? 0
    return this.prefixes
      .map((prefix): [string, string[]] => [
        prefix,
        this.#chosen(prefix, group)
          .filter(([source]) => source !== name)
          .map(([, { asPath }]) => `${OWN_ASN} ${asPath}`)
          .toSorted(),
      ])
      .filter(([, paths]) => paths.length > 0)
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
  }

  expectToldExactly(): void {
    for (const [name, { reading, group, member }] of this.sessions) {
      const expected = this.expected(name)
      expect(reading.paths(), name).toEqual(expected)
      expect(reading.endOfRibs, `${name}'s End-of-RIB`).toBe(1)
      const paths = expected.reduce((sum, [, each]) => sum + each.length, 0)
      expect(this.group(group).announced(member), name).toBe(paths)
    }
  }

  expectNoLeak(): void {
    for (const name of NAMES) this.disconnect(name)
    this.rib.settle()
    expect(this.rib.live()).toEqual(NOTHING)
    expect([...this.rib.rib.peers].map(({ options }) => options.name)).toEqual(['local'])
  }

  /** What a group is told of a prefix: sort what is offered, drop what isn't told, take the first ones. */
  #chosen(prefix: string, group: number): [name: string, offer: Offer][] {
    const sorted = [...this.#offers]
      .flatMap(([name, offers]) =>
        [...offers]
          .filter(([text]) => text.split('#')[0] === prefix)
          .map(([, offer]): [string, Offer] => [name, offer]),
      )
      .filter(([, { nextHop }]) => !this.#lost.has(nextHop))
      .toSorted(([, a], [, b]) => a.hops - b.hops || a.peer - b.peer || a.id - b.id)
    const isTold = ([name]: [string, Offer]): boolean => this.#isExported(group, name)
    // The best path alone, if it may be told; or the best of those that may.
    if (this.mode === 'best') return sorted.slice(0, 1).filter(isTold)
    const most = typeof this.mode === 'number' ? this.mode : Infinity
    return sorted.filter(isTold).slice(0, most)
  }

  #isExported(group: number, name: string): boolean {
    return name !== UNLOVED || (group === 0 && !this.#strict)
  }

  #leave(group: UpdateGroup, member: GroupMember): void {
    group.leave(member)
    if (group.size > 0) return
    this.rib.rib.closeGroup(group)
    this.#groups[this.#groups.indexOf(group)] = undefined
  }
}

interface Happening {
  readonly happen: (it: Neighbourhood) => void
  toString(): string
}

const story = (title: string, happen: Happening['happen']): Happening => ({
  happen,
  toString: () => title,
})
const aName: fc.Arbitrary<Name> = fc.constantFrom(...NAMES)
const aGroup = fc.constantFrom(0, 1)
const which = fc.nat(2)
const anId = fc.nat(3)

const happenings: fc.Arbitrary<Happening> = fc.oneof(
  {
    weight: 14,
    arbitrary: fc
      .tuple(aName, which, anId, fc.nat(2))
      .map(([name, prefix, id, hops]) =>
        story(`${name} announces ${prefix}#${id} at ${hops}`, (it) =>
          it.announce(name, it.prefixes[prefix], id, hops),
        ),
      ),
  },
  {
    weight: 7,
    arbitrary: fc
      .tuple(aName, which, anId)
      .map(([name, prefix, id]) =>
        story(`${name} withdraws ${prefix}#${id}`, (it) =>
          it.withdraw(name, it.prefixes[prefix], id),
        ),
      ),
  },
  {
    weight: 8,
    arbitrary: fc
      .tuple(aName, fc.constantFrom(1, 100, 5_000))
      .map(([name, bytes]) => story(`${name} reads ${bytes}`, (it) => it.pull(name, bytes))),
  },
  { weight: 6, arbitrary: fc.constant(story('decide', (it) => void it.rib.settle())) },
  { weight: 3, arbitrary: fc.constant(story('decide a little', (it) => it.rib.step(1))) },
  {
    weight: 1,
    arbitrary: aName.map((name) => story(`${name} goes`, (it) => it.disconnect(name))),
  },
  {
    weight: 2,
    arbitrary: fc
      .tuple(aName, aGroup)
      .map(([name, group]) => story(`${name} comes to ${group}`, (it) => it.connect(name, group))),
  },
  {
    weight: 2,
    arbitrary: fc
      .tuple(aName, aGroup)
      .map(([name, group]) => story(`${name} moves to ${group}`, (it) => it.regroup(name, group))),
  },
  {
    weight: 1,
    arbitrary: fc
      .boolean()
      .map((strict) => story(`strict ${strict}`, (it) => it.judgeAnew(strict))),
  },
  {
    weight: 1,
    arbitrary: aName.map((name) => story(`${name} asks again`, (it) => it.tellAgain(name))),
  },
  {
    weight: 2,
    arbitrary: fc
      .tuple(fc.constantFrom(1, 2, 3), fc.boolean())
      .map(([number, there]) =>
        story(`next hop ${number} ${there ? 'there' : 'lost'}`, (it) => it.reach(number, there)),
      ),
  },
)

const MODES: readonly AddPathMode[] = ['best', 1, 2, 'all']

describe.each(FAMILIES)('members that are told paths under identifiers, $name', (family) => {
  test.each(MODES)('know exactly what they shall, whatever has happened: %s', (mode) => {
    const events = fc.array(happenings, { minLength: 5, maxLength: 70 })
    // With a log that holds next to nothing, everybody is let go all the time.
    const logLimit = fc.constantFrom(1, 200, 4 << 20)
    fc.assert(
      fc.property(events, logLimit, (all, limit) => {
        const it = new Neighbourhood(family, mode, limit)
        for (const { happen } of all) happen(it)
        it.settle()
        it.expectToldExactly()
        it.expectNoLeak()
      }),
      { numRuns: 150, seed: 7911 },
    )
  })

  test('a path keeps its identifier while it lives, whatever its attributes', () => {
    const it = new Neighbourhood(family, 'all')
    const [prefix] = it.prefixes
    const ids = () => [...(it.sessions.get(LISTENER)?.reading.table.get(prefix)?.keys() ?? [])]
    it.announce('a', prefix, 1)
    it.announce('b', prefix, 1)
    it.settle()
    const before = ids()
    expect(before).toHaveLength(2)
    it.announce('a', prefix, 1, 3)
    it.announce('a', prefix, 2)
    it.withdraw('b', prefix, 1)
    it.settle()
    expect(ids()).toHaveLength(2)
    expect(before).toContain(ids()[0])
    it.regroup('d', 1)
    it.announce('b', prefix, 3)
    it.settle()
    it.expectToldExactly()
    it.expectNoLeak()
  })

  test("a row that is another peer's by now: that peer loses the path, the first one hears it", () => {
    for (const logLimit of [1, 4 << 20]) {
      const it = new Neighbourhood(family, 'all', logLimit)
      const [prefix] = it.prefixes
      it.announce('a', prefix, 1)
      it.settle()
      it.withdraw('a', prefix, 1)
      it.announce('b', prefix, 1)
      it.tellAgain('c')
      it.settle()
      it.expectToldExactly()
      it.withdraw('b', prefix, 1)
      it.announce('c', prefix, 1)
      it.tellAgain('c')
      it.regroup('d', 1)
      it.settle()
      it.expectToldExactly()
      it.expectNoLeak()
    }
  })

  test('only what has changed is sent', () => {
    const it = new Neighbourhood(family, 'all')
    const [prefix] = it.prefixes
    for (const id of [0, 1, 2, 3]) it.announce('a', prefix, id)
    it.settle()
    const { reading } = it.sessions.get(LISTENER) ?? expect.unreachable()
    const before = reading.updates
    it.announce('a', prefix, 2, 2)
    it.settle()
    expect(reading.updates).toBe(before + 1)
    it.reach(3, false)
    it.settle()
    expect(reading.updates).toBe(before + 2)
    it.expectToldExactly()
  })

  test('with the best path alone, another one replaces it: the identifier is the same', () => {
    const it = new Neighbourhood(family, 'best')
    const [prefix] = it.prefixes
    it.announce('b', prefix, 2)
    it.settle()
    const { reading } = it.sessions.get(LISTENER) ?? expect.unreachable()
    const before = reading.updates
    it.announce('a', prefix, 3)
    it.settle()
    expect(reading.updates).toBe(before + 1)
    expect([...(reading.table.get(prefix)?.keys() ?? [])]).toEqual([1])
    it.expectToldExactly()
  })

  test('more paths of a prefix than a window holds are all told, and all withdrawn', () => {
    const rib = new SmallRib()
    const [text] = PREFIXES[family.index]
    const ids = Array.from({ length: 1_000 }, (_, id) => `${text}#${id}`)
    const sources = Array.from({ length: 5 }, (_, i) =>
      rib.peer(`s${i}`, {
        addPath: [family.name],
        families: [family.name],
        address: `10.0.1.${i}`,
      }),
    )
    const hearer = rib.peer('hearer', { families: [family.name] })
    const { attributes } = rib.rib
    const self = SELF[family.index]
    const group = rib.rib.createGroup(family, {
      external: true,
      confederation: false,
      withheld: NO_ADVERTISE | NO_EXPORT,
      routeReflectorClient: false,
      maxMessageLength: 4096,
      addPath: 'all',
      exported: (_prefix, set) => set,
      formOf: (set) => ({
        set: attributes.view(set),
        nextHop: self,
        form: {
          external: true,
          confederation: false,
          withheld: NO_ADVERTISE | NO_EXPORT,
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
    const reading = new Reading(family)
    const read = (): void => {
      rib.settle()
      while (group.hasWork(member)) {
        const out: Uint8Array[] = []
        group.pull(member, 100_000, out)
        for (const chunk of out) reading.read(chunk)
      }
    }
    for (const source of sources) {
      for (let i = 0; i < ids.length; i += 100) {
        source.send({
          announce: ids.slice(i, i + 100),
          set: { asPath: '65001', nextHop: '10.0.0.1' },
        })
      }
    }
    read()
    expect(reading.table.get(text)?.size).toBe(5_000)
    group.tellAgain(member)
    read()
    expect(reading.table.get(text)?.size).toBe(5_000)
    for (const { peer } of sources) rib.rib.dropPeer(peer)
    read()
    expect(reading.table.get(text)?.size).toBe(0)
  })
})
