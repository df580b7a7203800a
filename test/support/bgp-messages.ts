/**
 * BGP messages for tests, written out and read by hand: what a peer says and hears is not judged by the
 * code under test. RFC 4271 section 4, RFC 4760 for IPv6.
 */
import { addressFromBytes, address } from '../../src/net/address.ts'
import { prefix as parsed, prefixOf } from '../../src/net/prefix.ts'

export const OPEN = 1
export const UPDATE = 2
export const NOTIFICATION = 3
export const KEEPALIVE = 4

const HEADER_BYTES = 19

export function message(type: number, body: readonly number[] = []): Uint8Array {
  const length = HEADER_BYTES + body.length
  return Uint8Array.from([...Array<number>(16).fill(0xff), ...u16(length), type, ...body])
}

export interface OpenFields {
  readonly asn: number
  readonly holdTimeSeconds: number
  readonly routerId: string
  readonly families: readonly ('ipv4' | 'ipv6')[]
}

/** An OPEN with multiprotocol, route refresh and 4-octet AS numbers. */
export function open({ asn, holdTimeSeconds, routerId, families }: OpenFields): Uint8Array {
  const capabilities = [
    ...families.flatMap((family) => [1, 4, 0, family === 'ipv4' ? 1 : 2, 0, 1]),
    ...[2, 0],
    ...[65, 4, ...u32(asn)],
  ]
  const shortAsn = asn > 0xffff ? 23456 : asn
  const parameters = [2, capabilities.length, ...capabilities]
  return message(OPEN, [
    ...[4, ...u16(shortAsn), ...u16(holdTimeSeconds), ...address(routerId).bytes],
    ...[parameters.length, ...parameters],
  ])
}

export interface Announcement {
  readonly prefixes: readonly string[]
  readonly nextHop: string
  readonly asPath: readonly number[]
  readonly med?: number
  readonly localPref?: number
  /** Whole attributes as bytes, put before the others: for malformed ones. */
  readonly also?: readonly number[]
}

/** An UPDATE that announces prefixes of one family. */
export function announce(it: Announcement): Uint8Array {
  const isIpv6 = it.prefixes.some((prefix) => prefix.includes(':'))
  const nextHop = [...address(it.nextHop).bytes]
  const nlri = it.prefixes.flatMap(nlriOf)
  const attributes = [
    ...(it.also ?? []),
    ...[0x40, 1, 1, 0],
    ...[0x40, 2, 2 + 4 * it.asPath.length, 2, it.asPath.length, ...it.asPath.flatMap(u32)],
    ...(isIpv6 ? [] : [0x40, 3, 4, ...nextHop]),
    ...(it.med === undefined ? [] : [0x80, 4, 4, ...u32(it.med)]),
    ...(it.localPref === undefined ? [] : [0x40, 5, 4, ...u32(it.localPref)]),
    ...(isIpv6 ? long(14, [0, 2, 1, nextHop.length, ...nextHop, 0, ...nlri]) : []),
  ]
  return message(UPDATE, [0, 0, ...u16(attributes.length), ...attributes, ...(isIpv6 ? [] : nlri)])
}

/** An UPDATE that withdraws prefixes of one family. */
export function withdraw(...prefixes: readonly string[]): Uint8Array {
  const nlri = prefixes.flatMap(nlriOf)
  if (!prefixes.some((prefix) => prefix.includes(':')))
    return message(UPDATE, [...u16(nlri.length), ...nlri, 0, 0])
  const attributes = long(15, [0, 2, 1, ...nlri])
  return message(UPDATE, [0, 0, ...u16(attributes.length), ...attributes])
}

/** The empty UPDATE of RFC 4724 section 2. */
export const endOfRib = (family: 'ipv4' | 'ipv6' = 'ipv4'): Uint8Array =>
  family === 'ipv4'
    ? message(UPDATE, [0, 0, 0, 0])
    : message(UPDATE, [0, 0, 0, 6, ...[0x80, 15, 3, 0, 2, 1]])

/** What an UPDATE says. */
export interface ReadUpdate {
  readonly withdrawn: readonly string[]
  readonly announced: readonly string[]
  readonly route: HeardRoute
  readonly endOfRib: boolean
}

