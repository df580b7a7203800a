/**
 * What a monitor says of itself: counters and its last trouble, which the log hears of once a minute,
 * since what fails once fails with every record.
 */
import type { MonitorRow } from '../control/rows.ts'
import type { Watched } from './monitors.ts'

const SILENCE_MS = 60_000

export class MonitorRecord {
  messages = 0
  bytes = 0
  lost = 0
  readonly #watched: Watched
  readonly #identity: Pick<MonitorRow, 'name' | 'kind' | 'target'>
  #state: MonitorRow['state']
  #since: number
  #lastError: string | undefined
  #lastErrorAt = 0
  #silentUntil = -Infinity

  constructor(
    watched: Watched,
    identity: Pick<MonitorRow, 'name' | 'kind' | 'target'>,
    state: MonitorRow['state'],
  ) {
    this.#watched = watched
    this.#identity = identity
    this.#state = state
    this.#since = watched.clock.wallNow()
  }

  get state(): MonitorRow['state'] {
    return this.#state
  }

  set state(state: MonitorRow['state']) {
    if (state === this.#state) return
    this.#state = state
    this.#since = this.#watched.clock.wallNow()
  }

  /** Noted each time, told at most once a minute. */
  failed(kind: string, text: string): void {
    const { clock } = this.#watched
    this.#lastError = text
    this.#lastErrorAt = clock.wallNow()
    if (clock.now() < this.#silentUntil) return
    this.#silentUntil = clock.now() + SILENCE_MS
    this.#watched.tell('warn', kind, `${this.#identity.name}: ${text}`)
  }

  /** It works again: the next trouble is worth a line at once. */
  worksAgain(kind: string, text: string): void {
    if (this.#silentUntil === -Infinity) return
    this.#silentUntil = -Infinity
    this.#watched.tell('info', kind, `${this.#identity.name}: ${text}`)
  }

  row(queued: number): MonitorRow {
    return {
      ...this.#identity,
      state: this.#state,
      since: new Date(this.#since).toISOString(),
      messages: this.messages,
      bytes: this.bytes,
      queued,
      lost: this.lost,
      lastError: this.#lastError ?? null,
      lastErrorAt: this.#lastError === undefined ? null : new Date(this.#lastErrorAt).toISOString(),
    }
  }
}
