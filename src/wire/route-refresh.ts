/**
 * ROUTE-REFRESH (RFC 2918): "send me everything of this family again", and the brackets around the
 * answer (RFC 7313).
 */
import { factsOf, SAFI_UNICAST, type Family } from '../net/family.ts'
import { ERROR_ROUTE_REFRESH, INVALID_REFRESH_LENGTH, ROUTE_REFRESH } from './constants.ts'
import { SessionError } from './errors.ts'
import { encodeMessage } from './message.ts'

/** RFC 7313 section 3.2; `unknown` subtypes are to be ignored (section 5). */
export type RefreshSubtype = 'request' | 'begin' | 'end' | 'unknown'

export interface RouteRefresh {
  readonly afi: number
  readonly safi: number
  readonly subtype: RefreshSubtype
}

const SUBTYPES: readonly RefreshSubtype[] = ['request', 'begin', 'end']

/** Reads the body `bytes[start..end)`, which the framer guarantees to have four bytes. */
export function decodeRouteRefresh(bytes: Uint8Array, start: number, end: number): RouteRefresh {
  const subtype = SUBTYPES[bytes[start + 2]] ?? 'unknown'
  // A plain request may carry outbound route filters behind the four octets (RFC 5291); we offer none.
  if ((subtype === 'begin' || subtype === 'end') && end - start !== 4) {
    throw new SessionError(
      ERROR_ROUTE_REFRESH,
      INVALID_REFRESH_LENGTH,
      `a body of ${end - start} bytes`,
      encodeMessage(ROUTE_REFRESH, bytes.subarray(start, end)),
    )
  }
  return { afi: (bytes[start] << 8) | bytes[start + 1], safi: bytes[start + 3], subtype }
}

/** The whole message, for the unicast routes of `family`. */
export function encodeRouteRefresh(
  family: Family,
  subtype: Exclude<RefreshSubtype, 'unknown'> = 'request',
): Uint8Array {
  const body = Uint8Array.of(0, factsOf(family).afi, SUBTYPES.indexOf(subtype), SAFI_UNICAST)
  return encodeMessage(ROUTE_REFRESH, body)
}
