/**
 * RTM_NEWROUTE and its kin: routes as the kernel tells them (rtnetlink(7), linux/rtnetlink.h).
 *
 * Decoding makes plain values; a dump of 500,000 routes comes through here, so texts are put together
 * from the bytes at hand. A link-local gateway carries no zone: its `link` says where it lives. The
 * messages that we write in quantity are made by route-encoder.ts.
 */
import { formatIpv6, type Address } from '../net/address.ts'
import { factsOf, type Family } from '../net/family.ts'
import type { Prefix } from '../net/prefix.ts'
import type { KernelNextHop, KernelRoute } from '../fib/kernel.ts'
import { addressAt, bytesAddress } from './address-attribute.ts'
import { encapsulationAt } from './encapsulation.ts'
import { Attributes, MessageBuilder, NLM_F_DUMP } from './netlink.ts'
import { AF_INET, AF_INET6 } from './sys.ts'

export const RTM_NEWROUTE = 24
export const RTM_DELROUTE = 25
export const RTM_GETROUTE = 26

export const RTA_DST = 1
export const RTA_OIF = 4
export const RTA_GATEWAY = 5
export const RTA_PRIORITY = 6
export const RTA_PREFSRC = 7
export const RTA_MULTIPATH = 9
export const RTA_TABLE = 15
export const RTA_VIA = 18
export const RTA_ENCAP_TYPE = 21
export const RTA_ENCAP = 22
export const RTA_NH_ID = 30

export const RTN_UNICAST = 1
export const RTN_BLACKHOLE = 6
export const RTN_UNREACHABLE = 7

export const RTPROT_KERNEL = 2
export const RT_TABLE_MAIN = 254

/** RTPROT_* as iproute2 names them. */
const NAME_OF_PROTOCOL: Readonly<Record<number, string>> = {
  2: 'kernel',
  3: 'boot',
  4: 'static',
  9: 'router advertisement',
  11: 'zebra',
  12: 'bird',
  16: 'dhcp',
  42: 'babel',
  186: 'bgp',
  187: 'isis',
  188: 'ospf',
  189: 'rip',
  192: 'eigrp',
}

/** `ospf` for 188. */
export const protocolName = (protocol: number): string =>
  NAME_OF_PROTOCOL[protocol] ?? `protocol ${protocol}`

export const RTNH_F_ONLINK = 4
/** The route is a cached copy, made for one destination. */
export const RTM_F_CLONED = 0x200

/** Bytes of `struct rtmsg`, and where its fields lie. */
const RTMSG_BYTES = 12
const PROTOCOL_OFFSET = 5
const RTNEXTHOP_BYTES = 8

const $route = new Attributes(32)
const $hop = new Attributes(32)

export const familyNumber = (family: Family): number => (family === 'ipv4' ? AF_INET : AF_INET6)

/** The message asking for all routes of `family`; with strict checking the kernel filters. */
export function routeDumpRequest(
  family: Family,
  filter: { readonly table?: number; readonly protocol?: number } = {},
): Uint8Array {
  const { table = 0, protocol = 0 } = filter
  const request = new MessageBuilder(64).begin(RTM_GETROUTE, NLM_F_DUMP, 1)
  request.u8(familyNumber(family)).u8(0).u8(0).u8(0)
  request
    .u8(table < 256 ? table : 0)
    .u8(protocol)
    .u8(0)
    .u8(0)
    .u32(0)
    .end()
  if (table !== 0) request.attributeU32(RTA_TABLE, table)
  return request.bytes.slice(0, request.length)
}

/** RTPROT_* of the route message at `from`, without decoding it. */
export const protocolAt = (view: DataView, from: number): number =>
  view.getUint8(from + PROTOCOL_OFFSET)

