import { Reader, Writer } from '../../net/bytes.ts'
import {
  isConfederation,
  readAsPath,
  writeAsPath,
  type AsPath,
} from '../../wire/attributes/as-path.ts'
import { ORIGINS } from '../match/attributes.ts'
import { MOST_U32, parseSpan } from '../span.ts'
import { single, type ActionSpec } from './action.ts'

const ORIGIN = 1
const AS_PATH = 2
const MOST_SEGMENT = 255
const MOST_TIMES = 25

export const origin: ActionSpec = {
  name: 'origin',
  meaning: 'ORIGIN.',
  example: 'incomplete',
  fields: single({
    noun: 'an ORIGIN',
    write: 'igp, egp or incomplete',
    good: (text) => ORIGINS.includes(text),
  }),
  compile({ '': [text = ''] = [] }) {
    const value = Uint8Array.of(ORIGINS.indexOf(text))
    return (draft) => draft.put(ORIGIN, 0x40, value)
  },
}

const isAsn = (text: string): boolean =>
  /^\d+$/.test(text) && parseSpan(text, 1, MOST_U32) !== undefined

export const prepend: ActionSpec = {
  name: 'prepend',
  meaning:
    'Puts an AS number, or several, in front of the AS_PATH, once or several times. On export to an external peer our own comes before it in any case.',
  example: { asn: 65101, times: 2 },
  fields: {
    asn: {
      meaning: 'The AS number; of a list the first comes first in the path.',
      example: 65101,
      value: { noun: 'an AS number', write: '1..4294967295', good: isAsn },
      many: true,
      optional: false,
    },
    times: {
      meaning: 'How often; once if not said.',
      example: 2,
      value: {
        noun: 'a number of times',
        write: `1..${MOST_TIMES}`,
        good: (text) => /^\d+$/.test(text) && parseSpan(text, 1, MOST_TIMES) !== undefined,
      },
      many: false,
      optional: true,
    },
  },
  compile({ asn: list = [], times: [times = '1'] = [] }) {
    const asns = Array.from({ length: Number(times) }, () => list.map(Number)).flat()
    return (draft) => {
      const bytes = draft.get(AS_PATH) ?? new Uint8Array(0)
      const path = readAsPath(new Reader(bytes), true, 'withdraw')
      if (!Array.isArray(path)) return
      const longer = prepended(path, asns)
      const to = new Writer(bytes.length + 4 * asns.length + 2 * longer.length)
      writeAsPath(longer, to)
      draft.put(AS_PATH, 0x40, to.take())
    }
  },
}

/** Segments of the confederation stay in front (RFC 5065 section 4). */
function prepended(path: AsPath, asns: readonly number[]): AsPath {
  const outside = path.findIndex((segment) => !isConfederation(segment))
  const at = outside < 0 ? path.length : outside
  const [next, ...rest] = path.slice(at)
  const joins = next?.kind === 'sequence' && next.asns.length + asns.length <= MOST_SEGMENT
  const first = segments(joins ? [...asns, ...next.asns] : asns)
  const after = next === undefined || joins ? rest : [next, ...rest]
  return [...path.slice(0, at), ...first, ...after]
}

/** A segment counts its ASes in one byte. */
function segments(asns: readonly number[]): AsPath {
  const count = Math.ceil(asns.length / MOST_SEGMENT)
  return Array.from({ length: count }, (_, i) => ({
    kind: 'sequence',
    asns: asns.slice(i * MOST_SEGMENT, (i + 1) * MOST_SEGMENT),
  }))
}
