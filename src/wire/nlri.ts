/**
 * NLRI: prefixes as the wire packs them, a length byte and as few address bytes as it takes
 * (RFC 4271 4.3); behind a path identifier where that was agreed on (RFC 7911 section 3).
 *
 * Decoding fills columns that are made once and used again by every message: no object per prefix.
 * Bits beyond the prefix length are cleared, since they mean nothing and would make two prefixes of one.
 */
import { formatIpv4, formatIpv6 } from '../net/address.ts'
import type { FamilyFacts } from '../net/family.ts'

/** More prefixes than a message of 65,535 bytes can hold. */
const CAPACITY = 65_536
/** Bytes of a path identifier, in front of the prefix (RFC 7911 section 3). */
export const PATH_ID_SIZE = 4

/**
 * Decoded prefixes. Prefix i has its 1 or 4 big-endian words at `words[i * stride]` and its length in
 * `lengths[i]`.
 */
export class NlriColumns {
  readonly stride: 1 | 4
  readonly words: Int32Array
  readonly lengths = new Uint8Array(CAPACITY)
  /** After `decodeWithPathIds`: the bits of each path identifier. Empty until then. */
  pathIds = new Int32Array(0)
  count = 0

  constructor(family: FamilyFacts) {
    this.stride = family.words
    this.words = new Int32Array(CAPACITY * family.words)
  }

  /**
   * Decodes `bytes[start..end)`. False when a length is out of range or the field ends inside a
   * prefix; `count` then says how many were good.
   */
  decode(bytes: Uint8Array, start: number, end: number): boolean {
    return this.stride === 1
      ? this.#decodeIpv4(bytes, start, end)
      : this.#decodeIpv6(bytes, start, end)
  }

  /** The same for prefixes that each follow a path identifier of four octets. */
  decodeWithPathIds(bytes: Uint8Array, start: number, end: number): boolean {
    if (this.pathIds.length === 0) this.pathIds = new Int32Array(CAPACITY)
    const { pathIds, words, stride } = this
    const longest = 32 * stride
    let count = 0
    let at = start
    while (at < end) {
      const lengthAt = at + PATH_ID_SIZE
      const length = bytes[lengthAt]
      const next = lengthAt + 1 + ((length + 7) >> 3)
      // `lengthAt` first: what stands behind the field is no length.
      if (lengthAt >= end || length > longest || next > end) break
      pathIds[count] = word(bytes, at)
      for (let i = 0; i < stride; i++) {
        const bits = length - 32 * i
        const value = bits <= 0 ? 0 : word(bytes, lengthAt + 1 + 4 * i)
        words[count * stride + i] = bits <= 0 || bits >= 32 ? value : value & (-1 << (32 - bits))
      }
      this.lengths[count++] = length
      at = next
    }
    this.count = count
    return at === end
  }

  /** Prefix i for people, `10.1.0.0/16`. */
  text(i: number): string {
    const address =
      this.stride === 1 ? formatIpv4(this.words[i]) : formatIpv6(this.words, i * this.stride)
    return `${address}/${this.lengths[i]}`
  }

  #decodeIpv4(bytes: Uint8Array, start: number, end: number): boolean {
    const words = this.words
    const lengths = this.lengths
    let count = 0
    let at = start
    while (at < end) {
      const length = bytes[at]
      const next = at + 1 + ((length + 7) >> 3)
      if (length > 32 || next > end) break
      // Bytes that belong to the next prefix may be read here; the mask clears them.
      const word =
        (bytes[at + 1] << 24) | (bytes[at + 2] << 16) | (bytes[at + 3] << 8) | bytes[at + 4]
      words[count] = length === 0 ? 0 : word & (-1 << (32 - length))
      lengths[count++] = length
      at = next
    }
    this.count = count
    return at === end
  }

  #decodeIpv6(bytes: Uint8Array, start: number, end: number): boolean {
    const words = this.words
    let count = 0
    let at = start
    while (at < end) {
      const length = bytes[at]
      const next = at + 1 + ((length + 7) >> 3)
      if (length > 128 || next > end) break
      for (let i = 0; i < 4; i++) {
        const bits = length - 32 * i
        const from = at + 1 + 4 * i
        const word =
          (bytes[from] << 24) | (bytes[from + 1] << 16) | (bytes[from + 2] << 8) | bytes[from + 3]
        words[count * 4 + i] = bits <= 0 ? 0 : bits >= 32 ? word : word & (-1 << (32 - bits))
      }
      this.lengths[count++] = length
      at = next
    }
    this.count = count
    return at === end
  }
}

const word = (bytes: Uint8Array, at: number): number =>
  (bytes[at] << 24) | (bytes[at + 1] << 16) | (bytes[at + 2] << 8) | bytes[at + 3]

/** Bytes that a prefix of this length takes on the wire. */
export const nlriSize = (length: number): number => 1 + ((length + 7) >> 3)

/** Writes one prefix at `to[at]` and returns the offset behind it. */
export function writeNlri(
  to: Uint8Array,
  at: number,
  words: Int32Array,
  wordAt: number,
  length: number,
): number {
  to[at++] = length
  const size = (length + 7) >> 3
  for (let i = 0; i < size; i++) to[at++] = words[wordAt + (i >> 2)] >>> (24 - 8 * (i & 3))
  return at
}
