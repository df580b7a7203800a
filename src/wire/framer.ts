/**
 * Messages out of a TCP stream (RFC 4271 sections 4.1 and 6.1).
 *
 * Chunks come as the socket delivers them and messages don't care where they were cut. A message that
 * lies within one chunk is given as offsets into that chunk: nothing is copied or allocated. One that
 * straddles chunks is put together in a small buffer of the framer's own. Headers are checked as soon as
 * their 19 bytes are there, and a bad one throws the SessionError that ends the session.
 */
import { SessionError } from './errors.ts'

// Constants of this loop live here (an imported one is slower); names as in constants.ts.
const HEADER_LENGTH = 19
const MAX_MESSAGE_LENGTH = 4096
const ERROR_HEADER = 1
const CONNECTION_NOT_SYNCHRONIZED = 1
const BAD_MESSAGE_LENGTH = 2
const BAD_MESSAGE_TYPE = 3

const OPEN = 1
const KEEPALIVE = 4
const ROUTE_REFRESH = 5
/** Smallest length of each message type; for KEEPALIVE also the largest. */
const SMALLEST = Uint8Array.of(0, 29, 23, 21, 19, 23)

const NOTHING = new Uint8Array(0)

export class Framer {
  /** Type of the current message. */
  type = 0
  /** Its body is `buffer[start..end)`, valid until the next `next` or `push`; the header stands before. */
  buffer: Uint8Array = NOTHING
  start = 0
  end = 0
  /** Raised to 65,535 when both sides can do extended messages (RFC 8654). */
  maxLength = MAX_MESSAGE_LENGTH

  #chunk: Uint8Array = NOTHING
  #at = 0
  /** Chunks pushed while `#chunk` was still being read. */
  readonly #waiting: Uint8Array[] = []
  #partial: Uint8Array = NOTHING
  /** Bytes of an unfinished message in `#partial`. */
  #held = 0

  /** Takes the next bytes of the stream, which must not change until they are read. */
  push(chunk: Uint8Array): void {
    if (this.#at === this.#chunk.length) {
      this.#chunk = chunk
      this.#at = 0
    } else {
      this.#waiting.push(chunk)
    }
  }

  /** The chunk pushed last is about to change: what is left of it is copied. */
  keep(): void {
    if (this.#at === this.#chunk.length) return
    this.#chunk = this.#chunk.slice(this.#at)
    this.#at = 0
  }

  /** Moves to the next whole message; false when more bytes are needed. */
  next(): boolean {
    do {
      if (this.#held > 0 ? this.#finishHeld() : this.#takeWhole()) return true
    } while (this.#nextChunk())
    return false
  }

  /** The message that lies at `#at` in one piece; what is left of the chunk is held when there is none. */
  #takeWhole(): boolean {
    const chunk = this.#chunk
    const at = this.#at
    const left = chunk.length - at
    if (left >= HEADER_LENGTH) {
      const length = this.#checkHeader(chunk, at)
      if (length <= left) {
        this.#at = at + length
        this.type = chunk[at + 18]
        this.buffer = chunk
        this.start = at + HEADER_LENGTH
        this.end = at + length
        return true
      }
    }
    this.#hold(left)
    return false
  }

  #finishHeld(): boolean {
    this.#hold(Math.min(HEADER_LENGTH - this.#held, this.#chunk.length - this.#at))
    if (this.#held < HEADER_LENGTH) return false
    const length = this.#checkHeader(this.#partial, 0)
    this.#hold(Math.min(length - this.#held, this.#chunk.length - this.#at))
    if (this.#held < length) return false
    this.#held = 0
    this.type = this.#partial[18]
    this.buffer = this.#partial
    this.start = HEADER_LENGTH
    this.end = length
    return true
  }

  /** The chunk is used up: lets go of it, since an idle session shall not keep 64 KiB alive. */
  #nextChunk(): boolean {
    const chunk = this.#waiting.shift()
    this.buffer = NOTHING
    this.#chunk = chunk ?? NOTHING
    this.#at = 0
    return chunk !== undefined
  }

  /** Moves `count` bytes from the chunk to the held message; nothing when that is complete or full. */
  #hold(count: number): void {
    if (count <= 0) return
    const from = this.#at
    const held = this.#held
    if (held + count > this.#partial.length) this.#grow(held + count)
    this.#partial.set(this.#chunk.subarray(from, from + count), held)
    this.#held = held + count
    this.#at = from + count
  }

  #grow(wanted: number): void {
    const larger = new Uint8Array(
      wanted <= MAX_MESSAGE_LENGTH ? MAX_MESSAGE_LENGTH : this.maxLength,
    )
    larger.set(this.#partial.subarray(0, this.#held))
    this.#partial = larger
  }

  /** The message's length; throws what RFC 4271 6.1 says, in its order. */
  #checkHeader(bytes: Uint8Array, at: number): number {
    let marker = 0xff
    for (let i = at; i < at + 16; i++) marker &= bytes[i]
    const length = (bytes[at + 16] << 8) | bytes[at + 17]
    const type = bytes[at + 18]
    if (
      marker !== 0xff ||
      type < OPEN ||
      type > ROUTE_REFRESH ||
      length < SMALLEST[type] ||
      length > (type === OPEN ? MAX_MESSAGE_LENGTH : type === KEEPALIVE ? 19 : this.maxLength)
    ) {
      throw this.#headerError(marker, length, type)
    }
    return length
  }

  #headerError(marker: number, length: number, type: number): SessionError {
    if (marker !== 0xff) {
      return new SessionError(
        ERROR_HEADER,
        CONNECTION_NOT_SYNCHRONIZED,
        'the marker is not all ones',
      )
    }
    const badType = type < OPEN || type > ROUTE_REFRESH
    if (badType && length >= HEADER_LENGTH && length <= this.maxLength) {
      return new SessionError(ERROR_HEADER, BAD_MESSAGE_TYPE, `type ${type}`, Uint8Array.of(type))
    }
    return new SessionError(
      ERROR_HEADER,
      BAD_MESSAGE_LENGTH,
      `length ${length} of a message of type ${type}`,
      Uint8Array.of(length >> 8, length & 0xff),
    )
  }
}
