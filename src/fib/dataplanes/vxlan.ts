/**
 * VXLAN (RFC 7348) as an overlay of layer 3, for networks that drop protocol 4: the BGP next hop is the far end, so there
 * is nothing to learn and nothing to flood.
 *
 * With `gpe`, what is inside is plain IP, as the Generic Protocol Extension has it. Without, it is an Ethernet frame to
 * the next hop, whose MAC address is asked for through the tunnel: the request goes to that host alone.
 */
import type { Dataplane } from './dataplane.ts'

/** IPv4, UDP, VXLAN. */
const OUTER_BYTES = 20 + 8 + 8
const ETHERNET_BYTES = 14
const UDP = 17
/** Locally administered, and L for us. */
const LOCAL_MAC = [0x02, 0x4c]

export const vxlan: Dataplane = {
  mode: 'vxlan',
  name: 'VXLAN',
  deviceName: 'linnet-vxlan',
  device: ({ vxlan: { port, gpe } }, router) => {
    const hardwareAddress = Uint8Array.of(...LOCAL_MAC, ...router)
    return { kind: 'vxlan', port, gpe, hardwareAddress }
  },
  overheadBytes: ({ vxlan: { gpe } }) => OUTER_BYTES + (gpe ? 0 : ETHERNET_BYTES),
  leg: (nextHop, link, { vxlan: { vni } }) => ({
    via: nextHop,
    link,
    onLink: true,
    encap: { id: vni, to: nextHop },
  }),
  text: ({ encap }) => `vxlan ${encap?.id ?? 0} ${encap?.to.text ?? ''}`,
  outer: ({ vxlan: { port } }) => ({ protocol: UDP, port }),
}
