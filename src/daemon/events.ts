/**
 * What happens in the daemon, told once and heard by many: the log, `linnet show --watch`, the journal to
 * come. Pure rooms return reasons; here they become events in the past tense with a line for people.
 */
import type { Clock } from '../net/clock.ts'
import type { EventStream } from '../control/queries.ts'
import type { EventRow } from '../control/reports.ts'

export type Level = 'debug' | 'info' | 'warn' | 'error'

export interface DaemonEvent {
  readonly level: Level
  readonly topic: EventRow['topic']
  /** Past tense: `SessionEstablished`. */
  readonly kind: string
  readonly peer?: string
  readonly prefix?: string
  /** One line that is worth reading. */
  readonly text: string
}

export class Events implements EventStream {
  readonly #clock: Clock
  readonly #listeners = new Set<(row: EventRow, level: Level) => void>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  tell(event: DaemonEvent): void {
    const row: EventRow = {
      at: new Date(this.#clock.wallNow()).toISOString(),
      topic: event.topic,
      kind: event.kind,
      peer: event.peer ?? null,
      prefix: event.prefix ?? null,
      text: event.text,
    }
    for (const listener of this.#listeners) listener(row, event.level)
  }

  subscribe(listener: (row: EventRow, level: Level) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }
}
