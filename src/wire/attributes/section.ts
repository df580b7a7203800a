/**
 * Single attributes of a canonical set, as bytes: looked up, replaced, put in. For the few sets that are
 * changed on their way in; what changes on the way out is in `wire/rewrite.ts`.
 */
import { EXTENDED_LENGTH } from './attribute.ts'

const headerLength = (set: Uint8Array, at: number): number =>
  (set[at] & EXTENDED_LENGTH) === 0 ? 3 : 4

const valueLength = (set: Uint8Array, at: number): number =>
  (set[at] & EXTENDED_LENGTH) === 0 ? set[at + 2] : (set[at + 2] << 8) | set[at + 3]

/** Offset of the first attribute with this code or a higher one; the end where there is none. */
function placeOf(set: Uint8Array, code: number): number {
  let at = 0
  while (at < set.length && set[at + 1] < code) at += headerLength(set, at) + valueLength(set, at)
  return at
}

/** A view of the value, or undefined. */
export function attributeValue(set: Uint8Array, code: number): Uint8Array | undefined {
  const at = placeOf(set, code)
  if (at === set.length || set[at + 1] !== code) return undefined
  const value = at + headerLength(set, at)
  return set.subarray(value, value + valueLength(set, at))
}

/** The set with this value in place of what it had under the code. */
export function withAttribute(
  set: Uint8Array,
  flags: number,
  code: number,
  value: Uint8Array,
): Uint8Array {
  const at = placeOf(set, code)
  const there = at < set.length && set[at + 1] === code
  const rest = there ? at + headerLength(set, at) + valueLength(set, at) : at
  const extended = value.length > 255
  const header = extended
    ? [flags | EXTENDED_LENGTH, code, value.length >> 8, value.length & 0xff]
    : [flags, code, value.length]
  const changed = new Uint8Array(at + header.length + value.length + set.length - rest)
  changed.set(set.subarray(0, at))
  changed.set(header, at)
  changed.set(value, at + header.length)
  changed.set(set.subarray(rest), at + header.length + value.length)
  return changed
}
