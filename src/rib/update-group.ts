/**
 * Adj-RIB-Out of an update group: what the peers that hear the same have been told, for one family, and
 * what they still have to hear (RFC 4271 3.2 and 9.2).
 *
 * A changed prefix is only marked. When a member's socket takes bytes, a window of marked prefixes is looked
 * up in the Loc-RIB (so a flapping route is sent once, as it is then), filtered by export policy, compared
 * with what was sent, and encoded once for all into the group's log. Columns, by PrefixId:
 *
 *   0  set     AttrId that the group was told, or 0
 *   1  source  peer that it came from (bits 0-15), marked (bit 16)
 *
 * "All but the source" is the audience of an announcement. So when the best path moves from peer A to peer
 * B, everybody but B hears the new one, which for A is the first it hears, and B alone hears a withdrawal:
 * one attribute set per prefix describes what each member knows.
 */
import { addressFromBytes } from '../net/address.ts'
import type { FamilyFacts } from '../net/family.ts'
import { IntQueue } from '../net/int-queue.ts'
import { rewriteAttributes } from '../wire/rewrite.ts'
import { AnnouncementEncoder, WINDOW, type BucketForm } from './announcement-encoder.ts'
import type { AttributeStore } from './attribute-store.ts'
import { CatchUp } from './catch-up.ts'
import type { FamilyRib } from './family-rib.ts'
import { isFor, OutboundLog } from './outbound-log.ts'
import type { RibPeer, RibPeers } from './peer.ts'
import { mayPassOn, type Audience } from './reflection.ts'
import { Column } from './rows.ts'
import { endOfRib } from './update-writer.ts'

export interface UpdateGroupOptions extends Audience {
  readonly maxMessageLength: number
  /** Export policy beyond the rules of BGP: by set and source only. */
  exports(set: number, source: RibPeer): boolean
  /** The bytes that the group hears for a set from a source. */
  formOf(set: number, source: RibPeer): BucketForm
}

/** A member that leaves this much of the log unread goes its own way. */
const LOG_LIMIT = 4 << 20
const MARKED = 1 << 16
const ROOM_FOR_REWRITING = 64
const SOURCE_MASK = 0xffff

export class GroupMember {
  readonly peer: RibPeer
  /** Place in the group's log; meaningless while catching up. */
  place: number
  /** Set while the member is told the table apart from the others. */
  catchUp: CatchUp | undefined
  endOfRibSent = false
  /** Prefixes it has been told, for `show peers`; counted when asked. */
  constructor(peer: RibPeer, place: number, catchUp: CatchUp | undefined) {
    this.peer = peer
    this.place = place
    this.catchUp = catchUp
  }
}

export class UpdateGroup {
  readonly family: FamilyFacts
  readonly #rib: FamilyRib
  readonly #attributes: AttributeStore
  readonly #peers: RibPeers
  readonly #options: UpdateGroupOptions
  readonly #encoder: AnnouncementEncoder
  readonly #told = new Column(2)
  readonly #marked = new IntQueue()
  /** What the table held when the group was made is looked at in a walk, up to `#walkEnd`. */
  #walk = 1
  readonly #walkEnd: number
  readonly #log = new OutboundLog()
  readonly #members = new Map<number, GroupMember>()
  /** Prefixes that the group has been told; those from a member itself are among them. */
  #toldCount = 0
  readonly #toldFrom = new Map<number, number>()
  /** Called when there is something to pull again. */
  readonly #wake: () => void

  constructor(
    rib: FamilyRib,
    attributes: AttributeStore,
    peers: RibPeers,
    options: UpdateGroupOptions,
    wake: () => void,
  ) {
    this.family = rib.family
    this.#rib = rib
    this.#attributes = attributes
    this.#peers = peers
    this.#options = options
    this.#wake = wake
    this.#encoder = new AnnouncementEncoder(
      rib.prefixes,
      options.maxMessageLength,
      (set, source) => options.formOf(set, peers.get(source)),
      (peer) => this.#members.has(peer),
    )
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
    const fresh = this.#toldCount === 0
    const catchUp = fresh ? undefined : this.#newCatchUp(peer, true)
    const member = new GroupMember(peer, this.#log.head, catchUp)
    this.#members.set(peer.id, member)
    return member
  }

  leave(member: GroupMember): void {
    this.#members.delete(member.peer.id)
    member.catchUp?.close()
    this.#trim()
  }

  /** The member asked to hear everything once more (RFC 2918). */
  tellAgain(member: GroupMember): void {
    if (member.catchUp === undefined) member.catchUp = this.#detach(member, true)
    else member.catchUp.startOver()
    this.#trim()
  }

