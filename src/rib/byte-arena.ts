/**
 * Storage for many small byte strings that come and go: the bytes of attribute sets.
 *
 * Memory comes in segments of 1 MiB and is cut into blocks of a multiple of 16 bytes. A freed block goes to
 * the free list of its size and is used again by the next string of that size, so a feed that is withdrawn
 * and announced again needs no new memory. A segment whose last string goes is given back, or one peer with
 * sets of ever other sizes would take all there is and keep it. An address counts units of 16 bytes from
 * the first segment. In a freed block stand
 *
 *   0  next   4  previous   block of the same free list, or -1
 *   8  units  its size
 */
const UNIT_BITS = 4
const SEGMENT_BITS = 20
const SEGMENT_BYTES = 1 << SEGMENT_BITS
const UNITS_BITS = SEGMENT_BITS - UNIT_BITS
const UNITS_MASK = (1 << UNITS_BITS) - 1

const NEXT = 0
const PREVIOUS = 4
const UNITS = 8
const NONE = -1

/** Longest string: the attributes of an extended message (RFC 8654). */
export const LONGEST = 65_536

const GIVEN_BACK = new Uint8Array(0)

export class ByteArena {
  readonly #segments: Uint8Array[] = []
  /** Bytes of each segment that hold strings. */
  readonly #used: number[] = []
  /** Bytes cut from each segment. */
  readonly #cuts: number[] = []
  /** Places of segments that were given back. */
  readonly #vacant: number[] = []
  /** The segment that new blocks are cut from. */
  #current = NONE
  /** Freed blocks by size in units. */
  readonly #free = new Int32Array((LONGEST >> UNIT_BITS) + 1).fill(NONE)
  #live = 0

  /** Bytes handed out, rounded up to blocks. */
  get live(): number {
    return this.#live
  }

  get bytes(): number {
    return (this.#segments.length - this.#vacant.length) * SEGMENT_BYTES
  }

  /** Copies `from[start..end)`, `LONGEST` bytes at most, into the arena and returns its address. */
  store(from: Uint8Array, start: number, end: number): number {
    const address = this.#allocate(unitsOf(end - start))
    const segment = this.segment(address)
    let at = this.offset(address)
    for (let i = start; i < end; i++) segment[at++] = from[i]
    return address
  }

  free(address: number, length: number): void {
    const units = unitsOf(length)
    const next = this.#free[units]
    this.#write(address, NEXT, next)
    this.#write(address, PREVIOUS, NONE)
    this.#write(address, UNITS, units)
    if (next !== NONE) this.#write(next, PREVIOUS, address)
    this.#free[units] = address
    this.#live -= units << UNIT_BITS
    const index = address >>> UNITS_BITS
    this.#used[index] -= units << UNIT_BITS
    // The current one is kept: a single set that comes and goes shall not cost a segment each time.
    if (this.#used[index] === 0 && index !== this.#current) this.#giveBack(index)
  }

  equals(address: number, from: Uint8Array, start: number, end: number): boolean {
    const segment = this.segment(address)
    let at = this.offset(address)
    for (let i = start; i < end; i++) if (segment[at++] !== from[i]) return false
    return true
  }

  /** The segment that holds `address`... */
  segment(address: number): Uint8Array {
    return this.#segments[address >>> UNITS_BITS]
  }

  /** ...and where in it the string starts. */
  offset(address: number): number {
    return (address & UNITS_MASK) << UNIT_BITS
  }

  #allocate(units: number): number {
    const size = units << UNIT_BITS
    this.#live += size
    const free = this.#free[units]
    const address = free === NONE ? this.#cut(size) : free
    if (free !== NONE) this.#unlink(free, units)
    this.#used[address >>> UNITS_BITS] += size
    return address
  }

  /** A new block at the end of the current segment. */
  #cut(size: number): number {
    if (this.#current === NONE || this.#cuts[this.#current] + size > SEGMENT_BYTES) {
      this.#newSegment()
    }
    const current = this.#current
    const at = this.#cuts[current]
    this.#cuts[current] = at + size
    return (current << UNITS_BITS) | (at >> UNIT_BITS)
  }

  #newSegment(): void {
    const before = this.#current
    const index = this.#vacant.pop() ?? this.#segments.length
    this.#segments[index] = new Uint8Array(SEGMENT_BYTES)
    this.#used[index] = 0
    this.#cuts[index] = 0
    this.#current = index
    if (before !== NONE && this.#used[before] === 0) this.#giveBack(before)
  }

  /** Takes the blocks of a segment, all of them free, out of their lists, and drops it. */
  #giveBack(index: number): void {
    const first = index << UNITS_BITS
    const end = first + (this.#cuts[index] >> UNIT_BITS)
    for (let block = first; block < end;) {
      const units = this.#read(block, UNITS)
      this.#unlink(block, units)
      block += units
    }
    this.#segments[index] = GIVEN_BACK
    this.#vacant.push(index)
  }

  #unlink(block: number, units: number): void {
    const next = this.#read(block, NEXT)
    const previous = this.#read(block, PREVIOUS)
    if (next !== NONE) this.#write(next, PREVIOUS, previous)
    if (previous === NONE) this.#free[units] = next
    else this.#write(previous, NEXT, next)
  }

  #read(block: number, field: number): number {
    const segment = this.segment(block)
    const at = this.offset(block) + field
    return segment[at] | (segment[at + 1] << 8) | (segment[at + 2] << 16) | (segment[at + 3] << 24)
  }

  #write(block: number, field: number, value: number): void {
    const segment = this.segment(block)
    const at = this.offset(block) + field
    for (let i = 0; i < 4; i++) segment[at + i] = value >>> (8 * i)
  }
}

/** Also an empty string has a block, and with it an address. */
const unitsOf = (length: number): number => Math.max(1, (length + 15) >> UNIT_BITS)
