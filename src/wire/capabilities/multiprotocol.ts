import type { AfiSafi, CapabilitySpec } from './capability.ts'

/** Routes of this family may be exchanged. */
export interface Multiprotocol extends AfiSafi {
  readonly name: 'multiprotocol'
}

export const multiprotocol: CapabilitySpec<Multiprotocol> = {
  code: 1,
  name: 'multiprotocol',
  rfc: 'RFC 4760 section 8',
  onMalformed: 'reset',
  decode(from) {
    const afi = from.u16()
    from.u8() // reserved
    return { name: 'multiprotocol', afi, safi: from.u8() }
  },
  encode: ({ afi, safi }, to) => void to.u16(afi).u8(0).u8(safi),
}
