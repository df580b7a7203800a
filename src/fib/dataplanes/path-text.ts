/** What is said of the way to a next hop through the tunnel: what is in the way, and what to do. */
import type { Address } from '../../net/address.ts'
import type { Dataplane, OverlayOptions } from './dataplane.ts'
import type { Finding } from './path-probe.ts'

export interface Asked {
  readonly dataplane: Dataplane
  readonly options: OverlayOptions
  readonly to: Address
  /** From an address inside the overlay, which the other end has a route to through its own tunnel. */
  readonly trusted: boolean
}

export function findingText({ dataplane, options, to, trusted }: Asked, finding: Finding): string {
  const { protocol, port } = dataplane.outer(options)
  const wrapped =
    port === undefined
      ? `packets of protocol ${protocol} to ${to.text}`
      : `packets to UDP port ${port} of ${to.text}`
  if (finding.kind === 'narrow') {
    const { passes, most } = finding
    const mtu = passes - dataplane.overheadBytes(options)
    const { device } = options
    const remedy =
      device === undefined ? `write overlay.mtu: ${mtu}` : `ip link set ${device} mtu ${mtu}`
    return `${wrapped} are lost when they have ${most} bytes, and arrive up to ${passes}: ${remedy}, or raise the MTU on the way`
  }
  if (finding.kind !== 'blocked') return `${wrapped} arrive`
  const inside = options.prefixes.map(({ text }) => text).join(', ')
  const doubt = trusted
    ? ''
    : `, or its rp_filter takes them for forged, for this host has no address in ${inside}`
  return `${wrapped} are not answered, others are: something on the way or a firewall there drops them (${dataplane.instead}), or that host has not the same overlay${doubt}`
}
