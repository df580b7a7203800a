/**
 * Prefixes as policies name them: `10.0.0.0/8` is that prefix and no other; `10.0.0.0/8 le 24` also those
 * inside it of up to 24 bits, `ge 16` those of at least 16, `orlonger` it and all inside it, `longer` only
 * what is inside it.
 */
import { FAMILIES, factsOf } from '../net/family.ts'
import { wordsOf } from '../net/address.ts'
import { parseAddressAndLength, parsePrefix, prefixOf, type Prefix } from '../net/prefix.ts'
import { PrefixTrie } from '../net/prefix-trie.ts'
import type { Malformed } from './malformed.ts'
import type { Route } from './policy.ts'

export interface PrefixPattern {
  readonly prefix: Prefix
  /** Lengths that match. */
  readonly least: number
  readonly most: number
}

export function parsePrefixPattern(text: string): PrefixPattern | Malformed {
  const [first = '', ...words] = text.trim().split(/ +/)
  const prefix = parsePrefix(first)
  if (prefix === undefined) return notAPrefix(first)
  const { length } = prefix
  const { bits } = factsOf(prefix.family)
  const [word] = words
  if (words.length === 0 || (words.length === 1 && word === 'exact')) {
    return { prefix, least: length, most: length }
  }
  if (words.length === 1 && word === 'orlonger') return { prefix, least: length, most: bits }
  if (words.length === 1 && word === 'longer') return longer(prefix, bits)
  const match = /^(?:ge (\d{1,3}))?(?: ?le (\d{1,3}))?$|^le (\d{1,3}) ge (\d{1,3})$/.exec(
    words.join(' '),
  )
  if (match === null) {
    return { message: `${words.join(' ')} says nothing about a prefix`, remedy: HOW }
  }
  const least = Number(match[1] ?? match[4] ?? length)
  const most = Number(match[2] ?? match[3] ?? bits)
  if (least < length || most < least || most > bits) {
    const message = `${text} matches nothing: ${prefix.text} has ${length} bits`
    return { message, remedy: `write lengths between ${length} and ${bits}` }
  }
  return { prefix, least, most }
}

const HOW = 'write a prefix, alone or with le 24, ge 16, orlonger or longer'

function notAPrefix(text: string): Malformed {
  const loose = parseAddressAndLength(text)
  if (loose === undefined) return { message: `${text} is not a prefix`, remedy: HOW }
  const right = prefixOf(loose.address, loose.length).text
  return { message: `${text} has host bits set`, remedy: `write ${right}` }
}

function longer(prefix: Prefix, bits: number): PrefixPattern | Malformed {
  if (prefix.length < bits) return { prefix, least: prefix.length + 1, most: bits }
  return { message: `nothing is longer than ${prefix.text}`, remedy: 'remove longer' }
}

/** True for the prefix of a route that matches one of `patterns`. */
export function prefixTest(patterns: readonly PrefixPattern[]): (route: Route) => boolean {
  const tries = FAMILIES.map((family) => new PrefixTrie(family))
  // Patterns of one prefix are chained; the trie knows the first.
  const next = new Int32Array(patterns.length + 1)
  patterns.forEach(({ prefix }, i) => {
    const trie = tries[factsOf(prefix.family).index]
    const words = wordsOf(prefix.bytes)
    next[i + 1] = trie.get(words, 0, prefix.length)
    trie.set(words, 0, prefix.length, i + 1)
  })
  let $length = 0
  const test = (first: number): boolean => {
    for (let i = first; i !== 0; i = next[i]) {
      const { least, most } = patterns[i - 1]
      if ($length >= least && $length <= most) return true
    }
    return false
  }
  return ({ family, words, at, length }) => {
    $length = length
    return tries[family.index].someCovering(words, at, length, test)
  }
}
