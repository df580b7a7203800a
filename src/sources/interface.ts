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
import type { HostView, PrefixSource, SourcedPrefix, SourceEvents } from './source.ts'

const SCOPE_UNIVERSE = 0

export class InterfaceSource implements PrefixSource {
  readonly kind = 'interface'
  readonly #matches: (name: string) => boolean
  readonly #host: HostView
  /** What is offered now, by prefix. */
  #offered = new Map<string, SourcedPrefix>()
  #events: SourceEvents | undefined
  #unsubscribe: (() => void) | undefined

  /** `patterns` are link names with `*` and `?`. */
  constructor(patterns: readonly string[], host: HostView) {
    this.#matches = matcher(patterns)
    this.#host = host
  }

  start(events: SourceEvents): void {
    this.#events = events
    this.#unsubscribe = this.#host.onLinksChanged(() => this.#look())
    this.#look()
  }

  stop(): void {
    this.#unsubscribe?.()
    for (const { prefix } of this.#offered.values()) this.#events?.retract(prefix)
    this.#offered.clear()
  }

  /** Compares what the host has with what is offered, and tells the difference. */
  #look(): void {
    const found = this.#find()
    const before = this.#offered
    this.#offered = found
    for (const [text, { prefix }] of before) if (!found.has(text)) this.#events?.retract(prefix)
    for (const [text, sourced] of found) {
      if (before.get(text)?.interface !== sourced.interface) this.#events?.offer(sourced)
    }
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
      const offered = this.#offered.get(prefix.text)?.interface === link.name
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
