/**
 * A whole RIB with next hops that the test owns, spoken to in text: peers by name, UPDATEs as in
 * `update-builder.ts`, outcomes by prefix.
 */
import { expect } from 'vitest'
import { address } from '../../../src/net/address.ts'
import type { Family } from '../../../src/net/family.ts'
import { prefix } from '../../../src/net/prefix.ts'
import type { Policy } from '../../../src/policy/policy.ts'
import { accept } from '../../../src/policy/standard.ts'
import type { AdjRibIn } from '../../../src/rib/adj-rib-in.ts'
import type { DecisionOptions, Fate } from '../../../src/rib/decision.ts'
import type { FamilyRib } from '../../../src/rib/family-rib.ts'
import { LENIENT, type ImportRules } from '../../../src/rib/import-rules.ts'
import type { RibPeer, RibPeerOptions } from '../../../src/rib/peer.ts'
import { Rib } from '../../../src/rib/rib.ts'
import {
  describeAttributes,
  encodeAttributes,
  type AttributeDescription,
} from '../../../src/wire/attributes/describe.ts'
import { FakeResolver } from '../../support/fake-resolver.ts'
import { updateBody, type AttributeValues, type UpdateText } from '../../support/update-builder.ts'

export interface PeerValues extends Partial<Omit<RibPeerOptions, 'address' | 'name'>> {
  readonly address?: string
  readonly families?: readonly Family[]
  readonly fourOctetAs?: boolean
  readonly ipv6NextHops?: boolean
  readonly onLink?: number
  readonly importPolicy?: Policy
  readonly rules?: Partial<ImportRules>
}

export interface SmallPeer {
  readonly name: string
  readonly peer: RibPeer
  readonly session: AdjRibIn
  /** `ORIGIN: missing (withdraw)`, as they came. */
  readonly problems: string[]
  readonly endOfRibs: Family[]
  /** `2 ipv4`: of each message, what was new and beyond the limit. */
  readonly leftOut: string[]
  send(update: UpdateText): void
  sendBody(body: Uint8Array): void
}

export const OWN_ASN = 65000
export const OWN_ROUTER_ID = 0x0a000064

/** Everything that lives, for tests that nothing leaks. */
export const NOTHING = { prefixes: 0, paths: 0, sets: 0, watched: 0 }

export class SmallRib {
  readonly resolver = new FakeResolver()
  readonly rib: Rib
  /** Peers that each prefix was last decided to be forwarded by, the best first. */
  readonly forwarded = new Map<string, readonly string[]>()
  second = 1_000
  /** Steps of `settle` end after this many readings of the clock. */
  #ticks = 0

