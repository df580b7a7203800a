/**
 * MRT (RFC 6396): what a router heard and knows, as records in a file, for `bgpdump` and the like.
 *
 * A record is a header (time, type, subtype, length) and a body. This room only writes bytes: record.ts
 * the header and the buffer, table-dump.ts the snapshot of a table (section 4.3), bgp4mp.ts messages and
 * changes of state as they happen (section 4.4). Who opens files, and when, is the daemon's business.
 *
 * Records are put behind each other into one buffer and taken out as whole records, so that whatever
 * becomes of a file, it is never cut inside of one by us.
 */
export const TABLE_DUMP_V2 = 13
/** BGP4MP with microseconds, which count as part of the body (section 3). */
export const BGP4MP_ET = 17

const FIRST_BYTES = 16 << 10
const LENGTH_AT = 8
const HEADER_BYTES = 12

export class RecordWriter {
  #bytes = new Uint8Array(FIRST_BYTES)
  #at = 0
  #recordAt = 0

  /** Bytes of the records in the buffer. */
  get length(): number {
    return this.#at
  }

  /** Starts a record that happened at `wallMs`, milliseconds since the epoch. */
  begin(type: number, subtype: number, wallMs: number): void {
    this.#recordAt = this.#at
    const seconds = Math.floor(wallMs / 1000)
    this.u32(seconds).u16(type).u16(subtype).u32(0)
    if (type === BGP4MP_ET) this.u32(Math.floor((wallMs - 1000 * seconds) * 1000))
  }

  /** Fills in its length. */
  end(): void {
    this.patchU32(this.#recordAt + LENGTH_AT, this.#at - this.#recordAt - HEADER_BYTES)
  }

  /** Takes the record that was begun out again. */
  drop(): void {
    this.#at = this.#recordAt
  }

  u8(value: number): this {
    this.#reserve(1)
    this.#bytes[this.#at++] = value
    return this
  }

  u16(value: number): this {
    this.#reserve(2)
    this.#bytes[this.#at++] = value >>> 8
    this.#bytes[this.#at++] = value
    return this
  }

  u32(value: number): this {
    this.u16(value >>> 16)
    return this.u16(value & 0xffff)
  }

  /** `from[start..end)`. */
  bytes(from: Uint8Array, start = 0, end = from.length): this {
    this.#reserve(end - start)
    const to = this.#bytes
    let at = this.#at
    for (let i = start; i < end; i++) to[at++] = from[i]
    this.#at = at
    return this
  }

  /** Overwrites what stands at `at`, for counts and lengths known only afterwards. */
  patchU16(at: number, value: number): void {
    this.#bytes[at] = value >>> 8
    this.#bytes[at + 1] = value
  }

  patchU32(at: number, value: number): void {
    this.patchU16(at, value >>> 16)
    this.patchU16(at + 2, value & 0xffff)
  }

  /** A copy of the records so far, which are forgotten. */
  take(): Uint8Array {
    const bytes = this.#bytes.slice(0, this.#at)
    this.#at = 0
    return bytes
  }

  #reserve(count: number): void {
    if (this.#at + count <= this.#bytes.length) return
    const larger = new Uint8Array(Math.max(2 * this.#bytes.length, this.#at + count))
    larger.set(this.#bytes.subarray(0, this.#at))
    this.#bytes = larger
  }
}
