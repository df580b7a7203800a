/**
 * Routing policy (RFC 4271 9.1.1 and 9.2): which routes are taken in from a peer, and which are told to it.
 *
 * A policy looks at a route through views that the RIB implements over its columns, so nothing is built
 * for it. One that does not look at the prefix is asked once for each attribute set and source.
 */

/** What a policy may read of an attribute set; the RIB's attribute store is one. `set` is an AttrId. */
export interface AttributeView {
  origin(set: number): number
  asPathLength(set: number): number
  neighborAs(set: number): number
  localPref(set: number): number
  med(set: number): number
}

/** Where a route comes from. */
export interface RouteOrigin {
  /** From one of our own prefix sources, not from a peer. */
  readonly local: boolean
  /** The peer's name; `local` for our own. */
  readonly name: string
}

export interface RouteView {
  readonly from: RouteOrigin
  readonly attributes: AttributeView
  readonly set: number
}

export interface Verdict {
  readonly accept: boolean
  /** Which rule decided, for `show` and `explain`. */
  readonly reason: string
}

export interface Policy {
  readonly name: string
  /** False: the verdict is the same for all prefixes of an attribute set and source. */
  readonly looksAtPrefix: boolean
  evaluate(route: RouteView): Verdict
}
