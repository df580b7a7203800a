/**
 * What the RIB knows of the sessions that routes come from and go to.
 *
 * A RibPeer is one session's life, not a configured peer's: when the session ends its number stays taken
 * until the last of its paths is gone and no update group tells any of them, and a new session gets a new
 * number. So a reconnecting peer never
 * meets the remains of its former self, and dropping a million paths can take its time: `up` is false at
 * once, and that alone makes them ineligible.
 */
import type { Address } from '../net/address.ts'
import type { Policy } from '../policy/policy.ts'

export interface RibPeerOptions {
  readonly name: string
  /** The neighbour's address: the last tie-breaker. */
  readonly address: Address
  /** The neighbour's BGP identifier, unsigned. */
  readonly routerId: number
  readonly asn: number
  /** In another AS. */
  readonly external: boolean
  readonly routeReflectorClient: boolean
  /** How often our own AS may stand in a path that it sends. */
  readonly allowOwnAsn: number
}

/** Number of "ourselves", the peer that our own prefixes come from. */
export const LOCAL_PEER = 0

/** Numbers fit into 16 bits of a path row. */
const MOST_PEERS = 0xffff

export class RibPeer {
  readonly id: number
  readonly options: RibPeerOptions
  readonly local: boolean
  up = true
  /** May change while the session lives: see `Rib.judgeAgain`. */
  importPolicy: Policy
  /** Paths held, per family index. */
  readonly paths: [number, number] = [0, 0]
  /** Of these, accepted by import policy, per family index. */
  readonly accepted: [number, number] = [0, 0]

  constructor(id: number, options: RibPeerOptions, importPolicy: Policy) {
    this.id = id
    this.importPolicy = importPolicy
    this.options = options
    this.local = id === LOCAL_PEER
  }
}

/**
 * Numbers go round, and who has ended stays known under its number until that is given out again: what
 * update groups have been told still names it, until they look at the prefix next.
 */
export class RibPeers {
  readonly #peers: (RibPeer | undefined)[]
  readonly #live: Set<RibPeer>
  #next = 1

  constructor(local: RibPeer) {
    this.#peers = [local]
    this.#live = new Set([local])
  }

  add(options: RibPeerOptions, importPolicy: Policy): RibPeer {
    if (this.#live.size > MOST_PEERS) throw new RangeError(`more than ${MOST_PEERS} sessions`)
    while (this.#isTaken(this.#next)) this.#advance()
    const peer = new RibPeer(this.#next, options, importPolicy)
    this.#advance()
    this.#peers[peer.id] = peer
    this.#live.add(peer)
    return peer
  }

  /** The peer of a path row: always there while the path is. */
  get(id: number): RibPeer {
    const peer = this.#peers[id]
    if (peer === undefined) throw new RangeError(`no peer ${id}`)
    return peer
  }

  /** Frees the number of a session that has ended and whose paths are gone. */
  remove(peer: RibPeer): void {
    this.#live.delete(peer)
  }

  [Symbol.iterator](): Iterator<RibPeer> {
    return this.#live.values()
  }

  #isTaken(id: number): boolean {
    const peer = this.#peers[id]
    return peer !== undefined && this.#live.has(peer)
  }

  #advance(): void {
    this.#next = this.#next === MOST_PEERS ? 1 : this.#next + 1
  }
}
