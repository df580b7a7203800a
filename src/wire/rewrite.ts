/**
 * From a canonical attribute set to the bytes that one kind of peer shall hear: the changes that RFC 4271
 * section 5 and RFC 4456 section 8 ask of a speaker that passes a route on.
 *
 * Works on bytes, attribute by attribute, and makes no objects on its way to a peer of today, because it
 * runs once for each distinct set and update group. The next hop of MP_REACH is left to the caller: that attribute also holds the NLRI.
 */
import { AS_TRANS } from './constants.ts'
import { outgoingPath, type OutgoingPath } from './outgoing-path.ts'
import { prepend, withoutConfederation } from './path-bytes.ts'

export interface OutgoingForm {
  /** To another AS, or confederation: prepend ours, leave out what is internal. */
  readonly external: boolean
  readonly localAsn: number
  /** Set where AS_PATH is changed in another way than the two above say. */
  readonly path?: OutgoingPath | undefined
  /** The route is on its way out: LOCAL_PREF 0, GRACEFUL_SHUTDOWN to external peers (RFC 8326). */
  readonly drained?: boolean
  /** Value of ONLY_TO_CUSTOMER, where the set has none (RFC 9234 section 5); 0 or absent: none. */
  readonly onlyToCustomer?: number
  /** False: the peer knows two-octet AS numbers only (RFC 6793). */
  readonly fourOctetAs: boolean
  /** NEXT_HOP to write: 4 bytes, or none for routes whose next hop goes into MP_REACH. */
  readonly nextHop: Uint8Array | undefined
  /** To another AS a MED goes only if it is ours (RFC 4271 5.1.4). */
  readonly keepMed: boolean
  /** Set when the route is reflected (RFC 4456 section 8). */
  readonly reflection: { readonly originatorId: number; readonly clusterId: number } | undefined
}

const EXTENDED = 0x10
const AS_SEQUENCE = 2
const DEFAULT_LOCAL_PREF = 100

/** Where the next byte goes; `$out` is the caller's buffer. */
let $out: Uint8Array = new Uint8Array(0)
let $at = 0

/**
 * Writes the set `from` in `form` to `to[at..]` and returns the offset behind it. `to` must have room for
 * the set and 64 bytes more, twice the AS_PATH for two-octet peers.
 */
export function rewriteAttributes(
  from: Uint8Array,
  form: OutgoingForm,
  to: Uint8Array,
  at: number,
): number {
  $out = to
  $at = at
  let insert = 0
  let as4Path: Uint8Array | undefined
  let as4Aggregator: Uint8Array | undefined
  for (let offset = 0; offset <= from.length;) {
    const end = offset === from.length
    const code = end ? 256 : from[offset + 1]
    while (insert < INSERTS.length && INSERTS[insert] <= code) {
      const added = INSERTS[insert++]
      // Where the set has one itself, only the next hop is replaced.
      if (added !== code || added === NEXT_HOP) putInsert(added, form)
    }
    if (code > AS4_PATH) {
      if (as4Path !== undefined) put(0xc0, AS4_PATH, as4Path)
      if (as4Aggregator !== undefined) put(0xc0, AS4_AGGREGATOR, as4Aggregator)
      as4Path = undefined
      as4Aggregator = undefined
    }
    if (end) break
    const extended = (from[offset] & EXTENDED) !== 0
    const value = offset + (extended ? 4 : 3)
    const length = extended ? (from[offset + 2] << 8) | from[offset + 3] : from[offset + 2]
    const next = value + length
    switch (code) {
      case AS_PATH:
        if (form.fourOctetAs && form.path === undefined) putAsPath(from, value, next, form)
        else as4Path = putUnusualAsPath(from.subarray(value, next), form)
        break
      case LOCAL_PREF:
        if (form.external) break
        if (form.drained === true) putNumber(0x40, LOCAL_PREF, 0)
        else copy(from, offset, next)
        break
      case COMMUNITIES:
        if (form.external && form.drained === true) putDrained(from, offset, value, next)
        else copy(from, offset, next)
        break
      case EXTENDED_COMMUNITIES:
        if (form.external) putTransitive(from, offset, value, next)
        else copy(from, offset, next)
        break
      case AGGREGATOR:
        if (form.fourOctetAs) copy(from, offset, next)
        else as4Aggregator = putOldAggregator(from.subarray(value, next), from[offset])
        break
      case CLUSTER_LIST:
        if (form.reflection !== undefined) {
          putClusterList(from.subarray(value, next), form.reflection.clusterId)
        } else if (staysInside(form)) copy(from, offset, next)
        break
      default:
        if (keeps(code, form)) copy(from, offset, next)
    }
    offset = next
  }
  return $at
}

