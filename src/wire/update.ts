/**
 * Taking an UPDATE apart without making objects of it (RFC 4271 4.3, RFC 4760).
 *
 * `split` finds the three fields of the message, then walks the attribute headers once to find the two
 * multiprotocol attributes, whose NLRI don't belong to the attribute set. What is left of the section is
 * offered as `attributes[from..to)`: in the common IPv4 case the message's own bytes, otherwise a scratch
 * copy in which MP_REACH has been cut down to its next hop (as MRT does, RFC 6396 4.3.4). The attribute
 * store interns these bytes as they are when `scan.ts` finds them plain.
 */
import { SAFI_UNICAST } from '../net/family.ts'
import { hasLinkLocal, isLengthOfNextHop } from './attributes/mp-reach-nlri.ts'
import { ERROR_UPDATE, MALFORMED_ATTRIBUTE_LIST } from './constants.ts'
import { SessionError } from './errors.ts'

const MP_REACH = 14
const MP_UNREACH = 15
const EXTENDED = 0x10

/** What the reading of MP_REACH depends on beside its bytes. */
export interface NextHopTerms {
  /** IPv4 routes may have IPv6 next hops (RFC 8950). */
  readonly ipv6NextHops: boolean
  /** Where the session's link-local addresses live: an interface index, or 0 for nowhere. */
  readonly link: number
}

const ORDINARY: NextHopTerms = { ipv6NextHops: false, link: 0 }

/** A section of more attributes is not put in order here. */
const MANY = 32

/** Largest attribute section: that of an extended message (RFC 8654). */
const SCRATCH = 65_536

export class UpdateView {
  /** The message that the offsets below refer to. */
  bytes: Uint8Array = new Uint8Array(0)
  withdrawnStart = 0
  withdrawnEnd = 0
  /** The path-attribute section as it came. */
  sectionStart = 0
  sectionEnd = 0
  nlriStart = 0
  nlriEnd = 0
  /** AFI of MP_REACH's NLRI, 0 when there is none. */
  reachAfi = 0
  reachStart = 0
  reachEnd = 0
  /** AFI of MP_UNREACH's NLRI, 0 when there is none. */
  unreachAfi = 0
  unreachStart = 0
  unreachEnd = 0
  /**
   * The attribute set without NLRI: `attributes[from..to)`. `undefined` when the section needs the slow
   * reading (`attributes/normalize.ts`): broken headers, a repeated or oddly shaped MP attribute.
   */
  attributes: Uint8Array | undefined
  from = 0
  to = 0
  #terms = ORDINARY
  readonly #scratch = new Uint8Array(SCRATCH)

  /**
   * Takes apart the UPDATE body `bytes[start..end)`. Throws a SessionError when its fields don't fit
   * into it (RFC 7606 section 3 c keeps this one fatal).
   */
  split(bytes: Uint8Array, start: number, end: number, terms = ORDINARY): void {
    this.#terms = terms
    const withdrawnLength = (bytes[start] << 8) | bytes[start + 1]
    const attributesAt = start + 2 + withdrawnLength
    if (attributesAt + 2 > end) throw malformedList('withdrawn routes overrun the message')
    const attributesLength = (bytes[attributesAt] << 8) | bytes[attributesAt + 1]
    const sectionEnd = attributesAt + 2 + attributesLength
    if (sectionEnd > end) throw malformedList('path attributes overrun the message')
    this.bytes = bytes
    this.withdrawnStart = start + 2
    this.withdrawnEnd = attributesAt
    this.sectionStart = attributesAt + 2
    this.sectionEnd = sectionEnd
    this.nlriStart = sectionEnd
    this.nlriEnd = end
    this.reachAfi = 0
    this.unreachAfi = 0
    this.#findMultiprotocol(bytes, attributesAt + 2, sectionEnd)
  }

  /** Nothing at all: the End-of-RIB marker of IPv4 (RFC 4724 section 2). */
  get empty(): boolean {
    return this.withdrawnStart === this.withdrawnEnd && this.sectionStart === this.nlriEnd
  }

