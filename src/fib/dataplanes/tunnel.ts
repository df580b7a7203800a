/**
 * A tunnel: one device that all encapsulated packets leave by, and no other end of its own, for each next hop is one.
 * It is made, adjusted and removed through `TunnelDevices`, which `linux/` implements.
 */
import type { Address } from '../../net/address.ts'
import type { Prefix } from '../../net/prefix.ts'
import type { KernelError } from '../kernel.ts'

/** What the kernel shall make. */
export type TunnelKind =
  | { readonly kind: 'ipip' }
  | {
      readonly kind: 'vxlan'
      readonly port: number
      readonly gpe: boolean
      /** MAC address, which the others keep in mind: the same whenever the device is made again. */
      readonly hardwareAddress: Uint8Array
    }

/** As `Link.tunnel` says it. */
export const tunnelText = (it: TunnelKind): string =>
  it.kind === 'ipip' ? 'external' : `external port ${it.port}${it.gpe ? ' gpe' : ''}`

export interface TunnelDevices {
  /** Makes the device, up; its index is known once the monitor tells of it. */
  create(name: string, kind: TunnelKind, mtu: number): KernelError | undefined
  /** Takes the device up, with this MTU. */
  adjust(link: number, mtu: number): KernelError | undefined
  remove(link: number): KernelError | undefined
  /** Makes a bridge, up, unless there is one of that name. */
  createBridge(name: string, mtu: number): KernelError | undefined
  /** Puts an address on a link, and takes the link up. */
  putAddress(link: number, address: Address, length: number): KernelError | undefined
  /**
   * Routes that nobody's packets go by as long as there is a better one: unreachable, of the highest metric. So a
   * tunnel that goes, and takes its routes with it, leaves no way for packets to go without it.
   */
  guard(prefixes: readonly Prefix[]): KernelError | undefined
  /** Takes all such routes away but those to `prefixes`, also an earlier run's. */
  unguard(prefixes: readonly Prefix[]): Promise<void>
  close(): void
}
