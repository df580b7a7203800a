/**
 * From a window of changed prefixes to UPDATE messages: sorts the prefixes into buckets by (attribute set,
 * source peer), because one UPDATE carries one set and because the source itself must not hear it, and
 * writes each bucket's attributes once.
 *
 * The window is filled with `announce` and `withdraw`; `encode` hands out runs of messages that have the
 * same audience. A path identifier goes with each prefix where the session has agreed on that (RFC 7911).
 * All arrays are scratch that lives as long as the encoder.
 */
import type { OutgoingForm } from '../wire/rewrite.ts'
import { rewriteAttributes } from '../wire/rewrite.ts'
import type { LogEntry } from './outbound-log.ts'
import type { PrefixTable } from './prefix-table.ts'
import { UpdateWriter } from './update-writer.ts'

/** Prefixes of one window: enough to fill messages, few enough to stay within a turn. */
export const WINDOW = 4096
const SLOTS = 2 * WINDOW
/** A window of long attribute sets ends here: it is written at once. */
const MOST_ATTRIBUTE_BYTES = 1 << 20
/** More than `rewriteAttributes` makes of the longest set. */
export const LARGEST_SET = 2 * 65_536

/** The path identifier where only the best path is told: another best one replaces it. */
export const ONLY_PATH = 1

/** How a bucket's attributes are written. */
export interface BucketForm {
  readonly set: Uint8Array
  readonly form: OutgoingForm
  /** 4 bytes stand in NEXT_HOP (`form`), 16 or 32 go into MP_REACH. */
  readonly nextHop: Uint8Array
}

/** Who hears what is written. */
export interface Hearers {
  has(peer: number): boolean
  /** There is nobody else. */
  isOnly(peer: number): boolean
}

export class AnnouncementEncoder {
  readonly #writer: UpdateWriter
  readonly #formOf: (set: number, source: number) => BucketForm
  readonly #hearers: Hearers
  /** Messages of a window that was full before all of a prefix was told. */
  readonly #spilled: LogEntry[] = []
  // Buckets: open addressing on (set, source); a slot belongs to this window if its stamp is current.
  readonly #slotStamp = new Int32Array(SLOTS)
  readonly #slotBucket = new Int32Array(SLOTS)
  #stamp = 0
  readonly #bucketSet = new Int32Array(WINDOW)
  readonly #bucketSource = new Int32Array(WINDOW)
  readonly #bucketForm: BucketForm[] = []
  readonly #bucketFirst = new Int32Array(WINDOW)
  readonly #bucketLast = new Int32Array(WINDOW)
  #buckets = 0
  #attributeBytes = 0
  // Announced prefixes, chained within their bucket.
  readonly #prefix = new Int32Array(WINDOW)
  readonly #next = new Int32Array(WINDOW)
  readonly #pathId: Int32Array | undefined
  #announced = 0
  // Withdrawn prefixes, chained within their audience: `except` when >= 0, else the only hearer is ~value.
  readonly #withdrawnPrefix = new Int32Array(WINDOW)
  readonly #withdrawnNext = new Int32Array(WINDOW)
  readonly #withdrawnPathId: Int32Array | undefined
  #withdrawn = 0
  readonly #withdrawnLast = new Map<number, number>()
  readonly #withdrawnFirst = new Map<number, number>()
  readonly #$attributes = new Uint8Array(LARGEST_SET)

  constructor(
    prefixes: PrefixTable,
    maxMessage: number,
    pathIds: boolean,
    formOf: (set: number, source: number) => BucketForm,
    hearers: Hearers,
  ) {
    this.#writer = new UpdateWriter(prefixes, maxMessage, pathIds)
    this.#pathId = pathIds ? new Int32Array(WINDOW) : undefined
    this.#withdrawnPathId = pathIds ? new Int32Array(WINDOW) : undefined
    this.#formOf = formOf
    this.#hearers = hearers
  }

  /** True when the window holds all that it may: `encode` it first. */
  get full(): boolean {
    return (
      this.#spilled.length > 0 ||
      this.#announced === WINDOW ||
      this.#withdrawn === WINDOW ||
      this.#attributeBytes >= MOST_ATTRIBUTE_BYTES
    )
  }

