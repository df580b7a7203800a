/**
 * Update groups against a model: whatever sources announce and withdraw, however slowly each member reads,
 * what a member has been sent, replayed, is exactly what it shall know.
 */
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { FAMILIES, type FamilyFacts } from '../../../src/net/family.ts'
import { address } from '../../../src/net/address.ts'
import type { GroupMember } from '../../../src/rib/group-member.ts'
import type { UpdateGroup } from '../../../src/rib/update-group.ts'
import { Reading } from './reading.ts'
import { NOTHING, OWN_ASN, SmallRib, type SmallPeer } from './small-rib.ts'
import { NO_ADVERTISE, NO_EXPORT } from '../../../src/wire/scan.ts'

const PREFIXES = [
  ['10.1.0.0/16', '10.2.0.0/16', '10.2.3.0/24', '0.0.0.0/0', '10.4.0.0/32'],
  ['2001:db8:1::/48', '2001:db8:2::/48', '2001:db8:2::/64', '::/0', '2001:db8::4/128'],
] as const
const NAMES = ['a', 'b', 'c', 'd'] as const
/** Never announces anything. */
const LISTENER = 'd'
/** Its routes are not exported by the second group. */
const UNLOVED = 'a'
const SELF = [address('10.0.0.100').bytes, address('2001:db8::100').bytes] as const

interface Session {
  readonly small: SmallPeer
  readonly reading: Reading
  group: number
  member: GroupMember
}

/** A RIB, two update groups of one family, and peers that offer, hear, come and go. */
class Neighbourhood {
  readonly rib = new SmallRib()
  readonly family: FamilyFacts
  readonly sessions = new Map<string, Session>()
  /** AS_PATH of each offer, by peer and prefix. */
  readonly #offers = new Map<string, Map<string, string>>()
  readonly #groups: (UpdateGroup | undefined)[] = [undefined, undefined]
  /** Bytes that make attribute sets long. */
  readonly #padding: string
  readonly #logLimitBytes: number
  /** What was refused as too long, by prefix and source. */
  readonly tooLong: string[] = []
  #version = 0

  constructor(family: FamilyFacts, padding = 0, logLimitBytes = 4 << 20) {
    this.family = family
    this.#logLimitBytes = logLimitBytes
    this.#padding = 'ab'.repeat(padding)
    for (const name of NAMES) this.connect(name, 0)
  }

  get prefixes(): readonly string[] {
    return PREFIXES[this.family.index]
  }

