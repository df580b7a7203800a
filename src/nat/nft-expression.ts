/**
 * One rule of nftables: its expressions, as libnftables-json(5) writes them, to conditions, actions, and a line as people
 * write it. Statements that let a packet pass on to the next are left out of it.
 */
import { parseAddress } from '../net/address.ts'
import { hostPrefix, parsePrefix, type Prefix } from '../net/prefix.ts'
import {
  oneOf,
  isIn,
  isKind,
  isLink,
  isMark,
  isPort,
  isProtocol,
  isState,
  negatedIf,
  unknown,
} from './condition.ts'
import type { Action, Condition, Packet, Rule, Truth } from './rule-set.ts'

/** Elements of the sets and maps of a table, by name. */
export type NamedSets = ReadonlyMap<string, readonly unknown[]>

type Fields = Readonly<Record<string, unknown>>

export function readRule(expressions: readonly unknown[], sets: NamedSets): Rule {
  const parts = expressions.map((it) => readExpression(it, sets))
  return {
    text: parts.flatMap(({ text }) => text ?? []).join(' '),
    conditions: parts.flatMap(({ condition }) => condition ?? []),
    actions: parts.flatMap(({ action }) => action ?? []),
  }
}

interface Part {
  readonly text?: string
  readonly condition?: Condition
  readonly action?: Action
}

function readExpression(expression: unknown, sets: NamedSets): Part {
  const [kind, value] = soleOf(expression)
  switch (kind) {
    case 'match':
      return matchOf(fieldsOf(value), sets)
    case 'vmap':
      return vmapOf(fieldsOf(value), sets)
    case 'counter':
    case 'log':
      return {}
    case 'mangle':
      return mangleOf(fieldsOf(value))
    case 'notrack':
      return { text: kind, action: { do: 'notrack' } }
    case 'limit':
    case 'quota':
    case 'connlimit':
    case 'ct count':
      return { text: kind, condition: unknown }
    default: {
      const action = verdictOf(kind, value)
      return action === undefined
        ? { text: kind, action: { do: 'unknown' } }
        : { text: textOf(kind, value), action }
    }
  }
}

const VERDICTS: Readonly<Record<string, Action['do'] & ('accept' | 'drop' | 'return')>> = {
  accept: 'accept',
  drop: 'drop',
  reject: 'drop',
  return: 'return',
}

function verdictOf(kind: string, value: unknown): Action | undefined {
  const verdict = VERDICTS[kind]
  if (verdict !== undefined) return { do: verdict }
  switch (kind) {
    case 'continue':
      return { do: 'continue' }
    case 'jump':
    case 'goto':
      return { do: kind, chain: String(fieldsOf(value)['target']) }
    case 'masquerade':
      return { do: 'snat', keeps: false }
    case 'snat': {
      const { field } = fieldsOf(fieldsOf(fieldsOf(value)['addr'])['payload'])
      return { do: 'snat', keeps: field === 'saddr' }
    }
    case 'dnat':
    case 'redirect':
      return { do: 'dnat' }
  }
  return undefined
}

const textOf = (kind: string, value: unknown): string =>
  kind === 'jump' || kind === 'goto' ? `${kind} ${String(fieldsOf(value)['target'])}` : kind

/** What a rule looks at, and how to tell whether it is `value`. */
interface Subject {
  readonly text: string
  readonly is: (value: unknown) => Condition
}

function matchOf({ op, left, right }: Fields, sets: NamedSets): Part {
  const subject = subjectOf(left)
  const negated = op === '!='
  const isEqual = negated || op === '==' || op === 'in'
  if (subject === undefined || !isEqual) return { text: '(a match)', condition: unknown }
  const values = valuesOf(right, sets)
  const condition =
    values === undefined ? unknown : negatedIf(negated, oneOf(values.map(subject.is)))
  const shown = `${subject.text} ${negated ? '!= ' : ''}${written(right)}`
  return { text: shown, condition }
}

/** A map of verdicts: what is found for the packet is done. */
function vmapOf({ key, data }: Fields, sets: NamedSets): Part {
  const subject = subjectOf(key)
  const pairs = valuesOf(data, sets)
  const text = `${subject?.text ?? '(something)'} vmap ${written(data)}`
  if (subject === undefined || pairs === undefined) return { text, action: { do: 'unknown' } }
  const choices = pairs.map((pair): readonly [Condition, Action] => {
    const [value, verdict] = Array.isArray(pair) ? (pair as unknown[]) : []
    const [kind, details] = typeof verdict === 'string' ? [verdict] : soleOf(verdict)
    return [subject.is(value), verdictOf(kind, details) ?? { do: 'unknown' }]
  })
  const choose = (packet: Packet): Action | undefined => {
    for (const [condition, action] of choices) {
      const truth: Truth = condition(packet)
      if (truth === undefined) return { do: 'unknown' }
      if (truth) return action
    }
    return undefined
  }
  return { text, action: { do: 'choose', choose } }
}

function mangleOf({ key, value }: Fields): Part {
  if (fieldsOf(fieldsOf(key)['meta'])['key'] !== 'mark') return {}
  const mark = typeof value === 'number' ? value >>> 0 : undefined
  return { text: `meta mark set ${written(value)}`, action: { do: 'mark', mark: () => mark } }
}

