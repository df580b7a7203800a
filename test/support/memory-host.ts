/** A host of plain Maps: links and addresses that a test puts and takes, and says when that is told. */
import { parseAddressAndLength, parsePrefix } from '../../src/net/prefix.ts'
import type { Link, LinkAddress } from '../../src/net/link.ts'
import type { HostRoute, HostView } from '../../src/sources/source.ts'

export class MemoryHost implements HostView {
  readonly #links = new Map<string, Link>()
  readonly #addresses = new Map<string, LinkAddress>()
  readonly #routes = new Map<string, HostRoute>()
  readonly #listeners = new Set<() => void>()
  #nextIndex = 1

  /** Adds or changes a link; up and with carrier unless said otherwise. */
  link(name: string, facts: Partial<Link> = {}): this {
    const before = this.#links.get(name)
    const index = before?.index ?? this.#nextIndex++
    const fresh = { kind: 'bridge', up: true, carrier: true, loopback: false, mtu: 1500, master: 0 }
    this.#links.set(name, { ...fresh, ...before, index, name, ...facts })
    return this
  }

  /** The link vanishes with its addresses. */
  unlink(name: string): this {
    const link = this.#links.get(name)
    this.#links.delete(name)
    for (const [text, it] of this.#addresses) {
      if (it.link === link?.index) this.#addresses.delete(text)
    }
    return this
  }

  /** Adds or changes `172.17.0.1/16` on a link. */
  address(name: string, text: string, facts: Partial<LinkAddress> = {}): this {
    const parsed = parseAddressAndLength(text)
    const link = this.#links.get(name)?.index
    if (parsed === undefined || link === undefined) throw new RangeError(`${text} on ${name}`)
    const { address, length } = parsed
    const fresh: LinkAddress = { link, address, length, scope: 0, tentative: false }
    this.#addresses.set(`${name} ${text}`, { ...fresh, ...facts })
    return this
  }

  unaddress(name: string, text: string): this {
    this.#addresses.delete(`${name} ${text}`)
    return this
  }

  /** Adds or changes a route to `10.1.0.5/32` on a link. */
  route(name: string, text: string, protocol = 3): this {
    const prefix = parsePrefix(text)
    const link = this.#links.get(name)?.index
    if (prefix === undefined || link === undefined) throw new RangeError(`${text} on ${name}`)
    this.#routes.set(text, { prefix, link, protocol })
    return this
  }

  unroute(text: string): this {
    this.#routes.delete(text)
    return this
  }

  /** Tells all listeners that something has changed, as the monitor does once per batch. */
  tell(): void {
    for (const listener of this.#listeners) listener()
  }

  get listeners(): number {
    return this.#listeners.size
  }

  links(): Iterable<Link> {
    return this.#links.values()
  }

  addresses(): Iterable<LinkAddress> {
    return this.#addresses.values()
  }

  hostRoutes(): Iterable<HostRoute> {
    return this.#routes.values()
  }

  onLinksChanged(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  onHostRoutesChanged(listener: () => void): () => void {
    return this.onLinksChanged(listener)
  }
}
