/**
 * The fast reading of a path-attribute section: one pass over its bytes that either finds everything
 * plain and leaves the facts that the decision process compares, or says "not plain".
 *
 * Plain means canonical: ascending codes, no duplicates, expected flags, four-octet AS numbers, values
 * that pass their checks, MP_REACH cut down to its next hop. Nearly all attribute sets of a real feed are
 * plain, and each is scanned once in its life, because the attribute store interns them by their bytes.
 * Anything else goes through `attributes/normalize.ts`, which knows every rule of RFC 7606 and writes
 * canonical bytes, and these are plain again. So this file decides nothing that RFC 7606 asks for: it only
 * recognises sets about which there is nothing to decide.
 */

import { isLinkBandwidth } from './attributes/extended-communities.ts'

/** Which facts a set has, beside its numbers. */
export const HAS_MED = 1 << 0
export const HAS_LOCAL_PREF = 1 << 1
export const HAS_ORIGINATOR_ID = 1 << 2
export const HAS_CLUSTER_LIST = 1 << 3
export const NO_EXPORT = 1 << 4
export const NO_ADVERTISE = 1 << 5
export const HAS_NEXT_HOP = 1 << 6
/** One of the attributes that every set with IPv4 NLRI must have is there. */
export const HAS_ORIGIN = 1 << 7
export const HAS_AS_PATH = 1 << 8
/** NEXT_HOP stands in MP_REACH. */
export const NEXT_HOP_IN_REACH = 1 << 9
/** The AS_PATH contains one of our own AS numbers; see `ownAsCount`. */
export const HAS_OWN_AS = 1 << 10
export const HAS_OWN_CLUSTER = 1 << 11
export const HAS_CONFEDERATION = 1 << 12
/** With NO_EXPORT: not even to the other member ASes of a confederation (RFC 1997). */
export const NO_EXPORT_SUBCONFED = 1 << 13
/** RFC 3765. */
export const NO_PEER = 1 << 14
/** RFC 8326. */
export const GRACEFUL_SHUTDOWN = 1 << 15
/** ONLY_TO_CUSTOMER is there (RFC 9234). */
export const HAS_OTC = 1 << 16

/** The bandwidth of a link is told (RFC 10005). */
export const HAS_LINK_BANDWIDTH = 1 << 17

/** RFC 9494: a route that outlives its session as the last choice, and one that must not. */
export const LLGR_STALE = 1 << 18
export const NO_LLGR = 1 << 19

/** What a scan found; offsets are into the scanned buffer. */
export class AttributeFacts {
  flags = 0
  /** 0 IGP, 1 EGP, 2 incomplete. */
  origin = 2
  /** AS_SEQUENCE members one each, an AS_SET one in all, confederation segments none (RFC 5065 5.3). */
  asPathLength = 0
  /**
   * First AS of the path behind what our confederation has added (RFC 5065 5.3), 0 when there is none or
   * a set stands there: the neighbour that MEDs are compared within.
   */
  neighborAs = 0
  ownAsCount = 0
  localPref = 100
  med = 0
  originatorId = 0
  clusterListLength = 0
  nextHopAt = 0
  nextHopLength = 0
  /** Where its link-local address lives; 0 when it has none. */
  nextHopLink = 0
}

/** Whose loops to look for while scanning. */
export interface OwnIdentity {
  readonly asns: readonly number[]
  /** Cluster id as an unsigned 32-bit number. */
  readonly clusterId: number
}

const u32 = (bytes: Uint8Array, at: number): number =>
  ((bytes[at] << 24) | (bytes[at + 1] << 16) | (bytes[at + 2] << 8) | bytes[at + 3]) >>> 0

const COMMUNITY_NO_EXPORT = 0xffffff01
const COMMUNITY_NO_ADVERTISE = 0xffffff02
const COMMUNITY_NO_EXPORT_SUBCONFED = 0xffffff03
const COMMUNITY_NO_PEER = 0xffffff04
const COMMUNITY_GRACEFUL_SHUTDOWN = 0xffff0000
export const COMMUNITY_LLGR_STALE = 0xffff0006
const COMMUNITY_NO_LLGR = 0xffff0007

// Expected flag bytes, extended length left aside: 0x40 well-known, 0x80 optional non-transitive,
// 0xc0 optional transitive (RFC 4271 4.3).
const EXTENDED = 0x10

/**
 * Scans `bytes[start..end)` into `facts`. True when the section is plain; `facts` is meaningless
 * otherwise.
 */
