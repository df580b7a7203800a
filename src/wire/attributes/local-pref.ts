import { malformed } from '../errors.ts'
import { WELL_KNOWN, type AttributeSpec } from './attribute.ts'

export const localPref: AttributeSpec<number> = {
  code: 5,
  name: 'LOCAL_PREF',
  rfc: 'RFC 4271 5.1.5',
  flags: WELL_KNOWN,
  onMalformed: 'withdraw',
  decode: (from, { external }) =>
    external ? malformed('discard', 'from an external peer') : from.u32(),
  encode: (value, to) => void to.u32(value),
  format: (value) => String(value),
}
