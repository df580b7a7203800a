/**
 * Finds the row of a table by the hash of its key: extendible hashing (Fagin et al. 1979) over pages of open
 * addressing.
 *
 * What a lookup costs is how many lines of memory it touches that are in no cache, a tenth of a microsecond
 * each. Here that is one: a slot holds a hash and its row, so that other rows that probing meets need not be
 * read. The leading bits of a hash choose the page, in a directory that fits into the cache. A page that is
 * full is split in two, without a look at the rows: no pause is longer than that, however large the table
 * grows. It does not shrink; its size is that of the largest table there was.
 */
const PAGE_SLOTS = 1 << 12
/** Hashes that have so many leading bits in common were made so: their page grows instead. */
const MOST_DEPTH = 16

/** Words of a slot: a hash, and its row. */
const SLOT = 2
const ROW = 1
const FREE = 0
/** In place of a row that was removed: probing goes on behind it. */
const REMOVED = -1

class Page {
  slots = new Int32Array(SLOT * PAGE_SLOTS)
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
    return 16 * SLOT * this.used >= 13 * this.slots.length
  }

  get isHalfEmpty(): boolean {
    return 2 * SLOT * this.live <= this.slots.length
  }

  put(row: number, hash: number): void {
    const { slots } = this
    let at = placeOf(hash, slots)
    while (slots[at + ROW] !== FREE) at = behind(at, slots)
    slots[at] = hash
    slots[at + ROW] = row
    this.used++
    this.live++
  }

  remove(row: number, hash: number): void {
    const { slots } = this
    let at = placeOf(hash, slots)
    while (slots[at + ROW] !== row) at = behind(at, slots)
    slots[at + ROW] = REMOVED
    this.live--
  }

  /** Takes everything out, and has so many words of slots from now on; what it held. */
  clear(words: number): Int32Array {
    const before = this.slots
    this.slots = new Int32Array(words)
    this.used = this.live = 0
    return before
  }
}

export class HashIndex {
  /** By the leading `#depth` bits of a hash; a page stands there several times while it has fewer. */
  #directory: Page[] = [new Page(0)]
  #depth = 0
  #bytes: number
  // The search that `next` goes on with.
  #slots: Int32Array
  #at = 0
  #hash = 0

  constructor() {
    this.#slots = this.#directory[0].slots
    this.#bytes = this.#slots.byteLength
  }

  get bytes(): number {
    return this.#bytes
  }

  /** A row with this hash, or 0; the caller compares its key, and asks for the `next`. */
  first(hash: number): number {
    const { slots } = this.#pageOf(hash)
    this.#slots = slots
    this.#hash = hash
    return this.#search(placeOf(hash, slots))
  }

  next(): number {
    return this.#search(behind(this.#at, this.#slots))
  }

  /**
   * What `first` will read, without looking at it: a loop over many hashes waits for all of these lines at a time.
   * The number means nothing, but that the reading is not left out.
   */
  touch(hash: number): number {
    const { slots } = this.#pageOf(hash)
    return slots[placeOf(hash, slots)]
  }

  /** The row, whose key no other has, can be found from now on. */
  add(row: number, hash: number): void {
    let page = this.#pageOf(hash)
    while (page.isFull) {
      this.#makeRoom(page, hash)
      page = this.#pageOf(hash)
    }
    page.put(row, hash)
  }

  remove(row: number, hash: number): void {
    this.#pageOf(hash).remove(row, hash)
  }

  #search(from: number): number {
    const slots = this.#slots
    let at = from
    for (let row = slots[at + ROW]; row !== FREE; row = slots[at + ROW]) {
      if (slots[at] === this.#hash && row !== REMOVED) {
        this.#at = at
        return row
      }
      at = behind(at, slots)
    }
    return 0
  }

  #pageOf(hash: number): Page {
    // A shift by 32 would be one by 0.
    return this.#directory[(hash >>> 1) >>> (31 - this.#depth)]
  }

  #makeRoom(page: Page, hash: number): void {
    if (!page.isHalfEmpty && page.depth < MOST_DEPTH) return this.#split(page, hash)
    const growth = page.isHalfEmpty ? 1 : 2
    this.#bytes += (growth - 1) * page.slots.byteLength
    const before = page.clear(growth * page.slots.length)
    for (let at = 0; at < before.length; at += SLOT) {
      if (before[at + ROW] > 0) page.put(before[at + ROW], before[at])
    }
  }

  /** Half of the rows, those with a 1 behind the common bits, move to a page of their own. */
  #split(page: Page, hash: number): void {
    if (page.depth === this.#depth) {
      this.#directory = this.#directory.flatMap((it) => [it, it])
      this.#depth++
    }
    const depth = ++page.depth
    const other = new Page(depth)
    this.#bytes += other.slots.byteLength
    const copies = 1 << (this.#depth - depth)
    const first = ((hash >>> (32 - depth)) | 1) * copies
    for (let i = first; i < first + copies; i++) this.#directory[i] = other
    const before = page.clear(SLOT * PAGE_SLOTS)
    for (let at = 0; at < before.length; at += SLOT) {
      if (before[at + ROW] <= 0) continue
      const half = ((before[at] >>> (32 - depth)) & 1) === 0 ? page : other
      half.put(before[at + ROW], before[at])
    }
  }
}

/** Where the slot of a hash is, if it is free, in pages of 2^n slots. */
const placeOf = (hash: number, slots: Int32Array): number => (SLOT * hash) & (slots.length - 1)

const behind = (at: number, slots: Int32Array): number => (at + SLOT) & (slots.length - 1)
