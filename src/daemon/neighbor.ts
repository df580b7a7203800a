/**
 * A configured neighbour: introduces its session (`session/peer`) to the RIB, which don't know each other.
 *
 * While the session is up it has an Adj-RIB-In, and a place in an update group for each family. UPDATEs go
 * in as they are read; messages go out when the announcing stage asks (`announce`) and the socket takes
 * them: a slow socket leaves its messages where they are.
 */
import { isDeepStrictEqual } from 'node:util'
import type { ResolvedPeer } from '../config/config.ts'
import { isLinkLocal, type Address } from '../net/address.ts'
import { FAMILIES, type Family, type FamilyFacts } from '../net/family.ts'
import type { Policy } from '../policy/policy.ts'
import type { AdjRibIn } from '../rib/adj-rib-in.ts'
import type { MalformedUpdate } from '../rib/adj-rib-in-terms.ts'
import { MOST_PATHS_OF_PEER } from '../rib/family-rib.ts'
import type { Membership } from '../rib/update-group.ts'
import { SUPERSEDED } from '../session/cause.ts'
import { STATES, type State } from '../session/fsm.ts'
import type { Negotiated } from '../session/negotiation.ts'
import { Peer } from '../session/peer.ts'
import type { LastError } from '../session/last-error.ts'
import type { Cease } from '../session/peer-options.ts'
import type { PeerSnapshot } from '../session/snapshot.ts'
import { SessionError } from '../wire/errors.ts'
import { ADMINISTRATIVE_RESET, OTHER_CONFIGURATION_CHANGE } from '../wire/constants.ts'
import type { Level } from './events.ts'
import { hasIpv6NextHops, hearingOf, notAnnounced } from './hearing.ts'
import { Refreshes } from './refreshes.ts'
import { describeMalformed, describeUnreadable } from './malformed-update.ts'
import type { Neighborhood } from './neighborhood.ts'
import type { Session } from './neighbor-session.ts'
import { adjRibInOptions, peerOptions, ribPeerOptions } from './peer-options.ts'
import { importRules, isWithin } from './path-settings.ts'
import { PrefixLimits } from './prefix-limits.ts'
import { Silence } from './silence.ts'
import { Standing } from './standing.ts'
import type { Hearing } from './update-groups.ts'

const UNSEARCHED: Cease = { subcode: ADMINISTRATIVE_RESET, text: 'not searched for yet' }

/** Asked of a group at a time: some ten milliseconds of a gigabit link. */
const PULL_BYTES = 256 << 10

const FAILURES_OUT_OF_REACH = 2
const MALFORMED_SILENCE_MS = 60_000
const SAME_CAUSE_SILENCE_MS = 600_000

export class Neighbor {
  #config: ResolvedPeer
  readonly #hood: Neighborhood
  readonly #peer: Peer
  readonly standing: Standing
  /** By family index. */
  readonly limits: readonly PrefixLimits[]
  #session: Session | undefined
  #malformed = 0
  /** A peer that does it once does it with every UPDATE: the log hears once a minute. */
  readonly #ofUpdates: Silence
  /** Attempts go on for as long as a peer is away: the log hears of a cause once, and again after a while. */
  readonly #ofAttempts: Silence

