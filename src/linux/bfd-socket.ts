/**
 * UDP for BFD (RFC 5881 sections 4 and 5, RFC 5883): `bfd/transport` on real sockets.
 *
 * One socket hears all peers of a family that are a link away (port 3784), another those behind routers
 * (4784); each session sends from a socket of its own, whose port must lie in 49152..65535. All is sent with TTL
 * 255. What comes to 3784 with less has crossed a router and is forged: a filter in the kernel drops it, for
 * IP_MINTTL is accepted on UDP sockets, and does nothing.
 *
 * Node wakes us by reading; before silence counts, `drain` reads what Node has not got to, by the same
 * descriptor.
 */
import { createSocket, type Socket } from 'node:dgram'
import type { BfdOutlet, BfdPath, BfdTransport, Heard, Hops } from '../bfd/transport.ts'
import { address, isLinkLocal, parseAddress, type Address } from '../net/address.ts'
import type { Family } from '../net/family.ts'
import { UNROUTED } from './hop-limit.ts'
import { parseSocketAddress, socketAddress } from './socket-address.ts'
import {
  AF_INET,
  AF_INET6,
  EADDRINUSE,
  SOCK_CLOEXEC,
  SOCK_DGRAM,
  SOCK_NONBLOCK,
  SOL_SOCKET,
  SO_RCVBUF,
  SO_RCVBUFFORCE,
  attachFilter,
  bind,
  close,
  interfaceIndex,
  must,
  receiveFrom,
  sendTo,
  setOption,
  socket,
} from './sys.ts'
import { GTSM_TTL, bindToDevice, setControlTraffic, setTtl } from './tcp-options.ts'

export const BFD_PORTS: Readonly<Record<Hops, number>> = { single: 3784, multiple: 4784 }

/** RFC 5881 section 4. */
const FIRST_SOURCE_PORT = 49_152
const SOURCE_PORTS = 16_384
const SOL_IPV6 = 41
const IPV6_V6ONLY = 26
/** A second of hundreds of peers, should we not run for that long. */
const RECEIVE_BUFFER_BYTES = 4 << 20
const LONGEST_PACKET = 256
const UNSPECIFIED = { ipv4: address('0.0.0.0'), ipv6: address('::') } as const

interface Listener {
  readonly fd: number
  readonly hops: Hops
  readonly socket: Socket
}

/** Sockets of the calling thread's network namespace. */
export const bfdTransport = (heard: Heard): BfdTransport => new UdpTransport(heard)

class UdpTransport implements BfdTransport {
  readonly #heard: Heard
  readonly #listeners = new Map<string, Listener>()
  /** Names of the links of link-local peers, by index. */
  readonly #links = new Map<number, string>()
  readonly #buffer = new Uint8Array(LONGEST_PACKET)
  readonly #from = new Uint8Array(28)

  constructor(heard: Heard) {
    this.#heard = heard
  }

  open(path: BfdPath): BfdOutlet {
    const { hops, remote } = path
    const { zone } = remote
    if (zone !== undefined) this.#links.set(must(`link ${zone}`, interfaceIndex(zone)), zone)
    const key = `${hops} ${remote.family}`
    if (!this.#listeners.has(key)) this.#listeners.set(key, this.#listen(hops, remote.family))
    return openOutlet(path)
  }

  drain(): void {
    for (const { fd, hops } of this.#listeners.values()) {
      for (;;) {
        const length = receiveFrom(fd, this.#buffer, this.#from)
        if (length < 0) break
        const from = parseSocketAddress(this.#from)?.address
        if (from !== undefined)
          this.#heard(this.#buffer.subarray(0, length), this.#zoned(from), hops)
      }
    }
  }

  close(): void {
    for (const { socket: it } of this.#listeners.values()) it.close()
    this.#listeners.clear()
  }

  #listen(hops: Hops, family: Family): Listener {
    const fd = openListener(hops, family)
    const heard = createSocket(family === 'ipv4' ? 'udp4' : 'udp6')
    heard.on('message', (bytes, sender) => {
      const from = parseAddress(sender.address)
      if (from !== undefined) this.#heard(bytes, from, hops)
    })
    // What the kernel has to say of a datagram socket is about single datagrams.
    heard.on('error', () => {})
    heard.bind({ fd })
    return { fd, hops, socket: heard }
  }

  #zoned(from: Address): Address {
    if (!isLinkLocal(from)) return from
    const index = new DataView(this.#from.buffer).getUint32(24, true)
    return parseSocketAddress(this.#from, this.#links.get(index) ?? String(index))?.address ?? from
  }
}

function openListener(hops: Hops, family: Family): number {
  const port = BFD_PORTS[hops]
  return opened(family, (fd) => {
    if (family === 'ipv6') must('set IPV6_V6ONLY', setOption(fd, SOL_IPV6, IPV6_V6ONLY, 1))
    if (hops === 'single') must('filter by TTL', attachFilter(fd, UNROUTED[family]))
    const forced = setOption(fd, SOL_SOCKET, SO_RCVBUFFORCE, RECEIVE_BUFFER_BYTES)
    if (forced < 0) setOption(fd, SOL_SOCKET, SO_RCVBUF, RECEIVE_BUFFER_BYTES)
    const bound = bind(fd, socketAddress(UNSPECIFIED[family], port))
    if (bound === -EADDRINUSE) {
      throw new Error(
        `UDP port ${port} is in use: another BFD daemon is running (FRR's bfdd? BIRD?); stop it, or write bfd: false`,
      )
    }
    must(`bind to UDP port ${port}`, bound)
  })
}

function openOutlet({ remote, local, hops, device }: BfdPath): BfdOutlet {
  const { family } = remote
  const fd = opened(family, (it) => {
    setControlTraffic(it, family)
    setTtl(it, family, GTSM_TTL)
    if (device !== undefined) bindToDevice(it, device)
    bindToSourcePort(it, local ?? UNSPECIFIED[family])
  })
  const to = socketAddress(remote, BFD_PORTS[hops])
  let isOpen = true
  return {
    // The path may be broken just now, and the next packet is due soon.
    send: (bytes) => void (isOpen && sendTo(fd, bytes, bytes.length, to)),
    close() {
      if (isOpen) close(fd)
      isOpen = false
    },
  }
}

function bindToSourcePort(fd: number, local: Address): void {
  const first = Math.floor(Math.random() * SOURCE_PORTS)
  for (let i = 0; i < SOURCE_PORTS; i++) {
    const port = FIRST_SOURCE_PORT + ((first + i) % SOURCE_PORTS)
    const bound = bind(fd, socketAddress(local, port))
    if (bound === -EADDRINUSE) continue
    must(`send from ${local.text}`, bound)
    return
  }
  throw new Error(`all ports from ${FIRST_SOURCE_PORT} on are in use`)
}

/** A socket that `prepare` has made ready; closed again when that throws. */
function opened(family: Family, prepare: (fd: number) => void): number {
  const type = SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC
  const fd = must('open a UDP socket', socket(family === 'ipv4' ? AF_INET : AF_INET6, type, 0))
  try {
    prepare(fd)
    return fd
  } catch (error) {
    close(fd)
    throw error
  }
}
