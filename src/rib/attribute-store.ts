/**
 * The attribute store: each distinct set of path attributes once, under a small number, the AttrId.
 *
 * A feed of a million prefixes has some 160,000 distinct sets; a prefix refers to its set by number, and
 * two routes have equal attributes when the numbers are equal. Sets are found by their canonical bytes
 * (see wire/scan.ts), which are kept for sending on and for `show`; what the decision process compares is
 * read once and stands in columns:
 *
 *   0  references  paths, update groups and others that use the set
 *   1  address     of the bytes in the arena
 *   2  length      of the bytes
 *   3  hash        of the bytes
 *   4  flags       wire/scan.ts: HAS_MED, NO_EXPORT, HAS_OWN_AS..., and the marks of policy/policy.ts
 *   5  lengths     AS_PATH (bits 0-15), CLUSTER_LIST (16-23), ORIGIN (24-25), own AS seen (26-31)
 *   6  neighborAs  7  localPref  8  med  9  nextHop (NextHopTable)  10  originatorId
 *   11 birth       counts the sets ever stored, so that an AttrId that is used again is told from before
 */
import { MARKS, type AttributeSets } from '../policy/policy.ts'
import { valueIn } from '../policy/set-reader.ts'
import { linkBandwidthIn } from '../wire/attributes/extended-communities.ts'
import {
  AttributeFacts,
  HAS_LINK_BANDWIDTH,
  HAS_NEXT_HOP,
  scanAttributes,
  type OwnIdentity,
} from '../wire/scan.ts'
import { HashIndex } from './hash-index.ts'
import { ByteArena, LONGEST } from './byte-arena.ts'
import type { NextHopTable } from './next-hop-table.ts'
import { Rows } from '../net/rows.ts'

const REFERENCES = 0
const ADDRESS = 1
const LENGTH = 2
const HASH = 3
const FLAGS = 4
const LENGTHS = 5
const NEIGHBOR_AS = 6
const LOCAL_PREF = 7
const MED = 8
const NEXT_HOP = 9
const ORIGINATOR_ID = 10
const BIRTH = 11
const WIDTH = 12

/** Attribute code. */
const EXTENDED_COMMUNITIES = 16

export class AttributeStore implements AttributeSets {
  readonly #own: OwnIdentity
  readonly #nextHops: NextHopTable
  readonly #rows = new Rows(WIDTH)
  readonly #arena = new ByteArena()
  readonly #index = new HashIndex()
  readonly #$facts = new AttributeFacts()
  #births = 0

  constructor(own: OwnIdentity, nextHops: NextHopTable) {
    this.#own = own
    this.#nextHops = nextHops
  }

  /** Distinct sets in use. */
  get live(): number {
    return this.#rows.live
  }

  get bytes(): number {
    return this.#rows.bytes + this.#arena.bytes + this.#index.bytes
  }

  /**
   * The AttrId of the set with these bytes and marks, with one reference taken for the caller; 0 when it is
   * a new one and not plain, or longer than any message: numbers of two octets that grow to four can do that.
   */
  intern(bytes: Uint8Array, start: number, end: number, marks = 0): number {
    if (end - start > LONGEST) return 0
    const hash = hashBytes(bytes, start, end)
    for (let id = this.#index.first(hash); id !== 0; id = this.#index.next()) {
      if (this.#is(id, marks, bytes, start, end)) {
        this.retain(id)
        return id
      }
    }
    return this.#add(hash, marks, bytes, start, end)
  }

  retain(id: number, count = 1): void {
    this.#rows.set(id, REFERENCES, this.#rows.get(id, REFERENCES) + count)
  }

  /** Gives up one reference; the last one frees the set. */
  release(id: number): void {
    const references = this.#rows.get(id, REFERENCES) - 1
    this.#rows.set(id, REFERENCES, references)
    if (references > 0) return
    this.#index.remove(id, this.#rows.get(id, HASH))
    this.#arena.free(this.#rows.get(id, ADDRESS), this.#rows.get(id, LENGTH))
    this.#nextHops.release(this.#rows.get(id, NEXT_HOP))
    this.#rows.free(id)
  }

  flags(id: number): number {
    return this.#rows.get(id, FLAGS)
  }

  birth(id: number): number {
    return this.#rows.get(id, BIRTH)
  }

