/**
 * The socket on which the kernel tells what changes: links, addresses, routes, nexthop objects (rtnetlink(7)).
 *
 * When its buffer overflows it counts drops instead of failing: ENOBUFS would end the process inside the
 * netlink package's addon. What our own sockets did is dropped in the kernel, by a filter on the port id.
 */
import { RawNetlinkSocket } from 'netlink'
import { viewOf } from './netlink.ts'
import { descriptorOfPort, growReceiveBuffer, silenceOverruns } from './netlink-socket.ts'
import * as sys from './sys.ts'

const NETLINK_ROUTE = 0
/** RTNLGRP_*: LINK, IPV4_IFADDR, IPV4_ROUTE, IPV6_IFADDR, IPV6_ROUTE. */
const GROUPS = [1, 5, 7, 9, 11] as const
const NEXTHOP_GROUP = 32

/** SK_MEMINFO_DROPS: index in what SO_MEMINFO returns. */
const DROPS_INDEX = 8

export interface Hearer {
  received(message: Uint8Array): void
  /** Something can't be read. */
  lost(): void
}

export class Subscription {
  readonly #socket: RawNetlinkSocket
  readonly #fd: number
  #drops = 0

  constructor(receiveBufferBytes: number, hearer: Hearer) {
    this.#socket = new RawNetlinkSocket(NETLINK_ROUTE)
    try {
      this.#fd = descriptorOfPort(this.#socket.address().port)
      silenceOverruns(this.#fd)
      growReceiveBuffer(this.#fd, receiveBufferBytes)
      for (const group of GROUPS) this.#socket.addMembership(group)
      this.#joinNextHops()
    } catch (error) {
      this.#socket.close()
      throw error
    }
    this.#socket.on('message', (message) => hearer.received(message))
    this.#socket.on('truncatedMessage', () => hearer.lost())
    this.#socket.on('error', () => hearer.lost())
  }

  #joinNextHops(): void {
    try {
      this.#socket.addMembership(NEXTHOP_GROUP)
    } catch {
      // Before Linux 5.3 there is no such group, and nothing to hear.
    }
  }

  ignorePorts(ports: readonly number[]): void {
    sys.must('filter netlink', sys.attachFilter(this.#fd, notFrom(ports)))
  }

  /** Messages lost so far. */
  drops(): number {
    const length = sys.getOption(this.#fd, sys.SOL_SOCKET, sys.SO_MEMINFO, $memory)
    if (length >= 4 * (DROPS_INDEX + 1)) this.#drops = $memoryView.getUint32(4 * DROPS_INDEX, true)
    return this.#drops
  }

  close(): void {
    this.#socket.close()
  }
}
const $memory = new Uint8Array(64)
const $memoryView = viewOf($memory)

/** A filter that drops messages whose sender (nlmsg_pid, at 12) is one of `ports`. */
function notFrom(ports: readonly number[]): sys.FilterInstruction[] {
  const LOAD_WORD = 0x20
  const JUMP_IF_EQUAL = 0x15
  const RETURN = 0x06
  return [
    [LOAD_WORD, 0, 0, 12],
    // The load is big-endian, the port was stored little-endian.
    ...ports.map((port, i): sys.FilterInstruction => [
      JUMP_IF_EQUAL,
      ports.length - i,
      0,
      swapped(port),
    ]),
    [RETURN, 0, 0, 0xffffffff],
    [RETURN, 0, 0, 0],
  ]
}

const swapped = (word: number): number =>
  ((word << 24) | ((word & 0xff00) << 8) | ((word >>> 8) & 0xff00) | (word >>> 24)) >>> 0