/** The route in a message body; undefined for families that we don't route, and for cached copies. */
export function decodeRoute(view: DataView, from: number, to: number): KernelRoute | undefined {
  if (to - from < RTMSG_BYTES) return undefined
  const family = familyOf(view.getUint8(from))
  const flags = view.getUint32(from + 8, true)
  if (family === undefined || (flags & RTM_F_CLONED) !== 0) return undefined
  const attributes = $route.scan(view, from + RTMSG_BYTES, to)
  const length = view.getUint8(from + 1)
  if (length > factsOf(family).bits) return undefined
  const preferredSource = addressAt(view, attributes, RTA_PREFSRC)
  return {
    prefix: prefixAt(view, family, attributes, length),
    table: attributes.u32(view, RTA_TABLE, view.getUint8(from + 4)),
    metric: attributes.u32(view, RTA_PRIORITY),
    protocol: view.getUint8(from + PROTOCOL_OFFSET),
    scope: view.getUint8(from + 6),
    type: view.getUint8(from + 7),
    nextHopId: attributes.u32(view, RTA_NH_ID),
    hops: hopsOf(view, attributes, flags),
    ...(preferredSource === undefined ? {} : { preferredSource }),
    flags,
  }
}

function familyOf(number: number): Family | undefined {
  if (number === AF_INET) return 'ipv4'
  return number === AF_INET6 ? 'ipv6' : undefined
}

const NOWHERE4 = new Uint8Array(4)
const NOWHERE6 = new Uint8Array(16)

function prefixAt(view: DataView, family: Family, attributes: Attributes, length: number): Prefix {
  const size = family === 'ipv4' ? 4 : 16
  if (attributes.size(RTA_DST) !== size) {
    const bytes = family === 'ipv4' ? NOWHERE4 : NOWHERE6
    return { family, bytes, length, text: `${family === 'ipv4' ? '0.0.0.0' : '::'}/${length}` }
  }
  const at = attributes.at(RTA_DST)
  const bytes = new Uint8Array(size)
  for (let i = 0; i < size; i++) bytes[i] = view.getUint8(at + i)
  if (family === 'ipv4') {
    return {
      family,
      bytes,
      length,
      text: `${bytes[0]}.${bytes[1]}.${bytes[2]}.${bytes[3]}/${length}`,
    }
  }
  for (let i = 0; i < 4; i++) $words[i] = view.getInt32(at + 4 * i)
  return { family, bytes, length, text: `${formatIpv6($words, 0)}/${length}` }
}
const $words = new Int32Array(4)

const NO_HOPS: readonly KernelNextHop[] = []

function hopsOf(view: DataView, attributes: Attributes, flags: number): readonly KernelNextHop[] {
  // A route to a nexthop object also tells the object's gateways, unless nexthop_compat_mode is 0.
  if (attributes.has(RTA_NH_ID)) return NO_HOPS
  if (attributes.has(RTA_MULTIPATH)) {
    const at = attributes.at(RTA_MULTIPATH)
    return multipath(view, at, at + attributes.size(RTA_MULTIPATH))
  }
  if (!attributes.has(RTA_OIF)) return NO_HOPS
  return [hopAt(view, attributes, attributes.u32(view, RTA_OIF), flags, 1)]
}

/** RTA_MULTIPATH: `struct rtnexthop`, each with attributes of its own. */
function multipath(view: DataView, from: number, to: number): readonly KernelNextHop[] {
  const hops: KernelNextHop[] = []
  for (let at = from; at + RTNEXTHOP_BYTES <= to;) {
    const size = view.getUint16(at, true)
    if (size < RTNEXTHOP_BYTES || at + size > to) break
    const inner = $hop.scan(view, at + RTNEXTHOP_BYTES, at + size)
    const weight = view.getUint8(at + 3) + 1
    hops.push(hopAt(view, inner, view.getUint32(at + 4, true), view.getUint8(at + 2), weight))
    at += (size + 3) & ~3
  }
  return hops
}

function hopAt(
  view: DataView,
  attributes: Attributes,
  link: number,
  flags: number,
  weight: number,
): KernelNextHop {
  const via = addressAt(view, attributes, RTA_GATEWAY) ?? viaAt(view, attributes)
  return {
    ...(via === undefined ? {} : { via }),
    link,
    ...((flags & RTNH_F_ONLINK) === 0 ? {} : { onLink: true }),
    ...(weight === 1 ? {} : { weight }),
    ...encapsulationAt(view, attributes, RTA_ENCAP_TYPE, RTA_ENCAP),
  }
}

/** RTA_VIA: a gateway of the other family, after its 16-bit family. */
function viaAt(view: DataView, attributes: Attributes): Address | undefined {
  const size = attributes.size(RTA_VIA) - 2
  return size === 4 || size === 16
    ? bytesAddress(view, attributes.at(RTA_VIA) + 2, size)
    : undefined
}
