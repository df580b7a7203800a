/**
 * AS_PATH as it stands in a canonical set: segments of a type, a count and that many four-octet numbers
 * (RFC 4271 4.3). What a speaker does to a path on its way is done to these bytes; each function leaves
 * its argument alone, and returns it where there is nothing to do.
 */
const AS_SEQUENCE = 2
const CONFEDERATION_SEQUENCE = 3
/** Of AS numbers in a segment. */
const MOST = 255

const u32 = (bytes: Uint8Array, at: number): number =>
  ((bytes[at] << 24) | (bytes[at + 1] << 16) | (bytes[at + 2] << 8) | bytes[at + 3]) >>> 0

function put32(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >>> 24
  bytes[at + 1] = value >>> 16
  bytes[at + 2] = value >>> 8
  bytes[at + 3] = value
}

/** What a number in a path is to become: itself, another, or nothing (0). */
export type Replacement = (asn: number) => number

export function mapPath(path: Uint8Array, replacement: Replacement): Uint8Array {
  const mapped = new Uint8Array(path.length)
  let length = 0
  for (let at = 0; at < path.length;) {
    const count = path[at + 1]
    let kept = 0
    for (let i = 0; i < count; i++) {
      const asn = replacement(u32(path, at + 2 + 4 * i))
      if (asn !== 0) put32(mapped, length + 2 + 4 * kept++, asn)
    }
    if (kept > 0) {
      mapped[length] = path[at]
      mapped[length + 1] = kept
      length += 2 + 4 * kept
    }
    at += 2 + 4 * count
  }
  return mapped.subarray(0, length)
}

/** RFC 4271 5.1.2 b: extends a leading AS_SEQUENCE, or starts one. */
export const prepend = (path: Uint8Array, asn: number): Uint8Array =>
  prependTo(path, asn, AS_SEQUENCE)

/** The same for AS_CONFED_SEQUENCE (RFC 5065 section 4 b). */
export const prependConfederation = (path: Uint8Array, asn: number): Uint8Array =>
  prependTo(path, asn, CONFEDERATION_SEQUENCE)

function prependTo(path: Uint8Array, asn: number, type: number): Uint8Array {
  const extend = path.length > 0 && path[0] === type && path[1] < MOST
  const longer = new Uint8Array(path.length + (extend ? 4 : 6))
  longer[0] = type
  longer[1] = extend ? path[1] + 1 : 1
  put32(longer, 2, asn)
  longer.set(extend ? path.subarray(2) : path, 6)
  return longer
}

/** Nothing of a confederation leaves it (RFC 5065 section 4 c). */
export function withoutConfederation(path: Uint8Array): Uint8Array {
  let outside = path
  for (let at = 0; at < outside.length;) {
    const next = at + 2 + 4 * outside[at + 1]
    if (outside[at] < CONFEDERATION_SEQUENCE) at = next
    else {
      const shorter = new Uint8Array(outside.length - (next - at))
      shorter.set(outside.subarray(0, at))
      shorter.set(outside.subarray(next), at)
      outside = shorter
    }
  }
  return outside
}

export function countIn(path: Uint8Array, asn: number): number {
  let count = 0
  for (let at = 0; at < path.length;) {
    const next = at + 2 + 4 * path[at + 1]
    for (let i = at + 2; i < next; i += 4) if (u32(path, i) === asn) count++
    at = next
  }
  return count
}

/** False for an empty path too. */
export function everyAsn(path: Uint8Array, is: (asn: number) => boolean): boolean {
  for (let at = 0; at < path.length;) {
    const next = at + 2 + 4 * path[at + 1]
    for (let i = at + 2; i < next; i += 4) if (!is(u32(path, i))) return false
    at = next
  }
  return path.length > 0
}

/** The path begins with a sequence (of a confederation, if asked for) of which `asn` is the first. */
export const beginsWith = (path: Uint8Array, asn: number, confederation: boolean): boolean =>
  path.length > 0 &&
  path[0] === (confederation ? CONFEDERATION_SEQUENCE : AS_SEQUENCE) &&
  u32(path, 2) === asn

/** Reserved for private use (RFC 6996). */
export const isPrivateAsn = (asn: number): boolean =>
  (asn >= 64512 && asn <= 65534) || (asn >= 4200000000 && asn <= 4294967294)
