/**
 * The decision process (RFC 4271 9.1.2): of all the paths to a prefix, which one is best, and which
 * others are as good for sharing the load?
 *
 * A ladder of rungs, numbered and named as in RFC 4271 9.1.2.2. Each rung keeps the candidates that are
 * best by its measure and drops the others; the first to stand alone wins. Eliminating from the whole set,
 * instead of comparing pairs, makes the outcome independent of the order in which paths came, which
 * pairwise comparison with MEDs is not. `explain` climbs the same ladder and tells where each one fell.
 */
import type { AttributeStore } from './attribute-store.ts'
import type { NextHopTable } from './next-hop-table.ts'
import type { Paths } from './paths.ts'
import type { RibPeers } from './peer.ts'

export interface DecisionOptions {
  /** Compare MEDs also between different neighbouring ASes. */
  readonly alwaysCompareMed: boolean
  /** Skip rung (f), the router id, so that the lowest peer address decides. */
  readonly ignoreRouterId: boolean
  /** Paths that may share the load; 1 = no multipath. */
  readonly multipath: number
  /** Share the load also over paths through different ASes, when they are of equal length. */
  readonly multipathRelax: boolean
}

/** Where a path fell, or why it never stood on the ladder. */
export type Fate =
  'best' | 'multipath' | 'rejected' | 'peer down' | 'next hop unreachable' | (typeof RUNGS)[number]

export const RUNGS = [
  'own prefix', // before the ladder: what we reach by ourselves beats what others offer
  'local preference', // 9.1.1
  'AS path length', // a
  'origin', // b
  'MED', // c
  'external over internal', // d
  'interior cost', // e
  'router id', // f
  'cluster list length', // RFC 4456 section 9, between f and g
  'peer address', // g
] as const

/** More paths to one prefix than we look at: far above any table of neighbours. */
const MOST_CANDIDATES = 4096

export class Decision {
  readonly #attributes: AttributeStore
  readonly #nextHops: NextHopTable
  readonly #paths: Paths
  readonly #peers: RibPeers
  readonly #options: DecisionOptions
  /** What each rung measures; the lowest value stays. Rung (c) without alwaysCompareMed is special. */
  readonly #measures: readonly ((path: number) => number)[]
  readonly #$candidates = new Int32Array(MOST_CANDIDATES)
  readonly #$values = new Float64Array(MOST_CANDIDATES)
  #count = 0
  /** After `choose`: the paths that share the load, the best among them. */
  readonly multipath = new Int32Array(MOST_CANDIDATES)
  multipathCount = 0

