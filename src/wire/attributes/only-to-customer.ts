import { OPTIONAL_TRANSITIVE, type AttributeSpec } from './attribute.ts'

/** The AS that has sent the route down to a customer or sideways to a peer: it must not go up again. */
export const onlyToCustomer: AttributeSpec<number> = {
  code: 35,
  name: 'ONLY_TO_CUSTOMER',
  rfc: 'RFC 9234 section 5',
  flags: OPTIONAL_TRANSITIVE,
  onMalformed: 'withdraw',
  decode: (from) => from.u32(),
  encode: (value, to) => void to.u32(value),
  format: (value) => `${value}`,
}
