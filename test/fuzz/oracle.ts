/**
 * RFC 7606 read once more, by somebody who doesn't know linnet: what an UPDATE must do to the routes of its
 * peer. It shares no code and no table with `src/`, is slow, and allows what the RFC leaves open: of several
 * errors that end the session, any may be told.
 */

/** What the reading depends on beside the bytes. Both families were agreed on. */
export interface OracleSession {
  readonly external: boolean
  /** AS numbers take four octets (RFC 6793). */
  readonly wide: boolean
  /** The peer is in our confederation (RFC 5065): in our own member AS, or in another. */
  readonly confederation: 'none' | 'own' | 'other'
  /** Each prefix has an identifier in front (RFC 7911). */
  readonly addPath: boolean
  /** IPv4 prefixes may have IPv6 next hops (RFC 8950). */
  readonly ipv6NextHops: boolean
  /** Bytes of a message: 4096, or 65,535 (RFC 8654). */
  readonly longest: number
}

/** Canonical values by code, in hexadecimal; only those that can be told without knowing linnet. */
export type OracleAttributes = ReadonlyMap<number, string>

/** A value that the oracle doesn't work out: a merge of AS_PATH and AS4_PATH (RFC 6793 4.2.3). */
export const ANYTHING = '*'

export interface OracleVerdict {
  /** `code/subcode: data` of NOTIFICATIONs, any of which ends the session; empty when it goes on. */
  readonly resets: ReadonlySet<string>
  /** Sound, or with attributes discarded, or to be treated as withdrawn. */
  readonly remedy: 'none' | 'discard' | 'withdraw'
  readonly withdrawn: readonly string[]
  readonly announced: ReadonlyMap<string, OracleAttributes>
}

interface Found {
  readonly code: number
  readonly flags: number
  readonly value: Uint8Array
  readonly whole: Uint8Array
}

type Check = 'sound' | 'discard' | 'withdraw' | 'reset'

interface Rule {
  readonly flags: number
  readonly check: (value: Uint8Array, session: OracleSession) => Check
  /** Subcode of RFC 4271 6.3 for a wrong value. */
  readonly subcode?: number
}

const u16 = (bytes: Uint8Array, at: number): number => bytes[at] * 256 + bytes[at + 1]
const u32 = (bytes: Uint8Array, at: number): number => u16(bytes, at) * 65_536 + u16(bytes, at + 2)
const hexOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')

const exactly =
  (length: number, otherwise: Check): Rule['check'] =>
  (value) =>
    value.length === length ? 'sound' : otherwise
const multipleOf =
  (size: number): Rule['check'] =>
  (value) =>
    value.length > 0 && value.length % size === 0 ? 'sound' : 'withdraw'
/** Attributes that say nothing when they come from another AS. */
const internalOnly =
  (check: Rule['check']): Rule['check'] =>
  (value, session) =>
    session.external ? 'discard' : check(value, session)

/** ASes by segment, or undefined when it is no path. */
function segmentsOf(
  value: Uint8Array,
  size: 2 | 4,
): { type: number; asns: number[] }[] | undefined {
  const segments: { type: number; asns: number[] }[] = []
  for (let at = 0; at < value.length;) {
    if (at + 2 > value.length) return undefined
    const [type, count] = [value[at], value[at + 1]]
    const end = at + 2 + count * size
    if (type < 1 || type > 4 || count === 0 || end > value.length) return undefined
    const asns: number[] = []
    for (let i = at + 2; i < end; i += size) asns.push(size === 2 ? u16(value, i) : u32(value, i))
    if (asns.includes(0)) return undefined
    segments.push({ type, asns })
    at = end
  }
  return segments
}

function checkAsPath(value: Uint8Array, { confederation, wide }: OracleSession): Check {
  const segments = segmentsOf(value, wide ? 4 : 2)
  if (segments === undefined) return 'withdraw'
  // RFC 5065 section 4: segments of a confederation do not leave it.
  const strange = confederation === 'none' && segments.some(({ type }) => type > 2)
  return strange ? 'withdraw' : 'sound'
}

