/**
 * The two address families that linnet routes (RFC 4760 section 8; IANA "Address Family Numbers").
 *
 * Cold code says `'ipv4' | 'ipv6'`; columns and loops use the index 0 or 1, which is the place of
 * the family in `FAMILIES`.
 */
export type Family = 'ipv4' | 'ipv6'

export interface FamilyFacts {
  readonly name: Family
  /** Place in `FAMILIES`, and the number that typed-array code uses. */
  readonly index: 0 | 1
  /** Address Family Identifier on the wire. */
  readonly afi: 1 | 2
  /** Bits of an address; also the longest prefix length. */
  readonly bits: 32 | 128
  /** 32-bit words of an address. */
  readonly words: 1 | 4
}

export const IPV4: FamilyFacts = { name: 'ipv4', index: 0, afi: 1, bits: 32, words: 1 }
export const IPV6: FamilyFacts = { name: 'ipv6', index: 1, afi: 2, bits: 128, words: 4 }
export const FAMILIES: readonly [FamilyFacts, FamilyFacts] = [IPV4, IPV6]

/** Subsequent Address Family Identifier of unicast forwarding, the only one we speak. */
export const SAFI_UNICAST = 1

export const factsOf = (family: Family): FamilyFacts => (family === 'ipv4' ? IPV4 : IPV6)

/** The family with this AFI, or undefined for one that we don't speak. */
export const familyOfAfi = (afi: number): Family | undefined =>
  afi === 1 ? 'ipv4' : afi === 2 ? 'ipv6' : undefined
