/**
 * The RIB: what peers offer (Adj-RIBs-In), what is chosen (Loc-RIB), what is passed on (Adj-RIBs-Out), for
 * both families (RFC 4271 3.2).
 *
 * It does nothing by itself. The daemon feeds it UPDATEs and local prefixes, gives it slices of time with
 * `step`, and pulls messages out of update groups while sockets take them. Long work (dropping a session's
 * paths, looking again at all paths of a next hop that changed) is kept as jobs that walk the path rows, some
 * thousand at a step, so that nothing ever holds up the loop.
 */
import { FAMILIES, type FamilyFacts } from '../net/family.ts'
import { wordsOf } from '../net/address.ts'
import type { Prefix } from '../net/prefix.ts'
import type { Policy } from '../policy/policy.ts'
import { accept } from '../policy/standard.ts'
import type { OwnIdentity } from '../wire/scan.ts'
import { AdjRibIn } from './adj-rib-in.ts'
import type { AdjRibInEvents, AdjRibInOptions } from './adj-rib-in-terms.ts'
import { AttributeStore } from './attribute-store.ts'
import type { DecisionOptions } from './decision.ts'
import { FamilyRib } from './family-rib.ts'
import { agedSet } from './long-lived.ts'
import { NextHopTable } from './next-hop-table.ts'
import type { NextHopResolver } from './next-hop.ts'
import type { RibWatcher } from './watcher.ts'
import { LOCAL_PEER, RibPeer, RibPeers, type RibPeerOptions } from './peer.ts'
import { UpdateGroup, type Membership } from './update-group.ts'
import { isMultiPath, type UpdateGroupOptions } from './update-group-options.ts'

export interface RibOptions {
  readonly own: OwnIdentity
  readonly decision: DecisionOptions
  /** How our own prefixes appear as a peer. */
  readonly local: RibPeerOptions
}

export interface RibEvents {
  /** There is something for `step` to do, or for members to pull. */
  workArrived(): void
  /** A prefix was decided: the paths to forward by. */
  decided(family: FamilyFacts, prefix: number, paths: Int32Array, count: number): void
}

/** A walk over the rows of a table, some at a time. */
interface Job {
  at: number
  /** One more than the last row. */
  end(): number
  visit(row: number): void
  done(): void
}

type Groups = readonly [Set<UpdateGroup>, Set<UpdateGroup>]

/** Which prefixes a walk is about. */
export type Concerned = (rib: FamilyRib, prefix: number) => boolean

const JOB_SLICE = 1024

export class Rib {
  readonly nextHops: NextHopTable
  readonly attributes: AttributeStore
  readonly peers: RibPeers
  readonly families: readonly [FamilyRib, FamilyRib]
  readonly localPeer: RibPeer
  /** By family: those that tell best paths, and those that tell others too. */
  readonly #groups: Groups = [new Set(), new Set()]
  readonly #multiPathGroups: Groups = [new Set(), new Set()]
  readonly #jobs: Job[] = []
  readonly #events: RibEvents
  /** Index of the family that decided last. */
  #turn = 0
  /** The walk over the paths of next hops that have changed, until it begins, and these next hops. */
  #reconsidering: Job | undefined
  #changedNextHops = new Set<number>()
  /** The walk over the paths of sessions with other policies, until it begins. */
  #judging: { readonly sessions: Map<number, AdjRibIn>; readonly job: Job | undefined } | undefined

