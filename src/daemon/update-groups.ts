/**
 * Sorts sessions into update groups: those that hear the same share one, whatever peer group they are
 * configured in. What makes two sessions hear the same is the key below, and nothing else.
 */
import { isLinkLocal, type Address } from '../net/address.ts'
import type { Fib, FibRoute } from '../fib/fib.ts'
import type { Clock } from '../net/clock.ts'
import type { FamilyFacts } from '../net/family.ts'
import {
  Route,
  TELL_MED,
  TELL_NEXT_HOP,
  TELL_SELF,
  type Policy,
  type RouteOrigin,
} from '../policy/policy.ts'
import type { NextHop } from '../rib/next-hop-table.ts'
import type { RibPeer } from '../rib/peer.ts'
import { isReflected, withheldFrom } from '../rib/reflection.ts'
import type { Concerned, Rib } from '../rib/rib.ts'
import type { AddPathMode, ExportCeiling, UpdateGroupOptions } from '../rib/update-group-options.ts'
import type { Membership, UpdateGroup } from '../rib/update-group.ts'
import type { BucketForm } from '../rib/announcement-encoder.ts'
import { encodeAttributes } from '../wire/attributes/describe.ts'
import type { RoleName } from '../wire/capabilities/role.ts'
import type { OutgoingPath } from '../wire/outgoing-path.ts'
import { LLGR_STALE } from '../wire/scan.ts'
import type { Events } from './events.ts'

/** What a session hears depends on this. */
export interface Hearing {
  readonly family: FamilyFacts
  readonly external: boolean
  /** In another member AS of our confederation. */
  readonly confederation: boolean
  readonly routeReflectorClient: boolean
  /** What we are to the peer (RFC 9234). */
  readonly role: RoleName | undefined
  /** What we tell is to be the last choice: we are about to go. */
  readonly drained: boolean
  /** Routes that have outlived their session as the last choice may be told (RFC 9494). */
  readonly longLived: boolean
  readonly localAsn: number
  /** How AS_PATH changes, where it is not as usual. */
  readonly path: OutgoingPath | undefined
  readonly fourOctetAs: boolean
  readonly maxMessageLength: number
  readonly addPath: AddPathMode
  readonly nextHop: 'auto' | 'self' | 'keep'
  /** IPv4 routes may be told with IPv6 next hops (RFC 8950). */
  readonly ipv6NextHops: boolean
  /** Our address as the session sees us: the next hop to ourselves. */
  readonly self: Address
  /** Told beside `self`, which is global then (RFC 2545 section 3). */
  readonly selfLinkLocal: Address | undefined
  /** Interface index of the link that the session runs over; 0 when it is not on a shared link. */
  readonly link: number
  /** No more prefixes than so many are told; the group has no other peer then. */
  readonly ceiling: ExportCeiling | undefined
  /** Learned routes are told once the kernel has them. */
  readonly afterInstall: boolean
  /** A default route of our own is told. */
  readonly defaultRoute: boolean
  readonly exportPolicy: Policy
}

const DEFAULT_ROUTE = encodeAttributes({ origin: 'IGP' })

/** A route that is too long is so for every group, and whenever it changes: the log hears once a minute. */
const TOO_LONG_SILENCE_MS = 60_000

const keyOf = (it: Hearing): string =>
  [
    it.family.name,
    it.external,
    it.confederation,
    it.routeReflectorClient,
    it.role,
    it.drained,
    it.longLived,
    it.localAsn,
    JSON.stringify(it.path),
    it.fourOctetAs,
    it.maxMessageLength,
    it.addPath,
    it.nextHop,
    it.ipv6NextHops,
    it.self.text,
    it.selfLinkLocal?.text,
    it.link,
    it.ceiling?.most,
    it.ceiling?.peer,
    it.afterInstall,
    it.defaultRoute,
    it.exportPolicy.name,
  ].join(' ')

/** What groups ask of the rest of the daemon. */
export interface GroupWorld {
  readonly events: Events
  readonly clock: Clock
  /** Where a prefix of our own comes from, for policies. */
  localOrigin(prefix: string): RouteOrigin | undefined
  /** What the kernel has; undefined where it gets no routes. */
  fib(): Pick<Fib, 'stateOf' | 'pending'> | undefined
  /** An aggregate is told instead of this prefix. */
  isSummarized(family: FamilyFacts, prefix: number): boolean
  /** Others have not told us all yet: that we have, nobody may say. */
  isRestarting(): boolean
}