  /** `member` has heard what `old` told it, and goes on here: it must also lose what is not told here. */
  succeed(member: GroupMember, old: UpdateGroup, oldMember: GroupMember): void {
    const catchUp = (member.catchUp ??= this.#newCatchUp(member.peer, true))
    member.endOfRibSent = oldMember.endOfRibSent
    const prefixes = this.#rib.prefixes
    for (let prefix = 1; prefix < prefixes.end; prefix++) {
      if (prefixes.exists(prefix) && old.toldTo(oldMember.peer.id, prefix) !== 0)
        catchUp.mark(prefix)
    }
    old.#markUnread(oldMember, catchUp)
  }

  /** Frees what the group holds for a prefix: for the walk that follows the last member's leaving. */
  forget(prefix: number): void {
    const set = this.#told.get(prefix)
    const source = this.#told.get(prefix, 1)
    this.#told.set(prefix, 0)
    this.#told.set(prefix, 0, 1)
    if ((source & MARKED) !== 0) this.#rib.prefixes.release(prefix)
    if (set === 0) return
    this.#count(source & SOURCE_MASK, -1)
    this.#attributes.release(set)
    this.#rib.prefixes.release(prefix)
  }

  /** The Loc-RIB has another best path for `prefix`. */
  mark(prefix: number): void {
    const source = this.#told.get(prefix, 1)
    if ((source & MARKED) !== 0) return
    this.#told.set(prefix, source | MARKED, 1)
    this.#rib.prefixes.retain(prefix)
    this.#marked.push(prefix)
    if (this.#marked.length === 1) this.#wake()
  }

  hasWork(member: GroupMember): boolean {
    return (
      member.catchUp !== undefined ||
      member.place < this.#log.head ||
      this.#hasMarks ||
      !member.endOfRibSent
    )
  }

  /**
   * The next messages for a member, some `wantedBytes` of them, or none when it knows everything. Called
   * only while its socket takes bytes.
   */
  pull(member: GroupMember, wantedBytes: number, out: Uint8Array[]): void {
    let bytes = 0
    if (member.catchUp !== undefined) {
      bytes = this.#pullCatchUp(member, member.catchUp, wantedBytes, out)
      if (bytes >= wantedBytes || member.catchUp !== undefined) return
    }
    while (bytes < wantedBytes) {
      if (member.place === this.#log.head) {
        if (!this.#hasMarks) break
        this.#encodeWindow()
        continue
      }
      const entry = this.#log.at(member.place++)
      if (!isFor(entry, member.peer.id)) continue
      out.push(entry.bytes)
      bytes += entry.bytes.length
    }
    if (!member.endOfRibSent && member.place === this.#log.head && !this.#hasMarks) {
      member.endOfRibSent = true
      out.push(endOfRib(this.family))
    }
    if (member.place > this.#log.base) this.#trim()
  }

  /** Prefixes that `member` has been told or is about to be. */
  announced(member: GroupMember): number {
    return this.#toldCount - (this.#toldFrom.get(member.peer.id) ?? 0)
  }

  /** What the group was told for a prefix: AttrId, or 0 when nothing or when it came from `peer`. */
  toldTo(peer: number, prefix: number): number {
    const source = this.#told.get(prefix, 1) & SOURCE_MASK
    return source === peer ? 0 : this.#told.get(prefix)
  }

  /** The attributes that a member was told for a prefix, as sent, or undefined for nothing. */
  toldForm(peer: number, prefix: number): { set: Uint8Array; nextHop: string } | undefined {
    const set = this.toldTo(peer, prefix)
    if (set === 0) return undefined
    const source = this.#peers.get(this.#told.get(prefix, 1) & SOURCE_MASK)
    const { set: bytes, form, nextHop } = this.#options.formOf(set, source)
    const scratch = new Uint8Array(2 * bytes.length + ROOM_FOR_REWRITING)
    const end = rewriteAttributes(bytes, form, scratch, 0)
    return {
      set: scratch.subarray(0, end),
      nextHop: addressFromBytes(nextHop.subarray(0, 16)).text,
    }
  }

  get #hasMarks(): boolean {
    return this.#marked.length > 0 || this.#walk < this.#walkEnd
  }

  /** Looks up a window of marked prefixes and appends what members must hear to the log. */
  #encodeWindow(): void {
    let room = WINDOW
    // The mark holds a withdrawn prefix, maybe alone, until it has been written.
    const looked: number[] = []
    for (; room > 0 && this.#marked.length > 0; room--) {
      const prefix = this.#marked.shift()
      this.#look(prefix)
      looked.push(prefix)
    }
    for (; room > 0 && this.#walk < this.#walkEnd; this.#walk++) {
      if (!this.#rib.prefixes.exists(this.#walk)) continue
      this.#look(this.#walk)
      room--
    }
    this.#encoder.encode((entry) => this.#log.append(entry))
    for (const prefix of looked) this.#unmark(prefix)
    if (this.#log.bytes > LOG_LIMIT) this.#letSlowestGo()
  }

  /** Compares one prefix with what the group was told and files the difference. */
  #look(prefix: number): void {
    // Between a withdrawal and the decision that follows there is no best path, but maybe soon another
    // one: nobody shall hear of that.
    if (this.#rib.prefixes.isWaiting(prefix)) return this.#rib.prefixes.watch(prefix)
    const told = this.#told
    const toldSet = told.get(prefix)
    const toldSource = told.get(prefix, 1) & SOURCE_MASK
    let set = 0
    let source = 0
    const best = this.#rib.prefixes.best(prefix)
    if (best !== 0) {
      set = this.#rib.paths.accepted(best)
      source = this.#rib.paths.peer(best)
      if (set !== 0 && !this.#exports(set, source)) set = 0
    }
    if (set === toldSet && (set === 0 || source === toldSource)) return
    if (set !== 0) {
      this.#encoder.announce(prefix, set, source)
      this.#attributes.retain(set)
      if (toldSet === 0) {
        this.#rib.prefixes.retain(prefix)
        this.#toldCount++
      } else if (source !== toldSource && this.#members.has(source)) {
        this.#encoder.withdrawFrom(prefix, source)
      }
      this.#count(source, 1)
    } else this.#encoder.withdraw(prefix, toldSource)
    told.set(prefix, set)
    told.set(prefix, source | (told.get(prefix, 1) & MARKED), 1)
    for (const member of this.#members.values()) member.catchUp?.mark(prefix)
    if (toldSet === 0) return
    this.#count(toldSource, -1)
    this.#attributes.release(toldSet)
    if (set === 0) {
      this.#toldCount--
      this.#rib.prefixes.release(prefix)
    }
  }

  #exports(set: number, source: number): boolean {
    const peer = this.#peers.get(source)
    return (
      mayPassOn(peer, this.#attributes.flags(set), this.#options) &&
      this.#options.exports(set, peer)
    )
  }

  #unmark(prefix: number): void {
    this.#told.set(prefix, this.#told.get(prefix, 1) & SOURCE_MASK, 1)
    this.#rib.prefixes.release(prefix)
  }

  #count(source: number, change: number): void {
    const before = this.#toldFrom.get(source) ?? 0
    const count = before + change
    if (before === 0) this.#peers.retain(source)
    if (count !== 0) this.#toldFrom.set(source, count)
    else {
      this.#toldFrom.delete(source)
      this.#peers.release(source)
    }
  }

  #pullCatchUp(member: GroupMember, catchUp: CatchUp, wanted: number, out: Uint8Array[]): number {
    let bytes = 0
    while (bytes < wanted && !catchUp.done) {
      for (const chunk of catchUp.next()) {
        out.push(chunk)
        bytes += chunk.length
      }
    }
    if (catchUp.done) {
      catchUp.close()
      member.catchUp = undefined
      member.place = this.#log.head
    }
    return bytes
  }

  #newCatchUp(peer: RibPeer, wholeTable: boolean): CatchUp {
    const encoder = new AnnouncementEncoder(
      this.#rib.prefixes,
      this.#options.maxMessageLength,
      (set, source) => this.#options.formOf(set, this.#peers.get(source)),
      () => false,
    )
    const told = {
      set: (prefix: number) => this.toldTo(peer.id, prefix),
      source: (prefix: number) => this.#told.get(prefix, 1) & SOURCE_MASK,
    }
    return new CatchUp(this.#rib.prefixes, encoder, told, wholeTable)
  }

  /** The members furthest behind get their own list of what they miss, and the log its memory back. */
  #letSlowestGo(): void {
    for (const member of this.#members.values()) {
      if (member.catchUp !== undefined || member.place > this.#log.base) continue
      member.catchUp = this.#detach(member, false)
    }
    this.#trim()
  }

  /** A list of what the member has not read; with all that it should know if `wholeTable`. */
  #detach(member: GroupMember, wholeTable: boolean): CatchUp {
    const catchUp = this.#newCatchUp(member.peer, wholeTable)
    if (member.catchUp === undefined) this.#markUnread(member, catchUp)
    return catchUp
  }

  #markUnread(member: GroupMember, catchUp: CatchUp): void {
    if (member.catchUp !== undefined) return
    for (let place = member.place; place < this.#log.head; place++) {
      const entry = this.#log.at(place)
      if (isFor(entry, member.peer.id)) catchUp.markMessages(entry.bytes)
    }
  }

  #trim(): void {
    let lowest = this.#log.head
    for (const member of this.#members.values()) {
      if (member.catchUp === undefined && member.place < lowest) lowest = member.place
    }
    this.#log.trim(lowest)
  }
}
