/** A neighbour's session while it is up. */
import type { Address } from '../net/address.ts'
import type { Family } from '../net/family.ts'
import type { AdjRibIn } from '../rib/adj-rib-in.ts'
import type { Membership } from '../rib/update-group.ts'
import type { Negotiated } from '../session/negotiation.ts'
import type { Refreshes } from './refreshes.ts'

export interface Session {
  readonly adjRibIn: AdjRibIn
  readonly negotiated: Negotiated
  /** Our end of the connection. */
  readonly local: Address
  /** Families of which nothing can be announced, for want of an address. */
  readonly unannounced: Set<Family>
  readonly memberships: Membership[]
  readonly endOfRib: Set<Family>
  readonly refreshes: Refreshes
  writable: boolean
}
