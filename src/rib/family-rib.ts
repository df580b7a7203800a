/**
 * The tables of one address family, and the steps that change them: put a path, take it out, decide.
 *
 * Changes only mark the prefix; `decide` works off the marks in slices, so ten peers that announce the same
 * prefix in a burst cost one decision. The outcome goes to `Outcomes`: which prefixes have another best
 * path (update groups listen), and by which next hops each is forwarded (the FIB listens).
 */
import type { FamilyFacts } from '../net/family.ts'
import { IntQueue } from '../net/int-queue.ts'
import type { AttributeStore } from './attribute-store.ts'
import { Decision, type DecisionOptions } from './decision.ts'
import type { NextHopTable } from './next-hop-table.ts'
import { Paths, type Rejection } from './paths.ts'
import type { RibPeer, RibPeers } from './peer.ts'
import { PrefixTable } from './prefix-table.ts'
import type { RibWatcher } from './watcher.ts'

export interface Outcomes {
  /** The best path of `prefix`, or its attributes, changed. */
  bestChanged(family: FamilyFacts, prefix: number): void
  /** Decided again: the paths that forward, best first not guaranteed; none = unreachable. */
  decided(family: FamilyFacts, prefix: number, paths: Int32Array, count: number): void
}

/**
 * Paths to one prefix that a single peer may offer (RFC 7911): they are chained, and a peer that sends a
 * million of them for one prefix shall not hold everybody up.
 */
export const MOST_PATHS_OF_PEER = 1024

/** Prefixes decided between two looks at the clock. */
const SLICE = 64

export class FamilyRib {
  readonly family: FamilyFacts
  readonly prefixes: PrefixTable
  readonly paths = new Paths()
  readonly decision: Decision
  watcher: RibWatcher | undefined
  readonly #attributes: AttributeStore
  readonly #outcomes: Outcomes
  readonly #waiting = new IntQueue()
  #reachable = 0

  constructor(
    family: FamilyFacts,
    attributes: AttributeStore,
    nextHops: NextHopTable,
    peers: RibPeers,
    options: DecisionOptions,
    outcomes: Outcomes,
  ) {
    this.family = family
    this.prefixes = new PrefixTable(family)
    this.#attributes = attributes
    this.#outcomes = outcomes
    this.decision = new Decision(attributes, nextHops, this.paths, peers, options)
  }

  /** Prefixes with a best path: the size of the Loc-RIB. */
  get reachable(): number {
    return this.#reachable
  }

  /** Prefixes that wait for a decision. */
  get waiting(): number {
    return this.#waiting.length
  }

  /**
   * Stores what `peer` offers for a prefix; replaces its earlier offer (RFC 4271 9.1.4), or the one with the
   * same path identifier (RFC 7911 section 5). `accepted` is 0 when import policy or loop detection rejects
   * it. The path takes its own references on the sets. False when the peer offers too many.
   */
  put(
    peer: RibPeer,
    words: Int32Array,
    at: number,
    length: number,
    received: number,
    accepted: number,
    rejection: Rejection,
    since: number,
    pathId = 0,
  ): boolean {
    const prefixes = this.prefixes
    const paths = this.paths
    const prefix = prefixes.intern(words, at, length)
    const first = prefixes.paths(prefix)
    let path = paths.find(first, peer.id, pathId)
    let judged = accepted !== 0
    const added = path === 0
    if (added) {
      if (paths.passed >= MOST_PATHS_OF_PEER) return false
      path = paths.add(prefix, peer.id, pathId, first)
      prefixes.setPaths(prefix, path)
      prefixes.retain(prefix)
      peer.paths[this.family.index]++
    }
    const generation = peer.generation[this.family.index]
    const renewed = paths.generation(path) !== generation
    if (renewed) paths.setGeneration(path, generation)
    if (!added) {
      const before = paths.accepted(path)
      if (renewed) peer.stale[this.family.index]--
      if (paths.received(path) === received && before === accepted) {
        peer.counters.duplicates++
        // Who watches has dropped all with the earlier session.
        if (renewed && peer.resumed) {
          this.watcher?.pathChanged(this.family, peer, prefix, pathId, judged)
        }
        return true
      }
      this.#releaseSets(path)
      if (before !== 0) {
        peer.accepted[this.family.index]--
        judged = true
      }
    }
    this.#attributes.retain(received)
    if (accepted !== 0) {
      this.#attributes.retain(accepted)
      peer.accepted[this.family.index]++
    } else peer.counters[rejection]++
    paths.put(path, received, accepted, rejection, since)
    this.mark(prefix)
    this.watcher?.pathChanged(this.family, peer, prefix, pathId, judged)
    return true
  }

