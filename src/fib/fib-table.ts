/**
 * What the FIB knows of each prefix of one family: three words, in segments made when first touched.
 *
 *   0  wanted     target that the RIB wants, or 0
 *   1  installed  target of the route that the kernel has, to the best of our knowledge, or 0
 *   2  flags      below, and from bit 6 the second when the route was last written, + 1
 *
 *   DIRTY     stands in the queue of changes          INFLIGHT  handed to the writer, no answer yet
 *   FAILED    refused, waits for another try          STALE     left by an earlier run, not yet wanted
 *   UNSURE    the kernel may not have `installed`     SEEN      equals the parity: held against a dump
 *
 * A stale row may have a `wanted` all the same: what is not yet the last word (`postpone`).
 *
 * A prefix has at most one operation under way, whose target the in-flight queue remembers; changes
 * meanwhile wait for its end. Targets are held by `wanted`, by `installed` and by the operation. A row that
 * says nothing (state 'none') is all zeros and holds no prefix.
 */
import type { FamilyFacts } from '../net/family.ts'
import type { PrefixIndex } from './prefix-index.ts'
import type { Targets } from './targets.ts'

const WANTED = 0
const INSTALLED = 1
const FLAGS = 2
const WIDTH = 3

const DIRTY = 1
const INFLIGHT = 2
const FAILED = 4
const STALE = 8
const UNSURE = 16
const SEEN = 32
const SINCE_SHIFT = 6
const ALL_FLAGS = (1 << SINCE_SHIFT) - 1

const SEGMENT_BITS = 12
const SEGMENT_ROWS = 1 << SEGMENT_BITS
const MASK = SEGMENT_ROWS - 1

export const STATES = ['none', 'installed', 'pending', 'failed', 'stale'] as const
export type State = (typeof STATES)[number]
const IS_NONE = 0
const IS_INSTALLED = 1
const IS_PENDING = 2
const IS_FAILED = 3
const IS_STALE = 4

/** `take`: there is nothing to do. */
export const NOTHING = -1

export class FibTable {
  readonly family: FamilyFacts
  readonly prefixes: PrefixIndex
  /** Hears of each row that has come to an end for now: installed, failed, or gone. */
  settled: (id: number) => void = () => {}
  readonly #targets: Targets
  /** How many prefixes are in each state. */
  readonly #counts = new Int32Array(STATES.length)
  readonly #segments: (Int32Array | undefined)[] = []
  /** What SEEN is for rows that were held against the last dump, or are newer. */
  #parity = 0
  #checking = false

  constructor(family: FamilyFacts, prefixes: PrefixIndex, targets: Targets) {
    this.family = family
    this.prefixes = prefixes
    this.#targets = targets
  }

  /** One more than the highest id that may have a row. */
  get end(): number {
    return this.#segments.length << SEGMENT_BITS
  }

  count(state: State): number {
    return this.#counts[STATES.indexOf(state)]
  }

  state(id: number): State {
    const row = this.#segments[id >> SEGMENT_BITS]
    return row === undefined ? 'none' : STATES[stateAt(row, (id & MASK) * WIDTH)]
  }

  wanted(id: number): number {
    return this.#get(id, WANTED)
  }

  installed(id: number): number {
    return this.#get(id, INSTALLED)
  }

