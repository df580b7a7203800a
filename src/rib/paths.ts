/**
 * Adj-RIBs-In as columns: every path that a peer offers for a prefix, before and after import policy
 * (RFC 4271 3.2). One path is one row; the paths of a prefix are chained.
 *
 *   0  prefix    PrefixId
 *   1  received  AttrId as the peer sent it
 *   2  accepted  AttrId after import policy, or 0 when the path is rejected
 *   3  origin    peer number (bits 0-15), changed (16), generation (17-20), reason of rejection (21-24), marks of
 *                the peers (25-31)
 *   4  next      next path of the same prefix, or 0
 *   5  since     second at which it came, on the daemon's clock
 *
 * 24 bytes a path. The path identifier of a session that sends several paths of a prefix (RFC 7911) stands in
 * a column beside, which takes no memory before the first one that isn't 0. Nothing chains the paths of a peer: a
 * session that ends is rare, and then all rows are walked once, in slices.
 *
 * Each row of a chain is in another line of memory. So that a peer's first path of a prefix is not looked for along
 * all of it, a row has the marks of the peers whose paths it and the rows behind it are, and maybe of more: one bit
 * of seven for each.
 */
import { Column, Rows } from '../net/rows.ts'

const PREFIX = 0
const RECEIVED = 1
const ACCEPTED = 2
const ORIGIN = 3
const NEXT = 4
const SINCE = 5
const WIDTH = 6

const PEER_MASK = 0xffff
const CHANGED = 1 << 16
const GENERATION_SHIFT = 17
const GENERATION = 0xf << GENERATION_SHIFT
const REJECTION_SHIFT = 21
const REJECTION = 0xf << REJECTION_SHIFT
const MARKS_SHIFT = 25
const MARKS = -1 << MARKS_SHIFT
const MARK_COUNT = 7

const markOf = (peer: number): number => 1 << (MARKS_SHIFT + (peer % MARK_COUNT))

/** Why a path takes no part in the decision, though its message was in order. */
export type Rejection = (typeof REJECTIONS)[number]

const REJECTIONS = [
  'none',
  'importPolicy',
  'ownAs',
  'ownOriginatorId',
  'ownCluster',
  'firstAs',
  'routeLeak',
  'tooLong',
] as const

export class Paths {
  readonly #rows = new Rows(WIDTH)
  readonly #ids = new Column()
  /** Of the last `find`. */
  passed = 0

  get live(): number {
    return this.#rows.live
  }

  /** One more than the highest row in use: for walks. */
  get end(): number {
    return this.#rows.end
  }

  get bytes(): number {
    return this.#rows.bytes
  }

  /** False for a freed row. */
  exists(path: number): boolean {
    return this.#rows.get(path, PREFIX) > 0
  }

  add(prefix: number, peer: number, id: number, next: number): number {
    const path = this.#rows.allocate()
    if (id !== 0) this.#ids.set(path, id)
    const row = this.#rows.words
    const at = this.#rows.offset(path)
    row[at + PREFIX] = prefix
    const behind = next === 0 ? 0 : this.#rows.get(next, ORIGIN) & MARKS
    row[at + ORIGIN] = peer | markOf(peer) | behind
    row[at + NEXT] = next
    return path
  }

  free(path: number): void {
    if (this.#ids.get(path) !== 0) this.#ids.set(path, 0)
    this.#rows.free(path)
  }

  /** Puts attributes into a row and marks it as changed for the next decision. */
  put(path: number, received: number, accepted: number, rejection: Rejection, since: number): void {
    const row = this.#rows.words
    const at = this.#rows.offset(path)
    row[at + RECEIVED] = received
    row[at + ACCEPTED] = accepted
    row[at + ORIGIN] =
      (row[at + ORIGIN] & ~REJECTION) | CHANGED | (REJECTIONS.indexOf(rejection) << REJECTION_SHIFT)
    row[at + SINCE] = since
  }

  prefix(path: number): number {
    return this.#rows.get(path, PREFIX)
  }

  received(path: number): number {
    return this.#rows.get(path, RECEIVED)
  }

  /** 0 when the path is rejected. */
  accepted(path: number): number {
    return this.#rows.get(path, ACCEPTED)
  }

  peer(path: number): number {
    return this.#rows.get(path, ORIGIN) & PEER_MASK
  }

  /**
   * The first path of `peer` with this identifier in the chain that starts at `path`, or 0. Those of the peer that
   * it goes past are counted (`passed`).
   */
  find(path: number, peer: number, id: number): number {
    const mark = markOf(peer)
    this.passed = 0
    while (path !== 0) {
      const origin = this.#rows.get(path, ORIGIN)
      if ((origin & mark) === 0) return 0
      if ((origin & PEER_MASK) === peer) {
        if (this.id(path) === id) return path
        this.passed++
      }
      path = this.#rows.get(path, NEXT)
    }
    return 0
  }

  /** The bits of the path identifier under which the peer offers it; 0 where it sends none. */
  id(path: number): number {
    return this.#ids.get(path)
  }

  rejection(path: number): Rejection {
    return REJECTIONS[(this.#rows.get(path, ORIGIN) & REJECTION) >>> REJECTION_SHIFT]
  }

  /** True when its attributes have changed since the last decision; clears the mark. */
  takeChanged(path: number): boolean {
    const origin = this.#rows.get(path, ORIGIN)
    if ((origin & CHANGED) === 0) return false
    this.#rows.set(path, ORIGIN, origin & ~CHANGED)
    return true
  }

  /** In which refresh of its peer it was told last, 0 to 15 (`RibPeer.generation`). */
  generation(path: number): number {
    return (this.#rows.get(path, ORIGIN) & GENERATION) >>> GENERATION_SHIFT
  }

  setGeneration(path: number, generation: number): void {
    const origin = this.#rows.get(path, ORIGIN) & ~GENERATION
    this.#rows.set(path, ORIGIN, origin | (generation << GENERATION_SHIFT))
  }

  next(path: number): number {
    return this.#rows.get(path, NEXT)
  }

  setNext(path: number, next: number): void {
    this.#rows.set(path, NEXT, next)
  }

  since(path: number): number {
    return this.#rows.get(path, SINCE)
  }
}
