/**
 * Which flows keep their source address: those from pool to pool, as a table of our own in nftables.
 *
 * Docker masquerades what leaves its bridges, and puts the rules of each new network in front of all others, so
 * a rule among Docker's own would not last. But the first rule that decides about a connection is the last: a
 * chain of ours that comes before (priority 90, srcnat is 100) names the source to be the source it is, and
 * nobody asks Docker's. An `accept` would not do, for it ends only our own chain.
 *
 * The answer is data: the commands of `nft -j`, as libnftables-json(5) has them. The whole table is put anew in one
 * transaction, and says in the comments of its rules what it was made from, so that a look tells whether it is whole.
 */
import type { Family } from '../net/family.ts'
import { FAMILIES } from '../net/family.ts'
import type { Prefix } from '../net/prefix.ts'

export type Json =
  string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json }

/** Our table: whose rules stand here, and nobody else's. */
export const RULES = { family: 'inet', table: 'linnet' } as const
const CHAIN = 'postrouting'
/** Before srcnat (100), where Docker's rules are. */
const PRIORITY = 90

const PROTOCOLS = {
  ipv4: { protocol: 'ip', type: 'ipv4_addr' },
  ipv6: { protocol: 'ip6', type: 'ipv6_addr' },
} as const

const table: Json = { table: { family: RULES.family, name: RULES.table } }

/** Takes our table away; there need not be one. */
export const REMOVAL: readonly Json[] = [{ add: table }, { delete: table }]

/** Makes our table what it shall be, whatever it was. */
export function exemptionRules(pools: readonly Prefix[]): readonly Json[] {
  const chain = {
    ...RULES,
    name: CHAIN,
    type: 'nat',
    hook: CHAIN,
    prio: PRIORITY,
    policy: 'accept',
  }
  const rules = FAMILIES.flatMap(({ name }) => {
    const inFamily = pools.filter(({ family }) => family === name)
    return inFamily.length === 0
      ? []
      : [{ add: { set: set(name, inFamily) } }, { add: { rule: rule(name, inFamily) } }]
  })
  return [...REMOVAL, { add: table }, { add: { chain } }, ...rules]
}

/** `listing` is what `nft -j list table` says: true when no rule of ours is missing from it. */
export function isWhole(listing: unknown, pools: readonly Prefix[]): boolean {
  const text = JSON.stringify(listing)
  return FAMILIES.every(({ name }) => {
    const inFamily = pools.filter(({ family }) => family === name)
    return inFamily.length === 0 || text.includes(JSON.stringify(commentOf(inFamily)))
  })
}

function set(family: Family, pools: readonly Prefix[]): Json {
  const elem = pools.map(({ bytes, length, text }) => {
    return bytes.length * 8 === length
      ? addressOf(text)
      : { prefix: { addr: addressOf(text), len: length } }
  })
  const { type } = PROTOCOLS[family]
  return { ...RULES, name: setName(family), type, flags: ['interval'], 'auto-merge': true, elem }
}

function rule(family: Family, pools: readonly Prefix[]): Json {
  const { protocol } = PROTOCOLS[family]
  const field = (name: string): Json => ({ payload: { protocol, field: name } })
  const isIn = (name: string): Json => ({
    match: { op: '==', left: field(name), right: `@${setName(family)}` },
  })
  const keep = { snat: { family: protocol, addr: field('saddr') } }
  const expr = [isIn('saddr'), isIn('daddr'), keep]
  return { ...RULES, chain: CHAIN, expr, comment: commentOf(pools) }
}

const setName = (family: Family): string => `${family}-pools`
const addressOf = (text: string): string => text.slice(0, text.indexOf('/'))

/** Tells what a rule was made from: a number, for comments may be 128 bytes long. */
function commentOf(pools: readonly Prefix[]): string {
  let hash = 0x811c9dc5
  for (const { text } of pools) {
    for (const byte of `${text} `) hash = Math.imul(hash ^ (byte.codePointAt(0) ?? 0), 0x01000193)
  }
  return `linnet: sources stay (${(hash >>> 0).toString(16)})`
}
