/**
 * What was sent with TTL 255 and arrives with 255 has crossed no router (RFC 5082): the test for sockets on which
 * IP_MINTTL does nothing, UDP and raw ones.
 */
import type { Family } from '../net/family.ts'
import type { FilterInstruction } from './sys.ts'

const MOST_HOPS = 255

/** TTL is byte 8 of the IPv4 header, hop limit byte 7 of that of IPv6 (SKF_NET_OFF + n). */
const unroutedAt = (offset: number): readonly FilterInstruction[] => [
  [0x30, 0, 0, 0xfff00000 + offset], // ldb [SKF_NET_OFF + offset]
  [0x15, 0, 1, MOST_HOPS], // jeq #255
  [0x06, 0, 0, 0xffff], // ret #65535
  [0x06, 0, 0, 0], // ret #0
]

/** A filter that lets through what was sent on the link itself. */
export const UNROUTED: Readonly<Record<Family, readonly FilterInstruction[]>> = {
  ipv4: unroutedAt(8),
  ipv6: unroutedAt(7),
}
