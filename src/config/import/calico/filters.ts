/**
 * BGPFilters -> policies. A filter's rules are asked in order, the first that matches decides, and what none
 * decides goes on: to the next filter, then to the default. A list of policies in linnet means the same.
 *
 * Calico's sessions carry one family each, and a filter has rules for each family: so have the policies, by
 * name; each rule names the family too, for those who put both into one session later.
 */
import { factsOf, type Family } from '../../../net/family.ts'
import type { Prefix } from '../../../net/prefix.ts'
import type { Written } from '../noted.ts'
import { noted } from '../noted.ts'
import type { FilterRule } from './kinds.ts'
import type { Names } from './names.ts'
import type { Report } from './report.ts'
import type { Resource } from './resources.ts'
import type { Session } from './sessions.ts'
import { tellOfFields } from './settings.ts'

export interface WrittenRule {
  readonly match?: { readonly [key: string]: Written }
  readonly set?: { readonly [key: string]: Written }
  readonly then?: 'accept' | 'reject' | 'next'
}

type Filter = Resource<'BGPFilter'>
type Direction = 'import' | 'export'
type Field = 'importV4' | 'exportV4' | 'importV6' | 'exportV6'

export class Filters {
  /** By name, in the order in which they were first needed. */
  readonly policies = new Map<string, Written>()
  readonly #filters: ReadonlyMap<string, Filter>
  readonly #names: Names
  readonly #report: Report
  /** The name of the policy of a filter's field and a type of peer; undefined where there is none. */
  readonly #made = new Map<string, string | undefined>()

  constructor(filters: readonly Filter[], names: Names, report: Report) {
    this.#filters = new Map(filters.map((it) => [it.name, it]))
    this.#names = names
    this.#report = report
  }

  /** The policies that a session's filters come to. */
  namesFor({ peer, address, type }: Session, direction: Direction): string[] {
    const names: string[] = []
    for (const [i, name] of (peer.spec.filters ?? []).entries()) {
      const filter = this.#filters.get(name)
      if (filter === undefined) {
        const path = [...peer.path, 'spec', 'filters', i]
        const remedy = `add it: calicoctl get bgpfilter ${name} -o yaml`
        peer.complaints.error(path, `there is no BGPFilter ${name} here`, remedy)
        continue
      }
      const made = this.#policyOf(filter, direction, address.family, type)
      if (made !== undefined && !names.includes(made)) names.push(made)
    }
    return names
  }

  #policyOf(
    filter: Filter,
    direction: Direction,
    family: Family,
    type: Session['type'],
  ): string | undefined {
    const field: Field = `${direction}${family === 'ipv4' ? 'V4' : 'V6'}`
    const rules = filter.spec[field] ?? []
    const parts = rules.some(({ peerType }) => peerType !== undefined)
    const key = `${filter.name} ${field}${parts ? ` ${type}` : ''}`
    if (this.#made.has(key)) return this.#made.get(key)
    const written = rules.flatMap((rule, i) => {
      if (rule.peerType !== undefined && rule.peerType !== type) return []
      return this.#ruleOf(filter, [field, i], rule, direction, family) ?? []
    })
    let name: string | undefined
    if (written.length > 0) {
      name = this.#names.unique(`${filter.name}-${field}${parts ? `-${type}` : ''}`)
      const comment = `BGPFilter ${filter.name}: ${field}${parts ? `, to ${type} peers` : ''}`
      this.policies.set(name, noted(comment, written))
    }
    this.#made.set(key, name)
    return name
  }

  #ruleOf(
    filter: Filter,
    steps: readonly [Field, number],
    rule: FilterRule,
    direction: Direction,
    family: Family,
  ): Written | undefined {
    if (!isSound(filter, steps, rule, family)) return undefined
    tellOfFields(filter, steps, 'rule.', this.#report)
    const written = ruleFor(rule, direction, family)
    if (written === undefined) {
      const why = 'no prefix has these lengths, so the rule never matches, and is left out'
      this.#report.tell(filter, [...steps, 'prefixLength'], why, 'nothing is to be done')
    }
    return written
  }
}