const AS_PATH = 2
const NEXT_HOP = 3
const MED = 4
const LOCAL_PREF = 5
const AGGREGATOR = 7
const COMMUNITIES = 8
const ORIGINATOR_ID = 9
const CLUSTER_LIST = 10
const MP_REACH = 14
const EXTENDED_COMMUNITIES = 16
const AS4_PATH = 17
const AS4_AGGREGATOR = 18
const ONLY_TO_CUSTOMER = 35

const COMMUNITY_GRACEFUL_SHUTDOWN = 0xffff0000

/** What a form may add where the set has nothing of that code, ascending. */
const INSERTS = [
  NEXT_HOP,
  LOCAL_PREF,
  COMMUNITIES,
  ORIGINATOR_ID,
  CLUSTER_LIST,
  ONLY_TO_CUSTOMER,
] as const

function putInsert(code: (typeof INSERTS)[number], form: OutgoingForm): void {
  const { nextHop, external, reflection } = form
  switch (code) {
    case NEXT_HOP:
      if (nextHop !== undefined) put(0x40, NEXT_HOP, nextHop)
      break
    case LOCAL_PREF:
      if (!external) putNumber(0x40, LOCAL_PREF, form.drained === true ? 0 : DEFAULT_LOCAL_PREF)
      break
    case COMMUNITIES:
      if (external && form.drained === true) {
        putNumber(0xc0, COMMUNITIES, COMMUNITY_GRACEFUL_SHUTDOWN)
      }
      break
    case ORIGINATOR_ID:
      if (reflection !== undefined) putNumber(0x80, ORIGINATOR_ID, reflection.originatorId)
      break
    case CLUSTER_LIST:
      if (reflection !== undefined) putNumber(0x80, CLUSTER_LIST, reflection.clusterId)
      break
    case ONLY_TO_CUSTOMER:
      if (form.onlyToCustomer !== undefined && form.onlyToCustomer !== 0) {
        putNumber(0xc0, ONLY_TO_CUSTOMER, form.onlyToCustomer)
      }
  }
}

/** ORIGINATOR_ID and CLUSTER_LIST mean something in one AS, also where that is a member of a confederation. */
const staysInside = ({ external, path }: OutgoingForm): boolean =>
  !external && path?.confederation !== true

function keeps(code: number, form: OutgoingForm): boolean {
  switch (code) {
    case NEXT_HOP:
    case MP_REACH:
      return false
    case MED:
      return !form.external || form.keepMed
    case ORIGINATOR_ID:
      return staysInside(form)
    default:
      return true
  }
}

/** AS_PATH; to another AS with ours in front (RFC 4271 5.1.2 b): extends a leading AS_SEQUENCE, or starts one. */
function putAsPath(from: Uint8Array, start: number, end: number, form: OutgoingForm): void {
  if (!form.external) {
    putHeader(0x40, AS_PATH, end - start)
    return copy(from, start, end)
  }
  const extend = end > start && from[start] === AS_SEQUENCE && from[start + 1] < 255
  putHeader(0x40, AS_PATH, end - start + (extend ? 4 : 6))
  $out[$at++] = AS_SEQUENCE
  $out[$at++] = extend ? from[start + 1] + 1 : 1
  put32(form.localAsn)
  copy(from, extend ? start + 2 : start, end)
}

