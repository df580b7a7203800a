/**
 * A path that comes and goes is not believed for a while: else every return of it would bring a BGP session up,
 * and all of its routes, only to take them away again.
 *
 * The first failure costs nothing. Each further one that follows within a minute of the return makes the wait
 * twice as long, up to five minutes; a path that held for a minute has a clean sheet.
 */
const GOOD_PATH_MS = 60_000
const FIRST_HOLD_SECONDS = 5
const LONGEST_HOLD_SECONDS = 300

export class Damping {
  #upAtMs: number | undefined
  #row = 0

  /** On the monotonic clock, as all times here. */
  cameUp(nowMs: number): void {
    this.#upAtMs = nowMs
  }

  /** Seconds that no session should be tried for; 0 for no wait beyond the usual. */
  failed(nowMs: number): number {
    const heldMs = nowMs - (this.#upAtMs ?? -Infinity)
    this.#row = heldMs < GOOD_PATH_MS ? this.#row + 1 : 1
    if (this.#row === 1) return 0
    return Math.min(LONGEST_HOLD_SECONDS, FIRST_HOLD_SECONDS * 2 ** (this.#row - 2))
  }

  /** Failures in a row. */
  get row(): number {
    return this.#row
  }
}
