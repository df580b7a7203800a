/**
 * The slow, complete reading of a path-attribute section (RFC 4271 section 5, RFC 7606).
 *
 * Four steps: walk the headers, decode each value by its row, put two-octet AS numbers right (RFC 6793),
 * write what is left in canonical form. Whatever is wrong is noted with its remedy; the strongest one
 * counts, and only what leaves no way to find the prefixes ends the session. Canonical means: ascending
 * codes, one attribute per code, four-octet AS numbers, unknown transitive attributes marked partial, an
 * extended length only where it is needed, MP_REACH_NLRI cut down to its next hop (as in RFC 6396 4.3.4).
 * Equal routes from different speakers thus have equal bytes, and `scan.ts` finds them plain.
 */
import { OutOfBytes, Reader, Writer } from '../../net/bytes.ts'
import {
  AS_TRANS,
  ATTRIBUTE_FLAGS_ERROR,
  ATTRIBUTE_LENGTH_ERROR,
  ERROR_UPDATE,
  MALFORMED_AS_PATH,
  MALFORMED_ATTRIBUTE_LIST,
  OPTIONAL_ATTRIBUTE_ERROR,
  UNRECOGNIZED_WELL_KNOWN_ATTRIBUTE,
} from '../constants.ts'
import { Malformed, SessionError, type Remedy } from '../errors.ts'
import { aggregator } from './aggregator.ts'
import { as4Aggregator } from './as4-aggregator.ts'
import { as4Path } from './as4-path.ts'
import { asPath, mergeAsPaths } from './as-path.ts'
import {
  EXTENDED_LENGTH,
  forEachAttribute,
  OPTIONAL,
  OPTIONAL_TRANSITIVE,
  PARTIAL,
  TRANSITIVE,
  writeAttribute,
  type AttributeContext,
  type AttributeSpec,
} from './attribute.ts'
import { attributeSpec } from './index.ts'
import { mpReachNlri, refuseReach, type MpReach } from './mp-reach-nlri.ts'
import { mpUnreachNlri, type MpUnreach } from './mp-unreach-nlri.ts'
import { localPref } from './local-pref.ts'
import { nextHop } from './next-hop.ts'
import { origin } from './origin.ts'

export interface AttributeProblem {
  readonly code: number
  readonly name: string
  readonly remedy: Remedy
  readonly why: string
}

/** A scratch object: valid until the next call. */
export interface Normalized {
  readonly remedy: 'none' | 'discard' | 'withdraw'
  readonly problems: readonly AttributeProblem[]
  /** Empty when the remedy is to withdraw. */
  readonly canonical: Uint8Array
  /** Offsets into the buffer that was read. */
  readonly reach: MpReach | undefined
  readonly unreach: MpUnreach | undefined
}

/** What the rest of the UPDATE says; without it, nothing is concluded from the NLRI field. */
export interface MessageFacts {
  /** There are prefixes in the NLRI field. */
  readonly hasNlri: boolean
  /**
   * A message with prefixes in both places needs two sets, one with NEXT_HOP and one with MP_REACH_NLRI;
   * this is the one to write. Default: `reach` where there is an MP_REACH_NLRI.
   */
  readonly setFor?: 'nlri' | 'reach'
}

const MP_REACH = mpReachNlri.code
const MP_UNREACH = mpUnreachNlri.code
const LONGEST_VALUE = 65_535

// Where the attributes of the section stand, by code; `$codes[0..$count)` says which are there.
const $codes = new Uint8Array(256)
let $count = 0
const $valueAt = new Int32Array(256).fill(-1)
const $length = new Int32Array(256)
const $flags = new Uint8Array(256)
const $values: unknown[] = Array.from({ length: 256 })
// The first problem that asks for a withdrawal, as the NOTIFICATION that it is when there is nothing to
// withdraw.
let $worst:
  { readonly subcode: number; readonly why: string; readonly data: Uint8Array } | undefined
// Two-octet AS numbers grow to twice their size.
const $value = new Writer(4 * LONGEST_VALUE)
const $canonical = new Writer(8 * LONGEST_VALUE)

