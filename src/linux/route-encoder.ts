/**
 * The route messages that linnet sends: the loop that every installed route goes through.
 *
 * All of it consists of 32-bit words, so a message is a few stores into one Uint32Array. What depends
 * only on the next hop (route type, gateways or the object's id) is a definition, made once and copied
 * into each message. Messages always carry our protocol, table and a metric other than 0: with metric
 * 0 a replace would overwrite connected routes.
 *
 * | word | content                                        |
 * |------|------------------------------------------------|
 * | 0..3 | nlmsghdr: length, type + flags, sequence, port |
 * | 4..6 | rtmsg: family, length; table, protocol, scope, type; flags |
 * | 7..  | RTA_DST, RTA_PRIORITY, RTA_TABLE if > 255, then the definition, then RTA_PREFSRC |
 */
import {
  ROUTE_PUT,
  type KernelNextHop,
  type KernelOptions,
  type KernelTarget,
} from '../fib/kernel.ts'
import { FAMILIES, type Family } from '../net/family.ts'
import { wordsOf, type Address } from '../net/address.ts'
import { encapsulationBytes, putEncapsulation } from './encapsulation.ts'
import { MessageBuilder, NLM_F_CREATE, NLM_F_REPLACE, NLM_F_REQUEST } from './netlink.ts'
import {
  RTA_DST,
  RTA_ENCAP,
  RTA_ENCAP_TYPE,
  RTA_GATEWAY,
  RTA_MULTIPATH,
  RTA_NH_ID,
  RTA_OIF,
  RTA_PREFSRC,
  RTA_PRIORITY,
  RTA_TABLE,
  RTA_VIA,
  RTM_DELROUTE,
  RTM_NEWROUTE,
  RTNH_F_ONLINK,
  RTN_BLACKHOLE,
  RTN_UNICAST,
  RTN_UNREACHABLE,
  familyNumber,
} from './route-message.ts'

const HEADER_WORDS = 7
/** A delete names no scope: RT_SCOPE_NOWHERE matches every one. */
const ANY_SCOPE = 255
const NEW_ROUTE = RTM_NEWROUTE | ((NLM_F_REQUEST | NLM_F_CREATE | NLM_F_REPLACE) << 16)
const DELETE_ROUTE = RTM_DELROUTE | (NLM_F_REQUEST << 16)
/** RTA_DST, RTA_PRIORITY, RTA_TABLE and RTA_PREFSRC of an IPv6 route. */
const OWN_WORDS = 5 + 2 + 2 + 5

/** What all routes to one next hop have in common; plain data, so that it can go to a worker. */
export interface RouteDefinition {
  /** RTN_*. */
  readonly type: number
  /** RTNH_F_* of a single gateway. */
  readonly flags: number
  /** Attributes, as words in host order. */
  readonly attributes: Uint32Array
}

/** Routes that point to the nexthop object `id`. */
export const objectDefinition = (id: number): RouteDefinition => ({
  type: RTN_UNICAST,
  flags: 0,
  attributes: Uint32Array.of(8 | (RTA_NH_ID << 16), id),
})

/** Routes that carry their gateways themselves, or drop packets. */
export function plainDefinition(family: Family, target: KernelTarget): RouteDefinition {
  if (target.kind !== 'gateways') {
    const type = target.kind === 'blackhole' ? RTN_BLACKHOLE : RTN_UNREACHABLE
    return { type, flags: 0, attributes: NOTHING }
  }
  const [first, ...more] = target.hops
  const builder = new MessageBuilder(64 + target.hops.length * 96).begin(0, 0, 0)
  const header = builder.length
  if (more.length === 0) {
    builder.attributeU32(RTA_OIF, first.link)
    gateway(builder, family, first)
  } else {
    const sizes = target.hops.map((hop) => 8 + gatewayBytes(family, hop))
    builder.u16(4 + sizes.reduce((sum, size) => sum + size, 0)).u16(RTA_MULTIPATH)
    for (const [i, hop] of target.hops.entries()) {
      builder
        .u16(sizes[i])
        .u8(hop.onLink === true ? RTNH_F_ONLINK : 0)
        .u8((hop.weight ?? 1) - 1)
      gateway(builder.u32(hop.link), family, hop)
    }
  }
  const bytes = builder.bytes.slice(header, builder.length)
  const flags = more.length === 0 && first.onLink === true ? RTNH_F_ONLINK : 0
  return { type: RTN_UNICAST, flags, attributes: new Uint32Array(bytes.buffer) }
}
const NOTHING = new Uint32Array(0)

