/**
 * What the RIB knows of the sessions that routes come from and go to.
 *
 * A RibPeer is one session's life, not a configured peer's: when the session ends its number stays taken
 * until the last of its paths is gone and no update group tells any of them, and a new session gets a new
 * number. So a reconnecting peer never
 * meets the remains of its former self, and dropping a million paths can take its time: `up` is false at
 * once, and that alone makes them ineligible. Only where paths are to outlive their session (RFC 4724) does
 * the next one go on with the same RibPeer: `resume`.
 */
import type { Address } from '../net/address.ts'
import type { Family } from '../net/family.ts'
import { originOf, type Policy, type RouteOrigin } from '../policy/policy.ts'
import { LENIENT, sameRules, type ImportRules } from './import-rules.ts'
import type { Rejection } from './paths.ts'

export interface RibPeerOptions {
  readonly name: string
  /** The peer group, and the link that the session runs over: for policies. */
  readonly group?: string | undefined
  readonly link?: string | undefined
  /** The neighbour's address: the last tie-breaker. */
  readonly address: Address
  /** The neighbour's BGP identifier, unsigned. */
  readonly routerId: number
  readonly asn: number
  /** In another AS, and not in our confederation. */
  readonly external: boolean
  /** In another member AS of our confederation (RFC 5065). */
  readonly confederation?: boolean
  readonly routeReflectorClient: boolean
  /** Families in which it sends path identifiers (RFC 7911); default none. */
  readonly addPath?: readonly Family[]
}

/** Number of "ourselves", the peer that our own prefixes come from. */
export const LOCAL_PEER = 0

/** As many as four bits of a path row tell apart. */
const GENERATIONS = 16

/** What a session counts beside the paths that it rejects. */
const NOTHING_COUNTED = {
  /** Paths that came again as they were, and withdrawals of what was not there. */
  duplicates: 0,
  strayWithdrawals: 0,
  /** What was treated as a withdrawal, for its attributes were malformed (RFC 7606). */
  erroneousUpdates: 0,
  erroneousPrefixes: 0,
}

/** Numbers fit into 16 bits of a path row. */
const MOST_PEERS = 0xffff

export class RibPeer {
  readonly id: number
  readonly options: RibPeerOptions
  readonly local: boolean
  /** As policies see it. Of our own prefixes it says no more than that. */
  readonly origin: RouteOrigin
  up = true
  /** May change while the session lives: see `Rib.judgeAgain`. */
  importPolicy: Policy
  /** Likewise. */
  rules: ImportRules = LENIENT
  /**
   * The refresh that is under way or was the last, per family index: paths of an earlier one are stale
   * (RFC 7313 section 4). Counts round, 0 to `GENERATIONS - 1`.
   */
  readonly generation: [number, number] = [0, 0]
  /** Of the paths, those of an earlier one, per family index. */
  readonly stale: [number, number] = [0, 0]
  /** These are kept as the last choice (RFC 9494): they are judged no more. */
  readonly longLived: [boolean, boolean] = [false, false]
  /** The next session goes on with the paths of an earlier one. */
  resumed = false
  /** Paths held, per family index. */
  readonly paths: [number, number] = [0, 0]
  /** Of these, accepted by import policy, per family index. */
  readonly accepted: [number, number] = [0, 0]
  /** Paths that may be held: what is new beyond is left out. Per family index; may change. */
  readonly mostPaths: [number, number] = [Infinity, Infinity]
  /** What has come in this session and changed nothing, or was refused, by the reason. */
  readonly counters: Record<Rejection | keyof typeof NOTHING_COUNTED, number> = {
    ...{ none: 0, importPolicy: 0, ownAs: 0, ownOriginatorId: 0, ownCluster: 0 },
    ...{ firstAs: 0, routeLeak: 0, tooLong: 0 },
    ...NOTHING_COUNTED,
  }

  constructor(id: number, options: RibPeerOptions, importPolicy: Policy) {
    this.id = id
    this.importPolicy = importPolicy
    this.options = options
    this.local = id === LOCAL_PEER
    const { name, group, link } = options
    const source = this.local ? 'static' : 'peer'
    this.origin = originOf({ local: this.local, name, group, link, source })
  }

  beginRefresh(family: number): void {
    this.generation[family] = (this.generation[family] + 1) % GENERATIONS
    this.stale[family] = this.paths[family]
  }

  /** How many refreshes have begun after that of `generation`. */
  refreshesSince(family: number, generation: number): number {
    return (this.generation[family] - generation + GENERATIONS) % GENERATIONS
  }

  /** Another session takes over; what it counts begins at zero. */
  resume(importPolicy: Policy): void {
    this.resumed = true
    this.importPolicy = importPolicy
    for (const name of Object.keys(this.counters))
      this.counters[name as keyof typeof this.counters] = 0
  }

  /** Puts these in force; true when they are others than before. */
  renewRules(rules: ImportRules): boolean {
    const others = !sameRules(rules, this.rules)
    this.rules = rules
    return others
  }
}

export class RibPeers {
  readonly #peers: (RibPeer | undefined)[]
  /** Update groups that tell something of a peer, by its number. */
  readonly #holders: number[] = []
  /** Ended and without paths: they go with their last holder. */
  readonly #ended = new Set<RibPeer>()

  constructor(local: RibPeer) {
    this.#peers = [local]
  }

  add(options: RibPeerOptions, importPolicy: Policy): RibPeer {
    let id = 1
    while (this.#peers[id] !== undefined) id++
    if (id > MOST_PEERS) throw new RangeError(`more than ${MOST_PEERS} sessions`)
    const peer = new RibPeer(id, options, importPolicy)
    this.#peers[id] = peer
    return peer
  }

  /** The peer of a path row: always there while the path is. */
  get(id: number): RibPeer {
    const peer = this.#peers[id]
    if (peer === undefined) throw new RangeError(`no peer ${id}`)
    return peer
  }

  /** Keeps the number taken: somebody still tells routes of this peer. */
  retain(id: number): void {
    this.#holders[id] = (this.#holders[id] ?? 0) + 1
  }

  release(id: number): void {
    this.#holders[id]--
    const peer = this.#peers[id]
    if (peer !== undefined && this.#ended.has(peer)) this.remove(peer)
  }

  /** A session has ended and its paths are gone: frees the number, once nobody holds it. */
  remove(peer: RibPeer): void {
    const held = (this.#holders[peer.id] ?? 0) > 0
    if (held) this.#ended.add(peer)
    else {
      this.#ended.delete(peer)
      this.#peers[peer.id] = undefined
    }
  }

  /** Sessions, also those that have ended and are still told of. */
  *[Symbol.iterator](): Iterator<RibPeer> {
    for (const peer of this.#peers) if (peer !== undefined) yield peer
  }
}
