/**
 * IP prefixes as immutable values (`10.244.7.0/26`), for everything that is not a hot loop.
 *
 * Host bits are always zero here: `parsePrefix` refuses `10.0.0.1/8`, `prefixOf` clears them.
 */
import { addressFromBytes, parseAddress, type Address } from './address.ts'
import { factsOf, type Family } from './family.ts'

export interface Prefix {
  readonly family: Family
  /** 4 or 16 bytes, network order, host bits zero. Never written to. */
  readonly bytes: Uint8Array
  /** 0..32 or 0..128. */
  readonly length: number
  /** Canonical text, `address/length`: equality and Map key. */
  readonly text: string
}

/** Parses `10.0.0.0/8` or `2001:db8::/32`; undefined when malformed or when host bits are set. */
export function parsePrefix(text: string): Prefix | undefined {
  const parsed = parseAddressAndLength(text)
  if (parsed === undefined) return undefined
  const prefix = prefixOf(parsed.address, parsed.length)
  return prefix.bytes.every((byte, i) => byte === parsed.address.bytes[i]) ? prefix : undefined
}

/** Parses `172.17.0.1/16`, an address on a network: host bits may be set. */
export function parseAddressAndLength(
  text: string,
): { readonly address: Address; readonly length: number } | undefined {
  const slash = text.lastIndexOf('/')
  if (slash < 0 || !/^(0|[1-9]\d{0,2})$/.test(text.slice(slash + 1))) return undefined
  const parsed = parseAddress(text.slice(0, slash))
  const length = Number(text.slice(slash + 1))
  if (parsed === undefined || parsed.zone !== undefined) return undefined
  return length <= factsOf(parsed.family).bits ? { address: parsed, length } : undefined
}

/** As `parsePrefix`, for texts that are known to be good; throws a RangeError otherwise. */
export function prefix(text: string): Prefix {
  const parsed = parsePrefix(text)
  if (parsed === undefined) throw new RangeError(`not a prefix: ${text}`)
  return parsed
}

/** The prefix of `length` bits that `address` lies in. */
export function prefixOf(address: Address, length: number): Prefix {
  const bytes = Uint8Array.from(address.bytes, (byte, i) => byte & maskOfByte(length, i))
  return {
    family: address.family,
    bytes,
    length,
    text: `${addressFromBytes(bytes).text}/${length}`,
  }
}

/** The /32 or /128 of an address. */
export const hostPrefix = (address: Address): Prefix =>
  prefixOf(address, factsOf(address.family).bits)

/** True when `inner` is `outer` or lies in it. */
export const covers = (
  outer: Prefix,
  inner: Pick<Prefix, 'family' | 'bytes' | 'length'>,
): boolean =>
  outer.family === inner.family &&
  outer.length <= inner.length &&
  outer.bytes.every((byte, i) => byte === ((inner.bytes[i] ?? 0) & maskOfByte(outer.length, i)))

export const contains = (outer: Prefix, inner: Address): boolean =>
  covers(outer, { ...inner, length: factsOf(inner.family).bits })

/** The network bits of byte `i` under a mask of `length` bits. */
function maskOfByte(length: number, i: number): number {
  const bits = Math.min(8, Math.max(0, length - 8 * i))
  return (0xff << (8 - bits)) & 0xff
}
