/**
 * RTM_NEWNEXTHOP and its kin: next hops as kernel objects (linux/nexthop.h, Linux >= 5.3).
 *
 * A single object is one gateway on one link; a group names single objects with weights. Routes point
 * to either by id, so replacing one object moves all of its routes at once.
 */
import type { Family } from '../net/family.ts'
import type { KernelNextHop, KernelNextHopObject } from '../fib/kernel.ts'
import { addressAt } from './address-attribute.ts'
import { encapsulationAt, putEncapsulation } from './encapsulation.ts'
import { Attributes, MessageBuilder, NLM_F_CREATE, NLM_F_DUMP, NLM_F_REPLACE } from './netlink.ts'
import { RTNH_F_ONLINK, familyNumber } from './route-message.ts'

export const RTM_NEWNEXTHOP = 104
export const RTM_DELNEXTHOP = 105
const RTM_GETNEXTHOP = 106

const NHA_ID = 1
const NHA_GROUP = 2
const NHA_GROUP_TYPE = 3
const NHA_BLACKHOLE = 4
const NHA_OIF = 5
const NHA_GATEWAY = 6
const NHA_ENCAP_TYPE = 7
const NHA_ENCAP = 8
const NHA_RES_GROUP = 12
const NLA_F_NESTED = 0x8000

/** NEXTHOP_GRP_TYPE_RES: traffic goes by a table of buckets, of which each member gets its share. */
const RESILIENT = 1
/** In NHA_RES_GROUP. */
const RES_BUCKETS = 1
const RES_IDLE_TIMER = 2

/** Bytes of `struct nhmsg` and of `struct nexthop_grp`. */
const NHMSG_BYTES = 8
const GROUP_ENTRY_BYTES = 8

const $attributes = new Attributes(16)

export interface GroupMember {
  readonly id: number
  /** 1..256. */
  readonly weight: number
}

export function nextHopDumpRequest(): Uint8Array {
  const request = new MessageBuilder(64).begin(RTM_GETNEXTHOP, NLM_F_DUMP, 1)
  header(request, 0, 0, 0)
  return request.bytes.slice(0, request.length)
}

/** Appends the message that creates or replaces the single object `id`. */
export function putSingle(
  to: MessageBuilder,
  sequence: number,
  protocol: number,
  id: number,
  family: Family,
  hop: KernelNextHop,
): void {
  to.begin(RTM_NEWNEXTHOP, NLM_F_CREATE | NLM_F_REPLACE, sequence)
  const number = familyNumber(hop.via?.family ?? family)
  header(to, number, protocol, hop.onLink === true ? RTNH_F_ONLINK : 0)
  to.attributeU32(NHA_ID, id).attributeU32(NHA_OIF, hop.link)
  if (hop.via !== undefined) to.attribute(NHA_GATEWAY, hop.via.bytes)
  if (hop.encap !== undefined) putEncapsulation(to, NHA_ENCAP_TYPE, NHA_ENCAP, hop.encap)
}

export interface Group {
  readonly id: number
  readonly members: readonly GroupMember[]
  /** Buckets of a resilient group, whose flows move at once when members change; 0: a group by hash. */
  readonly buckets: number
}

/** Appends the message that replaces the group, and creates it where it was not when `create`. */
export function putGroup(
  to: MessageBuilder,
  sequence: number,
  protocol: number,
  { id, members, buckets }: Group,
  create: boolean,
): void {
  to.begin(RTM_NEWNEXTHOP, (create ? NLM_F_CREATE : 0) | NLM_F_REPLACE, sequence)
  header(to, 0, protocol, 0)
  to.attributeU32(NHA_ID, id)
  to.u16(4 + members.length * GROUP_ENTRY_BYTES).u16(NHA_GROUP)
  for (const member of members)
    to.u32(member.id)
      .u8(member.weight - 1)
      .u8(0)
      .u16(0)
  if (buckets > 0) {
    to.u16(6).u16(NHA_GROUP_TYPE).u16(RESILIENT).u16(0)
    to.u16(20).u16(NHA_RES_GROUP | NLA_F_NESTED)
    to.u16(6).u16(RES_BUCKETS).u16(buckets).u16(0)
    to.attributeU32(RES_IDLE_TIMER, 0)
  }
  to.end()
}

/** Appends the message that creates the single object `id`, which drops packets. */
export function putBlackhole(
  to: MessageBuilder,
  sequence: number,
  protocol: number,
  id: number,
): void {
  to.begin(RTM_NEWNEXTHOP, NLM_F_CREATE | NLM_F_REPLACE, sequence)
  header(to, familyNumber('ipv4'), protocol, 0)
  to.attributeU32(NHA_ID, id).u16(4).u16(NHA_BLACKHOLE).end()
}

/** Appends the message that deletes `id`. The kernel wants protocol 0 here. */
export function deleteObject(to: MessageBuilder, sequence: number, id: number): void {
  to.begin(RTM_DELNEXTHOP, 0, sequence)
  header(to, 0, 0, 0)
  to.attributeU32(NHA_ID, id)
}

/** struct nhmsg: family, scope, protocol, reserved, flags. */
function header(to: MessageBuilder, family: number, protocol: number, flags: number): void {
  to.u8(family).u8(0).u8(protocol).u8(0).u32(flags).end()
}

/** The object in a message body. */
export function decodeNextHop(
  view: DataView,
  from: number,
  to: number,
): KernelNextHopObject | undefined {
  if (to - from < NHMSG_BYTES) return undefined
  const attributes = $attributes.scan(view, from + NHMSG_BYTES, to)
  if (!attributes.has(NHA_ID)) return undefined
  const via = addressAt(view, attributes, NHA_GATEWAY)
  const link = attributes.u32(view, NHA_OIF)
  const onLink = (view.getUint32(from + 4, true) & RTNH_F_ONLINK) !== 0
  const hop: KernelNextHop = {
    ...(via === undefined ? {} : { via }),
    link,
    ...(onLink ? { onLink } : {}),
    ...encapsulationAt(view, attributes, NHA_ENCAP_TYPE, NHA_ENCAP),
  }
  return {
    id: attributes.u32(view, NHA_ID),
    protocol: view.getUint8(from + 2),
    group: members(view, attributes),
    ...(attributes.u16(view, NHA_GROUP_TYPE) === RESILIENT && { resilient: true }),
    ...(link === 0 ? {} : { hop }),
    blackhole: attributes.has(NHA_BLACKHOLE),
  }
}

function members(view: DataView, attributes: Attributes): readonly GroupMember[] {
  const start = attributes.at(NHA_GROUP)
  const end = start + attributes.size(NHA_GROUP)
  const found: GroupMember[] = []
  for (let at = start; at + GROUP_ENTRY_BYTES <= end; at += GROUP_ENTRY_BYTES) {
    found.push({ id: view.getUint32(at, true), weight: view.getUint8(at + 4) + 1 })
  }
  return found
}