const isHost4 = (first: number): boolean =>
  first !== 0 && first !== 127 && !(first >= 224 && first < 240) && first !== 255
const isHost6 = (bytes: Uint8Array): boolean =>
  bytes[0] !== 0xff && !/^0{31}[01]$/.test(hexOf(bytes))

const isLinkLocal = (bytes: Uint8Array): boolean => bytes[0] === 0xfe && (bytes[1] & 0xc0) === 0x80

/** The address that counts of the 32 bytes that some send for one. */
function firstHop(hop: Uint8Array): Uint8Array {
  if (hop.length !== 32) return hop
  const [front, back] = [hop.subarray(0, 16), hop.subarray(16)]
  const isBack = isLinkLocal(back) && (isLinkLocal(front) || front.every((byte) => byte === 0))
  return isBack ? back : front
}

function checkReach(value: Uint8Array, { ipv6NextHops }: OracleSession): Check {
  if (value.length < 5 || value.length < 5 + value[3]) return 'reset'
  const afi = u16(value, 0)
  if (value[2] !== 1 || (afi !== 1 && afi !== 2)) return 'sound'
  const length = value[3]
  const isWide = length === 16 || length === 32
  // RFC 8950 section 4: between those who have agreed on it.
  if (!(afi === 2 ? isWide : length === 4 || (ipv6NextHops && isWide))) return 'reset'
  const hop = firstHop(value.subarray(4, 4 + length))
  return (length === 4 ? isHost4(hop[0]) : isHost6(hop)) ? 'sound' : 'withdraw'
}

/** RFC 7606 section 7, RFC 6793 section 6, RFC 7607, RFC 8092 section 6. */
const RULES: ReadonlyMap<number, Rule> = new Map<number, Rule>([
  [
    1,
    { flags: 0x40, check: (v) => (v.length === 1 && v[0] <= 2 ? 'sound' : 'withdraw'), subcode: 6 },
  ],
  [2, { flags: 0x40, check: checkAsPath, subcode: 11 }],
  [
    3,
    {
      flags: 0x40,
      check: (v) => (v.length === 4 && isHost4(v[0]) ? 'sound' : 'withdraw'),
      subcode: 8,
    },
  ],
  [4, { flags: 0x80, check: exactly(4, 'withdraw') }],
  [5, { flags: 0x40, check: internalOnly(exactly(4, 'withdraw')) }],
  [6, { flags: 0x40, check: exactly(0, 'discard') }],
  [
    7,
    {
      flags: 0xc0,
      check: (v, { wide }) =>
        v.length === (wide ? 8 : 6) && (wide ? u32(v, 0) : u16(v, 0)) > 0 ? 'sound' : 'discard',
    },
  ],
  [8, { flags: 0xc0, check: multipleOf(4) }],
  [9, { flags: 0x80, check: internalOnly(exactly(4, 'withdraw')) }],
  [10, { flags: 0x80, check: internalOnly(multipleOf(4)) }],
  [14, { flags: 0x80, check: checkReach, subcode: 9 }],
  [15, { flags: 0x80, check: (v) => (v.length < 3 ? 'reset' : 'sound') }],
  [16, { flags: 0xc0, check: multipleOf(8) }],
  [
    17,
    {
      flags: 0xc0,
      check: (v, { wide }) =>
        !wide && v.length > 0 && segmentsOf(v, 4) !== undefined ? 'sound' : 'discard',
    },
  ],
  [
    18,
    {
      flags: 0xc0,
      check: (v, { wide }) => (!wide && v.length === 8 && u32(v, 0) > 0 ? 'sound' : 'discard'),
    },
  ],
  [32, { flags: 0xc0, check: multipleOf(12) }],
  // RFC 9234 section 5: of four octets, or the route counts as withdrawn.
  [35, { flags: 0xc0, check: (v) => (v.length === 4 ? 'sound' : 'withdraw') }],
])

/** The attributes that this oracle knows. */
export const ORACLE_CODES: readonly number[] = [...RULES.keys()]

/** What a NOTIFICATION of 4096 bytes has room for. */
const MOST_DATA = 4096 - 21

