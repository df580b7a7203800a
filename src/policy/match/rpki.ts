import type { AsPath } from '../../wire/attributes/as-path.ts'
import type { MatchSpec } from './match.ts'

const STATES = ['valid', 'invalid', 'notFound']

export const rpki: MatchSpec = {
  name: 'rpki',
  meaning:
    'What the RPKI says of prefix and origin AS (RFC 6811): `valid`, `invalid`, or `notFound`, which is also the answer while no cache of `rpki` has data.',
  example: 'invalid',
  value: {
    noun: 'a state of validation',
    write: 'valid, invalid or notFound',
    good: (text) => STATES.includes(text),
  },
  looksAtPrefix: true,
  looksAtRpki: true,
  compile: (texts, world) => (route) =>
    texts.includes(world.rpkiState(route, routeOriginAsn(world.reader.asPath(route.set)))),
}

/**
 * The AS that a route's prefix is held against (RFC 6811 section 2): the last one; 0, which nothing makes valid,
 * for an AS_SET; undefined, ourselves, for an empty path or one within the confederation.
 */
export function routeOriginAsn(path: AsPath): number | undefined {
  const last = path.findLast(({ kind }) => kind === 'sequence' || kind === 'set')
  return last?.kind === 'set' ? 0 : last?.asns.at(-1)
}
