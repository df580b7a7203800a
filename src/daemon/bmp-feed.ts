/**
 * What one BMP connection is told of routes: first the tables as they are (RFC 7854 section 5), then every
 * change, each prefix in its newest state only.
 *
 * Nothing is made before the station takes it: `pull` walks on through the tables, or works off the queues
 * of changes, until it has a chunk. A change that comes while the walk is under way is queued as well, so a
 * route may be told twice and never too little. When a session ends, what was still to be told of it is
 * let go, in slices: its Peer Down says all.
 */
import { FAMILIES, type FamilyFacts } from '../net/family.ts'
import type { FamilyRib } from '../rib/family-rib.ts'
import type { RibPeer } from '../rib/peer.ts'
import type { Rib } from '../rib/rib.ts'
import { ChangeQueue, PathChangeQueue, type Changes, type Show } from './bmp-queue.ts'
import { BmpStream } from './bmp-stream.ts'

export type BmpView = 'prePolicy' | 'postPolicy' | 'locRib'

/** A session as the station knows it, with its headers before and after import policy. */
export interface FedPeer {
  readonly peer: RibPeer
  readonly prePolicy: Uint8Array
  readonly postPolicy: Uint8Array
}

/** Marks of a queued prefix. */
const RECEIVED = 1
const ACCEPTED = 2

/** Rows between two looks at the clock. */
const SLICE = 64
const NO_END_OF_RIB = -1

/** Queues and whether there are path identifiers (RFC 7911) by family index, and after how many changes End-of-RIB is due there. */
interface Fed {
  readonly it: FedPeer | undefined
  readonly addPath: readonly [boolean, boolean]
  readonly changes: readonly [Changes, Changes]
  readonly endOfRibAfter: [number, number]
}

export class BmpFeed {
  readonly #rib: Rib
  readonly #wallNow: () => number
  readonly #locRibHeader: Uint8Array
  /** One stream a view; absent: not to be told. */
  readonly #streams: Readonly<Partial<Record<BmpView, BmpStream>>>
  readonly #all: readonly BmpStream[]
  /** By session number. */
  readonly #peers = new Map<number, Fed>()
  readonly #locRib: Fed
  /** Those with changes to be told, in the order of their turns. */
  readonly #waiting = new Set<Fed>()
  /** Nobody wants these any more. */
  readonly #abandoned: Changes[] = []
  /** The walk over the tables: paths of both families, then best paths of both. */
  readonly #walk = { table: 0, row: 1 }

