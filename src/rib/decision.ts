/**
 * The decision process (RFC 4271 9.1.2): of all the paths to a prefix, which one is best, and which
 * others are as good for sharing the load?
 *
 * A ladder of rungs, numbered and named as in RFC 4271 9.1.2.2. Each rung keeps the candidates that are
 * best by its measure and drops the others; the first to stand alone wins. Eliminating from the whole set,
 * instead of comparing pairs, makes the outcome independent of the order in which paths came, which
 * pairwise comparison with MEDs is not. `explain` climbs the same ladder and tells where each one fell.
 */
import { HAS_MED, LLGR_STALE } from '../wire/scan.ts'
import type { AttributeStore } from './attribute-store.ts'
import type { NextHopTable } from './next-hop-table.ts'
import type { Paths } from './paths.ts'
import { LOCAL_PEER, type RibPeers } from './peer.ts'

export interface DecisionOptions {
  /** Compare MEDs also between different neighbouring ASes. */
  readonly alwaysCompareMed: boolean
  /** A path without a MED is the worst in rung (c), instead of the best. */
  readonly missingMedWorst: boolean
  /** Skip rung (a), the length of the AS path. */
  readonly ignoreAsPathLength: boolean
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
  'long-lived stale', // RFC 9494 section 4.3
  'local preference', // 9.1.1
  'AS path length', // a
  'origin', // b
  'MED', // c
  'external over internal', // d
  'interior cost', // e
  'router id', // f
  'cluster list length', // RFC 4456 section 9, between f and g
  'peer address', // g
  'path id', // behind the ladder: two paths of one peer (RFC 7911)
] as const

/** Room for the paths to one prefix, at first; it doubles when a prefix has more. */
const FIRST_CAPACITY = 64

