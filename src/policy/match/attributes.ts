import { HAS_MED } from '../../wire/scan.ts'
import { contains, hostPrefix, parsePrefix, type Prefix } from '../../net/prefix.ts'
import { addressFromBytes, parseAddress } from '../../net/address.ts'
import { isWithin, MOST_U32, parseSpan } from '../span.ts'
import { spanOf } from './as-path.ts'
import type { MatchSpec } from './match.ts'

const NUMBER = {
  noun: 'a number',
  write: '100, 100..200, le 100 or ge 100',
  good: (text: string) => parseSpan(text, 0, MOST_U32) !== undefined,
}

export const localPref: MatchSpec = {
  name: 'localPref',
  meaning: 'LOCAL_PREF; 100 when the route has none.',
  example: 'ge 200',
  value: NUMBER,
  compile(texts, { sets }) {
    const spans = texts.map((text) => spanOf(text, MOST_U32))
    return ({ set }) => spans.some((span) => isWithin(sets.localPref(set), span))
  },
}

export const med: MatchSpec = {
  name: 'med',
  meaning: 'MULTI_EXIT_DISC, or `none`.',
  example: '0..10',
  value: {
    noun: 'a MED',
    write: '100, 100..200, le 100, ge 100 or none',
    good: (text) => text === 'none' || NUMBER.good(text),
  },
  compile(texts, { sets }) {
    const none = texts.includes('none')
    const spans = texts.filter((it) => it !== 'none').map((text) => spanOf(text, MOST_U32))
    return ({ set }) =>
      (sets.flags(set) & HAS_MED) === 0 ? none : spans.some((span) => isWithin(sets.med(set), span))
  },
}

export const ORIGINS = ['igp', 'egp', 'incomplete']

export const origin: MatchSpec = {
  name: 'origin',
  meaning: 'ORIGIN.',
  example: 'igp',
  value: {
    noun: 'an ORIGIN',
    write: 'igp, egp or incomplete',
    good: (text) => ORIGINS.includes(text),
  },
  compile(texts, { sets }) {
    const values = texts.map((text) => ORIGINS.indexOf(text))
    return ({ set }) => values.includes(sets.origin(set))
  },
}

/** An address, or a prefix that it may lie in. */
function range(text: string): Prefix | undefined {
  const address = parseAddress(text)
  return address === undefined ? parsePrefix(text) : hostPrefix(address)
}

export const nextHop: MatchSpec = {
  name: 'nextHop',
  meaning: 'The next hop: an address, or a prefix that it lies in. Our own prefixes have none.',
  example: ['10.0.1.1', '10.0.2.0/24'],
  value: {
    noun: 'an address or a prefix',
    write: '10.0.1.1 or 10.0.2.0/24',
    good: (text) => range(text) !== undefined,
  },
  decodes: true,
  compile(texts, { reader }) {
    const ranges = texts.map(range).filter((it) => it !== undefined)
    return ({ set }) => {
      const bytes = reader.nextHop(set)
      if (bytes === undefined) return false
      const address = addressFromBytes(bytes)
      return ranges.some((it) => contains(it, address))
    }
  },
}
