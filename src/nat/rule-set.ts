/**
 * The rules of a host's packet filter, as far as they decide about a packet that is forwarded.
 *
 * iptables (legacy or through nftables) and nftables itself boil down to the same: tables of chains, of which the base
 * chains are asked at hooks of the kernel, the lowest priority first. A rule has conditions and says what shall be
 * done when all hold. What is written in a way that we don't understand is kept as a condition whose
 * truth is unknown, so that nobody hears a wrong answer: the walk then says "cannot tell", and names the rule.
 */
import type { Address } from '../net/address.ts'
import type { Family } from '../net/family.ts'

/** Where the kernel asks about a forwarded packet, in this order. */
export const HOOKS = ['prerouting', 'forward', 'postrouting'] as const
export type Hook = (typeof HOOKS)[number]

export interface Packet {
  readonly family: Family
  readonly source: Address
  readonly destination: Address
  /** Names of the links it comes in by and goes out by. */
  readonly input: string
  readonly output: string
  readonly protocol: 'tcp'
  readonly sourcePort: number
  readonly destinationPort: number
  readonly state: 'new' | 'established' | 'untracked'
  /** Its firewall mark; undefined when nobody knows. */
  readonly mark: number | undefined
  /** Addresses of the host itself, as texts. */
  readonly ownAddresses: ReadonlySet<string>
}

/** Undefined: cannot tell. */
export type Truth = boolean | undefined
export type Condition = (packet: Packet) => Truth

export type Action =
  | { readonly do: 'accept' | 'drop' | 'return' | 'continue' | 'notrack' | 'dnat' }
  /** `keeps`: the source is named to be what it is, which ends the search for a rule that changes it. */
  | { readonly do: 'snat'; readonly keeps: boolean }
  | { readonly do: 'jump' | 'goto'; readonly chain: string }
  | { readonly do: 'mark'; readonly mark: (before: number | undefined) => number | undefined }
  /** What to do depends on the packet; undefined: the rule does not concern it. */
  | { readonly do: 'choose'; readonly choose: (packet: Packet) => Action | undefined }
  | { readonly do: 'unknown' }

export interface Rule {
  /** As people write it, without its table. */
  readonly text: string
  readonly conditions: readonly Condition[]
  readonly actions: readonly Action[]
}

export interface BaseChain {
  readonly hook: Hook
  /** `nat`: asked about the first packet of a connection only. */
  readonly type: 'filter' | 'nat'
  readonly priority: number
  readonly policy: 'accept' | 'drop'
}

export interface Chain {
  readonly name: string
  /** Undefined: asked only by other chains. */
  readonly base: BaseChain | undefined
  readonly rules: readonly Rule[]
}

export interface Table {
  /** The command that changes it: `iptables`, `ip6tables-legacy`, `nft`. */
  readonly program: string
  /** `inet` is both. */
  readonly family: Family | 'inet'
  readonly name: string
  readonly chains: readonly Chain[]
}

export type RuleSet = readonly Table[]

/** `rules` with a rule in front of all others of a chain. */
export function withFirst(rules: RuleSet, table: Table, chain: string, rule: Rule): RuleSet {
  return withChain(rules, table, chain, (it) => ({ ...it, rules: [rule, ...it.rules] }))
}

/** `rules` with another chain in place of one. */
export const withChain = (
  rules: RuleSet,
  table: Table,
  chain: string,
  change: (chain: Chain) => Chain,
): RuleSet =>
  rules.map((it) =>
    isSame(it, table)
      ? { ...it, chains: it.chains.map((each) => (each.name === chain ? change(each) : each)) }
      : it,
  )

export const isSame = (one: Table, other: Table): boolean =>
  one.program === other.program && one.family === other.family && one.name === other.name
