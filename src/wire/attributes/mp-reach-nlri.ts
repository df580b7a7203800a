import { addressFromBytes } from '../../net/address.ts'
import { SAFI_UNICAST } from '../../net/family.ts'
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
  /** Offsets of the NLRI in the buffer that was read. */
  readonly nlriStart: number
  readonly nlriEnd: number
}

/** Its canonical form ends behind the reserved byte: NLRI are no part of an attribute set. */
export const mpReachNlri: AttributeSpec<MpReach> = {
  code: 14,
  name: 'MP_REACH_NLRI',
  rfc: 'RFC 4760 section 3',
  flags: OPTIONAL_NON_TRANSITIVE,
  // What stands before the NLRI says where they begin (RFC 7606 7.11).
  onMalformed: 'reset',
  decode(from) {
    const afi = from.u16()
    const safi = from.u8()
    const length = from.u8()
    const nextHop = from.bytes(length)
    if (safi === SAFI_UNICAST && !isLengthOfNextHop(afi, length)) {
      return malformed('reset', `next hop of ${length} bytes for AFI ${afi}`)
    }
    from.u8() // reserved; ignored whatever it is
    const nlriStart = from.offset
    const nlriEnd = nlriStart + from.rest().length
    return { afi, safi, nextHop: tidy(nextHop), nlriStart, nlriEnd }
  },
  encode({ afi, safi, nextHop }, to) {
    to.u16(afi).u8(safi).u8(nextHop.length).bytes(nextHop).u8(0)
  },
  format: ({ nextHop }) => formatNextHop(nextHop),
}

/** IPv4 routes may have IPv6 next hops (RFC 8950 section 3). */
const isLengthOfNextHop = (afi: number, length: number): boolean =>
  afi > 2 || length === 16 || length === 32 || (afi === 1 && length === 4)

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
