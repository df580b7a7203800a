/**
 * Adj-RIB-Out of an update group: what the peers that hear the same have been told, for one family, and
 * what they still have to hear (RFC 4271 3.2 and 9.2).
 *
 * A changed prefix is only marked. When a member's socket takes bytes, a window of marked prefixes is looked
 * up in the Loc-RIB (so a flapping route is sent once, as it is then), filtered by export policy, compared
 * with what was told before (`told-routes.ts`), and encoded once for all into the group's log.
 *
 * "All but the source" is the audience of an announcement. So when the best path moves from peer A to peer
 * B, everybody but B hears the new one, which for A is the first it hears, and B alone hears a withdrawal:
 * one attribute set per prefix describes what each member knows.
 */
import { addressFromBytes } from '../net/address.ts'
import type { FamilyFacts } from '../net/family.ts'
import { IntQueue } from '../net/int-queue.ts'
import { rewriteAttributes } from '../wire/rewrite.ts'
import {
  AnnouncementEncoder,
  LARGEST_SET,
  WINDOW,
  type BucketForm,
} from './announcement-encoder.ts'
import type { AttributeStore } from './attribute-store.ts'
import { CatchUp, ROWS_AT_A_TIME } from './catch-up.ts'
import type { FamilyRib } from './family-rib.ts'
import { GroupMember } from './group-member.ts'
import { isFor, OutboundLog } from './outbound-log.ts'
import type { RibPeer, RibPeers } from './peer.ts'
import { mayPassOn, type Audience } from './reflection.ts'
import { ToldRoutes } from './told-routes.ts'
import { endOfRib, shortestAnnouncement } from './update-writer.ts'

export interface UpdateGroupOptions extends Audience {
  readonly maxMessageLength: number
  /** A member that leaves this much of the log unread goes its own way. Default: 4 MiB. */
  readonly logLimitBytes?: number
  /**
   * Export policy beyond the rules of BGP: what is told of this route, `set` or another one, which comes with
   * a reference; 0 for nothing.
   */
  exported(prefix: number, set: number, source: RibPeer): number
  /** The bytes that the group hears for a set from a source. */
  formOf(set: number, source: RibPeer): BucketForm
  /** A route is not told, for no message can hold its attributes: it would take `bytes`. */
  tooLong(prefix: number, source: RibPeer, bytes: number): void
}

export interface UpdateGroupEvents {
  /** There is something to pull again. */
  workArrived(): void
  /** Somebody has left; `remains` is to be emptied (`drop`), some at a time. */
  abandoned(remains: CatchUp): void
}

const LOG_LIMIT_BYTES = 4 << 20

const $rewritten = new Uint8Array(LARGEST_SET)
/** Prefixes of the window that is being encoded. */
const $looked = new Int32Array(WINDOW)

export interface Membership {
  readonly group: UpdateGroup
  readonly member: GroupMember
}

export class UpdateGroup {
  readonly family: FamilyFacts
  readonly #rib: FamilyRib
  readonly #attributes: AttributeStore
  readonly #peers: RibPeers
  readonly #options: UpdateGroupOptions
  readonly #encoder: AnnouncementEncoder
  /** Of all that catch up; most groups never need it. */
  #catchUpEncoder: AnnouncementEncoder | undefined
  /** A set of so many bytes fits into a message, whatever is done to it. */
  readonly #surelyFits: number
  readonly #told: ToldRoutes
  readonly #marked = new IntQueue()
  /** What the table held when the group was made, or its policy changed, is looked at up to `#walkEnd`. */
  #walk = 1
  #walkEnd: number
  readonly #log = new OutboundLog()
  readonly #members = new Set<GroupMember>()
  /** How often a peer is a member, by its number: twice while it moves through this group. */
  readonly #memberships = new Map<number, number>()
  readonly #events: UpdateGroupEvents

