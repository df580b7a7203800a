/**
 * A hash index over the rows of a table: linear hashing (Litwin 1980).
 *
 * Buckets are chains through one word of the rows, so the index itself is one word a bucket. It grows by
 * splitting one bucket at a time, each time a row comes that would make the chains longer than one on
 * average: no rehash, no pause, and no moment with two tables. It does not shrink; its size is that of the
 * largest table there was.
 */
import { Column, type Rows } from '../net/rows.ts'

const FIRST_BUCKETS = 1024

export class BucketIndex {
  readonly #rows: Rows
  readonly #chainWord: number
  readonly #hashOf: (row: number) => number
  readonly #heads = new Column()
  /** Buckets before the current round of splitting, a power of two. */
  #round = FIRST_BUCKETS
  /** Buckets that have been split in this round. */
  #split = 0

  /** Indexes `rows`, chaining them through `chainWord`; `hashOf` recomputes a row's hash. */
  constructor(rows: Rows, chainWord: number, hashOf: (row: number) => number) {
    this.#rows = rows
    this.#chainWord = chainWord
    this.#hashOf = hashOf
  }

  get bytes(): number {
    return (this.#round + this.#split) * 4
  }

  /** First row of the chain that a row with this hash is in, or 0. */
  head(hash: number): number {
    return this.#heads.get(this.#bucket(hash))
  }

  add(row: number, hash: number): void {
    const bucket = this.#bucket(hash)
    this.#rows.set(row, this.#chainWord, this.#heads.get(bucket))
    this.#heads.set(bucket, row)
    if (this.#rows.live > this.#round + this.#split) this.#splitBucket()
  }

  remove(row: number, hash: number): void {
    const bucket = this.#bucket(hash)
    const next = this.#rows.get(row, this.#chainWord)
    let before = this.#heads.get(bucket)
    if (before === row) {
      this.#heads.set(bucket, next)
      return
    }
    while (this.#rows.get(before, this.#chainWord) !== row) {
      before = this.#rows.get(before, this.#chainWord)
    }
    this.#rows.set(before, this.#chainWord, next)
  }

  #bucket(hash: number): number {
    const bucket = hash & (this.#round - 1)
    return bucket >= this.#split ? bucket : hash & (2 * this.#round - 1)
  }

  /** Moves about half of the oldest unsplit bucket to its image in the upper half. */
  #splitBucket(): void {
    const from = this.#split
    let stay = 0
    let move = 0
    for (let row = this.#heads.get(from); row !== 0;) {
      const next = this.#rows.get(row, this.#chainWord)
      if ((this.#hashOf(row) & this.#round) === 0) {
        this.#rows.set(row, this.#chainWord, stay)
        stay = row
      } else {
        this.#rows.set(row, this.#chainWord, move)
        move = row
      }
      row = next
    }
    this.#heads.set(from, stay)
    this.#heads.set(from + this.#round, move)
    if (++this.#split === this.#round) {
      this.#round *= 2
      this.#split = 0
    }
  }
}