export function scanAttributes(
  bytes: Uint8Array,
  start: number,
  end: number,
  own: OwnIdentity,
  facts: AttributeFacts,
): boolean {
  facts.flags = 0
  facts.origin = 2
  facts.asPathLength = 0
  facts.neighborAs = 0
  facts.ownAsCount = 0
  facts.localPref = 100
  facts.med = 0
  facts.originatorId = 0
  facts.clusterListLength = 0
  facts.nextHopLength = 0
  facts.nextHopLink = 0
  let at = start
  let previous = 0
  while (at < end) {
    if (at + 3 > end) return false
    const flags = bytes[at]
    const code = bytes[at + 1]
    let length = bytes[at + 2]
    at += 3
    if ((flags & EXTENDED) !== 0) {
      length = (length << 8) | bytes[at]
      at++
      if (length < 256) return false
    }
    const next = at + length
    if (next > end || code <= previous) return false
    previous = code
    const kind = flags & ~EXTENDED
    switch (code) {
      case 1: // ORIGIN
        if (kind !== 0x40 || length !== 1 || bytes[at] > 2) return false
        facts.origin = bytes[at]
        facts.flags |= HAS_ORIGIN
        break
      case 2: // AS_PATH
        if (kind !== 0x40 || !scanAsPath(bytes, at, next, own, facts)) return false
        facts.flags |= HAS_AS_PATH
        break
      case 3: // NEXT_HOP
        if (kind !== 0x40 || length !== 4 || !plainNextHop(bytes, at)) return false
        facts.nextHopAt = at
        facts.nextHopLength = 4
        facts.flags |= HAS_NEXT_HOP
        break
      case 4: // MULTI_EXIT_DISC
        if (kind !== 0x80 || length !== 4) return false
        facts.med = u32(bytes, at)
        facts.flags |= HAS_MED
        break
      case 5: // LOCAL_PREF
        if (kind !== 0x40 || length !== 4) return false
        facts.localPref = u32(bytes, at)
        facts.flags |= HAS_LOCAL_PREF
        break
      case 6: // ATOMIC_AGGREGATE
        if (kind !== 0x40 || length !== 0) return false
        break
      case 7: // AGGREGATOR
        if ((kind & ~0x20) !== 0xc0 || length !== 8 || u32(bytes, at) === 0) return false
        break
      case 8: // COMMUNITIES (RFC 1997)
        if ((kind & ~0x20) !== 0xc0 || length === 0 || (length & 3) !== 0) return false
        for (let i = at; i < next; i += 4) {
          // The well-known ones, and few others, begin with 0xffff.
          if (bytes[i] === 0xff && bytes[i + 1] === 0xff) noteWellKnown(u32(bytes, i), facts)
        }
        break
      case 9: // ORIGINATOR_ID (RFC 4456)
        if (kind !== 0x80 || length !== 4) return false
        facts.originatorId = u32(bytes, at)
        facts.flags |= HAS_ORIGINATOR_ID
        break
      case 10: // CLUSTER_LIST (RFC 4456)
        if (kind !== 0x80 || length === 0 || (length & 3) !== 0) return false
        facts.clusterListLength = length >> 2
        facts.flags |= HAS_CLUSTER_LIST
        for (let i = at; i < next; i += 4) {
          if (u32(bytes, i) === own.clusterId) facts.flags |= HAS_OWN_CLUSTER
        }
        break
      case 14: {
        // MP_REACH_NLRI, without its NLRI: AFI, SAFI, next hop, one reserved byte, maybe its link
        // Beside it NEXT_HOP says nothing (RFC 4760 section 3) and is left out.
        if ((facts.flags & HAS_NEXT_HOP) !== 0) return false
        if (kind !== 0x80 || length < 5) return false
        const reserved = at + 4 + bytes[at + 3]
        if (next !== reserved + 1 && next !== reserved + 5) return false
        if (bytes[reserved] !== 0 || !plainReachNextHop(bytes, at + 4, bytes[at + 3])) return false
        facts.nextHopAt = at + 4
        facts.nextHopLength = bytes[at + 3]
        facts.flags |= HAS_NEXT_HOP | NEXT_HOP_IN_REACH
        if (next !== reserved + 1) facts.nextHopLink = u32(bytes, reserved + 1)
        break
      }
      case 16: // EXTENDED_COMMUNITIES (RFC 4360)
        if ((kind & ~0x20) !== 0xc0 || length === 0 || (length & 7) !== 0) return false
        for (let i = at; i < next; i += 8) {
          if (isLinkBandwidth(bytes, i)) facts.flags |= HAS_LINK_BANDWIDTH
        }
        break
      case 32: // LARGE_COMMUNITIES (RFC 8092)
        if ((kind & ~0x20) !== 0xc0 || length === 0 || length % 12 !== 0) return false
        if (hasRepetition(bytes, at, next, 12)) return false
        break
      case 35: // ONLY_TO_CUSTOMER (RFC 9234)
        if ((kind & ~0x20) !== 0xc0 || length !== 4) return false
        facts.flags |= HAS_OTC
        break
      default: // unknown: plain only as optional transitive that is marked partial already
        if (kind !== 0xe0 || code === 15 || code === 17 || code === 18) return false
    }
    at = next
  }
  return true
}

