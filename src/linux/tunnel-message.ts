/**
 * Messages that make, change and remove tunnel devices (rtnetlink(7), linux/if_link.h, linux/if_tunnel.h).
 *
 * The devices are `external` ones: without addresses of their own, they take the outer header from the route.
 */
import type { TunnelKind } from '../fib/dataplanes/tunnel.ts'
import type { Address } from '../net/address.ts'
import { RTM_DELLINK, RTM_NEWADDR, RTM_NEWLINK } from './link-message.ts'
import { NLM_F_CREATE, NLM_F_EXCL, NLM_F_REPLACE, type MessageBuilder } from './netlink.ts'
import { familyNumber } from './route-message.ts'

const IFF_UP = 1
const IFLA_ADDRESS = 1
const IFLA_IFNAME = 3
const IFLA_MTU = 4
const IFLA_LINKINFO = 18
const IFLA_INFO_KIND = 1
const IFLA_INFO_DATA = 2
const IFLA_IPTUN_COLLECT_METADATA = 19
const IFLA_VXLAN_LEARNING = 7
const IFLA_VXLAN_PORT = 15
const IFLA_VXLAN_COLLECT_METADATA = 25
const IFLA_VXLAN_GPE = 27
const IFA_ADDRESS = 1
const IFA_LOCAL = 2

/** Appends the message that makes the device, up; refused where there is one of that name. */
export function createTunnel(
  to: MessageBuilder,
  sequence: number,
  name: string,
  kind: TunnelKind,
  mtu: number,
): void {
  const info = [
    attribute(IFLA_INFO_KIND, textOf(kind.kind)),
    attribute(IFLA_INFO_DATA, dataOf(kind)),
  ]
  const hasFrames = kind.kind === 'vxlan' && !kind.gpe
  const more = hasFrames ? [{ kind: IFLA_ADDRESS, value: kind.hardwareAddress }] : []
  createLink(to, sequence, name, mtu, info, more)
}

/** Appends the message that makes a bridge, up; refused where there is a link of that name. */
export function createBridge(
  to: MessageBuilder,
  sequence: number,
  name: string,
  mtu: number,
): void {
  createLink(to, sequence, name, mtu, [attribute(IFLA_INFO_KIND, textOf('bridge'))])
}

function createLink(
  to: MessageBuilder,
  sequence: number,
  name: string,
  mtu: number,
  info: readonly Uint8Array[],
  more: readonly { readonly kind: number; readonly value: Uint8Array }[] = [],
): void {
  to.begin(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, sequence)
  header(to, 0, IFF_UP)
  to.attribute(IFLA_IFNAME, textOf(name)).attributeU32(IFLA_MTU, mtu)
  for (const it of more) to.attribute(it.kind, it.value)
  to.attribute(IFLA_LINKINFO, joined(info))
}

/** Appends the message that puts an address on a link; one that is there stays as it is. */
export function putAddress(
  to: MessageBuilder,
  sequence: number,
  link: number,
  { family, bytes }: Address,
  length: number,
): void {
  to.begin(RTM_NEWADDR, NLM_F_CREATE | NLM_F_REPLACE, sequence)
  // struct ifaddrmsg: family, length, flags, scope, index.
  to.u8(familyNumber(family)).u8(length).u8(0).u8(0).u32(link).end()
  to.attribute(IFA_LOCAL, bytes).attribute(IFA_ADDRESS, bytes)
}

export function takeUp(to: MessageBuilder, sequence: number, link: number): void {
  to.begin(RTM_NEWLINK, 0, sequence)
  header(to, link, IFF_UP)
}

/** Appends the message that takes the device up, with this MTU. */
export function adjustTunnel(
  to: MessageBuilder,
  sequence: number,
  link: number,
  mtu: number,
): void {
  takeUp(to, sequence, link)
  to.attributeU32(IFLA_MTU, mtu)
}

export function deleteLink(to: MessageBuilder, sequence: number, link: number): void {
  to.begin(RTM_DELLINK, 0, sequence)
  header(to, link, 0)
}

/** struct ifinfomsg: family, type, index, flags, which of them count. */
function header(to: MessageBuilder, link: number, flags: number): void {
  to.u32(0).u32(link).u32(flags).u32(flags).end()
}

function dataOf(kind: TunnelKind): Uint8Array {
  if (kind.kind === 'ipip') return attribute(IFLA_IPTUN_COLLECT_METADATA, FLAG)
  return joined([
    attribute(IFLA_VXLAN_LEARNING, Uint8Array.of(0)),
    attribute(IFLA_VXLAN_PORT, Uint8Array.of(kind.port >> 8, kind.port & 0xff)),
    attribute(IFLA_VXLAN_COLLECT_METADATA, Uint8Array.of(1)),
    ...(kind.gpe ? [attribute(IFLA_VXLAN_GPE, FLAG)] : []),
  ])
}

const FLAG = new Uint8Array(0)

/** An attribute, padded to whole words. */
function attribute(kind: number, value: Uint8Array): Uint8Array {
  const bytes = new Uint8Array((4 + value.length + 3) & ~3)
  const view = new DataView(bytes.buffer)
  view.setUint16(0, 4 + value.length, true)
  view.setUint16(2, kind, true)
  bytes.set(value, 4)
  return bytes
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  return Uint8Array.from(parts.flatMap((part) => [...part]))
}

/** With the NUL that ends it. */
const textOf = (text: string): Uint8Array => new TextEncoder().encode(`${text}\0`)
