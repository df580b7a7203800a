/** A session in an update group: how far it has got in what the group has to say. */
import type { CatchUp } from './catch-up.ts'
import type { RibPeer } from './peer.ts'

export class GroupMember {
  readonly peer: RibPeer
  /** Place in the group's log; meaningless while catching up. */
  place: number
  /** Set while the member is told the table apart from the others. */
  catchUp: CatchUp | undefined
  endOfRibSent = false

  constructor(peer: RibPeer, place: number, catchUp: CatchUp | undefined) {
    this.peer = peer
    this.place = place
    this.catchUp = catchUp
  }
}
