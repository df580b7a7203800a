/**
 * What a captured frame says about a probe of ours.
 *
 * Each probe is an ICMP echo whose payload is a mark that nothing else carries. It is searched for in
 * the whole frame, however deep, so a probe is recognized also when it was wrapped into something. The
 * headers before it then tell the truth: who is on the outside, by which protocol, with which TTL.
 */
import { addressFromBytes } from '../net/address.ts'
import { decodeUtf8, encodeUtf8 } from '../net/utf8.ts'

const MARK = 'linnet-proof:'
const PAIR_DIGITS = 4
const ICMP_HEADER = 8

const ETHERTYPE_IPV4 = 0x0800
const ETHERTYPE_IPV6 = 0x86dd
const ETHERTYPES: Readonly<Record<number, string>> = {
  0x8847: 'MPLS',
  0x8848: 'MPLS',
  0x88a8: 'a provider VLAN',
  0x8100: 'a VLAN',
}

const ICMP = 1
const UDP = 17
const PROTOCOLS: Readonly<Record<number, string>> = {
  1: 'ICMP',
  4: 'IP-in-IP',
  6: 'TCP',
  17: 'UDP',
  41: 'IPv6-in-IP',
  47: 'GRE',
  50: 'ESP',
  58: 'ICMPv6',
  94: 'IP-in-IP',
}
const TUNNEL_PORTS: Readonly<Record<number, string>> = {
  4754: 'GRE in UDP',
  4789: 'VXLAN',
  4790: 'VXLAN-GPE',
  6081: 'Geneve',
  8472: 'VXLAN',
  51820: 'WireGuard',
}

/** The outermost IP header. */
export interface OuterHeader {
  readonly source: string
  readonly destination: string
  /** IANA protocol number; the last next header of IPv6. */
  readonly protocol: number
  readonly ttl: number
}

export interface Sighting {
  /** `tor1:eth1`, `host2.c1:eth0`. */
  readonly at: string
  /** Number of the pair that the probe belongs to. */
  readonly pair: number
  readonly kind: 'request' | 'reply'
  /** Undefined when no IP header comes first (MPLS, say). */
  readonly outer: OuterHeader | undefined
  /** How the probe was wrapped: `VXLAN (UDP port 4789)`; undefined when it was not. */
  readonly wrapping: string | undefined
  /** The probe's own IPv4 addresses, where it is wrapped. */
  readonly inner?: { readonly source: string; readonly destination: string }
}

/** The payload of the probes of a pair. */
export const markOf = (pair: number): Uint8Array =>
  encodeUtf8(`${MARK}${String(pair).padStart(PAIR_DIGITS, '0')}:no-nat-no-encapsulation`)

/** `ICMP` for 1, `protocol 99` for what has no name here. */
export const protocolName = (protocol: number): string =>
  PROTOCOLS[protocol] ?? `protocol ${protocol}`

const $mark = encodeUtf8(MARK)

/** What `frame` (Ethernet) says; undefined when it carries no probe. */
export function sightingIn(frame: Uint8Array, at: string): Sighting | undefined {
  const mark = indexOf(frame, $mark)
  if (mark < ICMP_HEADER) return undefined
  const digits = mark + $mark.length
  const pair = Number(decodeUtf8(frame.subarray(digits, digits + PAIR_DIGITS)))
  const type = frame[mark - ICMP_HEADER]
  const echo = mark - ICMP_HEADER
  // An ICMP error quotes the probe that it is about: no probe itself.
  if (!Number.isInteger(pair) || (type !== 8 && type !== 0) || quoted(frame, echo)) return undefined
  const kind = type === 8 ? 'request' : 'reply'
  const etherType = u16(frame, 12)
  const base = { at, pair, kind } as const
  if (etherType === ETHERTYPE_IPV4) {
    const header = 14 + ((frame[14] ?? 0) & 15) * 4
    const outer = {
      source: addressFromBytes(frame.subarray(26, 30)).text,
      destination: addressFromBytes(frame.subarray(30, 34)).text,
      protocol: frame[23] ?? 0,
      ttl: frame[22] ?? 0,
    }
    const plain = outer.protocol === ICMP && header === echo
    if (plain) return { ...base, outer, wrapping: undefined }
    return { ...base, outer, wrapping: wrappingOf(frame, outer, header), ...innerOf(frame, echo) }
  }
  if (etherType === ETHERTYPE_IPV6) {
    const outer = {
      source: addressFromBytes(frame.subarray(22, 38)).text,
      destination: addressFromBytes(frame.subarray(38, 54)).text,
      protocol: frame[20] ?? 0,
      ttl: frame[21] ?? 0,
    }
    return { ...base, outer, wrapping: wrappingOf(frame, outer, 54) }
  }
  const hex = etherType.toString(16).padStart(4, '0')
  return { ...base, outer: undefined, wrapping: ETHERTYPES[etherType] ?? `EtherType 0x${hex}` }
}

/** The IPv4 header just before the echo. */
function innerOf(frame: Uint8Array, echo: number): Pick<Sighting, 'inner'> {
  const header = echo - 20
  if (frame[header] !== 0x45 || frame[header + 9] !== ICMP) return {}
  const source = addressFromBytes(frame.subarray(header + 12, header + 16)).text
  const destination = addressFromBytes(frame.subarray(header + 16, header + 20)).text
  return { inner: { source, destination } }
}

/** True when the IPv4 header and echo at `echo` stand inside an ICMP error. */
function quoted(frame: Uint8Array, echo: number): boolean {
  const inner = echo - 20
  const error = inner - ICMP_HEADER
  const type = frame[error]
  const first = 14 + ((frame[14] ?? 0) & 15) * 4
  return error === first && frame[23] === ICMP && (type === 3 || type === 11)
}

function wrappingOf(frame: Uint8Array, outer: OuterHeader, payload: number): string {
  if (outer.protocol !== UDP) return `${protocolName(outer.protocol)} (protocol ${outer.protocol})`
  const port = u16(frame, payload + 2)
  const name = TUNNEL_PORTS[port]
  return name === undefined ? `UDP port ${port}` : `${name} (UDP port ${port})`
}

const u16 = (bytes: Uint8Array, at: number): number =>
  ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0)

function indexOf(bytes: Uint8Array, wanted: Uint8Array): number {
  const last = bytes.length - wanted.length
  for (let at = bytes.indexOf(wanted[0] ?? 0); at >= 0 && at <= last;) {
    if (wanted.every((byte, i) => bytes[at + i] === byte)) return at
    at = bytes.indexOf(wanted[0] ?? 0, at + 1)
  }
  return -1
}