interface Scratch extends Normalized {
  remedy: 'none' | 'discard' | 'withdraw'
  problems: AttributeProblem[]
  canonical: Uint8Array
  reach: MpReach | undefined
  unreach: MpUnreach | undefined
}

const NOTHING = new Uint8Array(0)
const $normalized: Scratch = {
  remedy: 'none',
  problems: [],
  canonical: NOTHING,
  reach: undefined,
  unreach: undefined,
}

/**
 * Reads the path attributes `bytes[start..end)` of an UPDATE. Throws a SessionError where RFC 7606 leaves
 * no milder remedy.
 */
export function normalizeAttributes(
  bytes: Uint8Array,
  start: number,
  end: number,
  context: AttributeContext,
  message?: MessageFacts,
): Normalized {
  const result = $normalized
  result.remedy = 'none'
  result.problems = []
  result.canonical = NOTHING
  $worst = undefined
  walkHeaders(bytes, start, end)
  sortCodes()
  result.reach = undefined
  result.unreach = undefined
  const leftOut = leftOutOf(message)
  for (let i = 0; i < $count; i++) decodeOne(bytes, $codes[i], context, leftOut)
  if (message !== undefined) insistOnNlri(message.hasNlri)
  if (!context.fourOctetAs) mergeOldSpeakers()
  if ($normalized.remedy !== 'withdraw') writeCanonical(bytes, leftOut)
  return result
}

/**
 * What a set for announced prefixes lacks (RFC 7606 section 3 d): a reason to treat the message as a
 * withdrawal. `canonical` are canonical bytes; without prefixes in the NLRI field, their next hop is
 * expected in MP_REACH_NLRI. Internal peers must also send LOCAL_PREF (RFC 4271 5.1.5).
 */
export function missingMandatory(
  canonical: Uint8Array,
  hasNlri: boolean,
  context: Pick<AttributeContext, 'external'> = { external: true },
): AttributeProblem[] {
  const wanted = [origin.code, asPath.code, hasNlri ? nextHop.code : MP_REACH]
  if (!context.external) wanted.push(localPref.code)
  const present = new Set<number>()
  forEachAttribute(canonical, (code) => present.add(code))
  return wanted
    .filter((code) => !present.has(code))
    .map((code) => ({ code, name: nameOf(code), remedy: 'withdraw', why: 'missing' }))
}

/** Notes where each attribute stands (RFC 7606 sections 3 g and 4). */
function walkHeaders(bytes: Uint8Array, start: number, end: number): void {
  for (let i = 0; i < $count; i++) {
    $valueAt[$codes[i]] = -1
    $values[$codes[i]] = undefined
  }
  $count = 0
  let at = start
  while (at < end) {
    const flags = bytes[at]
    const headerLength = (flags & EXTENDED_LENGTH) === 0 ? 3 : 4
    const code = at + 1 < end ? bytes[at + 1] : 0
    const left = end - at - headerLength
    if (left < 0) return overrun(code, `header cut off at ${end - at} bytes`, bytes.slice(at, end))
    const valueAt = at + headerLength
    const length = headerLength === 3 ? bytes[at + 2] : (bytes[at + 2] << 8) | bytes[at + 3]
    if (length > left) return overrun(code, `length ${length}, ${left} left`, bytes.slice(at, end))
    if ($valueAt[code] === -1) {
      $codes[$count++] = code
      $valueAt[code] = valueAt
      $length[code] = length
      $flags[code] = flags
    } else if (code === MP_REACH || code === MP_UNREACH) {
      const why = `${nameOf(code)} twice`
      throw new SessionError(ERROR_UPDATE, MALFORMED_ATTRIBUTE_LIST, why)
    } else {
      note(code, 'discard', 'repeated')
    }
    at = valueAt + length
  }
}

/** `rest` is what there is of the attribute. */
function overrun(code: number, why: string, rest: Uint8Array): void {
  if (code === MP_REACH || code === MP_UNREACH) {
    // The prefixes can't be found (RFC 7606 section 3 j).
    const words = `${nameOf(code)}: ${why}`
    throw new SessionError(ERROR_UPDATE, OPTIONAL_ATTRIBUTE_ERROR, words, rest)
  }
  note(code, 'withdraw', why)
}

