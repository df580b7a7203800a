/**
 * UPDATEs that are sound in their structure and broken in known ways: attributes made row by row, then
 * shortened, repeated, given other flags, cut off. Everything is plain data, so that a failing case can be
 * shrunk and printed.
 */
import * as fc from 'fast-check'
import type { OracleSession } from './oracle.ts'

export interface Attribute {
  readonly code: number
  readonly flags: number
  readonly value: readonly number[]
  /** The length takes two bytes. */
  readonly wide: boolean
}

/** What is done to a sound UPDATE; `which` and `amount` pick the attribute and the measure, modulo. */
export interface Break {
  readonly kind: BreakKind
  readonly which: number
  readonly amount: number
}

export const BREAKS = [
  'flags',
  'partial bit',
  'unused bits',
  'extended length',
  'shorter',
  'longer',
  'empty',
  'other byte',
  'twice',
  'missing',
  'moved',
  'length beyond the end',
  'section cut off',
  'unknown well-known',
  'unknown transitive',
  'unknown optional',
  'NLRI too long',
  'NLRI cut off',
  'withdrawn cut off',
  'withdrawn length',
  'section length',
  'no NLRI',
  'NLRI without identifier',
  'IPv4 in MP_REACH_NLRI',
  'confederation segment',
  'beyond 4096 bytes',
] as const
export type BreakKind = (typeof BREAKS)[number]

export interface Plan {
  readonly session: Pick<OracleSession, 'wide' | 'addPath'>
  readonly attributes: readonly Attribute[]
  readonly nlri: readonly number[]
  readonly withdrawn: readonly number[]
  readonly breaks: readonly Break[]
}

const octet = fc.integer({ min: 0, max: 255 })
const octets = (count: number) => fc.array(octet, { minLength: count, maxLength: count })
const list = <T>(one: fc.Arbitrary<T>, maxLength = 4) => fc.array(one, { minLength: 1, maxLength })
const u16 = (n: number): number[] => [(n >> 8) & 255, n & 255]
const u32 = (n: number): number[] => [...u16(n >>> 16), ...u16(n & 0xffff)]

/** ASes of others: our own in a path is a loop, which is another matter. */
const asn = fc.integer({ min: 1, max: 64_000 })
const asnBytes = (wide: boolean) => (wide ? asn.map(u32) : asn.map(u16))

/** Few prefixes and few identifiers, so that messages meet. */
const bare4 = fc.integer({ min: 0, max: 15 }).map((i) => [16, 10, i])
const bare6 = fc.integer({ min: 0, max: 15 }).map((i) => [48, 0x20, 1, 0xd, 0xb8, 0, i])
const identifier = fc.constantFrom(0, 1, 2, 0xffff_ffff)
const offer = (bare: fc.Arbitrary<number[]>, { addPath }: Pick<OracleSession, 'addPath'>) =>
  addPath ? fc.tuple(identifier, bare).map(([id, prefix]) => [...u32(id), ...prefix]) : bare
const nlri4 = (session: OracleSession) => flat(offer(bare4, session))
const nlri6 = (session: OracleSession) => flat(offer(bare6, session))
const flat = (one: fc.Arbitrary<number[]>) => list(one, 3).map((prefixes) => prefixes.flat())

const segment = (wide: boolean) =>
  fc
    .tuple(fc.constantFrom(2, 2, 2, 1), list(asnBytes(wide)))
    .map(([type, asns]) => [type, asns.length, ...asns.flat()])
const path = (wide: boolean) => list(segment(wide), 2).map((segments) => segments.flat())
/** Members of a confederation stand in front. */
const memberPath = (session: OracleSession) =>
  fc
    .tuple(fc.constantFrom(3, 3, 4), list(asnBytes(session.wide)), path(session.wide))
    .map(([type, asns, rest]) => [type, asns.length, ...asns.flat(), ...rest])
const pathOf = (session: OracleSession) =>
  session.confederation === 'none'
    ? path(session.wide)
    : fc.oneof(path(session.wide), memberPath(session))
const host4 = fc.tuple(fc.constant(10), octet, octet, octet).map((bytes) => [...bytes])
const host6 = octets(14).map((rest) => [0x20, 1, ...rest])
const hop6 = fc.oneof(
  { weight: 3, arbitrary: host6 },
  { weight: 1, arbitrary: host6.map((global) => [...global, 0xfe, 0x80, ...global.slice(2)]) },
)
/** AFI, next hop and NLRI of MP_REACH_NLRI: IPv6, or where that was agreed on also IPv4 (RFC 8950). */
const reachOf = (session: OracleSession) => {
  const ipv6 = fc.tuple(fc.constant(2), hop6, nlri6(session))
  const ipv4 = fc.tuple(fc.constant(1), fc.oneof(hop6, host4), nlri4(session))
  return session.ipv6NextHops ? fc.oneof(ipv6, ipv4) : ipv6
}