  constructor(decision: Partial<DecisionOptions> = {}) {
    this.rib = new Rib(
      {
        own: { asns: [OWN_ASN], clusterId: OWN_ROUTER_ID },
        decision: {
          alwaysCompareMed: false,
          missingMedWorst: false,
          ignoreAsPathLength: false,
          ignoreRouterId: false,
          multipath: 1,
          multipathRelax: false,
          ...decision,
        },
        local: {
          name: 'local',
          address: address('10.0.0.100'),
          routerId: OWN_ROUTER_ID,
          asn: OWN_ASN,
          external: false,
          routeReflectorClient: false,
        },
      },
      this.resolver,
      {
        workArrived: () => undefined,
        decided: (family, id, paths, count) => {
          const rib = this.rib.families[family.index]
          const names = [...paths.subarray(0, count)].map((path) => this.#peerName(rib, path))
          this.forwarded.set(rib.prefixes.text(id), names)
        },
      },
    )
  }

  /** An external peer of AS 65001 by default. */
  peer(name: string, values: PeerValues = {}): SmallPeer {
    const { families = ['ipv4', 'ipv6'], fourOctetAs = true, importPolicy = accept } = values
    const problems: string[] = []
    const endOfRibs: Family[] = []
    const leftOut: string[] = []
    const session = this.rib.addPeer(
      {
        name,
        routerId: values.routerId ?? 1,
        asn: values.asn ?? 65001,
        external: values.external ?? true,
        routeReflectorClient: values.routeReflectorClient ?? false,
        addPath: values.addPath ?? [],
        ...(values.confederation === undefined ? {} : { confederation: values.confederation }),
        address: address(values.address ?? '10.0.0.1'),
      },
      importPolicy,
      {
        families,
        fourOctetAs,
        ipv6NextHops: values.ipv6NextHops ?? false,
        link: values.onLink ?? 0,
        confederation: values.confederation ?? false,
        routerId: OWN_ROUTER_ID,
      },
      {
        malformedReceived: ({ problems: found }) => {
          for (const it of found) problems.push(`${it.name}: ${it.why} (${it.remedy})`)
        },
        endOfRibReceived: (family) => endOfRibs.push(family),
        pathsRefused: (count) => problems.push(`${count} paths refused`),
        pathsBeyondLimit: (family, count) => void leftOut.push(`${count} ${family.name}`),
      },
    )
    session.peer.rules = { ...LENIENT, ...values.rules }
    const sendBody = (body: Uint8Array): void =>
      session.receive(body, 0, body.length, this.second++)
    return {
      name,
      peer: session.peer,
      session,
      problems,
      endOfRibs,
      leftOut,
      sendBody,
      send: (update) => sendBody(updateBody(update)),
    }
  }

  announceOwn(text: string, set: AttributeValues = {}): void {
    this.rib.announce(prefix(text), encodeAttributes({ origin: 'IGP', ...set }), this.second++)
  }

  withdrawOwn(text: string): void {
    this.rib.withdraw(prefix(text))
  }

  /** Works until nothing is left to do. */
  settle(): this {
    while (this.rib.busy) this.step(Infinity)
    return this
  }

  /** Works until the clock has been looked at `looks` times. */
  step(looks: number): void {
    this.#ticks = 0
    this.rib.step(() => ++this.#ticks, looks)
  }

  /** Name of the peer whose path is the best one. */
  best(text: string): string | undefined {
    const [rib, id] = this.#find(text)
    const best = id === 0 ? 0 : rib.prefixes.best(id)
    return best === 0 ? undefined : this.#peerName(rib, best)
  }

  /** Fate of each path, by peer. */
  fates(text: string): Record<string, Fate> {
    const [rib, id] = this.#find(text)
    if (id === 0) return {}
    const fates = [...rib.decision.explain(rib.prefixes.paths(id))]
    return Object.fromEntries(fates.map(([path, fate]) => [this.#peerName(rib, path), fate]))
  }

  /** What each peer offers for a prefix, by name; rejected ones with the reason. */
  offers(text: string): Record<string, AttributeDescription | string> {
    const [rib, id] = this.#find(text)
    const found: Record<string, AttributeDescription | string> = {}
    const { paths } = rib
    for (let path = id === 0 ? 0 : rib.prefixes.paths(id); path !== 0; path = paths.next(path)) {
      found[this.#peerName(rib, path)] =
        paths.accepted(path) === 0
          ? paths.rejection(path)
          : describeAttributes(this.rib.attributes.view(paths.accepted(path)).slice())
    }
    return found
  }

  /** Every prefix with a path, by family. */
  prefixes(): string[] {
    return this.rib.families.flatMap(({ prefixes }) =>
      Array.from({ length: prefixes.end }, (_, id) => id)
        .filter((id) => prefixes.exists(id) && prefixes.paths(id) !== 0)
        .map((id) => prefixes.text(id)),
    )
  }

  live(): typeof NOTHING {
    const [ipv4, ipv6] = this.rib.families
    return {
      prefixes: ipv4.prefixes.live + ipv6.prefixes.live,
      paths: ipv4.paths.live + ipv6.paths.live,
      sets: this.rib.attributes.live,
      watched: this.resolver.watched.size,
    }
  }

  /** Drops these peers and all own prefixes must be gone already: then nothing may live. */
  expectNoLeak(...peers: readonly SmallPeer[]): void {
    for (const { peer } of peers) this.rib.dropPeer(peer)
    this.settle()
    expect(this.live()).toEqual(NOTHING)
    expect([...this.rib.peers].map(({ options }) => options.name)).toEqual(['local'])
  }

  #find(text: string): [FamilyRib, number] {
    const wanted = prefix(text)
    const rib = this.rib.families[wanted.family === 'ipv4' ? 0 : 1]
    return [rib, rib.prefixes.findPrefix(wanted)]
  }

  /** `tor-a`, or `tor-a#7` for its path 7. */
  #peerName(rib: FamilyRib, path: number): string {
    const { name } = this.rib.peers.get(rib.paths.peer(path)).options
    const id = rib.paths.id(path) >>> 0
    return id === 0 ? name : `${name}#${id}`
  }
}
