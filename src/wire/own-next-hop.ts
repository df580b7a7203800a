/**
 * The next hop of our own prefixes, for those who are told of them as of any other route (MRT, BMP).
 *
 * In the RIB the set of such a prefix has none: each session is told an address of its own. Outside of
 * sessions all zeros stand for ourselves, as in the dumps of BIRD and FRR.
 */
import { SAFI_UNICAST, type FamilyFacts } from '../net/family.ts'

const NEXT_HOP = 3
const MP_REACH = 14
const EXTENDED_LENGTH = 0x10

const IPV4_NEXT_HOP = Uint8Array.of(0x40, NEXT_HOP, 4, 0, 0, 0, 0)
/** AFI, SAFI, a next hop of 16 bytes, the reserved byte; canonical, that is without NLRI. */
const IPV6_REACH = Uint8Array.of(0x80, MP_REACH, 21, 0, 2, SAFI_UNICAST, 16, ...new Uint8Array(17))

/** The canonical set, with a next hop put at its place where there is none. */
export function withNextHop(set: Uint8Array, family: FamilyFacts): Uint8Array {
  const added = family.index === 0 ? IPV4_NEXT_HOP : IPV6_REACH
  let place = -1
  let at = 0
  while (at < set.length) {
    const code = set[at + 1]
    if (code === NEXT_HOP || code === MP_REACH) return set
    if (place === -1 && code > added[1]) place = at
    at +=
      (set[at] & EXTENDED_LENGTH) === 0 ? 3 + set[at + 2] : 4 + ((set[at + 2] << 8) | set[at + 3])
  }
  if (place === -1) place = set.length
  const whole = new Uint8Array(set.length + added.length)
  whole.set(set.subarray(0, place))
  whole.set(added, place)
  whole.set(set.subarray(place), place + added.length)
  return whole
}
