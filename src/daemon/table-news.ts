/**
 * What `linnet show routes --watch` waits for: a word when the big tables have changed.
 *
 * A full table changes a million times in a second, and nobody can read that: changes are gathered for a
 * moment and told as one event. It goes into the log at level debug only.
 */
import type { Clock, Timer } from '../net/clock.ts'
import type { DaemonEvent, Events } from './events.ts'

const GATHER_MS = 100

/** A table of prefixes. */
interface Names {
  text(prefix: number): string
}

export class TableNews {
  readonly #events: Events
  readonly #clock: Clock
  #timer: Timer | undefined
  #decisions = 0
  /** The only prefix decided so far, and its name. */
  #family = 0
  #prefix = 0
  #text = ''
  #written = false
  readonly #nextHops = new Map<string, string>()

  constructor(events: Events, clock: Clock) {
    this.#events = events
    this.#clock = clock
  }

  /** A prefix was decided. On the hot path: only the first of a moment is asked for its text. */
  decided(family: number, prefix: number, names: Names): void {
    if (this.#decisions === 0) {
      this.#family = family
      this.#prefix = prefix
      this.#text = names.text(prefix)
      this.#tellSoon()
    } else if (this.#decisions === 1 && this.#prefix === prefix && this.#family === family) return
    this.#decisions++
  }

  /** Routes went to the kernel, or were compared with it. */
  written(): void {
    if (this.#written) return
    this.#written = true
    this.#tellSoon()
  }

  /** A next hop is reached otherwise than before. */
  nextHopChanged(address: string, how: string): void {
    this.#nextHops.set(address, how)
    this.#tellSoon()
  }

  close(): void {
    this.#timer?.cancel()
  }

  #tellSoon(): void {
    this.#timer ??= this.#clock.after(GATHER_MS, () => {
      this.#timer = undefined
      this.#tell()
    })
  }

  #tell(): void {
    const decisions = this.#decisions
    this.#decisions = 0
    if (decisions === 1) {
      const text = `${this.#text} was decided anew`
      this.#say({ topic: 'routes', kind: 'RoutesChanged', prefix: this.#text, text })
    } else if (decisions > 1) {
      const text = `${decisions} decisions about prefixes`
      this.#say({ topic: 'routes', kind: 'RoutesChanged', text })
    }
    for (const [address, how] of this.#nextHops)
      this.#say({ topic: 'nexthops', kind: 'NextHopChanged', text: `${address}: ${how}` })
    this.#nextHops.clear()
    if (this.#written) this.#say({ topic: 'fib', kind: 'FibChanged', text: 'routes were written' })
    this.#written = false
  }

  #say(event: Omit<DaemonEvent, 'level'>): void {
    this.#events.tell({ level: 'debug', ...event })
  }
}
