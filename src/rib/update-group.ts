/**
 * Adj-RIB-Out of an update group: what the peers that hear the same have been told, for one family, and
 * what they still have to hear (RFC 4271 3.2 and 9.2).
 *
 * A changed prefix is only marked. When a member's socket takes bytes, a window of marked prefixes is looked
 * up in the Loc-RIB (so a flapping route is sent once, as it is then), filtered by export policy, compared
 * with what was told before (`teller.ts`), and encoded once for all into the group's log.
 */
import type { FamilyFacts } from '../net/family.ts'
import { IntQueue } from '../net/int-queue.ts'
import { encodeRouteRefresh } from '../wire/route-refresh.ts'
import { AnnouncementEncoder, WINDOW, type Hearers } from './announcement-encoder.ts'
import type { AttributeStore } from './attribute-store.ts'
import { BestPathTeller } from './best-path-teller.ts'
import { CatchUp, ROWS_AT_A_TIME } from './catch-up.ts'
import { ExportLimit } from './export-limit.ts'
import { ExportRules } from './export-rules.ts'
import type { FamilyRib } from './family-rib.ts'
import { GroupMember } from './group-member.ts'
import { MultiPathTeller } from './multi-path-teller.ts'
import { OriginatedDefault } from './originated-default.ts'
import { isFor, OutboundLog } from './outbound-log.ts'
import { LOCAL_PEER, type RibPeer, type RibPeers } from './peer.ts'
import type { Teller, Told, ToldPath } from './teller.ts'
import { isMultiPath, type AddPathMode, type UpdateGroupOptions } from './update-group-options.ts'
import { endOfRib } from './update-writer.ts'

export interface UpdateGroupEvents {
  /** There is something to pull again. */
  workArrived(): void
  /** Somebody has left; `remains` is to be emptied (`drop`), some at a time. */
  abandoned(remains: CatchUp): void
}

const LOG_LIMIT_BYTES = 4 << 20

/** Of what one member hears alone. */
const ANYBODY: Hearers = { has: () => false, isOnly: () => false }

/** Prefixes of the window that is being encoded. */
const $looked = new Int32Array(WINDOW)

export interface Membership {
  readonly group: UpdateGroup
  readonly member: GroupMember
}

