/**
 * Rows of int32 words: the memory under every large table, and columns beside one.
 *
 * A table is one array, so that a word is reached by one multiplication: with a list of segments a full table takes a
 * sixth longer. Growing makes no pause all the same. While there are few rows, an array twice as long takes their
 * place; the one after that has room for `MANY`. Of fresh memory the kernel gives what is written to, and the rest
 * is addresses.
 */

/** So many rows are copied in well under a millisecond. */
const FEW = 1 << 14
const FIRST_ROWS = 1 << 8
/** Sixteen million: of paths, those of sixteen full tables. More are copied again, with a pause. */
const MANY = 1 << 24

/**
 * Freed rows are chained through their first word and used again; the link is negative there, so a first word
 * that is never negative in use tells a freed row. Row 0 is never given out: 0 means "none" in every column, and
 * fresh memory is all zeros.
 */
export class Rows {
  /** Words of a row. */
  readonly width: number
  #words = new Int32Array(0)
  #room = 0
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

  /** Memory that has been written to. */
  get bytes(): number {
    return this.#end * this.width * 4
  }

  /** For loops over several words of one row: the array that holds it, until the next `allocate`... */
  get words(): Int32Array {
    return this.#words
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
    if (this.#end >= this.#room) this.#grow()
    return this.#end++
  }

  /** Gives a row back; its words are cleared. */
  free(row: number): void {
    const at = this.offset(row)
    this.#words.fill(0, at, at + this.width)
    this.#words[at] = ~this.#freeHead
    this.#freeHead = row
    this.#live--
  }

  get(row: number, word: number): number {
    return this.#words[row * this.width + word]
  }

  set(row: number, word: number, value: number): void {
    this.#words[row * this.width + word] = value
  }

  /** ...and where the row starts in it. */
  offset(row: number): number {
    return row * this.width
  }

  #grow(): void {
    const before = this.#words
    this.#words = largerThan(this.#room, this.width)
    this.#words.set(before)
    this.#room = this.#words.length / this.width
  }
}

function largerThan(rows: number, width: number): Int32Array<ArrayBuffer> {
  if (rows >= FEW && rows < MANY) {
    try {
      return new Int32Array(MANY * width)
    } catch (error) {
      // So many addresses are not to be had (`ulimit -v`, a small machine): it goes on doubling.
      if (!(error instanceof RangeError)) throw error
    }
  }
  return new Int32Array(Math.max(2 * rows, FIRST_ROWS) * width)
}

/** Rows of a segment of a column. */
const SEGMENT_BITS = 14
const SEGMENT_ROWS = 1 << SEGMENT_BITS
const SEGMENT_MASK = SEGMENT_ROWS - 1

/**
 * A column beside a table: `width` words for each of its rows, in segments made when first written. Reads
 * of what was never written are 0. There may be hundreds for one table, which shall not take all addresses there are.
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
