import type { CapabilitySpec } from './capability.ts'

export type RoleName = 'provider' | 'route-server' | 'route-server-client' | 'customer' | 'peer'

/** What the sender is to the receiver. */
export interface Role {
  readonly name: 'role'
  readonly role: RoleName
}

const ROLES: readonly RoleName[] = [
  'provider',
  'route-server',
  'route-server-client',
  'customer',
  'peer',
]

export const role: CapabilitySpec<Role> = {
  code: 9,
  name: 'role',
  rfc: 'RFC 9234 section 4.1',
  onMalformed: 'ignore',
  decode(from) {
    const name = ROLES[from.u8()]
    return name === undefined ? undefined : { name: 'role', role: name }
  },
  encode: (capability, to) => void to.u8(ROLES.indexOf(capability.role)),
}
