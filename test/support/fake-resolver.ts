/**
 * Next-hop resolution that the test owns: everything is a neighbour on link 1 until `set` says otherwise.
 * It also counts who is watched, since a next hop that nobody uses must be forgotten.
 */
import type { Address } from '../../src/net/address.ts'
import type { NextHopResolver, Resolution } from '../../src/rib/next-hop.ts'

export class FakeResolver implements NextHopResolver {
  /** Addresses resolved and not forgotten since. */
  readonly watched = new Set<string>()
  readonly #answers = new Map<string, Partial<Resolution>>()
  readonly #listeners: ((nextHop: Address, resolution: Resolution) => void)[] = []
  readonly #addresses = new Map<string, Address>()
  /** The link that a next hop is on; 0 = on none, out of reach. */
  linkOf: (nextHop: Address) => number = () => 1

  resolve(nextHop: Address): Resolution {
    this.watched.add(nextHop.text)
    this.#addresses.set(nextHop.text, nextHop)
    return this.#answer(nextHop)
  }

  forget(nextHop: Address): void {
    this.watched.delete(nextHop.text)
  }

  onChange(listener: (nextHop: Address, resolution: Resolution) => void): void {
    this.#listeners.push(listener)
  }

  /** From now on `nextHop` is reached like this; who watches it hears of it. */
  set(nextHop: string, resolution: Partial<Resolution>): void {
    this.#answers.set(nextHop, resolution)
    const address = this.#addresses.get(nextHop)
    if (address === undefined || !this.watched.has(nextHop)) return
    for (const listener of this.#listeners) listener(address, this.#answer(address))
  }

  lose(nextHop: string): void {
    this.set(nextHop, { gateways: [], onLink: false, resolvedBy: `no route to ${nextHop}` })
  }

  #answer(nextHop: Address): Resolution {
    const link = this.linkOf(nextHop)
    return {
      gateways: link === 0 ? [] : [{ via: nextHop, link }],
      onLink: link !== 0,
      own: false,
      metric: 0,
      resolvedBy: `connected on link${link}`,
      ...this.#answers.get(nextHop.text),
    }
  }
}
