/**
 * Routing policy (RFC 4271 9.1.1 and 9.2): which routes are taken in from a peer and which are told to it,
 * and with which attributes.
 *
 * A policy looks at a route through the columns of whoever keeps it (the RIB; `trial.ts` for tests), so
 * nothing is built for it, and it changes nothing in place: other attributes are another set, with a number
 * of its own. One that does not look at the prefix is asked once for each attribute set and origin.
 */
import { IPV4, type FamilyFacts } from '../net/family.ts'

/**
 * What a policy may ask about attribute sets, and how it makes others of them; the RIB's attribute store
 * is one. `set` is an AttrId.
 */
export interface AttributeSets {
  /** Facts of wire/scan.ts, and marks. */
  flags(set: number): number
  origin(set: number): number
  asPathLength(set: number): number
  neighborAs(set: number): number
  localPref(set: number): number
  med(set: number): number
  /** The canonical bytes, valid until the set is freed. */
  view(set: number): Uint8Array
  /** Tells a set from a later one under the same AttrId; never 0 for one that lives. */
  birth(set: number): number
  /** The set with these canonical bytes and marks, with a reference; 0 when there can be none. */
  intern(bytes: Uint8Array, start: number, end: number, marks?: number): number
  retain(set: number): void
  release(set: number): void
}

/*
 * Marks: what an export policy has decided beyond bytes, for whoever writes the set to the peer. Sets that
 * differ in them are different sets.
 */
/** The next hop to tell is ourselves. */
export const TELL_SELF = 1 << 28
/** The next hop to tell is the one in the set, whatever RFC 4271 5.1.3 would make of it. */
export const TELL_NEXT_HOP = 1 << 29
/** The MED is ours, so it goes to other ASes too. */
export const TELL_MED = 1 << 30
export const MARKS = TELL_SELF | TELL_NEXT_HOP | TELL_MED

/** Where a route comes from. */
export interface RouteOrigin {
  /** From one of our own prefix sources, not from a peer. */
  readonly local: boolean
  /** The peer's name; `local` for our own. */
  readonly name: string
  /** The peer group. */
  readonly group?: string | undefined
  /** `peer`, or the kind of prefix source. */
  readonly source: string
  /** The link that the session runs over, or that our own prefix stands on. */
  readonly link?: string | undefined
  /** Told from every other origin, also from that of the same peer's next session. */
  readonly serial: number
}

let serials = 0

export const originOf = (it: Omit<RouteOrigin, 'serial'>): RouteOrigin => ({
  ...it,
  serial: ++serials,
})

const NOWHERE = originOf({ local: true, name: 'local', source: 'static' })

/** The route that is judged. Scratch: whoever asks a policy has one and fills it in. */
export class Route {
  family: FamilyFacts = IPV4
  from: RouteOrigin = NOWHERE
  /** Its attributes; a policy that changes them puts another set here. */
  set = 0
  /** The prefix, as big-endian words from `at` on; need not be filled in for a policy that does not look at it. */
  words: Int32Array = new Int32Array(4)
  at = 0
  length = 0
}

export interface Verdict {
  readonly accept: boolean
  /** Which rule decided, for `show` and `explain`. */
  readonly reason: string
}

export interface Policy {
  readonly name: string
  /** False: the verdict is the same for all prefixes of an attribute set, origin and family. */
  readonly looksAtPrefix: boolean
  /** False: of our own prefixes it need not be told from which source they come. */
  readonly looksAtSource: boolean
  /** True: it judges otherwise when RPKI data change. */
  readonly looksAtRpki: boolean
  /**
   * Judges a route. When it is accepted with other attributes, `route.set` is another set afterwards, which
   * comes with a reference; else it is as it was.
   */
  judge(route: Route): Verdict
}
