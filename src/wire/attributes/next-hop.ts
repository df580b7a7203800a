import { addressFromBytes } from '../../net/address.ts'
import { INVALID_NEXT_HOP } from '../constants.ts'
import { malformed } from '../errors.ts'
import { WELL_KNOWN, type AttributeSpec } from './attribute.ts'

export const nextHop: AttributeSpec<Uint8Array> = {
  code: 3,
  name: 'NEXT_HOP',
  rfc: 'RFC 4271 5.1.3',
  flags: WELL_KNOWN,
  onMalformed: 'withdraw',
  invalid: INVALID_NEXT_HOP,
  decode(from) {
    const bytes = from.bytes(4)
    const refusal = refuseNextHop(bytes)
    return refusal === undefined ? bytes : malformed('withdraw', refusal)
  },
  encode: (value, to) => void to.bytes(value),
  format: (value) => addressFromBytes(value).text,
}

/**
 * Why these 4 or 16 bytes can't be a next hop, or undefined when they can (RFC 4271 6.3: "a valid IP host
 * address"). 240/4 is fine: Fan overlays use it as unicast.
 */
export function refuseNextHop(bytes: Uint8Array): string | undefined {
  const usable = bytes.length === 4 ? isIpv4Host(bytes[0]) : isIpv6Host(bytes)
  return usable ? undefined : `next hop ${addressFromBytes(bytes).text}`
}

const isIpv4Host = (first: number): boolean =>
  first !== 0 && first !== 127 && (first < 224 || (first >= 240 && first !== 255))

/** Neither multicast nor :: nor ::1. */
function isIpv6Host(bytes: Uint8Array): boolean {
  if (bytes[0] === 0xff) return false
  for (let i = 0; i < 15; i++) if (bytes[i] !== 0) return true
  return bytes[15] > 1
}