  constructor(options: RibOptions, resolver: NextHopResolver, events: RibEvents) {
    this.#events = events
    this.nextHops = new NextHopTable(resolver)
    this.attributes = new AttributeStore(options.own, this.nextHops)
    this.localPeer = new RibPeer(LOCAL_PEER, options.local, accept)
    this.peers = new RibPeers(this.localPeer)
    const outcomes = {
      bestChanged: (family: FamilyFacts, prefix: number) => {
        for (const group of this.#groups[family.index]) group.mark(prefix)
      },
      decided: (family: FamilyFacts, prefix: number, paths: Int32Array, count: number) => {
        const groups = this.#multiPathGroups[family.index]
        if (groups.size > 0) for (const group of groups) group.mark(prefix)
        events.decided(family, prefix, paths, count)
      },
    }
    const familyRib = (family: FamilyFacts): FamilyRib =>
      new FamilyRib(family, this.attributes, this.nextHops, this.peers, options.decision, outcomes)
    this.families = [familyRib(FAMILIES[0]), familyRib(FAMILIES[1])]
    this.nextHops.onChange((nextHop) => this.#reconsider(nextHop.id))
  }

  /** `watcher` hears of every change from now on; undefined: nobody does. */
  watch(watcher: RibWatcher | undefined): void {
    for (const rib of this.families) rib.watcher = watcher
  }

  /** A session is up: its side of the RIB. */
  addPeer(
    peer: RibPeerOptions,
    importPolicy: Policy,
    options: AdjRibInOptions,
    events: AdjRibInEvents,
  ): AdjRibIn {
    const added = this.peers.add(peer, importPolicy)
    return new AdjRibIn(added, this.families, this.attributes, options, events)
  }

  /** A session is up whose peer has paths of an earlier one, which stay until they are told again or swept. */
  resumePeer(
    peer: RibPeer,
    importPolicy: Policy,
    options: AdjRibInOptions,
    events: AdjRibInEvents,
  ): AdjRibIn {
    peer.resume(importPolicy)
    return new AdjRibIn(peer, this.families, this.attributes, options, events)
  }

  /**
   * The import policy or rules of a session have changed: what it has sent is judged anew, without asking it. All that
   * change before the walk begins share it.
   */
  judgeAgain(session: AdjRibIn): void {
    if (this.#judging !== undefined) {
      this.#judging.sessions.set(session.peer.id, session)
      return
    }
    const sessions = new Map([[session.peer.id, session]])
    for (const rib of this.families) {
      this.#walkPaths(rib, (path) => sessions.get(rib.paths.peer(path))?.judgeAgain(rib, path))
    }
    this.#judging = { sessions, job: this.#jobs[this.#jobs.length - FAMILIES.length] }
  }

  /** The peer tells its routes of a family anew: those it had are stale until they come again (RFC 7313). */
  refreshBegan({ peer }: Pick<AdjRibIn, 'peer'>, family: FamilyFacts): void {
    peer.beginRefresh(family.index)
  }

  /** It has told them all: what is stale goes, in slices. */
  refreshEnded({ peer }: Pick<AdjRibIn, 'peer'>, family: FamilyFacts): void {
    peer.longLived[family.index] = false
    const rib = this.families[family.index]
    const ended = peer.generation[family.index]
    this.#walkPaths(rib, (path) => {
      if (rib.paths.peer(path) !== peer.id) return
      // Another refresh may have begun before the walk is over, and is to spare what this one has renewed.
      const older = peer.refreshesSince(family.index, rib.paths.generation(path))
      if (older > peer.refreshesSince(family.index, ended)) rib.remove(peer, path)
    })
  }

