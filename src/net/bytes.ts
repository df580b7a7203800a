/**
 * Reading and writing network byte order, for codecs off the hot path.
 *
 * A Reader never runs past its end: it throws `OutOfBytes`, which the codec that made it turns into
 * its own error. A Writer fills a fixed buffer and throws the same when it is full.
 */
export class OutOfBytes extends Error {
  constructor(wanted: number, left: number) {
    super(`${wanted} bytes wanted, ${left} left`)
    this.name = 'OutOfBytes'
  }
}

export class Reader {
  readonly #bytes: Uint8Array
  readonly #end: number
  #at: number

  /** Reads `bytes[start..end)`, without copying. */
  constructor(bytes: Uint8Array, start = 0, end = bytes.length) {
    this.#bytes = bytes
    this.#at = start
    this.#end = end
  }

  /** Bytes not yet read. */
  get left(): number {
    return this.#end - this.#at
  }

  /** Offset of the next byte in the underlying buffer. */
  get offset(): number {
    return this.#at
  }

  u8(): number {
    const at = this.#take(1)
    return this.#bytes[at]
  }

  u16(): number {
    const at = this.#take(2)
    const bytes = this.#bytes
    return (bytes[at] << 8) | bytes[at + 1]
  }

  u32(): number {
    const at = this.#take(4)
    const bytes = this.#bytes
    const high = (bytes[at] << 8) | bytes[at + 1]
    return high * 0x10000 + ((bytes[at + 2] << 8) | bytes[at + 3])
  }

  /** The next `length` bytes, as a view on the underlying buffer. */
  bytes(length: number): Uint8Array {
    const at = this.#take(length)
    return this.#bytes.subarray(at, at + length)
  }

  rest(): Uint8Array {
    return this.bytes(this.left)
  }

  /** A Reader of the next `length` bytes, which are skipped here. */
  slice(length: number): Reader {
    const at = this.#take(length)
    return new Reader(this.#bytes, at, at + length)
  }

  #take(length: number): number {
    const at = this.#at
    if (length > this.#end - at) throw new OutOfBytes(length, this.#end - at)
    this.#at = at + length
    return at
  }
}

export class Writer {
  readonly #bytes: Uint8Array
  #at = 0

  /** Writes into a buffer of its own, of `capacity` bytes. */
  constructor(capacity: number) {
    this.#bytes = new Uint8Array(capacity)
  }

  /** Bytes written so far. */
  get length(): number {
    return this.#at
  }

  get left(): number {
    return this.#bytes.length - this.#at
  }

  u8(value: number): this {
    this.#bytes[this.#take(1)] = value
    return this
  }

  u16(value: number): this {
    const at = this.#take(2)
    this.#bytes[at] = value >>> 8
    this.#bytes[at + 1] = value
    return this
  }

  u32(value: number): this {
    this.u16(value >>> 16)
    return this.u16(value & 0xffff)
  }

  bytes(value: Uint8Array): this {
    this.#bytes.set(value, this.#take(value.length))
    return this
  }

  /** Overwrites the 8 bits at `at`, for lengths known only afterwards. */
  patchU8(at: number, value: number): this {
    this.#bytes[at] = value
    return this
  }

  /** Overwrites the 16 bits at `at`, for lengths known only afterwards. */
  patchU16(at: number, value: number): this {
    this.#bytes[at] = value >>> 8
    this.#bytes[at + 1] = value
    return this
  }

  /** What was written, as a view: valid until `reset`. */
  written(): Uint8Array {
    return this.#bytes.subarray(0, this.#at)
  }

  /** A copy of what was written. */
  take(): Uint8Array {
    return this.#bytes.slice(0, this.#at)
  }

  reset(): this {
    this.#at = 0
    return this
  }

  #take(length: number): number {
    const at = this.#at
    if (length > this.left) throw new OutOfBytes(length, this.left)
    this.#at = at + length
    return at
  }
}