  /** Forgets what `peer` offers for a prefix; nothing happens when it offers nothing. */
  withdraw(peer: RibPeer, words: Int32Array, at: number, length: number, pathId = 0): void {
    const path = this.find(peer, words, at, length, pathId)
    if (path === 0) peer.counters.strayWithdrawals++
    else this.remove(peer, path)
  }

  /** The path that `peer` offers for a prefix, under this identifier, or 0. */
  find(peer: RibPeer, words: Int32Array, at: number, length: number, pathId = 0): number {
    const prefix = this.prefixes.find(words, at, length)
    return prefix === 0 ? 0 : this.paths.find(this.prefixes.paths(prefix), peer.id, pathId)
  }

  /** Takes one path out and frees what it held. */
  remove(peer: RibPeer, path: number): void {
    const prefixes = this.prefixes
    const paths = this.paths
    const prefix = paths.prefix(path)
    const next = paths.next(path)
    let before = prefixes.paths(prefix)
    if (before === path) prefixes.setPaths(prefix, next)
    else {
      while (paths.next(before) !== path) before = paths.next(before)
      paths.setNext(before, next)
    }
    peer.paths[this.family.index]--
    if (this.isStale(peer, path)) peer.stale[this.family.index]--
    const pathId = paths.id(path)
    const judged = paths.accepted(path) !== 0
    if (judged) peer.accepted[this.family.index]--
    this.#releaseSets(path)
    paths.free(path)
    // Until the decision is made nobody may read the freed row as the best one.
    if (prefixes.best(prefix) === path) {
      prefixes.setBest(prefix, 0)
      this.#reachable--
    }
    this.mark(prefix)
    this.watcher?.pathChanged(this.family, peer, prefix, pathId, judged)
    prefixes.release(prefix)
  }

  /** The peer has not told it since its last refresh, or its last session, began. */
  isStale(peer: RibPeer, path: number): boolean {
    return this.paths.generation(path) !== peer.generation[this.family.index]
  }

  /** Another verdict about a path that is there: policy has changed. `accepted` is 0 for a rejection. */
  judge(peer: RibPeer, path: number, accepted: number, rejection: Rejection): void {
    const paths = this.paths
    const before = paths.accepted(path)
    if (accepted === before && rejection === paths.rejection(path)) return
    if (accepted !== 0) {
      this.#attributes.retain(accepted)
      peer.accepted[this.family.index]++
    }
    if (before !== 0) {
      this.#attributes.release(before)
      peer.accepted[this.family.index]--
    }
    paths.put(path, paths.received(path), accepted, rejection, paths.since(path))
    const prefix = paths.prefix(path)
    this.mark(prefix)
    this.watcher?.pathChanged(this.family, peer, prefix, paths.id(path), (accepted | before) !== 0)
  }

  /** Asks for a new decision about a prefix. */
  mark(prefix: number): void {
    if (this.prefixes.markWaiting(prefix)) this.#waiting.push(prefix)
  }

  /** Decides waiting prefixes until none is left or `now()` reaches `deadline`. */
  decide(now: () => number, deadline: number): void {
    while (this.#waiting.length > 0) {
      for (let i = Math.min(SLICE, this.#waiting.length); i > 0; i--) {
        this.#decidePrefix(this.#waiting.shift())
      }
      if (now() >= deadline) return
    }
  }

  #decidePrefix(prefix: number): void {
    const prefixes = this.prefixes
    const before = prefixes.best(prefix)
    const best = this.decision.choose(prefixes.paths(prefix))
    prefixes.setBest(prefix, best)
    this.#reachable += (best === 0 ? 0 : 1) - (before === 0 ? 0 : 1)
    // A path whose attributes changed in place is another best path, though it is the same row. And
    // where the old best row was freed, `before` is 0 but others may still believe in it.
    const changed =
      best === 0 || this.paths.takeChanged(best) || best !== before || prefixes.isWatched(prefix)
    if (changed) {
      this.#outcomes.bestChanged(this.family, prefix)
      this.watcher?.bestChanged(this.family, prefix)
    }
    this.#outcomes.decided(
      this.family,
      prefix,
      this.decision.multipath,
      this.decision.multipathCount,
    )
    prefixes.settle(prefix)
  }

  #releaseSets(path: number): void {
    const accepted = this.paths.accepted(path)
    this.#attributes.release(this.paths.received(path))
    if (accepted !== 0) this.#attributes.release(accepted)
  }
}