/** A sound value of each attribute that linnet has a row for. */
export const VALUES: ReadonlyMap<
  number,
  { readonly flags: number; readonly value: (session: OracleSession) => fc.Arbitrary<number[]> }
> = new Map([
  [1, { flags: 0x40, value: () => fc.integer({ min: 0, max: 2 }).map((origin) => [origin]) }],
  [2, { flags: 0x40, value: pathOf }],
  [3, { flags: 0x40, value: () => host4 }],
  [4, { flags: 0x80, value: () => octets(4) }],
  [5, { flags: 0x40, value: () => octets(4) }],
  [6, { flags: 0x40, value: () => fc.constant([]) }],
  [
    7,
    {
      flags: 0xc0,
      value: ({ wide }: OracleSession) =>
        fc.tuple(asnBytes(wide), octets(4)).map(([number, router]) => [...number, ...router]),
    },
  ],
  [8, { flags: 0xc0, value: () => list(octets(4)).map((all) => all.flat()) }],
  [9, { flags: 0x80, value: () => octets(4) }],
  [10, { flags: 0x80, value: () => list(octets(4)).map((all) => all.flat()) }],
  [
    14,
    {
      flags: 0x80,
      value: (session: OracleSession) =>
        reachOf(session).map(([afi, hop, nlri]) => [0, afi, 1, hop.length, ...hop, 0, ...nlri]),
    },
  ],
  [
    15,
    {
      flags: 0x80,
      value: (session: OracleSession) => nlri6(session).map((nlri) => [0, 2, 1, ...nlri]),
    },
  ],
  [16, { flags: 0xc0, value: () => list(octets(8)).map((all) => all.flat()) }],
  [17, { flags: 0xc0, value: () => path(true) }],
  [
    18,
    {
      flags: 0xc0,
      value: () =>
        fc.tuple(asnBytes(true), octets(4)).map(([number, router]) => [...number, ...router]),
    },
  ],
  [32, { flags: 0xc0, value: () => list(octets(12)).map((all) => all.flat()) }],
  [35, { flags: 0xc0, value: () => octets(4) }],
])

const attributeOf = (code: number, session: OracleSession): fc.Arbitrary<Attribute> => {
  const row = VALUES.get(code)
  if (row === undefined) throw new RangeError(`no values of attribute ${code}`)
  return row
    .value(session)
    .map((value) => ({ code, flags: row.flags, value, wide: value.length > 255 }))
}

/** Codes of a sound UPDATE: what must be there, and some of the rest. */
function codesOf({ external }: OracleSession): fc.Arbitrary<number[]> {
  const usual = [1, 2, ...(external ? [] : [5])]
  return fc
    .tuple(
      fc.constantFrom([3], [14], [3, 14], [3, 15], [14, 15]),
      fc.subarray(
        [4, 5, 6, 7, 8, 9, 10, 16, 17, 18, 32, 35].filter((code) => !usual.includes(code)),
      ),
    )
    .map(([carriers, rest]) => [...usual, ...carriers, ...rest].toSorted((a, b) => a - b))
}

const oneBreak: fc.Arbitrary<Break> = fc.record({
  kind: fc.constantFrom(...BREAKS),
  which: fc.nat(1000),
  amount: fc.nat(1000),
})

export const planFor = (session: OracleSession): fc.Arbitrary<Plan> =>
  codesOf(session).chain((codes) =>
    fc.record({
      session: fc.constant({ wide: session.wide, addPath: session.addPath }),
      attributes: fc
        .tuple(...codes.map((code) => attributeOf(code, session)))
        .map((attributes) => [...attributes]),
      nlri: codes.includes(3) ? nlri4(session) : fc.constant<number[]>([]),
      withdrawn: fc.oneof(fc.constant<number[]>([]), nlri4(session)),
      breaks: fc.array(oneBreak, { maxLength: 3 }),
    }),
  )

interface Draft {
  readonly session: Plan['session']
  attributes: (Attribute & { readonly lie?: number })[]
  nlri: number[]
  withdrawn: number[]
  cut: number
  withdrawnLength: number | undefined
  sectionLength: number | undefined
}

/** The body of the UPDATE, broken as planned. */
export function bodyOf(plan: Plan): Uint8Array {
  const draft: Draft = {
    session: plan.session,
    attributes: [...plan.attributes],
    nlri: [...plan.nlri],
    withdrawn: [...plan.withdrawn],
    cut: 0,
    withdrawnLength: undefined,
    sectionLength: undefined,
  }
  for (const it of plan.breaks) apply(draft, it)
  const section = draft.attributes.flatMap(bytesOf)
  const kept = section.slice(0, Math.max(0, section.length - draft.cut))
  return Uint8Array.from([
    ...u16(draft.withdrawnLength ?? draft.withdrawn.length),
    ...draft.withdrawn,
    ...u16(draft.sectionLength ?? kept.length),
    ...kept,
    ...draft.nlri,
  ])
}

