/**
 * What becomes of an attribute set between Adj-RIB-In and Loc-RIB, for one session: first what BGP itself
 * asks (import-rules.ts), then import policy, then what counts whatever policy says.
 *
 * Each step gives the same set or another one, which comes with a reference: `giveBack` returns it.
 */
import type { FamilyFacts } from '../net/family.ts'
import { Route } from '../policy/policy.ts'
import type { AttributeStore } from './attribute-store.ts'
import { lastChoice, received, rejectionOf } from './import-rules.ts'
import type { Rejection } from './paths.ts'
import type { RibPeer } from './peer.ts'

const $route = new Route()
/** The prefix of a policy that does not look at it. */
const NO_WORDS = new Int32Array(4)

export class Admission {
  readonly #peer: RibPeer
  readonly #attributes: AttributeStore
  readonly #routerId: number
  /** Of the set that was taken in last. */
  #refusal: Rejection = 'none'

  constructor(peer: RibPeer, attributes: AttributeStore, routerId: number) {
    this.#peer = peer
    this.#attributes = attributes
    this.#routerId = routerId
  }

  /** The set that import policy is to judge, to be given back; 0 when BGP itself refuses it. */
  takeIn(set: number): number {
    const { rules, options } = this.#peer
    this.#refusal = rejectionOf(set, this.#attributes, rules, options, this.#routerId)
    if (this.#refusal !== 'none') return 0
    const taken = received(set, this.#attributes, rules, options)
    if (taken === 0) this.#refusal = 'tooLong'
    return taken
  }

  /** The set that is left of `taken` after import policy, to be given back; 0 when the path is rejected. */
  admit(
    family: FamilyFacts,
    taken: number,
    words: Int32Array = NO_WORDS,
    at = 0,
    length = 0,
  ): number {
    if (taken === 0) return 0
    const { origin, importPolicy, rules, options } = this.#peer
    $route.family = family
    $route.from = origin
    $route.set = taken
    $route.words = words
    $route.at = at
    $route.length = length
    if (!importPolicy.judge($route).accept) return 0
    const accepted = lastChoice($route.set, this.#attributes, rules, options)
    if (accepted !== $route.set) this.giveBack($route.set, taken)
    return accepted
  }

  /** Why the set that was taken in last has become `accepted`. */
  rejection(accepted: number): Rejection {
    return accepted === 0 && this.#refusal === 'none' ? 'importPolicy' : this.#refusal
  }

  /** `made` of `set`: where that is another set, it came with a reference. */
  giveBack(made: number, set: number): void {
    if (made !== 0 && made !== set) this.#attributes.release(made)
  }
}