/** Insertion sort: nearly always in order already. */
function sortCodes(): void {
  for (let i = 1; i < $count; i++) {
    const code = $codes[i]
    let to = i
    for (; to > 0 && $codes[to - 1] > code; to--) $codes[to] = $codes[to - 1]
    $codes[to] = code
  }
}

/** The next-hop attribute that isn't to be written, or 0 (RFC 4760 section 3, last paragraphs). */
function leftOutOf(message: MessageFacts | undefined): number {
  if (message === undefined || $valueAt[MP_REACH] === -1) return 0
  return message.hasNlri && message.setFor === 'nlri' ? MP_REACH : nextHop.code
}

function decodeOne(
  bytes: Uint8Array,
  code: number,
  context: AttributeContext,
  leftOut: number,
): void {
  const spec = attributeSpec(code)
  const flags = $flags[code]
  if (spec === undefined) return checkUnknown(bytes, code, flags)
  const isReach = code === MP_REACH
  // NEXT_HOP is of no concern, however broken, to a message that has its prefixes in MP_REACH_NLRI.
  if (code === leftOut && !isReach) return
  if (((flags ^ spec.flags) & (OPTIONAL | TRANSITIVE)) !== 0) {
    const whole = wholeAttribute(bytes, code)
    note(code, 'withdraw', `flags 0x${flags.toString(16)}`, ATTRIBUTE_FLAGS_ERROR, whole)
    if (!isReach && code !== MP_UNREACH) return
  }
  const value = decodeValue(spec, bytes, $valueAt[code], $length[code], context)
  if (value instanceof Malformed) {
    const whole = wholeAttribute(bytes, code)
    if (value.remedy === 'reset') {
      const why = `${spec.name}: ${value.why}`
      throw new SessionError(ERROR_UPDATE, OPTIONAL_ATTRIBUTE_ERROR, why, whole)
    }
    return note(code, value.remedy, value.why, subcodeOf(value, spec), whole)
  }
  $values[code] = value
  if (isReach) takeReach(bytes)
  else if (code === MP_UNREACH) $normalized.unreach = valueOf(mpUnreachNlri)
}

/** An AS_PATH has no expected length: whatever is wrong with it is a Malformed AS_PATH (RFC 4271 6.3). */
const subcodeOf = ({ subcode }: Malformed, { invalid }: AttributeSpec<unknown>): number =>
  invalid === MALFORMED_AS_PATH ? invalid : (subcode ?? invalid ?? OPTIONAL_ATTRIBUTE_ERROR)

function decodeValue<T>(
  spec: AttributeSpec<T>,
  bytes: Uint8Array,
  at: number,
  length: number,
  context: AttributeContext,
): T | Malformed {
  try {
    const from = new Reader(bytes, at, at + length)
    const value = spec.decode(from, context)
    if (from.left === 0 || value instanceof Malformed) return value
  } catch (error) {
    if (!(error instanceof OutOfBytes)) throw error
  }
  return new Malformed(spec.onMalformed, `length ${length}`, ATTRIBUTE_LENGTH_ERROR)
}

function takeReach(bytes: Uint8Array): void {
  const reach = valueOf(mpReachNlri)
  if (reach === undefined) return
  $normalized.reach = reach
  const refusal = refuseReach(reach)
  if (refusal === undefined) return
  note(MP_REACH, 'withdraw', refusal, OPTIONAL_ATTRIBUTE_ERROR, wholeAttribute(bytes, MP_REACH))
}

function checkUnknown(bytes: Uint8Array, code: number, flags: number): void {
  if ((flags & OPTIONAL) === 0) {
    throw new SessionError(
      ERROR_UPDATE,
      UNRECOGNIZED_WELL_KNOWN_ATTRIBUTE,
      `attribute ${code} with flags 0x${flags.toString(16)}`,
      wholeAttribute(bytes, code),
    )
  }
  if (code === 0) note(code, 'discard', 'reserved code')
}

/**
 * Treating as withdrawn needs to know what; a message with attributes but no prefixes to announce
 * leaves that in doubt (RFC 7606 5.2). So it is an error as RFC 4271 6.3 has it.
 */
