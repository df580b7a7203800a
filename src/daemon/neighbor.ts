/**
 * A configured neighbour: introduces the protocol's side of it (`session/peer`) to the RIB, which don't know
 * each other, and says in words what happens. Whether or not a session is up it stands, counts and waits;
 * what lives no longer than a session is in `neighbor-session.ts`.
 */
import { isDeepStrictEqual } from 'node:util'
import type { ResolvedPeer } from '../config/config.ts'
import type { Address } from '../net/address.ts'
import { FAMILIES, type Family, type FamilyFacts } from '../net/family.ts'
import type { Policy } from '../policy/policy.ts'
import type { MalformedUpdate } from '../rib/adj-rib-in-terms.ts'
import { MOST_PATHS_OF_PEER } from '../rib/family-rib.ts'
import type { RibPeer } from '../rib/peer.ts'
import type { Membership } from '../rib/update-group.ts'
import { SUPERSEDED, SUPERSEDED_THERE } from '../session/cause.ts'
import { STATES, type State } from '../session/fsm.ts'
import type { Negotiated } from '../session/negotiation.ts'
import { Peer } from '../session/peer.ts'
import type { LastError } from '../session/last-error.ts'
import type { Cease } from '../session/peer-options.ts'
import type { PeerSnapshot } from '../session/snapshot.ts'
import { SessionError } from '../wire/errors.ts'
import { ADMINISTRATIVE_RESET, BFD_DOWN, OTHER_CONFIGURATION_CHANGE } from '../wire/constants.ts'
import type { Level } from './events.ts'
import { notAnnounced } from './hearing.ts'
import { describeMalformed, describeUnreadable } from './malformed-update.ts'
import type { Neighborhood } from './neighborhood.ts'
import { NeighborSession, type Outlet } from './neighbor-session.ts'
import { OutboundLimits } from './outbound-limits.ts'
import { STRICTLY, type PathFailure } from './path-failure.ts'
import { peerOptions } from './peer-options.ts'
import { PrefixLimits } from './prefix-limits.ts'
import { Retention } from './retention.ts'
import { Silence } from './silence.ts'
import { Standing } from './standing.ts'

const UNSEARCHED: Cease = { subcode: ADMINISTRATIVE_RESET, text: 'not searched for yet' }

const FAILURES_OUT_OF_REACH = 2
const MALFORMED_SILENCE_MS = 60_000
const SAME_CAUSE_SILENCE_MS = 600_000