  constructor(
    rib: FamilyRib,
    attributes: AttributeStore,
    peers: RibPeers,
    options: UpdateGroupOptions,
    events: UpdateGroupEvents,
  ) {
    this.family = rib.family
    this.#rib = rib
    this.#attributes = attributes
    this.#peers = peers
    this.#options = options
    this.#events = events
    this.#told = new ToldRoutes(rib.prefixes, attributes, peers)
    this.#encoder = this.#newEncoder((peer) => this.#isMember(peer))
    this.#surelyFits = options.maxMessageLength / 2 - 128
    this.#walkEnd = rib.prefixes.end
  }

  get size(): number {
    return this.#members.size
  }

  /** Bytes encoded and not yet taken by all. */
  get backlogBytes(): number {
    return this.#log.bytes
  }

  /** Prefixes that wait to be looked at. */
  get waiting(): number {
    return this.#marked.length
  }

  /** Takes `peer` in. It hears the whole table, then what changes. */
  join(peer: RibPeer): GroupMember {
    const fresh = this.#told.count === 0
    const catchUp = fresh ? undefined : this.#newCatchUp(peer, true)
    const member = new GroupMember(peer, this.#log.head, catchUp)
    this.#members.add(member)
    this.#memberships.set(peer.id, (this.#memberships.get(peer.id) ?? 0) + 1)
    return member
  }

  leave(member: GroupMember): void {
    if (!this.#members.delete(member)) return
    const left = (this.#memberships.get(member.peer.id) ?? 1) - 1
    if (left > 0) this.#memberships.set(member.peer.id, left)
    else this.#memberships.delete(member.peer.id)
    this.#abandon(member.catchUp)
    member.catchUp = undefined
    this.#trim()
  }

  /** The member asked to hear everything once more (RFC 2918). */
  tellAgain(member: GroupMember): void {
    this.#detach(member).startOver()
    this.#trim()
  }

  /**
   * `member` has heard what `old` told it as `oldMember`, and goes on here: it must also lose what is not
   * told here. A walk over all prefixes, then `inheritUnread`; meanwhile `oldMember` stays where it is, and
   * nobody pulls for it. Nothing happens for a member that has left.
   */
  inherit(member: GroupMember, old: UpdateGroup, prefix: number): void {
    const peer = member.peer.id
    if (!this.#members.has(member) || old.toldTo(peer, prefix) === 0) return
    // What is told here it hears anyway, and what no longer is, as everybody does.
    if (this.toldTo(peer, prefix) === 0) this.#detach(member).mark(prefix)
  }

  inheritUnread(member: GroupMember, old: UpdateGroup, oldMember: GroupMember): void {
    if (!this.#members.has(member)) return
    this.#detach(member).follow(old.#detach(oldMember))
    oldMember.catchUp = undefined
    oldMember.place = old.#log.head
  }

  /** Frees what the group holds for a prefix: for the walk that follows the last member's leaving. */
  forget(prefix: number): void {
    this.#told.forget(prefix)
  }

  /** Export policy has changed: what is told is compared with what shall be, and only that is sent. */
  lookAgain(): void {
    this.#walk = 1
    this.#walkEnd = this.#rib.prefixes.end
    this.#events.workArrived()
  }

  /** The Loc-RIB has another best path for `prefix`. */
  mark(prefix: number): void {
    if (!this.#told.mark(prefix)) return
    this.#marked.push(prefix)
    if (this.#marked.length === 1) this.#events.workArrived()
  }

  hasWork(member: GroupMember): boolean {
    return !this.#knowsAll(member) || this.#owesEndOfRib(member)
  }

  /**
   * The next messages for a member, some `wantedBytes` of them. May be none although `hasWork` says that
   * there is more: one window of the table is looked at in a call, which takes some milliseconds when its
   * rows are in no cache. Called only while its socket takes bytes.
   */
  pull(member: GroupMember, wantedBytes: number, out: Uint8Array[]): void {
    let bytes = 0
    let looked = false
    while (bytes < wantedBytes) {
      // A new group looks at the whole table once before it tells anybody that something is not told.
      const { catchUp } = member
      if (catchUp !== undefined && this.#walk >= this.#walkEnd) {
        if (looked) break
        bytes += this.#pullCatchUp(member, catchUp, out)
        looked = true
      } else if (catchUp === undefined && member.place < this.#log.head) {
        const entry = this.#log.at(member.place++)
        if (!isFor(entry, member.peer.id)) continue
        out.push(entry.bytes)
        bytes += entry.bytes.length
      } else {
        if (looked || !this.#hasMarks) break
        this.#encodeWindow()
        looked = true
      }
    }
    if (this.#owesEndOfRib(member) && this.#knowsAll(member)) {
      member.endOfRibSent = true
      out.push(endOfRib(this.family))
    }
    if (member.place > this.#log.base) this.#trim()
  }

  /** Prefixes that `member` has been told or is about to be. */
  announced(member: GroupMember): number {
    return this.#told.count - this.#told.countFrom(member.peer.id)
  }

  /** What the group was told for a prefix: AttrId, or 0 when nothing or when it came from `peer`. */
  toldTo(peer: number, prefix: number): number {
    return this.#told.source(prefix) === peer ? 0 : this.#told.set(prefix)
  }

  /** The attributes that a member was told for a prefix, as sent, or undefined for nothing. */
  toldForm(peer: number, prefix: number): { set: Uint8Array; nextHop: string } | undefined {
    const set = this.toldTo(peer, prefix)
    if (set === 0) return undefined
    const source = this.#peers.get(this.#told.source(prefix))
    const { set: bytes, form, nextHop } = this.#options.formOf(set, source)
    const end = rewriteAttributes(bytes, form, $rewritten, 0)
    return {
      set: $rewritten.slice(0, end),
      nextHop: addressFromBytes(nextHop.subarray(0, 16)).text,
    }
  }

  get #hasMarks(): boolean {
    return this.#marked.length > 0 || this.#walk < this.#walkEnd
  }

  #knowsAll(member: GroupMember): boolean {
    return member.catchUp === undefined && member.place === this.#log.head && !this.#hasMarks
  }

  /** What waits for a decision may be part of the table that End-of-RIB says was told. */
  #owesEndOfRib(member: GroupMember): boolean {
    return !member.endOfRibSent && this.#rib.waiting === 0
  }

  #isMember(peer: number): boolean {
    return this.#memberships.has(peer)
  }

  /** Looks up a window of marked prefixes and appends what members must hear to the log. */
  #encodeWindow(): void {
    const encoder = this.#encoder
    let room = WINDOW
    // The mark holds a withdrawn prefix, maybe alone, until it has been written.
    let looked = 0
    for (; room > 0 && this.#marked.length > 0 && !encoder.full; room--) {
      const prefix = this.#marked.shift()
      this.#look(prefix)
      $looked[looked++] = prefix
    }
    const walkEnd = Math.min(this.#walkEnd, this.#walk + ROWS_AT_A_TIME)
    for (; room > 0 && this.#walk < walkEnd && !encoder.full; this.#walk++) {
      if (!this.#rib.prefixes.exists(this.#walk)) continue
      this.#look(this.#walk)
      room--
    }
    encoder.encode((entry) => this.#log.append(entry))
    for (let i = 0; i < looked; i++) this.#told.unmark($looked[i])
    if (this.#log.bytes > (this.#options.logLimitBytes ?? LOG_LIMIT_BYTES)) this.#letSlowestGo()
  }

  /** Compares one prefix with what the group was told and files the difference. */
  #look(prefix: number): void {
    // Between a withdrawal and the decision that follows there is no best path, but maybe soon another
    // one: nobody shall hear of that.
    if (this.#rib.prefixes.isWaiting(prefix)) return this.#rib.prefixes.watch(prefix)
    const best = this.#rib.prefixes.best(prefix)
    const accepted = best === 0 ? 0 : this.#rib.paths.accepted(best)
    const source = best === 0 ? 0 : this.#rib.paths.peer(best)
    const set = accepted === 0 ? 0 : this.#exported(prefix, accepted, source)
    this.#tell(prefix, set, source)
    if (set !== 0 && set !== accepted) this.#attributes.release(set)
  }

  /** The group shall know `set` from `source`, or nothing: files the difference. */
  #tell(prefix: number, set: number, source: number): void {
    const toldSet = this.#told.set(prefix)
    const toldSource = this.#told.source(prefix)
    if (set === toldSet && (set === 0 || source === toldSource)) return
    if (set === 0) this.#encoder.withdraw(prefix, toldSource)
    else {
      this.#encoder.announce(prefix, set, source)
      if (toldSet !== 0 && source !== toldSource && this.#isMember(source)) {
        this.#encoder.withdrawFrom(prefix, source)
      }
    }
    this.#told.put(prefix, set, source)
    for (const member of this.#members) member.catchUp?.mark(prefix)
  }

  /** The set to tell for `set` from `source`, 0 for nothing; another one comes with a reference. */
  #exported(prefix: number, set: number, source: number): number {
    const peer = this.#peers.get(source)
    if (!mayPassOn(peer, this.#attributes.flags(set), this.#options)) return 0
    const told = this.#options.exported(prefix, set, peer)
    if (told === 0 || this.#fits(prefix, told, peer)) return told
    if (told !== set) this.#attributes.release(told)
    return 0
  }

  /** False, and told, when the attributes leave no room for a prefix in a message. */
  #fits(prefix: number, set: number, source: RibPeer): boolean {
    if (this.#attributes.byteLength(set) <= this.#surelyFits) return true
    const { set: bytes, form, nextHop } = this.#options.formOf(set, source)
    const length = rewriteAttributes(bytes, form, $rewritten, 0)
    const needed = shortestAnnouncement(this.family, length, nextHop.length)
    if (needed <= this.#options.maxMessageLength) return true
    this.#options.tooLong(prefix, source, needed)
    return false
  }

  #pullCatchUp(member: GroupMember, catchUp: CatchUp, out: Uint8Array[]): number {
    let bytes = 0
    for (const chunk of catchUp.next()) {
      out.push(chunk)
      bytes += chunk.length
    }
    if (catchUp.done) {
      member.catchUp = undefined
      member.place = this.#log.head
    }
    return bytes
  }

  #newEncoder(isMember: (peer: number) => boolean): AnnouncementEncoder {
    const { maxMessageLength, formOf } = this.#options
    return new AnnouncementEncoder(
      this.#rib.prefixes,
      maxMessageLength,
      (set, source) => formOf(set, this.#peers.get(source)),
      isMember,
    )
  }

  #newCatchUp(peer: RibPeer, wholeTable: boolean): CatchUp {
    this.#catchUpEncoder ??= this.#newEncoder(() => false)
    const told = {
      set: (prefix: number) => this.toldTo(peer.id, prefix),
      source: (prefix: number) => this.#told.source(prefix),
    }
    return new CatchUp(this.#rib.prefixes, this.#catchUpEncoder, told, wholeTable)
  }

  /** The members furthest behind get their own list of what they miss, and the log its memory back. */
  #letSlowestGo(): void {
    for (const member of this.#members) {
      if (member.catchUp === undefined && member.place <= this.#log.base) this.#detach(member)
    }
    this.#trim()
  }

  /** From now on the member is told apart from the others; first what it has not read of the log. */
  #detach(member: GroupMember): CatchUp {
    if (member.catchUp !== undefined) return member.catchUp
    const catchUp = this.#newCatchUp(member.peer, false)
    for (let place = member.place; place < this.#log.head; place++) {
      const entry = this.#log.at(place)
      if (isFor(entry, member.peer.id)) catchUp.addUnread(entry.bytes)
    }
    member.catchUp = catchUp
    return catchUp
  }

  #abandon(catchUp: CatchUp | undefined): void {
    if (catchUp === undefined) return
    catchUp.close()
    if (catchUp.backlog > 0) this.#events.abandoned(catchUp)
  }

  #trim(): void {
    let lowest = this.#log.head
    for (const member of this.#members) {
      if (member.catchUp === undefined && member.place < lowest) lowest = member.place
    }
    this.#log.trim(lowest)
  }
}
