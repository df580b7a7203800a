/**
 * What a speaker has heard, counted: how many prefixes, whether they are those that were sent, and when the last one
 * came. The sum of the hashes of all prefixes tells two sets apart without keeping either.
 */
import type { Routes } from './routes.ts'

export interface Tally {
  /** Prefixes announced, minus those withdrawn. */
  count: number
  /** Sum of the hashes of announced prefixes, minus those of withdrawn ones; 32 bits. */
  hash: number
  updates: number
  /** When the last UPDATE with prefixes came. */
  at: number
}

export const freshTally = (): Tally => ({ count: 0, hash: 0, updates: 0, at: 0 })

/** Adds an UPDATE of IPv4 or IPv6. */
export function hear(tally: Tally, message: Uint8Array, at: number): void {
  const withdrawnEnd = 21 + word16(message, 19)
  const attributesEnd = withdrawnEnd + 2 + word16(message, withdrawnEnd)
  const before = tally.updates
  addPrefixes(tally, message, 21, withdrawnEnd, -1)
  addPrefixes(tally, message, attributesEnd, message.length, 1)
  for (let place = withdrawnEnd + 2; place < attributesEnd;) {
    const isLong = (message[place] & 0x10) !== 0
    const type = message[place + 1]
    const length = isLong ? word16(message, place + 2) : message[place + 2]
    const value = place + (isLong ? 4 : 3)
    if (type === 14) {
      addPrefixes(tally, message, value + 5 + message[value + 3], value + length, 1)
    } else if (type === 15) addPrefixes(tally, message, value + 3, value + length, -1)
    place = value + length
  }
  if (tally.updates !== before) tally.at = at
}

function addPrefixes(
  tally: Tally,
  bytes: Uint8Array,
  from: number,
  to: number,
  sign: 1 | -1,
): void {
  if (from < to) tally.updates++
  for (let at = from; at < to; tally.count += sign) {
    tally.hash = (tally.hash + sign * hashOfPrefix(bytes[at], bytes, at + 1)) | 0
    at += 1 + ((bytes[at] + 7) >> 3)
  }
}

/** Of a prefix whose address begins at `from`. */
export function hashOfPrefix(length: number, bytes: Uint8Array, from = 0): number {
  const end = from + ((length + 7) >> 3)
  let hash = length
  for (let at = from; at < end; at++) hash = Math.imul(hash ^ bytes[at], 0x01000193)
  return mixed(hash)
}

/** The sum over all of them, as whoever has heard each once has it. */
export function hashOf({ family, count, lengths, words }: Routes): number {
  const stride = family === 'ipv4' ? 1 : 2
  let sum = 0
  for (let i = 0; i < count; i++) {
    let hash = lengths[i]
    for (let byte = 0; byte < (lengths[i] + 7) >> 3; byte++) {
      const value = (words[i * stride + (byte >> 2)] >>> (24 - 8 * (byte & 3))) & 255
      hash = Math.imul(hash ^ value, 0x01000193)
    }
    sum = (sum + mixed(hash)) | 0
  }
  return sum
}

/** Spread over all bits, or sums of neighbours would be equal. */
const mixed = (hash: number): number => Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d)

const word16 = (bytes: Uint8Array, at: number): number => (bytes[at] << 8) | bytes[at + 1]
