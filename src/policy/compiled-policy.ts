/**
 * A list of policies, ready to be asked: rules one after the other, until one accepts or rejects. What none
 * decides is rejected.
 *
 * Later rules see what earlier ones have changed. A list that does not look at prefixes is asked once for an
 * attribute set and origin, and then answers from its cache. In one that does, the prefix is tested first and
 * for each route; what else a rule tests and what it makes of a set is cached by itself.
 */
import type { PolicyDefinition } from './definition.ts'
import type { PolicyWorld } from './match/match.ts'
import type { AttributeSets, Policy, Route, Verdict } from './policy.ts'
import { compileRule, type Direction, type NamedTest, type Rule } from './rule.ts'
import { STANDARD_POLICIES } from './standard.ts'
import { VerdictCache } from './verdict-cache.ts'

/** A rule with what is remembered about it. */
interface Step {
  readonly rule: Rule
  /** Asked for each route. */
  readonly each: readonly NamedTest[]
  /** Asked once for an attribute set and origin; empty when it would not pay. */
  readonly remembered: readonly NamedTest[]
  readonly answers: VerdictCache
  readonly results: VerdictCache
}

export class CompiledPolicy implements Policy {
  readonly name: string
  readonly looksAtPrefix: boolean
  readonly looksAtSource: boolean
  readonly looksAtRpki: boolean
  readonly #sets: AttributeSets
  readonly #steps: readonly Step[]
  readonly #verdicts: readonly Verdict[]
  readonly #cache: VerdictCache
  readonly #undecided: Verdict
  readonly #tooLong: readonly Verdict[]

  constructor(policies: readonly PolicyDefinition[], direction: Direction, world: PolicyWorld) {
    this.name = policies.map(({ name }) => name).join(', ')
    this.#sets = world.sets
    const rules = rulesOf(policies, direction, world)
    this.looksAtPrefix = rules.some(({ tests }) => tests.some((it) => it.looksAtPrefix))
    this.looksAtSource = rules.some(({ tests }) => tests.some((it) => it.looksAtSource))
    this.looksAtRpki = rules.some(({ tests }) => tests.some((it) => it.looksAtRpki))
    this.#steps = rules.map((rule) => stepOf(rule, this.looksAtPrefix, world.sets))
    this.#cache = new VerdictCache(world.sets)
    this.#undecided = { accept: false, reason: `no rule of policy ${this.name} accepts it` }
    this.#tooLong = rules.map(({ policy, number }) => ({
      accept: false,
      reason: `policy ${policy} rule ${number}: too many attributes for a message`,
    }))
    this.#verdicts = [
      this.#undecided,
      ...rules.flatMap(({ verdict }) => (verdict === undefined ? [] : [verdict])),
      ...this.#tooLong,
    ]
  }

  judge(route: Route): Verdict {
    if (this.looksAtPrefix) return this.#run(route)
    const { set } = route
    const key = keyOf(route)
    const cache = this.#cache
    if (cache.find(set, key)) {
      const { other } = cache
      if (other !== 0) {
        this.#sets.retain(other)
        route.set = other
      }
      return this.#verdicts[cache.value]
    }
    const verdict = this.#run(route)
    cache.put(set, key, this.#verdicts.indexOf(verdict), route.set === set ? 0 : route.set)
    return verdict
  }

  /** As `judge`, telling of each rule that is asked; nothing is remembered. */
  trace(route: Route, told: (rule: Rule, failed: string | undefined) => void): Verdict {
    return this.#run(route, told)
  }

  #run(route: Route, told?: (rule: Rule, failed: string | undefined) => void): Verdict {
    const before = route.set
    let verdict = this.#undecided
    for (let i = 0; i < this.#steps.length; i++) {
      const step = this.#steps[i]
      if (told !== undefined) told(step.rule, failedTest(step.rule, route))
      if (!this.#matches(step, route)) continue
      if (step.rule.changes && !this.#change(step, route, before)) {
        verdict = this.#tooLong[i]
        break
      }
      if (step.rule.verdict !== undefined) {
        verdict = step.rule.verdict
        break
      }
    }
    if (!verdict.accept && route.set !== before) {
      this.#sets.release(route.set)
      route.set = before
    }
    return verdict
  }

  #matches({ each, remembered, answers }: Step, route: Route): boolean {
    for (let i = 0; i < each.length; i++) if (!each[i].test(route)) return false
    if (remembered.length === 0) return true
    const key = keyOf(route)
    if (answers.find(route.set, key)) return answers.value === 1
    const answer = remembered.every(({ test }) => test(route))
    answers.put(route.set, key, answer ? 1 : 0)
    return answer
  }

  /** Puts the set that the rule makes into the route, in place of one that an earlier rule has made. */
  #change({ rule, results }: Step, route: Route, before: number): boolean {
    const { set } = route
    const family = route.family.index
    let changed: number
    if (results.find(set, family)) {
      changed = results.other
      this.#sets.retain(changed)
    } else {
      changed = rule.change(route)
      if (changed === 0) return false
      results.put(set, family, 0, changed)
    }
    // One reference is held on a set that is not the first.
    if (set !== before) this.#sets.release(set)
    if (changed === before) this.#sets.release(changed)
    route.set = changed
    return true
  }
}

/** Origin and family in one number. */
const keyOf = ({ from, family }: Route): number => 2 * from.serial + family.index

const failedTest = ({ tests }: Rule, route: Route): string | undefined =>
  tests.find(({ test }) => !test(route))?.name

function rulesOf(
  policies: readonly PolicyDefinition[],
  direction: Direction,
  world: PolicyWorld,
): Rule[] {
  return policies.flatMap(({ name, rules }) => {
    const standard = STANDARD_POLICIES.get(name)
    if (standard !== undefined) return standardRules(standard)
    return rules.map((rule, i) => compileRule(name, i + 1, rule, direction, world))
  })
}

/** `accept`, `reject` and `local` in a list: a rule for each outcome. */
function standardRules(policy: Policy): Rule[] {
  const rule = { policy: policy.name, changes: false, change: () => 0 }
  const definition = { match: {}, not: {}, set: {} }
  const test = { looksAtPrefix: false, looksAtSource: false, looksAtRpki: false, decodes: false }
  const outcomes = [true, false]
  return outcomes.map((accept, i) => ({
    ...rule,
    number: i + 1,
    definition: { ...definition, end: accept ? 'accept' : 'reject' },
    tests: [{ ...test, name: policy.name, test: (it) => policy.judge(it).accept === accept }],
    verdict: { accept, reason: `policy ${policy.name}` },
  }))
}

/** Where the whole verdict is cached, no rule needs to remember anything. */
function stepOf(rule: Rule, looksAtPrefix: boolean, sets: AttributeSets): Step {
  const pays = looksAtPrefix && rule.tests.some(({ decodes }) => decodes)
  const each = pays ? rule.tests.filter((it) => it.looksAtPrefix) : rule.tests
  return {
    rule,
    // The prefix last where nothing is remembered: other tests are cheaper.
    each: each.toSorted((a, b) => Number(a.looksAtPrefix) - Number(b.looksAtPrefix)),
    remembered: pays ? rule.tests.filter((it) => !it.looksAtPrefix) : [],
    answers: new VerdictCache(sets),
    results: new VerdictCache(sets),
  }
}
