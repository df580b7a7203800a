/**
 * No more than so many prefixes for the one peer of a group (`maxPrefixesOut` with `block`). What is new
 * beyond is not told and waits here, first come first served, until others have been withdrawn; what the
 * peer knows goes on to change and to be withdrawn as ever.
 */
import type { ExportCeiling } from './update-group-options.ts'
import type { Told } from './teller.ts'

export class ExportLimit {
  readonly #most: number
  readonly #peer: number
  readonly #waiting = new Set<number>()

  constructor({ most, peer }: ExportCeiling) {
    this.#most = most
    this.#peer = peer
  }

  /** Prefixes that wait. */
  get waiting(): number {
    return this.#waiting.size
  }

  /** Something waits, and may be told now. */
  hasRoom(told: Told): boolean {
    return this.#waiting.size > 0 && this.#announced(told) < this.#most
  }

  /** The one that has waited longest; it waits no longer. */
  take(): number {
    for (const prefix of this.#waiting) {
      this.#waiting.delete(prefix)
      return prefix
    }
    return 0
  }

  /**
   * False, and the prefix waits, when `source` has made it one that the peer would hear for the first time
   * and there is no room. `before`: who it was told from so far; undefined when it was not.
   */
  admits(told: Told, prefix: number, source: number, before: number | undefined): boolean {
    const isKnown = before !== undefined && before !== this.#peer
    if (source === this.#peer || isKnown || this.#announced(told) < this.#most) return true
    this.#waiting.add(prefix)
    return false
  }

  /** It is being looked at: if it must wait, that will turn out again. */
  forget(prefix: number): void {
    this.#waiting.delete(prefix)
  }

  #announced(told: Told): number {
    return told.count - told.countFrom(this.#peer)
  }
}