  /** Walks the headers; most messages have no MP attribute and are left where they are. */
  #findMultiprotocol(bytes: Uint8Array, start: number, end: number): void {
    this.attributes = bytes
    this.from = start
    this.to = end
    let at = start
    let previous = 0
    let ascending = true
    while (at < end) {
      const extended = (bytes[at] & EXTENDED) !== 0
      const code = bytes[at + 1]
      const value = at + (extended ? 4 : 3)
      const length = extended ? (bytes[at + 2] << 8) | bytes[at + 3] : bytes[at + 2]
      const next = value + length
      if (value > end || next > end) {
        this.attributes = undefined
        return
      }
      if (code === MP_REACH || code === MP_UNREACH) {
        this.#cutMultiprotocol(bytes, start, end)
        return
      }
      if (code < previous) ascending = false
      previous = code
      at = next
    }
    if (!ascending) this.#putInOrder(bytes, start, end)
  }

  /**
   * Attributes SHOULD come in the order of their codes (RFC 4271 section 5), and from some don't. Copied in order they
   * are the same bytes as from anybody else; with one among them that is repeated the section is left as it is.
   */
  #putInOrder(bytes: Uint8Array, start: number, end: number): void {
    const scratch = this.#scratch
    let to = 0
    let last = -1
    for (let count = 0; count < MANY; count++) {
      let lowest = 256
      let from = 0
      let behind = 0
      for (let at = start, next = start; at < end; at = next) {
        const extended = (bytes[at] & EXTENDED) !== 0
        next = extended ? at + 4 + ((bytes[at + 2] << 8) | bytes[at + 3]) : at + 3 + bytes[at + 2]
        const code = bytes[at + 1]
        if (code <= last || code >= lowest) continue
        lowest = code
        from = at
        behind = next
      }
      while (from < behind) scratch[to++] = bytes[from++]
      last = lowest
    }
    if (to !== end - start) return
    this.attributes = scratch
    this.from = 0
    this.to = to
  }

  /**
   * Copies the section without the multiprotocol NLRI. RFC 7606 wants MP_REACH to be sent first; its next
   * hop goes to its place by code, so that the same set from another speaker is the same bytes.
   */
  #cutMultiprotocol(bytes: Uint8Array, start: number, end: number): void {
    const scratch = this.#scratch
    this.attributes = undefined
    let reachAt = 0
    let nextHopLength = 0
    let to = 0
    let inserted = false
    for (let pass = 0; pass < 2; pass++) {
      // Pass 0 finds MP_REACH, wherever it stands; pass 1 copies with its next hop in order.
      for (let at = start; at < end;) {
        const extended = (bytes[at] & EXTENDED) !== 0
        const code = bytes[at + 1]
        const value = at + (extended ? 4 : 3)
        const length = extended ? (bytes[at + 2] << 8) | bytes[at + 3] : bytes[at + 2]
        const next = value + length
        if (value > end || next > end) return
        if (code === MP_REACH || code === MP_UNREACH) {
          if (pass === 0) {
            if ((bytes[at] & ~EXTENDED) !== 0x80) return
            if (code === MP_REACH) {
              if (reachAt !== 0 || !this.#reach(bytes, value, next)) return
              reachAt = value
              nextHopLength = bytes[value + 3]
            } else if (!this.#unreach(bytes, value, next)) return
          }
        } else if (pass === 1) {
          if (reachAt !== 0 && !inserted && code > MP_REACH) {
            to = writeNextHop(bytes, reachAt, nextHopLength, this.#terms.link, scratch, to)
            inserted = true
          }
          for (let i = at; i < next; i++) scratch[to++] = bytes[i]
        }
        at = next
      }
    }
    if (reachAt !== 0 && !inserted) {
      to = writeNextHop(bytes, reachAt, nextHopLength, this.#terms.link, scratch, to)
    }
    this.attributes = scratch
    this.from = 0
    this.to = to
  }

  #reach(bytes: Uint8Array, value: number, next: number): boolean {
    const nlri = value + 5 + bytes[value + 3]
    if (next - value < 5 || nlri > next) return false
    const afi = (bytes[value] << 8) | bytes[value + 1]
    if (!isLengthOfNextHop(afi, bytes[value + 3], this.#terms.ipv6NextHops)) return false
    this.reachAfi = tableOf(afi, bytes[value + 2])
    this.reachStart = nlri
    this.reachEnd = next
    return true
  }

  #unreach(bytes: Uint8Array, value: number, next: number): boolean {
    if (next - value < 3 || this.unreachAfi !== 0) return false
    const afi = (bytes[value] << 8) | bytes[value + 1]
    this.unreachAfi = tableOf(afi, bytes[value + 2])
    this.unreachStart = value + 3
    this.unreachEnd = next
    return true
  }
}

/** AFI of the NLRI; that of no table, which is not 0, for what is there and not unicast. */
const tableOf = (afi: number, safi: number): number =>
  safi === SAFI_UNICAST && afi !== 0 ? afi : 0xffff

/** MP_REACH with its next hop only: AFI, SAFI, length, next hop, reserved, and the link of a link-local one. */
function writeNextHop(
  bytes: Uint8Array,
  value: number,
  nextHopLength: number,
  link: number,
  to: Uint8Array,
  at: number,
): number {
  to[at++] = 0x80
  to[at++] = MP_REACH
  const scoped = link !== 0 && hasLinkLocal(bytes, value + 4, nextHopLength)
  to[at++] = (scoped ? 9 : 5) + nextHopLength
  for (let i = 0; i < 4 + nextHopLength; i++) to[at++] = bytes[value + i]
  to[at++] = 0
  if (scoped) {
    to[at++] = link >>> 24
    to[at++] = link >>> 16
    to[at++] = link >>> 8
    to[at++] = link
  }
  return at
}

const malformedList = (why: string): SessionError =>
  new SessionError(ERROR_UPDATE, MALFORMED_ATTRIBUTE_LIST, why)
