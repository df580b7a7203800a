/** A table of IPv4 prefixes as a receiver has it: which of them go by the AS that they should. */
import { freshTally, hear } from './tally.ts'

export class BestPaths {
  /** Prefixes whose path goes by the wanted AS. */
  settled = 0
  /** When the last of them did. */
  settledAt = 0
  readonly #wanted: number
  /** 1: it goes by the wanted AS, 0: by another. */
  readonly #table = new Map<number, 0 | 1>()

  /** `wanted`: the neighbour of the daemon that the best paths come from. */
  constructor(wanted: number) {
    this.#wanted = wanted
  }

  /** Of all prefixes, as hashOf() has it. */
  get hash(): number {
    const sum = freshTally()
    for (const key of this.#table.keys()) {
      const length = key % 64
      const word = Math.floor(key / 64)
      const bytes = [24, 16, 8, 0].slice(0, (length + 7) >> 3).map((by) => (word >>> by) & 255)
      hear(
        sum,
        Uint8Array.from([...Array.from({ length: 19 }, () => 0), 0, 0, 0, 0, length, ...bytes]),
        0,
      )
    }
    return sum.hash
  }

  hear(update: Uint8Array, at: number): void {
    const withdrawnEnd = 21 + ((update[19] << 8) | update[20])
    const attributesEnd =
      withdrawnEnd + 2 + ((update[withdrawnEnd] << 8) | update[withdrawnEnd + 1])
    prefixes(update, 21, withdrawnEnd, (key) => this.#put(key, undefined, at))
    if (attributesEnd === update.length) return
    const isWanted = secondAsn(update, withdrawnEnd + 2, attributesEnd) === this.#wanted ? 1 : 0
    prefixes(update, attributesEnd, update.length, (key) => this.#put(key, isWanted, at))
  }

  #put(key: number, now: 0 | 1 | undefined, at: number): void {
    const before = this.#table.get(key) ?? 0
    if (now === undefined) this.#table.delete(key)
    else this.#table.set(key, now)
    this.settled += (now ?? 0) - before
    if (before !== (now ?? 0)) this.settledAt = at
  }
}

function prefixes(bytes: Uint8Array, from: number, to: number, each: (key: number) => void): void {
  for (let at = from; at < to;) {
    const size = (bytes[at] + 7) >> 3
    let word = 0
    for (let i = 0; i < size; i++) word |= bytes[at + 1 + i] << (24 - 8 * i)
    each((word >>> 0) * 64 + bytes[at])
    at += 1 + size
  }
}

/** The AS behind the daemon's own in AS_PATH; 0 where there is none. */
function secondAsn(bytes: Uint8Array, from: number, to: number): number {
  for (let at = from; at < to;) {
    const isLong = (bytes[at] & 0x10) !== 0
    const value = at + (isLong ? 4 : 3)
    if (bytes[at + 1] === 2) {
      const second = value + 2 + 4
      return (
        ((bytes[second] << 24) |
          (bytes[second + 1] << 16) |
          (bytes[second + 2] << 8) |
          bytes[second + 3]) >>>
        0
      )
    }
    at = value + (isLong ? (bytes[at + 2] << 8) | bytes[at + 3] : bytes[at + 2])
  }
  return 0
}
