/**
 * Tells several paths of a prefix side by side (RFC 7911): all that may be told, or the best so many of them.
 *
 * The path identifier that we give a path is the number of its row in the Loc-RIB: it stays while the path
 * lives, is the same for every group, and nothing must be kept for it. A row that is used again is another
 * path under the same identifier, which replaces the first. So what is told is one attribute set and one
 * source for each prefix and identifier, and the audience is as in `best-path-teller.ts`: all but the source.
 */
import type { AnnouncementEncoder } from './announcement-encoder.ts'
import type { Lesson } from './catch-up.ts'
import { PathDebts } from './path-debts.ts'
import { LOCAL_PEER } from './peer.ts'
import type { Teller, TellerSurroundings, ToldPath } from './teller.ts'
import { ToldPaths } from './told-paths.ts'

const FIRST_CAPACITY = 64
/** Stands for the default route that is no path of the Loc-RIB; its identifier, too. */
const OWN_DEFAULT = 0

export class MultiPathTeller implements Teller {
  readonly told: ToldPaths
  readonly #around: TellerSurroundings
  /** Paths of a prefix that are told at most. */
  readonly #most: number
  #$paths = new Int32Array(FIRST_CAPACITY)
  /** The set to tell of each path; one that is not the path's own comes with a reference. */
  readonly #$wanted = new Map<number, number>()

  constructor(around: TellerSurroundings, most: number) {
    this.#around = around
    this.#most = most
    this.told = new ToldPaths(around.rib.prefixes, around.attributes, around.peers)
  }

  look(prefix: number): void {
    // It will be decided, and looked at again then: nobody shall hear of what may not last.
    if (this.#around.rib.prefixes.isWaiting(prefix)) return
    this.#around.limit?.forget(prefix)
    this.#choose(prefix)
    const { told } = this
    const wanted = this.#$wanted
    let before = 0
    for (let row = told.first(prefix); row !== 0;) {
      const next = told.next(row)
      const set = this.#wantedOf(prefix, row)
      if (set === undefined) this.#withdraw(prefix, before, row)
      else {
        this.#update(prefix, row, set)
        before = row
      }
      row = next
    }
    for (const [path, set] of wanted) this.#add(prefix, path, set)
    wanted.clear()
  }

  visitTold(peer: number, prefix: number, visit: (pathId: number) => void): void {
    const { told } = this
    for (let row = told.first(prefix); row !== 0; row = told.next(row)) {
      if (told.source(row) !== peer) visit(told.id(row))
    }
  }

  isToldTo(peer: number, prefix: number, pathId: number): boolean {
    const { told } = this
    for (let row = told.first(prefix); row !== 0; row = told.next(row)) {
      if (told.id(row) === pathId) return told.source(row) !== peer
    }
    return false
  }

  toldTo(peer: number, prefix: number): ToldPath[] {
    const { told } = this
    const paths: ToldPath[] = []
    for (let row = told.first(prefix); row !== 0; row = told.next(row)) {
      if (told.source(row) === peer) continue
      const form = this.#around.rules.form(told.set(row), told.source(row))
      paths.push({ ...form, path: told.id(row), pathId: told.id(row) })
    }
    return paths
  }

  lessonFor(peer: number, encoder: AnnouncementEncoder): Lesson {
    const { told } = this
    const debts = new PathDebts()
    const announce = (prefix: number): void => {
      for (let row = told.first(prefix); row !== 0; row = told.next(row)) {
        if (told.source(row) === peer) continue
        encoder.announce(prefix, told.set(row), told.source(row), told.id(row))
      }
    }
    return {
      announce,
      settle: (prefix) => {
        announce(prefix)
        debts.take(prefix, (id) => {
          if (!this.isToldTo(peer, prefix, id)) encoder.withdraw(prefix, 0, id)
        })
      },
      owe: (prefix, id) => debts.add(prefix, id),
      handOver: (prefix, visit) => debts.take(prefix, visit),
      forgive: (prefix) => debts.take(prefix, () => {}),
    }
  }

  /** Fills `$wanted` with the paths to tell. */
  #choose(prefix: number): void {
    const { rib, rules, attributes, defaultRoute } = this.#around
    const wanted = this.#$wanted
    if (prefix === defaultRoute?.prefix) {
      attributes.retain(defaultRoute.set)
      wanted.set(OWN_DEFAULT, defaultRoute.set)
      return
    }
    let count = 0
    for (let path = rib.prefixes.paths(prefix); path !== 0; path = rib.paths.next(path)) {
      if (!rib.decision.isEligible(path)) continue
      const set = rules.exported(prefix, rib.paths.accepted(path), rib.paths.peer(path))
      if (set === 0) continue
      wanted.set(path, set)
      if (count === this.#$paths.length) this.#grow()
      this.#$paths[count++] = path
    }
    if (count <= this.#most) return
    rib.decision.rank(this.#$paths, count, this.#most)
    for (let i = this.#most; i < count; i++) {
      const path = this.#$paths[i]
      const set = wanted.get(path)
      wanted.delete(path)
      if (set !== undefined && set !== rib.paths.accepted(path)) attributes.release(set)
    }
  }

  #grow(): void {
    const paths = new Int32Array(2 * this.#$paths.length)
    paths.set(this.#$paths)
    this.#$paths = paths
  }

  #add(prefix: number, path: number, set: number): void {
    const { encoder, limit } = this.#around
    const source = this.#sourceOf(path)
    if (limit?.admits(this.told, prefix, source, undefined) === false) {
      return this.#giveBack(path, set)
    }
    encoder.announce(prefix, set, source, path)
    this.told.add(prefix, path, set, source)
    this.#settled(prefix, path, set)
  }

  /** The set to tell under an identifier that is told already; undefined for none. */
  #wantedOf(prefix: number, row: number): number | undefined {
    const { limit } = this.#around
    const path = this.told.id(row)
    const set = this.#$wanted.get(path)
    if (set === undefined || limit === undefined) return set
    const before = this.told.source(row)
    if (limit.admits(this.told, prefix, this.#sourceOf(path), before)) return set
    this.#$wanted.delete(path)
    this.#giveBack(path, set)
    return undefined
  }

  /** A path that is told already: with another set, or its row is another peer's by now. */
  #update(prefix: number, row: number, set: number): void {
    const { encoder } = this.#around
    const path = this.told.id(row)
    const source = this.#sourceOf(path)
    const toldSource = this.told.source(row)
    this.#$wanted.delete(path)
    if (set === this.told.set(row) && source === toldSource) {
      this.#giveBack(path, set)
      return
    }
    encoder.announce(prefix, set, source, path)
    if (source !== toldSource && this.#around.isMember(source)) {
      encoder.withdrawFrom(prefix, source, path)
    }
    this.told.change(row, set, source)
    this.#settled(prefix, path, set)
  }

  #withdraw(prefix: number, before: number, row: number): void {
    const path = this.told.id(row)
    this.#around.encoder.withdraw(prefix, this.told.source(row), path)
    this.told.remove(prefix, before, row)
    this.#around.changed(prefix, path)
  }

  #sourceOf(path: number): number {
    return path === OWN_DEFAULT ? LOCAL_PEER : this.#around.rib.paths.peer(path)
  }

  #settled(prefix: number, path: number, set: number): void {
    this.#giveBack(path, set)
    this.#around.changed(prefix, path)
  }

  /** What is told is held by `told`. */
  #giveBack(path: number, set: number): void {
    const { rib, attributes } = this.#around
    if (path === OWN_DEFAULT || set !== rib.paths.accepted(path)) attributes.release(set)
  }
}
