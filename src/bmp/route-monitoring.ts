/**
 * Route Monitoring (RFC 7854 section 4.6): UPDATE messages made of what the RIB holds, one behind the other
 * in a buffer, each in its BMP message. As many prefixes go into one as fit: routes that follow each other
 * with the same attributes, as they mostly do, cost a few bytes each.
 *
 * Used as: `open` with the peer's header and the attributes (none: a withdrawal), `add` prefixes, `close`;
 * `take` the bytes. AS numbers have four octets, and IPv6 routes stand in MP_REACH_NLRI, put first (RFC
 * 7606 section 5.1).
 */
import type { FamilyFacts } from '../net/family.ts'
import { SAFI_UNICAST } from '../net/family.ts'
import {
  HEADER_LENGTH,
  MAX_EXTENDED_MESSAGE_LENGTH,
  MAX_MESSAGE_LENGTH,
  UPDATE,
} from '../wire/constants.ts'
import { withNextHop } from '../wire/own-next-hop.ts'
import { HEADER_BYTES } from './message.ts'
import { PEER_HEADER_BYTES, putPeerHeader } from './peer-header.ts'

const VERSION = 3
const ROUTE_MONITORING = 0

const MP_REACH = 14
const MP_UNREACH = 15
const OPTIONAL = 0x80
const EXTENDED_LENGTH = 0x10

const NOTHING = new Uint8Array(0)

/** What one `take` gives at most, but for the last message. */
const CHUNK = 65_536
/** Path identifier, length, address: one prefix at its longest. */
const LONGEST_NLRI = 4 + 1 + 16
/** Length fields and the head of MP_REACH_NLRI with two next hops. */
const HEADS = 64

export class RouteMonitoring {
  readonly #buffer = new Uint8Array(CHUNK + MAX_EXTENDED_MESSAGE_LENGTH + HEADS)
  #at = 0
  #messages = 0
  #isOpen = false
  // The messages being written.
  #header: Uint8Array = NOTHING
  #wallMs = 0
  #family: FamilyFacts | undefined
  #addPath = false
  #announces = false
  /** All attributes but MP_REACH_NLRI. */
  readonly #attributes = new Uint8Array(MAX_EXTENDED_MESSAGE_LENGTH)
  #attributesLength = 0
  /** What MP_REACH_NLRI begins with; empty where NLRI stand at the end of the message. */
  #reach: Uint8Array = NOTHING
  // The message being written.
  #bmpAt = 0
  #bgpAt = 0
  #nlriAt = 0
  /** Where its NLRI end at the latest. */
  #limit = 0

  /** Messages since the last `take`. */
  get messages(): number {
    return this.#messages
  }

  /** True when the chunk should be taken before another message is opened. */
  get full(): boolean {
    return this.#at >= CHUNK
  }

  /**
   * Starts messages about the peer with this header, of what was received at `wallMs`. `attributes` are
   * canonical; undefined withdraws. With `addPath` each prefix has an identifier (RFC 7911).
   */
  open(
    header: Uint8Array,
    wallMs: number,
    family: FamilyFacts,
    attributes: Uint8Array | undefined,
    addPath = false,
  ): void {
    this.#header = header
    this.#wallMs = wallMs
    this.#family = family
    this.#addPath = addPath
    this.#announces = attributes !== undefined
    this.#attributesLength = 0
    this.#reach = NOTHING
    if (attributes !== undefined) this.#prepare(withNextHop(attributes, family))
    this.#isOpen = true
    this.#begin()
  }