  group(index: number): UpdateGroup {
    const { attributes } = this.rib.rib
    const [self4, self6] = SELF
    return (this.#groups[index] ??= this.rib.rib.createGroup(this.family, {
      external: true,
      confederation: false,
      withheld: NO_ADVERTISE | NO_EXPORT,
      routeReflectorClient: false,
      maxMessageLength: 4096,
      logLimitBytes: this.#logLimitBytes,
      exported: (_prefix, set, source) =>
        index === 0 || source.options.name !== UNLOVED ? set : 0,
      formOf: (set) => ({
        set: attributes.view(set),
        nextHop: this.family.index === 0 ? self4 : self6,
        form: {
          external: true,
          localAsn: OWN_ASN,
          fourOctetAs: true,
          nextHop: this.family.index === 0 ? self4 : undefined,
          keepMed: false,
          reflection: undefined,
        },
      }),
      tooLong: (prefix, source, bytes) => {
        expect(bytes).toBeGreaterThan(4096)
        const { prefixes } = this.rib.rib.families[this.family.index]
        this.tooLong.push(`${prefixes.text(prefix)} from ${source.options.name}`)
      },
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

  #leave(group: UpdateGroup, member: GroupMember): void {
    group.leave(member)
    if (group.size > 0) return
    this.rib.rib.closeGroup(group)
    this.#groups[this.#groups.indexOf(group)] = undefined
  }

  /** `name` offers these prefixes, with a path of `length` that nobody has offered before. */
  announce(name: string, prefixes: readonly string[], length = 1): void {
    const session = this.sessions.get(name)
    if (session === undefined || name === LISTENER) return
    const number = 65000 + session.small.peer.options.routerId
    const filler = Array.from({ length }, (_, i) => 100 + i)
    const asPath = [number, ...filler, 1_000 + this.#version++].join(' ')
    const unknown = this.#padding === '' ? [] : [{ code: 200, flags: 0xe0, value: this.#padding }]
    session.small.send({
      announce: prefixes,
      set: { origin: 'IGP', asPath, unknown, nextHop: `10.0.0.${number - 65000}` },
      nextHop6: `2001:db8::${number - 65000}`,
    })
    for (const text of prefixes) this.#offers.get(name)?.set(text, asPath)
  }

  withdraw(name: string, prefixes: readonly string[]): void {
    this.sessions.get(name)?.small.send({ withdraw: prefixes })
    for (const text of prefixes) this.#offers.get(name)?.delete(text)
  }

  announceOwn(text: string): void {
    this.rib.announceOwn(text)
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

  /** Decides everything, and lets everybody read to the end. */
  settle(): void {
    this.rib.settle()
    for (const [name, { group, member }] of this.sessions) {
      for (let pulls = 0; this.group(group).hasWork(member); pulls++) {
        if (pulls > 10_000) throw new Error(`${name} never comes to an end`)
        this.pull(name, 100_000)
      }
    }
  }

  /** What `name` shall know: all best paths but its own, and what its group doesn't export. */
  expected(name: string): Map<string, string> {
    const found = new Map<string, string>()
    const group = this.sessions.get(name)?.group
    for (const text of this.prefixes) {
      const best = this.rib.best(text)
      if (best === undefined || best === name || (group === 1 && best === UNLOVED)) continue
      const offer = best === 'local' ? '' : (this.#offers.get(best)?.get(text) ?? 'not offered')
      found.set(text, `${OWN_ASN} ${offer}`.trim())
    }
    return found
  }

  expectToldExactly(): void {
    for (const [name, { reading, group, member }] of this.sessions) {
      const expected = this.expected(name)
      expect(sorted(reading.table), name).toEqual(sorted(expected))
      expect(reading.endOfRibs, `${name}'s End-of-RIB`).toBe(1)
      expect(this.group(group).announced(member), name).toBe(expected.size)
    }
  }

  expectNoLeak(): void {
    for (const text of this.prefixes) this.rib.withdrawOwn(text)
    for (const name of NAMES) this.disconnect(name)
    this.rib.settle()
    expect(this.rib.live()).toEqual(NOTHING)
  }
}

const sorted = (table: ReadonlyMap<string, string>): [string, string][] =>
  [...table].toSorted(([a], [b]) => (a < b ? -1 : 1))

interface Happening {
  readonly happen: (it: Neighbourhood) => void
  toString(): string
}

const aName = fc.constantFrom(...NAMES)
const aGroup = fc.constantFrom(0, 1)
const somePrefixes = fc.subarray([0, 1, 2, 3, 4], { minLength: 1 })
const story = (title: string, happen: Happening['happen']): Happening => ({
  happen,
  toString: () => title,
})
const textsOf = (it: Neighbourhood, numbers: readonly number[]): string[] =>
  numbers.map((number) => it.prefixes[number])

const happenings: fc.Arbitrary<Happening> = fc.oneof(
  {
    weight: 10,
    arbitrary: fc
      .tuple(aName, somePrefixes, fc.nat(2))
      .map(([name, which, length]) =>
        story(`${name} announces ${which.join()} at ${length}`, (it) =>
          it.announce(name, textsOf(it, which), length),
        ),
      ),
  },
  {
    weight: 5,
    arbitrary: fc
      .tuple(aName, somePrefixes)
      .map(([name, which]) =>
        story(`${name} withdraws ${which.join()}`, (it) => it.withdraw(name, textsOf(it, which))),
      ),
  },
  {
    weight: 8,
    arbitrary: fc
      .tuple(aName, fc.constantFrom(1, 100, 5_000))
      .map(([name, bytes]) => story(`${name} reads ${bytes}`, (it) => it.pull(name, bytes))),
  },
  { weight: 5, arbitrary: fc.constant(story('decide', (it) => void it.rib.settle())) },
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
    weight: 1,
    arbitrary: fc
      .tuple(aName, aGroup)
      .map(([name, group]) => story(`${name} moves to ${group}`, (it) => it.regroup(name, group))),
  },
  {
    weight: 1,
    arbitrary: aName.map((name) => story(`${name} asks again`, (it) => it.tellAgain(name))),
  },
  {
    weight: 1,
    arbitrary: fc
      .nat(4)
      .map((which) => story(`own ${which}`, (it) => it.announceOwn(it.prefixes[which]))),
  },
  {
    weight: 1,
    arbitrary: fc
      .nat(4)
      .map((which) => story(`no own ${which}`, (it) => it.rib.withdrawOwn(it.prefixes[which]))),
  },
  {
    weight: 1,
    arbitrary: fc.tuple(fc.constantFrom(1, 2, 3), fc.boolean()).map(([number, there]) =>
      story(`next hop ${number} ${there ? 'there' : 'lost'}`, (it) => {
        const nextHop = it.family.index === 0 ? `10.0.0.${number}` : `2001:db8::${number}`
        if (there) it.rib.resolver.set(nextHop, {})
        else it.rib.resolver.lose(nextHop)
      }),
    ),
  },
)

describe.each(FAMILIES)('members of update groups, $name', (family) => {
  test('know exactly what they shall, whatever has happened', () => {
    const story = fc.array(happenings, { minLength: 5, maxLength: 60 })
    // With a log that holds next to nothing, everybody is let go all the time.
    const logLimit = fc.constantFrom(1, 200, 4 << 20)
    fc.assert(
      fc.property(story, logLimit, (events, limit) => {
        const it = new Neighbourhood(family, 0, limit)
        for (const { happen } of events) happen(it)
        it.settle()
        it.expectToldExactly()
        expect(it.tooLong).toEqual([])
        it.expectNoLeak()
      }),
      { numRuns: 300, seed: 9172 },
    )
  })

  test('who reads too slowly is let go, and knows the same in the end', () => {
    const it = new Neighbourhood(family, 3_900, 1 << 20)
    it.settle()
    const listener = it.sessions.get(LISTENER)
    for (let round = 0; listener?.member.catchUp === undefined; round++) {
      if (round > 1_000) throw new Error('nobody was let go')
      const source = 'abc'[round % 3]
      for (const prefix of it.prefixes) it.announce(source, [prefix])
      it.withdraw('abc'[(round + 1) % 3], it.prefixes.slice(round % 5))
      it.rib.settle()
      for (const name of ['a', 'b', 'c']) it.pull(name, 1_000_000)
      expect(it.group(0).backlogBytes).toBeLessThan(2 << 20)
    }
    it.settle()
    it.expectToldExactly()
    it.expectNoLeak()
  })

  test('a route whose source has ended can still be asked for', () => {
    const it = new Neighbourhood(family)
    it.announce('b', it.prefixes)
    it.settle()
    it.disconnect('b')
    it.rib.rib.step(() => 0, 0) // the paths are gone, nothing has been decided yet
    it.tellAgain('a')
    it.connect('b', 0)
    it.pull('a', 100_000)
    it.settle()
    it.expectToldExactly()
  })

  test('a flapping prefix is sent once, as it is when it is read', () => {
    const it = new Neighbourhood(family)
    it.settle()
    for (let i = 0; i < 50; i++) {
      it.announce('a', [it.prefixes[0]])
      it.rib.settle()
    }
    const out: Uint8Array[] = []
    const session = it.sessions.get(LISTENER)
    if (session === undefined) throw new Error('no listener')
    it.group(0).pull(session.member, 100_000, out)
    expect(out).toHaveLength(1)
    for (const chunk of out) session.reading.read(chunk)
    it.settle()
    it.expectToldExactly()
  })

  test('the best path moves from a to b: a hears the route, b a withdrawal', () => {
    const it = new Neighbourhood(family)
    const [prefix] = it.prefixes
    it.announce('a', [prefix])
    it.settle()
    expect([...it.expected('b').keys()]).toEqual([prefix])
    it.announce('b', [prefix], 0)
    it.settle()
    it.expectToldExactly()
    expect([...it.expected('b').keys()]).toEqual([])
    expect([...it.expected('a').keys()]).toEqual([prefix])
  })

  test('a prefix that goes from one path to another is never withdrawn in between', () => {
    const it = new Neighbourhood(family)
    const [prefix] = it.prefixes
    it.announce('a', [prefix], 0)
    it.announce('b', [prefix], 1)
    it.settle()
    // Marked and not yet read when its best path goes; read before the next decision.
    it.announce('a', [prefix], 0)
    it.rib.settle()
    it.withdraw('a', [prefix])
    it.pull(LISTENER, 100_000)
    expect([...(it.sessions.get(LISTENER)?.reading.table.keys() ?? [])]).toEqual([prefix])
    it.settle()
    it.expectToldExactly()
    it.expectNoLeak()
  })

  test('a route too long for any message is not told, withdrawn if it was, and that is said', () => {
    const it = new Neighbourhood(family)
    const [long, other] = it.prefixes
    const told = (): string[] =>
      [...(it.sessions.get(LISTENER)?.reading.table.keys() ?? [])].toSorted()
    it.announce('a', [long, other])
    it.settle()
    expect(told()).toEqual([long, other].toSorted())
    // The longest set that came in a message of 4096 bytes leaves no room for what linnet adds.
    const size = (bytes: number): void => {
      const unknown = [{ code: 200, flags: 0xe0, value: 'ab'.repeat(bytes) }]
      const set = { asPath: '65001', unknown, nextHop: '10.0.0.1' }
      it.sessions.get('a')?.small.send({ announce: [long], set, nextHop6: '2001:db8::1' })
      it.settle()
    }
    const fits = 3_960
    const tooLong = 4_050
    size(tooLong)
    expect(told()).toEqual([other])
    expect(new Set(it.tooLong)).toEqual(new Set([`${long} from a`]))
    size(fits)
    expect(told()).toEqual([long, other].toSorted())
    size(tooLong)
    it.tellAgain(LISTENER)
    it.settle()
    expect(told()).toEqual([other])
    it.expectNoLeak()
  })

  test('one pull looks at a window of the table, however little of it is told', () => {
    const it = new Neighbourhood(family)
    const source = it.sessions.get(UNLOVED)?.small
    const text = (i: number): string =>
      family.index === 0 ? `10.${i >> 8}.${i & 0xff}.0/24` : `2001:db8:${i.toString(16)}::/48`
    for (let i = 0; i < 20_000; i += 100) {
      const announce = Array.from({ length: 100 }, (_, j) => text(i + j))
      source?.send({ announce, set: { asPath: '65001', nextHop: '10.0.0.1' } })
    }
    it.rib.settle()
    // The second group exports nothing of this source.
    it.disconnect(LISTENER)
    it.connect(LISTENER, 1)
    const group = it.group(1)
    const member = it.sessions.get(LISTENER)?.member
    if (member === undefined) throw new Error('no listener')
    let pulls = 0
    for (; group.hasWork(member); pulls++) it.pull(LISTENER, 100_000)
    expect(pulls).toBeGreaterThanOrEqual(Math.floor(20_000 / 4_096))
    expect(group.announced(member)).toBe(0)
    it.expectNoLeak()
  })

  test('who leaves with a long list of what it missed leaves nothing behind', () => {
    const it = new Neighbourhood(family, 0, 1)
    it.settle()
    for (let round = 0; round < 4; round++) {
      it.announce('a', it.prefixes)
      it.rib.settle()
      it.pull('b', 1_000_000)
    }
    const session = it.sessions.get(LISTENER)
    expect(session?.member.catchUp).toBeDefined()
    // Some of it is in the queue, some still unread.
    it.pull(LISTENER, 1)
    it.announce('b', it.prefixes, 0)
    it.rib.settle()
    it.pull('a', 1_000_000)
    it.disconnect(LISTENER)
    it.settle()
    it.expectToldExactly()
    it.expectNoLeak()
  })

  test('End-of-RIB waits for what is not decided yet', () => {
    const it = new Neighbourhood(family)
    it.announce('a', it.prefixes)
    it.pull(LISTENER, 100_000)
    const session = it.sessions.get(LISTENER)
    expect([session?.reading.endOfRibs, session?.reading.table.size]).toEqual([0, 0])
    it.rib.settle()
    it.pull(LISTENER, 100_000)
    expect([session?.reading.endOfRibs, session?.reading.table.size]).toEqual([1, 5])
  })
})

test('200 members hear one encoding: the very same bytes', () => {
  const rib = new SmallRib()
  const feeder = rib.peer('feeder', { routerId: 1 })
  const { attributes } = rib.rib
  let encodings = 0
  const group = rib.rib.createGroup(FAMILIES[0], {
    external: true,
    confederation: false,
    withheld: NO_ADVERTISE | NO_EXPORT,
    routeReflectorClient: false,
    maxMessageLength: 4096,
    exported: (_prefix, set) => set,
    formOf: (set) => {
      encodings++
      const form = { external: true, localAsn: OWN_ASN, fourOctetAs: true, keepMed: false }
      return {
        set: attributes.view(set),
        nextHop: SELF[0],
        form: { ...form, nextHop: SELF[0], reflection: undefined },
      }
    },
    tooLong: () => expect.unreachable(),
  })
  const members = Array.from({ length: 200 }, (_, i) =>
    group.join(rib.peer(`client ${i}`, { routerId: 2 + i }).peer),
  )
  feeder.send({
    announce: [...PREFIXES[0]],
    set: { origin: 'IGP', asPath: '65001', nextHop: '10.0.0.1' },
  })
  rib.settle()
  const heard = members.map((member) => {
    const out: Uint8Array[] = []
    while (group.hasWork(member)) group.pull(member, 100_000, out)
    return out[0]
  })
  expect(heard[0].length).toBeGreaterThan(23)
  expect(new Set(heard).size).toBe(1)
  expect(encodings).toBe(1)
})
