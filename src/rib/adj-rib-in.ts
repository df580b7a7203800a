/**
 * Adj-RIB-In of one session: takes its UPDATEs in (RFC 4271 section 9, RFC 7606).
 *
 * The fast way, which nearly all messages take: split the message by offsets, intern the attribute bytes,
 * and put one row per prefix. The slow way is for attribute sections that are not plain: they are
 * normalised by the rules of RFC 7606 first, and what comes out is interned. An UPDATE that cannot be
 * trusted but can be understood withdraws the prefixes that it names ("treat-as-withdraw").
 */
import { FAMILIES, IPV4, IPV6, familyOfAfi, type Family, type FamilyFacts } from '../net/family.ts'
import {
  missingMandatory,
  normalizeAttributes,
  type AttributeProblem,
} from '../wire/attributes/normalize.ts'
import type { RouteOrigin } from '../policy/policy.ts'
import { ERROR_UPDATE, INVALID_NETWORK_FIELD } from '../wire/constants.ts'
import { SessionError } from '../wire/errors.ts'
import { NlriColumns } from '../wire/nlri.ts'
import {
  HAS_AS_PATH,
  HAS_CLUSTER_LIST,
  HAS_CONFEDERATION,
  HAS_LOCAL_PREF,
  HAS_NEXT_HOP,
  HAS_ORIGIN,
  HAS_ORIGINATOR_ID,
  HAS_OWN_CLUSTER,
  NEXT_HOP_IN_REACH,
} from '../wire/scan.ts'
import { UpdateView } from '../wire/update.ts'
import type { AttributeStore } from './attribute-store.ts'
import type { FamilyRib } from './family-rib.ts'
import type { Rejection } from './paths.ts'
import type { RibPeer } from './peer.ts'

/** What a session has agreed on, as far as UPDATEs depend on it. */
export interface AdjRibInOptions {
  readonly families: readonly Family[]
  readonly fourOctetAs: boolean
  /** Our own identifier, unsigned: a path that we originated comes back (RFC 4456 section 8). */
  readonly routerId: number
}

export interface AdjRibInEvents {
  /** A malformed UPDATE was dealt with without ending the session. */
  malformedReceived(problems: readonly AttributeProblem[]): void
  endOfRibReceived(family: Family): void
}

/** Attributes that say nothing when they come from another AS (RFC 4271 5.1.5, RFC 4456, RFC 5065). */
const INTERNAL_ONLY = HAS_LOCAL_PREF | HAS_ORIGINATOR_ID | HAS_CLUSTER_LIST | HAS_CONFEDERATION
const MANDATORY = HAS_ORIGIN | HAS_AS_PATH | HAS_NEXT_HOP

// One message at a time is taken apart, whosever it is: all sessions share the scratch.
const $view = new UpdateView()
const $nlri: readonly [NlriColumns, NlriColumns] = [new NlriColumns(IPV4), new NlriColumns(IPV6)]

export class AdjRibIn {
  readonly peer: RibPeer
  readonly #ribs: readonly [FamilyRib, FamilyRib]
  readonly #attributes: AttributeStore
  readonly #options: AdjRibInOptions
  readonly #events: AdjRibInEvents
  readonly #negotiated: readonly [boolean, boolean]
  readonly #from: RouteOrigin

  constructor(
    peer: RibPeer,
    ribs: readonly [FamilyRib, FamilyRib],
    attributes: AttributeStore,
    options: AdjRibInOptions,
    events: AdjRibInEvents,
  ) {
    this.peer = peer
    this.#ribs = ribs
    this.#attributes = attributes
    this.#options = options
    this.#events = events
    this.#from = { local: false, name: peer.options.name }
    this.#negotiated = [options.families.includes('ipv4'), options.families.includes('ipv6')]
  }

  /**
   * Takes in the UPDATE body `bytes[start..end)`, received at second `since`. Throws a SessionError only
   * where RFC 7606 leaves no milder remedy.
   */
  receive(bytes: Uint8Array, start: number, end: number, since: number): void {
    const view = $view
    view.split(bytes, start, end)
    if (view.empty) return this.#events.endOfRibReceived('ipv4')
    let set = 0
    if (view.attributes === undefined) set = this.#slowly(view)
    const reaches = view.reachAfi !== 0 || view.nlriStart < view.nlriEnd
    if (set === 0 && reaches) set = this.#internSet(view)
    this.#withdraw(IPV4, view.withdrawnStart, view.withdrawnEnd)
    if (view.unreachAfi !== 0) this.#unreach(view)
    if (reaches) this.#reach(view, set, since)
    if (set > 0) this.#attributes.release(set)
  }

  /** The AttrId of the message's set with a reference taken, or -1 to treat it as a withdrawal. */
  #internSet(view: UpdateView): number {
    if (view.attributes !== undefined) {
      const set = this.#attributes.intern(view.attributes, view.from, view.to)
      const mustBeCleaned = this.peer.options.external ? INTERNAL_ONLY : 0
      if (set !== 0 && this.#options.fourOctetAs && this.#acceptable(view, set, mustBeCleaned))
        return set
      if (set !== 0) this.#attributes.release(set)
    }
    return this.#slowly(view)
  }