/** What Calico's own validation refuses. */
function isSound(
  { path, complaints }: Filter,
  steps: readonly [Field, number],
  rule: FilterRule,
  family: Family,
): boolean {
  const at = (field: string) => [...path, 'spec', ...steps, field]
  const { cidr, matchOperator, prefixLength, operations = [], action } = rule
  const before = complaints.all.length
  if (cidr !== undefined && matchOperator === undefined) {
    complaints.error(at('matchOperator'), 'is missing', 'add matchOperator: In')
  }
  if (cidr === undefined && (matchOperator !== undefined || prefixLength !== undefined)) {
    complaints.error(at('cidr'), 'is missing', 'add cidr: 10.244.0.0/16')
  }
  if (cidr !== undefined && cidr.family !== family) {
    const words = family === 'ipv4' ? 'IPv4' : 'IPv6'
    complaints.error(at('cidr'), `${cidr.text} is not ${words}`, `write a prefix of ${words}`)
  }
  if (operations.length > 0 && action === 'Reject') {
    complaints.error(at('operations'), 'a rejected route is not changed', 'remove it')
  }
  operations.forEach((it, i) => {
    const given = [it.addCommunity, it.prependASPath, it.setPriority]
    if (given.filter((part) => part !== undefined).length === 1) return
    const message = 'an operation is exactly one of addCommunity, prependASPath and setPriority'
    complaints.error([...at('operations'), i], message, 'write a list item for each')
  })
  return complaints.all.length === before
}

/** The rule in linnet's words; undefined when it can never match. */
export function ruleFor(
  rule: FilterRule,
  direction: Direction,
  family: Family,
): Written | undefined {
  const prefixes = prefixesOf(rule)
  if (prefixes === 'none') return undefined
  const [community, large] = kinds(rule.communities?.values ?? [])
  const path = rule.asPathPrefix ?? []
  const positive = prefixes !== 'all' && prefixes.is !== undefined
  return {
    match: {
      ...(positive ? { prefix: prefixes.is } : { family }),
      ...(rule.source !== undefined && direction === 'export' ? { source: 'peer' } : {}),
      ...(rule.interface === undefined ? {} : { interface: rule.interface }),
      ...(community.length === 0 ? {} : { community }),
      ...(large.length === 0 ? {} : { largeCommunity: large }),
      ...(path.length === 0 ? {} : { asPath: `^${path.join(' ')}_` }),
      ...(rule.priority === undefined ? {} : { localPref: preferenceOf(rule.priority) }),
      ...(prefixes !== 'all' && prefixes.not !== undefined
        ? { not: { prefix: prefixes.not } }
        : {}),
    },
    ...changesOf(rule.operations ?? []),
    // oxlint-disable-next-line unicorn/no-thenable -- the word of the configuration
    then: rule.action === 'Accept' ? 'accept' : 'reject',
  }
}

/** Which prefixes a rule takes: those that match a pattern, those that don't, all, or none. */
type Prefixes = { is: string; not?: undefined } | { not: string; is?: undefined } | 'all' | 'none'

function prefixesOf({ cidr, matchOperator, prefixLength }: FilterRule): Prefixes {
  if (cidr === undefined || matchOperator === undefined) return 'all'
  const { bits } = factsOf(cidr.family)
  const exact = matchOperator === 'Equal' || matchOperator === 'NotEqual'
  const least = Math.max(cidr.length, prefixLength?.min ?? 0)
  const most = Math.min(exact ? cidr.length : bits, prefixLength?.max ?? bits)
  const denies = matchOperator === 'NotEqual' || matchOperator === 'NotIn'
  if (least > most) return denies ? 'all' : 'none'
  const pattern = patternOf(cidr, least, most, bits)
  return denies ? { not: pattern } : { is: pattern }
}

function patternOf({ text, length }: Prefix, least: number, most: number, bits: number): string {
  if (least === length && most === length) return text
  if (least === length && most === bits) return `${text} orlonger`
  return `${text} ge ${least} le ${most}`
}

/** Calico carries a priority, of which less is better, as a local preference. */
const preferenceOf = (priority: number): number => 2147483647 - priority

/** Communities apart: those of two parts, and those of three. */
export function kinds(communities: readonly string[]): readonly [string[], string[]] {
  const isLarge = (it: string): boolean => it.split(':').length === 3
  return [communities.filter((it) => !isLarge(it)), communities.filter(isLarge)]
}

/** What communities to add, if any, as actions. */
export function additions(communities: readonly string[]): { readonly [key: string]: Written } {
  const [community, large] = kinds(communities)
  return {
    ...(community.length === 0 ? {} : { community: { add: community } }),
    ...(large.length === 0 ? {} : { largeCommunity: { add: large } }),
  }
}

function changesOf(operations: NonNullable<FilterRule['operations']>): WrittenRule {
  if (operations.length === 0) return {}
  const communities = operations.flatMap((it) => it.addCommunity?.value ?? [])
  // What a later operation puts in front stands before what an earlier one has put there.
  const path = operations.toReversed().flatMap((it) => it.prependASPath?.prefix ?? [])
  const priority = operations.findLast((it) => it.setPriority !== undefined)?.setPriority?.value
  return {
    set: {
      ...(priority === undefined ? {} : { localPref: preferenceOf(priority) }),
      ...(path.length === 0 ? {} : { prepend: { asn: path } }),
      ...additions(communities),
    },
  }
}
