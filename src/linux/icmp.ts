/**
 * Raw ICMP (RFC 792): our own ping and traceroute, for proofs. IPv4 only.
 *
 * A socket hears every ICMP message that reaches its namespace. An echo carries an identifier, a
 * sequence number and a payload of ours; errors quote the packet that they complain about, so that
 * "time exceeded" is matched to the probe by the same two numbers.
 */
import { addressFromBytes, type Address } from '../net/address.ts'
import { socketAddress } from './socket-address.ts'
import {
  AF_INET,
  SOCK_CLOEXEC,
  SOCK_NONBLOCK,
  SOCK_RAW,
  bind,
  close,
  must,
  receive,
  sendTo,
  setOption,
  socket,
} from './sys.ts'

const IPPROTO_IP = 0
const IPPROTO_ICMP = 1
const IP_TTL = 2

const ECHO_REPLY = 0
const DESTINATION_UNREACHABLE = 3
const ECHO_REQUEST = 8
const TIME_EXCEEDED = 11

export interface Echo {
  readonly to: Address
  readonly identifier: number
  readonly sequence: number
  readonly ttl: number
  readonly payload: Uint8Array
}

/** What came back, matched to a probe by identifier and sequence. */
export interface IcmpAnswer {
  readonly kind: 'reply' | 'timeExceeded' | 'unreachable'
  readonly from: Address
  readonly identifier: number
  readonly sequence: number
  /** TTL that the answer arrived with. */
  readonly ttl: number
  /** Why unreachable: 0 network, 1 host, 3 port, 13 prohibited. */
  readonly code: number
}

export interface IcmpSocket {
  /** Returns 0, or minus the errno: ENETUNREACH is an answer too. */
  send(echo: Echo): number
  /** Everything heard since the last call. */
  drain(): IcmpAnswer[]
  close(): void
}

/** Opens a socket in the calling thread's namespace; needs CAP_NET_RAW. */
export function openIcmp(source: Address): IcmpSocket {
  const type = SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC
  const fd = must('open an ICMP socket', socket(AF_INET, type, IPPROTO_ICMP))
  try {
    must(`use ${source.text}`, bind(fd, socketAddress(source, 0)))
  } catch (error) {
    close(fd)
    throw error
  }
  const buffer = new Uint8Array(65_536)
  let ttl = -1
  let open = true
  return {
    send(echo) {
      if (echo.ttl !== ttl) must('set the TTL', setOption(fd, IPPROTO_IP, IP_TTL, echo.ttl))
      ttl = echo.ttl
      const bytes = encodeEcho(echo)
      return Math.min(0, sendTo(fd, bytes, bytes.length, socketAddress(echo.to, 0)))
    },
    drain() {
      const answers: IcmpAnswer[] = []
      for (;;) {
        const length = open ? receive(fd, buffer) : -1
        if (length < 0) return answers
        const answer = parseAnswer(buffer.subarray(0, length))
        if (answer !== undefined) answers.push(answer)
      }
    },
    close() {
      if (open) close(fd)
      open = false
    },
  }
}

/** An echo request from its type to the end of its payload, with its checksum. */
export function encodeEcho(echo: Pick<Echo, 'identifier' | 'sequence' | 'payload'>): Uint8Array {
  const bytes = new Uint8Array(8 + echo.payload.length)
  const view = new DataView(bytes.buffer)
  view.setUint8(0, ECHO_REQUEST)
  view.setUint16(4, echo.identifier)
  view.setUint16(6, echo.sequence)
  bytes.set(echo.payload, 8)
  view.setUint16(2, internetChecksum(bytes))
  return bytes
}

/** Reads an IPv4 packet; undefined when it is no answer to an echo of anybody's. */
export function parseAnswer(packet: Uint8Array): IcmpAnswer | undefined {
  const outer = headerOf(packet)
  if (outer === undefined || packet.length < outer.length + 8) return undefined
  const [type = 0, code = 0] = packet.subarray(outer.length)
  const from = addressFromBytes(packet.subarray(12, 16))
  const told = { from, ttl: packet[8] ?? 0, code }
  if (type === ECHO_REPLY) return { kind: 'reply', ...told, ...numbersAt(packet, outer.length) }
  if (type !== TIME_EXCEEDED && type !== DESTINATION_UNREACHABLE) return undefined
  const kind = type === TIME_EXCEEDED ? 'timeExceeded' : 'unreachable'
  const quoted = packet.subarray(outer.length + 8)
  const inner = headerOf(quoted)
  if (inner === undefined || quoted.length < inner.length + 8) return undefined
  if (quoted[inner.length] !== ECHO_REQUEST) return undefined
  return { kind, ...told, ...numbersAt(quoted, inner.length) }
}

/** Length of the IPv4 header, when ICMP follows it. */
function headerOf(packet: Uint8Array): { length: number } | undefined {
  const [first = 0] = packet
  const length = (first & 15) * 4
  if (first >> 4 !== 4 || length < 20 || packet.length < length) return undefined
  return packet[9] === IPPROTO_ICMP ? { length } : undefined
}

const numbersAt = (packet: Uint8Array, at: number): { identifier: number; sequence: number } => {
  const u16 = (offset: number): number => ((packet[offset] ?? 0) << 8) | (packet[offset + 1] ?? 0)
  return { identifier: u16(at + 4), sequence: u16(at + 6) }
}

/** RFC 1071, over bytes whose checksum field is zero. */
export function internetChecksum(bytes: Uint8Array): number {
  let sum = 0
  for (let i = 0; i < bytes.length; i += 2) sum += ((bytes[i] ?? 0) << 8) | (bytes[i + 1] ?? 0)
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16)
  return ~sum & 0xffff
}