  constructor(
    attributes: AttributeStore,
    nextHops: NextHopTable,
    paths: Paths,
    peers: RibPeers,
    options: DecisionOptions,
  ) {
    this.#attributes = attributes
    this.#nextHops = nextHops
    this.#paths = paths
    this.#peers = peers
    this.#options = options
    const set = (path: number): number => paths.accepted(path)
    const peer = (path: number) => peers.get(paths.peer(path))
    this.#measures = [
      (path) => (peer(path).local ? 0 : 1),
      (path) => -attributes.localPref(set(path)),
      (path) => attributes.asPathLength(set(path)),
      (path) => attributes.origin(set(path)),
      (path) => attributes.med(set(path)),
      (path) => (peer(path).options.external ? 0 : 1),
      (path) => nextHops.metric(attributes.nextHop(set(path))),
      (path) =>
        options.ignoreRouterId
          ? 0
          : attributes.originatorId(set(path)) || peer(path).options.routerId,
      (path) => attributes.clusterListLength(set(path)),
    ]
  }

  /** The best of the chain that starts at `first`, or 0; fills `multipath`. */
  choose(first: number): number {
    this.#gather(first)
    if (this.#count < 2) return this.#alone()
    this.#climb(0, MED)
    this.#climbMed()
    this.#climb(MED + 1, ROUTER_ID)
    this.#shareLoad()
    this.#climb(ROUTER_ID, this.#measures.length)
    const best = this.#lowestAddress()
    if (!this.#options.multipathRelax) this.#dropOtherAsPaths(best)
    return best
  }

  /** The fate of each path of the chain, in chain order. */
  explain(first: number): Map<number, Fate> {
    const fates = new Map<number, Fate>()
    for (let path = first; path !== 0; path = this.#paths.next(path)) {
      fates.set(path, this.#exclusion(path) ?? 'peer address')
    }
    const fell = (rung: number, before: readonly number[]): void => {
      const left = new Set(this.#candidates())
      for (const path of before) if (!left.has(path)) fates.set(path, RUNGS[rung])
    }
    this.#gather(first)
    for (let rung = 0; rung < this.#measures.length; rung++) {
      const before = this.#candidates()
      if (rung === MED) this.#climbMed()
      else this.#climb(rung, rung + 1)
      fell(rung, before)
    }
    const best = this.choose(first)
    for (let i = 0; i < this.multipathCount; i++) fates.set(this.multipath[i], 'multipath')
    if (best !== 0) fates.set(best, 'best')
    return fates
  }

  /** Why a path is no candidate, or undefined when it is one (RFC 4271 9.1.2, first paragraphs). */
  #exclusion(path: number): Fate | undefined {
    const accepted = this.#paths.accepted(path)
    if (accepted === 0) return 'rejected'
    if (!this.#peers.get(this.#paths.peer(path)).up) return 'peer down'
    const usable = this.#nextHops.usable(this.#attributes.nextHop(accepted))
    return usable ? undefined : 'next hop unreachable'
  }

  #gather(first: number): void {
    let count = 0
    for (let path = first; path !== 0; path = this.#paths.next(path)) {
      if (count < MOST_CANDIDATES && this.#exclusion(path) === undefined) {
        this.#$candidates[count++] = path
      }
    }
    this.#count = count
  }

  #alone(): number {
    this.multipathCount = this.#count
    const best = this.#count === 0 ? 0 : this.#$candidates[0]
    this.multipath[0] = best
    return best
  }

  /** Climbs the rungs `from` up to, not including, `to`. */
  #climb(from: number, to: number): void {
    const candidates = this.#$candidates
    const values = this.#$values
    for (let rung = from; rung < to && this.#count > 1; rung++) {
      const measure = this.#measures[rung]
      let lowest = Infinity
      for (let i = 0; i < this.#count; i++) {
        const value = measure(candidates[i])
        values[i] = value
        if (value < lowest) lowest = value
      }
      let kept = 0
      for (let i = 0; i < this.#count; i++) {
        if (values[i] === lowest) candidates[kept++] = candidates[i]
      }
      this.#count = kept
    }
  }

  /** (c): MEDs count only between paths through the same neighbouring AS. */
  #climbMed(): void {
    if (this.#options.alwaysCompareMed) return this.#climb(MED, MED + 1)
    if (this.#count < 2) return
    const attributes = this.#attributes
    const all = this.#candidates()
    let kept = 0
    for (const path of all) {
      const set = this.#paths.accepted(path)
      const beaten = all.some((other) => {
        const otherSet = this.#paths.accepted(other)
        return (
          attributes.neighborAs(otherSet) === attributes.neighborAs(set) &&
          attributes.med(otherSet) < attributes.med(set)
        )
      })
      if (!beaten) this.#$candidates[kept++] = path
    }
    this.#count = kept
  }

  /** (g), the last rung: compares addresses as bytes; one path per peer, so one stays. */
  #lowestAddress(): number {
    let best = this.#$candidates[0]
    for (let i = 1; i < this.#count; i++) {
      const other = this.#$candidates[i]
      if (this.#addressBelow(other, best)) best = other
    }
    return best
  }

  #addressBelow(a: number, b: number): boolean {
    const left = this.#peers.get(this.#paths.peer(a)).options.address.bytes
    const right = this.#peers.get(this.#paths.peer(b)).options.address.bytes
    if (left.length !== right.length) return left.length < right.length
    const differs = left.findIndex((byte, i) => byte !== right[i])
    return differs >= 0 && left[differs] < right[differs]
  }

  /** Who is left after rung (e) is equally good for forwarding. */
  #shareLoad(): void {
    this.multipathCount = Math.min(this.#count, this.#options.multipath)
    for (let i = 0; i < this.multipathCount; i++) this.multipath[i] = this.#$candidates[i]
  }

  #dropOtherAsPaths(best: number): void {
    const wanted = this.#asPath(best)
    let kept = 0
    for (let i = 0; i < this.multipathCount; i++) {
      const path = this.multipath[i]
      if (path === best || this.#asPath(path) === wanted) this.multipath[kept++] = path
    }
    this.multipathCount = kept
  }

  /** The AS_PATH attribute as a comparable string; only asked where load might be shared. */
  #asPath(path: number): string {
    const bytes = this.#attributes.view(this.#paths.accepted(path))
    for (let at = 0; at < bytes.length;) {
      const extended = (bytes[at] & 0x10) !== 0
      const value = at + (extended ? 4 : 3)
      const length = extended ? (bytes[at + 2] << 8) | bytes[at + 3] : bytes[at + 2]
      if (bytes[at + 1] === 2) return bytes.subarray(value, value + length).join()
      at = value + length
    }
    return ''
  }

  #candidates(): number[] {
    return [...this.#$candidates.subarray(0, this.#count)]
  }
}

const MED = 4
const ROUTER_ID = 7