/** Attributes as heard. */
export interface HeardRoute {
  readonly nextHop: string
  readonly asPath: readonly number[]
  readonly med?: number
  readonly localPref?: number
  readonly communities: readonly string[]
}

/**
 * Reads the body of an UPDATE of a speaker with 4-octet AS numbers; with `addPath` prefixes have identifiers
 * before them (RFC 7911) and are read as `10.0.0.0/8#7`.
 */
export function readUpdate(body: Uint8Array, addPath = false): ReadUpdate {
  const withdrawnEnd = 2 + at16(body, 0)
  const attributesEnd = withdrawnEnd + 2 + at16(body, withdrawnEnd)
  const withdrawn = prefixesIn(body.subarray(2, withdrawnEnd), 4, addPath)
  const announced = prefixesIn(body.subarray(attributesEnd), 4, addPath)
  const route: { -readonly [K in keyof HeardRoute]: HeardRoute[K] } = {
    nextHop: '',
    asPath: [],
    communities: [],
  }
  let multiprotocol = false
  for (let at = withdrawnEnd + 2; at < attributesEnd;) {
    const isLong = (body[at] & 0x10) !== 0
    const length = isLong ? at16(body, at + 2) : body[at + 2]
    const start = at + (isLong ? 4 : 3)
    const value = body.subarray(start, start + length)
    switch (body[at + 1]) {
      case 2:
        route.asPath = asPathIn(value)
        break
      case 3:
        route.nextHop = addressFromBytes(value).text
        break
      case 4:
        route.med = at32(value, 0)
        break
      case 5:
        route.localPref = at32(value, 0)
        break
      case 8:
        route.communities = communitiesIn(value)
        break
      case 14: {
        const hops = value.subarray(4, 4 + value[3])
        route.nextHop = addressFromBytes(hops.subarray(0, 16)).text
        announced.push(...prefixesIn(value.subarray(5 + value[3]), 16, addPath))
        multiprotocol = true
        break
      }
      case 15:
        withdrawn.push(...prefixesIn(value.subarray(3), 16, addPath))
        multiprotocol = true
    }
    at = start + length
  }
  const silent = announced.length === 0 && withdrawn.length === 0
  return {
    withdrawn,
    announced,
    route,
    endOfRib: silent && (multiprotocol || body.length === 4),
  }
}

export const u16 = (value: number): number[] => [(value >> 8) & 255, value & 255]
export const u32 = (value: number): number[] => [...u16(value >>> 16), ...u16(value & 0xffff)]

const at16 = (bytes: Uint8Array, at: number): number => (bytes[at] << 8) | bytes[at + 1]
const at32 = (bytes: Uint8Array, at: number): number =>
  at16(bytes, at) * 0x1_0000 + at16(bytes, at + 2)

/** An optional attribute with a two-byte length. */
const long = (code: number, value: readonly number[]): number[] => [
  ...[0x90, code, ...u16(value.length)],
  ...value,
]

function nlriOf(text: string): number[] {
  const { bytes, length } = parsed(text)
  return [length, ...bytes.subarray(0, (length + 7) >> 3)]
}

function prefixesIn(bytes: Uint8Array, width: 4 | 16, addPath: boolean): string[] {
  const prefixes: string[] = []
  for (let at = 0; at < bytes.length;) {
    const id = addPath ? `#${at32(bytes, at)}` : ''
    if (addPath) at += 4
    const length = bytes[at++]
    const size = (length + 7) >> 3
    const whole = new Uint8Array(width)
    whole.set(bytes.subarray(at, at + size))
    prefixes.push(prefixOf(addressFromBytes(whole), length).text + id)
    at += size
  }
  return prefixes
}

function asPathIn(value: Uint8Array): number[] {
  const path: number[] = []
  for (let at = 0; at < value.length; at += 2 + 4 * value[at + 1]) {
    for (let i = 0; i < value[at + 1]; i++) path.push(at32(value, at + 2 + 4 * i))
  }
  return path
}

function communitiesIn(value: Uint8Array): string[] {
  const communities: string[] = []
  for (let at = 0; at < value.length; at += 4)
    communities.push(`${at16(value, at)}:${at16(value, at + 2)}`)
  return communities
}