export class UpdateGroup {
  readonly family: FamilyFacts
  readonly addPath: AddPathMode
  readonly #rib: FamilyRib
  readonly #peers: RibPeers
  readonly #options: UpdateGroupOptions
  readonly #encoder: AnnouncementEncoder
  /** Of all that catch up; most groups never need it. */
  #catchUpEncoder: AnnouncementEncoder | undefined
  readonly #teller: Teller
  readonly #told: Told
  readonly #limit: ExportLimit | undefined
  readonly #default: OriginatedDefault | undefined
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
    this.#peers = peers
    this.#options = options
    this.addPath = options.addPath ?? 'off'
    this.#events = events
    const isMember = (peer: number): boolean => this.#memberships.has(peer)
    this.#encoder = this.#newEncoder({
      has: isMember,
      isOnly: (peer) => this.#memberships.size === 1 && isMember(peer),
    })
    const { ceiling, defaultRoute } = options
    this.#limit = ceiling === undefined ? undefined : new ExportLimit(ceiling)
    this.#default =
      defaultRoute === undefined
        ? undefined
        : new OriginatedDefault(rib.prefixes, attributes, defaultRoute)
    const around = {
      rib,
      attributes,
      peers,
      rules: new ExportRules(rib.family, attributes, peers, options),
      encoder: this.#encoder,
      limit: this.#limit,
      defaultRoute: this.#default,
      isMember,
      changed: (prefix: number, pathId: number) => {
        for (const member of this.#members) member.catchUp?.mark(prefix, pathId)
      },
    }
    this.#teller = isMultiPath(this.addPath)
      ? new MultiPathTeller(around, this.addPath === 'all' ? Infinity : this.addPath)
      : new BestPathTeller(around)
    this.#told = this.#teller.told
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

  /** The member shall hear everything once more (RFC 2918); `marked` with a beginning and an end (RFC 7313). */
  tellAgain(member: GroupMember, marked = false): void {
    if (marked && !member.endOfRibSent) {
      member.refresh = 'due'
      return
    }
    if (marked) member.refresh = 'begin'
    this.#detach(member).startOver()
    this.#trim()
  }

  /**
   * `member` has heard what `old` told it, and goes on here: it must also lose what is not told here. The
   * answer is for a walk over all prefixes, before `inheritUnread`; meanwhile the old membership stays, and
   * nobody pulls for it. Nothing happens for a member that has left.
   */
  inherit(member: GroupMember, old: UpdateGroup): (prefix: number) => void {
    const peer = member.peer.id
    let $prefix = 0
    // What is told here it hears anyway, and what no longer is, as everybody does.
    const note = (pathId: number): void => {
      if (this.#teller.isToldTo(peer, $prefix, pathId)) return
      this.#detach(member).mark($prefix, pathId)
    }
    return (prefix) => {
      $prefix = prefix
      if (this.#members.has(member)) old.#teller.visitTold(peer, prefix, note)
    }
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

  /** Nothing of the group is asked for any more. */
  close(): void {
    this.#default?.release()
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
    if (member.refresh === 'begin') {
      member.refresh = 'end'
      out.push(encodeRouteRefresh(this.family.name, 'begin'))
    }
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
      if (member.refresh === 'due') this.tellAgain(member, true)
    }
    if (member.place > this.#log.base) this.#trim()
  }

  /** Prefixes that `member` has been told or is about to be; paths where a prefix may have several. */
  announced(member: GroupMember): number {
    return this.#told.count - this.#told.countFrom(member.peer.id)
  }

  /** Prefixes to look at before `member` knows all: what is encoded already waits for its socket only. */
  queued({ catchUp }: GroupMember): number {
    const own = catchUp === undefined ? 0 : catchUp.remaining
    return own + this.#marked.length + this.#walkEnd - this.#walk
  }

  /** Prefixes that are not told because the peer hears as many as it may. */
  get withheld(): number {
    return this.#limit?.waiting ?? 0
  }

  /** What a member was told of a prefix, as sent. */
  toldTo(peer: number, prefix: number): ToldPath[] {
    return this.#teller.toldTo(peer, prefix)
  }

  get #hasMarks(): boolean {
    return (
      this.#marked.length > 0 ||
      this.#walk < this.#walkEnd ||
      this.#limit?.hasRoom(this.#told) === true
    )
  }

  #knowsAll(member: GroupMember): boolean {
    return member.catchUp === undefined && member.place === this.#log.head && !this.#hasMarks
  }

  /** What waits for a decision or the kernel may be part of the table that End-of-RIB says was told. */
  #owesEndOfRib(member: GroupMember): boolean {
    return !member.endOfRibSent && this.#rib.waiting === 0 && this.#options.mayEnd?.() !== false
  }

  /** While the kernel's next route is under way, what is told stays as it is. */
  #look(prefix: number): void {
    if (this.#options.isUnderWay?.(prefix) === true) {
      const best = this.#rib.prefixes.best(prefix)
      // That there is no route any more is told at once, as our own routes are.
      if (best !== 0 && this.#rib.paths.peer(best) !== LOCAL_PEER) return
    }
    this.#teller.look(prefix)
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
    for (; room > 0 && this.#limit?.hasRoom(this.#told) === true && !encoder.full; room--) {
      const prefix = this.#limit.take()
      if (this.#rib.prefixes.exists(prefix)) this.#look(prefix)
    }
    encoder.encode((entry) => this.#log.append(entry))
    for (let i = 0; i < looked; i++) this.#told.unmark($looked[i])
    if (this.#log.bytes > (this.#options.logLimitBytes ?? LOG_LIMIT_BYTES)) this.#letSlowestGo()
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
      if (member.refresh === 'end') {
        member.refresh = 'none'
        out.push(encodeRouteRefresh(this.family.name, 'end'))
      }
    }
    return bytes
  }

  #newEncoder(hearers: Hearers): AnnouncementEncoder {
    const { maxMessageLength, formOf } = this.#options
    return new AnnouncementEncoder(
      this.#rib.prefixes,
      maxMessageLength,
      this.addPath !== 'off',
      (set, source) => formOf(set, this.#peers.get(source)),
      hearers,
    )
  }

  #newCatchUp(peer: RibPeer, wholeTable: boolean): CatchUp {
    this.#catchUpEncoder ??= this.#newEncoder(ANYBODY)
    const lesson = this.#teller.lessonFor(peer.id, this.#catchUpEncoder)
    const kind = { wholeTable, pathIds: this.addPath !== 'off' }
    return new CatchUp(this.#rib.prefixes, this.#catchUpEncoder, lesson, kind)
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
