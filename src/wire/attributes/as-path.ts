/**
 * AS_PATH (RFC 4271 5.1.2, RFC 5065 section 3): the ASes a route has passed, nearest first, in segments
 * of at most 255.
 */
import type { Reader, Writer } from '../../net/bytes.ts'
import { MALFORMED_AS_PATH } from '../constants.ts'
import { malformed, type Malformed } from '../errors.ts'
import { WELL_KNOWN, type AttributeSpec } from './attribute.ts'

export type SegmentKind = 'set' | 'sequence' | 'confedSequence' | 'confedSet'

export interface AsPathSegment {
  readonly kind: SegmentKind
  /** 1 to 255 of them. */
  readonly asns: readonly number[]
}

export type AsPath = readonly AsPathSegment[]

/** By their codes on the wire. */
const KINDS: readonly (SegmentKind | undefined)[] = [
  undefined,
  'set',
  'sequence',
  'confedSequence',
  'confedSet',
]
const MAX_SEGMENT = 255

export const asPath: AttributeSpec<AsPath> = {
  code: 2,
  name: 'AS_PATH',
  rfc: 'RFC 4271 5.1.2',
  flags: WELL_KNOWN,
  onMalformed: 'withdraw',
  invalid: MALFORMED_AS_PATH,
  decode(from, { external, fourOctetAs, confederation = !external }) {
    const path = readAsPath(from, fourOctetAs, 'withdraw')
    if (!confederation && Array.isArray(path) && path.some(isConfederation)) {
      // RFC 5065 section 5: these don't leave the confederation.
      return malformed('withdraw', 'confederation segments from outside the confederation')
    }
    return path
  },
  encode: writeAsPath,
  format: formatAsPath,
}

export const isConfederation = ({ kind }: AsPathSegment): boolean =>
  kind === 'confedSequence' || kind === 'confedSet'

/** Reads segments to the end; `remedy` is that of the attribute. */
export function readAsPath(
  from: Reader,
  fourOctetAs: boolean,
  remedy: 'withdraw' | 'discard',
): AsPath | Malformed {
  const path: AsPathSegment[] = []
  while (from.left > 0) {
    const type = from.u8()
    const kind = KINDS[type]
    const count = from.u8()
    if (kind === undefined) return malformed(remedy, `segment type ${type}`)
    if (count === 0) return malformed(remedy, 'empty segment')
    const asns: number[] = []
    for (let i = 0; i < count; i++) {
      const asn = fourOctetAs ? from.u32() : from.u16()
      if (asn === 0) return malformed(remedy, 'AS 0') // RFC 7607 section 2
      asns.push(asn)
    }
    path.push({ kind, asns })
  }
  return path
}

export function writeAsPath(path: AsPath, to: Writer): void {
  for (const { kind, asns } of path) {
    to.u8(KINDS.indexOf(kind)).u8(asns.length)
    for (const asn of asns) to.u32(asn)
  }
}

/** Path length as RFC 4271 9.1.2.2 a and RFC 5065 5.3 count it: a set is one, confederations nothing. */
export function lengthOfAsPath(path: AsPath): number {
  let length = 0
  for (const { kind, asns } of path) {
    if (kind === 'sequence') length += asns.length
    else if (kind === 'set') length += 1
  }
  return length
}

/**
 * Puts the AS_PATH of an old speaker and the AS4_PATH that came through it together (RFC 6793 4.2.3): as
 * many leading ASes of the former as the latter lacks, then the latter.
 */
export function mergeAsPaths(path: AsPath, as4: AsPath): AsPath {
  const excess = lengthOfAsPath(path) - lengthOfAsPath(as4)
  if (excess < 0) return path
  const merged: AsPathSegment[] = []
  let left = excess
  for (const segment of path) {
    if (isConfederation(segment)) {
      // Kept when it leads or stands next to a segment that is kept.
      merged.push(segment)
      continue
    }
    if (left === 0) break
    const taken = segment.kind === 'set' ? segment.asns.length : Math.min(left, segment.asns.length)
    merged.push({ kind: segment.kind, asns: segment.asns.slice(0, taken) })
    left -= segment.kind === 'set' ? 1 : taken
    if (taken < segment.asns.length) break
  }
  for (const segment of as4) append(merged, segment)
  return merged
}

/** Adds a segment, joining a sequence to a sequence where both fit into one. */
function append(path: AsPathSegment[], segment: AsPathSegment): void {
  const last = path.at(-1)
  const fits = last !== undefined && last.asns.length + segment.asns.length <= MAX_SEGMENT
  if (fits && last.kind === 'sequence' && segment.kind === 'sequence') {
    path[path.length - 1] = { kind: 'sequence', asns: [...last.asns, ...segment.asns] }
  } else {
    path.push(segment)
  }
}

/** `65001 65002 {1,2}`; segments of confederations in parentheses: `(65101 65102) ({1,2})`. */
export function formatAsPath(path: AsPath): string {
  return path
    .map(({ kind, asns }) => {
      const text = kind === 'set' || kind === 'confedSet' ? `{${asns.join(',')}}` : asns.join(' ')
      return kind === 'confedSequence' || kind === 'confedSet' ? `(${text})` : text
    })
    .join(' ')
}

/** The reverse of `formatAsPath`; undefined when `text` is no path. Long sequences are split. */
export function parseAsPath(text: string): AsPath | undefined {
  const path: AsPathSegment[] = []
  let rest = text.trim()
  while (rest !== '') {
    const match = SEGMENT.exec(rest)
    if (match === null) return undefined
    const inner = match[1] ?? match[2] ?? match[3] ?? match[4] ?? ''
    const asns = inner.split(/[ ,]+/).map(Number)
    if (asns.some((asn) => asn === 0 || asn > 0xffffffff)) return undefined
    const kind: SegmentKind =
      match[1] !== undefined
        ? 'confedSet'
        : match[2] !== undefined
          ? 'confedSequence'
          : match[3] !== undefined
            ? 'set'
            : 'sequence'
    for (let at = 0; at < asns.length; at += MAX_SEGMENT) {
      path.push({ kind, asns: asns.slice(at, at + MAX_SEGMENT) })
    }
    rest = rest.slice(match[0].length).trimStart()
  }
  return path
}

const LIST = String.raw`\d{1,10}(?:[ ,]+\d{1,10})*`
const SEQUENCE = String.raw`\d{1,10}(?: +\d{1,10})*`
const SEGMENT = new RegExp(
  `^(?:\\(\\{(${LIST})\\}\\)|\\((${SEQUENCE})\\)|\\{(${LIST})\\}|(${SEQUENCE}))(?= |$)`,
)
