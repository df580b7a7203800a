import type { AfiSafi, CapabilitySpec } from './capability.ts'

/** For these families, next hops of another address family are understood. */
export interface ExtendedNextHop {
  readonly name: 'extended-next-hop'
  readonly families: readonly (AfiSafi & { readonly nextHopAfi: number })[]
}

export const extendedNextHop: CapabilitySpec<ExtendedNextHop> = {
  code: 5,
  name: 'extended-next-hop',
  rfc: 'RFC 8950 section 4',
  onMalformed: 'ignore',
  decode(from) {
    const families = []
    // The SAFI takes two octets here.
    while (from.left > 0)
      families.push({ afi: from.u16(), safi: from.u16(), nextHopAfi: from.u16() })
    return { name: 'extended-next-hop', families }
  },
  encode({ families }, to) {
    for (const { afi, safi, nextHopAfi } of families) to.u16(afi).u16(safi).u16(nextHopAfi)
  },
}
