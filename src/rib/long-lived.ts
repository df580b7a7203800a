/** What a path becomes that outlives its session for long (RFC 9494 section 4.2). */
import { MARKS } from '../policy/policy.ts'
import { attributeValue, withAttribute } from '../wire/attributes/section.ts'
import { COMMUNITY_LLGR_STALE, LLGR_STALE, NO_LLGR } from '../wire/scan.ts'
import type { AttributeStore } from './attribute-store.ts'

const COMMUNITIES = 8

/**
 * The set `accepted` with LLGR_STALE in it: the same, also where the path is rejected anyway (0), or another
 * one, which comes with a reference. `none` when the path must not stay.
 */
export function agedSet(
  received: number,
  accepted: number,
  attributes: AttributeStore,
): number | 'none' {
  if ((attributes.flags(received) & NO_LLGR) !== 0) return 'none'
  if (accepted === 0 || (attributes.flags(accepted) & LLGR_STALE) !== 0) return accepted
  const bytes = attributes.view(accepted)
  const before = attributeValue(bytes, COMMUNITIES) ?? new Uint8Array(0)
  const value = new Uint8Array(before.length + 4)
  value.set(before)
  new DataView(value.buffer).setUint32(before.length, COMMUNITY_LLGR_STALE)
  const aged = withAttribute(bytes, 0xc0, COMMUNITIES, value)
  // Longer than any message: it can't be marked, so it can't stay.
  return attributes.intern(aged, 0, aged.length, attributes.flags(accepted) & MARKS) || 'none'
}
