/**
 * Adj-RIB-In of one session: takes its UPDATEs in (RFC 4271 section 9, RFC 7606).
 *
 * The fast way, which nearly all messages take: split the message by offsets, intern the attribute bytes,
 * and put one row per prefix. The slow way is for attribute sections that are not plain: they are
 * normalised by the rules of RFC 7606 first, and what comes out is interned. An UPDATE that cannot be
 * trusted but can be understood withdraws the prefixes that it names ("treat-as-withdraw").
 */
import { IPV4, IPV6, SAFI_UNICAST, factsOf, familyOfAfi, type FamilyFacts } from '../net/family.ts'
import { findAttribute } from '../wire/attributes/attribute.ts'
import {
  missingMandatory,
  normalizeAttributes,
  type AttributeProblem,
  type Normalized,
} from '../wire/attributes/normalize.ts'
import { mpReachNlri } from '../wire/attributes/mp-reach-nlri.ts'
import { mpUnreachNlri } from '../wire/attributes/mp-unreach-nlri.ts'
import { ERROR_UPDATE, INVALID_NETWORK_FIELD, OPTIONAL_ATTRIBUTE_ERROR } from '../wire/constants.ts'
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
  NEXT_HOP_IN_REACH,
} from '../wire/scan.ts'
import { UpdateView } from '../wire/update.ts'
import type { AdjRibInEvents, AdjRibInOptions } from './adj-rib-in-terms.ts'
import { Admission } from './admission.ts'
import type { AttributeStore } from './attribute-store.ts'
import type { FamilyRib } from './family-rib.ts'
import type { RibPeer } from './peer.ts'

/** Attributes that say nothing when they come from another AS (RFC 4271 5.1.5, RFC 4456). */
const INTERNAL_ONLY = HAS_LOCAL_PREF | HAS_ORIGINATOR_ID | HAS_CLUSTER_LIST
/** AFI of NLRI that we have no table for. */
const OTHER_AFI = 0xffff
const MANDATORY = HAS_ORIGIN | HAS_AS_PATH | HAS_NEXT_HOP

// One message at a time is taken apart, whosever it is: all sessions share the scratch.
const $view = new UpdateView()
const $nlri: readonly [NlriColumns, NlriColumns] = [new NlriColumns(IPV4), new NlriColumns(IPV6)]
/** The key of a prefix that stands in a table. */
const $words = new Int32Array(4)