function insistOnNlri(hasNlri: boolean): void {
  const { reach, problems } = $normalized
  const announces = hasNlri || (reach !== undefined && reach.nlriStart < reach.nlriEnd)
  const onlyUnreach =
    $count === 1 && $codes[0] === MP_UNREACH && problems.every(({ code }) => code === MP_UNREACH)
  if ($worst === undefined || announces || onlyUnreach) return
  throw new SessionError(
    ERROR_UPDATE,
    $worst.subcode,
    `${$worst.why}, and no prefixes`,
    $worst.data,
  )
}

/** RFC 6793 4.2.3. */
function mergeOldSpeakers(): void {
  const path = valueOf(asPath)
  const wholePath = valueOf(as4Path)
  const aggregated = valueOf(aggregator)
  const wholeAggregated = valueOf(as4Aggregator)
  if (aggregated !== undefined && wholeAggregated !== undefined) {
    // Someone who doesn't know AS4_* has aggregated since: both of them are out of date.
    if (aggregated.asn !== AS_TRANS) return
    $values[aggregator.code] = wholeAggregated
  }
  if (path !== undefined && wholePath !== undefined) {
    $values[asPath.code] = mergeAsPaths(path, wholePath)
  }
}

function writeCanonical(bytes: Uint8Array, leftOut: number): void {
  const to = $canonical.reset()
  for (let i = 0; i < $count; i++) {
    const code = $codes[i]
    const spec = attributeSpec(code)
    if (spec === undefined) {
      copyUnknown(bytes, code, to)
    } else if ($values[code] !== undefined && code !== leftOut && !isNeverWritten(code)) {
      // Partial, once set, stays (RFC 4271 4.3); where it has no meaning it goes.
      const partial = spec.flags === OPTIONAL_TRANSITIVE ? $flags[code] & PARTIAL : 0
      spec.encode($values[code], $value.reset())
      if ($value.length > LONGEST_VALUE) {
        return note(code, 'withdraw', `${$value.length} bytes with four-octet AS numbers`)
      }
      writeAttribute(code, spec.flags | partial, $value.written(), to)
    }
  }
  $normalized.canonical = to.written()
}

const isNeverWritten = (code: number): boolean =>
  code === MP_UNREACH || code === as4Path.code || code === as4Aggregator.code

/** Unknown transitive attributes are passed on, the others forgotten (RFC 4271 section 5). */
function copyUnknown(bytes: Uint8Array, code: number, to: Writer): void {
  if (($flags[code] & TRANSITIVE) === 0 || code === 0) return
  const value = bytes.subarray($valueAt[code], $valueAt[code] + $length[code])
  writeAttribute(code, OPTIONAL_TRANSITIVE | PARTIAL, value, to)
}

/** `subcode` and `data` are what a NOTIFICATION about it would have, for want of a milder remedy. */
function note(
  code: number,
  remedy: 'discard' | 'withdraw',
  why: string,
  subcode = MALFORMED_ATTRIBUTE_LIST,
  data: Uint8Array = NOTHING,
): void {
  const name = nameOf(code)
  $normalized.problems.push({ code, name, remedy, why })
  if (remedy === 'withdraw' || $normalized.remedy === 'none') $normalized.remedy = remedy
  if (remedy === 'withdraw') {
    const carried = subcode === MALFORMED_AS_PATH ? NOTHING : data
    $worst ??= { subcode, why: `${name}: ${why}`, data: carried }
  }
}

const nameOf = (code: number): string => attributeSpec(code)?.name ?? `attribute ${code}`

/** The table guarantees that a value is of its row's type. */
const valueOf = <T>(spec: AttributeSpec<T>): T | undefined => $values[spec.code] as T | undefined

/** With its header, as the data of a NOTIFICATION (RFC 4271 6.3). */
function wholeAttribute(bytes: Uint8Array, code: number): Uint8Array {
  const headerLength = ($flags[code] & EXTENDED_LENGTH) === 0 ? 3 : 4
  return bytes.slice($valueAt[code] - headerLength, $valueAt[code] + $length[code])
}
