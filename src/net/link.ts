/**
 * A host's network interfaces and their addresses, as the kernel reports them (rtnetlink(7)).
 * The monitor in `linux/` makes these; sources, next-hop resolution and the FIB read them.
 */
import type { Address } from './address.ts'

export interface Link {
  readonly index: number
  readonly name: string
  /** IFLA_INFO_KIND: `bridge`, `veth`, `vxlan`...; '' for a physical device. */
  readonly kind: string
  /** IFF_UP: switched on by the administrator. */
  readonly up: boolean
  /** IFF_LOWER_UP: the other end is there. */
  readonly carrier: boolean
  readonly loopback: boolean
  readonly mtu: number
  /** Index of the bridge or bond it belongs to, or 0. */
  readonly master: number
  /** Of a tunnel that takes its far end from the route: `external`, `external port 4790 gpe`. */
  readonly tunnel?: string
}

export interface LinkAddress {
  readonly link: number
  readonly address: Address
  /** Prefix length of the network it stands on. */
  readonly length: number
  /** RT_SCOPE_*: 0 universe, 253 link, 254 host. */
  readonly scope: number
  /** The far end of a point-to-point address (IFA_ADDRESS beside IFA_LOCAL). */
  readonly peer?: Address
  /** IPv6: duplicate address detection has not finished, or failed. */
  readonly tentative: boolean
}
