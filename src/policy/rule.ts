/** A rule, ready to be asked: its tests apart by what they look at, its actions as one change. */
import { actionSpec, ACTIONS } from './action/index.ts'
import { AttributeDraft } from './attribute-draft.ts'
import type { MatchDefinition, RuleDefinition, RuleEnd } from './definition.ts'
import { matchSpec } from './match/index.ts'
import type { PolicyWorld, Test } from './match/match.ts'
import { MARKS, type Route, type Verdict } from './policy.ts'

/** One test of a rule, and what it is called. */
export interface NamedTest {
  readonly name: string
  readonly test: Test
  readonly looksAtPrefix: boolean
  readonly looksAtSource: boolean
  readonly looksAtRpki: boolean
  readonly decodes: boolean
}

export interface Rule {
  readonly policy: string
  /** Counted from 1. */
  readonly number: number
  readonly definition: RuleDefinition
  readonly tests: readonly NamedTest[]
  readonly changes: boolean
  /** Undefined: the next rule is asked. */
  readonly verdict: Verdict | undefined
  /**
   * The set that the rule's actions make of the route's, with a reference; the same one when nothing changes,
   * 0 when no message could hold it.
   */
  change(route: Route): number
}

/** Which rules of which policy may set marks: only what is told to peers has them. */
export type Direction = 'import' | 'export'

export function compileRule(
  policy: string,
  number: number,
  definition: RuleDefinition,
  direction: Direction,
  world: PolicyWorld,
): Rule {
  const { match, not, set, end } = definition
  // In the order of the table, whatever order they are written in.
  const changes = ACTIONS.filter(({ name }) => set[name] !== undefined).map(({ name }) =>
    actionSpec(name).compile(set[name] ?? {}),
  )
  const { sets } = world
  return {
    policy,
    number,
    definition,
    tests: [...testsOf(match, world), ...testsOf(not, world).map(negated)],
    changes: changes.length > 0,
    verdict: verdictOf(policy, number, end),
    change(route) {
      const draft = new AttributeDraft(sets.view(route.set), sets.flags(route.set) & MARKS)
      for (const change of changes) change(draft, route)
      const bytes = draft.bytes()
      if (bytes === undefined) return 0
      return sets.intern(bytes, 0, bytes.length, direction === 'export' ? draft.marks : 0)
    },
  }
}

function testsOf(match: MatchDefinition, world: PolicyWorld): NamedTest[] {
  return Object.entries(match).map(([name, texts]) => {
    const { compile, ...spec } = matchSpec(name)
    const { looksAtPrefix = false, looksAtSource = false } = spec
    const { looksAtRpki = false, decodes = false } = spec
    const test = compile(texts, world)
    return { name, test, looksAtPrefix, looksAtSource, looksAtRpki, decodes }
  })
}

const negated = (it: NamedTest): NamedTest => ({
  ...it,
  name: `not ${it.name}`,
  test: (route) => !it.test(route),
})

function verdictOf(policy: string, number: number, end: RuleEnd): Verdict | undefined {
  if (end === 'next') return undefined
  return { accept: end === 'accept', reason: `policy ${policy} rule ${number}` }
}
