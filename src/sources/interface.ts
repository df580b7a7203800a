/**
 * Prefixes of this host's links: docker0, any other bridge, as their names match (`advertise.interfaces`).
 *
 * The network of each address on a matching link is offered while the link is up. Up means switched on: a
 * bridge without a running container has no carrier, and its prefix stays announced, or every first
 * `docker run` would have to wait for the network to learn the way. Left out are addresses that are no
 * network of others: link-local ones, the loopback's, IPv6 ones that may turn out to be taken.
 *
 * Duplicate address detection (RFC 4862 5.4) can't run without a carrier: an IPv6 address that a bridge got
 * before its first container stays tentative until a second after that has started (Linux 6.18). So a
 * tentative address counts while there is no carrier, and what is offered then stays offered.
 */
import { isLinkLocal } from '../net/address.ts'
import type { Link, LinkAddress } from '../net/link.ts'
import { prefixOf } from '../net/prefix.ts'
import { matcher } from './glob.ts'
import { Offers } from './offers.ts'
import type { HostView, PrefixSource, SourcedPrefix, SourceEvents } from './source.ts'

const SCOPE_UNIVERSE = 0

export class InterfaceSource implements PrefixSource {
  readonly kind = 'interface'
  readonly #matches: (name: string) => boolean
  readonly #host: HostView
  #offers: Offers | undefined
  #unsubscribe: (() => void) | undefined

  /** `patterns` are link names with `*` and `?`. */
  constructor(patterns: readonly string[], host: HostView) {
    this.#matches = matcher(patterns)
    this.#host = host
  }

  start(events: SourceEvents): void {
    this.#offers = new Offers(events)
    this.#unsubscribe = this.#host.onLinksChanged(() => this.#look())
    this.#look()
  }

  stop(): void {
    this.#unsubscribe?.()
    this.#offers?.become(new Map())
  }

  #look(): void {
    this.#offers?.become(this.#find())
  }

  #find(): Map<string, SourcedPrefix> {
    const links = new Map<number, Link>()
    for (const link of this.#host.links()) {
      if (link.up && !link.loopback && this.#matches(link.name)) links.set(link.index, link)
    }
    const found = new Map<string, SourcedPrefix>()
    for (const it of this.#host.addresses()) {
      const link = links.get(it.link)
      if (link === undefined || !isNetwork(it)) continue
      const prefix = prefixOf(it.address, it.length)
      const offered = this.#offers?.get(prefix.text)?.interface === link.name
      if (it.tentative && link.carrier && !offered) continue
      // Two links in one network: the first keeps it, so that nothing changes with their order.
      if (!found.has(prefix.text)) {
        found.set(prefix.text, { prefix, source: this.kind, interface: link.name })
      }
    }
    return found
  }
}

const isNetwork = (it: LinkAddress): boolean =>
  it.scope === SCOPE_UNIVERSE && !isLinkLocal(it.address) && it.peer === undefined