  /** The set must stay as it is until the window is written. */
  announce(prefix: number, set: number, source: number, pathId = ONLY_PATH): void {
    if (this.#announced === WINDOW) this.#spill()
    const bucket = this.#bucketOf(set, source)
    const entry = this.#announced++
    this.#prefix[entry] = prefix
    if (this.#pathId !== undefined) this.#pathId[entry] = pathId
    this.#next[entry] = -1
    if (this.#bucketFirst[bucket] === -1) this.#bucketFirst[bucket] = entry
    else this.#next[this.#bucketLast[bucket]] = entry
    this.#bucketLast[bucket] = entry
  }

  /** Withdraws from everybody but `source`, who announced it and never heard it from us. */
  withdraw(prefix: number, source: number, pathId = ONLY_PATH): void {
    this.#addWithdrawal(this.#hearers.has(source) ? source : EVERYBODY, prefix, pathId)
  }

  /** Withdraws from one member, who now announces the prefix itself. */
  withdrawFrom(prefix: number, peer: number, pathId = ONLY_PATH): void {
    this.#addWithdrawal(~peer, prefix, pathId)
  }

  /** Writes the window as messages, withdrawals first, and starts a new one. */
  encode(emit: (entry: LogEntry) => void): void {
    for (const entry of this.#spilled.splice(0)) emit(entry)
    this.#encodeWindow(emit)
  }

  /** A prefix has more paths than the window has room for. */
  #spill(): void {
    this.#encodeWindow((entry) => this.#spilled.push(entry))
  }

  #encodeWindow(emit: (entry: LogEntry) => void): void {
    for (const [audience, first] of this.#withdrawnFirst) {
      if (this.#hearers.isOnly(audience)) continue
      const entry =
        audience < 0 ? { except: -1, only: ~audience } : { except: exceptOf(audience), only: -1 }
      this.#writeWithdrawals(first, entry, emit)
    }
    this.#withdrawnFirst.clear()
    this.#withdrawnLast.clear()
    this.#withdrawn = 0
    let except = EVERYBODY
    const flush = (): void => {
      if (this.#writer.length > 0) {
        emit({ bytes: this.#writer.take(), except: exceptOf(except), only: -1 })
      }
    }
    for (let bucket = 0; bucket < this.#buckets; bucket++) {
      const source = this.#bucketSource[bucket]
      if (this.#hearers.isOnly(source)) continue
      const audience = this.#hearers.has(source) ? source : EVERYBODY
      if (audience !== except) flush()
      except = audience
      this.#writeBucket(bucket, flush)
    }
    flush()
    this.#buckets = 0
    this.#bucketForm.length = 0
    this.#attributeBytes = 0
    this.#announced = 0
    this.#stamp++
  }

  #writeBucket(bucket: number, flush: () => void): void {
    const writer = this.#writer
    const { set, form, nextHop } = this.#bucketForm[bucket]
    const length = rewriteAttributes(set, form, this.#$attributes, 0)
    writer.openAnnouncement(this.#$attributes, length, nextHop)
    for (let entry = this.#bucketFirst[bucket]; entry !== -1; entry = this.#next[entry]) {
      if (writer.full) {
        writer.close()
        flush()
        writer.openAnnouncement(this.#$attributes, length, nextHop)
      }
      writer.add(this.#prefix[entry], this.#pathId === undefined ? 0 : this.#pathId[entry])
    }
    writer.close()
  }

  #writeWithdrawals(
    first: number,
    audience: { except: number; only: number },
    emit: (entry: LogEntry) => void,
  ): void {
    const writer = this.#writer
    writer.openWithdrawal()
    for (let entry = first; entry !== -1; entry = this.#withdrawnNext[entry]) {
      if (writer.full) {
        writer.close()
        emit({ bytes: writer.take(), ...audience })
        writer.openWithdrawal()
      }
      const pathIds = this.#withdrawnPathId
      writer.add(this.#withdrawnPrefix[entry], pathIds === undefined ? 0 : pathIds[entry])
    }
    writer.close()
    emit({ bytes: writer.take(), ...audience })
  }

  #addWithdrawal(audience: number, prefix: number, pathId: number): void {
    if (this.#withdrawn === WINDOW) this.#spill()
    const entry = this.#withdrawn++
    this.#withdrawnPrefix[entry] = prefix
    if (this.#withdrawnPathId !== undefined) this.#withdrawnPathId[entry] = pathId
    this.#withdrawnNext[entry] = -1
    const last = this.#withdrawnLast.get(audience)
    if (last === undefined) this.#withdrawnFirst.set(audience, entry)
    else this.#withdrawnNext[last] = entry
    this.#withdrawnLast.set(audience, entry)
  }

  #bucketOf(set: number, source: number): number {
    let slot = (Math.imul(set ^ Math.imul(source, 0x85ebca6b), 0x9e3779b1) >>> 8) & (SLOTS - 1)
    const current = this.#stamp + 1
    while (this.#slotStamp[slot] === current) {
      const bucket = this.#slotBucket[slot]
      if (this.#bucketSet[bucket] === set && this.#bucketSource[bucket] === source) return bucket
      slot = (slot + 1) & (SLOTS - 1)
    }
    const bucket = this.#buckets++
    this.#slotStamp[slot] = current
    this.#slotBucket[slot] = bucket
    this.#bucketSet[bucket] = set
    this.#bucketSource[bucket] = source
    this.#bucketFirst[bucket] = -1
    const form = this.#formOf(set, source)
    this.#bucketForm.push(form)
    this.#attributeBytes += form.set.length
    return bucket
  }
}

/** Audience without exception: no session has this number. */
const EVERYBODY = 0x10000
const exceptOf = (audience: number): number => (audience === EVERYBODY ? -1 : audience)