export class UpdateGroups {
  readonly #rib: Rib
  readonly #clusterId: number
  readonly #groups = new Map<string, UpdateGroup>()
  readonly #keys = new Map<UpdateGroup, string>()
  readonly #policies = new Map<UpdateGroup, Policy>()
  /** Those that tell routes once the kernel has them. */
  readonly #waiting = new Set<UpdateGroup>()
  readonly #world: GroupWorld
  #silentUntil = 0

  constructor(rib: Rib, clusterId: number, world: GroupWorld) {
    this.#rib = rib
    this.#clusterId = clusterId
    this.#world = world
  }

  [Symbol.iterator](): Iterator<UpdateGroup> {
    return this.#groups.values()
  }

  join(peer: RibPeer, hearing: Hearing): Membership {
    const key = keyOf(hearing)
    let group = this.#groups.get(key)
    if (group === undefined) {
      group = this.#create(hearing)
      this.#groups.set(key, group)
      this.#keys.set(group, key)
      this.#policies.set(group, hearing.exportPolicy)
      if (hearing.afterInstall) this.#waiting.add(group)
    }
    return { group, member: group.join(peer) }
  }

  /** A session that is a member shall hear this from now on: the same membership, or another. */
  move(old: Membership, hearing: Hearing): Membership {
    if (this.#keys.get(old.group) === keyOf(hearing)) return old
    const now = this.join(old.member.peer, hearing)
    this.#rib.succeed(now, old, () => this.leave(old))
    return now
  }

  /** These policies judge otherwise from now on: their groups send what comes out different. */
  lookAgain(renewed: ReadonlySet<Policy>): void {
    for (const [group, policy] of this.#policies) if (renewed.has(policy)) group.lookAgain()
  }

  /** Groups whose export policy looks at RPKI data look again at what is concerned. */
  revalidate(concerned: Concerned): void {
    const groups = [...this.#policies].flatMap(([group, it]) => (it.looksAtRpki ? [group] : []))
    if (groups.length > 0) this.#rib.lookAgainWhere(groups, concerned)
  }

  /** All look again at the prefixes that are concerned. */
  lookAgainWhere(concerned: Concerned): void {
    const groups = [...this.#groups.values()]
    if (groups.length > 0) this.#rib.lookAgainWhere(groups, concerned)
  }

  leave({ group, member }: Membership): void {
    group.leave(member)
    if (group.size > 0) return
    this.#rib.closeGroup(group)
    this.#groups.delete(this.#keys.get(group) ?? '')
    this.#keys.delete(group)
    this.#policies.delete(group)
    this.#waiting.delete(group)
  }

  /** The kernel has the route of a prefix now, or has it no more, or refuses it. */
  settled(family: 0 | 1, prefix: number): void {
    for (const group of this.#waiting) if (group.family.index === family) group.mark(prefix)
  }

  #create(hearing: Hearing): UpdateGroup {
    const { external, confederation, routeReflectorClient, maxMessageLength, addPath, ceiling } =
      hearing
    return this.#rib.createGroup(hearing.family, {
      external,
      confederation,
      routeReflectorClient,
      withheld: withheldFrom(hearing, hearing.role) | (hearing.longLived ? 0 : LLGR_STALE),
      mayEnd: () => this.#mayEnd(hearing),
      maxMessageLength,
      addPath,
      ...(ceiling === undefined ? {} : { ceiling }),
      ...(hearing.afterInstall ? { isUnderWay: this.#underWay(hearing.family) } : {}),
      ...(hearing.defaultRoute ? { defaultRoute: DEFAULT_ROUTE } : {}),
      exported: this.#exporter(hearing),
      formOf: (set, source) => this.#formOf(hearing, set, source),
      tooLong: (prefix, source, bytes) => this.#tooLong(hearing, prefix, source, bytes),
    })
  }

  /** Asked for each prefix of each group, so it makes no objects. */
  #exporter({
    family,
    exportPolicy: policy,
    afterInstall,
  }: Hearing): UpdateGroupOptions['exported'] {
    const { prefixes } = this.#rib.families[family.index]
    const $route = new Route()
    $route.family = family
    return (prefix, set, source) => {
      if (this.#world.isSummarized(family, prefix)) return 0
      if (afterInstall && !source.local && this.#stateOf(family, prefix) !== 'installed') return 0
      $route.from = source.origin
      $route.set = set
      if (policy.looksAtPrefix) {
        prefixes.copyWords(prefix, $route.words)
        $route.length = prefixes.length(prefix)
      }
      if (source.local && policy.looksAtSource) {
        $route.from = this.#world.localOrigin(prefixes.text(prefix)) ?? source.origin
      }
      return policy.judge($route).accept ? $route.set : 0
    }
  }

  #stateOf({ index }: FamilyFacts, prefix: number): FibRoute['state'] | undefined {
    return this.#world.fib()?.stateOf(index, prefix)
  }

  #underWay(family: FamilyFacts): (prefix: number) => boolean {
    return (prefix) => {
      const state = this.#stateOf(family, prefix)
      return state === 'pending' || state === 'stale'
    }
  }

  /** Routes on their way to the kernel are part of the table, where they are told after that. */
  #mayEnd({ afterInstall, family }: Hearing): boolean {
    if (this.#world.isRestarting()) return false
    return !afterInstall || (this.#world.fib()?.pending(family.index) ?? 0) === 0
  }

  #tooLong(hearing: Hearing, prefix: number, source: RibPeer, bytes: number): void {
    const { clock, events } = this.#world
    if (clock.now() < this.#silentUntil) return
    this.#silentUntil = clock.now() + TOO_LONG_SILENCE_MS
    const text = this.#rib.families[hearing.family.index].prefixes.text(prefix)
    events.tell({
      level: 'warn',
      topic: 'peers',
      kind: 'RouteTooLong',
      peer: source.options.name,
      prefix: text,
      text: `${text} can't be announced: with its attributes a message takes ${bytes} bytes, and no more than ${hearing.maxMessageLength} may be sent`,
    })
  }

  #formOf(hearing: Hearing, set: number, source: RibPeer): BucketForm {
    const { attributes } = this.#rib
    const nextHop = this.#nextHopFor(hearing, set, source)
    const plain = hearing.family.index === 0 && nextHop.length === 4
    const reflected = isReflected(source, hearing)
    return {
      set: attributes.view(set),
      nextHop,
      form: {
        external: hearing.external,
        localAsn: hearing.localAsn,
        path: hearing.path,
        drained: hearing.drained,
        onlyToCustomer: marksCustomers(hearing.role) ? hearing.localAsn : 0,
        fourOctetAs: hearing.fourOctetAs,
        nextHop: plain ? nextHop : undefined,
        keepMed: source.local || (attributes.flags(set) & TELL_MED) !== 0,
        reflection: reflected
          ? {
              originatorId: attributes.originatorId(set) || source.options.routerId,
              clusterId: this.#clusterId,
            }
          : undefined,
      },
    }
  }

  /**
   * RFC 4271 5.1.3. To another AS we are the next hop, unless the route's own next hop is a neighbour on
   * the link that we share with the peer. Within the AS the next hop stays as it is; a link-local one means
   * nothing beyond its link.
   */
  #nextHopFor(hearing: Hearing, set: number, source: RibPeer): Uint8Array {
    const { nextHops, attributes } = this.#rib
    const marks = attributes.flags(set)
    const chosen = (marks & TELL_NEXT_HOP) !== 0
    const theirs = source.local && !chosen ? undefined : nextHops.get(attributes.nextHop(set))
    const ours = ownBytes(hearing)
    if (theirs === undefined || (marks & TELL_SELF) !== 0) return ours
    if (hearing.nextHop === 'self' && !chosen) return ours
    const { address, global } = theirs
    if (address.family !== hearing.family.name && !hearing.ipv6NextHops) return ours
    if (sharesLink(theirs, hearing.link)) return address.bytes
    // A reflected route's next hop is left alone (RFC 4456 section 10).
    if (hearing.nextHop === 'auto' && hearing.external && !chosen) return ours
    return isLinkLocal(address) ? (global?.bytes ?? ours) : address.bytes
  }
}

function ownBytes({ self, selfLinkLocal }: Hearing): Uint8Array {
  if (selfLinkLocal === undefined) return self.bytes
  const both = new Uint8Array(self.bytes.length + selfLinkLocal.bytes.length)
  both.set(self.bytes)
  both.set(selfLinkLocal.bytes, self.bytes.length)
  return both
}
/** What goes down or sideways is marked so (RFC 9234 section 5, egress 1). */
const marksCustomers = (role: RoleName | undefined): boolean =>
  role === 'provider' || role === 'peer' || role === 'rs'

const sharesLink = ({ resolution }: NextHop, link: number): boolean =>
  link !== 0 && resolution.onLink && resolution.gateways.some((gateway) => gateway.link === link)
