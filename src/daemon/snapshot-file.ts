/**
 * A file that is there as a whole or not at all: written beside its name, which it takes at the end.
 *
 * Writes are queued and done one after the other beside the event loop; the writer looks at `unwritten`
 * before it makes more. After a failure nothing more is written, and `commit` throws it.
 */
import { open, rename, unlink, type FileHandle } from 'node:fs/promises'

export class SnapshotFile {
  readonly #path: string
  readonly #beside: string
  readonly #handle: FileHandle
  readonly #progressed: () => void
  #writes: Promise<void> = Promise.resolve()
  #unwritten = 0
  #failure: Error | undefined

  /** `progressed` is called whenever something has been written, or can't be. */
  static async create(path: string, progressed: () => void): Promise<SnapshotFile> {
    const beside = `${path}.new`
    return new SnapshotFile(path, beside, await open(beside, 'w'), progressed)
  }

  private constructor(path: string, beside: string, handle: FileHandle, progressed: () => void) {
    this.#path = path
    this.#beside = beside
    this.#handle = handle
    this.#progressed = progressed
  }

  /** Bytes queued. */
  get unwritten(): number {
    return this.#unwritten
  }

  get failed(): boolean {
    return this.#failure !== undefined
  }

  write(bytes: Uint8Array): void {
    this.#unwritten += bytes.length
    this.#writes = this.#writes.then(() => this.#put(bytes))
  }

  /** Waits for the last byte to be on the disk; then the file has its name. */
  async commit(): Promise<void> {
    await this.#writes
    if (this.#failure === undefined) await this.#handle.datasync().catch(this.#fail)
    await this.#handle.close().catch(this.#fail)
    if (this.#failure !== undefined) throw this.#failure
    await rename(this.#beside, this.#path)
  }

  /** Leaves nothing behind; whatever had the name keeps it. */
  async discard(): Promise<void> {
    this.#failure ??= new Error('given up')
    await this.#writes
    await this.#handle.close().catch(this.#fail)
    await unlink(this.#beside).catch(this.#fail)
  }

  async #put(bytes: Uint8Array): Promise<void> {
    if (this.#failure === undefined) await this.#handle.appendFile(bytes).catch(this.#fail)
    this.#unwritten -= bytes.length
    this.#progressed()
  }

  readonly #fail = (error: unknown): void => {
    this.#failure ??= error instanceof Error ? error : new Error(String(error))
  }
}
