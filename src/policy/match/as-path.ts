import type { AsPath } from '../../wire/attributes/as-path.ts'
import { AsPathPattern, parseAsPathPattern } from '../as-path-pattern.ts'
import type { ValueSpec } from '../definition.ts'
import { isWithin, MOST_U32, parseSpan } from '../span.ts'
import type { MatchSpec, PolicyWorld } from './match.ts'

/** An AS_PATH longer than this fits in no message. */
const MOST_LENGTH = 20_000

export const spanOf = (text: string, most: number): { least: number; most: number } =>
  parseSpan(text, 0, most) ?? { least: 1, most: 0 }

export const asPath: MatchSpec = {
  name: 'asPath',
  meaning:
    'The AS_PATH, as `show routes` prints it, by a regular expression: `^65001` begins with, `65001$` ends with, `_65001_` contains, `^$` is empty.',
  example: '^65001_',
  value: {
    noun: 'a regular expression',
    write: '^65001, _65001_, 65001$ or ^$',
    good: (text) => parseAsPathPattern(text) instanceof AsPathPattern,
    explain(text) {
      const pattern = parseAsPathPattern(text)
      if (pattern instanceof AsPathPattern) return undefined
      return { message: `${text}: ${pattern.message}`, remedy: pattern.remedy }
    },
  },
  decodes: true,
  compile(texts, { reader }) {
    const patterns = texts.map(parseAsPathPattern).filter((it) => it instanceof AsPathPattern)
    return ({ set }) => {
      const text = reader.asPathText(set)
      return patterns.some((pattern) => pattern.test(text))
    }
  },
}

export const asPathLength: MatchSpec = {
  name: 'asPathLength',
  meaning: 'ASes in the AS_PATH, an AS_SET counts as one (RFC 4271 9.1.2.2 a).',
  example: 'le 3',
  value: {
    noun: 'a length',
    write: '3, 2..5, le 3 or ge 10',
    good: (text) => parseSpan(text, 0, MOST_LENGTH) !== undefined,
  },
  compile(texts, { sets }) {
    const spans = texts.map((text) => spanOf(text, MOST_LENGTH))
    return ({ set }) => {
      const length = sets.asPathLength(set)
      return spans.some((span) => isWithin(length, span))
    }
  },
}

const AS_NUMBERS: ValueSpec = {
  noun: 'an AS number, or a span of them',
  write: '65001 or 65001..65010',
  good: (text) => parseSpan(text, 1, MOST_U32) !== undefined,
  setKind: 'asns',
}

type Place = (path: AsPath) => readonly number[]

/** The ASes of a route at one place of its AS_PATH. */
function asnMatch(name: string, meaning: string, place: Place): MatchSpec {
  return {
    name,
    meaning,
    example: [65001],
    value: AS_NUMBERS,
    decodes: true,
    compile(texts, { reader }: PolicyWorld) {
      const spans = texts.map((text) => spanOf(text, MOST_U32))
      return ({ set }) =>
        place(reader.asPath(set)).some((asn) => spans.some((span) => isWithin(asn, span)))
    },
  }
}

export const asPathFirst = asnMatch(
  'asPathFirst',
  'First AS of the path: the neighbour that sent it.',
  (path) => path[0]?.asns.slice(0, path[0].kind === 'sequence' ? 1 : undefined) ?? [],
)

export const asPathLast = asnMatch(
  'asPathLast',
  'Last AS of the path: where the route comes from.',
  originAsns,
)

export const asPathContains = asnMatch('asPathContains', 'Any AS of the path.', (path) =>
  path.flatMap(({ asns }) => asns),
)

function originAsns(path: AsPath): readonly number[] {
  const last = path.at(-1)
  if (last === undefined) return []
  return last.kind === 'sequence' ? last.asns.slice(-1) : last.asns
}
