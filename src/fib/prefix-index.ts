/**
 * The FIB's view of the RIB's prefix table: prefixes are int32 ids, their bits are read when a route is
 * put. One per family; ids are positive, and stay valid while retained. `rib/prefix-table.ts` is one.
 */
import type { Prefix } from '../net/prefix.ts'

export interface PrefixIndex {
  /** Big-endian word `i` of the address: 0 for IPv4, 0..3 for IPv6. */
  word(id: number, i: number): number
  length(id: number): number
  /** `10.0.0.0/8` */
  text(id: number): string
  prefix(id: number): Prefix
  /** The id of a prefix, made when new; it has no holder of its own. */
  intern(words: Int32Array, at: number, length: number): number
  /** The id of a prefix, or 0 when nobody holds it. */
  find(words: Int32Array, at: number, length: number): number
  retain(id: number): void
  release(id: number): void
}
