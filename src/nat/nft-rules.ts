/**
 * Reads what `nft -j list ruleset` prints (libnftables-json(5)). The rules of iptables over nftables are in there as well,
 * but their targets are not (`xt`): of a table that iptables-save has printed, its text is the better source.
 */
import type { Family } from '../net/family.ts'
import { HOOKS, type BaseChain, type Chain, type Rule, type Table } from './rule-set.ts'
import { readRule, type NamedSets } from './nft-expression.ts'

type Fields = Readonly<Record<string, unknown>>

const FAMILIES: Readonly<Record<string, Family | 'inet'>> = {
  ip: 'ipv4',
  ip6: 'ipv6',
  inet: 'inet',
}

/** What is listed, or commands of `add`, in the same words. Throws a SyntaxError when it is something else. */
export function parseNft(listing: unknown): Table[] {
  const objects = fieldsOf(listing)?.['nftables']
  if (!Array.isArray(objects))
    throw new SyntaxError('this is not what `nft -j list ruleset` prints')
  const found = objects.map((it: unknown) => fieldsOf(fieldsOf(it)?.['add'] ?? it) ?? {})
  return of(found, 'table').flatMap((table) => {
    const family = FAMILIES[String(table['family'])]
    if (family === undefined) return [] // bridge, arp, netdev: not asked about forwarded packets
    const name = String(table['name'])
    const inside = (kind: string): Fields[] =>
      of(found, kind).filter((it) => it['family'] === table['family'] && it['table'] === name)
    const sets: NamedSets = new Map(
      [...inside('set'), ...inside('map')].map((it) => [String(it['name']), elementsOf(it)]),
    )
    const chains = inside('chain').map((it): Chain => {
      const rules = inside('rule').filter(({ chain }) => chain === it['name'])
      return { name: String(it['name']), base: baseOf(it), rules: rules.map(ruleOf(sets)) }
    })
    return [{ program: 'nft' as const, family, name, chains }]
  })
}

const ruleOf =
  (sets: NamedSets) =>
  (it: Fields): Rule => {
    const expressions = Array.isArray(it['expr']) ? (it['expr'] as unknown[]) : []
    const rule = readRule(expressions, sets)
    const comment = it['comment']
    return typeof comment === 'string'
      ? { ...rule, text: `${rule.text} comment "${comment}"` }
      : rule
  }

function baseOf(chain: Fields): BaseChain | undefined {
  const hook = HOOKS.find((it) => it === chain['hook'])
  if (hook === undefined) return undefined
  return {
    hook,
    type: chain['type'] === 'nat' ? 'nat' : 'filter',
    priority: Number(chain['prio']),
    policy: chain['policy'] === 'drop' ? 'drop' : 'accept',
  }
}

const elementsOf = (set: Fields): readonly unknown[] =>
  Array.isArray(set['elem']) ? (set['elem'] as unknown[]) : []

const of = (objects: readonly Fields[], kind: string): Fields[] =>
  objects.flatMap((it): Fields[] => {
    const found = fieldsOf(it[kind])
    return found === undefined ? [] : [found]
  })

const fieldsOf = (value: unknown): Fields | undefined =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Fields)
    : undefined
