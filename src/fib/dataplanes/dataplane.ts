/** What a dataplane beside the direct one is: how packets are wrapped on their way to a BGP next hop. */
import type { Address } from '../../net/address.ts'
import type { Prefix } from '../../net/prefix.ts'
import type { KernelNextHop } from '../kernel.ts'
import type { Gateway } from './direct.ts'
import type { TunnelKind } from './tunnel.ts'

export interface OverlayOptions {
  readonly mode: Dataplane['mode']
  /** `crossSubnet`: only to next hops that are not on a link of ours. */
  readonly when: 'always' | 'crossSubnet'
  /** Destinations; the rest goes direct. */
  readonly prefixes: readonly Prefix[]
  /** Somebody else's device, to be used as it is. */
  readonly device?: string
  /** Of our device, in place of what the links allow. */
  readonly mtu?: number
  /** Who else may send wrapped packets. */
  readonly acceptFrom: readonly Prefix[]
  readonly vxlan: {
    readonly vni: number
    /** Of UDP. */
    readonly port: number
    /** IP inside; otherwise Ethernet. */
    readonly gpe: boolean
  }
}

/** What tells wrapped packets from others, outside. */
export interface OuterHeader {
  /** IPPROTO_*. */
  readonly protocol: number
  /** Of UDP, where they go. */
  readonly port?: number
}

export interface Dataplane {
  readonly mode: 'ipip' | 'vxlan' | 'fan'
  /** For people. */
  readonly name: string
  /** Of our own device. */
  readonly deviceName: string
  /** `router`: our router id, four bytes that no other host has. */
  device(options: OverlayOptions, router: Uint8Array): TunnelKind
  /** What is put around each packet, over IPv4. */
  overheadBytes(options: OverlayOptions): number
  /** The way to a next hop through the device. */
  leg(nextHop: Address, link: number, options: OverlayOptions): Gateway
  /** What a leg puts around packets, for `show`. */
  text(leg: KernelNextHop): string
  outer(options: OverlayOptions): OuterHeader
  /** What stands between the outer IPv4 header and a packet of this length, in what is sent to see whether it arrives. */
  header(options: OverlayOptions, innerBytes: number): Uint8Array
  /** What to do where the network between the hosts drops wrapped packets. */
  readonly instead: string
}
