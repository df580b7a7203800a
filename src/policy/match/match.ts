/** A row of the table of matches: one thing that a rule may ask about a route. */
import type { ValueSpec } from '../definition.ts'
import type { AttributeSets, Route } from '../policy.ts'
import type { SetReader } from '../set-reader.ts'

export type RpkiState = 'valid' | 'invalid' | 'notFound'

/** What tests may ask beside the route itself. */
export interface PolicyWorld {
  readonly sets: AttributeSets
  readonly reader: SetReader
  /** RFC 6811: what the caches say of the route's prefix and origin AS, ours when undefined. */
  rpkiState(route: Route, originAsn: number | undefined): RpkiState
}

export type Test = (route: Route) => boolean

export interface MatchSpec {
  readonly name: string
  readonly meaning: string
  readonly example: unknown
  readonly value: ValueSpec
  /** The answer depends on the prefix, not on attributes and origin alone. */
  readonly looksAtPrefix?: boolean
  /** The answer depends on which of our prefix sources offers the route. */
  readonly looksAtSource?: boolean
  /** The answer depends on what RPKI caches say. */
  readonly looksAtRpki?: boolean
  /** The answer is worth remembering: it takes reading the attribute's bytes. */
  readonly decodes?: boolean
  /** True when one of `texts`, all of which are good, matches. */
  compile(texts: readonly string[], world: PolicyWorld): Test
}
