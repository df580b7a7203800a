/**
 * The search for an unnumbered peer: which router on the link is the neighbour, from moment to moment.
 *
 * While the link is up and has a link-local address of ours we advertise there and listen (session/
 * neighbor-discovery). The first router that is heard is the peer. Another one takes its place when there is no
 * session, or when the first has not been heard for a while: a neighbour that got another link-local address
 * looks just like that. A connection that comes in is heard too. When the link goes, so does the session: there
 * is nothing to wait for.
 */
import { isLinkLocal, type Address } from '../net/address.ts'
import type { Clock } from '../net/clock.ts'
import type { Link } from '../net/link.ts'
import type { Discovery, NeighborDiscovery } from '../session/neighbor-discovery.ts'
import type { HostView } from '../sources/source.ts'

/** The peer that is searched for, as far as the search needs it. */
export interface Searched {
  /** A session is up. */
  readonly busy: boolean
  /** It is at this address from now on. */
  found(address: Address): void
  /** It is nowhere; `why` for people. */
  lost(why: string): void
}

/** Three advertisements of FRR's and ours. */
const SILENCE_MS = 30_000

export interface LinkSearchWorld {
  readonly discovery: NeighborDiscovery
  readonly host: HostView
  readonly clock: Clock
  /** Something that the operator should know. */
  warn(text: string): void
}

export class LinkSearch {
  /** Name of the link. */
  readonly link: string
  readonly #discovery: NeighborDiscovery
  readonly #host: HostView
  readonly #clock: Clock
  readonly #peer: Searched
  readonly #warn: (text: string) => void
  #open: { readonly index: number; readonly discovery: Discovery } | undefined
  #current: Address | undefined
  #heardAt = -Infinity
  #otherAt = -Infinity
  #why = ''

  constructor(link: string, peer: Searched, world: LinkSearchWorld) {
    this.link = link
    this.#peer = peer
    this.#discovery = world.discovery
    this.#host = world.host
    this.#clock = world.clock
    this.#warn = (text) => world.warn(text)
    this.linksChanged()
  }

  /** Links or addresses of this host have changed. */
  linksChanged(): void {
    const link = [...this.#host.links()].find(({ name }) => name === this.link)
    const obstacle = this.#obstacle(link)
    if (link === undefined || obstacle !== undefined) return this.#end(obstacle ?? '')
    if (this.#open?.index === link.index) return
    if (this.#open !== undefined) this.#end(`${this.link} is another link now`)
    try {
      const discovery = this.#discovery.open(link, (router) => this.heard(router))
      this.#open = { index: link.index, discovery }
      this.#lose(`no router heard on ${this.link} yet`)
    } catch (error) {
      this.#lose(`can't search on ${this.link}: ${error instanceof Error ? error.message : ''}`)
    }
  }

  /** A router on the link is alive at `address`; true when that is the peer. */
  heard(address: Address): boolean {
    if (this.#open === undefined) return false
    const now = this.#clock.now()
    if (this.#current?.text !== address.text) {
      const silent = now - this.#heardAt >= SILENCE_MS
      if (this.#current !== undefined && this.#peer.busy && !silent) {
        if (now - this.#otherAt >= SILENCE_MS) this.#warnOfCrowd(this.#current, address)
        this.#otherAt = now
        return false
      }
      this.#current = address
      // It may not have heard us yet.
      this.#open.discovery.announce()
      this.#peer.found(address)
    }
    this.#heardAt = now
    return true
  }

  close(): void {
    this.#open?.discovery.close()
    this.#open = undefined
  }

  #warnOfCrowd(one: Address, other: Address): void {
    this.#warn(
      `two routers are on the link, ${one.text} and ${other.text}: the session is with the first; name the one that is meant with address: instead of interface:`,
    )
  }

  /** Why nobody can be searched for there. */
  #obstacle(link: Link | undefined): string | undefined {
    if (link === undefined) return `there is no link ${this.link}`
    if (!link.up) return `${this.link} is down`
    if (!link.carrier) return `${this.link} has no carrier`
    const own = [...this.#host.addresses()].some(
      (it) => it.link === link.index && isLinkLocal(it.address) && !it.tentative,
    )
    return own ? undefined : `${this.link} has no link-local address of ours (yet)`
  }

  #end(why: string): void {
    this.close()
    this.#lose(why)
  }

  #lose(why: string): void {
    if (this.#current === undefined && why === this.#why) return
    this.#why = why
    this.#current = undefined
    this.#peer.lost(why)
  }
}
