/**
 * Router advertisements on a link (RFC 4861 section 4.2): how routers without numbered links find each other.
 *
 * FRR, asked for `neighbor eth1 interface`, advertises every ten seconds and takes the source of each
 * advertisement that it hears for the neighbour; so do we. Ours have a router lifetime of zero: nobody gets a
 * default route from them, we are "not a default router" (section 4.2), only somebody to talk BGP with. One
 * socket a link, bound to it. The kernel drops what has crossed a router (hop limit below 255) and every other
 * ICMPv6 message. Node waits for no raw sockets, so ten times a second a system call looks whether there is
 * something, which costs a microsecond.
 */
import { isLinkLocal, parseAddress, type Address } from '../net/address.ts'
import { encodeUtf8 } from '../net/utf8.ts'
import type { Discovery, DiscoveryLink, NeighborDiscovery } from '../session/neighbor-discovery.ts'
import { UNROUTED } from './hop-limit.ts'
import { parseSocketAddress, socketAddress } from './socket-address.ts'
import {
  AF_INET6,
  SOCK_CLOEXEC,
  SOCK_NONBLOCK,
  SOCK_RAW,
  SOL_SOCKET,
  attachFilter,
  close,
  must,
  receiveFrom,
  sendTo,
  setOption,
  socket,
} from './sys.ts'

const IPPROTO_ICMPV6 = 58
const ICMPV6_FILTER = 1
const SOL_IPV6 = 41
const IPV6_MULTICAST_IF = 17
const IPV6_MULTICAST_HOPS = 18
const IPV6_MULTICAST_LOOP = 19
const IPV6_ADD_MEMBERSHIP = 20
const SO_BINDTODEVICE = 25

const ROUTER_SOLICITATION = 133
const ROUTER_ADVERTISEMENT = 134
const SOLICITATION_BYTES = 8
const ADVERTISEMENT_BYTES = 16
/** What the others send with, for the sake of those that compare (RFC 4861 section 6.2.7). */
const CURRENT_HOP_LIMIT = 64
/** A packet with this hop limit was sent on the link itself (RFC 4861 section 6.1). */
const ON_LINK_HOPS = 255

const LOOK_EVERY_MS = 100
/** As FRR: ten seconds, and each second at first, for a neighbour that starts when we do. */
const ADVERTISE_EVERY_MS = 10_000
const FIRST_EVERY_MS = 1_000
const FIRST_COUNT = 4
/** Whoever asks gets an answer, but not more often than this. */
const LEAST_PAUSE_MS = 300

export type RouterMessage = 'solicitation' | 'advertisement'

/** An advertisement that only says "a router is here": its checksum is the kernel's to fill in. */
export function routerAdvertisement(): Uint8Array {
  const bytes = new Uint8Array(ADVERTISEMENT_BYTES)
  bytes[0] = ROUTER_ADVERTISEMENT
  bytes[4] = CURRENT_HOP_LIMIT
  return bytes
}

export function routerSolicitation(): Uint8Array {
  const bytes = new Uint8Array(SOLICITATION_BYTES)
  bytes[0] = ROUTER_SOLICITATION
  return bytes
}

/** What these bytes are, from the ICMPv6 type on; undefined when they must be ignored (RFC 4861 section 6.1). */
export function routerMessageOf(bytes: Uint8Array): RouterMessage | undefined {
  const advertisement = bytes[0] === ROUTER_ADVERTISEMENT
  if (!advertisement && bytes[0] !== ROUTER_SOLICITATION) return undefined
  const length = advertisement ? ADVERTISEMENT_BYTES : SOLICITATION_BYTES
  if (bytes[1] !== 0 || bytes.length < length) return undefined
  // Options count their length in units of eight bytes; one of none would never end.
  for (let at = length; at < bytes.length; at += 8 * bytes[at + 1]) {
    if (at + 2 > bytes.length || bytes[at + 1] === 0) return undefined
    if (at + 8 * bytes[at + 1] > bytes.length) return undefined
  }
  return advertisement ? 'advertisement' : 'solicitation'
}

