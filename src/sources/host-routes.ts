/**
 * Routes of the kernel to single addresses on this host's links (`advertise.hostRoutes`).
 *
 * Calico's agent, and others that give each container a link of its own, route a /32 or /128 to it and leave
 * the rest to a BGP speaker. We offer those that lead straight to a link with a matching name, while that has
 * a carrier: the far end of a veth is the container. Routes that a routing daemon, DHCP or a router
 * advertisement has put there are theirs to announce, and our own are never among them.
 */
import { hostPrefix } from '../net/prefix.ts'
import { matcher } from './glob.ts'
import { Offers } from './offers.ts'
import type { HostView, PrefixSource, SourcedPrefix, SourceEvents } from './source.ts'

/**
 * RTPROT_* (linux/rtnetlink.h) of who learns routes from others: redirects, gated to keepalived with DHCP among
 * them, babel, Open/R, and FRR's daemons.
 */
const isLearned = (protocol: number): boolean =>
  protocol === 1 ||
  (protocol >= 8 && protocol <= 18) ||
  protocol === 42 ||
  protocol === 99 ||
  (protocol >= 186 && protocol <= 192)

export class HostRouteSource implements PrefixSource {
  readonly kind = 'hostRoute'
  readonly #matches: (name: string) => boolean
  readonly #host: HostView
  #offers: Offers | undefined
  #unsubscribe: (() => void)[] = []

  /** `patterns` are link names with `*` and `?`. */
  constructor(patterns: readonly string[], host: HostView) {
    this.#matches = matcher(patterns)
    this.#host = host
  }

  start(events: SourceEvents): void {
    this.#offers = new Offers(events)
    this.#unsubscribe = [
      this.#host.onHostRoutesChanged(() => this.#look()),
      this.#host.onLinksChanged(() => this.#look()),
    ]
    this.#look()
  }

  stop(): void {
    for (const unsubscribe of this.#unsubscribe) unsubscribe()
    this.#offers?.become(new Map())
  }

  #look(): void {
    this.#offers?.become(this.#find())
  }

  #find(): Map<string, SourcedPrefix> {
    const links = new Map<number, string>()
    for (const { index, name, up, carrier, loopback } of this.#host.links()) {
      if (up && carrier && !loopback && this.#matches(name)) links.set(index, name)
    }
    // IPv6 routes an address of our own, too, if nothing else is on its network.
    const own = new Set<string>()
    for (const { address } of this.#host.addresses()) own.add(hostPrefix(address).text)
    const found = new Map<string, SourcedPrefix>()
    for (const { prefix, link, protocol } of this.#host.hostRoutes()) {
      const name = links.get(link)
      if (name === undefined || isLearned(protocol) || own.has(prefix.text)) continue
      found.set(prefix.text, { prefix, source: this.kind, interface: name })
    }
    return found
  }
}
