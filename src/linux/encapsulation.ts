/**
 * Lightweight tunnels in routes and nexthop objects (linux/lwtunnel.h): what a device without a far end of its own
 * (`ip link add ... external`) puts around the packets of a route.
 *
 * Packets are never fragmented on the way (DF), so that a path that takes less is found out by those inside.
 */
import type { Encapsulation } from '../fib/kernel.ts'
import { addressAt } from './address-attribute.ts'
import { Attributes, type MessageBuilder } from './netlink.ts'

const LWTUNNEL_ENCAP_IP = 2
const LWTUNNEL_IP_ID = 1
const LWTUNNEL_IP_DST = 2
const LWTUNNEL_IP_TTL = 4
const LWTUNNEL_IP_FLAGS = 6
const NLA_F_NESTED = 0x8000
/** TUNNEL_DONT_FRAGMENT, in network order. */
const DONT_FRAGMENT = Uint8Array.of(1, 0)
/** Of the outer header: as of any packet that starts here, whatever is left of the inner one's. */
const TTL = Uint8Array.of(64)

const $nested = new Attributes(8)

/** Bytes of what `putEncapsulation` appends. */
export const encapsulationBytes = ({ to }: Encapsulation): number =>
  8 + 4 + 12 + 4 + to.bytes.length + 8 + 8

/** Appends the two attributes, whose kinds differ between routes and nexthop objects. IPv4 outside. */
export function putEncapsulation(
  builder: MessageBuilder,
  typeKind: number,
  kind: number,
  encap: Encapsulation,
): void {
  builder.u16(6).u16(typeKind).u16(LWTUNNEL_ENCAP_IP).end()
  builder.u16(encapsulationBytes(encap) - 8).u16(kind | NLA_F_NESTED)
  const id = new Uint8Array(8)
  new DataView(id.buffer).setUint32(4, encap.id)
  builder.attribute(LWTUNNEL_IP_ID, id).attribute(LWTUNNEL_IP_DST, encap.to.bytes)
  builder.attribute(LWTUNNEL_IP_TTL, TTL).attribute(LWTUNNEL_IP_FLAGS, DONT_FRAGMENT)
}

/** `{ encap }` of a route or nexthop object; nothing where it has none. */
export function encapsulationAt(
  view: DataView,
  attributes: Attributes,
  typeKind: number,
  kind: number,
): { readonly encap?: Encapsulation } {
  if (!attributes.has(kind) || attributes.u16(view, typeKind) !== LWTUNNEL_ENCAP_IP) return {}
  const at = attributes.at(kind)
  const nested = $nested.scan(view, at, at + attributes.size(kind))
  const to = addressAt(view, nested, LWTUNNEL_IP_DST)
  const id = nested.size(LWTUNNEL_IP_ID) === 8 ? view.getUint32(nested.at(LWTUNNEL_IP_ID) + 4) : 0
  return to === undefined ? {} : { encap: { id, to } }
}