/** Discovery in the network namespace of the calling thread; needs CAP_NET_RAW. */
export const routerDiscovery = (): NeighborDiscovery => ({ open })

function open(link: DiscoveryLink, heard: (router: Address) => void): Discovery {
  const fd = openSocket(link)
  const allNodes = onLink('ff02::1', link)
  const allRouters = onLink('ff02::2', link)
  const advertisement = routerAdvertisement()
  const solicitation = routerSolicitation()
  const buffer = new Uint8Array(2048)
  const from = new Uint8Array(28)
  let sent = 0
  let nextAt = 0
  let lastAt = -Infinity
  // A full queue or a link that goes down loses one: the next is due soon.
  const send = (bytes: Uint8Array, to: Uint8Array): void => void sendTo(fd, bytes, bytes.length, to)
  const advertise = (): void => {
    send(advertisement, allNodes)
    lastAt = performance.now()
    nextAt = lastAt + (++sent < FIRST_COUNT ? FIRST_EVERY_MS : ADVERTISE_EVERY_MS)
  }
  const answer = (): void => {
    nextAt = Math.min(nextAt, Math.max(performance.now(), lastAt + LEAST_PAUSE_MS))
  }
  const look = (): void => {
    for (;;) {
      const length = receiveFrom(fd, buffer, from)
      if (length < 0) break
      const message = routerMessageOf(buffer.subarray(0, length))
      const router = parseSocketAddress(from, link.name)?.address
      if (message === 'solicitation') answer()
      else if (message === 'advertisement' && router !== undefined && isLinkLocal(router)) {
        heard(router)
      }
    }
    if (performance.now() >= nextAt) advertise()
  }
  // Who is there already shall say so now.
  send(solicitation, allRouters)
  const timer = setInterval(look, LOOK_EVERY_MS)
  let isOpen = true
  return {
    announce: answer,
    close() {
      if (!isOpen) return
      isOpen = false
      clearInterval(timer)
      close(fd)
    },
  }
}

function openSocket({ name, index }: DiscoveryLink): number {
  const type = SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC
  const fd = must('open an ICMPv6 socket', socket(AF_INET6, type, IPPROTO_ICMPV6))
  try {
    const doing = `speak ICMPv6 on ${name}`
    const set = (level: number, option: number, value: number | Uint8Array): void =>
      void must(doing, setOption(fd, level, option, value))
    set(IPPROTO_ICMPV6, ICMPV6_FILTER, onlyRouterMessages())
    must(doing, attachFilter(fd, UNROUTED.ipv6))
    set(SOL_SOCKET, SO_BINDTODEVICE, encodeUtf8(`${name}\0`))
    set(SOL_IPV6, IPV6_MULTICAST_IF, index)
    set(SOL_IPV6, IPV6_MULTICAST_HOPS, ON_LINK_HOPS)
    set(SOL_IPV6, IPV6_MULTICAST_LOOP, 0)
    set(SOL_IPV6, IPV6_ADD_MEMBERSHIP, membership('ff02::2', index))
    return fd
  } catch (error) {
    close(fd)
    throw error
  }
}

/** struct icmp6_filter: a bit for each type, set for those that are dropped. */
function onlyRouterMessages(): Uint8Array {
  const dropped = new Uint32Array(8).fill(0xffffffff)
  for (const type of [ROUTER_SOLICITATION, ROUTER_ADVERTISEMENT]) {
    dropped[type >> 5] &= ~(1 << (type & 31))
  }
  return new Uint8Array(dropped.buffer)
}

/** struct ipv6_mreq: group and interface. */
function membership(group: string, index: number): Uint8Array {
  const bytes = new Uint8Array(20)
  bytes.set(multicast(group).bytes)
  new DataView(bytes.buffer).setInt32(16, index, true)
  return bytes
}

const onLink = (group: string, { index }: DiscoveryLink): Uint8Array => {
  const bytes = socketAddress(multicast(group), 0)
  new DataView(bytes.buffer).setUint32(24, index, true)
  return bytes
}

function multicast(text: string): Address {
  const address = parseAddress(text)
  if (address === undefined) throw new RangeError(text)
  return address
}
