import type { CapabilitySpec } from './capability.ts'

/** AS numbers take four octets in UPDATEs; and this is the sender's. */
export interface FourOctetAs {
  readonly name: 'four-octet-as'
  readonly asn: number
}

export const fourOctetAs: CapabilitySpec<FourOctetAs> = {
  code: 65,
  name: 'four-octet-as',
  rfc: 'RFC 6793 section 3',
  onMalformed: 'reset',
  decode: (from) => ({ name: 'four-octet-as', asn: from.u32() }),
  encode: ({ asn }, to) => void to.u32(asn),
}
