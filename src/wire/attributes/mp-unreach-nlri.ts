import { OPTIONAL_NON_TRANSITIVE, type AttributeSpec } from './attribute.ts'

export interface MpUnreach {
  readonly afi: number
  readonly safi: number
  /** Offsets of the withdrawn NLRI in the buffer that was read; none = End-of-RIB (RFC 4724 section 2). */
  readonly nlriStart: number
  readonly nlriEnd: number
}

/** Never in canonical bytes. */
export const mpUnreachNlri: AttributeSpec<MpUnreach> = {
  code: 15,
  name: 'MP_UNREACH_NLRI',
  rfc: 'RFC 4760 section 4',
  flags: OPTIONAL_NON_TRANSITIVE,
  onMalformed: 'reset',
  decode(from) {
    const afi = from.u16()
    const safi = from.u8()
    const nlriStart = from.offset
    return { afi, safi, nlriStart, nlriEnd: nlriStart + from.rest().length }
  },
  encode: ({ afi, safi }, to) => void to.u16(afi).u8(safi),
  format: ({ afi, safi }) => `AFI ${afi} SAFI ${safi}`,
}
