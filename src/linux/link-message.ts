/**
 * RTM_NEWLINK, RTM_NEWADDR and their kin: interfaces and their addresses (rtnetlink(7), if_link.h).
 */
import type { Link, LinkAddress } from '../net/link.ts'
import { Attributes, MessageBuilder, NLM_F_DUMP } from './netlink.ts'
import { addressAt } from './address-attribute.ts'

export const RTM_NEWLINK = 16
export const RTM_DELLINK = 17
const RTM_GETLINK = 18
export const RTM_NEWADDR = 20
export const RTM_DELADDR = 21
const RTM_GETADDR = 22

const IFF_UP = 0x1
const IFF_LOOPBACK = 0x8
const IFF_LOWER_UP = 0x10000

const IFLA_IFNAME = 3
const IFLA_MTU = 4
const IFLA_MASTER = 10
const IFLA_LINKINFO = 18
const IFLA_EXT_MASK = 29
const IFLA_INFO_KIND = 1
const IFLA_INFO_DATA = 2
const IFLA_IPTUN_COLLECT_METADATA = 19
const IFLA_VXLAN_PORT = 15
const IFLA_VXLAN_COLLECT_METADATA = 25
const IFLA_VXLAN_GPE = 27
/** Leave the per-link counters out. */
const RTEXT_FILTER_SKIP_STATS = 8

const IFA_ADDRESS = 1
const IFA_LOCAL = 2
const IFA_FLAGS = 8
const IFA_F_DADFAILED = 0x08
const IFA_F_OPTIMISTIC = 0x04
const IFA_F_TENTATIVE = 0x40

/** Bytes of `struct ifinfomsg` and `struct ifaddrmsg`. */
const IFINFO_BYTES = 16
const IFADDR_BYTES = 8

const $link = new Attributes(64)
const $info = new Attributes(8)
const $data = new Attributes(32)
const $address = new Attributes(16)

export function linkDumpRequest(): Uint8Array {
  const request = new MessageBuilder(64).begin(RTM_GETLINK, NLM_F_DUMP, 1)
  request.u32(0).u32(0).u32(0).u32(0).end().attributeU32(IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS)
  return request.bytes.slice(0, request.length)
}

/** Addresses of both families. */
export function addressDumpRequest(): Uint8Array {
  const request = new MessageBuilder(64).begin(RTM_GETADDR, NLM_F_DUMP, 1)
  request.u32(0).u32(0).end()
  return request.bytes.slice(0, request.length)
}

export function decodeLink(view: DataView, from: number, to: number): Link | undefined {
  if (to - from < IFINFO_BYTES) return undefined
  const family = view.getUint8(from)
  if (family !== 0) return undefined // AF_BRIDGE tells of a port of a bridge, not of a link
  const flags = view.getUint32(from + 8, true)
  const attributes = $link.scan(view, from + IFINFO_BYTES, to)
  const info = attributes.at(IFLA_LINKINFO)
  $info.scan(view, info, info + attributes.size(IFLA_LINKINFO))
  const kind = $info.text(view, IFLA_INFO_KIND)
  const tunnel = tunnelIn(view, kind)
  return {
    index: view.getInt32(from + 4, true),
    name: attributes.text(view, IFLA_IFNAME),
    kind,
    up: (flags & IFF_UP) !== 0,
    carrier: (flags & IFF_LOWER_UP) !== 0,
    loopback: (flags & IFF_LOOPBACK) !== 0,
    mtu: attributes.u32(view, IFLA_MTU),
    master: attributes.u32(view, IFLA_MASTER),
    ...(tunnel === undefined ? {} : { tunnel }),
  }
}

/** What `$info` tells of a tunnel without a far end of its own. */
function tunnelIn(view: DataView, kind: string): string | undefined {
  if (kind !== 'ipip' && kind !== 'vxlan') return undefined
  const from = $info.at(IFLA_INFO_DATA)
  const data = $data.scan(view, from, from + $info.size(IFLA_INFO_DATA))
  if (kind === 'ipip') return data.has(IFLA_IPTUN_COLLECT_METADATA) ? 'external' : undefined
  const external = data.at(IFLA_VXLAN_COLLECT_METADATA)
  if (external < 0 || view.getUint8(external) === 0) return undefined
  const port = data.has(IFLA_VXLAN_PORT) ? view.getUint16(data.at(IFLA_VXLAN_PORT)) : 0
  return `external port ${port}${data.has(IFLA_VXLAN_GPE) ? ' gpe' : ''}`
}

export function decodeLinkAddress(
  view: DataView,
  from: number,
  to: number,
): LinkAddress | undefined {
  if (to - from < IFADDR_BYTES) return undefined
  const attributes = $address.scan(view, from + IFADDR_BYTES, to)
  const far = addressAt(view, attributes, IFA_ADDRESS)
  const local = addressAt(view, attributes, IFA_LOCAL)
  const address = local ?? far
  if (address === undefined) return undefined
  const flags = attributes.u32(view, IFA_FLAGS, view.getUint8(from + 2))
  const unsettled = (flags & IFA_F_TENTATIVE) !== 0 && (flags & IFA_F_OPTIMISTIC) === 0
  return {
    link: view.getUint32(from + 4, true),
    address,
    length: view.getUint8(from + 1),
    scope: view.getUint8(from + 3),
    ...(local === undefined || far === undefined || far.text === local.text ? {} : { peer: far }),
    tentative: unsettled || (flags & IFA_F_DADFAILED) !== 0,
  }
}
