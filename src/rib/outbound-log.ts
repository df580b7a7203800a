/**
 * The encoded messages of an update group, in order, until every member has taken them.
 *
 * An entry is a run of whole UPDATEs with one audience: everybody but the peer that the routes came from,
 * or a single peer. Members keep a place in the log and pull from there, so one encoding serves them all
 * and the slowest member costs at most `LIMIT` bytes; who falls further behind is let go (`dropUpTo`) and
 * catches up by itself (see catch-up.ts).
 */
export interface LogEntry {
  readonly bytes: Uint8Array
  /** Number of the peer that must not get it; -1 = nobody. */
  readonly except: number
  /** Number of the only peer that gets it; -1 = all. */
  readonly only: number
}

const GONE: LogEntry = { bytes: new Uint8Array(0), except: -1, only: -1 }

export class OutboundLog {
  #entries: LogEntry[] = []
  /** Place of `#entries[0]` counted from the first entry ever. */
  #base = 0
  #bytes = 0

  /** The place behind the newest entry. */
  get head(): number {
    return this.#base + this.#entries.length
  }

  /** Place of the oldest entry still there. */
  get base(): number {
    return this.#base
  }

  get bytes(): number {
    return this.#bytes
  }

  append(entry: LogEntry): void {
    this.#entries.push(entry)
    this.#bytes += entry.bytes.length
  }

  at(place: number): LogEntry {
    return this.#entries[place - this.#base]
  }

  /** Forgets what lies before `place`, which all members have passed. */
  trim(place: number): void {
    const count = place - this.#base
    if (count <= 0) return
    for (let i = 0; i < count; i++) this.#bytes -= this.#entries[i].bytes.length
    // The old array may live on until the next full collection; nothing large shall live on with it.
    for (let i = 0; i < count; i++) this.#entries[i] = GONE
    this.#entries = this.#entries.slice(count)
    this.#base = place
  }
}

/** True when the peer with this number is in the entry's audience. */
export const isFor = (entry: LogEntry, peer: number): boolean =>
  entry.only === -1 ? entry.except !== peer : entry.only === peer