const notification = (subcode: number, data: Uint8Array = new Uint8Array(0)): string =>
  data.length === 0 ? `3/${subcode}` : `3/${subcode}: ${dataOf(data)}`

/** Data of a NOTIFICATION, cut where they are longer than any peer takes. */
export const dataOf = (bytes: Uint8Array): string => hexOf(bytes.subarray(0, MOST_DATA))

/**
 * Prefixes of a field as text, or undefined when they can't be told apart (RFC 7606 5.3): `0a000000/8`, or
 * `0a000000/8#7` behind an identifier (RFC 7911 section 3).
 */
export function prefixesOf(
  field: Uint8Array,
  bits: 32 | 128,
  addPath: boolean,
): string[] | undefined {
  const prefixes: string[] = []
  for (let at = 0; at < field.length;) {
    if (addPath && at + 5 > field.length) return undefined
    const identifier = addPath ? `#${u32(field, at)}` : ''
    if (addPath) at += 4
    const length = field[at]
    const end = at + 1 + Math.ceil(length / 8)
    if (length > bits || end > field.length) return undefined
    const address = new Uint8Array(bits / 8)
    address.set(field.subarray(at + 1, end))
    for (let bit = length; bit < bits; bit++) address[bit >> 3] &= ~(0x80 >> (bit & 7))
    prefixes.push(`${hexOf(address)}/${length}${identifier}`)
    at = end
  }
  return prefixes
}

/** AS numbers take four octets, and large communities come once (RFC 8092 section 3). */
function canonical(code: number, value: Uint8Array, { wide }: OracleSession): string {
  const hex = hexOf(value)
  if (code === 32) return [...new Set(hex.match(/.{24}/g))].join('')
  if (wide || (code !== 2 && code !== 7)) return hex
  if (code === 7) return `0000${hex}`
  const octet = (n: number, digits = 2): string => n.toString(16).padStart(digits, '0')
  return (segmentsOf(value, 2) ?? [])
    .map(({ type, asns }) =>
      [octet(type), octet(asns.length), ...asns.map((asn) => octet(asn, 8))].join(''),
    )
    .join('')
}

