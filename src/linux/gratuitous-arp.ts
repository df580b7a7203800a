/**
 * Tells the neighbours on a link that an address is to be sent to us from now on (RFC 5227 section 3, RFC 5944
 * section 4.6): a gratuitous ARP, on links that answer for others anyway (`proxy_arp`).
 */
import type { Address } from '../net/address.ts'
import { readSysctl } from './sysctl.ts'
import {
  AF_PACKET,
  SOCK_CLOEXEC,
  SOCK_NONBLOCK,
  SOCK_RAW,
  close,
  control,
  interfaceIndex,
  sendTo,
  socket,
} from './sys.ts'

const SIOCGIFHWADDR = 0x8927
const ETH_P_ARP = 0x0806
const ARPHRD_ETHER = 1
const REQUEST = 1

/** The Ethernet frame; `address` is an IPv4 address. */
export function gratuitousArp(mac: Uint8Array, address: Address): Uint8Array {
  const frame = new Uint8Array(42)
  const view = new DataView(frame.buffer)
  frame.fill(0xff, 0, 6)
  frame.set(mac, 6)
  view.setUint16(12, ETH_P_ARP)
  view.setUint16(14, ARPHRD_ETHER)
  view.setUint16(16, 0x0800)
  frame.set([mac.length, address.bytes.length], 18)
  view.setUint16(20, REQUEST)
  // Who asks and who is asked for are one; a MAC address of the latter is not known in a request.
  frame.set(mac, 22)
  frame.set(address.bytes, 28)
  frame.set(address.bytes, 38)
  return frame
}

/** Returns whether anybody was told: the link may not answer for others, or be gone. */
export function claimOnLink(name: string, address: Address): boolean {
  if (!answersForOthers(name)) return false
  const fd = socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)
  if (fd < 0) return false // without CAP_NET_RAW they find out by themselves, later
  try {
    const request = new Uint8Array(40)
    request.set(new TextEncoder().encode(name).subarray(0, 15))
    const index = interfaceIndex(name)
    if (index < 0 || control(fd, SIOCGIFHWADDR, request) < 0) return false
    const isEthernet = new DataView(request.buffer).getUint16(16, true) === ARPHRD_ETHER
    if (!isEthernet) return false
    const frame = gratuitousArp(request.slice(18, 24), address)
    return sendTo(fd, frame, frame.length, linkAddress(index)) >= 0
  } finally {
    close(fd)
  }
}

function answersForOthers(name: string): boolean {
  const part = name.replaceAll('.', '/')
  return ['all', part].some((it) => {
    try {
      return readSysctl(`net.ipv4.conf.${it}.proxy_arp`) === '1'
    } catch {
      return false // it went meanwhile
    }
  })
}

/** struct sockaddr_ll: family, protocol (network order), interface, then what a send does not need. */
function linkAddress(index: number): Uint8Array {
  const bytes = new Uint8Array(20)
  const view = new DataView(bytes.buffer)
  view.setUint16(0, AF_PACKET, true)
  view.setUint16(2, ETH_P_ARP)
  view.setInt32(4, index, true)
  return bytes
}
