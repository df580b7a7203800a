import { OPTIONAL_NON_TRANSITIVE, type AttributeSpec } from './attribute.ts'

export const multiExitDisc: AttributeSpec<number> = {
  code: 4,
  name: 'MULTI_EXIT_DISC',
  rfc: 'RFC 4271 5.1.4',
  flags: OPTIONAL_NON_TRANSITIVE,
  onMalformed: 'withdraw',
  decode: (from) => from.u32(),
  encode: (value, to) => void to.u32(value),
  format: (value) => String(value),
}
