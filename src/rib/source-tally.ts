/** How much of what an update group tells comes from which peer; each of these peers is held. */
import type { RibPeers } from './peer.ts'

export class SourceTally {
  readonly #peers: RibPeers
  readonly #from = new Map<number, number>()
  #count = 0

  constructor(peers: RibPeers) {
    this.#peers = peers
  }

  /** From whomever. */
  get count(): number {
    return this.#count
  }

  countFrom(peer: number): number {
    return this.#from.get(peer) ?? 0
  }

  add(source: number, change: 1 | -1): void {
    this.#count += change
    const before = this.#from.get(source) ?? 0
    const count = before + change
    if (before === 0) this.#peers.retain(source)
    if (count !== 0) this.#from.set(source, count)
    else {
      this.#from.delete(source)
      this.#peers.release(source)
    }
  }
}
