/**
 * The path attributes that we can read (IANA "BGP Path Attributes"), one row and one file each.
 *
 * Everything that differs between attributes is in the rows: flags, how to read and write the value, what
 * a malformed one costs. `normalize.ts` walks an UPDATE with them, `describe.ts` turns sets into text and
 * back. An attribute that has no row is passed on or dropped as its flags say.
 */
import { aggregator } from './aggregator.ts'
import { as4Aggregator } from './as4-aggregator.ts'
import { as4Path } from './as4-path.ts'
import { asPath } from './as-path.ts'
import { atomicAggregate } from './atomic-aggregate.ts'
import type { AttributeSpec } from './attribute.ts'
import { clusterList } from './cluster-list.ts'
import { communities } from './communities.ts'
import { extendedCommunities } from './extended-communities.ts'
import { largeCommunities } from './large-communities.ts'
import { localPref } from './local-pref.ts'
import { mpReachNlri } from './mp-reach-nlri.ts'
import { mpUnreachNlri } from './mp-unreach-nlri.ts'
import { multiExitDisc } from './multi-exit-disc.ts'
import { nextHop } from './next-hop.ts'
import { onlyToCustomer } from './only-to-customer.ts'
import { origin } from './origin.ts'
import { originatorId } from './originator-id.ts'

export const ATTRIBUTES: readonly AttributeSpec<unknown>[] = [
  origin,
  asPath,
  nextHop,
  multiExitDisc,
  localPref,
  atomicAggregate,
  aggregator,
  communities,
  originatorId,
  clusterList,
  mpReachNlri,
  mpUnreachNlri,
  extendedCommunities,
  as4Path,
  as4Aggregator,
  largeCommunities,
  onlyToCustomer,
]

const BY_CODE: readonly (AttributeSpec<unknown> | undefined)[] = Array.from(
  { length: 256 },
  (_, code) => ATTRIBUTES.find((spec) => spec.code === code),
)

/** The row of this type code, or undefined when we don't know it. */
export const attributeSpec = (code: number): AttributeSpec<unknown> | undefined => BY_CODE[code]