function gateway(to: MessageBuilder, family: Family, { via, encap }: KernelNextHop): void {
  if (encap !== undefined) putEncapsulation(to, RTA_ENCAP_TYPE, RTA_ENCAP, encap)
  if (via === undefined) return
  if (via.family === family) to.attribute(RTA_GATEWAY, via.bytes)
  else
    to.u16(6 + via.bytes.length)
      .u16(RTA_VIA)
      .u16(familyNumber(via.family))
      .raw(via.bytes)
      .end()
}

function gatewayBytes(family: Family, { via, encap }: KernelNextHop): number {
  const around = encap === undefined ? 0 : encapsulationBytes(encap)
  if (via === undefined) return around
  return around + ((4 + (via.family === family ? 0 : 2) + via.bytes.length + 3) & ~3)
}

/** The attribute for a preferred source, in words; empty when there is none. */
function sourceAttribute(source: Address | undefined): Uint32Array {
  if (source === undefined) return NOTHING
  return Uint32Array.of(
    (4 + source.bytes.length) | (RTA_PREFSRC << 16),
    ...wordsOf(source.bytes).map(swapped),
  )
}

export class RouteEncoder {
  /** What was encoded since `reset`. */
  readonly bytes: Uint8Array
  readonly #words: Uint32Array
  readonly #definitions = new Map<number, RouteDefinition>()
  readonly #options: KernelOptions
  #sources: readonly [Uint32Array, Uint32Array] = [NOTHING, NOTHING]
  #at = 0
  #lastId = -1
  #lastDefinition = objectDefinition(0)

  /** A batch holds up to `capacity` bytes: below SO_SNDBUF, which is 212,992 as a rule. */
  constructor(options: KernelOptions, capacity = 128 * 1024) {
    this.#words = new Uint32Array(capacity / 4)
    this.bytes = new Uint8Array(this.#words.buffer)
    this.#options = options
    this.preferSource(options.preferredSource)
  }

  /** The source address that routes encoded from now on ask for. */
  preferSource({ ipv4, ipv6 }: KernelOptions['preferredSource']): void {
    this.#sources = [sourceAttribute(ipv4), sourceAttribute(ipv6)]
  }

  get length(): number {
    return this.#at * 4
  }

  reset(): void {
    this.#at = 0
  }

  /** From now on, routes of `id` are written like this; undefined: they point to the object `id`. */
  define(id: number, definition: RouteDefinition | undefined): void {
    if (definition === undefined) this.#definitions.delete(id)
    else this.#definitions.set(id, definition)
    this.#lastId = -1
  }

  /**
   * Appends the message for one route, whose address words are big-endian numbers at `words[at]`.
   * False when the batch is full: send it first.
   */
  encode(
    operation: number,
    familyIndex: number,
    words: Int32Array,
    at: number,
    length: number,
    id: number,
    sequence: number,
  ): boolean {
    const put = operation === ROUTE_PUT
    const definition = this.#definitionOf(id)
    const room = HEADER_WORDS + OWN_WORDS + (put ? definition.attributes.length : 0)
    if (this.#at + room > this.#words.length) return false
    const { table, metric, protocol } = this.#options
    const out = this.#words
    const start = this.#at
    let p = start + 1
    out[p++] = put ? NEW_ROUTE : DELETE_ROUTE
    out[p++] = sequence
    out[p++] = 0
    out[p++] = (familyIndex === 0 ? 2 : 10) | (length << 8)
    const shortTable = table < 256 ? table : 0
    out[p++] = shortTable | (protocol << 8) | (put ? definition.type << 24 : ANY_SCOPE << 16)
    out[p++] = put ? definition.flags : 0
    const count = FAMILIES[familyIndex].words
    out[p++] = (4 + 4 * count) | (RTA_DST << 16)
    for (let i = 0; i < count; i++) out[p++] = swapped(words[at + i])
    out[p++] = 8 | (RTA_PRIORITY << 16)
    out[p++] = metric
    if (table > 255) {
      out[p++] = 8 | (RTA_TABLE << 16)
      out[p++] = table
    }
    if (put) {
      const own = definition.attributes
      for (let i = 0; i < own.length; i++) out[p++] = own[i]
      if (definition.type === RTN_UNICAST) {
        const source = this.#sources[familyIndex]
        for (let i = 0; i < source.length; i++) out[p++] = source[i]
      }
    }
    out[start] = (p - start) * 4
    this.#at = p
    return true
  }

  #definitionOf(id: number): RouteDefinition {
    if (id === this.#lastId) return this.#lastDefinition
    this.#lastId = id
    this.#lastDefinition = this.#definitions.get(id) ?? objectDefinition(id)
    return this.#lastDefinition
  }
}

/** The same four bytes in the opposite order. */
const swapped = (word: number): number =>
  (word << 24) | ((word & 0xff00) << 8) | ((word >>> 8) & 0xff00) | (word >>> 24)
