/**
 * The overlay: for which destinations packets are wrapped, to which next hops, and by which device.
 *
 * It fails closed. While there is no device, or a next hop that it can't carry packets to, there is no way at all:
 * routes inside its prefixes become unreachable ones, never plain ones. `crossSubnet` asks the kernel's own truth, as
 * the resolver tells it: is the next hop on a link of ours?
 */
import type { Address } from '../../net/address.ts'
import { FAMILIES } from '../../net/family.ts'
import { contains } from '../../net/prefix.ts'
import type { KernelNextHop } from '../kernel.ts'
import type { PrefixIndex } from '../prefix-index.ts'
import { PrefixSet } from '../prefix-set.ts'
import type { Gateway } from './direct.ts'
import type { Dataplane, OverlayOptions } from './dataplane.ts'
import { dataplaneOf } from './index.ts'

/** A BGP next hop, and how the resolver reaches it. */
export interface Underlay {
  readonly address: Address
  readonly resolution: { readonly gateways: readonly Gateway[]; readonly onLink: boolean }
}

export class Overlay {
  readonly options: OverlayOptions
  readonly dataplane: Dataplane
  readonly #inside = new PrefixSet(FAMILIES[0])
  /** Index of the device; undefined while there is none. */
  #tunnel: number | undefined

  constructor(options: OverlayOptions) {
    this.options = options
    this.dataplane = dataplaneOf(options.mode)
    this.#inside.replace(options.prefixes)
  }

  get tunnel(): number | undefined {
    return this.#tunnel
  }

  /** True when it is another one than before: all that goes through it goes otherwise now. */
  use(tunnel: number | undefined): boolean {
    const changed = tunnel !== this.#tunnel
    this.#tunnel = tunnel
    return changed
  }

  /** True when packets to the prefix of `id` are to be wrapped. */
  carries(family: 0 | 1, prefixes: PrefixIndex, id: number): boolean {
    if (family !== 0) return false
    return this.#inside.covers(prefixes, id, prefixes.word(id, 0), prefixes.length(id))
  }

  /** The ways to a next hop; none when it is unreachable, or there is no way that is allowed. */
  waysTo({ address, resolution: { gateways, onLink } }: Underlay): readonly Gateway[] {
    if (gateways.length === 0) return []
    if (onLink && this.options.when === 'crossSubnet') return gateways
    if (this.#tunnel === undefined || address.family !== 'ipv4') return []
    // A tunnel to what lies inside it would be wrapped for ever.
    if (!onLink && this.options.prefixes.some((it) => contains(it, address))) return []
    return [this.dataplane.leg(address, this.#tunnel, this.options)]
  }

  /** What `leg` puts around packets; undefined: nothing. */
  wrappingOf(leg: KernelNextHop): string | undefined {
    return leg.link === this.#tunnel ? this.dataplane.text(leg) : undefined
  }
}
