/** Conditions that iptables and nftables have in common, and the logic of three values that they are joined by. */
import type { Address } from '../net/address.ts'
import { contains, type Prefix } from '../net/prefix.ts'
import type { Condition, Packet, Truth } from './rule-set.ts'

export const unknown: Condition = () => undefined

/** False when one is false, whatever the others may be. */
export function all(conditions: readonly Condition[], packet: Packet): Truth {
  let truth: Truth = true
  for (const holds of conditions) {
    const one = holds(packet)
    if (one === false) return false
    if (one === undefined) truth = undefined
  }
  return truth
}

export const not =
  (condition: Condition): Condition =>
  (packet) => {
    const truth = condition(packet)
    return truth === undefined ? undefined : !truth
  }

/** True when one is true, whatever the others may be. */
export const oneOf = (conditions: readonly Condition[]): Condition =>
  not((packet) => all(conditions.map(not), packet))

export const negatedIf = (negated: boolean, condition: Condition): Condition =>
  negated ? not(condition) : condition

export const isIn =
  (end: 'source' | 'destination', prefix: Prefix): Condition =>
  (packet) =>
    contains(prefix, packet[end])

/** A name, or the beginning of one: `br-+` for iptables, `br-*` for nftables. */
export const isLink =
  (way: 'input' | 'output', pattern: string): Condition =>
  (packet) =>
    /[+*]$/.test(pattern) ? packet[way].startsWith(pattern.slice(0, -1)) : packet[way] === pattern

export const isProtocol =
  (name: string): Condition =>
  ({ protocol }) =>
    name === 'all' || name === '0' || name === protocol || name === '6'

export const isPort =
  (end: 'source' | 'destination', from: number, to: number): Condition =>
  ({ sourcePort, destinationPort }) => {
    const port = end === 'source' ? sourcePort : destinationPort
    return Number.isNaN(from) || Number.isNaN(to) ? undefined : port >= from && port <= to
  }

/** States of connections as both write them, in whatever case. */
export const isState =
  (name: string): Condition =>
  ({ state }) => {
    const wanted = name.toLowerCase()
    if (wanted === 'snat') return undefined
    return wanted === state
  }

/** What kind of address it is to this host: `LOCAL` is one of its own. */
export const isKind =
  (end: 'source' | 'destination', kind: string): Condition =>
  (packet) => {
    const own = packet.ownAddresses.has(packet[end].text)
    if (kind.toLowerCase() === 'local') return own
    if (kind.toLowerCase() === 'unicast') return !own && !isMulticast(packet[end])
    if (kind.toLowerCase() === 'multicast') return isMulticast(packet[end])
    return undefined
  }

export const isMark =
  (value: number, mask: number): Condition =>
  ({ mark }) =>
    mark === undefined || Number.isNaN(value) || Number.isNaN(mask)
      ? undefined
      : (mark & mask) >>> 0 === value >>> 0

const isMulticast = ({ family, bytes }: Address): boolean =>
  family === 'ipv4' ? ((bytes[0] ?? 0) & 0xf0) === 0xe0 : bytes[0] === 0xff
