/** All that a rule may ask about a route. */
import { asPath, asPathContains, asPathFirst, asPathLast, asPathLength } from './as-path.ts'
import { localPref, med, nextHop, origin } from './attributes.ts'
import { communityMatches } from './communities.ts'
import type { MatchSpec } from './match.ts'
import { family, link, peer, peerGroup, source } from './origin.ts'
import { prefix } from './prefix.ts'
import { rpki } from './rpki.ts'

export const MATCHES: readonly MatchSpec[] = [
  prefix,
  family,
  peer,
  peerGroup,
  source,
  link,
  asPath,
  asPathLength,
  asPathFirst,
  asPathLast,
  asPathContains,
  ...communityMatches,
  origin,
  localPref,
  med,
  nextHop,
  rpki,
]

const BY_NAME = new Map(MATCHES.map((spec) => [spec.name, spec]))

export function matchSpec(name: string): MatchSpec {
  const spec = BY_NAME.get(name)
  if (spec === undefined) throw new RangeError(`no match ${name}`)
  return spec
}
