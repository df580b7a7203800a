/**
 * A snapshot of a table (RFC 6396 section 4.3, TABLE_DUMP_V2): first the peers by number, then a record
 * for each prefix with the paths that they offer.
 */
import { IPV4, type FamilyFacts } from '../net/family.ts'
import { encodeUtf8 } from '../net/utf8.ts'
import { withNextHop } from '../wire/own-next-hop.ts'
import { TABLE_DUMP_V2, type RecordWriter } from './record.ts'

const PEER_INDEX_TABLE = 1
/** Of IPv4 and IPv6 unicast, without and with path identifiers (RFC 8050 section 4). */
const RIB_SUBTYPES = [
  { plain: 2, addPath: 8 },
  { plain: 4, addPath: 10 },
] as const

/** Bits of a peer's type: the sizes of its address and its AS number. */
const IPV6_PEER = 1
const FOUR_OCTET_AS = 2

const MP_REACH = 14
const EXTENDED_LENGTH = 0x10
/** AFI, SAFI, length of the next hop: what stands before it in MP_REACH_NLRI. */
const REACH_HEAD = 4

export interface DumpedPeer {
  /** Unsigned BGP identifier. */
  readonly routerId: number
  /** 4 or 16 bytes. */
  readonly address: Uint8Array
  readonly asn: number
}

/** The record that all others refer to by the place of a peer in `peers`. */
export function writePeerIndex(
  to: RecordWriter,
  wallMs: number,
  { routerId, view, peers }: { routerId: number; view: string; peers: readonly DumpedPeer[] },
): void {
  const name = encodeUtf8(view)
  to.begin(TABLE_DUMP_V2, PEER_INDEX_TABLE, wallMs)
  to.u32(routerId).u16(name.length).bytes(name).u16(peers.length)
  for (const peer of peers) {
    to.u8(FOUR_OCTET_AS | (peer.address.length === 16 ? IPV6_PEER : 0))
    to.u32(peer.routerId).bytes(peer.address).u32(peer.asn)
  }
  to.end()
}

/** Writes one prefix at a time: `open` it, `add` its paths, `close`. */
export class RibRecords {
  readonly #to: RecordWriter
  #family: FamilyFacts = IPV4
  #addPath = false
  #countAt = 0
  #count = 0
  #sequence = 0

  constructor(to: RecordWriter) {
    this.#to = to
  }

  /** The prefix has its big-endian words in `words`. With `addPath` each path has an identifier. */
  open(
    family: FamilyFacts,
    words: Int32Array,
    length: number,
    wallMs: number,
    addPath = false,
  ): void {
    const to = this.#to
    const { plain, addPath: withPaths } = RIB_SUBTYPES[family.index]
    this.#family = family
    this.#addPath = addPath
    to.begin(TABLE_DUMP_V2, addPath ? withPaths : plain, wallMs)
    to.u32(this.#sequence).u8(length)
    for (let i = 0; i < (length + 7) >> 3; i++) to.u8(words[i >> 2] >>> (24 - 8 * (i & 3)))
    this.#countAt = to.length
    this.#count = 0
    to.u16(0)
  }

  /** A path of the peer with this number, received at second `since`, with canonical attributes. */
  add(peer: number, since: number, attributes: Uint8Array, pathId = 0): void {
    const to = this.#to
    this.#count++
    to.u16(peer).u32(since)
    if (this.#addPath) to.u32(pathId)
    const lengthAt = to.length
    to.u16(0)
    this.#attributes(withNextHop(attributes, this.#family))
    to.patchU16(lengthAt, to.length - lengthAt - 2)
  }

  /** A prefix without paths is no record. */
  close(): void {
    if (this.#count === 0) return this.#to.drop()
    this.#to.patchU16(this.#countAt, this.#count)
    this.#to.end()
    this.#sequence++
  }

  /** MP_REACH_NLRI has only the next hop here (section 4.3.4). */
  #attributes(from: Uint8Array): void {
    const to = this.#to
    for (let at = 0; at < from.length;) {
      const long = (from[at] & EXTENDED_LENGTH) !== 0
      const value = at + (long ? 4 : 3)
      const next = value + (long ? (from[at + 2] << 8) | from[at + 3] : from[at + 2])
      if (from[at + 1] === MP_REACH) {
        const length = from[value + REACH_HEAD - 1]
        to.u8(0x80)
          .u8(MP_REACH)
          .u8(1 + length)
          .u8(length)
        to.bytes(from, value + REACH_HEAD, value + REACH_HEAD + length)
      } else to.bytes(from, at, next)
      at = next
    }
  }
}
