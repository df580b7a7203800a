/** TCP packets as they come in on the links of a namespace: what a test has to see for itself. */
import type { Family } from '../../src/net/family.ts'
import * as sys from '../../src/linux/sys.ts'

export interface Packet {
  /** The traffic class: DSCP and ECN. */
  readonly tos: number
  /** TTL, or hop limit. */
  readonly ttl: number
  /** The sender's, and the receiver's. */
  readonly port: number
  readonly to: number
  /** Bytes that it carries; acknowledgements and resets may be the kernel's own. */
  readonly bytes: number
}

/** EtherTypes in network order, and where the fields lie. */
const IPV4 = { type: 0x0008, protocol: 9, ttl: 8, header: 20 }
const IPV6 = { type: 0xdd86, protocol: 6, ttl: 7, header: 40 }
const TCP = 6

/** Collects the TCP packets that come in from now on, in the present namespace; the function returns them, once. */
export function capture(family: Family): () => Packet[] {
  const { type, protocol, ttl, header } = family === 'ipv4' ? IPV4 : IPV6
  const fd = sys.must('capture', sys.socket(sys.AF_PACKET, sys.SOCK_DGRAM | sys.SOCK_CLOEXEC, type))
  return () => {
    const packets: Packet[] = []
    const into = new Uint8Array(2048)
    const view = new DataView(into.buffer)
    while (sys.receive(fd, into, sys.MSG_DONTWAIT) > 0) {
      if (view.getUint8(protocol) !== TCP) continue
      const tos = family === 'ipv4' ? view.getUint8(1) : (view.getUint16(0) >> 4) & 0xff
      const [port, to] = [view.getUint16(header), view.getUint16(header + 2)]
      const headers = header + 4 * (view.getUint8(header + 12) >> 4)
      const bytes = (family === 'ipv4' ? view.getUint16(2) : 40 + view.getUint16(4)) - headers
      packets.push({ tos, ttl: view.getUint8(ttl), port, to, bytes })
    }
    sys.close(fd)
    return packets
  }
}