function bytesOf({ code, flags, value, wide, lie }: Draft['attributes'][number]): number[] {
  const length = lie ?? value.length
  const isWide = wide || value.length > 255
  return isWide
    ? [flags | 0x10, code, ...u16(length), ...value]
    : [flags & ~0x10, code, length & 255, ...value]
}

function apply(draft: Draft, { kind, which, amount }: Break): void {
  const { attributes } = draft
  const at = attributes.length === 0 ? 0 : which % attributes.length
  const chosen = attributes[at]
  const change = (changes: Partial<Draft['attributes'][number]>): void => {
    if (chosen !== undefined) attributes[at] = { ...chosen, ...changes }
  }
  const value = [...(chosen?.value ?? [])]
  switch (kind) {
    case 'flags':
      return change({ flags: (chosen?.flags ?? 0) ^ [0x40, 0x80, 0xc0][amount % 3] })
    case 'partial bit':
      return change({ flags: (chosen?.flags ?? 0) | 0x20 })
    case 'unused bits':
      return change({ flags: (chosen?.flags ?? 0) | (1 + (amount % 15)) })
    case 'extended length':
      return change({ wide: true })
    case 'shorter':
      return change({ value: value.slice(0, -1 - (amount % 4)) })
    case 'longer':
      return change({ value: [...value, ...Array<number>(1 + (amount % 4)).fill(amount & 255)] })
    case 'empty':
      return change({ value: [] })
    case 'other byte':
      if (value.length > 0) value[amount % value.length] = (amount >> 2) & 255
      return change({ value })
    case 'twice':
      if (chosen !== undefined) attributes.push({ ...chosen, value: amount % 2 === 0 ? value : [] })
      return
    case 'missing':
      attributes.splice(at, 1)
      return
    case 'moved':
      attributes.splice(at, 1)
      if (chosen !== undefined) attributes.splice(amount % (attributes.length + 1), 0, chosen)
      return
    case 'length beyond the end':
      return change({ lie: value.length + 1 + (amount % 300) })
    case 'section cut off':
      draft.cut += 1 + (amount % 8)
      return
    case 'unknown well-known':
      attributes.push({ code: 99 + (amount % 20), flags: 0x40, value: [amount & 255], wide: false })
      return
    case 'unknown transitive':
      attributes.push({ code: 99 + (amount % 20), flags: 0xc0, value: [amount & 255], wide: false })
      return
    case 'unknown optional':
      attributes.push({ code: 99 + (amount % 20), flags: 0x80, value: [amount & 255], wide: false })
      return
    case 'NLRI too long':
      draft.nlri.push(...front(draft, amount), 33 + (amount % 223), 10, 0, 0, 0, 0)
      return
    case 'NLRI cut off':
      draft.nlri.push(...front(draft, amount), 24, 10, 9)
      return
    case 'withdrawn cut off':
      draft.withdrawn.push(...front(draft, amount), 32, 10)
      return
    case 'withdrawn length':
      draft.withdrawnLength = amount
      return
    case 'section length':
      draft.sectionLength = amount
      return
    case 'no NLRI':
      draft.nlri = []
      return
    case 'NLRI without identifier':
      draft.nlri.push(16, 10, amount & 15)
      return
    case 'IPv4 in MP_REACH_NLRI': {
      const hop = Array<number>([0, 4, 4, 16, 16, 24, 32, 32, 48][amount % 9]).fill(0x20)
      const nlri = [...front(draft, amount), 16, 10, amount & 15]
      const reach = { code: 14, flags: 0x80, value: [0, 1, 1, hop.length, ...hop, 0, ...nlri] }
      const others = attributes.filter(({ code }) => code !== 14)
      draft.attributes = [{ ...reach, wide: false }, ...others]
      return
    }
    case 'confederation segment': {
      const asns = draft.session.wide ? u32(amount) : u16(amount)
      draft.attributes = attributes.map((it) =>
        it.code === 2 ? { ...it, value: [3 + (amount & 1), 1, ...asns, ...it.value] } : it,
      )
      return
    }
    case 'beyond 4096 bytes': {
      // Mostly near the limit, now and then near that of extended messages (RFC 8654).
      const length = amount % 8 === 0 ? 60_000 + amount : 3500 + amount
      const code = 99 + (amount % 20)
      attributes.push({ code, flags: 0xc0, value: Array<number>(length).fill(1), wide: true })
    }
  }
}

/** The identifier in front of a prefix, where there is one. */
const front = ({ session }: Draft, amount: number): number[] =>
  session.addPath ? u32(amount & 3) : []