  inFlight(id: number): boolean {
    return (this.#get(id, FLAGS) & INFLIGHT) !== 0
  }

  /** Seconds on the scale handed to `done`; undefined when the route is older than this process. */
  writtenAt(id: number): number | undefined {
    const since = this.#get(id, FLAGS) >>> SINCE_SHIFT
    return since === 0 ? undefined : since - 1
  }

  /** The RIB wants `target`. True: the row belongs into the queue now. */
  want(id: number, target: number): boolean {
    const row = this.#touch(id)
    const at = (id & MASK) * WIDTH
    const flags = row[at + FLAGS]
    const wanted = row[at + WANTED]
    if (wanted === target && (flags & STALE) === 0) return false
    const before = stateAt(row, at)
    this.#setWanted(row, at, target)
    const queued = (flags & (DIRTY | INFLIGHT)) !== 0
    const differs = target !== row[at + INSTALLED] || (flags & UNSURE) !== 0
    row[at + FLAGS] = (flags & ~(STALE | FAILED)) | (differs && !queued ? DIRTY : 0)
    this.#settle(row, at, id, before)
    return differs && !queued
  }

  /** The row was taken from the queue: the target to put, 0 to delete the route, or NOTHING. */
  take(id: number): number {
    const row = this.#touch(id)
    const at = (id & MASK) * WIDTH
    const before = stateAt(row, at)
    const flags = row[at + FLAGS] & ~DIRTY
    const wanted = row[at + WANTED]
    const right = wanted === row[at + INSTALLED] && (flags & UNSURE) === 0
    if (right || (flags & INFLIGHT) !== 0) {
      row[at + FLAGS] = flags
      this.#settle(row, at, id, before)
      return NOTHING
    }
    row[at + FLAGS] = (flags & ~(UNSURE | FAILED)) | INFLIGHT
    if (wanted !== 0) this.#targets.retain(wanted)
    this.#settle(row, at, id, before)
    return wanted
  }

  /** What `take` said can't be done now; it was not handed to the writer. */
  park(id: number, target: number): void {
    const row = this.#touch(id)
    const at = (id & MASK) * WIDTH
    const before = stateAt(row, at)
    row[at + FLAGS] = (row[at + FLAGS] & ~INFLIGHT) | FAILED | UNSURE
    this.#settle(row, at, id, before)
    this.#drop(target)
  }

  /** The kernel did it: it has `target` now, or no route for 0. True: the row belongs into the queue. */
  done(id: number, target: number, second: number): boolean {
    const row = this.#touch(id)
    const at = (id & MASK) * WIDTH
    const before = stateAt(row, at)
    this.#setInstalled(row, at, target)
    const flags = (row[at + FLAGS] & ALL_FLAGS & ~(INFLIGHT | SEEN)) | this.#parity
    const again = row[at + WANTED] !== target || (flags & UNSURE) !== 0
    row[at + FLAGS] = ((second + 1) << SINCE_SHIFT) | flags | (again ? DIRTY : 0)
    this.#settle(row, at, id, before)
    this.#drop(target)
    return again
  }

  /** The kernel refused. True: something else is wanted by now, the row belongs into the queue. */
  refused(id: number, target: number): boolean {
    const row = this.#touch(id)
    const at = (id & MASK) * WIDTH
    const before = stateAt(row, at)
    const again = row[at + WANTED] !== target
    row[at + FLAGS] = (row[at + FLAGS] & ~INFLIGHT) | UNSURE | (again ? DIRTY : FAILED)
    this.#settle(row, at, id, before)
    this.#drop(target)
    return again
  }

  /** Nobody knows whether the kernel did it. The row belongs into the queue. */
  lost(id: number, target: number): void {
    const row = this.#touch(id)
    const at = (id & MASK) * WIDTH
    const before = stateAt(row, at)
    row[at + FLAGS] = (row[at + FLAGS] & ~INFLIGHT) | UNSURE | DIRTY
    this.#settle(row, at, id, before)
    this.#drop(target)
  }

  /** The kernel may not have what we think. True: the row belongs into the queue, unless it is `later`. */
  doubt(id: number, later = false): boolean {
    const row = this.#touch(id)
    const at = (id & MASK) * WIDTH
    const flags = row[at + FLAGS]
    const before = stateAt(row, at)
    if (before === IS_NONE || before === IS_STALE) return false
    const queued = later || (flags & (DIRTY | INFLIGHT)) !== 0
    row[at + FLAGS] = (flags & ~FAILED) | UNSURE | (queued ? 0 : DIRTY)
    this.#settle(row, at, id, before)
    return !queued
  }

  /** What was doubted stays as it is until `retry`; a change that is under way goes on. */
  leave(id: number): void {
    const row = this.#touch(id)
    const at = (id & MASK) * WIDTH
    const flags = row[at + FLAGS]
    if ((flags & (DIRTY | INFLIGHT)) !== 0 || (flags & UNSURE) === 0) return
    const before = stateAt(row, at)
    row[at + FLAGS] = flags | FAILED
    this.#settle(row, at, id, before)
  }

  /** A doubt that was put off, or a refusal, is due. True: the row belongs into the queue. */
  retry(id: number): boolean {
    const row = this.#touch(id)
    const at = (id & MASK) * WIDTH
    const flags = row[at + FLAGS]
    if ((flags & (FAILED | UNSURE)) === 0 || (flags & (DIRTY | INFLIGHT)) !== 0) return false
    const before = stateAt(row, at)
    row[at + FLAGS] = (flags & ~FAILED) | DIRTY
    this.#settle(row, at, id, before)
    return true
  }

  /** The kernel has a route of ours with `target` that nobody wants yet; not quite right when `unsure`. */
  adopt(id: number, target: number, unsure: boolean): void {
    const row = this.#touch(id)
    const at = (id & MASK) * WIDTH
    const before = stateAt(row, at)
    if (before !== IS_NONE && before !== IS_STALE) return
    this.#setInstalled(row, at, target)
    row[at + FLAGS] = STALE | (unsure ? UNSURE : 0) | this.#parity
    this.#settle(row, at, id, before)
  }

  /**
   * The RIB wants `target` of a stale route, and this is put off until the sweep: false when it can't be,
   * because there is nothing to wait for or the route is not quite right.
   */
  postpone(id: number, target: number): boolean {
    const row = this.#touch(id)
    const at = (id & MASK) * WIDTH
    if (stateAt(row, at) !== IS_STALE) return false
    if (target === row[at + INSTALLED] || (row[at + FLAGS] & UNSURE) !== 0) return false
    this.#setWanted(row, at, target)
    return true
  }

  /** A stale route has gone by itself. True: another is wanted, the row belongs into the queue. */
  forget(id: number): boolean {
    const row = this.#touch(id)
    const at = (id & MASK) * WIDTH
    const before = stateAt(row, at)
    if (before !== IS_STALE) return false
    const due = row[at + WANTED] !== 0
    this.#setInstalled(row, at, 0)
    row[at + FLAGS] = due ? DIRTY : 0
    this.#settle(row, at, id, before)
    return due
  }

  /** What was put off is due; whoever wanted the rest would have said so. True: it belongs into the queue. */
  sweep(id: number): boolean {
    if (this.state(id) !== 'stale') return false
    return this.want(id, this.wanted(id))
  }

  /** A comparison with a dump begins: no row has been seen yet. One that was broken off goes on instead. */
  beginCheck(): void {
    if (!this.#checking) this.#parity ^= SEEN
    this.#checking = true
  }

  /** Every row has been seen. */
  endCheck(): void {
    this.#checking = false
  }

  /** True when the row was not seen since `beginCheck`, nor changed; marks it as seen. */
  notSeen(id: number): boolean {
    const row = this.#segments[id >> SEGMENT_BITS]
    if (row === undefined) return false
    const at = (id & MASK) * WIDTH
    const flags = row[at + FLAGS]
    if ((flags & SEEN) === this.#parity) return false
    const state = stateAt(row, at)
    if (state !== IS_NONE) row[at + FLAGS] = flags ^ SEEN
    return (
      (state === IS_INSTALLED || state === IS_STALE || state === IS_FAILED) &&
      row[at + INSTALLED] !== 0
    )
  }

  #get(id: number, word: number): number {
    const row = this.#segments[id >> SEGMENT_BITS]
    return row === undefined ? 0 : row[(id & MASK) * WIDTH + word]
  }

  #touch(id: number): Int32Array {
    const index = id >> SEGMENT_BITS
    while (this.#segments.length <= index) this.#segments.push(undefined)
    return (this.#segments[index] ??= new Int32Array(SEGMENT_ROWS * WIDTH))
  }

  #setWanted(row: Int32Array, at: number, target: number): void {
    const before = row[at + WANTED]
    if (before === target) return
    row[at + WANTED] = target
    if (target !== 0) this.#targets.retain(target)
    this.#drop(before)
  }

  #setInstalled(row: Int32Array, at: number, target: number): void {
    const before = row[at + INSTALLED]
    if (before === target) return
    row[at + INSTALLED] = target
    if (target !== 0) {
      this.#targets.retain(target)
      this.#targets.countRoute(target, 1)
    }
    if (before !== 0) this.#targets.countRoute(before, -1)
    this.#drop(before)
  }

  #drop(target: number): void {
    if (target !== 0) this.#targets.release(target)
  }

  /** Counts the row under its new state; one that says nothing any more gives its prefix back. */
  #settle(row: Int32Array, at: number, id: number, before: number): void {
    const after = stateAt(row, at)
    if (after === IS_NONE) row[at + FLAGS] = 0
    else if (before === IS_NONE) row[at + FLAGS] = (row[at + FLAGS] & ~SEEN) | this.#parity
    if (before === after) return
    this.#counts[before]--
    this.#counts[after]++
    if (after !== IS_PENDING && after !== IS_STALE) this.settled(id)
    if (before === IS_NONE) this.prefixes.retain(id)
    else if (after === IS_NONE) this.prefixes.release(id)
  }
}

function stateAt(row: Int32Array, at: number): number {
  const flags = row[at + FLAGS]
  if ((flags & FAILED) !== 0) return IS_FAILED
  if ((flags & STALE) !== 0) return IS_STALE
  if ((flags & (DIRTY | INFLIGHT | UNSURE)) !== 0) return IS_PENDING
  if (row[at + WANTED] !== row[at + INSTALLED]) return IS_PENDING
  return row[at + INSTALLED] === 0 ? IS_NONE : IS_INSTALLED
}