export class Decision {
  readonly #attributes: AttributeStore
  readonly #nextHops: NextHopTable
  readonly #paths: Paths
  readonly #peers: RibPeers
  readonly #options: DecisionOptions
  /** What each rung measures; the lowest value stays. Rung (c) without alwaysCompareMed is special. */
  readonly #measures: readonly ((path: number) => number)[]
  #$candidates = new Int32Array(FIRST_CAPACITY)
  #$values = new Float64Array(FIRST_CAPACITY)
  #count = 0
  readonly #$lowestMeds = new Map<number, number>()
  #multipath = new Int32Array(FIRST_CAPACITY)
  #multipathCount = 0

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
      (path) => attributes.flags(set(path)) & LLGR_STALE,
      (path) => -attributes.localPref(set(path)),
      (path) => (options.ignoreAsPathLength ? 0 : attributes.asPathLength(set(path))),
      (path) => attributes.origin(set(path)),
      (path) => this.#med(set(path)),
      (path) => (peer(path).options.external ? 0 : 1),
      (path) => nextHops.metric(attributes.nextHop(set(path))),
      (path) =>
        options.ignoreRouterId
          ? 0
          : attributes.originatorId(set(path)) || peer(path).options.routerId,
      (path) => attributes.clusterListLength(set(path)),
    ]
  }

  /** After `choose`: the paths that share the load, the best one first. */
  get multipath(): Int32Array {
    return this.#multipath
  }

  get multipathCount(): number {
    return this.#multipathCount
  }

  /** The best of the chain that starts at `first`, or 0; fills `multipath`. */
  choose(first: number): number {
    this.#gather(first)
    if (this.#count > 1) this.#keepLowestDemerits()
    if (this.#count < 2) return this.#alone()
    this.#climbMed()
    this.#climb(MED + 1, ROUTER_ID)
    // Who is left after rung (e) is equally good for forwarding.
    const equals = this.#keepEquals()
    this.#climb(ROUTER_ID, this.#measures.length)
    const best = this.#lowest()
    this.#shareLoad(best, equals)
    return best
  }

  /** True when a path is a candidate at all. */
  isEligible(path: number): boolean {
    return this.#exclusion(path) === undefined
  }

  /** Puts the `most` best of `paths[0..count)`, which are eligible, to the front, the best first. */
  rank(paths: Int32Array, count: number, most: number): void {
    while (count > this.#$candidates.length) this.#grow()
    for (let rank = 0; rank < most && rank < count - 1; rank++) {
      this.#$candidates.set(paths.subarray(rank, count))
      this.#count = count - rank
      this.#climbAll()
      const best = this.#lowest()
      paths[paths.indexOf(best, rank)] = paths[rank]
      paths[rank] = best
    }
  }

  /**
   * Who comes next when every next hop of `chosen[0..count)` is lost: the best of the other paths of the
   * chain, or one with the next hop `preferred`, which serves as well; 0 when there is none.
   */
  backup(first: number, chosen: Int32Array, count: number, preferred: number): number {
    this.#gather(first)
    let kept = 0
    for (let i = 0; i < this.#count; i++) {
      const path = this.#$candidates[i]
      const nextHop = this.#nextHopOf(path)
      let among = false
      for (let k = 0; k < count && !among; k++) among = this.#nextHopOf(chosen[k]) === nextHop
      if (among) continue
      if (nextHop === preferred) return path
      this.#$candidates[kept++] = path
    }
    this.#count = kept
    if (kept === 0) return 0
    this.#climbAll()
    return this.#lowest()
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
    for (const [path, fate] of fates) {
      const sibling = best !== 0 && this.#paths.peer(path) === this.#paths.peer(best)
      if (sibling && fate === 'peer address') fates.set(path, 'path id')
    }
    for (let i = 0; i < this.#multipathCount; i++) fates.set(this.#multipath[i], 'multipath')
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
      if (this.#exclusion(path) !== undefined) continue
      if (count === this.#$candidates.length) this.#grow()
      this.#$candidates[count++] = path
    }
    this.#count = count
  }

  #grow(): void {
    const candidates = new Int32Array(2 * this.#$candidates.length)
    candidates.set(this.#$candidates)
    this.#$candidates = candidates
    this.#$values = new Float64Array(candidates.length)
    this.#multipath = new Int32Array(candidates.length)
  }

  #alone(): number {
    this.#multipathCount = this.#count
    const best = this.#count === 0 ? 0 : this.#$candidates[0]
    this.#multipath[0] = best
    return best
  }

  #nextHopOf(path: number): number {
    return this.#attributes.nextHop(this.#paths.accepted(path))
  }

  #climbAll(): void {
    this.#keepLowestDemerits()
    if (this.#count > 1) this.#climbMed()
    this.#climb(MED + 1, this.#measures.length)
  }

  /** Climbs the rungs up to (c) in one step: nearly always one path is left. */
  #keepLowestDemerits(): void {
    const candidates = this.#$candidates
    let lowest = Infinity
    let kept = 0
    for (let i = 0; i < this.#count; i++) {
      const path = candidates[i]
      const demerits = this.#demerits(path)
      if (demerits > lowest) continue
      if (demerits < lowest) kept = 0
      lowest = demerits
      candidates[kept++] = path
    }
    this.#count = kept
  }

  /** The measures of these rungs as digits of one number, of 1, 1, 32, 16 and 2 bits. */
  #demerits(path: number): number {
    const attributes = this.#attributes
    const set = this.#paths.accepted(path)
    const isForeign = this.#paths.peer(path) === LOCAL_PEER ? 0 : 2
    const isStale = (attributes.flags(set) & LLGR_STALE) === 0 ? 0 : 1
    const pathLength = this.#options.ignoreAsPathLength ? 0 : attributes.asPathLength(set)
    return (
      (isForeign + isStale) * 2 ** 50 +
      (0xffffffff - attributes.localPref(set)) * 2 ** 18 +
      4 * pathLength +
      attributes.origin(set)
    )
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
    const attributes = this.#attributes
    const candidates = this.#$candidates
    if (this.#haveSameMed()) return
    const lowest = this.#$lowestMeds
    lowest.clear()
    for (let i = 0; i < this.#count; i++) {
      const set = this.#paths.accepted(candidates[i])
      const neighbor = attributes.neighborAs(set)
      const med = this.#med(set)
      if (med < (lowest.get(neighbor) ?? Infinity)) lowest.set(neighbor, med)
    }
    let kept = 0
    for (let i = 0; i < this.#count; i++) {
      const set = this.#paths.accepted(candidates[i])
      const beaten = this.#med(set) !== lowest.get(attributes.neighborAs(set))
      if (!beaten) candidates[kept++] = candidates[i]
    }
    this.#count = kept
  }

  #med(set: number): number {
    const attributes = this.#attributes
    const missing = this.#options.missingMedWorst && (attributes.flags(set) & HAS_MED) === 0
    return missing ? WORST_MED : attributes.med(set)
  }

  #haveSameMed(): boolean {
    const candidates = this.#$candidates
    const med = this.#med(this.#paths.accepted(candidates[0]))
    for (let i = 1; i < this.#count; i++) {
      if (this.#med(this.#paths.accepted(candidates[i])) !== med) return false
    }
    return true
  }

  /** (g), the last rung, compares addresses as bytes; of the paths of one peer the lowest id stays. */
  #lowest(): number {
    let best = this.#$candidates[0]
    for (let i = 1; i < this.#count; i++) {
      const other = this.#$candidates[i]
      if (this.#isBelow(other, best)) best = other
    }
    return best
  }

  #isBelow(a: number, b: number): boolean {
    const paths = this.#paths
    if (paths.peer(a) === paths.peer(b)) return paths.id(a) >>> 0 < paths.id(b) >>> 0
    const left = this.#peers.get(this.#paths.peer(a)).options.address.bytes
    const right = this.#peers.get(this.#paths.peer(b)).options.address.bytes
    if (left.length !== right.length) return left.length < right.length
    const differs = left.findIndex((byte, i) => byte !== right[i])
    return differs >= 0 && left[differs] < right[differs]
  }

  /** Sets the candidates aside in `multipath`; the number of them. */
  #keepEquals(): number {
    if (this.#options.multipath < 2) return 0
    for (let i = 0; i < this.#count; i++) this.#multipath[i] = this.#$candidates[i]
    return this.#count
  }

  /** Of the paths set aside, those that share the load with `best`; it comes first. */
  #shareLoad(best: number, equals: number): void {
    const { multipath: most, multipathRelax } = this.#options
    const asPath = multipathRelax || equals < 2 ? '' : this.#asPath(best)
    const shared = this.#multipath
    let count = 0
    for (let i = 0; i < equals; i++) {
      const path = shared[i]
      if (path === best) continue
      if (multipathRelax || this.#asPath(path) === asPath) shared[count++] = path
    }
    if (count >= most) {
      // Which of too many are taken must not depend on the order in which they came.
      shared.subarray(0, count).sort((a, b) => (this.#isBelow(a, b) ? -1 : 1))
      count = most - 1
    }
    // The best is among them, so that there is room for it in front.
    shared.copyWithin(1, 0, count)
    shared[0] = best
    this.#multipathCount = count + 1
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

const MED = 5
const WORST_MED = 0xffffffff
const ROUTER_ID = 8
