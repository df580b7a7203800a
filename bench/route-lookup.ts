/** Where the kernel of a namespace would send a packet: RTM_GETROUTE, as `ip route get` asks, many times faster. */
import { inNamespace } from '../src/linux/netns.ts'
import { Attributes, MessageBuilder, eachMessage, viewOf } from '../src/linux/netlink.ts'
import { NetlinkSocket } from '../src/linux/netlink-socket.ts'
import * as sys from '../src/linux/sys.ts'
import type { Address } from '../src/net/address.ts'

const RTM_NEWROUTE = 24
const RTM_GETROUTE = 26
const RTA_DST = 1
const RTA_OIF = 4
const RTA_GATEWAY = 5
/** Asks for the route itself, not for what becomes of a packet. */
const RTM_F_FIB_MATCH = 0x2000

export class RouteLookup {
  readonly #socket: NetlinkSocket
  readonly #request = new MessageBuilder(128)
  readonly #reply = new Uint8Array(8192)
  readonly #view = viewOf(this.#reply)
  readonly #attributes = new Attributes(16)

  constructor(namespace: string) {
    this.#socket = inNamespace(namespace, () => NetlinkSocket.open())
  }

  /** Index of the link that packets to `to` leave by; 0: there is no route. */
  link(to: Address): number {
    let link = 0
    this.#ask(to, (attributes) => (link = attributes.u32(this.#view, RTA_OIF)))
    return link
  }

  /** The IPv4 gateway that packets to `to` go to; '' where there is none. */
  gateway(to: Address): string {
    let gateway = ''
    this.#ask(to, (attributes) => {
      gateway = attributes.bytes(this.#view, RTA_GATEWAY)?.join('.') ?? ''
    })
    return gateway
  }

  /** Length of the prefix whose route packets to these address bytes follow; 0: there is none, or the default. */
  prefixLength(to: Uint8Array): number {
    let length = 0
    this.#askFor(to, RTM_F_FIB_MATCH, (from) => (length = this.#view.getUint8(from + 1)))
    return length
  }

  #ask(to: Address, told: (attributes: Attributes) => void): void {
    this.#askFor(to.bytes, 0, (from, end) =>
      told(this.#attributes.scan(this.#view, from + 12, end)),
    )
  }

  /** `told` hears where the answer's `struct rtmsg` begins and its attributes end. */
  #askFor(bytes: Uint8Array, flags: number, told: (from: number, end: number) => void): void {
    const request = this.#request.reset().begin(RTM_GETROUTE, 0, 1)
    const family = bytes.length === 4 ? sys.AF_INET : sys.AF_INET6
    request
      .u8(family)
      .u8(bytes.length * 8)
      .u8(0)
      .u8(0)
      .u32(0)
      .u32(flags)
      .end()
    request.attribute(RTA_DST, bytes)
    sys.must('ask for a route', sys.send(this.#socket.fd, request.bytes, request.length))
    const length = sys.must('hear of it', sys.receive(this.#socket.fd, this.#reply, 0))
    eachMessage(this.#view, length, (type, _flags, _sequence, from, end) => {
      if (type === RTM_NEWROUTE) told(from, end)
    })
  }

  close(): void {
    this.#socket.close()
  }
}
