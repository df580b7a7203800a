import { AS_TRANS } from '../constants.ts'
import { malformed } from '../errors.ts'
import { isConfederation, readAsPath, writeAsPath, formatAsPath, type AsPath } from './as-path.ts'
import { OPTIONAL_TRANSITIVE, type AttributeSpec } from './attribute.ts'

/** What old speakers pass on of a path with four-octet numbers; never in canonical bytes. */
export const as4Path: AttributeSpec<AsPath> = {
  code: 17,
  name: 'AS4_PATH',
  rfc: 'RFC 6793 section 3',
  flags: OPTIONAL_TRANSITIVE,
  onMalformed: 'discard',
  decode(from, { fourOctetAs }) {
    // RFC 6793 section 4.1
    if (fourOctetAs) return malformed('discard', `from a peer that needs no ${AS_TRANS}`)
    if (from.left === 0) return malformed('discard', 'length 0')
    const path = readAsPath(from, true, 'discard')
    // Confederation segments must not be here and are left out (section 6).
    return Array.isArray(path) ? path.filter((segment) => !isConfederation(segment)) : path
  },
  encode: writeAsPath,
  format: formatAsPath,
}
