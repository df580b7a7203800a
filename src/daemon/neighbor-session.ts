/**
 * A neighbour's session while it is up: an Adj-RIB-In, and a place in an update group for each family. It
 * begins when a session is established and ends with it; the neighbour (`neighbor.ts`) outlives it.
 *
 * Messages go out when the announcing stage asks (`announce`) and the socket takes them: a slow socket leaves
 * its messages where they are.
 */
import type { ResolvedPeer } from '../config/config.ts'
import { isLinkLocal, type Address } from '../net/address.ts'
import type { Family, FamilyFacts } from '../net/family.ts'
import type { Policy } from '../policy/policy.ts'
import type { AdjRibIn } from '../rib/adj-rib-in.ts'
import type { AdjRibInEvents } from '../rib/adj-rib-in-terms.ts'
import type { Membership } from '../rib/update-group.ts'
import type { Negotiated } from '../session/negotiation.ts'
import { hasIpv6NextHops, hearingOf } from './hearing.ts'
import type { Neighborhood } from './neighborhood.ts'
import { importRules, isWithin } from './path-settings.ts'
import { adjRibInOptions, ribPeerOptions } from './peer-options.ts'
import { Refreshes } from './refreshes.ts'
import type { Retention } from './retention.ts'
import type { Hearing } from './update-groups.ts'

/** Asked of a group at a time: some ten milliseconds of a gigabit link. */
const PULL_BYTES = 256 << 10

/** What was agreed on, and where. */
export interface SessionTerms {
  readonly negotiated: Negotiated
  /** Our end of the connection. */
  readonly local: Address
  /** What an earlier session has left. */
  readonly retention: Retention
}

export interface SessionEvents extends AdjRibInEvents {
  /** What was not told again is dropped; `overdue` when the peer never said that it was done. */
  refreshEnded(family: FamilyFacts, overdue: boolean): void
  /** Nothing of a family can be announced, for want of an address. */
  notAnnounced(family: Family, local: Address): void
}

/** Where messages go. */
export interface Outlet {
  /** Asked before what was pulled is sent; false when the session has ended over it. */
  mayTell(membership: Membership): boolean
  /** Says whether the socket takes more. */
  send(parts: readonly Uint8Array[]): boolean
}

export class NeighborSession {
  readonly adjRibIn: AdjRibIn
  readonly negotiated: Negotiated
  readonly local: Address
  readonly refreshes: Refreshes
  /** The socket takes bytes. */
  writable = true
  #config: ResolvedPeer
  readonly #hood: Neighborhood
  readonly #events: SessionEvents
  readonly #memberships: Membership[] = []
  readonly #unannounced = new Set<Family>()
  readonly #endOfRib = new Set<Family>()

  constructor(
    config: ResolvedPeer,
    { negotiated, local, retention }: SessionTerms,
    hood: Neighborhood,
    events: SessionEvents,
  ) {
    this.negotiated = negotiated
    this.local = local
    this.#config = config
    this.#hood = hood
    this.#events = events
    const { rib, policies, linkName, own, routerId } = hood
    const link = isLinkLocal(local) ? hood.ownNextHop(local, 'ipv6', false).link : 0
    const peer = ribPeerOptions(config, negotiated, linkName(local))
    const importPolicy = policies.of(config.importPolicy, 'import')
    const options = adjRibInOptions(negotiated, isWithin(config, own), link, routerId)
    const inEvents: AdjRibInEvents = {
      malformedReceived: (update) => events.malformedReceived(update),
      endOfRibReceived: (family) => {
        this.#endOfRib.add(family)
        events.endOfRibReceived(family)
      },
      pathsRefused: (count) => events.pathsRefused(count),
      pathsBeyondLimit: (family, count) => events.pathsBeyondLimit(family, count),
    }
    const earlier = retention.resume(peer, negotiated.gracefulRestart)
    this.adjRibIn =
      earlier === undefined
        ? rib.addPeer(peer, importPolicy, options, inEvents)
        : rib.resumePeer(earlier, importPolicy, options, inEvents)
    this.adjRibIn.peer.rules = importRules(config, own)
    this.refreshes = new Refreshes(hood.clock, {
      began: (family) => rib.refreshBegan(this.adjRibIn, family),
      ended: (family, overdue) => {
        rib.refreshEnded(this.adjRibIn, family)
        events.refreshEnded(family, overdue)
      },
    })
  }

