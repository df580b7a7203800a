/**
 * BMP, the BGP Monitoring Protocol (RFC 7854, RFC 9069): a router tells a station what it hears and knows.
 *
 * One TCP connection, one direction: the station never answers. A message is a header and a body; those
 * about a peer begin with a header that says which one, and on which side of import policy we look. This
 * room only writes bytes: message.ts the messages about sessions and numbers, peer-header.ts who it is
 * about, route-monitoring.ts the routes. When to connect, and what is still to be told, is the daemon's.
 */
import { Writer } from '../net/bytes.ts'
import { encodeUtf8 } from '../net/utf8.ts'
import { PEER_HEADER_BYTES, putPeerHeader } from './peer-header.ts'

export const HEADER_BYTES = 6

const VERSION = 3
const STATISTICS_REPORT = 1
const PEER_DOWN = 2
const PEER_UP = 3
const INITIATION = 4
const TERMINATION = 5

/** Information TLVs of Initiation and Termination (sections 4.4 and 4.5), of Peer Up (RFC 9069 section 5.3). */
const TEXT = 0
const SYSTEM_DESCRIPTION = 1
const SYSTEM_NAME = 2
const REASON = 1
const TABLE_NAME = 3

const ADMINISTRATIVELY_CLOSED = 0

/** Our first message (section 4.3). */
export function initiation({
  name,
  description,
}: {
  name: string
  description: string
}): Uint8Array {
  const tlvs = [textTlv(SYSTEM_DESCRIPTION, description), textTlv(SYSTEM_NAME, name)]
  return message(INITIATION, ...tlvs)
}

/** Our last one (section 4.5): we close because we were told to. */
export function termination(text: string): Uint8Array {
  const reason = new Writer(2).u16(ADMINISTRATIVELY_CLOSED).take()
  return message(TERMINATION, textTlv(TEXT, text), tlv(REASON, reason))
}

export interface PeerUp {
  /** 4 or 16 bytes; none for the Loc-RIB, which has no session. */
  readonly localAddress: Uint8Array
  readonly localPort: number
  readonly remotePort: number
  /** The OPEN messages, header and all. */
  readonly sentOpen: Uint8Array
  readonly receivedOpen: Uint8Array
  /** Of the Loc-RIB: the table's name. */
  readonly table?: string
}

/** A session is up (section 4.10). */
export function peerUp(header: Uint8Array, wallMs: number, it: PeerUp): Uint8Array {
  const ends = new Writer(20)
    .bytes(wideAddress(it.localAddress))
    .u16(it.localPort)
    .u16(it.remotePort)
  return message(
    PEER_UP,
    peerHeaderAt(header, wallMs),
    ends.take(),
    it.sentOpen,
    it.receivedOpen,
    ...(it.table === undefined ? [] : [textTlv(TABLE_NAME, it.table)]),
  )
}

/** Why it is down, with the numbers of section 4.9 and RFC 9069 section 5.3. */
export type PeerDown =
  /** We sent this NOTIFICATION message. */
  | { readonly reason: 1; readonly notification: Uint8Array }
  /** We closed without one, upon this event of the state machine (RFC 4271 8.1); 0: none that has a number. */
  | { readonly reason: 2; readonly event: number }
  /** The peer sent this NOTIFICATION message. */
  | { readonly reason: 3; readonly notification: Uint8Array }
  /** The peer, or the network, closed the connection without a word. */
  | { readonly reason: 4 }
  /** Nothing more will be told of it: the configuration says so. */
  | { readonly reason: 5 }
  /** The Loc-RIB with this name is no more. */
  | { readonly reason: 6; readonly table: string }

export function peerDown(header: Uint8Array, wallMs: number, down: PeerDown): Uint8Array {
  return message(PEER_DOWN, peerHeaderAt(header, wallMs), Uint8Array.of(down.reason), dataOf(down))
}

function dataOf(down: PeerDown): Uint8Array {
  switch (down.reason) {
    case 1:
    case 3:
      return down.notification
    case 2:
      return new Writer(2).u16(down.event).take()
    case 4:
    case 5:
      return new Uint8Array(0)
    case 6:
      return textTlv(TABLE_NAME, down.table)
  }
}

/** Numbers of a peer or of the Loc-RIB (section 4.8): counters of 32 bits, gauges of 64. */
export type Statistic =
  | { readonly type: number; readonly counter: number }
  | { readonly type: number; readonly gauge: number }
  | { readonly type: number; readonly gauge: number; readonly afi: number; readonly safi: number }

export const REJECTED_PREFIXES = 0
export const DUPLICATE_ANNOUNCEMENTS = 1
export const DUPLICATE_WITHDRAWALS = 2
export const CLUSTER_LIST_LOOPS = 3
export const AS_PATH_LOOPS = 4
export const ORIGINATOR_ID_LOOPS = 5
export const ADJ_RIB_IN_ROUTES = 7
export const LOC_RIB_ROUTES = 8
export const ADJ_RIB_IN_ROUTES_OF_FAMILY = 9
export const LOC_RIB_ROUTES_OF_FAMILY = 10
export const UPDATES_TREATED_AS_WITHDRAWALS = 11
export const PREFIXES_TREATED_AS_WITHDRAWN = 12

export function statistics(
  header: Uint8Array,
  wallMs: number,
  list: readonly Statistic[],
): Uint8Array {
  const count = new Writer(4).u32(list.length).take()
  return message(STATISTICS_REPORT, peerHeaderAt(header, wallMs), count, ...list.map(statisticTlv))
}

function statisticTlv(it: Statistic): Uint8Array {
  const value = new Writer(11)
  if ('counter' in it) value.u32(it.counter % 2 ** 32)
  else {
    if ('afi' in it) value.u16(it.afi).u8(it.safi)
    value.u32(Math.floor(it.gauge / 2 ** 32)).u32(it.gauge % 2 ** 32)
  }
  return tlv(it.type, value.take())
}

/** 16 bytes: of IPv4 the last four (section 4.2). */
export function wideAddress(bytes: Uint8Array): Uint8Array {
  const wide = new Uint8Array(16)
  wide.set(bytes, 16 - bytes.length)
  return wide
}

function peerHeaderAt(header: Uint8Array, wallMs: number): Uint8Array {
  const bytes = new Uint8Array(PEER_HEADER_BYTES)
  putPeerHeader(bytes, 0, header, wallMs)
  return bytes
}

function message(type: number, ...parts: readonly Uint8Array[]): Uint8Array {
  const length = parts.reduce((sum, part) => sum + part.length, HEADER_BYTES)
  const to = new Writer(length).u8(VERSION).u32(length).u8(type)
  for (const part of parts) to.bytes(part)
  return to.take()
}

const textTlv = (type: number, text: string): Uint8Array => tlv(type, encodeUtf8(text))

const tlv = (type: number, value: Uint8Array): Uint8Array =>
  new Writer(4 + value.length).u16(type).u16(value.length).bytes(value).take()
