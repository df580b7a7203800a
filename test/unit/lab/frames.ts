/** Frames as bytes, built by hand from the RFCs: the other side of capture.ts. */
import { address } from '../../../src/net/address.ts'
import { Writer } from '../../../src/net/bytes.ts'
import { encodeEcho, internetChecksum } from '../../../src/linux/icmp.ts'
import { markOf } from '../../../src/lab/capture.ts'

export interface Ip {
  readonly from: string
  readonly to: string
  readonly ttl?: number
  readonly protocol?: number
}

export function ethernet(payload: Uint8Array, etherType = 0x0800): Uint8Array {
  return new Writer(14 + payload.length)
    .bytes(new Uint8Array(12))
    .u16(etherType)
    .bytes(payload)
    .take()
}

export function ipv4({ from, to, ttl = 61, protocol = 1 }: Ip, payload: Uint8Array): Uint8Array {
  const packet = new Writer(20 + payload.length)
  packet
    .u8(0x45)
    .u8(0)
    .u16(20 + payload.length)
    .u32(0)
    .u8(ttl)
    .u8(protocol)
    .u16(0)
  packet.bytes(address(from).bytes).bytes(address(to).bytes).bytes(payload)
  return packet.take()
}

export function ipv6({ from, to, ttl = 61, protocol = 4 }: Ip, payload: Uint8Array): Uint8Array {
  const packet = new Writer(40 + payload.length)
  packet.u32(0x60000000).u16(payload.length).u8(protocol).u8(ttl)
  return packet.bytes(address(from).bytes).bytes(address(to).bytes).bytes(payload).take()
}

export const udp = (port: number, payload: Uint8Array): Uint8Array =>
  new Writer(8 + payload.length)
    .u16(50_000)
    .u16(port)
    .u16(8 + payload.length)
    .u16(0)
    .bytes(payload)
    .take()

/** The probe of a pair. */
export const echo = (pair: number): Uint8Array =>
  encodeEcho({ identifier: pair + 1, sequence: 1, payload: markOf(pair) })

/** Its answer. */
export function echoReply(pair: number): Uint8Array {
  const bytes = echo(pair)
  bytes[0] = 0
  return bytes
}

/** "Time exceeded" or "unreachable" about a packet. */
export function icmpError(type: number, code: number, about: Uint8Array): Uint8Array {
  const bytes = new Writer(8 + about.length).u8(type).u8(code).u16(0).u32(0).bytes(about).take()
  const sum = internetChecksum(bytes)
  bytes[2] = sum >>> 8
  bytes[3] = sum & 0xff
  return bytes
}
