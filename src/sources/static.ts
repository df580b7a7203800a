/** Prefixes that the configuration names (`advertise.prefixes`): there from start to stop. */
import type { PrefixSource, SourcedPrefix, SourceEvents } from './source.ts'

export class StaticSource implements PrefixSource {
  readonly kind = 'static'
  readonly #prefixes: readonly SourcedPrefix[]
  #events: SourceEvents | undefined

  constructor(prefixes: readonly Omit<SourcedPrefix, 'source'>[]) {
    this.#prefixes = prefixes.map((it) => ({ ...it, source: this.kind }))
  }

  start(events: SourceEvents): void {
    this.#events = events
    for (const sourced of this.#prefixes) events.offer(sourced)
  }

  stop(): void {
    for (const { prefix } of this.#prefixes) this.#events?.retract(prefix)
  }
}
