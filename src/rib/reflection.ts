/**
 * To whom a route may be passed on at all: the iBGP rule of RFC 4271 9.2.1, loosened for route reflectors
 * by RFC 4456 section 6, and the well-known communities of RFC 1997.
 */
import { NO_ADVERTISE, NO_EXPORT } from '../wire/scan.ts'
import type { RibPeer } from './peer.ts'

/** The side of an update group that this rule looks at. */
export interface Audience {
  readonly external: boolean
  readonly routeReflectorClient: boolean
}

/** True when routes of `source` with these attribute flags may go to `audience`. */
export function mayPassOn(source: RibPeer, flags: number, audience: Audience): boolean {
  if ((flags & NO_ADVERTISE) !== 0) return source.local
  if (audience.external) return (flags & NO_EXPORT) === 0 || source.local
  return source.local || source.options.external || isReflected(source, audience)
}

/** From iBGP to iBGP, which only a reflector does: from a client to all, from others to clients. */
export const isReflected = (source: RibPeer, audience: Audience): boolean =>
  !source.local &&
  !source.options.external &&
  !audience.external &&
  (source.options.routeReflectorClient || audience.routeReflectorClient)
