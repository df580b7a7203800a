/**
 * Storage for many small byte strings that come and go: the bytes of attribute sets.
 *
 * Memory comes in segments of 1 MiB and is cut into blocks of a multiple of 16 bytes. A freed block goes to
 * the free list of its size and is used again by the next string of that size, so a feed that is withdrawn
 * and announced again needs no new memory. An address counts units of 16 bytes from the first segment.
 */
const UNIT_BITS = 4
const SEGMENT_BITS = 20
const SEGMENT_BYTES = 1 << SEGMENT_BITS
const UNITS_BITS = SEGMENT_BITS - UNIT_BITS
const UNITS_MASK = (1 << UNITS_BITS) - 1

/** Longest string: the attributes of an extended message (RFC 8654). */
export const LONGEST = 65_536

export class ByteArena {
  readonly #segments: Uint8Array[] = []
  /** Bytes cut from the last segment. */
  #cut = SEGMENT_BYTES
  /** Freed blocks by size in units; their first four bytes link them. */
  readonly #free = new Int32Array((LONGEST >> UNIT_BITS) + 1).fill(-1)
  #live = 0

  /** Bytes handed out, rounded up to blocks. */
  get live(): number {
    return this.#live
  }

  get bytes(): number {
    return this.#segments.length * SEGMENT_BYTES
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
    const segment = this.segment(address)
    const at = this.offset(address)
    const next = this.#free[units]
    for (let i = 0; i < 4; i++) segment[at + i] = next >>> (8 * i)
    this.#free[units] = address
    this.#live -= units << UNIT_BITS
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
    const free = this.#free[units]
    const size = units << UNIT_BITS
    this.#live += size
    if (free !== -1) {
      const segment = this.segment(free)
      const at = this.offset(free)
      this.#free[units] =
        segment[at] | (segment[at + 1] << 8) | (segment[at + 2] << 16) | (segment[at + 3] << 24)
      return free
    }
    if (this.#cut + size > SEGMENT_BYTES) {
      this.#segments.push(new Uint8Array(SEGMENT_BYTES))
      this.#cut = 0
    }
    const address = ((this.#segments.length - 1) << UNITS_BITS) | (this.#cut >> UNIT_BITS)
    this.#cut += size
    return address
  }
}

/** Also an empty string has a block, and with it an address. */
const unitsOf = (length: number): number => Math.max(1, (length + 15) >> UNIT_BITS)