export class AdjRibIn {
  readonly peer: RibPeer
  readonly #ribs: readonly [FamilyRib, FamilyRib]
  readonly #attributes: AttributeStore
  readonly #options: AdjRibInOptions
  readonly #events: AdjRibInEvents
  readonly #negotiated: readonly [boolean, boolean]
  /** Found in the current message. */
  #problems: AttributeProblem[] = []
  /** Whether NLRI carry path identifiers, by family (RFC 7911). */
  readonly #pathIds: readonly [boolean, boolean]
  readonly #admission: Admission

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
    this.#admission = new Admission(peer, attributes, options.routerId)
    this.#negotiated = [options.families.includes('ipv4'), options.families.includes('ipv6')]
    const { addPath = [] } = peer.options
    this.#pathIds = [addPath.includes('ipv4'), addPath.includes('ipv6')]
  }

  /**
   * Takes in the UPDATE body `bytes[start..end)`, received at second `since`. Throws a SessionError only
   * where RFC 7606 leaves no milder remedy.
   */
  receive(bytes: Uint8Array, start: number, end: number, since: number): void {
    const view = $view
    if (this.#problems.length > 0) this.#problems = []
    view.split(bytes, start, end, this.#options)
    if (view.empty) return this.#endOfRib(IPV4)
    const erroneous = this.peer.counters.erroneousPrefixes
    // Broken headers hide the multiprotocol attributes: read them the slow way before anything else.
    if (view.attributes === undefined) this.#locate(view)
    this.#withdraw(IPV4, view.withdrawnStart, view.withdrawnEnd)
    if (view.unreachAfi !== 0) this.#unreach(view)
    // What was not agreed on is ignored (RFC 4760 section 8).
    const announces = view.nlriStart < view.nlriEnd && this.#negotiated[IPV4.index]
    const reached = this.#reachedFamily(view)
    if (announces && reached !== undefined) this.#announceBoth(view, reached, since)
    else if (announces) this.#announceOne(view, 'nlri', IPV4, since)
    else if (reached !== undefined) this.#announceOne(view, 'reach', reached, since)
    else if (view.attributes !== undefined && view.from < view.to) {
      // Attributes of nothing are read as well: errors in them may hide prefixes (RFC 7606 5.2).
      this.#locate(view)
    }
    if (this.peer.counters.erroneousPrefixes !== erroneous) this.peer.counters.erroneousUpdates++
    if (this.#problems.length > 0) {
      this.#events.malformedReceived({
        problems: this.#problems,
        bytes: bytes.subarray(start, end),
        prefixes: (most) => this.#named(view, most),
      })
    }
  }

  /** The family announced in MP_REACH_NLRI, if it was agreed on. */
  #reachedFamily(view: UpdateView): FamilyFacts | undefined {
    if (view.reachAfi === 0 || view.reachStart === view.reachEnd) return undefined
    const family = familyOfAfi(view.reachAfi)
    if (family === undefined) return undefined
    const facts = factsOf(family)
    return this.#negotiated[facts.index] ? facts : undefined
  }

  /**
   * A message with prefixes in both places has two sets, which differ in their next hop. What makes one of
   * them malformed makes the whole message so: all that it names is withdrawn (RFC 7606 section 2).
   */
  #announceBoth(view: UpdateView, reached: FamilyFacts, since: number): void {
    const sets: number[] = []
    try {
      sets.push(this.#internSet(view, 'nlri'), this.#internSet(view, 'reach'))
      const [nlri, reach] = sets.every((set) => set >= 0) ? sets : [-1, -1]
      this.#announce(IPV4, view.nlriStart, view.nlriEnd, nlri, since)
      this.#announce(reached, view.reachStart, view.reachEnd, reach, since)
    } finally {
      for (const set of sets) if (set >= 0) this.#attributes.release(set)
    }
  }

  /** RFC 5065 section 4 lets it go to other member ASes, and no more. */
  get #expectsLocalPref(): boolean {
    const { external, confederation } = this.peer.options
    return !external && confederation !== true
  }

  #endOfRib(family: FamilyFacts): void {
    if (this.#negotiated[family.index]) this.#events.endOfRibReceived(family.name)
  }

  /** The AttrId of a set with a reference taken, or -1 to treat the prefixes as withdrawn. */
  #internSet(view: UpdateView, setFor: 'nlri' | 'reach'): number {
    if (view.attributes !== undefined && this.#options.fourOctetAs) {
      const set = this.#attributes.intern(view.attributes, view.from, view.to)
      if (set !== 0) {
        if (this.#acceptable(set, setFor)) return set
        this.#attributes.release(set)
      }
    }
    const canonical = this.#normalize(view, setFor)
    if (canonical === undefined) return -1
    const set = this.#attributes.intern(canonical, 0, canonical.length)
    return set === 0 ? -1 : set
  }

  /** Nothing missing, nothing that must not come from outside, one next hop of the right kind. */
  #acceptable(set: number, setFor: 'nlri' | 'reach'): boolean {
    const flags = this.#attributes.flags(set)
    const { external } = this.peer.options
    // RFC 4271 5.1.5: LOCAL_PREF is for, and expected of, internal peers.
    const mandatory = this.#expectsLocalPref ? MANDATORY | HAS_LOCAL_PREF : MANDATORY
    const wanted = setFor === 'reach' ? mandatory | NEXT_HOP_IN_REACH : mandatory
    const unwanted =
      (external ? INTERNAL_ONLY : 0) | (this.#options.confederation ? 0 : HAS_CONFEDERATION)
    return (flags & (mandatory | NEXT_HOP_IN_REACH)) === wanted && (flags & unwanted) === 0
  }

  /** Finds the multiprotocol NLRI where the headers of a section are irregular. */
  #locate(view: UpdateView): void {
    const { reach, unreach, problems } = this.#normalized(view)
    this.#note(problems)
    if (reach !== undefined) {
      view.reachAfi = reach.safi === SAFI_UNICAST ? reach.afi : OTHER_AFI
      view.reachStart = reach.nlriStart
      view.reachEnd = reach.nlriEnd
    }
    if (unreach !== undefined) {
      view.unreachAfi = unreach.safi === SAFI_UNICAST ? unreach.afi : OTHER_AFI
      view.unreachStart = unreach.nlriStart
      view.unreachEnd = unreach.nlriEnd
    }
  }

  /**
   * The long way round: every rule of RFC 7606. Returns canonical bytes, valid until the next message, or
   * undefined to treat the message as a withdrawal.
   */
  #normalize(view: UpdateView, setFor: 'nlri' | 'reach'): Uint8Array | undefined {
    const external = !this.#expectsLocalPref
    const { problems, remedy, canonical } = this.#normalized(view, setFor)
    const missing =
      remedy === 'withdraw' ? [] : missingMandatory(canonical, setFor === 'nlri', { external })
    this.#note([...problems, ...missing])
    return remedy === 'withdraw' || missing.length > 0 ? undefined : canonical
  }

  #normalized(view: UpdateView, setFor?: 'nlri' | 'reach'): Normalized {
    const { bytes, sectionStart, sectionEnd } = view
    const { fourOctetAs, confederation, ipv6NextHops, link } = this.#options
    const { external } = this.peer.options
    const context = { external, fourOctetAs, confederation, ipv6NextHops, link }
    const hasNlri = view.nlriStart < view.nlriEnd
    const message = setFor === undefined ? { hasNlri } : { hasNlri, setFor }
    return normalizeAttributes(bytes, sectionStart, sectionEnd, context, message)
  }

  /** A section is read once for each family that its message announces: it is told once. */
  #note(problems: readonly AttributeProblem[]): void {
    for (const problem of problems) {
      const { code, why } = problem
      if (this.#problems.some((known) => known.code === code && known.why === why)) continue
      this.#problems.push(problem)
    }
  }

  #unreach(view: UpdateView): void {
    const family = familyOfAfi(view.unreachAfi)
    if (family === undefined) return
    const facts = family === 'ipv4' ? IPV4 : IPV6
    const alone = view.withdrawnStart === view.withdrawnEnd && view.nlriStart === view.nlriEnd
    if (view.unreachStart === view.unreachEnd && alone && view.reachAfi === 0) {
      return this.#endOfRib(facts)
    }
    this.#withdraw(facts, view.unreachStart, view.unreachEnd)
  }

  #announceOne(
    view: UpdateView,
    setFor: 'nlri' | 'reach',
    family: FamilyFacts,
    since: number,
  ): void {
    const set = this.#internSet(view, setFor)
    try {
      if (setFor === 'nlri') this.#announce(family, view.nlriStart, view.nlriEnd, set, since)
      else this.#announce(family, view.reachStart, view.reachEnd, set, since)
    } finally {
      if (set >= 0) this.#attributes.release(set)
    }
  }

  /** The paths take references on `set` of their own; -1 is to treat the prefixes as withdrawn. */
  #announce(family: FamilyFacts, start: number, end: number, set: number, since: number): void {
    if (set < 0) {
      this.peer.counters.erroneousPrefixes += this.#withdraw(family, start, end)
      return
    }
    const nlri = this.#decode(family, start, end)
    const { count, words, stride, lengths } = nlri
    const ids = this.#pathIds[family.index] ? nlri.pathIds : undefined
    const rib = this.#ribs[family.index]
    const each = this.peer.importPolicy.looksAtPrefix
    const taken = this.#admission.takeIn(set)
    let accepted = each ? 0 : this.#admission.admit(family, taken)
    const most = this.peer.mostPaths[family.index]
    const held = this.peer.paths
    const scarce = held[family.index] + count > most
    let beyond = 0
    let refused = 0
    for (let i = 0, at = 0; i < count; i++, at += stride) {
      const length = lengths[i]
      const id = ids === undefined ? 0 : ids[i]
      if (scarce && held[family.index] >= most) {
        // What is held may still change.
        if (rib.find(this.peer, words, at, length, id) === 0) {
          beyond++
          continue
        }
      }
      if (each) accepted = this.#admission.admit(family, taken, words, at, length)
      const why = this.#admission.rejection(accepted)
      if (!rib.put(this.peer, words, at, length, set, accepted, why, since, id)) refused++
      if (each) this.#admission.giveBack(accepted, taken)
    }
    if (!each) this.#admission.giveBack(accepted, taken)
    this.#admission.giveBack(taken, set)
    if (refused > 0) this.#events.pathsRefused(refused)
    if (beyond > 0) this.#events.pathsBeyondLimit(family, beyond)
  }

  /** The number of prefixes. */
  #withdraw(family: FamilyFacts, start: number, end: number): number {
    if (start === end || !this.#negotiated[family.index]) return 0
    const nlri = this.#decode(family, start, end)
    const rib = this.#ribs[family.index]
    const ids = this.#pathIds[family.index] ? nlri.pathIds : undefined
    for (let i = 0, at = 0; i < nlri.count; i++, at += nlri.stride) {
      const id = ids === undefined ? 0 : ids[i]
      rib.withdraw(this.peer, nlri.words, at, nlri.lengths[i], id)
    }
    return nlri.count
  }

  #named(view: UpdateView, most: number): string[] {
    const texts: string[] = []
    const list = (family: FamilyFacts, start: number, end: number): void => {
      if (start === end || !this.#negotiated[family.index]) return
      const nlri = this.#decode(family, start, end)
      for (let i = 0; i < nlri.count && texts.length < most; i++) {
        texts.push(nlri.text(i))
      }
    }
    const unreach = familyOfAfi(view.unreachAfi)
    const reach = familyOfAfi(view.reachAfi)
    list(IPV4, view.withdrawnStart, view.withdrawnEnd)
    if (unreach !== undefined) list(factsOf(unreach), view.unreachStart, view.unreachEnd)
    list(IPV4, view.nlriStart, view.nlriEnd)
    if (reach !== undefined) list(factsOf(reach), view.reachStart, view.reachEnd)
    return texts
  }

  /** RFC 7606 section 3 j: prefixes that can't be told apart can't be treated as withdrawn either. */
  #decode(family: FamilyFacts, start: number, end: number): NlriColumns {
    const nlri = $nlri[family.index]
    const good = this.#pathIds[family.index]
      ? nlri.decodeWithPathIds($view.bytes, start, end)
      : nlri.decode($view.bytes, start, end)
    if (!good) throw brokenPrefix(family, start)
    this.#ribs[family.index].prefixes.touch(nlri.words, nlri.lengths, nlri.count)
    return nlri
  }

  /** Another verdict about a path of this session: policy has changed. */
  judgeAgain(rib: FamilyRib, path: number): void {
    if (this.peer.longLived[rib.family.index] && rib.isStale(this.peer, path)) return
    const set = rib.paths.received(path)
    const taken = this.#admission.takeIn(set)
    const prefix = rib.paths.prefix(path)
    rib.prefixes.copyWords(prefix, $words)
    const accepted = this.#admission.admit(
      rib.family,
      taken,
      $words,
      0,
      rib.prefixes.length(prefix),
    )
    rib.judge(this.peer, path, accepted, this.#admission.rejection(accepted))
    this.#admission.giveBack(accepted, taken)
    this.#admission.giveBack(taken, set)
  }
}

/** In a multiprotocol attribute it is the attribute that is wrong (RFC 4760 section 7). */
function brokenPrefix({ name }: FamilyFacts, start: number): SessionError {
  const { bytes, sectionStart, sectionEnd, reachAfi, reachStart } = $view
  const why = `broken ${name} prefix`
  if (start < sectionStart || start >= sectionEnd) {
    return new SessionError(ERROR_UPDATE, INVALID_NETWORK_FIELD, why)
  }
  // Without MP_REACH_NLRI, `reachStart` is that of an earlier message.
  const isReach = reachAfi !== 0 && start === reachStart
  const code = isReach ? mpReachNlri.code : mpUnreachNlri.code
  const data = findAttribute(bytes, sectionStart, sectionEnd, code)
  return new SessionError(ERROR_UPDATE, OPTIONAL_ATTRIBUTE_ERROR, why, data)
}
