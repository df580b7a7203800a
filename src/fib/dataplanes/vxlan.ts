/**
 * VXLAN (RFC 7348) as an overlay of layer 3, for networks that drop protocol 4: the BGP next hop is the far end, so there
 * is nothing to learn and nothing to flood.
 *
 * With `gpe`, what is inside is plain IP, as the Generic Protocol Extension has it. Without, it is an Ethernet frame to
 * the next hop, whose MAC address is asked for through the tunnel: the request goes to that host alone.
 */
import { Writer } from '../../net/bytes.ts'
import type { Dataplane } from './dataplane.ts'

const UDP_BYTES = 8
const VXLAN_BYTES = 8
/** IPv4, UDP, VXLAN. */
const OUTER_BYTES = 20 + UDP_BYTES + VXLAN_BYTES
const ETHERNET_BYTES = 14
const UDP = 17
/** Any of those that the kernel takes for flows. */
const SOURCE_PORT = 0xc000
/** Flags of the first word: there is a VNI, and with the extension what is inside. */
const NETWORK_GIVEN = 0x0800_0000
const PROTOCOL_GIVEN = 0x0400_0000
const IPV4 = 1
/** To whoever unwraps it: that host's MAC address is not known here. */
const FRAME = Uint8Array.of(255, 255, 255, 255, 255, 255, 2, 0x4c, 0, 0, 0, 0, 8, 0)
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
  header: ({ vxlan: it }, innerBytes) => {
    const inner = it.gpe ? new Uint8Array(0) : FRAME
    const header = new Writer(UDP_BYTES + VXLAN_BYTES + inner.length)
    // Without a checksum, as the kernel does.
    header
      .u16(SOURCE_PORT)
      .u16(it.port)
      .u16(UDP_BYTES + VXLAN_BYTES + inner.length + innerBytes)
      .u16(0)
    header.u32(it.gpe ? NETWORK_GIVEN | PROTOCOL_GIVEN | IPV4 : NETWORK_GIVEN).u32(it.vni * 0x100)
    return header.bytes(inner).take()
  },
  instead: 'let that port through, or write another overlay.vxlan.port on all hosts',
}
