/** A first-in first-out queue of int32 numbers, in chunks that are let go once they are read. */
const CHUNK = 1 << 13

export class IntQueue {
  readonly #chunks: Int32Array[] = [new Int32Array(CHUNK)]
  #readAt = 0
  #writeAt = 0
  #length = 0

  get length(): number {
    return this.#length
  }

  push(value: number): void {
    if (this.#writeAt === CHUNK) {
      this.#chunks.push(new Int32Array(CHUNK))
      this.#writeAt = 0
    }
    this.#chunks[this.#chunks.length - 1][this.#writeAt++] = value
    this.#length++
  }

  /** The oldest number; call only while `length > 0`. */
  shift(): number {
    const value = this.#chunks[0][this.#readAt++]
    if (--this.#length === 0) {
      this.#chunks.length = 1
      this.#readAt = this.#writeAt = 0
    } else if (this.#readAt === CHUNK) {
      this.#chunks.shift()
      this.#readAt = 0
    }
    return value
  }
}
