/** How the paths of a prefix share its load, by the bandwidths of their links (RFC 10005). */
import { sharesOf } from '../fib/shares.ts'
import type { AttributeStore } from '../rib/attribute-store.ts'
import type { Paths } from '../rib/paths.ts'

/**
 * What each of `paths` gets, in small whole numbers. Undefined when it is the same for all, as also where
 * one of them tells of no bandwidth: then nobody knows how the others compare with it.
 */
export function loadShares(
  attributes: AttributeStore,
  columns: Paths,
  paths: Iterable<number>,
): number[] | undefined {
  const rates: number[] = []
  for (const path of paths) {
    const rate = attributes.linkBandwidth(columns.accepted(path))
    if (rate === 0) return undefined
    rates.push(rate)
  }
  const shares = sharesOf(rates)
  return shares.every((share) => share === shares[0]) ? undefined : shares
}
