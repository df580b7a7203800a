import { addressFromBytes } from '../../net/address.ts'
import { Reader } from '../../net/bytes.ts'
import { familyOfAfi, SAFI_UNICAST } from '../../net/family.ts'
import { malformed } from '../errors.ts'
import { OPTIONAL_NON_TRANSITIVE, type AttributeSpec } from './attribute.ts'
import { toHex } from './hex.ts'
import { refuseNextHop } from './next-hop.ts'

export interface MpReach {
  readonly afi: number
  readonly safi: number
  /**
   * IPv4: 4 bytes. IPv6: 16, or 32 with the link-local address behind the global one (RFC 2545 section
   * 3). Other families: whatever it is.
   */
  readonly nextHop: Uint8Array
  /** Where its link-local address lives, an interface index; 0 without one, or when that is not known. */
  readonly link: number
  /** Offsets of the NLRI in the buffer that was read. */
  readonly nlriStart: number
  readonly nlriEnd: number
}

/**
 * Its canonical form ends behind the reserved byte: NLRI are no part of an attribute set. A next hop with a
 * link-local address is one only together with its link (RFC 4007), so the link's index comes last there:
 * the same bytes heard on another link are another set.
 */
export const mpReachNlri: AttributeSpec<MpReach> = {
  code: 14,
  name: 'MP_REACH_NLRI',
  rfc: 'RFC 4760 section 3',
  flags: OPTIONAL_NON_TRANSITIVE,
  // What stands before the NLRI says where they begin (RFC 7606 7.11).
  onMalformed: 'reset',
  decode(from, context) {
    const afi = from.u16()
    const safi = from.u8()
    const length = from.u8()
    const nextHop = from.bytes(length)
    if (safi === SAFI_UNICAST && !isLengthOfNextHop(afi, length, context.ipv6NextHops === true)) {
      return malformed('reset', `next hop of ${length} bytes for AFI ${afi}`)
    }
    from.u8() // reserved; ignored whatever it is
    const nlriStart = from.offset
    const nlriEnd = nlriStart + from.rest().length
    const tidied = tidy(nextHop)
    const link = hasLinkLocal(tidied, 0, tidied.length) ? (context.link ?? 0) : 0
    return { afi, safi, nextHop: tidied, link, nlriStart, nlriEnd }
  },
  encode({ afi, safi, nextHop, link }, to) {
    to.u16(afi).u8(safi).u8(nextHop.length).bytes(nextHop).u8(0)
    if (link !== 0) to.u32(link)
  },
  format: ({ nextHop }) => formatNextHop(nextHop),
}

/** The link in the canonical value `bytes`: see above; 0 for none. */
export function linkInCanonical(bytes: Uint8Array): number {
  const from = new Reader(bytes)
  from.u16()
  from.u8()
  from.bytes(from.u8())
  from.u8()
  return from.left === 4 ? from.u32() : 0
}

/**
 * IPv4 routes may have IPv6 next hops where both sides say so (RFC 8950 section 4). Those of families that we
 * don't know, AFI 0 too, are nobody's concern.
 */
export const isLengthOfNextHop = (afi: number, length: number, ipv6NextHops: boolean): boolean =>
  familyOfAfi(afi) === undefined ||
  (afi === 1 && length === 4) ||
  ((afi === 2 || ipv6NextHops) && isIpv6Length(length))

const isIpv6Length = (length: number): boolean => length === 16 || length === 32

/** True when a next hop of ours or theirs contains a link-local address: alone, or behind the global one. */
export const hasLinkLocal = (bytes: Uint8Array, at: number, length: number): boolean =>
  length === 32 || (length === 16 && bytes[at] === 0xfe && (bytes[at + 1] & 0xc0) === 0x80)

/**
 * 32 bytes are kept only for a global address with a link-local one behind it. Speakers without a global
 * address send the link-local one twice, or :: in front; some send zeros behind.
 */
function tidy(nextHop: Uint8Array): Uint8Array {
  if (nextHop.length !== 32) return nextHop
  const front = nextHop.subarray(0, 16)
  const back = nextHop.subarray(16)
  if (!isLinkLocalBytes(back)) return front
  return isLinkLocalBytes(front) || front.every((byte) => byte === 0) ? back : nextHop
}

const isLinkLocalBytes = (bytes: Uint8Array): boolean =>
  bytes[0] === 0xfe && (bytes[1] & 0xc0) === 0x80

/** Why routes must not be used with this next hop, although their NLRI can be read. */
export function refuseReach({ safi, nextHop }: MpReach): string | undefined {
  if (safi !== SAFI_UNICAST) return undefined
  return refuseNextHop(nextHop.subarray(0, 16))
}

/** `2001:db8::1`, or `2001:db8::1 fe80::1`; hexadecimal for families that aren't IP. */
export function formatNextHop(nextHop: Uint8Array): string {
  const { length } = nextHop
  if (length === 32) {
    return `${addressFromBytes(nextHop.subarray(0, 16)).text} ${addressFromBytes(nextHop.subarray(16)).text}`
  }
  if (length === 4 || length === 16) return addressFromBytes(nextHop).text
  return toHex(nextHop)
}
