import { parseCommunity } from '../../wire/attributes/communities.ts'
import { parseExtendedCommunity } from '../../wire/attributes/extended-communities.ts'
import { parseLargeCommunity } from '../../wire/attributes/large-communities.ts'
import {
  parseCommunityPattern,
  parseExtendedCommunityPattern,
  parseLargeCommunityPattern,
  type CommunityPattern,
} from '../community-pattern.ts'
import type { ValueSpec } from '../definition.ts'
import type { MatchSpec } from './match.ts'

/** The three kinds of communities: where they stand, how they are written. */
export interface CommunityKind {
  readonly code: number
  /** Bytes of one. */
  readonly size: number
  readonly name: string
  readonly rfc: string
  readonly parse: (text: string) => CommunityPattern | undefined
  /** The bytes of one that is written without open parts. */
  readonly bytesOf: (text: string) => Uint8Array | undefined
  /** With and without open parts. */
  readonly examples: readonly [pattern: string, exact: string]
  readonly noun: string
  readonly write: string
  readonly writeExactly: string
}

export const COMMUNITY_KINDS: readonly CommunityKind[] = [
  {
    code: 8,
    size: 4,
    name: 'community',
    rfc: 'RFC 1997',
    parse: parseCommunityPattern,
    bytesOf: (text) => wordsAsBytes([parseCommunity(text)]),
    examples: ['65001:*', '65101:1'],
    writeExactly: '65001:100 or a name such as no-export',
    noun: 'a community',
    write: '65001:100, 65001:*, 65001:1..99 or a name such as no-export',
  },
  {
    code: 32,
    size: 12,
    name: 'largeCommunity',
    rfc: 'RFC 8092',
    parse: parseLargeCommunityPattern,
    bytesOf: (text) => wordsAsBytes(parseLargeCommunity(text) ?? [undefined]),
    examples: ['65001:1:*', '65101:1:2'],
    writeExactly: '65001:1:2',
    noun: 'a large community',
    write: '65001:1:2, 65001:*:* or 65001:1:10..20',
  },
  {
    code: 16,
    size: 8,
    name: 'extendedCommunity',
    rfc: 'RFC 4360',
    parse: parseExtendedCommunityPattern,
    bytesOf: parseExtendedCommunity,
    examples: ['rt:65001:*', 'rt:65101:1'],
    writeExactly:
      'rt:65001:100, ro:65001:1, bandwidth:65001:125000000 (bytes per second; transitive-bandwidth goes to other ASes too) or generic:0x09020304:0x05060708',
    noun: 'an extended community',
    write: 'rt:65001:100, ro:65001:*, bandwidth:*:* or generic:0x09020304:0x05060708',
  },
]

export const patternSpec = (kind: CommunityKind): ValueSpec => ({
  noun: kind.noun,
  write: kind.write,
  good: (text) => kind.parse(text) !== undefined,
  setKind: 'communities',
})

export const communityMatches = COMMUNITY_KINDS.map((kind): MatchSpec => {
  const { code, size, name, rfc, examples, parse } = kind
  return {
    name,
    meaning: `One of the route's communities (${rfc}); a part may be \`*\`, or a span \`1..99\`.`,
    example: [examples[0]],
    value: patternSpec(kind),
    decodes: true,
    compile(texts, { reader }) {
      const patterns = texts.map(parse).filter((it) => it !== undefined)
      return ({ set }) => {
        const list = reader.value(set, code)
        if (list === undefined) return false
        for (let at = 0; at < list.length; at += size) {
          if (patterns.some((pattern) => pattern(list, at))) return true
        }
        return false
      }
    },
  }
})

function wordsAsBytes(words: readonly (number | undefined)[]): Uint8Array | undefined {
  const known = words.filter((word) => word !== undefined)
  if (known.length < words.length) return undefined
  return Uint8Array.from(known.flatMap((it) => [it >>> 24, it >>> 16, it >>> 8, it]))
}
