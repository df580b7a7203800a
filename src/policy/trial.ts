/**
 * A route that is made up and run through policies, step by step: `linnet policy test`. Attribute sets live in
 * a list here, which is all that a handful of them needs.
 */
import { wordsOf } from '../net/address.ts'
import { factsOf } from '../net/family.ts'
import type { Prefix } from '../net/prefix.ts'
import {
  describeAttributes,
  encodeAttributes,
  type AttributeDescription,
} from '../wire/attributes/describe.ts'
import { AttributeFacts, scanAttributes } from '../wire/scan.ts'
import { CompiledPolicy } from './compiled-policy.ts'
import type { PolicyDefinition, RuleEnd } from './definition.ts'
import type { RpkiState } from './match/match.ts'
import {
  originOf,
  Route,
  TELL_SELF,
  type AttributeSets,
  type RouteOrigin,
  type Verdict,
} from './policy.ts'
import type { Direction } from './rule.ts'
import { SetReader } from './set-reader.ts'

interface TrialSet {
  readonly bytes: Uint8Array
  readonly marks: number
  readonly facts: AttributeFacts
}

export class TrialSets implements AttributeSets {
  readonly #sets: TrialSet[] = []

  intern(bytes: Uint8Array, start: number, end: number, marks = 0): number {
    const copy = bytes.slice(start, end)
    const same = (it: TrialSet): boolean => it.marks === marks && it.bytes.join() === copy.join()
    const known = this.#sets.findIndex(same)
    if (known >= 0) return known + 1
    const facts = new AttributeFacts()
    if (!scanAttributes(copy, 0, copy.length, { asns: [], clusterId: 0 }, facts)) return 0
    return this.#sets.push({ bytes: copy, marks, facts })
  }

  flags = (set: number): number => this.#at(set).facts.flags | this.#at(set).marks
  origin = (set: number): number => this.#at(set).facts.origin
  asPathLength = (set: number): number => this.#at(set).facts.asPathLength
  neighborAs = (set: number): number => this.#at(set).facts.neighborAs
  localPref = (set: number): number => this.#at(set).facts.localPref
  med = (set: number): number => this.#at(set).facts.med
  view = (set: number): Uint8Array => this.#at(set).bytes
  /** Nothing is ever freed. */
  birth = (set: number): number => set
  retain = (): void => {}
  release = (): void => {}

  #at(set: number): TrialSet {
    const found = this.#sets[set - 1]
    if (found === undefined) throw new RangeError(`no set ${set}`)
    return found
  }
}

export interface TrialRoute {
  readonly prefix: Prefix
  readonly attributes: Partial<AttributeDescription>
  readonly from: Omit<RouteOrigin, 'serial'>
  readonly rpki: RpkiState
}

export interface TrialStep {
  readonly policy: string
  readonly rule: number
  /** The first test that does not hold; undefined when the rule applies. */
  readonly failed: string | undefined
  readonly sets: readonly string[]
  readonly end: RuleEnd
}

export interface Trial {
  readonly steps: readonly TrialStep[]
  readonly verdict: Verdict
  /** What comes out; as it went in when it is rejected. */
  readonly attributes: AttributeDescription
  readonly nextHopSelf: boolean
}

/** Throws a RangeError for attributes that are none. */
export function tryPolicies(
  policies: readonly PolicyDefinition[],
  direction: Direction,
  { prefix, attributes, from, rpki }: TrialRoute,
): Trial {
  const sets = new TrialSets()
  const world = { sets, reader: new SetReader(sets), rpkiState: () => rpki }
  const policy = new CompiledPolicy(policies, direction, world)
  const route = new Route()
  route.family = factsOf(prefix.family)
  route.from = originOf(from)
  route.words = wordsOf(prefix.bytes)
  route.length = prefix.length
  const bytes = encodeAttributes(attributes)
  route.set = sets.intern(bytes, 0, bytes.length)
  if (route.set === 0) throw new RangeError('these attributes belong to no route')
  const steps: TrialStep[] = []
  const verdict = policy.trace(route, ({ policy: name, number, definition }, failed) => {
    const changes = Object.keys(definition.set)
    steps.push({ policy: name, rule: number, failed, sets: changes, end: definition.end })
  })
  return {
    steps,
    verdict,
    attributes: describeAttributes(sets.view(route.set)),
    nextHopSelf: (sets.flags(route.set) & TELL_SELF) !== 0,
  }
}
