/**
 * What becomes of an AS_PATH towards a peer that is neither plainly internal nor plainly external: one in
 * another member AS of our confederation, one that knows us by another number, or one for whom numbers
 * are taken out or replaced. The plain cases don't come here: see `rewrite.ts`.
 */
import {
  everyAsn,
  isPrivateAsn,
  mapPath,
  prepend,
  prependConfederation,
  withoutConfederation,
} from './path-bytes.ts'

/** `whole`: private numbers go when the path has no others. */
export type PrivateAsns = 'keep' | 'removeWhole' | 'removeAll' | 'replace'

export interface OutgoingPath {
  /** The peer is in another member AS of our confederation (RFC 5065 section 4). */
  readonly confederation: boolean
  /** Put in front, the last one foremost; none to an internal peer. */
  readonly prepend: readonly number[]
  /** The number that the peer knows us by. */
  readonly localAsn: number
  readonly peerAsn: number
  /** Where the peer's own number stands, ours is put: else it would see a loop. */
  readonly override: boolean
  readonly privateAsns: PrivateAsns
}

export function outgoingPath(path: Uint8Array, form: OutgoingPath): Uint8Array {
  const { localAsn, peerAsn } = form
  if (form.confederation) return form.prepend.reduce(prependConfederation, path)
  let sent = withoutConfederation(path)
  // The peer's own number stays, so that it still sees loops.
  const removable = (asn: number): boolean => isPrivateAsn(asn) && asn !== peerAsn
  const remove =
    form.privateAsns === 'removeAll' ||
    (form.privateAsns === 'removeWhole' && everyAsn(sent, isPrivateAsn))
  if (remove) sent = mapPath(sent, (asn) => (removable(asn) ? 0 : asn))
  else if (form.privateAsns === 'replace') {
    sent = mapPath(sent, (asn) => (removable(asn) ? localAsn : asn))
  }
  if (form.override) sent = mapPath(sent, (asn) => (asn === peerAsn ? localAsn : asn))
  return form.prepend.reduce(prepend, sent)
}
