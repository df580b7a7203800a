/**
 * One member that is told the table apart from its group: because it has just come, or because it read so
 * slowly that the group's log could not wait for it.
 *
 * It has a queue of prefixes, each in it at most once, and hears for each what the group was told last;
 * so however slow it is, its backlog is bounded by the number of prefixes. What it had not read of the log is
 * kept as it is, 4 MB at most and shared with others, until there is room in the queue. When all is empty it
 * knows what the group knows and goes on from the head of the log. Each step is bounded: a window at a time.
 */
import { FAMILIES } from '../net/family.ts'
import { IntQueue } from '../net/int-queue.ts'
import { NlriColumns } from '../wire/nlri.ts'
import { UpdateView } from '../wire/update.ts'
import { ONLY_PATH, WINDOW, type AnnouncementEncoder } from './announcement-encoder.ts'
import type { PrefixTable } from './prefix-table.ts'
import { Column } from '../net/rows.ts'

/** What this member shall know, as its group tells it. A path is a prefix and a path identifier. */
export interface Lesson {
  /** Files with the encoder all that the member shall know of a prefix. */
  announce(prefix: number): unknown
  /** The same, and withdrawals of what else it was owed; nothing is owed then. */
  settle(prefix: number): void
  /** The member may know this path, or must hear of it. */
  owe(prefix: number, pathId: number): void
  /** Visits what is owed of a prefix: somebody else settles it. */
  handOver(prefix: number, visit: (pathId: number) => void): void
  /** Nobody settles it. */
  forgive(prefix: number): void
}

const HEADER_LENGTH = 19
/** Rows that a walk passes at a time: most may hold nothing that is told. */
export const ROWS_AT_A_TIME = 16 * WINDOW

// One message at a time is read, whosever it is.
const $view = new UpdateView()
const $nlri = FAMILIES.map((family) => new NlriColumns(family))

export class CatchUp {
  readonly #prefixes: PrefixTable
  readonly #encoder: AnnouncementEncoder
  readonly #lesson: Lesson
  readonly #pathIds: boolean
  readonly #queue = new IntQueue()
  readonly #queued = new Column()
  /** Runs of messages that the member has not got; `#unreadAt` bytes of the last one have been marked. */
  readonly #unread: Uint8Array[] = []
  #unreadAt = 0
  /** Of the group that the member was in before: what it had still to hear there. */
  #before: CatchUp | undefined
  /** Next PrefixId of the walk through the table, and its end; what comes later is marked. */
  #walk = 1
  #walkEnd: number

  /** `encoder` is empty between calls, so that all who catch up with a group share one. */
  constructor(
    prefixes: PrefixTable,
    encoder: AnnouncementEncoder,
    lesson: Lesson,
    { wholeTable, pathIds }: { readonly wholeTable: boolean; readonly pathIds: boolean },
  ) {
    this.#prefixes = prefixes
    this.#encoder = encoder
    this.#lesson = lesson
    this.#pathIds = pathIds
    this.#walkEnd = wholeTable ? prefixes.end : 0
  }

  get done(): boolean {
    return this.backlog === 0 && this.#unread.length === 0 && this.#walk >= this.#walkEnd
  }