/** Everything that RFC 7606 says about the body of this UPDATE. */
export function verdictOn(body: Uint8Array, session: OracleSession): OracleVerdict {
  const { addPath } = session
  const resets = new Set<string>()
  const dead = { resets, remedy: 'none', withdrawn: [], announced: new Map() } as const
  const withdrawnEnd = 2 + u16(body, 0)
  if (withdrawnEnd + 2 > body.length) return { ...dead, resets: new Set(['3/1']) }
  const sectionEnd = withdrawnEnd + 2 + u16(body, withdrawnEnd)
  if (sectionEnd > body.length) return { ...dead, resets: new Set(['3/1']) }
  const nlriField = body.subarray(sectionEnd)

  const found = new Map<number, Found>()
  let discards = 0
  let overrun = false
  /** What would be told if there were nothing to withdraw. */
  const withdraws: string[] = []
  for (let at = withdrawnEnd + 2; at < sectionEnd;) {
    const rest = body.subarray(at, sectionEnd)
    const head = (rest[0] & 0x10) === 0 ? 3 : 4
    const length = head === 3 ? rest[2] : u16(rest, 2)
    const code = rest.length > 1 ? rest[1] : -1
    if (rest.length < head || rest.length < head + length) {
      // Section 4, and 3 j when it hides prefixes.
      overrun = true
      if (code === 14 || code === 15) resets.add(notification(9, rest))
      else withdraws.push(notification(1))
      break
    }
    const whole = rest.subarray(0, head + length)
    const attribute = { code, flags: rest[0], value: whole.subarray(head), whole }
    if (!found.has(code)) found.set(code, attribute)
    else if (code === 14 || code === 15) resets.add('3/1')
    else discards++
    at += head + length
  }

  const reach = found.get(14)
  const unreach = found.get(15)
  const beside4760 = reach !== undefined && nlriField.length === 0
  const kept = new Map<number, string>()
  let merges = false
  for (const { code, flags, value, whole } of found.values()) {
    const rule = RULES.get(code)
    if (rule === undefined) {
      if ((flags & 0x80) === 0) resets.add(notification(2, whole))
      else if (code === 0) discards++
      else if ((flags & 0x40) !== 0) kept.set(code, hexOf(value))
      continue
    }
    // RFC 4760 section 3: without NLRI of its own kind, NEXT_HOP is ignored.
    if (code === 3 && beside4760) continue
    const flagged = ((flags ^ rule.flags) & 0xc0) !== 0
    if (flagged) withdraws.push(notification(4, whole))
    if (flagged && code !== 14 && code !== 15) continue
    const check = rule.check(value, session)
    if (check === 'reset') resets.add(notification(9, whole))
    else if (check === 'discard') discards++
    else if (check === 'withdraw') {
      if (code === 2) withdraws.push(notification(11))
      else
        for (const subcode of [5, rule.subcode ?? 9]) withdraws.push(notification(subcode, whole))
    } else if (code === 17 || code === 18) merges = true
    else if (code !== 14 && code !== 15) kept.set(code, canonical(code, value, session))
  }
  for (const code of [2, 7]) if (merges && kept.has(code)) kept.set(code, ANYTHING)

  // The prefixes, wherever they are.
  const withdrawn = prefixesOf(body.subarray(2, withdrawnEnd), 32, addPath)
  const nlri = prefixesOf(nlriField, 32, addPath)
  if (withdrawn === undefined || nlri === undefined) resets.add('3/10')
  const multiprotocol = (attribute: Found | undefined, nlriAt: number): string[] | undefined => {
    if (attribute === undefined || attribute.value[2] !== 1) return []
    const afi = u16(attribute.value, 0)
    if (afi !== 1 && afi !== 2) return []
    return prefixesOf(attribute.value.subarray(nlriAt), afi === 1 ? 32 : 128, addPath)
  }
  const soundReach =
    reach !== undefined && checkReach(reach.value, session) !== 'reset' ? reach : undefined
  const soundUnreach = unreach !== undefined && unreach.value.length >= 3 ? unreach : undefined
  const reachNlriAt = 5 + (soundReach?.value[3] ?? 0)
  const reached = multiprotocol(soundReach, reachNlriAt)
  const unreached = multiprotocol(soundUnreach, 3)
  if (reached === undefined && reach !== undefined) resets.add(notification(9, reach.whole))
  if (unreached === undefined && unreach !== undefined) resets.add(notification(9, unreach.whole))

  const reaches = soundReach !== undefined && soundReach.value.length > reachNlriAt
  const announces = nlriField.length > 0 || reaches
  const onlyUnreach = found.size === 1 && unreach !== undefined && !overrun
  // Section 3 d. What was not agreed on is ignored, so nothing is missing in it.
  // RFC 5065 section 4 lets LOCAL_PREF go to other member ASes, RFC 4271 asks for it within one.
  const expectsLocalPref = !session.external && session.confederation !== 'other'
  const mandatory = [1, 2, ...(expectsLocalPref ? [5] : [])]
  const isOurs = nlriField.length > 0 || (reached !== undefined && reached.length > 0)
  const missing =
    isOurs &&
    (mandatory.some((code) => !found.has(code)) || (nlriField.length > 0 && !found.has(3)))
  // 5.2
  if (!announces && !onlyUnreach) for (const text of withdraws) resets.add(text)
  if (resets.size > 0) return { ...dead, resets }

  const remedy = withdraws.length > 0 || missing ? 'withdraw' : discards > 0 ? 'discard' : 'none'
  const gone = [...(withdrawn ?? []), ...(unreached ?? [])]
  if (remedy === 'withdraw') {
    return { ...dead, remedy, withdrawn: [...gone, ...(nlri ?? []), ...(reached ?? [])] }
  }
  const announced = new Map<string, OracleAttributes>()
  const without3 = new Map([...kept].filter(([code]) => code !== 3))
  for (const prefix of nlri ?? []) announced.set(prefix, kept)
  for (const prefix of reached ?? []) announced.set(prefix, without3)
  return { resets, remedy, withdrawn: gone, announced }
}