  /**
   * What is stale of a family lives on as the last choice, marked for all that hear of it; what its origin
   * wants to be excepted goes (RFC 9494 section 4.2).
   */
  longLivedBegan(peer: RibPeer, family: FamilyFacts): void {
    const rib = this.families[family.index]
    peer.longLived[family.index] = true
    this.#walkPaths(rib, (path) => {
      if (rib.paths.peer(path) !== peer.id || !rib.isStale(peer, path)) return
      const aged = agedSet(rib.paths.received(path), rib.paths.accepted(path), this.attributes)
      if (aged === 'none') rib.remove(peer, path)
      else if (aged !== rib.paths.accepted(path)) {
        rib.judge(peer, path, aged, 'none')
        this.attributes.release(aged)
      }
    })
  }

  /** As `judgeAgain`, but only of prefixes that are concerned. */
  judgeAgainWhere(sessions: readonly AdjRibIn[], concerned: Concerned): void {
    const byPeer = new Map(sessions.map((session) => [session.peer.id, session]))
    for (const rib of this.families) {
      this.#walkPaths(rib, (path) => {
        const session = byPeer.get(rib.paths.peer(path))
        if (session !== undefined && concerned(rib, rib.paths.prefix(path))) {
          session.judgeAgain(rib, path)
        }
      })
    }
  }

  /** Groups of one family look again at prefixes that are concerned. */
  lookAgainWhere(groups: readonly UpdateGroup[], concerned: Concerned): void {
    for (const rib of this.families) {
      const its = groups.filter(({ family }) => family === rib.family)
      if (its.length === 0) continue
      this.#addJob({
        at: 1,
        end: () => rib.prefixes.end,
        visit: (prefix) => {
          if (!rib.prefixes.exists(prefix) || !concerned(rib, prefix)) return
          for (const group of its) group.mark(prefix)
        },
        done: () => undefined,
      })
    }
  }

  /** A session is over: nothing it offered counts from now on; its rows go in slices. */
  dropPeer(peer: RibPeer): void {
    peer.up = false
    let open = this.families.length
    for (const rib of this.families) {
      this.#walkPaths(
        rib,
        (path) => {
          if (rib.paths.peer(path) === peer.id) rib.remove(peer, path)
        },
        () => {
          if (--open === 0) this.peers.remove(peer)
        },
      )
    }
  }

  /** Somebody without a session, whose routes are put in with `announce`. */
  addSource(peer: RibPeerOptions): RibPeer {
    return this.peers.add(peer, accept)
  }

  /** Offers one of our own prefixes, or of another source, with the attribute set in canonical bytes. */
  announce(prefix: Prefix, attributes: Uint8Array, since: number, source = this.localPeer): void {
    const set = this.attributes.intern(attributes, 0, attributes.length)
    if (set === 0) throw new RangeError(`attributes of ${prefix.text} are not canonical`)
    const rib = this.#ribOf(prefix)
    rib.put(source, wordsOf(prefix.bytes), 0, prefix.length, set, set, 'none', since)
    this.attributes.release(set)
    this.#events.workArrived()
  }

  withdraw(prefix: Prefix): void {
    this.#ribOf(prefix).withdraw(this.localPeer, wordsOf(prefix.bytes), 0, prefix.length)
    this.#events.workArrived()
  }

  createGroup(family: FamilyFacts, options: UpdateGroupOptions): UpdateGroup {
    const rib = this.families[family.index]
    const group = new UpdateGroup(rib, this.attributes, this.peers, options, {
      workArrived: () => this.#events.workArrived(),
      abandoned: (remains) => {
        const backlog = remains.backlog
        this.#addJob({ at: 0, end: () => backlog, visit: () => remains.drop(), done: () => {} })
      },
    })
    const groups = isMultiPath(group.addPath) ? this.#multiPathGroups : this.#groups
    groups[family.index].add(group)
    return group
  }

  closeGroup(group: UpdateGroup): void {
    for (const groups of [this.#groups, this.#multiPathGroups]) {
      groups[group.family.index].delete(group)
    }
    const { prefixes } = this.families[group.family.index]
    this.#addJob({
      at: 1,
      end: () => prefixes.end,
      visit: (prefix) => group.forget(prefix),
      done: () => group.close(),
    })
  }

  /**
   * A session that was `old` goes on as `now`, in another group of the same family: there it loses what is
   * not told there. `done` may end the old membership, for which nobody may pull any more.
   */
  succeed(now: Membership, old: Membership, done: () => void): void {
    const { prefixes } = this.families[now.group.family.index]
    now.member.endOfRibSent = old.member.endOfRibSent
    now.member.refresh = old.member.refresh
    this.#addJob({
      at: 1,
      end: () => prefixes.end,
      visit: now.group.inherit(now.member, old.group),
      done: () => {
        now.group.inheritUnread(now.member, old.group, old.member)
        done()
      },
    })
  }

  /** Asks for a new decision about every prefix: the configuration of the decision's outcome changed. */
  reconsiderAll(): void {
    for (const rib of this.families) {
      this.#walkPaths(rib, (path) => rib.mark(rib.paths.prefix(path)))
    }
  }

  /** Asks for a new decision about every prefix inside `within`. */
  reconsiderWithin(within: Prefix): void {
    const rib = this.#ribOf(within)
    const words = wordsOf(within.bytes)
    this.#walkPaths(rib, (path) => {
      const prefix = rib.paths.prefix(path)
      if (rib.prefixes.isWithin(prefix, words, within.length)) rib.mark(prefix)
    })
  }

  /** Of the tables. */
  get bytes(): number {
    const tables = this.families.map(({ prefixes, paths }) => prefixes.bytes + paths.bytes)
    return this.attributes.bytes + tables[0] + tables[1]
  }

  get busy(): boolean {
    return this.#jobs.length > 0 || this.families.some((rib) => rib.waiting > 0)
  }

  /**
   * Works until nothing is left or `now()` reaches `deadline` (milliseconds). Walks and decisions take turns:
   * the walk over a million paths of a lost peer shall not hold up what everybody else has to say.
   */
  step(now: () => number, deadline: number): void {
    while (this.busy) {
      this.#stepJob()
      // A family that always has something to decide must not starve the other.
      this.#turn ^= 1
      this.families[this.#turn].decide(now, deadline)
      if (now() >= deadline) return
    }
  }

  #stepJob(): void {
    const job = this.#jobs[0]
    if (job === undefined) return
    if (job === this.#reconsidering) this.#reconsidering = undefined
    if (job === this.#judging?.job) this.#judging = undefined
    const end = Math.min(job.at + JOB_SLICE, job.end())
    for (; job.at < end; job.at++) job.visit(job.at)
    if (job.at < job.end()) return
    this.#jobs.shift()
    job.done()
  }

  /** Visits every live path of a family. */
  #walkPaths({ paths }: FamilyRib, visit: (path: number) => void, done = () => {}): void {
    this.#addJob({
      at: 1,
      end: () => paths.end,
      visit: (path) => {
        if (paths.exists(path)) visit(path)
      },
      done,
    })
  }

  #addJob(job: Job): void {
    this.#jobs.push(job)
    this.#events.workArrived()
  }

  /** The next hop is reachable again, or no longer, or at another cost: so are the paths that use it. */
  #reconsider(nextHop: number): void {
    // All that change before the walk begins share it: when a link goes, many do at once.
    if (this.#reconsidering !== undefined) {
      this.#changedNextHops.add(nextHop)
      return
    }
    const changed = new Set([nextHop])
    this.#changedNextHops = changed
    for (const rib of this.families) {
      this.#walkPaths(rib, (path) => {
        const set = rib.paths.accepted(path)
        if (set !== 0 && changed.has(this.attributes.nextHop(set))) {
          rib.mark(rib.paths.prefix(path))
        }
      })
    }
    this.#reconsidering = this.#jobs[this.#jobs.length - FAMILIES.length]
  }

  #ribOf(prefix: Prefix): FamilyRib {
    return this.families[prefix.family === 'ipv4' ? 0 : 1]
  }
}
