/**
 * Ids of our nexthop objects. One that was given up rests before it is used again: a route on its way to the
 * kernel may still carry it.
 */
import { NEXT_HOP_ID_FIRST, NEXT_HOP_LEG_ID_FIRST } from './kernel.ts'

export class NextHopIds {
  readonly #restMs: number
  /** Ids in our range that are somebody else's. */
  readonly #foreign = new Set<number>()
  /** Ids that were given up, and when, the oldest first. */
  readonly #resting = new Map<number, number>()
  #next = NEXT_HOP_ID_FIRST

  constructor(restMs: number) {
    this.#restMs = restMs
  }

  /** The next in turn that nobody has or has just had; 0 when there is none. `nowMs` never runs back. */
  allocate(isTaken: (id: number) => boolean, nowMs: number): number {
    for (const [id, since] of this.#resting) {
      if (nowMs - since < this.#restMs) break
      this.#resting.delete(id)
    }
    for (let tries = NEXT_HOP_LEG_ID_FIRST - NEXT_HOP_ID_FIRST; tries > 0; tries--) {
      const id = this.#next
      this.#next = id + 1 === NEXT_HOP_LEG_ID_FIRST ? NEXT_HOP_ID_FIRST : id + 1
      if (!isTaken(id) && !this.#resting.has(id) && !this.#foreign.has(id)) return id
    }
    return 0
  }

  rest(id: number, nowMs: number): void {
    this.#resting.set(id, nowMs)
  }

  /** `id` is somebody else's. */
  reserve(id: number): void {
    this.#foreign.add(id)
  }

  isForeign(id: number): boolean {
    return this.#foreign.has(id)
  }
}
