/**
 * Socket options of BGP's TCP connections (tcp(7), ip(7), ipv6(7)).
 *
 * Every one is sent as network control traffic (DSCP CS6, RFC 4594 section 3.1) and without Nagle's
 * delay. A peer's configuration adds the rest: TTL or GTSM (RFC 5082), TCP MD5 (RFC 2385), a device,
 * a user timeout.
 */
import type { Address } from '../net/address.ts'
import type { Family } from '../net/family.ts'
import { encodeUtf8 } from '../net/utf8.ts'
import type { SocketOptions } from '../session/transport.ts'
import { socketAddress } from './socket-address.ts'
import {
  AF_INET,
  AF_INET6,
  ENOENT,
  must,
  setOption,
  SOCK_CLOEXEC,
  SOCK_NONBLOCK,
  SOCK_STREAM,
  socket,
  SOL_SOCKET,
} from './sys.ts'

const SOL_IP = 0
const IP_TOS = 1
const IP_TTL = 2
const IP_MINTTL = 21
const SOL_IPV6 = 41
const IPV6_UNICAST_HOPS = 16
const IPV6_TCLASS = 67
const IPV6_MINHOPCOUNT = 73
const SOL_TCP = 6
const TCP_NODELAY = 1
const TCP_USER_TIMEOUT = 18
const TCP_MD5SIG = 14
const TCP_MD5SIG_EXT = 32
const SO_PRIORITY = 12
const SO_BINDTODEVICE = 25

/** DSCP CS6. */
const INTERNETWORK_CONTROL = 0xc0
/** TC_PRIO_INTERACTIVE: the highest that needs no capability (socket(7)). */
const HIGHEST_PRIORITY = 6

/** RFC 5082 section 3: sent with 255, so that the receiver can count the hops. */
export const GTSM_TTL = 255

/** Longest TCP MD5 key, TCP_MD5SIG_MAXKEYLEN. */
export const MAX_PASSWORD_BYTES = 80

/** A TCP socket that doesn't block and that children don't inherit. */
export const tcpSocket = (family: Family): number =>
  must(
    'make a socket',
    socket(family === 'ipv4' ? AF_INET : AF_INET6, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0),
  )

/** What every BGP socket has, listeners too. */
export function setCommonOptions(fd: number, family: Family): void {
  setControlTraffic(fd, family)
  must('set TCP_NODELAY', setOption(fd, SOL_TCP, TCP_NODELAY, 1))
}

/** Of whatever routing protocol: to be sent before the traffic that it is for. */
export function setControlTraffic(fd: number, family: Family): void {
  const [level, name] = family === 'ipv4' ? [SOL_IP, IP_TOS] : [SOL_IPV6, IPV6_TCLASS]
  must('set the traffic class', setOption(fd, level, name, INTERNETWORK_CONTROL))
  must('set the socket priority', setOption(fd, SOL_SOCKET, SO_PRIORITY, HIGHEST_PRIORITY))
}

/** Nothing goes out or comes in through another link. */
export const bindToDevice = (fd: number, device: string): number =>
  must(
    `bind to device ${device}`,
    setOption(fd, SOL_SOCKET, SO_BINDTODEVICE, encodeUtf8(`${device}\0`)),
  )

/** Outgoing TTL or hop limit. */
export function setTtl(fd: number, family: Family, ttl: number): void {
  const [level, name] = family === 'ipv4' ? [SOL_IP, IP_TTL] : [SOL_IPV6, IPV6_UNICAST_HOPS]
  must(`set the TTL to ${ttl}`, setOption(fd, level, name, ttl))
}

/** Those of one peer but its password and its patience, on a connection of either direction. */
export function setPeerOptions(fd: number, family: Family, options: SocketOptions): void {
  setCommonOptions(fd, family)
  const ttl = options.minimumTtl === undefined ? options.ttl : GTSM_TTL
  if (ttl !== undefined) setTtl(fd, family, ttl)
  if (options.minimumTtl !== undefined) {
    const [level, name] = family === 'ipv4' ? [SOL_IP, IP_MINTTL] : [SOL_IPV6, IPV6_MINHOPCOUNT]
    must('set the minimum TTL (GTSM)', setOption(fd, level, name, options.minimumTtl))
  }
  if (options.bindDevice !== undefined) bindToDevice(fd, options.bindDevice)
}

/** 0: the kernel's own, some 15 minutes. */
export const setUserTimeout = (fd: number, milliseconds: number): number =>
  must('set TCP_USER_TIMEOUT', setOption(fd, SOL_TCP, TCP_USER_TIMEOUT, milliseconds))

/**
 * Sets the TCP MD5 key for one peer, or for a whole prefix; '' removes it. On a connection that is to
 * be opened, or on a listener for those that come in. Changing the key of a live session is fine: what
 * is lost meanwhile is sent again.
 */
export function setPassword(fd: number, peer: Address, password: string, length?: number): void {
  const { option, bytes } = md5Signature(peer, password, length)
  const doing = `set the TCP MD5 key for ${peer.text}`
  const result = setOption(fd, SOL_TCP, option, bytes)
  // None to remove: what was wanted.
  if (password !== '' || result !== -ENOENT) must(doing, result)
}

/** struct tcp_md5sig of linux/tcp.h: sockaddr_storage, flags, prefix length, key length, ifindex, key. */
export function md5Signature(
  peer: Address,
  password: string,
  length?: number,
): { option: number; bytes: Uint8Array } {
  const key = encodeUtf8(password)
  if (key.length > MAX_PASSWORD_BYTES)
    throw new RangeError(
      `a TCP MD5 password has at most ${MAX_PASSWORD_BYTES} bytes, not ${key.length}`,
    )
  const bytes = new Uint8Array(216)
  const view = new DataView(bytes.buffer)
  bytes.set(socketAddress(peer, 0))
  view.setUint16(130, key.length, true)
  bytes.set(key, 136)
  if (length === undefined) return { option: TCP_MD5SIG, bytes }
  view.setUint8(128, 1) // TCP_MD5SIG_FLAG_PREFIX
  view.setUint8(129, length)
  return { option: TCP_MD5SIG_EXT, bytes }
}