  /** Prefixes that are not told yet, those of the table included. */
  get remaining(): number {
    return this.backlog + Math.max(0, this.#walkEnd - this.#walk)
  }

  /** Prefixes in the queue. */
  get backlog(): number {
    return this.#queue.length + (this.#before?.backlog ?? 0)
  }

  /** Tells the whole table, from its beginning. */
  startOver(): void {
    this.#walk = 1
    this.#walkEnd = this.#prefixes.end
  }

  /** The group was told something new about a path. */
  mark(prefix: number, pathId: number): void {
    this.#lesson.owe(prefix, pathId)
    if (this.#queued.get(prefix) !== 0) return
    this.#queued.set(prefix, 1)
    this.#prefixes.retain(prefix)
    this.#queue.push(prefix)
  }

  /** `messages`, a run of whole UPDATEs, have not been read: what they are about will be told anew. */
  addUnread(messages: Uint8Array): void {
    if (this.#unread.length > 0 && this.#unreadAt > 0) {
      // The one being read stays the last.
      this.#unread.splice(-1, 0, messages)
    } else this.#unread.push(messages)
  }

  /** Takes over what the member had to hear in another group. */
  follow(before: CatchUp): void {
    for (const messages of before.#takeUnread()) this.addUnread(messages)
    let last: CatchUp = before
    while (last.#before !== undefined) last = last.#before
    last.#before = this.#before
    this.#before = before
  }

  /** The next window as messages; may be none although there is more to do. */
  next(): Uint8Array[] {
    const encoder = this.#encoder
    while (this.#queue.length < WINDOW && this.#unread.length > 0) this.#markMessage()
    while (this.#queue.length < WINDOW && this.#before !== undefined) this.#markBefore(this.#before)
    this.#tellTable()
    const settled: number[] = []
    while (settled.length < WINDOW && this.#queue.length > 0 && !encoder.full) {
      const prefix = this.#take()
      this.#lesson.settle(prefix)
      settled.push(prefix)
    }
    const chunks: Uint8Array[] = []
    encoder.encode((entry) => chunks.push(entry.bytes))
    for (const prefix of settled) this.#prefixes.release(prefix)
    return chunks
  }

  /** The member is gone: nothing more is told. The queue is left to `drop`. */
  close(): void {
    this.#unread.length = 0
    this.#before?.close()
    this.#walkEnd = 0
  }

  /** Gives up one of the `backlog`. */
  drop(): void {
    if (this.#queue.length === 0) return this.#before?.drop()
    const prefix = this.#take()
    this.#lesson.forgive(prefix)
    this.#prefixes.release(prefix)
  }

  #tellTable(): void {
    const encoder = this.#encoder
    const end = Math.min(this.#walkEnd, this.#walk + ROWS_AT_A_TIME)
    for (; this.#walk < end && !encoder.full; this.#walk++) {
      if (this.#queued.get(this.#walk) === 0) this.#lesson.announce(this.#walk)
    }
  }

  #take(): number {
    const prefix = this.#queue.shift()
    this.#queued.set(prefix, 0)
    return prefix
  }

  #takeUnread(): Uint8Array[] {
    const taken = this.#unread.splice(0)
    const last = taken.at(-1)
    if (last !== undefined) taken[taken.length - 1] = last.subarray(this.#unreadAt)
    this.#unreadAt = 0
    return taken
  }

  #markBefore(before: CatchUp): void {
    if (before.#queue.length === 0) this.#before = before.#before
    else {
      const prefix = before.#take()
      before.#lesson.handOver(prefix, (pathId) => this.mark(prefix, pathId))
      this.#prefixes.release(prefix)
    }
  }

  /** Marks every prefix of the next unread UPDATE. */
  #markMessage(): void {
    const bytes = this.#unread[this.#unread.length - 1]
    const at = this.#unreadAt
    const end = at + ((bytes[at + 16] << 8) | bytes[at + 17])
    const view = $view
    view.split(bytes, at + HEADER_LENGTH, end)
    this.#markAll(bytes, view.withdrawnStart, view.withdrawnEnd)
    this.#markAll(bytes, view.nlriStart, view.nlriEnd)
    if (view.reachAfi !== 0) this.#markAll(bytes, view.reachStart, view.reachEnd)
    if (view.unreachAfi !== 0) this.#markAll(bytes, view.unreachStart, view.unreachEnd)
    this.#unreadAt = end
    if (end < bytes.length) return
    this.#unread.pop()
    this.#unreadAt = 0
  }

  #markAll(bytes: Uint8Array, start: number, end: number): void {
    if (start === end) return
    const nlri = $nlri[this.#prefixes.family.index]
    if (this.#pathIds) nlri.decodeWithPathIds(bytes, start, end)
    else nlri.decode(bytes, start, end)
    for (let i = 0; i < nlri.count; i++) {
      const prefix = this.#prefixes.intern(nlri.words, i * nlri.stride, nlri.lengths[i])
      this.mark(prefix, this.#pathIds ? nlri.pathIds[i] : ONLY_PATH)
    }
  }
}