  /** The peer has told all of its routes (RFC 4724 section 2). */
  get saidAll(): boolean {
    return this.#endOfRib.size >= this.negotiated.families.length
  }

  saidAllOf(family: Family): boolean {
    return this.#endOfRib.has(family)
  }

  /** There is something that the peer has not heard yet. */
  get hasWork(): boolean {
    return this.#memberships.some(({ group, member }) => group.hasWork(member))
  }

  membership(family: Family): Membership | undefined {
    return this.#memberships.find(({ group }) => group.family.name === family)
  }

  /** Sends what the socket takes, until `deadline`. */
  announce(deadline: number, outlet: Outlet): void {
    for (const membership of this.#memberships) {
      const { group, member } = membership
      while (this.writable && group.hasWork(member)) {
        const parts: Uint8Array[] = []
        group.pull(member, PULL_BYTES, parts)
        if (!outlet.mayTell(membership)) return
        if (parts.length > 0) this.writable = outlet.send(parts)
        if (this.#hood.clock.now() >= deadline) return
      }
    }
  }

  /** Tells the peer everything once more (RFC 2918, or because the operator asked). */
  sendAgain(family: Family): void {
    const membership = this.membership(family)
    if (membership === undefined) return
    membership.group.tellAgain(membership.member, this.negotiated.enhancedRouteRefresh)
    this.#hood.scheduler.wake()
  }

  /** Judges by other settings; of its policies `renewed` have other rules from now on. */
  reconfigure(config: ResolvedPeer, renewed: ReadonlySet<Policy>): void {
    this.#config = config
    const { peer } = this.adjRibIn
    const importPolicy = this.#hood.policies.of(config.importPolicy, 'import')
    const otherRules = peer.renewRules(importRules(config, this.#hood.own))
    if (otherRules || importPolicy !== peer.importPolicy || renewed.has(importPolicy)) {
      peer.importPolicy = importPolicy
      this.#hood.rib.judgeAgain(this.adjRibIn)
    }
    this.joinGroups()
  }

  /** Joins the update groups that fit, or moves to them. */
  joinGroups(): void {
    const { groups, scheduler } = this.#hood
    const before = this.#memberships.splice(0)
    for (const family of this.negotiated.families) {
      const old = before.find(({ group }) => group.family.name === family)
      const hearing = this.#hearing(family)
      this.#memberships.push(
        old === undefined ? groups.join(this.adjRibIn.peer, hearing) : groups.move(old, hearing),
      )
    }
    scheduler.wake()
  }

  /** What becomes of its paths is the retention's business. */
  end(): void {
    this.refreshes.close()
    for (const membership of this.#memberships) this.#hood.groups.leave(membership)
  }

  /** What the session hears of a family: nothing, as long as there is no address to be the next hop. */
  #hearing(family: Family): Hearing {
    const { negotiated, local } = this
    const self = this.#hood.ownNextHop(local, family, hasIpv6NextHops(negotiated, family))
    if (self.address !== undefined) this.#unannounced.delete(family)
    else if (!this.#unannounced.has(family)) {
      this.#unannounced.add(family)
      this.#events.notAnnounced(family, local)
    }
    const policy = this.#hood.policies.of(this.#config.exportPolicy, 'export')
    const terms = { negotiated, local, peer: this.adjRibIn.peer.id }
    return hearingOf(this.#config, terms, family, self, policy, this.#hood)
  }
}
