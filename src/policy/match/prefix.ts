import { parsePrefixPattern, prefixTest } from '../prefix-pattern.ts'
import type { MatchSpec } from './match.ts'

const read = (text: string) => {
  const pattern = parsePrefixPattern(text)
  return 'prefix' in pattern ? pattern : undefined
}

export const prefix: MatchSpec = {
  name: 'prefix',
  meaning:
    'The prefix: exactly, or with `le 24`, `ge 16`, both, `orlonger` (it and what is inside), `longer` (only what is inside).',
  example: ['10.0.0.0/8 le 24', '0.0.0.0/0'],
  value: {
    noun: 'a prefix pattern',
    write: '10.0.0.0/8, or with le 24, ge 16, orlonger or longer',
    good: (text) => read(text) !== undefined,
    explain(text) {
      const pattern = parsePrefixPattern(text)
      return 'message' in pattern ? pattern : undefined
    },
    setKind: 'prefixes',
  },
  looksAtPrefix: true,
  compile: (texts) => prefixTest(texts.map(read).filter((it) => it !== undefined)),
}
