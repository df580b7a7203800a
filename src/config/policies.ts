/**
 * `policies:` and `sets:` -> definitions that stand by themselves: sets filled in, every value a text that its
 * row of the table of matches or actions has found good; or what is wrong with them, value by value.
 */
import { actionSpec } from '../policy/action/index.ts'
import type {
  ActionDefinition,
  MatchDefinition,
  PolicyDefinition,
  RuleDefinition,
  SetKind,
  ValueSpec,
} from '../policy/definition.ts'
import { matchSpec } from '../policy/match/index.ts'
import { STANDARD_POLICIES } from '../policy/standard.ts'
import { parse, type Section } from './parse.ts'
import { policyName, policySchema, type RuleEntry, type SetsEntry } from './policy-schema.ts'
import { isSetName, readSets, type NamedSets } from './policy-sets.ts'
import { nearest } from './spelling.ts'
import { nodeAt, type Path } from './tree.ts'

/** By name; undefined for one that is there, but wrong. */
export type Policies = ReadonlyMap<string, PolicyDefinition | undefined>

type Scalar = string | number

export function readPolicies(entry: SetsEntry | undefined, section: Section): Policies {
  const sets = readSets(entry, section)
  const policies = new Map<string, PolicyDefinition | undefined>()
  const node = nodeAt(section.root, ['policies'])
  if (node === undefined) return policies
  if (node.kind !== 'map') {
    section.complaints.error(
      ['policies'],
      'this is no map of policies',
      'write from-tor: [{ then: accept }]',
    )
    return policies
  }
  for (const name of node.entries.keys()) {
    policies.set(name, readPolicy(name, sets, section))
  }
  return policies
}

function readPolicy(name: string, sets: NamedSets, section: Section): PolicyDefinition | undefined {
  const path = ['policies', name]
  const { complaints } = section
  if (STANDARD_POLICIES.has(name)) {
    complaints.errorAtKey(path, `${name} is there already`, 'give it another name')
  } else if (!policyName.safeParse(name).success || name.includes(',')) {
    const message = `"${name}" is not the name of a policy`
    complaints.errorAtKey(path, message, 'write one without blanks and commas, such as from-tor')
  }
  const rules = parse(policySchema, path, section)
  if (rules === undefined) return undefined
  const before = complaints.all.length
  const reader = new RuleReader(sets, section)
  const definitions = rules.map((rule, i) => reader.read([...path, i], rule))
  warnOfDeadRules(path, definitions, section)
  const wrong = complaints.all.slice(before).some(({ severity }) => severity === 'error')
  return wrong ? undefined : { name, rules: definitions }
}

/** What stands behind a rule that decides about every route is never asked. */
function warnOfDeadRules(
  path: Path,
  rules: readonly RuleDefinition[],
  { complaints }: Section,
): void {
  const last = rules.findIndex((rule) => decidesAll(rule))
  if (last < 0 || last === rules.length - 1) return
  const message = `no route comes so far: rule ${last + 1} decides about all`
  complaints.warning([...path, last + 1], message, `move it before rule ${last + 1}, or remove it`)
}

const isEmpty = (map: object): boolean => Object.keys(map).length === 0

export const decidesAll = ({ match, not, end }: RuleDefinition): boolean =>
  end !== 'next' && isEmpty(match) && isEmpty(not)

class RuleReader {
  readonly #sets: NamedSets
  readonly #section: Section

  constructor(sets: NamedSets, section: Section) {
    this.#sets = sets
    this.#section = section
  }

  read(path: Path, { match: entry = {}, set = {}, then: end }: RuleEntry): RuleDefinition {
    const { not, ...match } = entry as Record<string, unknown>
    const rule: RuleDefinition = {
      match: this.#tests([...path, 'match'], match),
      not: this.#tests([...path, 'match', 'not'], (not ?? {}) as Record<string, unknown>),
      set: this.#actions([...path, 'set'], set),
      end,
    }
    this.#warn(path, rule)
    return rule
  }