  constructor(config: ResolvedPeer, hood: Neighborhood) {
    this.#config = config
    this.#hood = hood
    this.#ofUpdates = new Silence(hood.clock, MALFORMED_SILENCE_MS)
    this.#ofAttempts = new Silence(hood.clock, SAME_CAUSE_SILENCE_MS)
    const limited = {
      clock: hood.clock,
      tell: (level: Level, kind: string, text: string) => this.#tell(level, kind, text),
      holdDown: (cease: Cease, seconds: number | undefined) => this.#holdDown(cease, seconds),
      askAgain: ({ name }: FamilyFacts) => this.#peer.sendRouteRefresh(name),
    }
    this.limits = FAMILIES.map((it) => new PrefixLimits(it, config.maxPrefixes, limited))
    this.#peer = new Peer(
      peerOptions(config, hood.routerId),
      { transport: hood.transport, clock: hood.clock, random: Math.random },
      {
        stateChanged: (from, to, cause) => this.#stateChanged(from, to, cause),
        established: (negotiated) => this.#established(negotiated),
        update: (buffer, start, end) => this.#update(buffer, start, end),
        routeRefreshReceived: (family) => this.sendAgain(family),
        refreshBegan: (family) => this.#session?.refreshes.begin(family),
        refreshEnded: (family) => this.#session?.refreshes.end(family),
        sessionEnded: (cause, ending) => this.#ended(cause, ending),
        writable: () => this.#writable(),
        chunkDone: () => hood.scheduler.readingEnds(this.#peer),
      },
    )
    this.standing = new Standing(this.#peer, hood.clock)
    if (config.interface !== undefined) this.standing.lost(UNSEARCHED)
  }

  get config(): ResolvedPeer {
    return this.#config
  }

  get peer(): Peer {
    return this.#peer
  }

  get session(): Omit<Session, 'writable'> | undefined {
    return this.#session
  }

  /** It has told all of its routes (RFC 4724 section 2). */
  get saidAll(): boolean {
    const session = this.#session
    return session !== undefined && session.endOfRib.size >= session.negotiated.families.length
  }

  /** Held down, or called more than once in vain: nobody shall wait for its routes. */
  get outOfReach(): boolean {
    if (this.#session !== undefined) return false
    const { isHeldDown, isMissing } = this.standing
    return isHeldDown || isMissing || this.#peer.snapshot().failures >= FAILURES_OUT_OF_REACH
  }

  /** UPDATEs that were malformed and cost less than the session. */
  get malformed(): number {
    return this.#malformed
  }

  snapshot(): PeerSnapshot {
    const reason = this.standing.words
    const snapshot = this.#peer.snapshot()
    return reason === undefined ? snapshot : { ...snapshot, reason }
  }

  /** Messages, flaps and what is counted beside them count from zero again. */
  clearCounters(): void {
    this.#peer.clearCounters()
    this.#malformed = 0
    for (const limit of this.limits) limit.clear()
  }

  /** Undefined while nobody has been found on the link. */
  get address(): Address | undefined {
    return this.standing.isMissing ? undefined : this.#config.address
  }

  get busy(): boolean {
    return this.#session !== undefined
  }

  found(address: Address): void {
    this.#config = { ...this.#config, address }
    this.#peer.stop({ subcode: OTHER_CONFIGURATION_CHANGE, text: `now at ${address.text}` })
    this.#peer.moveTo({ address, port: this.#config.port })
    this.#tell('info', 'NeighborFound', `${address.text} is the neighbour`)
    this.standing.found()
    this.#hood.moved()
  }

  lost(why: string): void {
    this.#tell('debug', 'NeighborLost', why)
    this.standing.lost({ subcode: ADMINISTRATIVE_RESET, text: why })
  }

  /** Prefixes told to the peer, per family. */
  announced(family: Family): number {
    const membership = this.membership(family)
    return membership === undefined ? 0 : membership.group.announced(membership.member)
  }

  membership(family: Family): Membership | undefined {
    return this.#session?.memberships.find(({ group }) => group.family.name === family)
  }

  /** True when messages could be sent now. */
  get sendable(): boolean {
    const session = this.#session
    return (
      session !== undefined &&
      session.writable &&
      session.memberships.some(({ group, member }) => group.hasWork(member))
    )
  }

  /** Sends what the socket takes, until `deadline`. */
  announce(deadline: number): void {
    const session = this.#session
    if (session === undefined) return
    for (const { group, member } of session.memberships) {
      while (session.writable && group.hasWork(member)) {
        const parts: Uint8Array[] = []
        group.pull(member, PULL_BYTES, parts)
        if (parts.length > 0) session.writable = this.#peer.send(parts)
        if (this.#hood.clock.now() >= deadline) return
      }
    }
  }

  /** Tells the peer everything once more (RFC 2918, or because the operator asked). */
  sendAgain(family: Family): void {
    const session = this.#session
    const at = session?.memberships.findIndex(({ group }) => group.family.name === family) ?? -1
    if (session === undefined || at < 0) return
    const { group, member } = session.memberships[at]
    group.tellAgain(member, session.negotiated.enhancedRouteRefresh)
    this.#hood.scheduler.wake()
  }

  /**
   * Takes over settings that don't need another session (config/change.ts); of its policies `renewed` have
   * other rules from now on.
   */
  reconfigure(config: ResolvedPeer, renewed: ReadonlySet<Policy>): void {
    const limit = config.maxPrefixes
    const otherLimit = !isDeepStrictEqual(limit, this.#config.maxPrefixes)
    // Where an unnumbered peer is stands in no file.
    const { address } = config.interface === undefined ? config : this.#config
    this.#config = { ...config, address }
    if (otherLimit) {
      this.standing.release()
      for (const it of this.limits) it.change(limit)
    }
    this.#peer.reconfigure(peerOptions(config, this.#hood.routerId))
    const session = this.#session
    if (session === undefined) return
    const { peer } = session.adjRibIn
    const importPolicy = this.#hood.policies.of(config.importPolicy, 'import')
    const otherRules = peer.renewRules(importRules(config, this.#hood.own))
    if (otherRules || importPolicy !== peer.importPolicy || renewed.has(importPolicy)) {
      peer.importPolicy = importPolicy
      this.#hood.rib.judgeAgain(session.adjRibIn)
    }
    this.#joinGroups(session)
    this.#hood.scheduler.wake()
  }

  /** What the session hears may be another: our addresses have changed, or the host is (un)drained. */
  regroup(): void {
    if (this.#session === undefined) return
    this.#joinGroups(this.#session)
    this.#hood.scheduler.wake()
  }

  #established(negotiated: Negotiated): void {
    const { rib, routerId, policies, linkName } = this.#hood
    const config = this.#config
    const local = this.#peer.snapshot().connection?.local?.address
    if (local === undefined) return // lost in this very moment
    const adjRibIn = rib.addPeer(
      ribPeerOptions(config, negotiated, linkName(local)),
      policies.of(config.importPolicy, 'import'),
      adjRibInOptions(negotiated, isWithin(config, this.#hood.own), this.#linkOf(local), routerId),
      {
        malformedReceived: (update) => this.#malformedReceived(update),
        endOfRibReceived: (family) => this.#endOfRib(family),
        pathsRefused: (count) => this.#pathsRefused(count),
        pathsBeyondLimit: ({ index }, count) => this.limits[index].leftOut(count),
      },
    )
    for (const limit of this.limits) limit.begin(adjRibIn.peer)
    adjRibIn.peer.rules = importRules(config, this.#hood.own)
    const session: Session = {
      adjRibIn,
      negotiated,
      local,
      memberships: [],
      unannounced: new Set(),
      endOfRib: new Set(),
      refreshes: new Refreshes(this.#hood.clock, {
        began: (family) => rib.refreshBegan(adjRibIn, family),
        ended: (family, overdue) => this.#refreshEnded(adjRibIn, family, overdue),
      }),
      writable: true,
    }
    this.#session = session
    this.#ofAttempts.end()
    this.#joinGroups(session)
    const families = negotiated.families.join(', ')
    const text = `session with AS ${negotiated.peerAsn} is up (${families}; hold time ${negotiated.holdTimeSeconds} s)`
    this.#tell('info', 'SessionEstablished', text)
    this.#hood.monitors.watcher?.sessionBegan(this)
    this.#hood.changed()
    this.#hood.scheduler.wake()
  }

  #linkOf(local: Address): number {
    return isLinkLocal(local) ? this.#hood.ownNextHop(local, 'ipv6', false).link : 0
  }

  /** Joins the update groups that fit, or moves to them. */
  #joinGroups(session: Session): void {
    const { groups } = this.#hood
    const { negotiated, adjRibIn, memberships } = session
    const before = memberships.splice(0)
    for (const family of negotiated.families) {
      const old = before.find(({ group }) => group.family.name === family)
      const hearing = this.#hearing(session, family)
      if (old === undefined) memberships.push(groups.join(adjRibIn.peer, hearing))
      else memberships.push(groups.move(old, hearing))
    }
  }

  /** What the session hears of a family: nothing, as long as there is no address to be the next hop. */
  #hearing(session: Session, family: Family): Hearing {
    const { negotiated, local } = session
    const self = this.#hood.ownNextHop(local, family, hasIpv6NextHops(negotiated, family))
    if (self.address !== undefined) session.unannounced.delete(family)
    else if (!session.unannounced.has(family)) {
      session.unannounced.add(family)
      // Worth a warning only to those who have something to announce.
      const level = this.#hood.hasOwn(family) ? 'warn' : 'debug'
      this.#tell(level, 'FamilyNotAnnounced', notAnnounced(family, local))
    }
    const policy = this.#hood.policies.of(this.#config.exportPolicy, 'export')
    return hearingOf(this.#config, session, family, self, policy, this.#hood)
  }

  #update(buffer: Uint8Array, start: number, end: number): void {
    const { scheduler, clock, monitors } = this.#hood
    scheduler.readingBegins()
    monitors.watcher?.update(this, buffer, start, end)
    try {
      this.#session?.adjRibIn.receive(buffer, start, end, Math.floor(clock.wallNow() / 1000))
    } catch (error) {
      if (error instanceof SessionError) this.#unreadable(error, buffer.subarray(start, end))
      throw error
    }
    for (const limit of this.limits) limit.look()
  }

  #holdDown(cease: Cease, seconds: number | undefined): void {
    this.standing.holdDown(cease, seconds)
    this.#hood.changed()
  }

  #writable(): void {
    if (this.#session !== undefined) this.#session.writable = true
    this.#hood.scheduler.wake()
  }

  #ended(cause: string, ending: LastError | undefined): void {
    const session = this.#session
    if (session === undefined) return
    this.#hood.monitors.watcher?.sessionEnded(this, ending)
    this.#session = undefined
    this.#hood.scheduler.forget(this.#peer)
    session.refreshes.close()
    for (const limit of this.limits) limit.end()
    for (const membership of session.memberships) this.#hood.groups.leave(membership)
    this.#hood.rib.dropPeer(session.adjRibIn.peer)
    this.#tell('warn', 'SessionEnded', `session is down: ${cause}`)
    this.#hood.changed()
  }

  #stateChanged(from: State, to: State, cause: string): void {
    this.#hood.monitors.watcher?.stateChanged(this, from, to)
    if (to === 'Established' || from === 'Established') return
    this.#tell('debug', 'StateChanged', `${from} -> ${to}: ${cause}`)
    // Of two connections that met (RFC 4271 6.8) one ends: as long as the other talks, nothing has failed.
    const talks = to === 'OpenSent' || to === 'OpenConfirm' || cause === SUPERSEDED
    const failed = STATES.indexOf(to) < STATES.indexOf(from) && !talks
    if (failed && this.#peer.snapshot().started) this.#attemptFailed(cause)
  }

  #attemptFailed(cause: string): void {
    if (this.outOfReach) this.#hood.changed()
    if (this.#ofAttempts.endsFor(cause)) this.#tell('warn', 'AttemptFailed', cause)
  }

  #malformedReceived(update: MalformedUpdate): void {
    this.#malformed++
    if (!this.#ofUpdates.endsFor('malformed')) return
    this.#tell('warn', 'MalformedUpdateReceived', describeMalformed(update))
  }

  /** An UPDATE that ends the session. */
  #unreadable(error: SessionError, body: Uint8Array): void {
    if (!this.#ofUpdates.endsFor('malformed')) return
    this.#tell('warn', 'MalformedUpdateReceived', describeUnreadable(error, body))
  }

  #pathsRefused(count: number): void {
    if (!this.#ofUpdates.endsFor('refused')) return
    const text = `left out ${count} of its paths: no more than ${MOST_PATHS_OF_PEER} to one prefix are kept`
    this.#tell('warn', 'PathsRefused', text)
  }

  #refreshEnded(adjRibIn: AdjRibIn, family: FamilyFacts, overdue: boolean): void {
    this.#hood.rib.refreshEnded(adjRibIn, family)
    if (overdue) {
      const text = `never ended the refresh of its ${family.name} routes: what did not come again is dropped`
      this.#tell('warn', 'RefreshOverdue', text)
    } else this.#tell('debug', 'RefreshReceived', `has told its ${family.name} routes again`)
  }

  #endOfRib(family: Family): void {
    this.#session?.endOfRib.add(family)
    this.#hood.monitors.watcher?.endOfRib(this, family)
    this.#tell('debug', 'EndOfRibReceived', `has told all of its ${family} routes`)
    this.#hood.changed()
  }

  #tell(level: Level, kind: string, text: string): void {
    this.#hood.events.tell({ level, topic: 'peers', kind, peer: this.#config.name, text })
  }
}