export class Neighbor {
  #config: ResolvedPeer
  readonly #hood: Neighborhood
  readonly #peer: Peer
  readonly standing: Standing
  /** Its paths that have outlived a session. */
  readonly retention: Retention
  /** By family index. */
  readonly limits: readonly PrefixLimits[]
  readonly outboundLimits: readonly OutboundLimits[]
  readonly #outlet: Outlet
  #session: NeighborSession | undefined
  #pathFailure: PathFailure | undefined
  #malformed = 0
  /** A peer that does it once does it with every UPDATE: the log hears once a minute. */
  readonly #ofUpdates: Silence
  /** Attempts go on for as long as a peer is away: the log hears of a cause once, and again after a while. */
  readonly #ofAttempts: Silence
  /** The peer has kept another connection, and no session has come of it yet. */
  #outdone = false

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
      takesNoMore: () => hood.takesNoMore(),
    }
    this.limits = FAMILIES.map((it) => new PrefixLimits(it, config.maxPrefixes, limited))
    this.outboundLimits = FAMILIES.map(
      (it) => new OutboundLimits(it, config.maxPrefixesOut, limited),
    )
    this.#outlet = {
      mayTell: (it) => this.outboundLimits[it.group.family.index].allows(it),
      send: (parts) => this.#peer.send(parts),
    }
    this.#peer = new Peer(
      peerOptions(config, hood),
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
    this.retention = new Retention({
      rib: hood.rib,
      clock: hood.clock,
      pathsLost: (peer) => hood.pathsLost(peer),
      tell: (level, kind, text) => this.#tell(level, kind, text),
    })
    this.standing = new Standing(this.#peer, hood.clock, () => this.retention.drop())
    if (config.interface !== undefined) this.standing.lost(UNSEARCHED)
    if (config.bfd?.strict === true) this.standing.pathLost(STRICTLY)
  }

  get config(): ResolvedPeer {
    return this.#config
  }

  get peer(): Peer {
    return this.#peer
  }

  get session(): NeighborSession | undefined {
    return this.#session
  }

  /** How BFD has ended the last session; undefined when something else did, or it is up. */
  get pathFailure(): PathFailure | undefined {
    return this.#pathFailure
  }

  /** The path is broken, or not watched any more though it must be: the session ends, for so long at least. */
  pathFailed(failure: PathFailure, cause: string, holdSeconds: number): void {
    // What it has left behind of an earlier session is no longer forwarded to where it leads.
    if (failure.controlPlaneIndependent) this.retention.drop()
    if (this.#session === undefined) return
    const cease = { subcode: BFD_DOWN, cause }
    this.#pathFailure = failure
    if (holdSeconds > 0) this.#holdDown(cease, holdSeconds)
    else this.#peer.reset(cease)
  }

  /** Whose its paths are in the RIB, also when they have outlived their session. */
  get ribPeer(): RibPeer | undefined {
    return this.#session?.adjRibIn.peer ?? this.retention.peer
  }

  /** It has told all of its routes (RFC 4724 section 2). */
  get saidAll(): boolean {
    return this.#session?.saidAll === true
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

  /** Prefixes that it is still to hear of, or to hear of again. */
  queued(family: Family): number {
    const membership = this.membership(family)
    return membership === undefined ? 0 : membership.group.queued(membership.member)
  }

  /** Prefixes not told for `maxPrefixesOut`. */
  withheld(family: Family): number {
    return this.membership(family)?.group.withheld ?? 0
  }

  membership(family: Family): Membership | undefined {
    return this.#session?.membership(family)
  }

  /** True when messages could be sent now. */
  get sendable(): boolean {
    const session = this.#session
    return session !== undefined && session.writable && session.hasWork
  }

  /** Sends what the socket takes, until `deadline`. */
  announce(deadline: number): void {
    this.#session?.announce(deadline, this.#outlet)
  }

  /** Tells the peer everything once more (RFC 2918, or because the operator asked). */
  sendAgain(family: Family): void {
    this.#session?.sendAgain(family)
  }

  /**
   * Takes over settings that don't need another session (config/change.ts); of its policies `renewed` have
   * other rules from now on.
   */
  reconfigure(config: ResolvedPeer, renewed: ReadonlySet<Policy>): void {
    const limit = config.maxPrefixes
    const outbound = config.maxPrefixesOut
    const otherLimit = !isDeepStrictEqual(limit, this.#config.maxPrefixes)
    const otherOutbound = !isDeepStrictEqual(outbound, this.#config.maxPrefixesOut)
    // Where an unnumbered peer is stands in no file.
    const { address } = config.interface === undefined ? config : this.#config
    this.#config = { ...config, address }
    if (otherLimit || otherOutbound) this.standing.release()
    if (otherLimit) for (const it of this.limits) it.change(limit)
    if (otherOutbound) for (const it of this.outboundLimits) it.change(outbound)
    this.#peer.reconfigure(peerOptions(config, this.#hood))
    this.#session?.reconfigure(this.#config, renewed)
    if (!otherOutbound) return
    for (const { name } of FAMILIES) {
      const membership = this.membership(name)
      if (membership !== undefined) this.#outlet.mayTell(membership)
    }
  }

  /** What the session hears may be another: our addresses have changed, or the host is (un)drained. */
  regroup(): void {
    this.#session?.joinGroups()
  }

  #established(negotiated: Negotiated): void {
    const local = this.#peer.snapshot().connection?.local?.address
    if (local === undefined) return // lost in this very moment
    const terms = { negotiated, local, retention: this.retention }
    const session = new NeighborSession(this.#config, terms, this.#hood, {
      malformedReceived: (update) => this.#malformedReceived(update),
      endOfRibReceived: (family) => this.#endOfRib(family),
      pathsRefused: (count) => this.#pathsRefused(count),
      pathsBeyondLimit: ({ index }, count) => this.limits[index].leftOut(count),
      refreshEnded: (family, overdue) => this.#refreshEnded(family, overdue),
      notAnnounced: (family) => this.#notAnnounced(family, local),
    })
    for (const limit of this.limits) limit.begin(session.adjRibIn.peer)
    for (const limit of this.outboundLimits) limit.begin()
    this.#session = session
    this.#pathFailure = undefined
    this.#ofAttempts.end()
    this.#outdone = false
    session.joinGroups()
    const families = negotiated.families.join(', ')
    const text = `session with AS ${negotiated.peerAsn} is up (${families}; hold time ${negotiated.holdTimeSeconds} s)`
    this.#tell('info', 'SessionEstablished', text)
    this.#hood.monitors.watcher?.sessionBegan(this)
    this.#hood.changed()
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
    const { adjRibIn, negotiated } = session
    this.#hood.monitors.watcher?.sessionEnded(this, ending)
    this.#session = undefined
    this.retention.sessionEnded(adjRibIn.peer, ending, negotiated.gracefulRestart)
    this.#hood.scheduler.forget(this.#peer)
    for (const limit of this.limits) limit.end()
    session.end()
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
    if (cause === SUPERSEDED_THERE && !this.#outdone) {
      this.#outdone = true
      return
    }
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

  #refreshEnded(family: FamilyFacts, overdue: boolean): void {
    if (overdue) {
      const text = `never ended the refresh of its ${family.name} routes: what did not come again is dropped`
      this.#tell('warn', 'RefreshOverdue', text)
    } else this.#tell('debug', 'RefreshReceived', `has told its ${family.name} routes again`)
  }

  #endOfRib(family: Family): void {
    this.#hood.monitors.watcher?.endOfRib(this, family)
    this.#tell('debug', 'EndOfRibReceived', `has told all of its ${family} routes`)
    this.retention.endOfRib(family)
    this.#hood.changed()
  }

  #notAnnounced(family: Family, local: Address): void {
    // Worth a warning only to those who have something to announce.
    const level = this.#hood.hasOwn(family) ? 'warn' : 'debug'
    this.#tell(level, 'FamilyNotAnnounced', notAnnounced(family, local))
  }

  #tell(level: Level, kind: string, text: string): void {
    this.#hood.events.tell({ level, topic: 'peers', kind, peer: this.#config.name, text })
  }
}
