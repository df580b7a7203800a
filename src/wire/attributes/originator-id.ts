import { formatIpv4 } from '../../net/address.ts'
import { malformed } from '../errors.ts'
import { OPTIONAL_NON_TRANSITIVE, type AttributeSpec } from './attribute.ts'

/** BGP identifier of who brought the route into the AS, an unsigned 32-bit number. */
export const originatorId: AttributeSpec<number> = {
  code: 9,
  name: 'ORIGINATOR_ID',
  rfc: 'RFC 4456 section 8',
  flags: OPTIONAL_NON_TRANSITIVE,
  onMalformed: 'withdraw',
  decode: (from, { external }) =>
    external ? malformed('discard', 'from an external peer') : from.u32(),
  encode: (value, to) => void to.u32(value),
  format: (value) => formatIpv4(value),
}
