/**
 * Writes UPDATE messages one behind the other into a buffer, packing as many prefixes into each as fit
 * (RFC 4271 4.3; for IPv6, and for IPv4 with an IPv6 next hop (RFC 8950), RFC 4760 with MP_REACH first, as
 * RFC 7606 section 5.1 asks). IPv4 prefixes are withdrawn in their own field, however they were announced.
 *
 * Where the session has agreed on it, each prefix follows a path identifier (RFC 7911 section 3).
 *
 * Used as: `open` an announcement with its attributes (or a withdrawal), `add` prefixes, `close`; `take`
 * the bytes. A message that is full is closed and another of the same kind opened by `add` itself.
 */
import { HEADER_LENGTH, UPDATE } from '../wire/constants.ts'
import { PATH_ID_SIZE } from '../wire/nlri.ts'
import type { FamilyFacts } from '../net/family.ts'
import type { PrefixTable } from './prefix-table.ts'

const MP_REACH = 14
const MP_UNREACH = 15
const OPTIONAL_EXTENDED = 0x90
/** A chunk goes out as one buffer. Ask `full` before each `add`. */
const CHUNK = 65_536

/**
 * Bytes of a message that announces one prefix of any length with `attributesLength` bytes of attributes and
 * a next hop of `nextHopLength`: what is more than a message can have can't be announced at all.
 */
export function shortestAnnouncement(
  family: FamilyFacts,
  attributesLength: number,
  nextHopLength: number,
  pathIds = false,
): number {
  const prefix = (pathIds ? PATH_ID_SIZE : 0) + 1 + family.bits / 8
  // The attribute's header, AFI, SAFI, the next hop's length, a reserved byte.
  const reach = isPlain(family, nextHopLength) ? 0 : 4 + 2 + 1 + 1 + nextHopLength + 1
  return HEADER_LENGTH + 2 + 2 + attributesLength + reach + prefix
}

/** Announced in the fields that RFC 4271 gave IPv4, with NEXT_HOP among the attributes. */
const isPlain = (family: FamilyFacts, nextHopLength: number): boolean =>
  family.index === 0 && nextHopLength === 4

export class UpdateWriter {
  readonly #family: FamilyFacts
  readonly #prefixes: PrefixTable
  readonly #maxMessage: number
  readonly #pathIds: boolean
  readonly #buffer: Uint8Array
  #at = 0
  #messageAt = 0
  /** Where the NLRI of the open message ends at the latest. */
  #limit = 0
  #nlriAt = 0
  #open: 'no' | 'announcement' | 'withdrawal' = 'no'
  #attributes: Uint8Array = new Uint8Array(0)
  #attributesLength = 0
  #nextHop: Uint8Array = new Uint8Array(0)
  /** The open message has its prefixes in the fields of RFC 4271. */
  #plain = false

  constructor(prefixes: PrefixTable, maxMessage: number, pathIds = false) {
    this.#family = prefixes.family
    this.#prefixes = prefixes
    this.#maxMessage = maxMessage
    this.#pathIds = pathIds
    this.#buffer = new Uint8Array(CHUNK + 2 * maxMessage)
  }

  get length(): number {
    return this.#at
  }

  /** True when the chunk should be taken before more is written. */
  get full(): boolean {
    return this.#at >= CHUNK
  }

