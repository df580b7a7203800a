/** What a ROUTE-REFRESH of the peer asks for or marks (RFC 2918, RFC 7313). */
import { familyOfAfi, SAFI_UNICAST } from '../net/family.ts'
import { decodeRouteRefresh } from '../wire/route-refresh.ts'
import type { Negotiated } from './negotiation.ts'
import type { PeerEvents } from './peer-options.ts'

/** The body of the message is at `start` to `end`. Throws a SessionError when that can't be read. */
export function handOverRefresh(
  [buffer, start, end]: readonly [Uint8Array, number, number],
  { families, enhancedRouteRefresh }: Negotiated,
  events: PeerEvents,
): void {
  const { afi, safi, subtype } = decodeRouteRefresh(buffer, start, end)
  const family = safi === SAFI_UNICAST ? familyOfAfi(afi) : undefined
  // A family that was not negotiated is ignored (RFC 2918 section 4).
  if (family === undefined || !families.includes(family)) return
  if (subtype === 'request') return events.routeRefreshReceived(family)
  // So are marks of a beginning and end that were not agreed on (RFC 7313 section 5).
  if (!enhancedRouteRefresh) return
  if (subtype === 'begin') events.refreshBegan(family)
  else if (subtype === 'end') events.refreshEnded(family)
}
