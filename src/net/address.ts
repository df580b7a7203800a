/**
 * IPv4 and IPv6 addresses as immutable values, for everything that is not a hot loop.
 *
 * An address carries its bytes (network order) and its canonical text (RFC 5952), made once, so that
 * `a.text === b.text` is equality and `text` is a Map key. A link-local address may carry a zone
 * (`fe80::1%eth1`, RFC 4007); the zone is part of the text. Columns of the RIB hold 32-bit words
 * instead; `addressFromWords` and `wordsOf` go between the two.
 */
import { Address4, Address6 } from 'ip-address'
import type { Family } from './family.ts'

export interface Address {
  readonly family: Family
  /** 4 or 16 bytes, network order. Never written to. */
  readonly bytes: Uint8Array
  /** Canonical text, with `%zone` when there is one. */
  readonly text: string
  readonly zone?: string
}

/** Parses `10.0.0.1`, `2001:db8::1` or `fe80::1%eth1`; undefined when `text` is no address. */
export function parseAddress(text: string): Address | undefined {
  if (text.includes('/')) return undefined
  return text.includes(':') ? parseIpv6(text) : parseIpv4(text)
}

/** As `parseAddress`, for texts that are known to be good; throws a RangeError otherwise. */
export function address(text: string): Address {
  const parsed = parseAddress(text)
  if (parsed === undefined) throw new RangeError(`not an IP address: ${text}`)
  return parsed
}

/** The address with these bytes: 4 for IPv4, 16 for IPv6. Copies them. */
export function addressFromBytes(bytes: Uint8Array, zone?: string): Address {
  const copy = Uint8Array.from(bytes)
  if (copy.length === 4) return { family: 'ipv4', bytes: copy, text: copy.join('.') }
  if (copy.length !== 16) throw new RangeError(`an address has 4 or 16 bytes, not ${copy.length}`)
  const text = formatIpv6(wordsOf(copy), 0)
  if (zone === undefined) return { family: 'ipv6', bytes: copy, text }
  return { family: 'ipv6', bytes: copy, text: `${text}%${zone}`, zone }
}

/** The address whose 1 (IPv4) or 4 (IPv6) big-endian words start at `words[at]`. */
export function addressFromWords(family: Family, words: Int32Array, at = 0): Address {
  const bytes = new Uint8Array(family === 'ipv4' ? 4 : 16)
  for (let i = 0; i < bytes.length; i++) {
    bytes[i] = ((words[at + (i >> 2)] ?? 0) >>> (24 - 8 * (i & 3))) & 0xff
  }
  return addressFromBytes(bytes)
}

/** The big-endian 32-bit words of 4 or 16 bytes. */
export function wordsOf(bytes: Uint8Array): Int32Array {
  const words = new Int32Array(bytes.length >> 2)
  for (let i = 0; i < bytes.length; i++) {
    words[i >> 2] = ((words[i >> 2] ?? 0) << 8) | (bytes[i] ?? 0)
  }
  return words
}

/** Dotted quad of one word. */
export const formatIpv4 = (word: number): string =>
  `${word >>> 24}.${(word >>> 16) & 255}.${(word >>> 8) & 255}.${word & 255}`

/** RFC 5952 text of the four words at `words[at]`. */
export function formatIpv6(words: Int32Array, at: number): string {
  const groups: number[] = []
  for (let i = 0; i < 4; i++) {
    const word = words[at + i] ?? 0
    groups.push(word >>> 16, word & 0xffff)
  }
  const mapped = groups.slice(0, 5).every((group) => group === 0) && groups[5] === 0xffff
  if (mapped) return `::ffff:${formatIpv4(words[at + 3] ?? 0)}`
  const run = longestZeroRun(groups)
  const hex = (part: number[]): string => part.map((group) => group.toString(16)).join(':')
  if (run.length < 2) return hex(groups)
  return `${hex(groups.slice(0, run.start))}::${hex(groups.slice(run.start + run.length))}`
}

/** fe80::/10: meaningful only on one link (RFC 4291 2.5.6). */
export const isLinkLocal = (it: Address): boolean =>
  it.family === 'ipv6' && it.bytes[0] === 0xfe && ((it.bytes[1] ?? 0) & 0xc0) === 0x80

export const isUnspecified = (it: Address): boolean => it.bytes.every((byte) => byte === 0)

function parseIpv4(text: string): Address | undefined {
  if (!Address4.isValid(text)) return undefined
  return addressFromBytes(Uint8Array.from(text.split('.'), Number))
}

function parseIpv6(text: string): Address | undefined {
  const [bare = '', zone, ...more] = text.split('%')
  if (more.length > 0 || zone === '' || !Address6.isValid(bare)) return undefined
  const significant = new Address6(bare).toUnsignedByteArray()
  const bytes = new Uint8Array(16)
  bytes.set(significant.slice(-16), 16 - Math.min(16, significant.length))
  return addressFromBytes(bytes, zone)
}

function longestZeroRun(groups: readonly number[]): { start: number; length: number } {
  let best = { start: 0, length: 0 }
  for (let start = 0; start < groups.length; start++) {
    let end = start
    while (groups[end] === 0) end++
    if (end - start > best.length) best = { start, length: end - start }
    start = Math.max(start, end)
  }
  return best
}
