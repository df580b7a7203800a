/**
 * A row of the path-attribute table: one file per type code describes one (RFC 4271 section 5).
 */
import { Reader, type Writer } from '../../net/bytes.ts'
import type { Malformed, Remedy } from '../errors.ts'

/** The flag byte that an attribute must have, partial and extended length aside (RFC 4271 4.3). */
export const WELL_KNOWN = 0x40
export const OPTIONAL_TRANSITIVE = 0xc0
export const OPTIONAL_NON_TRANSITIVE = 0x80

export const OPTIONAL = 0x80
export const TRANSITIVE = 0x40
export const PARTIAL = 0x20
export const EXTENDED_LENGTH = 0x10

/** What the reading of an attribute depends on beside its bytes. */
export interface AttributeContext {
  /** The session is eBGP: the peer is neither in our AS nor in our confederation. */
  readonly external: boolean
  /** Both sides have announced four-octet AS numbers (RFC 6793). */
  readonly fourOctetAs: boolean
  /** IPv4 routes may have IPv6 next hops (RFC 8950). Default: no. */
  readonly ipv6NextHops?: boolean
  /** Where the session's link-local addresses live: an interface index, or 0 (the default) for nowhere. */
  readonly link?: number
  /** AS_PATH may have segments of our confederation (RFC 5065); default: of any, unless external. */
  readonly confederation?: boolean
}

/** The context of canonical bytes: nothing is refused for where it came from. */
export const CANONICAL: AttributeContext = {
  external: false,
  fourOctetAs: true,
  ipv6NextHops: true,
}

export interface AttributeSpec<T> {
  readonly code: number
  readonly name: string
  readonly rfc: string
  readonly flags: number
  /** What a malformed one costs (RFC 7606 section 7), unless `decode` names another remedy. */
  readonly onMalformed: Remedy
  /**
   * Subcode of the NOTIFICATION about a value that makes no sense (RFC 4271 6.3), where there is one for
   * this attribute alone. Default: Attribute Length Error, or Optional Attribute Error.
   */
  readonly invalid?: number
  /** Reads the whole value. Running past its end, or leaving bytes over, counts as malformed. */
  decode(from: Reader, context: AttributeContext): T | Malformed
  /** Writes the canonical value: AS numbers take four octets. */
  encode(value: T, to: Writer): void
  /** For people, and for `--json`. */
  format(value: T): string | readonly string[]
}

/** Writes a whole attribute; `value` is as much as the length field can say. */
export function writeAttribute(code: number, flags: number, value: Uint8Array, to: Writer): void {
  if (value.length > 255) {
    to.u8(flags | EXTENDED_LENGTH).u8(code)
    to.u16(value.length)
  } else {
    to.u8(flags & ~EXTENDED_LENGTH).u8(code)
    to.u8(value.length)
  }
  to.bytes(value)
}

/** The attribute with its header; empty when the section, whose headers are sound, has none of this code. */
export function findAttribute(
  bytes: Uint8Array,
  start: number,
  end: number,
  code: number,
): Uint8Array {
  for (let at = start; at < end;) {
    const extended = (bytes[at] & EXTENDED_LENGTH) !== 0
    const length = extended ? (bytes[at + 2] << 8) | bytes[at + 3] : bytes[at + 2]
    const next = at + (extended ? 4 : 3) + length
    if (bytes[at + 1] === code) return bytes.slice(at, next)
    at = next
  }
  return bytes.slice(end, end)
}

/** Calls `visit` for each attribute of a section whose headers are known to be sound. */
export function forEachAttribute(
  bytes: Uint8Array,
  visit: (code: number, flags: number, value: Uint8Array) => void,
): void {
  const from = new Reader(bytes)
  while (from.left > 0) {
    const flags = from.u8()
    const code = from.u8()
    const length = (flags & EXTENDED_LENGTH) === 0 ? from.u8() : from.u16()
    visit(code, flags, from.bytes(length))
  }
}
