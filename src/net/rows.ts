/**
 * Rows of int32 words that grow without copying: the memory under every large table.
 *
 * A table is a list of segments of 2^14 rows. Growing adds a segment, so there is no pause and never an
 * old and a new table at once. Freed rows are chained through their first word and used again; the link is
 * negative there, so a first word that is never negative in use tells a freed row. Row 0 is never given
 * out: 0 means "none" in every column, and fresh memory is all zeros.
 */
export const SEGMENT_BITS = 14
export const SEGMENT_ROWS = 1 << SEGMENT_BITS
const SEGMENT_MASK = SEGMENT_ROWS - 1

export class Rows {
  /** Words of a row. */
  readonly width: number
  readonly #segments: Int32Array[] = []
  #end = 1
  #freeHead = 0
  #live = 0

  constructor(width: number) {
    this.width = width
  }

  /** Rows in use. */
  get live(): number {
    return this.#live
  }

  /** One more than the highest row ever given out. */
  get end(): number {
    return this.#end
  }

  get bytes(): number {
    return this.#segments.length * SEGMENT_ROWS * this.width * 4
  }

  /** A row of zeros. */
  allocate(): number {
    this.#live++
    const free = this.#freeHead
    if (free !== 0) {
      this.#freeHead = ~this.get(free, 0)
      this.set(free, 0, 0)
      return free
    }
    const row = this.#end++
    if (row >> SEGMENT_BITS === this.#segments.length) {
      this.#segments.push(new Int32Array(SEGMENT_ROWS * this.width))
    }
    return row
  }

  /** Gives a row back; its words are cleared. */
  free(row: number): void {
    const segment = this.#segments[row >> SEGMENT_BITS]
    const at = (row & SEGMENT_MASK) * this.width
    segment.fill(0, at, at + this.width)
    segment[at] = ~this.#freeHead
    this.#freeHead = row
    this.#live--
  }

  get(row: number, word: number): number {
    return this.#segments[row >> SEGMENT_BITS][(row & SEGMENT_MASK) * this.width + word]
  }

  set(row: number, word: number, value: number): void {
    this.#segments[row >> SEGMENT_BITS][(row & SEGMENT_MASK) * this.width + word] = value
  }

  /** For loops over several words of one row: the segment that holds it... */
  segment(row: number): Int32Array {
    return this.#segments[row >> SEGMENT_BITS]
  }

  /** ...and where the row starts in it. */
  offset(row: number): number {
    return (row & SEGMENT_MASK) * this.width
  }
}

/**
 * A column beside a table: `width` words for each of its rows, in segments made when first written. Reads
 * of what was never written are 0.
 */
export class Column {
  readonly #width: number
  readonly #segments: (Int32Array | undefined)[] = []

  constructor(width = 1) {
    this.#width = width
  }

  get(row: number, word = 0): number {
    const segment = this.#segments[row >> SEGMENT_BITS]
    return segment === undefined ? 0 : segment[(row & SEGMENT_MASK) * this.#width + word]
  }

  set(row: number, value: number, word = 0): void {
    const index = row >> SEGMENT_BITS
    const segment = (this.#segments[index] ??= new Int32Array(SEGMENT_ROWS * this.#width))
    segment[(row & SEGMENT_MASK) * this.#width + word] = value
  }
}
