/** The world that the neighbours of a speaker live in. */
import type { Address } from '../net/address.ts'
import type { Clock } from '../net/clock.ts'
import type { Family } from '../net/family.ts'
import type { RibPeer } from '../rib/peer.ts'
import type { Rib } from '../rib/rib.ts'
import type { RestartState } from '../session/graceful-restart.ts'
import type { Transport } from '../session/transport.ts'
import type { Events } from './events.ts'
import type { OwnNextHop } from './host-addresses.ts'
import type { Monitors } from './monitors.ts'
import type { OwnAsns } from './path-settings.ts'
import type { Policies } from './policies.ts'
import type { Scheduler } from './scheduler.ts'
import type { UpdateGroups } from './update-groups.ts'

/** This host is about to go: its routes are announced as the last choice, or not any more. */
export type Drained = 'no' | 'lastChoice' | 'withdrawn'

/** What all neighbours of a speaker share. */
export interface Neighborhood {
  readonly rib: Rib
  readonly groups: UpdateGroups
  readonly policies: Policies
  readonly scheduler: Scheduler
  readonly events: Events
  readonly clock: Clock
  readonly transport: Transport
  readonly monitors: Monitors
  readonly routerId: number
  /** Our AS numbers, whatever single peers are shown. */
  readonly own: OwnAsns
  /** Whether we have restarted, and which families have been forwarded all the time. */
  restart(): RestartState
  drained(): Drained
  /** Memory is short: no more routes are taken. */
  takesNoMore(): boolean
  /** What we tell as the next hop to ourselves on a session whose our side is `local` (host-addresses.ts). */
  ownNextHop(local: Address, family: Family, ipv6NextHops: boolean): OwnNextHop
  /** Name of the link that `local` stands on. */
  linkName(local: Address): string | undefined
  /** Prefixes of our own to announce. */
  hasOwn(family: Family): boolean
  /** The session is up or gone, has sent its End-of-RIB, or is out of reach. */
  changed(): void
  /** What the peer has told counts no longer. */
  pathsLost(peer: RibPeer): void
  /** An unnumbered peer is at another address than before, or at one at last. */
  moved(): void
}