  #acceptable(view: UpdateView, set: number, mustBeCleaned: number): boolean {
    const flags = this.#attributes.flags(set)
    if ((flags & MANDATORY) !== MANDATORY || (flags & mustBeCleaned) !== 0) return false
    // A set with both kinds of next hop must not be read as one of the other kind.
    const inReach = (flags & NEXT_HOP_IN_REACH) !== 0
    return inReach ? view.nlriStart === view.nlriEnd : view.reachAfi === 0
  }

  /** The long way round: every rule of RFC 7606. Returns as `#internSet`. */
  #slowly(view: UpdateView): number {
    const normalized = normalizeAttributes(view.bytes, view.sectionStart, view.sectionEnd, {
      external: this.peer.options.external,
      fourOctetAs: this.#options.fourOctetAs,
    })
    const { reach, unreach } = normalized
    view.reachAfi = 0
    view.unreachAfi = 0
    if (reach !== undefined) {
      view.reachAfi = reach.safi === 1 ? reach.afi : 0xffff
      view.reachStart = reach.nlriStart
      view.reachEnd = reach.nlriEnd
    }
    if (unreach !== undefined) {
      view.unreachAfi = unreach.safi === 1 ? unreach.afi : 0xffff
      view.unreachStart = unreach.nlriStart
      view.unreachEnd = unreach.nlriEnd
    }
    const problems = [...normalized.problems]
    let withdraw = normalized.remedy === 'withdraw'
    const hasNlri = view.nlriStart < view.nlriEnd
    if (!withdraw && (hasNlri || view.reachAfi !== 0)) {
      const missing = missingMandatory(normalized.canonical, hasNlri)
      problems.push(...missing)
      withdraw = missing.length > 0
    }
    if (problems.length > 0) this.#events.malformedReceived(problems)
    if (withdraw) return -1
    const set = this.#attributes.intern(normalized.canonical, 0, normalized.canonical.length)
    return set === 0 ? -1 : set
  }

  #reach(view: UpdateView, set: number, since: number): void {
    if (view.nlriStart < view.nlriEnd) {
      this.#announce(IPV4, view.nlriStart, view.nlriEnd, set, since)
    }
    const family = familyOfAfi(view.reachAfi)
    if (family !== undefined) {
      const facts = family === 'ipv4' ? IPV4 : IPV6
      this.#announce(facts, view.reachStart, view.reachEnd, set, since)
    }
  }

  #unreach(view: UpdateView): void {
    const family = familyOfAfi(view.unreachAfi)
    if (family === undefined) return
    const alone = view.withdrawnStart === view.withdrawnEnd && view.nlriStart === view.nlriEnd
    if (view.unreachStart === view.unreachEnd && alone && view.reachAfi === 0) {
      return this.#events.endOfRibReceived(family)
    }
    this.#withdraw(family === 'ipv4' ? IPV4 : IPV6, view.unreachStart, view.unreachEnd)
  }

  #announce(family: FamilyFacts, start: number, end: number, set: number, since: number): void {
    if (!this.#negotiated[family.index]) return
    if (set < 0) return this.#withdraw(family, start, end)
    const nlri = this.#decode(family, start, end)
    const rib = this.#ribs[family.index]
    const rejection = this.judge(set)
    const accepted = rejection === 'none' ? set : 0
    for (let i = 0, at = 0; i < nlri.count; i++, at += nlri.stride) {
      rib.put(this.peer, nlri.words, at, nlri.lengths[i], set, accepted, rejection, since)
    }
  }

  #withdraw(family: FamilyFacts, start: number, end: number): void {
    if (start === end || !this.#negotiated[family.index]) return
    const nlri = this.#decode(family, start, end)
    const rib = this.#ribs[family.index]
    for (let i = 0, at = 0; i < nlri.count; i++, at += nlri.stride) {
      rib.withdraw(this.peer, nlri.words, at, nlri.lengths[i])
    }
  }

  /** RFC 7606 section 3 i: prefixes that can't be told apart can't be treated as withdrawn either. */
  #decode(family: FamilyFacts, start: number, end: number): NlriColumns {
    const nlri = $nlri[family.index]
    if (!nlri.decode($view.bytes, start, end)) {
      throw new SessionError(
        ERROR_UPDATE,
        INVALID_NETWORK_FIELD,
        `broken ${FAMILIES[family.index].name} prefix`,
      )
    }
    return nlri
  }

  /** Why a path with this set may not take part: loops (RFC 4271 9.1.2, RFC 4456 section 8), policy. */
  judge(set: number): Rejection {
    const attributes = this.#attributes
    const { options } = this.peer
    const flags = attributes.flags(set)
    if (attributes.ownAsCount(set) > options.allowOwnAsn) return 'ownAs'
    if ((flags & HAS_OWN_CLUSTER) !== 0) return 'ownCluster'
    const originator = attributes.originatorId(set)
    if (originator !== 0 && originator === this.#options.routerId) return 'ownOriginatorId'
    const route = { from: this.#from, attributes, set }
    return this.peer.importPolicy.evaluate(route).accept ? 'none' : 'importPolicy'
  }
}
