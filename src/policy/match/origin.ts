/** Where a route comes from. */
import type { RouteOrigin } from '../policy.ts'
import type { MatchSpec } from './match.ts'

const NAME = {
  noun: 'a name, or a pattern',
  write: 'tor-a or tor-*',
  good: (text: string) => /^\S{1,63}$/.test(text),
}

/** A name of the origin, with `*` for any run of characters. */
function nameMatch(
  name: string,
  meaning: string,
  example: string,
  of: (from: RouteOrigin) => string | undefined,
): MatchSpec {
  return {
    name,
    meaning,
    example,
    value: NAME,
    compile(texts) {
      const patterns = texts.map(globOf)
      return ({ from }) => {
        const text = of(from)
        return text !== undefined && patterns.some((pattern) => pattern(text))
      }
    },
  }
}

/** Each piece between stars is looked for behind the one before: no way to try twice. */
function globOf(pattern: string): (text: string) => boolean {
  const [first = '', ...rest] = pattern.split('*')
  const last = rest.pop()
  if (last === undefined) return (text) => text === first
  return (text) => {
    if (!text.startsWith(first) || text.length < first.length + last.length) return false
    let at = first.length
    for (const piece of rest) {
      const found = text.indexOf(piece, at)
      if (found < 0) return false
      at = found + piece.length
    }
    return at <= text.length - last.length && text.endsWith(last)
  }
}

export const peer = nameMatch(
  'peer',
  'The peer that sent it, by name; `*` matches.',
  'tor-*',
  (from) => (from.local ? undefined : from.name),
)

export const peerGroup = nameMatch(
  'peerGroup',
  'The group of the peer that sent it; `*` matches.',
  'tor',
  (from) => from.group,
)

export const link: MatchSpec = {
  ...nameMatch(
    'interface',
    'The link that our own prefix stands on, or that the session with the peer runs over; `*` matches.',
    'br-*',
    (from) => from.link,
  ),
  looksAtSource: true,
}

const SOURCES = ['peer', 'interface', 'static', 'docker', 'cni', 'hostRoute', 'aggregate', 'fan']

export const source: MatchSpec = {
  name: 'source',
  meaning: 'Who offers it: a `peer`, or one of our own prefix sources.',
  example: ['docker', 'interface'],
  value: {
    noun: 'a source',
    write: SOURCES.join(', '),
    good: (text) => SOURCES.includes(text),
  },
  looksAtSource: true,
  compile: (texts) => (route) => texts.includes(route.from.source),
}

export const family: MatchSpec = {
  name: 'family',
  meaning: 'The address family.',
  example: 'ipv6',
  value: {
    noun: 'a family',
    write: 'ipv4 or ipv6',
    good: (text) => text === 'ipv4' || text === 'ipv6',
  },
  compile: (texts) => (route) => texts.includes(route.family.name),
}
