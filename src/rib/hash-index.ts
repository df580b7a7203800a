/**
 * Finds the row of a table by the hash of its key: extendible hashing (Fagin et al. 1979) over pages of open
 * addressing.
 *
 * What a lookup costs is how many lines of memory it touches that are in no cache, a tenth of a microsecond
 * each. Here that is one: a slot holds, beside the row, six more bits of its hash, so that other rows that
 * probing meets need not be read. The leading bits of a hash choose the page, in a directory that fits into
 * the cache. A page that is full is split in two, its hashes computed from the rows: no pause is longer than
 * that, however large the table grows. It does not shrink; its size is that of the largest table there was.
 */
const SLOT_BITS = 12
export const PAGE_SLOTS = 1 << SLOT_BITS
/** Hashes that have so many leading bits in common were made so: their page grows instead. */
const MOST_DEPTH = 16

const ROW_BITS = 26
const ROW_MASK = (1 << ROW_BITS) - 1
/** A slot whose row was removed: probing goes on behind it. */
const REMOVED = 1 << ROW_BITS

class Page {
  slots = new Int32Array(PAGE_SLOTS)
  /** Leading bits that all hashes in it have in common. */
  depth: number
  /** Slots that end no search, those of removed rows among them. */
  used = 0
  live = 0

  constructor(depth: number) {
    this.depth = depth
  }

  /** Fuller than this, probing takes too many steps. */
  get isFull(): boolean {
    return 16 * this.used >= 13 * this.slots.length
  }

  put(row: number, hash: number): void {
    const { slots } = this
    const mask = slots.length - 1
    let at = hash & mask
    while (slots[at] !== 0) at = (at + 1) & mask
    slots[at] = tagOf(hash) | row
    this.used++
    this.live++
  }

  /** Empties it, with so many slots from now on; what it held. */
  clear(slots: number): Int32Array {
    const before = this.slots
    this.slots = new Int32Array(slots)
    this.used = this.live = 0
    return before
  }
}

/** Recomputes the hashes of `rows[0..count)` into `hashes`. */
export type HashesOf = (rows: Int32Array, count: number, hashes: Int32Array) => void

// The rows of a page, and their hashes: read first, in a loop that waits for many of them at a time.
let $rows = new Int32Array(PAGE_SLOTS)
let $hashes = new Int32Array(PAGE_SLOTS)

export class HashIndex {
  readonly #hashesOf: HashesOf
  /** By the leading `#depth` bits of a hash; a page stands there several times while it has fewer. */
  #directory: Page[] = [new Page(0)]
  #depth = 0
  #totalSlots = PAGE_SLOTS
  // The search that `next` goes on with.
  #slots: Int32Array
  #at = 0
  #tag = 0

  constructor(hashesOf: HashesOf) {
    this.#hashesOf = hashesOf
    this.#slots = this.#directory[0].slots
  }

  get bytes(): number {
    return this.#totalSlots * 4
  }

  /** A row whose key may be the one with this hash, or 0; the caller compares, and asks for the `next`. */
  first(hash: number): number {
    const { slots } = this.#pageOf(hash)
    this.#slots = slots
    this.#tag = tagOf(hash)
    return this.#search(hash & (slots.length - 1))
  }

  /**
   * What `first` will read, without looking at it: a loop over many hashes waits for all of these lines at a time.
   * The number means nothing, but that the reading is not left out.
   */
  touch(hash: number): number {
    const { slots } = this.#pageOf(hash)
    return slots[hash & (slots.length - 1)]
  }

  next(): number {
    return this.#search((this.#at + 1) & (this.#slots.length - 1))
  }

  /** The row, whose key no other has, can be found from now on. */
  add(row: number, hash: number): void {
    if (row > ROW_MASK) throw new RangeError(`a table of more than ${ROW_MASK} rows`)
    let page = this.#pageOf(hash)
    while (page.isFull) {
      this.#makeRoom(page, hash)
      page = this.#pageOf(hash)
    }
    page.put(row, hash)
  }

  remove(row: number, hash: number): void {
    const page = this.#pageOf(hash)
    const { slots } = page
    const mask = slots.length - 1
    const slot = tagOf(hash) | row
    let at = hash & mask
    while (slots[at] !== slot) at = (at + 1) & mask
    slots[at] = REMOVED
    page.live--
  }

  #search(from: number): number {
    const slots = this.#slots
    const mask = slots.length - 1
    let at = from
    for (let slot = slots[at]; slot !== 0; slot = slots[at]) {
      if ((slot & ~ROW_MASK) === this.#tag && slot !== REMOVED) {
        this.#at = at
        return slot & ROW_MASK
      }
      at = (at + 1) & mask
    }
    return 0
  }

  #pageOf(hash: number): Page {
    // A shift by 32 would be one by 0.
    return this.#directory[(hash >>> 1) >>> (31 - this.#depth)]
  }

  #makeRoom(page: Page, hash: number): void {
    const size = page.slots.length
    if (page.live <= size >> 1) this.#refill(page, page.clear(size))
    else if (page.depth < MOST_DEPTH) this.#split(page, hash)
    else {
      this.#totalSlots += size
      this.#refill(page, page.clear(2 * size))
    }
  }

  #refill(page: Page, slots: Int32Array): void {
    const count = this.#gather(slots)
    for (let i = 0; i < count; i++) page.put($rows[i], $hashes[i])
  }

  /** Fills `$rows` and `$hashes` with what is in these slots; how many they are. */
  #gather(slots: Int32Array): number {
    if (slots.length > $rows.length) {
      $rows = new Int32Array(slots.length)
      $hashes = new Int32Array(slots.length)
    }
    let count = 0
    for (const slot of slots) {
      const row = slot & ROW_MASK
      if (row !== 0) $rows[count++] = row
    }
    this.#hashesOf($rows, count, $hashes)
    return count
  }

  /** Half of the rows, those with a 1 behind the common bits, move to a page of their own. */
  #split(page: Page, hash: number): void {
    if (page.depth === this.#depth) {
      this.#directory = this.#directory.flatMap((it) => [it, it])
      this.#depth++
    }
    const depth = ++page.depth
    const other = new Page(depth)
    this.#totalSlots += PAGE_SLOTS
    const copies = 1 << (this.#depth - depth)
    const first = ((hash >>> (32 - depth)) | 1) * copies
    this.#directory.fill(other, first, first + copies)
    const count = this.#gather(page.clear(PAGE_SLOTS))
    for (let i = 0; i < count; i++) {
      const half = (($hashes[i] >>> (32 - depth)) & 1) === 0 ? page : other
      half.put($rows[i], $hashes[i])
    }
  }
}

/** Bits of a hash that don't say where the slot is, placed beside the row. */
const tagOf = (hash: number): number => (hash << (ROW_BITS - SLOT_BITS)) & ~ROW_MASK
