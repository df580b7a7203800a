/**
 * Who wants to hear of every change in the RIB: nobody, as a rule, and then a change costs one look at a
 * field. What is told are row numbers, good during the call; a path may be gone by then.
 */
import type { FamilyFacts } from '../net/family.ts'
import type { RibPeer } from './peer.ts'

export interface RibWatcher {
  /**
   * What `peer` offers for a prefix, under that path identifier (RFC 7911; 0 where it sends none), has changed,
   * or import policy thinks otherwise about it. `judged`: policy lets it in, or did before.
   */
  pathChanged(
    family: FamilyFacts,
    peer: RibPeer,
    prefix: number,
    pathId: number,
    judged: boolean,
  ): void
  /** The best path of a prefix, or its attributes, changed. */
  bestChanged(family: FamilyFacts, prefix: number): void
}