  constructor(
    rib: Rib,
    views: readonly BmpView[],
    locRibHeader: Uint8Array,
    wallNow: () => number,
  ) {
    this.#rib = rib
    this.#wallNow = wallNow
    this.#locRibHeader = locRibHeader
    this.#streams = Object.fromEntries(views.map((view) => [view, new BmpStream(rib.attributes)]))
    this.#all = Object.values(this.#streams)
    this.#locRib = this.#newFed(undefined)
    if (this.#streams.locRib === undefined) return
    this.#locRib.endOfRibAfter.fill(0)
    this.#waiting.add(this.#locRib)
  }

  get hasWork(): boolean {
    return this.#walk.table < TABLES || this.#waiting.size > 0
  }

  /** Prefixes that wait to be told of. */
  get queued(): number {
    let sum = length(this.#locRib)
    for (const fed of this.#peers.values()) sum += length(fed)
    return sum
  }

  /** The session is up, or was when the connection began: then its table is to be told, and an end of it. */
  addPeer(it: FedPeer, endOfRib: readonly FamilyFacts[]): void {
    const fed = this.#newFed(it)
    this.#peers.set(it.peer.id, fed)
    for (const { index } of endOfRib) fed.endOfRibAfter[index] = 0
    if (endOfRib.length > 0) this.#waiting.add(fed)
  }

  removePeer(peer: RibPeer): void {
    const fed = this.#fedOf(peer)
    if (fed === undefined) return
    this.#peers.delete(peer.id)
    this.#waiting.delete(fed)
    this.#abandoned.push(...fed.changes)
  }

  /** The peer has told all of its routes: so have we, once what waits now is told. */
  endOfRib(peer: RibPeer, { index }: FamilyFacts): void {
    const fed = this.#fedOf(peer)
    if (fed === undefined) return
    fed.endOfRibAfter[index] = fed.changes[index].length
    this.#waiting.add(fed)
  }

  /** `judged`: import policy lets it in, or did before. */
  pathChanged(
    { index }: FamilyFacts,
    peer: RibPeer,
    prefix: number,
    pathId: number,
    judged: boolean,
  ): void {
    const fed = this.#fedOf(peer)
    if (fed === undefined) return
    fed.changes[index].push(prefix, pathId, judged ? RECEIVED | ACCEPTED : RECEIVED)
    this.#waiting.add(fed)
  }

  bestChanged({ index }: FamilyFacts, prefix: number): void {
    if (this.#streams.locRib === undefined) return
    this.#locRib.changes[index].push(prefix, 0, ACCEPTED)
    this.#waiting.add(this.#locRib)
  }

  /** Some messages more, until a chunk is full, nothing is left, or `now()` reaches `deadline`. */
  pull(now: () => number, deadline: number): { parts: Uint8Array[]; messages: number } {
    while (this.hasWork && !this.#full) {
      if (this.#walk.table < TABLES) this.#walkOn()
      else this.#tellChanges()
      this.letGo()
      if (now() >= deadline) break
    }
    let messages = 0
    const parts: Uint8Array[] = []
    for (const stream of this.#all) {
      const taken = stream.take()
      messages += taken.messages
      if (taken.bytes.length > 0) parts.push(taken.bytes)
    }
    return { parts, messages }
  }

  /** The connection is over: nothing more is told, and what waits is let go. */
  close(): void {
    this.#walk.table = TABLES
    this.#waiting.clear()
    for (const fed of [this.#locRib, ...this.#peers.values()]) this.#abandoned.push(...fed.changes)
    this.#peers.clear()
  }

  /** Lets a slice of what was abandoned go; true while there is more. */
  letGo(): boolean {
    const [queue] = this.#abandoned
    if (queue === undefined) return false
    for (let i = Math.min(SLICE, queue.length); i > 0; i--) queue.shift(nobody)
    if (queue.length === 0) this.#abandoned.shift()
    return this.#abandoned.length > 0
  }

  get #full(): boolean {
    return this.#all.some((stream) => stream.full)
  }

  #newFed(it: FedPeer | undefined): Fed {
    const [ipv4, ipv6] = this.#rib.families
    const several = it?.peer.options.addPath ?? []
    const queue = ({ family, prefixes }: FamilyRib): Changes =>
      several.includes(family.name) ? new PathChangeQueue(prefixes) : new ChangeQueue(prefixes)
    return {
      it,
      addPath: [several.includes('ipv4'), several.includes('ipv6')],
      changes: [queue(ipv4), queue(ipv6)],
      endOfRibAfter: [NO_END_OF_RIB, NO_END_OF_RIB],
    }
  }

  #fedOf(peer: RibPeer): Fed | undefined {
    const fed = this.#peers.get(peer.id)
    return fed?.it?.peer === peer ? fed : undefined
  }

  #walkOn(): void {
    const walk = this.#walk
    const rib = this.#rib.families[walk.table % FAMILIES.length]
    const overPaths = walk.table < FAMILIES.length
    const wanted = overPaths ? this.#peers.size > 0 : this.#streams.locRib !== undefined
    const last = wanted ? (overPaths ? rib.paths.end : rib.prefixes.end) : 0
    const end = Math.min(walk.row + SLICE, last)
    for (; walk.row < end; walk.row++) {
      if (overPaths) this.#tellPath(rib, walk.row)
      else if (rib.prefixes.exists(walk.row)) this.#tellBest(rib, walk.row, false)
    }
    if (walk.row < last) return
    walk.table++
    walk.row = 1
  }

  #tellPath(rib: FamilyRib, path: number): void {
    const { paths, prefixes } = rib
    if (!paths.exists(path)) return
    const fed = this.#peers.get(paths.peer(path))
    if (fed?.it === undefined) return
    const { prePolicy, postPolicy } = fed.it
    const prefix = paths.prefix(path)
    const id = fed.addPath[rib.family.index] ? paths.id(path) : undefined
    const accepted = paths.accepted(path)
    const since = paths.since(path)
    this.#streams.prePolicy?.put(prePolicy, prefixes, prefix, id, paths.received(path), since)
    if (accepted === 0) return
    this.#streams.postPolicy?.put(postPolicy, prefixes, prefix, id, accepted, since)
  }

  /** `gone`: say so when there is none. */
  #tellBest({ paths, prefixes }: FamilyRib, prefix: number, gone: boolean): void {
    const best = prefixes.best(prefix)
    const set = best === 0 ? 0 : paths.accepted(best)
    if (set === 0 && !gone) return
    const since = set === 0 ? this.#second() : paths.since(best)
    this.#streams.locRib?.put(this.#locRibHeader, prefixes, prefix, undefined, set, since)
  }

  /** A slice of the changes of who is first in line. */
  #tellChanges(): void {
    const [fed] = this.#waiting
    this.#waiting.delete(fed)
    for (const rib of this.#rib.families) {
      const { index } = rib.family
      const queue = fed.changes[index]
      const count = Math.min(SLICE, queue.length)
      const tell: Show = (prefix, pathId, marks) =>
        this.#tellChange(fed, rib, prefix, pathId, marks)
      for (let i = 0; i < count; i++) queue.shift(tell)
      if (fed.endOfRibAfter[index] === NO_END_OF_RIB) continue
      fed.endOfRibAfter[index] -= count
      if (fed.endOfRibAfter[index] > 0) continue
      fed.endOfRibAfter[index] = NO_END_OF_RIB
      this.#tellEndOfRib(fed, rib.family)
    }
    if (length(fed) > 0) this.#waiting.add(fed)
  }

