/** The neighbours of a speaker: who is there, who joins and leaves, whose turn it is to announce. */
import type { PeerChange } from '../config/change.ts'
import type { ResolvedPeer } from '../config/config.ts'
import { isLinkLocal, type Address } from '../net/address.ts'
import type { Policy } from '../policy/policy.ts'
import type { Cease } from '../session/peer-options.ts'
import type { NeighborDiscovery } from '../session/neighbor-discovery.ts'
import type { HostView } from '../sources/source.ts'
import { OTHER_CONFIGURATION_CHANGE } from '../wire/constants.ts'
import { LinkSearch } from './link-search.ts'
import { Neighbor } from './neighbor.ts'
import type { Neighborhood } from './neighborhood.ts'

/** What finds unnumbered peers. */
export interface Surroundings {
  readonly host: HostView
  /** Absent where there are none. */
  readonly discovery: NeighborDiscovery | undefined
}

export class Neighbors {
  readonly #hood: Neighborhood
  readonly #surroundings: Surroundings
  readonly #all = new Map<string, Neighbor>()
  /** Of unnumbered peers, by their name. */
  readonly #searches = new Map<string, LinkSearch>()
  /** Whose turn to announce first is next. */
  #turn = 0

  constructor(hood: Neighborhood, surroundings: Surroundings) {
    this.#hood = hood
    this.#surroundings = surroundings
  }

  [Symbol.iterator](): Iterator<Neighbor> {
    return this.#all.values()
  }

  get(name: string): Neighbor | undefined {
    return this.#all.get(name)
  }

  /** Not started yet, but known: connections from it are its own. */
  add(config: ResolvedPeer): Neighbor {
    const neighbor = new Neighbor(config, this.#hood)
    this.#all.set(config.name, neighbor)
    return neighbor
  }

  start(neighbor: Neighbor): void {
    neighbor.standing.start()
    const { name, interface: link } = neighbor.config
    const { discovery, host } = this.#surroundings
    if (link === undefined || discovery === undefined) return
    const { clock, events } = this.#hood
    const warn = (text: string): void =>
      events.tell({ level: 'warn', topic: 'peers', kind: 'LinkCrowded', peer: name, text })
    this.#searches.set(name, new LinkSearch(link, neighbor, { discovery, host, clock, warn }))
  }

  remove(name: string, subcode: number): void {
    this.#searches.get(name)?.close()
    this.#searches.delete(name)
    this.#all.get(name)?.standing.stop({ subcode })
    this.#all.delete(name)
  }

  /** Other settings for a neighbour that stays; of its policies `renewed` have other rules from now on. */
  change({ name, after, effect }: PeerChange, renewed: ReadonlySet<Policy>): void {
    if (effect === 'reset') {
      this.remove(name, OTHER_CONFIGURATION_CHANGE)
      this.start(this.add(after))
    } else this.#all.get(name)?.reconfigure(after, renewed)
  }

  /**
   * Whose a connection from this address is. One from a link-local address is of the unnumbered peer of its
   * link, which may turn out by its calling.
   */
  ownerOf(address: Address): Neighbor | undefined {
    for (const neighbor of this.#all.values()) {
      if (neighbor.config.address.text === address.text) return neighbor
    }
    if (!isLinkLocal(address)) return undefined
    for (const [name, search] of this.#searches) {
      if (search.link === address.zone && search.heard(address)) return this.#all.get(name)
    }
    return undefined
  }

  /** Links or addresses of this host are others. */
  linksChanged(): void {
    for (const search of this.#searches.values()) search.linksChanged()
  }

  /** The way to a peer may be open again: don't wait for the end of a back-off. Next hops may be others. */
  callAgain(): void {
    for (const neighbor of this.#all.values()) {
      if (neighbor.session === undefined) neighbor.peer.retryNow()
      else neighbor.regroup()
    }
  }

  /** Each sends what its socket takes, until `deadline`; who was first is last next time. */
  announce(deadline: number): void {
    const all = [...this.#all.values()]
    for (let i = 0; i < all.length; i++) {
      all[(this.#turn + i) % all.length].announce(deadline)
      if (this.#hood.clock.now() >= deadline) {
        this.#turn = (this.#turn + i + 1) % all.length
        return
      }
    }
  }

  /**
   * All sessions cease; the neighbours stay, for whoever asks. `kept`: our routes are to outlive us, so who
   * would keep them hears no word (RFC 4724 section 4).
   */
  stop(cease: Cease, kept: boolean): void {
    for (const search of this.#searches.values()) search.close()
    this.#searches.clear()
    for (const { standing, session, peer, retention } of this.#all.values()) {
      if (kept) retention.close()
      if (kept && session?.negotiated.gracefulRestart !== undefined) peer.part('linnet restarts')
      else standing.stop(cease)
    }
  }
}
