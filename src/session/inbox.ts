/**
 * The bytes of one connection, handed over as messages, in order, one at a time.
 *
 * Who takes them may pause in the middle of a chunk: what is left is set aside and comes first
 * afterwards, so nothing is lost or overtaken. Closed, an inbox hands over nothing more, whatever it
 * holds.
 */
import { Framer } from '../wire/framer.ts'

export class Inbox {
  readonly #framer = new Framer()
  readonly #take: (message: Framer) => void
  #paused = false
  #closed = false
  #handing = false

  /** `take` sees the current message of the framer, valid during the call. */
  constructor(take: (message: Framer) => void) {
    this.#take = take
  }

  get paused(): boolean {
    return this.#paused
  }

  /**
   * Hands over what `chunk` completes; false when that was nothing. The chunk may change once this returns. Throws the
   * framer's SessionErrors.
   */
  push(chunk: Uint8Array): boolean {
    if (this.#closed) return false
    const waits = this.#paused || this.#handing
    this.#framer.push(waits ? chunk.slice() : chunk)
    const any = this.#handOver()
    if (!waits) this.#framer.keep()
    return any
  }

  pause(): void {
    this.#paused = true
  }

  /** Goes on with what was set aside; from within `take`, as soon as that returns. */
  resume(): boolean {
    this.#paused = false
    return this.#handOver()
  }

  /** From the next message on they may be this long. */
  allow(maxLength: number): void {
    this.#framer.maxLength = maxLength
  }

  close(): void {
    this.#closed = true
  }

  #handOver(): boolean {
    if (this.#handing) return false
    this.#handing = true
    let any = false
    try {
      while (!this.#paused && !this.#closed && this.#framer.next()) {
        any = true
        this.#take(this.#framer)
      }
    } finally {
      this.#handing = false
    }
    return any
  }
}