  /** 0 IGP, 1 EGP, 2 incomplete. */
  origin(id: number): number {
    return (this.#rows.get(id, LENGTHS) >>> 24) & 3
  }

  asPathLength(id: number): number {
    return this.#rows.get(id, LENGTHS) & 0xffff
  }

  clusterListLength(id: number): number {
    return (this.#rows.get(id, LENGTHS) >>> 16) & 0xff
  }

  /** How often our own AS numbers stand in the AS_PATH, 63 at most. */
  ownAsCount(id: number): number {
    return this.#rows.get(id, LENGTHS) >>> 26
  }

  neighborAs(id: number): number {
    return this.#rows.get(id, NEIGHBOR_AS) >>> 0
  }

  /** 100 when the set has none (RFC 4271 leaves the default to us; everybody's is 100). */
  localPref(id: number): number {
    return this.#rows.get(id, LOCAL_PREF) >>> 0
  }

  /** 0, the best, when the set has none (RFC 4271 9.1.2.2 c). */
  med(id: number): number {
    return this.#rows.get(id, MED) >>> 0
  }

  nextHop(id: number): number {
    return this.#rows.get(id, NEXT_HOP)
  }

  /** 0 when the set has none. */
  originatorId(id: number): number {
    return this.#rows.get(id, ORIGINATOR_ID) >>> 0
  }

  /** Bytes per second of the link that the set tells of (RFC 10005); 0 when it tells of none. */
  linkBandwidth(id: number): number {
    if ((this.flags(id) & HAS_LINK_BANDWIDTH) === 0) return 0
    const communities = valueIn(this.view(id), EXTENDED_COMMUNITIES)
    return communities === undefined ? 0 : linkBandwidthIn(communities)
  }

  /** Of the canonical bytes. */
  byteLength(id: number): number {
    return this.#rows.get(id, LENGTH)
  }

  /** The canonical bytes, as a view: valid until the set is freed. */
  view(id: number): Uint8Array {
    const address = this.#rows.get(id, ADDRESS)
    const at = this.#arena.offset(address)
    return this.#arena.segment(address).subarray(at, at + this.#rows.get(id, LENGTH))
  }

  #is(id: number, marks: number, bytes: Uint8Array, start: number, end: number): boolean {
    return (
      (this.#rows.get(id, FLAGS) & MARKS) === marks &&
      this.#rows.get(id, LENGTH) === end - start &&
      this.#arena.equals(this.#rows.get(id, ADDRESS), bytes, start, end)
    )
  }

  #add(hash: number, marks: number, bytes: Uint8Array, start: number, end: number): number {
    const facts = this.#$facts
    if (!scanAttributes(bytes, start, end, this.#own, facts)) return 0
    const id = this.#rows.allocate()
    const row = this.#rows.words
    const at = this.#rows.offset(id)
    row[at + REFERENCES] = 1
    row[at + ADDRESS] = this.#arena.store(bytes, start, end)
    row[at + LENGTH] = end - start
    row[at + HASH] = hash
    row[at + FLAGS] = facts.flags | marks
    row[at + LENGTHS] =
      Math.min(facts.asPathLength, 0xffff) |
      (Math.min(facts.clusterListLength, 0xff) << 16) |
      (facts.origin << 24) |
      (Math.min(facts.ownAsCount, 63) << 26)
    row[at + NEIGHBOR_AS] = facts.neighborAs
    row[at + LOCAL_PREF] = facts.localPref
    row[at + MED] = facts.med
    row[at + NEXT_HOP] =
      (facts.flags & HAS_NEXT_HOP) === 0
        ? 0
        : this.#nextHops.intern(bytes, facts.nextHopAt, facts.nextHopLength, facts.nextHopLink)
    row[at + ORIGINATOR_ID] = facts.originatorId
    this.#births = (this.#births + 1) | 0 || 1
    row[at + BIRTH] = this.#births
    this.#index.add(id, hash)
    return id
  }
}

/** Mixes four bytes at a time; the tail byte by byte. */
function hashBytes(bytes: Uint8Array, start: number, end: number): number {
  let hash = end - start
  let at = start
  for (const whole = end - 3; at < whole; at += 4) {
    const word = bytes[at] | (bytes[at + 1] << 8) | (bytes[at + 2] << 16) | (bytes[at + 3] << 24)
    hash = Math.imul(hash ^ word, 0x9e3779b1)
    hash = (hash << 15) | (hash >>> 17)
  }
  for (; at < end; at++) hash = Math.imul(hash ^ bytes[at], 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 15), 0xc2b2ae35)
  return hash ^ (hash >>> 13)
}
