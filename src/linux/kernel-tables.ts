/**
 * What the monitor knows of the kernel: links, addresses, nexthop objects, and routes that are not ours.
 *
 * The kernel tells of most changes, but not of all: when a device goes down, its IPv4 routes and the
 * nexthop objects on it vanish without a word (IPv6 tells, as a rule), on loss of carrier only the
 * objects do, and the last IPv4 address of a device takes the other routes on it along. The rules for that
 * are here; a route whose gateways can't be used at the moment stays and is judged at lookup.
 */
import type { Link, LinkAddress } from '../net/link.ts'
import type { Address } from '../net/address.ts'
import { prefixOf, type Prefix } from '../net/prefix.ts'
import type { KernelNextHop, KernelNextHopObject, KernelRoute } from '../fib/kernel.ts'
import { RouteTable } from './route-table.ts'

export class KernelTables {
  readonly links = new Map<number, Link>()
  readonly routes = new RouteTable()
  readonly #addresses = new Map<string, LinkAddress>()
  readonly #networks = new Map<string, { readonly link: number; readonly prefix: Prefix }>()
  /** The same by address, for `owners`. */
  readonly #byAddress = new Map<string, LinkAddress[]>()
  readonly #objects = new Map<number, KernelNextHopObject>()

  addresses(): Iterable<LinkAddress> {
    return this.#addresses.values()
  }

  /** The networks that our addresses stand on, also while their links are down. */
  networks(): Iterable<{ readonly link: number; readonly prefix: Prefix }> {
    return this.#networks.values()
  }

  /** The links that have `address` (no zone) as their own. */
  owners(address: Address): readonly LinkAddress[] {
    return this.#byAddress.get(address.bytes.join('.')) ?? []
  }

  clear(): void {
    this.links.clear()
    this.routes.clear()
    this.#addresses.clear()
    this.#networks.clear()
    this.#byAddress.clear()
    this.#objects.clear()
  }

  /** Returns true when the link went up or down, or is new: what hangs on it must be checked. */
  putLink(link: Link): boolean {
    const before = this.links.get(link.index)
    this.links.set(link.index, link)
    if (before !== undefined && before.up && !link.up) this.#dropRoutesWithoutLink()
    if (!link.up || !link.carrier) this.#dropObjectsOn(link.index)
    return before === undefined || before.up !== link.up || before.carrier !== link.carrier
  }

  removeLink(index: number): void {
    this.links.delete(index)
    this.#dropRoutesWithoutLink()
    this.#dropObjectsOn(index)
    for (const address of this.#addresses.values()) {
      if (address.link === index) this.#forget(address)
    }
  }

  putAddress(address: LinkAddress): void {
    this.#forget(address)
    this.#addresses.set(keyOf(address), address)
    const prefix = prefixOf(address.peer ?? address.address, address.length)
    this.#networks.set(keyOf(address), { link: address.link, prefix })
    const key = address.address.bytes.join('.')
    const owners = this.#byAddress.get(key)
    if (owners === undefined) this.#byAddress.set(key, [address])
    else owners.push(address)
  }

  removeAddress(address: LinkAddress): void {
    this.#forget(address)
    if (address.address.family !== 'ipv4') return
    const source = address.address.text
    const lost = this.owners(address.address).length === 0
    const last = ![...this.#addresses.values()].some(
      (other) => other.link === address.link && other.address.family === 'ipv4',
    )
    this.routes.deleteWhere(
      'ipv4',
      (route) =>
        (lost && route.preferredSource?.text === source) ||
        (last && route.hops.length > 0 && route.hops.every((hop) => hop.link === address.link)),
    )
  }

  #forget(address: LinkAddress): void {
    if (!this.#addresses.delete(keyOf(address))) return
    this.#networks.delete(keyOf(address))
    const key = address.address.bytes.join('.')
    const left = this.owners(address.address).filter((other) => keyOf(other) !== keyOf(address))
    if (left.length > 0) this.#byAddress.set(key, left)
    else this.#byAddress.delete(key)
  }

  putObject(object: KernelNextHopObject): void {
    this.#objects.set(object.id, object)
  }

  /** The kernel deletes the routes of an object with it, and leaves groups without it. */
  removeObject(id: number): void {
    if (!this.#objects.delete(id)) return
    for (const object of this.#objects.values()) {
      if (!object.group.some((member) => member.id === id)) continue
      const group = object.group.filter((member) => member.id !== id)
      if (group.length > 0) this.#objects.set(object.id, { ...object, group })
      else this.removeObject(object.id)
    }
    for (const family of ['ipv4', 'ipv6'] as const) {
      this.routes.deleteWhere(family, (route) => route.nextHopId === id)
    }
  }

  /** The gateways of a route, through its nexthop object where it has one. */
  hopsOf(route: KernelRoute): readonly KernelNextHop[] {
    if (route.nextHopId === 0) return route.hops
    const object = this.#objects.get(route.nextHopId)
    if (object === undefined) return []
    if (object.hop !== undefined) return [object.hop]
    const hops: KernelNextHop[] = []
    for (const { id, weight } of object.group) {
      const hop = this.#objects.get(id)?.hop
      if (hop !== undefined) hops.push({ ...hop, weight })
    }
    return hops
  }

  isUp(index: number): boolean {
    const link = this.links.get(index)
    return link !== undefined && link.up && link.carrier
  }

  /** Routes go when none of their links is switched on any more. */
  #dropRoutesWithoutLink(): void {
    const off = (hop: KernelNextHop): boolean => this.links.get(hop.link)?.up !== true
    for (const family of ['ipv4', 'ipv6'] as const) {
      this.routes.deleteWhere(family, ({ hops }) => hops.length > 0 && hops.every(off))
    }
  }

  #dropObjectsOn(index: number): void {
    for (const object of this.#objects.values()) {
      if (object.hop?.link === index) this.removeObject(object.id)
    }
  }
}

const keyOf = ({ link, address, length, peer }: LinkAddress): string =>
  `${link} ${address.text}/${length} ${peer?.text ?? ''}`