  /**
   * Starts announcements with `attributes[0..length)`; a `nextHop` of 16 or 32 bytes goes into MP_REACH, one
   * of 4 stands among the attributes. Both are used until `close`. Throws a RangeError when no message can hold them: see
   * `shortestAnnouncement`.
   */
  openAnnouncement(attributes: Uint8Array, length: number, nextHop: Uint8Array): void {
    const needed = shortestAnnouncement(this.#family, length, nextHop.length, this.#pathIds)
    if (needed > this.#maxMessage) {
      throw new RangeError(`${length} bytes of attributes in a message of ${this.#maxMessage}`)
    }
    this.#attributes = attributes
    this.#attributesLength = length
    this.#nextHop = nextHop
    this.#plain = isPlain(this.#family, nextHop.length)
    this.#open = 'announcement'
    this.#begin()
  }

  openWithdrawal(): void {
    this.#open = 'withdrawal'
    this.#plain = this.#family.index === 0
    this.#begin()
  }

  /** `pathId` goes in front where the session has agreed on that. */
  add(prefix: number, pathId = 0): void {
    const prefixes = this.#prefixes
    const length = prefixes.length(prefix)
    const size = (length + 7) >> 3
    const before = this.#pathIds ? PATH_ID_SIZE : 0
    if (this.#at + before + 1 + size > this.#limit) {
      this.#end()
      this.#begin()
    }
    const buffer = this.#buffer
    if (before !== 0) {
      this.#u16(pathId >>> 16)
      this.#u16(pathId)
    }
    buffer[this.#at++] = length
    for (let i = 0; i < size; i++) {
      buffer[this.#at++] = prefixes.word(prefix, i >> 2) >>> (24 - 8 * (i & 3))
    }
  }

  close(): void {
    this.#end()
    this.#open = 'no'
  }

  /** A copy of the messages written so far; starts afresh. */
  take(): Uint8Array {
    const bytes = this.#buffer.slice(0, this.#at)
    this.#at = 0
    return bytes
  }

  #begin(): void {
    const buffer = this.#buffer
    this.#messageAt = this.#at
    const end = this.#at + this.#maxMessage
    buffer.fill(0xff, this.#at, this.#at + 16)
    this.#at += HEADER_LENGTH
    if (this.#plain) {
      if (this.#open === 'withdrawal') {
        this.#at += 2
        this.#limit = end - 2
      } else {
        this.#u16(0)
        this.#u16(this.#attributesLength)
        for (let i = 0; i < this.#attributesLength; i++) buffer[this.#at++] = this.#attributes[i]
        this.#limit = end
      }
    } else {
      this.#u16(0)
      this.#at += 2
      buffer[this.#at++] = OPTIONAL_EXTENDED
      buffer[this.#at++] = this.#open === 'withdrawal' ? MP_UNREACH : MP_REACH
      this.#at += 2
      this.#u16(this.#family.afi)
      buffer[this.#at++] = 1
      this.#limit = end
      if (this.#open === 'announcement') {
        buffer[this.#at++] = this.#nextHop.length
        for (let i = 0; i < this.#nextHop.length; i++) buffer[this.#at++] = this.#nextHop[i]
        buffer[this.#at++] = 0
        this.#limit = end - this.#attributesLength
      }
    }
    this.#nlriAt = this.#at
  }

  /** Fills in the lengths; drops a message that got no prefix. */
  #end(): void {
    if (this.#open === 'no') return
    const buffer = this.#buffer
    const start = this.#messageAt
    if (this.#at === this.#nlriAt) {
      this.#at = start
      return
    }
    if (this.#plain) {
      if (this.#open === 'withdrawal') {
        this.#patch(start + HEADER_LENGTH, this.#at - start - HEADER_LENGTH - 2)
        this.#u16(0)
      }
    } else {
      const attribute = start + HEADER_LENGTH + 4
      this.#patch(attribute + 2, this.#at - attribute - 4)
      if (this.#open === 'announcement') {
        for (let i = 0; i < this.#attributesLength; i++) buffer[this.#at++] = this.#attributes[i]
      }
      this.#patch(attribute - 2, this.#at - attribute)
    }
    this.#patch(start + 16, this.#at - start)
    buffer[start + 18] = UPDATE
  }

  #u16(value: number): void {
    this.#buffer[this.#at++] = value >> 8
    this.#buffer[this.#at++] = value
  }

  #patch(at: number, value: number): void {
    this.#buffer[at] = value >> 8
    this.#buffer[at + 1] = value
  }
}

/** The End-of-RIB marker of a family (RFC 4724 section 2). */
export function endOfRib(family: FamilyFacts): Uint8Array {
  const body = family.index === 0 ? [0, 0, 0, 0] : [0, 0, 0, 6, 0x80, MP_UNREACH, 3, 0, 2, 1]
  const message = new Uint8Array(HEADER_LENGTH + body.length).fill(0xff, 0, 16)
  message[17] = message.length
  message[18] = UPDATE
  message.set(body, HEADER_LENGTH)
  return message
}