function noteWellKnown(community: number, facts: AttributeFacts): void {
  switch (community) {
    case COMMUNITY_NO_EXPORT:
      facts.flags |= NO_EXPORT
      break
    case COMMUNITY_NO_ADVERTISE:
      facts.flags |= NO_ADVERTISE
      break
    case COMMUNITY_NO_EXPORT_SUBCONFED:
      facts.flags |= NO_EXPORT | NO_EXPORT_SUBCONFED
      break
    case COMMUNITY_NO_PEER:
      facts.flags |= NO_PEER
      break
    case COMMUNITY_GRACEFUL_SHUTDOWN:
      facts.flags |= GRACEFUL_SHUTDOWN
      break
    case COMMUNITY_LLGR_STALE:
      facts.flags |= LLGR_STALE
      break
    case COMMUNITY_NO_LLGR:
      facts.flags |= NO_LLGR
  }
}

/** Neither 0/8, 127/8, multicast nor broadcast. 240/4 passes: Fan overlays use it as unicast. */
function plainNextHop(bytes: Uint8Array, at: number): boolean {
  const first = bytes[at]
  return first !== 0 && first !== 127 && (first < 224 || (first >= 240 && first < 255))
}

/** A unicast address, or for IPv6 a global one followed by a link-local one (RFC 2545 section 3). */
function plainReachNextHop(bytes: Uint8Array, at: number, length: number): boolean {
  if (length === 4) return plainNextHop(bytes, at)
  if (length !== 16 && length !== 32) return false
  if (length === 32 && (!isLinkLocal(bytes, at + 16) || isLinkLocal(bytes, at))) return false
  let high = 0
  for (let i = at; i < at + 15; i++) high |= bytes[i]
  return bytes[at] !== 0xff && (high !== 0 || bytes[at + 15] > 1)
}

const isLinkLocal = (bytes: Uint8Array, at: number): boolean =>
  bytes[at] === 0xfe && (bytes[at + 1] & 0xc0) === 0x80

/** Longer lists are looked up: comparing all with all would take an extended message a tenth of a second. */
const SHORT_LIST = 16

/** Large communities say each thing once (RFC 8092 section 5). Lists are short, unless somebody means harm. */
function hasRepetition(bytes: Uint8Array, start: number, end: number, size: number): boolean {
  if (end - start > SHORT_LIST * size) return hasRepetitionInLong(bytes, start, end, size)
  for (let a = start; a < end; a += size) {
    for (let b = a + size; b < end; b += size) {
      let i = 0
      while (i < size && bytes[a + i] === bytes[b + i]) i++
      if (i === size) return true
    }
  }
  return false
}

function hasRepetitionInLong(bytes: Uint8Array, start: number, end: number, size: number): boolean {
  const seen = new Set<string>()
  for (let at = start; at < end; at += size) {
    seen.add(String.fromCharCode(...bytes.subarray(at, at + size)))
  }
  return seen.size < (end - start) / size
}

const AS_SET = 1
const AS_SEQUENCE = 2
const CONFEDERATION_SEQUENCE = 3

function scanAsPath(
  bytes: Uint8Array,
  start: number,
  end: number,
  own: OwnIdentity,
  facts: AttributeFacts,
): boolean {
  const ownAsns = own.asns
  /** A segment that is not of the confederation has been seen. */
  let outside = false
  let at = start
  while (at < end) {
    const type = bytes[at]
    const count = bytes[at + 1]
    const next = at + 2 + 4 * count
    if (count === 0 || next > end || type < AS_SET || type > 4) return false
    if (type >= CONFEDERATION_SEQUENCE) facts.flags |= HAS_CONFEDERATION
    else {
      if (!outside && type === AS_SEQUENCE) facts.neighborAs = u32(bytes, at + 2)
      outside = true
      facts.asPathLength += type === AS_SEQUENCE ? count : 1
    }
    for (let i = at + 2; i < next; i += 4) {
      const asn = u32(bytes, i)
      if (asn === 0) return false
      for (let j = 0; j < ownAsns.length; j++) {
        if (asn === ownAsns[j]) {
          facts.flags |= HAS_OWN_AS
          facts.ownAsCount++
        }
      }
    }
    at = next
  }
  return at === end
}
