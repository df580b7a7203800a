/**
 * One member that is told the table apart from its group: because it has just come, or because it read so
 * slowly that the group's log could not wait for it.
 *
 * It has a queue of prefixes, each in it at most once, and hears for each what the group was told last;
 * so however slow it is, its backlog is bounded by the number of prefixes. When the queue is empty it knows
 * what the group knows and goes on from the head of the log.
 */
import { FAMILIES } from '../net/family.ts'
import { IntQueue } from '../net/int-queue.ts'
import { NlriColumns } from '../wire/nlri.ts'
import { UpdateView } from '../wire/update.ts'
import { WINDOW, type AnnouncementEncoder } from './announcement-encoder.ts'
import type { PrefixTable } from './prefix-table.ts'
import { Column } from './rows.ts'

/** What this member shall know of a prefix. */
export interface Told {
  /** AttrId, or 0 for nothing. */
  set(prefix: number): number
  source(prefix: number): number
}

const HEADER_LENGTH = 19

export class CatchUp {
  readonly #prefixes: PrefixTable
  readonly #encoder: AnnouncementEncoder
  readonly #told: Told
  readonly #queue = new IntQueue()
  readonly #queued = new Column()
  /** Next PrefixId of the walk through the table, and its end; what comes later is marked. */
  #walk = 1
  #walkEnd: number

  constructor(
    prefixes: PrefixTable,
    encoder: AnnouncementEncoder,
    told: Told,
    wholeTable: boolean,
  ) {
    this.#prefixes = prefixes
    this.#encoder = encoder
    this.#told = told
    this.#walkEnd = wholeTable ? prefixes.end : 0
  }

  get done(): boolean {
    return this.#queue.length === 0 && this.#walk >= this.#walkEnd
  }

  /** Tells the whole table, from its beginning. */
  startOver(): void {
    this.#walk = 1
    this.#walkEnd = this.#prefixes.end
  }

  /** The group was told something new about `prefix`. */
  mark(prefix: number): void {
    if (this.#queued.get(prefix) !== 0) return
    this.#queued.set(prefix, 1)
    this.#prefixes.retain(prefix)
    this.#queue.push(prefix)
  }

  /** Marks every prefix of the UPDATEs in `bytes`, which the member has not got. */
  markMessages(bytes: Uint8Array): void {
    const view = new UpdateView()
    const family = this.#prefixes.family
    const nlri = new NlriColumns(FAMILIES[family.index])
    const markAll = (start: number, end: number): void => {
      if (start === end) return
      nlri.decode(bytes, start, end)
      for (let i = 0; i < nlri.count; i++) {
        this.mark(this.#prefixes.intern(nlri.words, i * nlri.stride, nlri.lengths[i]))
      }
    }
    for (let at = 0; at < bytes.length;) {
      const length = (bytes[at + 16] << 8) | bytes[at + 17]
      view.split(bytes, at + HEADER_LENGTH, at + length)
      markAll(view.withdrawnStart, view.withdrawnEnd)
      markAll(view.nlriStart, view.nlriEnd)
      if (view.reachAfi !== 0) markAll(view.reachStart, view.reachEnd)
      if (view.unreachAfi !== 0) markAll(view.unreachStart, view.unreachEnd)
      at += length
    }
  }

  /** The next window as messages; may be none although there is more to do. */
  next(): Uint8Array[] {
    const told = this.#told
    let filed = 0
    while (filed < WINDOW && this.#walk < this.#walkEnd) {
      const prefix = this.#walk++
      const set = told.set(prefix)
      if (set === 0 || this.#queued.get(prefix) !== 0) continue
      this.#encoder.announce(prefix, set, told.source(prefix))
      filed++
    }
    const settled: number[] = []
    while (filed < WINDOW && this.#queue.length > 0) {
      const prefix = this.#queue.shift()
      this.#queued.set(prefix, 0)
      const set = told.set(prefix)
      if (set === 0) this.#encoder.withdraw(prefix, 0)
      else this.#encoder.announce(prefix, set, told.source(prefix))
      settled.push(prefix)
      filed++
    }
    const chunks: Uint8Array[] = []
    this.#encoder.encode((entry) => chunks.push(entry.bytes))
    for (const prefix of settled) this.#prefixes.release(prefix)
    return chunks
  }

  /** Gives up what is still queued. */
  close(): void {
    while (this.#queue.length > 0) {
      const prefix = this.#queue.shift()
      this.#queued.set(prefix, 0)
      this.#prefixes.release(prefix)
    }
    this.#walkEnd = 0
  }
}
