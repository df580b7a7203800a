/** What an update group is made with. */
import type { BucketForm } from './announcement-encoder.ts'
import type { RibPeer } from './peer.ts'
import type { Audience } from './reflection.ts'

/**
 * What is told of a prefix: its best path as ever, the same under a path identifier, the best so many paths of
 * those that may be told at all, or all of these (RFC 7911).
 */
export type AddPathMode = 'off' | 'best' | 'all' | number

/** True when a prefix may have several paths at once. */
export const isMultiPath = (mode: AddPathMode): mode is 'all' | number =>
  mode !== 'off' && mode !== 'best'

/** How many prefixes the only peer of a group may hear, paths where a prefix may have several. */
export interface ExportCeiling {
  readonly most: number
  /** Its number. */
  readonly peer: number
}

export interface UpdateGroupOptions extends Audience {
  readonly maxMessageLength: number
  /** Default: `off`. */
  readonly addPath?: AddPathMode
  /** Tells a default route of our own, with these attributes in canonical bytes, whatever the table has. */
  readonly defaultRoute?: Uint8Array
  /** Of a group with one peer: how many prefixes are told. Default: all. */
  readonly ceiling?: ExportCeiling
  /**
   * Of a group that passes routes on only once the kernel has them: the kernel is about to have the route of this
   * prefix, or to refuse it; then `mark` follows. Default: what the kernel has does not matter.
   */
  isUnderWay?(prefix: number): boolean
  /** A member that leaves this much of the log unread goes its own way. Default: 4 MiB. */
  readonly logLimitBytes?: number
  /** Whether End-of-RIB may be told. Default: once all is. */
  mayEnd?(): boolean
  /**
   * Export policy beyond the rules of BGP: what is told of this route, `set` or another one, which comes with
   * a reference; 0 for nothing.
   */
  exported(prefix: number, set: number, source: RibPeer): number
  /** The bytes that the group hears for a set from a source. */
  formOf(set: number, source: RibPeer): BucketForm
  /** A route is not told, for no message can hold its attributes: it would take `bytes`. */
  tooLong(prefix: number, source: RibPeer, bytes: number): void
}