/** AS_PATH of a peer that is no plain case; returns the AS4_PATH that must go with it, if any. */
function putUnusualAsPath(path: Uint8Array, form: OutgoingForm): Uint8Array | undefined {
  const full =
    form.path !== undefined
      ? outgoingPath(path, form.path)
      : form.external
        ? prepend(path, form.localAsn)
        : path
  if (!form.fourOctetAs) return putOldAsPath(full)
  put(0x40, AS_PATH, full)
  return undefined
}

/** For a peer of two-octet AS numbers (RFC 6793 4.2.2). */
function putOldAsPath(full: Uint8Array): Uint8Array | undefined {
  const old: number[] = []
  let lossy = false
  for (let at = 0; at < full.length;) {
    const count = full[at + 1]
    old.push(full[at], count)
    at += 2
    for (let i = 0; i < count; i++, at += 4) {
      const wide = full[at] !== 0 || full[at + 1] !== 0
      lossy ||= wide
      if (wide) old.push(AS_TRANS >> 8, AS_TRANS & 0xff)
      else old.push(full[at + 2], full[at + 3])
    }
  }
  put(0x40, AS_PATH, Uint8Array.from(old))
  return lossy ? withoutConfederation(full) : undefined
}

/** COMMUNITIES with GRACEFUL_SHUTDOWN among them. */
function putDrained(from: Uint8Array, offset: number, value: number, next: number): void {
  for (let at = value; at < next; at += 4) {
    if (isGracefulShutdown(from, at)) return copy(from, offset, next)
  }
  putHeader(from[offset] & ~EXTENDED, COMMUNITIES, next - value + 4)
  copy(from, value, next)
  put32(COMMUNITY_GRACEFUL_SHUTDOWN)
}

const isGracefulShutdown = (bytes: Uint8Array, at: number): boolean =>
  bytes[at] === 0xff && bytes[at + 1] === 0xff && bytes[at + 2] === 0 && bytes[at + 3] === 0

/** Non-transitive extended communities don't leave the AS (RFC 4360 section 6). */
function putTransitive(from: Uint8Array, offset: number, value: number, next: number): void {
  let length = 0
  for (let at = value; at < next; at += 8) if ((from[at] & 0x40) === 0) length += 8
  if (length === next - value) return copy(from, offset, next)
  if (length === 0) return
  putHeader(from[offset] & ~EXTENDED, EXTENDED_COMMUNITIES, length)
  for (let at = value; at < next; at += 8) if ((from[at] & 0x40) === 0) copy(from, at, at + 8)
}

function putOldAggregator(value: Uint8Array, flags: number): Uint8Array | undefined {
  const wide = value[0] !== 0 || value[1] !== 0
  const old = new Uint8Array(6)
  if (wide) old.set([AS_TRANS >> 8, AS_TRANS & 0xff])
  else old.set(value.subarray(2, 4))
  old.set(value.subarray(4), 2)
  put(flags & ~EXTENDED, AGGREGATOR, old)
  return wide ? value : undefined
}

function putClusterList(list: Uint8Array, clusterId: number): void {
  const longer = new Uint8Array(list.length + 4)
  longer.set(bytesOf(clusterId))
  longer.set(list, 4)
  put(0x80, CLUSTER_LIST, longer)
}

function put(flags: number, code: number, value: Uint8Array): void {
  putHeader(flags, code, value.length)
  copy(value, 0, value.length)
}

function putNumber(flags: number, code: number, value: number): void {
  putHeader(flags, code, 4)
  put32(value)
}

function putHeader(flags: number, code: number, length: number): void {
  const extended = length > 255
  $out[$at++] = extended ? flags | EXTENDED : flags
  $out[$at++] = code
  if (extended) $out[$at++] = length >> 8
  $out[$at++] = length
}

function put32(value: number): void {
  $out[$at++] = value >>> 24
  $out[$at++] = value >>> 16
  $out[$at++] = value >>> 8
  $out[$at++] = value
}

function copy(from: Uint8Array, start: number, end: number): void {
  for (let i = start; i < end; i++) $out[$at++] = from[i]
}

const bytesOf = (value: number): Uint8Array =>
  Uint8Array.of(value >>> 24, (value >>> 16) & 0xff, (value >>> 8) & 0xff, value & 0xff)