  /** One more prefix, its big-endian words in `words`. */
  add(words: Int32Array, length: number, pathId = 0): void {
    const size = (length + 7) >> 3
    if (this.#at + LONGEST_NLRI > this.#limit) {
      this.#end()
      this.#begin()
    }
    const buffer = this.#buffer
    if (this.#addPath) this.#u32(pathId)
    buffer[this.#at++] = length
    for (let i = 0; i < size; i++) buffer[this.#at++] = words[i >> 2] >>> (24 - 8 * (i & 3))
  }

  close(): void {
    if (this.#isOpen) this.#end()
    this.#isOpen = false
  }

  /** The End-of-RIB marker of a family: an UPDATE that withdraws nothing (RFC 4724 section 2). */
  endOfRib(header: Uint8Array, wallMs: number, family: FamilyFacts): void {
    this.open(header, wallMs, family, undefined)
    this.#isOpen = false
    this.#finish()
  }

  /** A copy of the messages so far; starts afresh. */
  take(): Uint8Array {
    const bytes = this.#buffer.slice(0, this.#at)
    this.#at = 0
    this.#messages = 0
    return bytes
  }

  /** Sorts the attributes: those to copy, and the head of MP_REACH_NLRI. */
  #prepare(set: Uint8Array): void {
    for (let at = 0; at < set.length;) {
      const long = (set[at] & EXTENDED_LENGTH) !== 0
      const value = at + (long ? 4 : 3)
      const next = value + (long ? (set[at + 2] << 8) | set[at + 3] : set[at + 2])
      // The link that a link-local next hop lives on, behind it in canonical bytes, means nothing elsewhere.
      if (set[at + 1] === MP_REACH) this.#reach = set.slice(value, value + 5 + set[value + 3])
      else this.#copy(set, at, next)
      at = next
    }
  }

  #copy(from: Uint8Array, start: number, end: number): void {
    this.#attributes.set(from.subarray(start, end), this.#attributesLength)
    this.#attributesLength += end - start
  }

  #begin(): void {
    const buffer = this.#buffer
    this.#bmpAt = this.#at
    buffer[this.#at] = VERSION
    buffer[this.#at + 5] = ROUTE_MONITORING
    putPeerHeader(buffer, this.#at + HEADER_BYTES, this.#header, this.#wallMs)
    this.#bgpAt = this.#at + HEADER_BYTES + PEER_HEADER_BYTES
    buffer.fill(0xff, this.#bgpAt, this.#bgpAt + 16)
    buffer[this.#bgpAt + 18] = UPDATE
    this.#at = this.#bgpAt + HEADER_LENGTH
    this.#limit = this.#bgpAt + this.#longest()
    if (this.#family?.index === 0 && this.#reach.length === 0) this.#beginPlain()
    else this.#beginMultiprotocol()
    this.#nlriAt = this.#at
  }

  /** As any session would have it, or, for attributes beyond that, as RFC 8654 allows. */
  #longest(): number {
    const least = HEADER_LENGTH + HEADS + this.#attributesLength + LONGEST_NLRI
    return least > MAX_MESSAGE_LENGTH ? MAX_EXTENDED_MESSAGE_LENGTH : MAX_MESSAGE_LENGTH
  }

  #beginPlain(): void {
    this.#u16(0)
    if (!this.#announces) {
      this.#limit -= 2
      return
    }
    this.#u16(this.#attributesLength)
    this.#buffer.set(this.#attributes.subarray(0, this.#attributesLength), this.#at)
    this.#at += this.#attributesLength
  }

  #beginMultiprotocol(): void {
    const buffer = this.#buffer
    this.#u32(0)
    buffer[this.#at++] = OPTIONAL | EXTENDED_LENGTH
    buffer[this.#at++] = this.#announces ? MP_REACH : MP_UNREACH
    this.#u16(0)
    if (this.#announces) {
      buffer.set(this.#reach, this.#at)
      this.#at += this.#reach.length
      this.#limit -= this.#attributesLength
    } else {
      this.#u16(this.#family?.afi ?? 0)
      buffer[this.#at++] = SAFI_UNICAST
    }
  }

  /** A message that got no prefix is dropped. */
  #end(): void {
    if (this.#at === this.#nlriAt) this.#at = this.#bmpAt
    else this.#finish()
  }

  /** Fills in the lengths. */
  #finish(): void {
    const start = this.#bgpAt + HEADER_LENGTH
    if (this.#family?.index === 0 && this.#reach.length === 0) {
      if (!this.#announces) {
        this.#patch16(start, this.#at - start - 2)
        this.#u16(0)
      }
    } else {
      this.#patch16(start + 6, this.#at - start - 8)
      this.#buffer.set(this.#attributes.subarray(0, this.#attributesLength), this.#at)
      this.#at += this.#attributesLength
      this.#patch16(start + 2, this.#at - start - 4)
    }
    this.#patch16(this.#bgpAt + 16, this.#at - this.#bgpAt)
    const length = this.#at - this.#bmpAt
    this.#patch16(this.#bmpAt + 1, length >>> 16)
    this.#patch16(this.#bmpAt + 3, length & 0xffff)
    this.#messages++
  }

  #u16(value: number): void {
    this.#patch16(this.#at, value)
    this.#at += 2
  }

  #u32(value: number): void {
    this.#u16(value >>> 16)
    this.#u16(value & 0xffff)
  }

  #patch16(at: number, value: number): void {
    this.#buffer[at] = value >> 8
    this.#buffer[at + 1] = value
  }
}
