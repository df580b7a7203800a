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
  /**
   * A whole table that is told between marks (RFC 7313): the mark to send next. `due`: all of it, as soon as
   * End-of-RIB has been sent, for before that there is no refresh.
   */
  refresh: 'none' | 'due' | 'begin' | 'end' = 'none'

  constructor(peer: RibPeer, place: number, catchUp: CatchUp | undefined) {
    this.peer = peer
    this.place = place
    this.catchUp = catchUp
  }
}
