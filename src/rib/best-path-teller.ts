/**
 * Tells the best path of a prefix and no other, as BGP has always done; with a path identifier in front, if
 * the session wants that, which is always the same: so another best path replaces the one before.
 *
 * "All but the source" is the audience of an announcement. So when the best path moves from peer A to peer
 * B, everybody but B hears the new one, which for A is the first it hears, and B alone hears a withdrawal:
 * one attribute set per prefix describes what each member knows.
 */
import { ONLY_PATH, type AnnouncementEncoder } from './announcement-encoder.ts'
import type { Lesson } from './catch-up.ts'
import type { ExportLimit } from './export-limit.ts'
import { LOCAL_PEER } from './peer.ts'
import type { Teller, TellerSurroundings, ToldPath } from './teller.ts'
import { ToldRoutes } from './told-routes.ts'

export class BestPathTeller implements Teller {
  readonly told: ToldRoutes
  readonly #around: TellerSurroundings

  constructor(around: TellerSurroundings) {
    this.#around = around
    this.told = new ToldRoutes(around.rib.prefixes, around.attributes, around.peers)
  }

  look(prefix: number): void {
    const { rib, rules, attributes, defaultRoute } = this.#around
    if (prefix === defaultRoute?.prefix) return this.#tell(prefix, defaultRoute.set, LOCAL_PEER)
    // Between a withdrawal and the decision that follows there is no best path, but maybe soon another
    // one: nobody shall hear of that.
    if (rib.prefixes.isWaiting(prefix)) return rib.prefixes.watch(prefix)
    const best = rib.prefixes.best(prefix)
    const accepted = best === 0 ? 0 : rib.paths.accepted(best)
    const source = best === 0 ? 0 : rib.paths.peer(best)
    const set = accepted === 0 ? 0 : rules.exported(prefix, accepted, source)
    this.#tell(prefix, set, source)
    if (set !== 0 && set !== accepted) attributes.release(set)
  }

  visitTold(peer: number, prefix: number, visit: (pathId: number) => void): void {
    if (this.#setFor(peer, prefix) !== 0) visit(ONLY_PATH)
  }

  isToldTo(peer: number, prefix: number): boolean {
    return this.#setFor(peer, prefix) !== 0
  }

  toldTo(peer: number, prefix: number): ToldPath[] {
    const set = this.#setFor(peer, prefix)
    if (set === 0) return []
    const { rib, rules, defaultRoute } = this.#around
    const form = rules.form(set, this.told.source(prefix))
    const path = prefix === defaultRoute?.prefix ? 0 : rib.prefixes.best(prefix)
    return [{ ...form, path, pathId: ONLY_PATH }]
  }

  lessonFor(peer: number, encoder: AnnouncementEncoder): Lesson {
    const announce = (prefix: number): boolean => {
      const set = this.#setFor(peer, prefix)
      if (set !== 0) encoder.announce(prefix, set, this.told.source(prefix))
      return set !== 0
    }
    return {
      announce,
      settle: (prefix) => {
        if (!announce(prefix)) encoder.withdraw(prefix, 0)
      },
      owe: () => {},
      handOver: (_prefix, visit) => visit(ONLY_PATH),
      forgive: () => {},
    }
  }

  /** AttrId, or 0 when nothing is told or when it came from `peer`. */
  #setFor(peer: number, prefix: number): number {
    return this.told.source(prefix) === peer ? 0 : this.told.set(prefix)
  }

  /** The group shall know `wanted` from `source`, or nothing: files the difference. */
  #tell(prefix: number, wanted: number, source: number): void {
    const { encoder, limit } = this.#around
    const toldSet = this.told.set(prefix)
    const toldSource = this.told.source(prefix)
    const set = limit === undefined ? wanted : this.#admitted(limit, prefix, wanted, source)
    if (set === toldSet && (set === 0 || source === toldSource)) return
    if (set === 0) encoder.withdraw(prefix, toldSource)
    else {
      encoder.announce(prefix, set, source)
      if (toldSet !== 0 && source !== toldSource && this.#around.isMember(source)) {
        encoder.withdrawFrom(prefix, source)
      }
    }
    this.told.put(prefix, set, source)
    this.#around.changed(prefix, ONLY_PATH)
  }

  #admitted(limit: ExportLimit, prefix: number, set: number, source: number): number {
    limit.forget(prefix)
    if (set === 0) return 0
    const before = this.told.set(prefix) === 0 ? undefined : this.told.source(prefix)
    return limit.admits(this.told, prefix, source, before) ? set : 0
  }
}