function subjectOf(left: unknown): Subject | undefined {
  const [kind, value] = soleOf(left)
  const fields = fieldsOf(value)
  switch (kind) {
    case 'payload':
      return payloadOf(String(fields['protocol']), String(fields['field']))
    case 'meta':
      return metaOf(String(fields['key']))
    case 'ct':
      return fields['key'] === 'state'
        ? { text: 'ct state', is: (it) => isState(String(it)) }
        : undefined
    case 'fib': {
      const end = { saddr: 'source', daddr: 'destination' }[[fields['flags']].flat().join()]
      if (fields['result'] !== 'type' || end === undefined) return undefined
      const of = end === 'source' ? 'source' : 'destination'
      return { text: `fib ${String(fields['flags'])} type`, is: (it) => isKind(of, String(it)) }
    }
    case '&': {
      const [what, mask] = Array.isArray(value) ? (value as unknown[]) : []
      if (fieldsOf(fieldsOf(what)['meta'])['key'] !== 'mark') return undefined
      const text = `meta mark and ${written(mask)}`
      return { text, is: (it) => isMark(Number(it), Number(mask)) }
    }
  }
  return undefined
}

function payloadOf(protocol: string, field: string): Subject | undefined {
  const text = `${protocol} ${field}`
  if (field === 'saddr' || field === 'daddr') {
    const end = field === 'saddr' ? 'source' : 'destination'
    return { text, is: (it) => isAt(end, it) }
  }
  if (field === 'protocol' || field === 'nexthdr') {
    return { text, is: (it) => isProtocol(String(it)) }
  }
  if (field === 'sport' || field === 'dport') {
    const end = field === 'sport' ? 'source' : 'destination'
    const isOurs = isProtocol(protocol === 'th' ? 'all' : protocol)
    return {
      text,
      is: (it) => (packet) => (isOurs(packet) === false ? false : isOnPort(end, it)(packet)),
    }
  }
  return undefined
}

function metaOf(key: string): Subject | undefined {
  switch (key) {
    case 'iifname':
    case 'iif':
      return { text: key, is: (it) => isLink('input', String(it)) }
    case 'oifname':
    case 'oif':
      return { text: key, is: (it) => isLink('output', String(it)) }
    case 'l4proto':
      return { text: 'meta l4proto', is: (it) => isProtocol(String(it)) }
    case 'mark':
      return { text: 'meta mark', is: (it) => isMark(Number(it), 0xffffffff) }
    case 'nfproto':
    case 'protocol':
      return {
        text: `meta ${key}`,
        is:
          (it) =>
          ({ family }) =>
            ({ ipv4: 'ipv4', ip: 'ipv4', ipv6: 'ipv6', ip6: 'ipv6' })[String(it)] === family,
      }
  }
  return undefined
}

/** An address, a prefix, or a range of addresses. */
function isAt(end: 'source' | 'destination', value: unknown): Condition {
  const [first, last] = rangeOf(value) ?? []
  if (first !== undefined && last !== undefined) {
    const [from, to] = [parseAddress(written(first)), parseAddress(written(last))]
    if (from === undefined || to === undefined) return unknown
    return (packet) =>
      compare(from.bytes, packet[end].bytes) <= 0 && compare(packet[end].bytes, to.bytes) <= 0
  }
  const found = prefixOf(value)
  return found === undefined ? unknown : isIn(end, found)
}

function prefixOf(value: unknown): Prefix | undefined {
  if (typeof value === 'string') {
    const address = parseAddress(value)
    return address === undefined ? parsePrefix(value) : hostPrefix(address)
  }
  const { addr, len } = fieldsOf(fieldsOf(value)['prefix'])
  return parsePrefix(`${String(addr)}/${String(len)}`)
}

function isOnPort(end: 'source' | 'destination', value: unknown): Condition {
  const [from = value, to = value] = rangeOf(value) ?? []
  return isPort(end, Number(from), Number(to))
}

const rangeOf = (value: unknown): readonly unknown[] | undefined => {
  const range = fieldsOf(value)['range']
  return Array.isArray(range) ? (range as unknown[]) : undefined
}

/** All that the right side may be; undefined when it is in words that we don't understand. */
function valuesOf(right: unknown, sets: NamedSets): readonly unknown[] | undefined {
  if (typeof right === 'string' && right.startsWith('@')) {
    return sets.get(right.slice(1))?.map(bare)
  }
  if (Array.isArray(right)) return right as unknown[]
  const { set } = fieldsOf(right)
  return (Array.isArray(set) ? (set as unknown[]) : [right]).map(bare)
}

/** An element may carry a time or a counter. */
const bare = (value: unknown): unknown => {
  const { elem } = fieldsOf(value)
  return elem === undefined ? value : fieldsOf(elem)['val']
}

function written(value: unknown): string {
  if (typeof value === 'string' || typeof value === 'number') return String(value)
  if (Array.isArray(value)) return value.map(written).join(',')
  const { prefix, set, range, elem } = fieldsOf(value)
  if (prefix !== undefined) {
    const { addr, len } = fieldsOf(prefix)
    return `${String(addr)}/${String(len)}`
  }
  if (Array.isArray(set)) return `{ ${set.map(written).join(', ')} }`
  if (Array.isArray(range)) return range.map(written).join('-')
  return elem === undefined ? '...' : written(bare(value))
}

function compare(a: Uint8Array, b: Uint8Array): number {
  if (a.length !== b.length) return NaN
  for (let i = 0; i < a.length; i++) {
    const difference = (a[i] ?? 0) - (b[i] ?? 0)
    if (difference !== 0) return difference
  }
  return 0
}

/** `{ kind: value }`, as expressions are written. */
const soleOf = (value: unknown): readonly [kind: string, value: unknown] =>
  Object.entries(fieldsOf(value)).at(0) ?? ['', undefined]

const fieldsOf = (value: unknown): Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : {}
