/**
 * To whom a route may be passed on at all: the iBGP rule of RFC 4271 9.2.1, loosened for route reflectors
 * by RFC 4456 section 6 and for confederations by RFC 5065, the well-known communities of RFC 1997 and
 * RFC 3765, and the roles of RFC 9234.
 */
import type { RoleName } from '../wire/capabilities/role.ts'
import { HAS_OTC, NO_ADVERTISE, NO_EXPORT, NO_EXPORT_SUBCONFED, NO_PEER } from '../wire/scan.ts'
import type { RibPeer } from './peer.ts'

/** The side of an update group that this rule looks at. */
export interface Audience {
  readonly external: boolean
  /** In another member AS of our confederation (RFC 5065). */
  readonly confederation: boolean
  readonly routeReflectorClient: boolean
  /** Flags of wire/scan.ts: what others have marked so stays away from here. */
  readonly withheld: number
}

/** What must not be passed on to such a peer, to whom we are `role` (RFC 9234). */
export function withheldFrom(
  { external, confederation }: Pick<Audience, 'external' | 'confederation'>,
  role: RoleName | undefined,
): number {
  if (confederation) return NO_ADVERTISE | NO_EXPORT_SUBCONFED
  if (!external) return NO_ADVERTISE
  // What has gone down or sideways once doesn't go up or sideways again (section 5, egress 2).
  const leaks = role === 'customer' || role === 'peer' || role === 'rs-client' ? HAS_OTC : 0
  // RFC 3765: for peers of equal standing, which only a role tells from others.
  return NO_ADVERTISE | NO_EXPORT | leaks | (role === 'peer' ? NO_PEER : 0)
}

/** True when routes of `source` with these attribute flags may go to `audience`. */
export function mayPassOn(source: RibPeer, flags: number, audience: Audience): boolean {
  if (source.local) return true
  if ((flags & audience.withheld) !== 0) return false
  return !isInternal(audience) || !isInternal(source.options) || isReflected(source, audience)
}

/** From iBGP to iBGP, which only a reflector does: from a client to all, from others to clients. */
export const isReflected = (source: RibPeer, audience: Omit<Audience, 'withheld'>): boolean =>
  !source.local &&
  isInternal(source.options) &&
  isInternal(audience) &&
  (source.options.routeReflectorClient || audience.routeReflectorClient)

const isInternal = (it: { readonly external: boolean; readonly confederation?: boolean }) =>
  !it.external && it.confederation !== true
