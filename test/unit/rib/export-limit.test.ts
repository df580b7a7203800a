/**
 * A group whose one peer hears no more than so many prefixes: at no time more, in the end as many as there are
 * and may be, and each as it is then.
 */
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { address } from '../../../src/net/address.ts'
import { FAMILIES } from '../../../src/net/family.ts'
import type { AddPathMode } from '../../../src/rib/update-group-options.ts'
import type { Membership } from '../../../src/rib/update-group.ts'
import { NO_ADVERTISE, NO_EXPORT } from '../../../src/wire/scan.ts'
import { Reading } from './reading.ts'
import { OWN_ASN, SmallRib, type SmallPeer } from './small-rib.ts'

const MOST = 3
const PREFIXES = Array.from({ length: 6 }, (_, i) => `10.${i}.0.0/16`)
const SELF = address('10.0.0.100').bytes
/** `listener` hears, and announces as well: its own routes don't count. */
const NAMES = ['a', 'b', 'listener'] as const

class Stage {
  readonly rib = new SmallRib()
  readonly #peers: readonly SmallPeer[]
  readonly reading = new Reading(FAMILIES[0])
  readonly #membership: Membership
  readonly #addPath: AddPathMode
  #version = 0

  constructor(addPath: AddPathMode) {
    this.#addPath = addPath
    this.#peers = NAMES.map((name, i) =>
      this.rib.peer(name, { asn: 65001 + i, routerId: i + 1, address: `10.0.0.${i + 1}` }),
    )
    const listener = this.peer('listener')
    const { attributes } = this.rib.rib
    const group = this.rib.rib.createGroup(FAMILIES[0], {
      external: true,
      confederation: false,
      withheld: NO_ADVERTISE | NO_EXPORT,
      routeReflectorClient: false,
      maxMessageLength: 4096,
      addPath,
      ceiling: { most: MOST, peer: listener.peer.id },
      exported: (_prefix, set) => set,
      formOf: (set) => ({
        set: attributes.view(set),
        nextHop: SELF,
        form: {
          external: true,
          localAsn: OWN_ASN,
          fourOctetAs: true,
          nextHop: SELF,
          keepMed: false,
          reflection: undefined,
        },
      }),
      tooLong: () => expect.unreachable(),
    })
    this.#membership = { group, member: group.join(listener.peer) }
  }

  peer(name: string): SmallPeer {
    const peer = this.#peers.find((it) => it.name === name)
    if (peer === undefined) throw new Error(`no peer ${name}`)
    return peer
  }

  announce(name: string, prefixes: readonly string[], length: number): void {
    const { options } = this.peer(name).peer
    const filler = Array.from({ length }, (_, i) => 100 + i)
    const asPath = [options.asn, ...filler, 1000 + this.#version++].join(' ')
    this.peer(name).send({
      announce: prefixes,
      set: { origin: 'IGP', asPath, nextHop: `10.0.0.${options.routerId}` },
    })
  }

  withdraw(name: string, prefixes: readonly string[]): void {
    this.peer(name).send({ withdraw: prefixes })
  }

  /** The listener reads some, and holds no more than it may after each message. */
  pull(bytes: number): void {
    const { group, member } = this.#membership
    const out: Uint8Array[] = []
    group.pull(member, bytes, out)
    expect(group.announced(member)).toBeLessThanOrEqual(MOST)
    if (this.#addPath !== 'off') return
    for (const chunk of out) {
      this.reading.read(chunk)
      expect(this.reading.table.size).toBeLessThanOrEqual(MOST)
    }
  }

  settle(): void {
    this.rib.settle()
    const { group, member } = this.#membership
    for (let i = 0; group.hasWork(member); i++) {
      if (i > 1000) throw new Error('never comes to an end')
      this.pull(100_000)
    }
  }

  expectRight(): void {
    const { group, member } = this.#membership
    const best = PREFIXES.map((it) => this.rib.best(it))
    const tellable =
      this.#addPath === 'off'
        ? best.filter((it) => it !== undefined && it !== 'listener').length
        : PREFIXES.flatMap((it) => Object.keys(this.rib.offers(it))).filter(
            (it) => it !== 'listener',
          ).length
    expect(group.announced(member)).toBe(Math.min(MOST, tellable))
    if (this.#addPath === 'off') {
      expect(group.withheld).toBe(Math.max(0, tellable - MOST))
      expect(this.reading.table.size).toBe(Math.min(MOST, tellable))
      for (const [prefix, asPath] of this.reading.table) {
        const from = this.rib.best(prefix)
        expect(from, prefix).not.toBe('listener')
        const offer = this.rib.offers(prefix)[from ?? '']
        expect(asPath).toBe(
          `${OWN_ASN} ${typeof offer === 'object' ? offer.asPath : 'not offered'}`,
        )
      }
    } else expect(group.withheld > 0).toBe(tellable > MOST)
  }

  expectNoLeak(): void {
    const { group, member } = this.#membership
    group.leave(member)
    this.rib.rib.closeGroup(group)
    this.rib.expectNoLeak(...this.#peers)
  }
}

type Happening = readonly [title: string, happen: (stage: Stage) => void]

const aName = fc.constantFrom(...NAMES)
const somePrefixes = fc.subarray(PREFIXES, { minLength: 1 })
const happenings: fc.Arbitrary<Happening> = fc.oneof(
  fc
    .tuple(aName, somePrefixes, fc.nat(2))
    .map(([name, which, length]): Happening => [
      `${name} announces ${which.join()} at ${length}`,
      (it) => it.announce(name, which, length),
    ]),
  fc
    .tuple(aName, somePrefixes)
    .map(([name, which]): Happening => [
      `${name} withdraws ${which.join()}`,
      (it) => it.withdraw(name, which),
    ]),
  fc.constant<Happening>(['decide', (it) => void it.rib.settle()]),
  fc.constant<Happening>(['read', (it) => it.pull(1)]),
)

const modes: readonly AddPathMode[] = ['off', 'all']

test.each(modes)('whatever happens, with ADD-PATH %s', (addPath) => {
  fc.assert(
    fc.property(fc.array(happenings, { minLength: 1, maxLength: 30 }), (story) => {
      const stage = new Stage(addPath)
      for (const [, happen] of story) happen(stage)
      stage.settle()
      stage.expectRight()
      stage.expectNoLeak()
    }),
    { numRuns: 300 },
  )
})
