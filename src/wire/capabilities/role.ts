import type { CapabilitySpec } from './capability.ts'

/** By their codes on the wire. */
const ROLES = ['provider', 'rs', 'rs-client', 'customer', 'peer'] as const

/** What a speaker is to the other; `rs` is a route server. */
export type RoleName = (typeof ROLES)[number]

/** What the sender is to the receiver. */
export interface Role {
  readonly name: 'role'
  readonly role: RoleName | 'unassigned'
}

/** What the other must be (RFC 9234 section 4.2). */
export const COUNTERPART: Readonly<Record<RoleName, RoleName>> = {
  provider: 'customer',
  customer: 'provider',
  rs: 'rs-client',
  'rs-client': 'rs',
  peer: 'peer',
}

export const role: CapabilitySpec<Role> = {
  code: 9,
  name: 'role',
  rfc: 'RFC 9234 section 4.1',
  onMalformed: 'ignore',
  // A role that is none is one all the same: nothing fits it.
  decode: (from) => ({ name: 'role', role: ROLES[from.u8()] ?? 'unassigned' }),
  encode: ({ role }, to) => void to.u8(role === 'unassigned' ? 255 : ROLES.indexOf(role)),
}