  #warn(path: Path, { match, set, end }: RuleDefinition): void {
    const { complaints } = this.#section
    if (end === 'next' && isEmpty(set)) {
      complaints.warning(path, 'this rule does nothing', 'add set, or then: accept')
    }
    const sources = match['source'] ?? []
    if (sources.length > 0 && !sources.includes('peer') && match['peer'] !== undefined) {
      const message = 'this rule never applies: no peer sends what is our own'
      complaints.warning([...path, 'match', 'source'], message, 'remove it, or peer')
    }
    const families = new Set(
      (match['prefix'] ?? []).map((it) => (it.includes(':') ? 'ipv6' : 'ipv4')),
    )
    const family = match['family'] ?? []
    if (
      families.size > 0 &&
      family.length > 0 &&
      !family.some((it) => families.has(it as 'ipv4'))
    ) {
      const message = `this rule never applies: none of its prefixes is ${family.join(' or ')}`
      complaints.warning([...path, 'match', 'family'], message, 'remove it')
    }
  }

  #tests(path: Path, entry: Record<string, unknown>): MatchDefinition {
    return Object.fromEntries(
      Object.entries(entry).map(([name, value]) => [
        name,
        this.#texts([...path, name], value, matchSpec(name).value),
      ]),
    )
  }

  #actions(path: Path, entry: Record<string, unknown>): ActionDefinition {
    return Object.fromEntries(
      Object.entries(entry).map(([name, value]) => {
        const { fields } = actionSpec(name)
        const bare = fields['']
        if (bare !== undefined) {
          return [name, { '': this.#texts([...path, name], value, bare.value) }]
        }
        const parts = Object.entries(value as Record<string, unknown>).map(([field, part]) => {
          const spec = fields[field]?.value
          return [field, spec === undefined ? [] : this.#texts([...path, name, field], part, spec)]
        })
        return [name, Object.fromEntries(parts)]
      }),
    )
  }

  /** The texts of one value or a list, with named sets filled in; those that are wrong are left out. */
  #texts(path: Path, value: unknown, spec: ValueSpec): string[] {
    const isList = Array.isArray(value)
    const items = (isList ? value : [value]) as Scalar[]
    return items.flatMap((item, i) => this.#text(isList ? [...path, i] : path, String(item), spec))
  }

  #text(path: Path, text: string, spec: ValueSpec): readonly string[] {
    const { complaints, root } = this.#section
    const node = nodeAt(root, path)
    if (node?.kind === 'scalar' && typeof node.value === 'number' && node.shown.startsWith('+')) {
      complaints.error(path, `${node.shown} is the number ${text} in YAML`, `write "${node.shown}"`)
      return []
    }
    if (spec.good(text)) return [text]
    const set = spec.setKind === undefined ? undefined : this.#set(path, text, spec, spec.setKind)
    if (set !== undefined) return set
    const better = spec.explain?.(text)
    const message = better?.message ?? `${text === '' ? 'nothing' : text} is not ${spec.noun}`
    complaints.error(path, message, better?.remedy ?? `write ${spec.write}`)
    return []
  }

  /** What the set called `name` holds; undefined when it is no name at all. */
  #set(path: Path, name: string, spec: ValueSpec, kind: SetKind): readonly string[] | undefined {
    if (!isSetName(name)) return undefined
    const { complaints } = this.#section
    const sets = this.#sets[kind]
    if (!sets.has(name)) {
      const near = nearest(name, [...sets.keys()])
      const remedy = near === undefined ? `add ${name} to sets.${kind}` : `did you mean ${near}?`
      complaints.error(path, `there is no set ${name} of ${kind}`, remedy)
      return []
    }
    const texts = sets.get(name) ?? []
    const wrong = texts.find((text) => !spec.good(text))
    if (wrong !== undefined) {
      const message = `the set ${name} has ${wrong}, which is not ${spec.noun}`
      complaints.error(path, message, 'make a set of its own for it')
    }
    return texts
  }
}
