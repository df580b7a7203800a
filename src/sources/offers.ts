/** What a source that looks around offers: compared with what it has found, and the difference told. */
import { sameFacts } from './prefix-sources.ts'
import type { SourcedPrefix, SourceEvents } from './source.ts'

/** By prefix. */
export type Found = ReadonlyMap<string, SourcedPrefix>

export class Offers {
  readonly #events: SourceEvents
  #now: Found = new Map()

  constructor(events: SourceEvents) {
    this.#events = events
  }

  become(found: Found): void {
    const before = this.#now
    this.#now = found
    for (const [text, { prefix }] of before) if (!found.has(text)) this.#events.retract(prefix)
    for (const [text, sourced] of found) {
      const old = before.get(text)
      if (old === undefined || !sameFacts(old, sourced)) this.#events.offer(sourced)
    }
  }

  /** What is offered of this prefix. */
  get(text: string): SourcedPrefix | undefined {
    return this.#now.get(text)
  }
}
