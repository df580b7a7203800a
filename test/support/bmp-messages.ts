/**
 * Reads BMP by RFC 7854 and RFC 9069, written from their texts and knowing nothing of the code that
 * writes ours: a stream of bytes becomes plain data.
 */
import { addressFromBytes } from '../../src/net/address.ts'
import { readUpdate, type HeardRoute } from './bgp-messages.ts'

export interface BmpHeader {
  readonly type: 'peer' | 'locRib'
  readonly postPolicy: boolean
  readonly address: string
  readonly asn: number
  readonly routerId: string
  readonly seconds: number
}

export type BmpMessage =
  | {
      readonly kind: 'route'
      readonly header: BmpHeader
      readonly announced: readonly string[]
      readonly withdrawn: readonly string[]
      readonly route: HeardRoute
      readonly endOfRib: boolean
    }
  | {
      readonly kind: 'statistics'
      readonly header: BmpHeader
      /** By type; those of a family by `type afi/safi`. */
      readonly counts: Readonly<Record<string, number>>
    }
  | {
      readonly kind: 'peerDown'
      readonly header: BmpHeader
      readonly reason: number
      readonly data: Uint8Array
    }
  | {
      readonly kind: 'peerUp'
      readonly header: BmpHeader
      readonly local: string
      readonly localPort: number
      readonly remotePort: number
      readonly sentOpen: Uint8Array
      readonly receivedOpen: Uint8Array
      readonly tlvs: Readonly<Record<number, string>>
    }
  | { readonly kind: 'initiation' | 'termination'; readonly tlvs: Readonly<Record<number, string>> }

/**
 * The whole messages at the beginning of `bytes`, and how many bytes they take. `addPath` says of which peers
 * prefixes have path identifiers: a station learns it from the OPENs.
 */
export function readBmp(
  bytes: Uint8Array,
  addPath: (header: BmpHeader) => boolean = () => false,
): { messages: BmpMessage[]; used: number } {
  const messages: BmpMessage[] = []
  let at = 0
  while (at + 6 <= bytes.length) {
    if (bytes[at] !== 3) throw new Error(`BMP version ${bytes[at]}`)
    const length = number(bytes, at + 1, 4)
    if (at + length > bytes.length) break
    messages.push(readMessage(bytes[at + 5], bytes.subarray(at + 6, at + length), addPath))
    at += length
  }
  return { messages, used: at }
}

function readMessage(
  type: number,
  body: Uint8Array,
  addPath: (header: BmpHeader) => boolean,
): BmpMessage {
  if (type === 4 || type === 5) {
    return { kind: type === 4 ? 'initiation' : 'termination', tlvs: tlvsIn(body) }
  }
  const header = readHeader(body)
  const rest = body.subarray(42)
  switch (type) {
    case 0: {
      if (number(rest, 16, 2) !== rest.length || rest[18] !== 2) throw new Error('not one UPDATE')
      return { kind: 'route', header, ...readUpdate(rest.subarray(19), addPath(header)) }
    }
    case 1:
      return { kind: 'statistics', header, counts: countsIn(rest) }
    case 2:
      return { kind: 'peerDown', header, reason: rest[0], data: rest.slice(1) }
    case 3: {
      const first = 20 + number(rest, 20 + 16, 2)
      const second = first + number(rest, first + 16, 2)
      return {
        ...{ kind: 'peerUp', header, local: addressIn(rest.subarray(0, 16), isIpv6(body)) },
        ...{ localPort: number(rest, 16, 2), remotePort: number(rest, 18, 2) },
        ...{ sentOpen: rest.slice(20, first), receivedOpen: rest.slice(first, second) },
        tlvs: tlvsIn(rest.subarray(second)),
      }
    }
    default:
      throw new Error(`BMP message type ${type}`)
  }
}

const isIpv6 = (body: Uint8Array): boolean => body[0] === 0 && (body[1] & 0x80) !== 0

function readHeader(body: Uint8Array): BmpHeader {
  if (body[0] !== 0 && body[0] !== 3) throw new Error(`BMP peer type ${body[0]}`)
  return {
    type: body[0] === 3 ? 'locRib' : 'peer',
    postPolicy: body[0] === 0 && (body[1] & 0x40) !== 0,
    address: addressIn(body.subarray(10, 26), isIpv6(body)),
    asn: number(body, 26, 4),
    routerId: addressFromBytes(body.subarray(30, 34)).text,
    seconds: number(body, 34, 4),
  }
}

const addressIn = (wide: Uint8Array, ipv6: boolean): string =>
  addressFromBytes(ipv6 ? wide : wide.subarray(12)).text

function countsIn(bytes: Uint8Array): Record<string, number> {
  const counts: Record<string, number> = {}
  let at = 4
  for (let left = number(bytes, 0, 4); left > 0; left--) {
    const type = number(bytes, at, 2)
    const length = number(bytes, at + 2, 2)
    const value = bytes.subarray(at + 4, at + 4 + length)
    const ofFamily = length === 11
    const name = ofFamily ? `${type} ${number(value, 0, 2)}/${value[2]}` : String(type)
    counts[name] = number(value, ofFamily ? 3 : 0, length === 4 ? 4 : 8)
    at += 4 + length
  }
  if (at !== bytes.length) throw new Error('statistics with bytes left over')
  return counts
}

/** Texts as they are, all else in hexadecimal. */
function tlvsIn(bytes: Uint8Array): Record<number, string> {
  const tlvs: Record<number, string> = {}
  for (let at = 0; at < bytes.length;) {
    const value = Buffer.from(bytes.subarray(at + 4, at + 4 + number(bytes, at + 2, 2)))
    const isText = value.every((byte) => byte >= 32 && byte < 127)
    tlvs[number(bytes, at, 2)] = value.toString(isText ? 'utf8' : 'hex')
    at += 4 + value.length
  }
  return tlvs
}

function number(bytes: Uint8Array, at: number, width: number): number {
  let value = 0
  for (let i = at; i < at + width; i++) value = value * 256 + bytes[i]
  return value
}