  #tellChange(
    { it, addPath }: Fed,
    rib: FamilyRib,
    prefix: number,
    pathId: number,
    marks: number,
  ): void {
    if (it === undefined) return this.#tellBest(rib, prefix, true)
    const { paths, prefixes } = rib
    let path = prefixes.paths(prefix)
    const wanted = it.peer.id
    while (path !== 0 && (paths.peer(path) !== wanted || paths.id(path) !== pathId)) {
      path = paths.next(path)
    }
    const id = addPath[rib.family.index] ? pathId : undefined
    const received = path === 0 ? 0 : paths.received(path)
    const accepted = path === 0 ? 0 : paths.accepted(path)
    const since = path === 0 ? this.#second() : paths.since(path)
    this.#streams.prePolicy?.put(it.prePolicy, prefixes, prefix, id, received, since)
    if ((marks & ACCEPTED) === 0) return
    this.#streams.postPolicy?.put(it.postPolicy, prefixes, prefix, id, accepted, since)
  }

  #tellEndOfRib({ it }: Fed, family: FamilyFacts): void {
    const wall = this.#wallNow()
    const { prePolicy, postPolicy, locRib } = this.#streams
    if (it === undefined) return locRib?.endOfRib(this.#locRibHeader, family, wall)
    prePolicy?.endOfRib(it.prePolicy, family, wall)
    postPolicy?.endOfRib(it.postPolicy, family, wall)
  }

  readonly #second = (): number => Math.floor(this.#wallNow() / 1000)
}

/** Paths and best paths of each family. */
const TABLES = 2 * FAMILIES.length
const nobody = (): void => {}
const length = ({ changes }: Fed): number => changes[0].length + changes[1].length
