/**
 * The BGP next hops that attribute sets name, each under a small number, with what the resolver says of it.
 *
 * There are few (a ToR or two, or the nodes of a cluster), so this is a plain list of objects; the decision
 * process reads it by number. A next hop is watched from the first attribute set that names it to the last.
 */
import { addressFromBytes, type Address } from '../net/address.ts'
import type { NextHopResolver, Resolution } from './next-hop.ts'

export interface NextHop {
  readonly id: number
  /** Where traffic goes; a link-local address has its link's index as zone (RFC 4007 section 11). */
  readonly address: Address
  /** Beside a link-local address: what others, on other links, know the same router by. */
  readonly global?: Address
  readonly resolution: Resolution
}

interface Entry extends NextHop {
  resolution: Resolution
  references: number
  readonly key: string
}

/** The id of "ourselves": the next hop of our own prefixes, always usable. */
export const NEXT_HOP_SELF = 0

export class NextHopTable {
  readonly #resolver: NextHopResolver
  readonly #entries: (Entry | undefined)[] = [undefined]
  #last: LastFound | undefined
  readonly #byBytes = new Map<string, Entry>()
  readonly #byIpv4 = new Map<number, Entry>()
  readonly #freeIds: number[] = []
  readonly #listeners: ((nextHop: NextHop) => void)[] = []

  constructor(resolver: NextHopResolver) {
    this.#resolver = resolver
    resolver.onChange((address, resolution) => {
      for (const entry of this.#withAddress(address)) {
        entry.resolution = resolution
        for (const listener of this.#listeners) listener(entry)
      }
    })
  }

  /** `listener` hears of each next hop whose resolution has changed. */
  onChange(listener: (nextHop: NextHop) => void): void {
    this.#listeners.push(listener)
  }

  /**
   * The id of the next hop in `bytes[at..at+length)`: 4, 16, or 32 bytes, a global address followed by a
   * link-local one (RFC 2545 section 3). That one counts when it is known to live on `link`, an interface
   * index; without (0), the global one does. Takes one reference.
   */
  intern(bytes: Uint8Array, at: number, length: number, link = 0): number {
    const entry = length === 4 ? this.#ofIpv4(bytes, at) : this.#ofIpv6(bytes, at, length, link)
    entry.references++
    return entry.id
  }

  release(id: number): void {
    const entry = this.#entries[id]
    if (entry === undefined || --entry.references > 0) return
    this.#entries[id] = undefined
    this.#freeIds.push(id)
    if (entry.address.family === 'ipv4') this.#byIpv4.delete(ipv4Key(entry.address.bytes, 0))
    else this.#byBytes.delete(entry.key)
    if (this.#last?.entry === entry) this.#last = undefined
    if (this.#withAddress(entry.address).length === 0) this.#resolver.forget(entry.address)
  }

  get(id: number): NextHop | undefined {
    return this.#entries[id]
  }

  /** True when traffic can go there now. */
  usable(id: number): boolean {
    if (id === NEXT_HOP_SELF) return true
    const entry = this.#entries[id]
    return entry !== undefined && !entry.resolution.own && entry.resolution.gateways.length > 0
  }

  /** Interior cost; 0 for ourselves. */
  metric(id: number): number {
    return this.#entries[id]?.resolution.metric ?? 0
  }

  *[Symbol.iterator](): Iterator<NextHop> {
    for (const entry of this.#entries) if (entry !== undefined) yield entry
  }

  /**
   * By its key: when a link goes, all next hops behind it change one by one. Several with one link-local
   * address may differ in their global ones; of these there are few.
   */
  #withAddress({ family, bytes, zone, text }: Address): readonly Entry[] {
    if (zone !== undefined) {
      return this.#entries.filter((it) => it !== undefined).filter((it) => it.address.text === text)
    }
    const found =
      family === 'ipv4' ? this.#byIpv4.get(ipv4Key(bytes, 0)) : this.#byBytes.get(ipv6Key(bytes, 0))
    return found === undefined ? [] : [found]
  }

  #ofIpv4(bytes: Uint8Array, at: number): Entry {
    const key = ipv4Key(bytes, at)
    const known = this.#byIpv4.get(key)
    if (known !== undefined) return known
    const entry = this.#add({ address: addressFromBytes(bytes.subarray(at, at + 4)) }, '')
    this.#byIpv4.set(key, entry)
    return entry
  }

  #ofIpv6(bytes: Uint8Array, at: number, length: number, link: number): Entry {
    const last = this.#last
    if (last !== undefined && last.isAt(bytes, at, length, link)) return last.entry
    const entry = this.#searchIpv6(bytes, at, length, link)
    this.#last = new LastFound(entry, bytes.slice(at, at + length), link)
    return entry
  }

  #searchIpv6(bytes: Uint8Array, at: number, length: number, link: number): Entry {
    const first = bytes.subarray(at, at + 16)
    const both = bytes.subarray(at, at + length)
    const key = link === 0 ? ipv6Key(bytes, at) : `${String.fromCharCode(...both)}${link}`
    const known = this.#byBytes.get(key)
    if (known !== undefined) return known
    const entry = this.#add(
      link === 0
        ? { address: addressFromBytes(first) }
        : length === 16
          ? { address: addressFromBytes(first, `${link}`) }
          : {
              address: addressFromBytes(both.subarray(16), `${link}`),
              global: addressFromBytes(first),
            },
      key,
    )
    this.#byBytes.set(key, entry)
    return entry
  }

  #add(addresses: Pick<NextHop, 'address' | 'global'>, key: string): Entry {
    const id = this.#freeIds.pop() ?? this.#entries.length
    const resolution = this.#resolver.resolve(addresses.address)
    const entry: Entry = { id, ...addresses, resolution, references: 0, key }
    this.#entries[id] = entry
    return entry
  }
}

/** Peers name the same next hop in set after set: a key, which is a string, need not be made each time. */
class LastFound {
  readonly entry: Entry
  readonly #bytes: Uint8Array
  readonly #link: number

  constructor(entry: Entry, bytes: Uint8Array, link: number) {
    this.entry = entry
    this.#bytes = bytes
    this.#link = link
  }

  isAt(bytes: Uint8Array, at: number, length: number, link: number): boolean {
    const own = this.#bytes
    if (length !== own.length || link !== this.#link) return false
    for (let i = 0; i < length; i++) if (bytes[at + i] !== own[i]) return false
    return true
  }
}

const ipv4Key = (bytes: Uint8Array, at: number): number =>
  (bytes[at] << 24) | (bytes[at + 1] << 16) | (bytes[at + 2] << 8) | bytes[at + 3]

const ipv6Key = (bytes: Uint8Array, at: number): string =>
  String.fromCharCode(...bytes.subarray(at, at + 16))
