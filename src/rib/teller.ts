/**
 * What an update group tells of a prefix, and what it has told: its best path (`best-path-teller.ts`), or
 * several paths side by side (`multi-path-teller.ts`). The group says when to look at a prefix; the teller
 * files with the encoder what that changes.
 */
import type { AnnouncementEncoder } from './announcement-encoder.ts'
import type { AttributeStore } from './attribute-store.ts'
import type { Lesson } from './catch-up.ts'
import type { ExportLimit } from './export-limit.ts'
import type { ExportRules, ToldForm } from './export-rules.ts'
import type { FamilyRib } from './family-rib.ts'
import type { OriginatedDefault } from './originated-default.ts'
import type { RibPeers } from './peer.ts'

/** A path that somebody has been told. */
export interface ToldPath extends ToldForm {
  /** Its row in the Loc-RIB; 0 when it has just gone, or never was there. */
  readonly path: number
  readonly pathId: number
}

/** What was told, and the marks of the prefixes to look at again. */
export interface Told {
  /** Prefixes told, or paths where there are several. */
  readonly count: number
  /** Of these, those that come from `peer`. */
  countFrom(peer: number): number
  /** Marks a prefix, which holds it; false when it is marked already. */
  mark(prefix: number): boolean
  /** Takes the mark away; the prefix may be gone then. */
  unmark(prefix: number): void
  /** Gives up all that is held for a prefix. */
  forget(prefix: number): void
}

export interface Teller {
  readonly told: Told
  /** Compares one prefix with what the group was told and files the difference. */
  look(prefix: number): void
  /** Visits the path identifiers under which `peer` knows the prefix. */
  visitTold(peer: number, prefix: number, visit: (pathId: number) => void): void
  isToldTo(peer: number, prefix: number, pathId: number): boolean
  /** What `peer` was told of a prefix, as sent. */
  toldTo(peer: number, prefix: number): ToldPath[]
  /** What a member that is told apart from the others shall know. */
  lessonFor(peer: number, encoder: AnnouncementEncoder): Lesson
}

/** What a teller works with. */
export interface TellerSurroundings {
  readonly rib: FamilyRib
  readonly attributes: AttributeStore
  readonly peers: RibPeers
  readonly rules: ExportRules
  readonly encoder: AnnouncementEncoder
  readonly limit: ExportLimit | undefined
  readonly defaultRoute: OriginatedDefault | undefined
  isMember(peer: number): boolean
  /** Members that are told apart must hear of this path. */
  changed(prefix: number, pathId: number): void
}
