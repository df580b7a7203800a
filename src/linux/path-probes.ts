/**
 * Echoes to a host, plain or wrapped as a tunnel wraps packets, with the outer header our own: to see what the
 * network between the hosts lets through. IPv4 only.
 *
 * The packets are written whole (IP_HDRINCL, raw(7)). They are never fragmented (DF), and go out as long as the link
 * takes them, whatever the kernel has learnt of the path: that is asked here. Answers come as plain packets, or wrapped
 * where the other end sends those to us by its tunnel; the latter are read before the kernel unwraps them, for its
 * rp_filter may drop what is inside. A filter keeps all other packets from us.
 */
import type { Address } from '../net/address.ts'
import { encodeEcho, internetChecksum, parseAnswer } from './icmp.ts'
import { parseSocketAddress, socketAddress } from './socket-address.ts'
import {
  AF_INET,
  SOCK_CLOEXEC,
  SOCK_DGRAM,
  SOCK_NONBLOCK,
  SOCK_RAW,
  attachFilter,
  close,
  connect,
  must,
  receive,
  sendTo,
  setOption,
  socket,
  socketName,
  type FilterInstruction,
} from './sys.ts'

const IPPROTO_IP = 0
const IPPROTO_ICMP = 1
const IPPROTO_RAW = 255
const IP_MTU_DISCOVER = 10
/** DF, and as long as the link takes. */
const IP_PMTUDISC_PROBE = 3
const IPV4_BYTES = 20
const ICMP_BYTES = 8
const DONT_FRAGMENT = 0x4000
const TTL = 64
const DISCARD_PORT = 9

export interface Wrapping {
  /** IPPROTO_* of the outer header. */
  readonly protocol: number
  /** What follows the outer header, before a packet of this length. */
  header(innerBytes: number): Uint8Array
}

export interface PathEcho {
  readonly to: Address
  /** Of the inner header, where it is wrapped; the outer one's is the kernel's choice. */
  readonly from: Address
  readonly wrapped: boolean
  /** Of the whole packet. */
  readonly bytes: number
  readonly sequence: number
}

export interface PathAnswer {
  readonly from: Address
  readonly sequence: number
}

export interface PathProbes {
  /** What the kernel would send from; undefined when there is no route. */
  sourceTo(to: Address): Address | undefined
  /** What can't be sent is lost, as on the way. */
  send(echo: PathEcho): void
  /** Everything heard since the last call. */
  drain(): PathAnswer[]
  close(): void
}

/** Opens sockets in the calling thread's namespace; needs CAP_NET_RAW, and throws a SystemError. */
export function openPathProbes(wrapping: Wrapping, identifier: number): PathProbes {
  const innerAt = IPV4_BYTES + wrapping.header(0).length
  const listeners = [
    { protocol: IPPROTO_ICMP, at: 0 },
    { protocol: wrapping.protocol, at: innerAt },
  ]
  const fds: number[] = []
  const open = (protocol: number): number => {
    const type = SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC
    const fd = must('open a raw socket', socket(AF_INET, type, protocol))
    fds.push(fd)
    return fd
  }
  const closeAll = (): void => {
    for (const fd of fds.splice(0)) close(fd)
  }
  try {
    const out = open(IPPROTO_RAW)
    must('set IP_MTU_DISCOVER', setOption(out, IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_PROBE))
    const ears = listeners.map(({ protocol, at }) => {
      const fd = open(protocol)
      must('filter answers', attachFilter(fd, repliesTo(identifier, at)))
      return { fd, at }
    })
    const buffer = new Uint8Array(65_536)
    return {
      sourceTo,
      send(echo) {
        const packet = encodePathEcho(echo, wrapping, identifier)
        sendTo(out, packet, packet.length, socketAddress(echo.to, 0))
      },
      drain: () => ears.flatMap(({ fd, at }) => [...heard(fd, at, buffer, identifier)]),
      close: closeAll,
    }
  } catch (error) {
    closeAll()
    throw error
  }
}

function* heard(
  fd: number,
  at: number,
  buffer: Uint8Array,
  identifier: number,
): Iterable<PathAnswer> {
  for (;;) {
    const length = receive(fd, buffer)
    if (length < 0) return
    const answer = parseAnswer(buffer.subarray(at, length))
    // What came between the opening of the socket and its filter is anybody's.
    if (answer?.kind === 'reply' && answer.identifier === identifier) yield answer
  }
}

/** The packet from its outer IPv4 header on. The kernel fills in what is zero there: source, identification, checksum. */
export function encodePathEcho(
  { to, from, wrapped, bytes, sequence }: PathEcho,
  wrapping: Wrapping,
  identifier: number,
): Uint8Array {
  const inner = wrapped ? bytes - IPV4_BYTES - wrapping.header(0).length : bytes
  const payload = new Uint8Array(Math.max(0, inner - IPV4_BYTES - ICMP_BYTES))
  const echo = encodeEcho({ identifier, sequence, payload })
  if (!wrapped) return ipv4(IPPROTO_ICMP, undefined, to, echo)
  const packet = ipv4(IPPROTO_ICMP, from, to, echo)
  const header = wrapping.header(packet.length)
  const rest = new Uint8Array(header.length + packet.length)
  rest.set(header)
  rest.set(packet, header.length)
  return ipv4(wrapping.protocol, undefined, to, rest)
}

/** Without a source, an outer header. */
function ipv4(
  protocol: number,
  from: Address | undefined,
  to: Address,
  payload: Uint8Array,
): Uint8Array {
  const packet = new Uint8Array(IPV4_BYTES + payload.length)
  const view = new DataView(packet.buffer)
  view.setUint8(0, 0x45)
  view.setUint16(2, packet.length)
  view.setUint16(6, from === undefined ? DONT_FRAGMENT : 0)
  view.setUint8(8, TTL)
  view.setUint8(9, protocol)
  packet.set(to.bytes, 16)
  packet.set(payload, IPV4_BYTES)
  if (from === undefined) return packet
  packet.set(from.bytes, 12)
  view.setUint16(10, internetChecksum(packet.subarray(0, IPV4_BYTES)))
  return packet
}

/** Lets through echo replies of ours whose IPv4 header, without options, stands at `at`. */
const repliesTo = (identifier: number, at: number): readonly FilterInstruction[] => [
  [0x30, 0, 0, at + 9], // ldb [protocol]
  [0x15, 0, 5, IPPROTO_ICMP], // jeq #ICMP
  [0x30, 0, 0, at + IPV4_BYTES], // ldb [type]
  [0x15, 0, 3, 0], // jeq #echo reply
  [0x28, 0, 0, at + IPV4_BYTES + 4], // ldh [identifier]
  [0x15, 0, 1, identifier], // jeq #ours
  [0x06, 0, 0, 0xffff], // ret #65535
  [0x06, 0, 0, 0], // ret #0
]

function sourceTo(to: Address): Address | undefined {
  const fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)
  if (fd < 0) return undefined
  try {
    const name = new Uint8Array(16)
    if (connect(fd, socketAddress(to, DISCARD_PORT)) < 0 || socketName(fd, name) < 0)
      return undefined
    return parseSocketAddress(name)?.address
  } finally {
    close(fd)
  }
}
