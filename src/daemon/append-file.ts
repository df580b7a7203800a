/**
 * A file that only grows: records are put behind what is there, and whole or not at all.
 *
 * Writing happens beside the event loop. While a write is under way the next records wait, up to a bound;
 * beyond that they are lost and counted. A write that fails (a full disk) is taken back to the last whole
 * record, so that what follows can be read; then the file is left alone for a second and opened anew.
 */
import { open, type FileHandle } from 'node:fs/promises'
import type { Clock } from '../net/clock.ts'

/** Some seconds of a full feed. */
const MOST_WAITING = 16 << 20
const LEAVE_ALONE_MS = 1000

export interface AppendFileEvents {
  /** These bytes are in the file. */
  wrote(bytes: number): void
  /** These are not, and why. */
  lost(bytes: number, why: string): void
}

export class AppendFile {
  readonly path: string
  readonly #clock: Clock
  readonly #events: AppendFileEvents
  #waiting: Uint8Array[] = []
  #waitingBytes = 0
  #writing: Promise<void> | undefined
  #handle: FileHandle | undefined
  /** Length of the file up to the last whole record. */
  #size = 0
  #reopen = false
  #leaveAloneUntil = -Infinity
  #why = ''

  constructor(path: string, clock: Clock, events: AppendFileEvents) {
    this.path = path
    this.#clock = clock
    this.#events = events
  }

  /** Bytes not yet written. */
  get waiting(): number {
    return this.#waitingBytes
  }

  /** Puts whole records behind what is there. */
  append(records: Uint8Array): void {
    if (this.#clock.now() < this.#leaveAloneUntil) {
      return this.#events.lost(records.length, this.#why)
    }
    if (this.#waitingBytes + records.length > MOST_WAITING) {
      return this.#events.lost(records.length, 'the disk is too slow')
    }
    this.#waiting.push(records)
    this.#waitingBytes += records.length
    this.#writing ??= this.#write().finally(() => (this.#writing = undefined))
  }

  /** The name may stand for another file now: somebody has moved ours away (logrotate). */
  reopen(): void {
    this.#reopen = true
    this.#leaveAloneUntil = -Infinity
    this.#writing ??= this.#write().finally(() => (this.#writing = undefined))
  }

  /** Resolves when all is written that can be. */
  async close(): Promise<void> {
    await this.#writing
    await this.#shut()
  }

  async #write(): Promise<void> {
    // What is done in here may let more records come.
    do {
      const records = this.#waiting
      const bytes = this.#waitingBytes
      this.#waiting = []
      try {
        await this.#put(records)
        this.#waitingBytes -= bytes
        if (bytes > 0) this.#events.wrote(bytes)
      } catch (error) {
        this.#waitingBytes -= bytes
        await this.#failed(error, bytes)
      }
    } while (this.#waiting.length > 0)
  }

  async #put(records: readonly Uint8Array[]): Promise<void> {
    if (this.#reopen) await this.#shut()
    this.#reopen = false
    if (this.#handle === undefined) {
      this.#handle = await open(this.path, 'a')
      this.#size = (await this.#handle.stat()).size
    }
    let size = this.#size
    for (const bytes of records) {
      await this.#handle.appendFile(bytes)
      size += bytes.length
    }
    this.#size = size
  }

  async #failed(error: unknown, bytes: number): Promise<void> {
    this.#why = error instanceof Error ? error.message : String(error)
    this.#leaveAloneUntil = this.#clock.now() + LEAVE_ALONE_MS
    await this.#takeBack()
    await this.#shut()
    this.#events.lost(bytes, this.#why)
  }

  /** Half a record would make what follows unreadable. */
  async #takeBack(): Promise<void> {
    try {
      await this.#handle?.truncate(this.#size)
    } catch {
      // A device, or a file system that is gone: what matters has been told.
    }
  }

  async #shut(): Promise<void> {
    const handle = this.#handle
    this.#handle = undefined
    try {
      await handle?.close()
    } catch {
      // Whatever is wrong with it has been told by a write.
    }
  }
}
