/**
 * Attribute sets as text and numbers, for `show --json` and for tests, and sets made from such values, for
 * routes of our own.
 *
 * `describeAttributes(encodeAttributes(it))` is `it`, whatever canonical set it describes; only the
 * Partial bit of attributes that we know is lost on the way.
 */
import { formatIpv4, parseAddress } from '../../net/address.ts'
import { Reader, Writer } from '../../net/bytes.ts'
import { factsOf, familyOfAfi, SAFI_UNICAST, type Family } from '../../net/family.ts'
import { Malformed } from '../errors.ts'
import { aggregator, formatAggregator, parseAggregator } from './aggregator.ts'
import { asPath, formatAsPath, parseAsPath } from './as-path.ts'
import { atomicAggregate } from './atomic-aggregate.ts'
import { CANONICAL, forEachAttribute, writeAttribute, type AttributeSpec } from './attribute.ts'
import { clusterList } from './cluster-list.ts'
import { communities, formatCommunity, parseCommunity } from './communities.ts'
import { extendedCommunities, parseExtendedCommunity } from './extended-communities.ts'
import { fromHex, toHex } from './hex.ts'
import { parseIdentifier } from './identifier.ts'
import { attributeSpec } from './index.ts'
import { formatLargeCommunity, largeCommunities, parseLargeCommunity } from './large-communities.ts'
import { localPref } from './local-pref.ts'
import { formatNextHop, linkInCanonical, mpReachNlri, type MpReach } from './mp-reach-nlri.ts'
import { multiExitDisc } from './multi-exit-disc.ts'
import { nextHop } from './next-hop.ts'
import { onlyToCustomer } from './only-to-customer.ts'
import { origin, type Origin } from './origin.ts'
import { originatorId } from './originator-id.ts'

export interface UnknownAttribute {
  readonly code: number
  readonly flags: number
  /** Hexadecimal. */
  readonly value: string
}

export interface AttributeDescription {
  readonly origin: Origin
  /** `65001 65002 {1,2}`; confederation segments in parentheses. */
  readonly asPath: string
  /** The global one, where IPv6 has two. */
  readonly nextHop?: string
  readonly nextHopLinkLocal?: string
  /** Interface index of the link where the link-local next hop lives. */
  readonly nextHopLink?: number
  /** The family of the routes, when the next hop stands in MP_REACH_NLRI. */
  readonly reachFamily?: Family
  readonly med?: number
  readonly localPref?: number
  readonly atomicAggregate: boolean
  /** `65001 10.0.0.1` */
  readonly aggregator?: string
  /** `65001:100`, `no-export` */
  readonly communities: readonly string[]
  /** `rt:65001:100`, `ro:..`, `bandwidth:..`, `generic:0x..:0x..` */
  readonly extendedCommunities: readonly string[]
  /** `65001:1:2` */
  readonly largeCommunities: readonly string[]
  readonly originatorId?: string
  readonly clusterList: readonly string[]
  /** The AS number of ONLY_TO_CUSTOMER (RFC 9234). */
  readonly onlyToCustomer?: number
  readonly unknown: readonly UnknownAttribute[]
}

type Draft = { -readonly [K in keyof AttributeDescription]: AttributeDescription[K] }

/** Describes canonical bytes, as `normalize.ts` makes them. */
export function describeAttributes(canonical: Uint8Array): AttributeDescription {
  const values = new Map<number, Uint8Array>()
  const unknown: UnknownAttribute[] = []
  forEachAttribute(canonical, (code, flags, value) => {
    if (attributeSpec(code) === undefined) unknown.push({ code, flags, value: toHex(value) })
    else values.set(code, value)
  })
  const reachBytes = values.get(mpReachNlri.code)
  const read = <T>(spec: AttributeSpec<T>): T | undefined => {
    const bytes = values.get(spec.code)
    if (bytes === undefined) return undefined
    const value = spec.decode(new Reader(bytes), CANONICAL)
    return value instanceof Malformed ? undefined : value
  }
  const description: Draft = {
    origin: read(origin) ?? 'incomplete',
    asPath: formatAsPath(read(asPath) ?? []),
    ...describeNextHop(
      read(nextHop),
      read(mpReachNlri),
      reachBytes === undefined ? 0 : linkInCanonical(reachBytes),
    ),
    atomicAggregate: read(atomicAggregate) ?? false,
    communities: (read(communities) ?? []).map(formatCommunity),
    extendedCommunities: textsOf(extendedCommunities, read(extendedCommunities)),
    largeCommunities: (read(largeCommunities) ?? []).map(formatLargeCommunity),
    clusterList: (read(clusterList) ?? []).map(formatIpv4),
    unknown,
  }
  const med = read(multiExitDisc)
  if (med !== undefined) description.med = med
  const preference = read(localPref)
  if (preference !== undefined) description.localPref = preference
  const aggregated = read(aggregator)
  if (aggregated !== undefined) description.aggregator = formatAggregator(aggregated)
  const originator = read(originatorId)
  if (originator !== undefined) description.originatorId = formatIpv4(originator)
  const customersOf = read(onlyToCustomer)
  if (customersOf !== undefined) description.onlyToCustomer = customersOf
  return description
}

/**
 * Canonical bytes of these values; without `origin` and `asPath`, those of a route of our own. Throws a
 * RangeError when a text can't be read.
 */
export function encodeAttributes(values: Partial<AttributeDescription>): Uint8Array {
  const section = new Map<number, { readonly flags: number; readonly value: Uint8Array }>()
  const scratch = new Writer(MAX_SECTION)
  const put = <T>(spec: AttributeSpec<T>, value: T): void => {
    spec.encode(value, scratch.reset())
    section.set(spec.code, { flags: spec.flags, value: scratch.take() })
  }
  const putAll = <T>(
    spec: AttributeSpec<readonly T[]>,
    texts: readonly string[] = [],
    parse: (text: string) => T | undefined,
  ): void => {
    if (texts.length > 0)
      put(
        spec,
        texts.map((text) => parsed(spec.name, text, parse)),
      )
  }
  put(origin, values.origin ?? 'IGP')
  put(asPath, parsed(asPath.name, values.asPath ?? '', parseAsPath))
  if (values.nextHop !== undefined) putNextHop(values, values.nextHop, put)
  if (values.med !== undefined) put(multiExitDisc, values.med)
  if (values.localPref !== undefined) put(localPref, values.localPref)
  if (values.atomicAggregate === true) put(atomicAggregate, true)
  if (values.aggregator !== undefined) {
    put(aggregator, parsed(aggregator.name, values.aggregator, parseAggregator))
  }
  putAll(communities, values.communities, parseCommunity)
  if (values.originatorId !== undefined) {
    put(originatorId, parsed(originatorId.name, values.originatorId, parseIdentifier))
  }
  putAll(clusterList, values.clusterList, parseIdentifier)
  if (values.extendedCommunities !== undefined && values.extendedCommunities.length > 0) {
    const list = new Writer(8 * values.extendedCommunities.length)
    for (const text of values.extendedCommunities) {
      list.bytes(parsed(extendedCommunities.name, text, parseExtendedCommunity))
    }
    put(extendedCommunities, list.take())
  }
  putAll(largeCommunities, values.largeCommunities, parseLargeCommunity)
  if (values.onlyToCustomer !== undefined) put(onlyToCustomer, values.onlyToCustomer)
  for (const { code, flags, value } of values.unknown ?? []) {
    section.set(code, { flags, value: parsed(`attribute ${code}`, value, fromHex) })
  }
  scratch.reset()
  for (const [code, { flags, value }] of [...section].toSorted(([a], [b]) => a - b)) {
    writeAttribute(code, flags, value, scratch)
  }
  return scratch.take()
}

/** More than a message can hold. */
const MAX_SECTION = 65_535

function describeNextHop(
  direct: Uint8Array | undefined,
  reach: MpReach | undefined,
  link: number,
): Pick<AttributeDescription, 'nextHop' | 'nextHopLinkLocal' | 'nextHopLink' | 'reachFamily'> {
  if (reach === undefined) return direct === undefined ? {} : { nextHop: formatNextHop(direct) }
  const family = familyOfAfi(reach.afi)
  const nextHops = reach.nextHop.length === 32 ? 2 : 1
  return {
    nextHop: formatNextHop(nextHops === 2 ? reach.nextHop.subarray(0, 16) : reach.nextHop),
    ...(nextHops === 2 ? { nextHopLinkLocal: formatNextHop(reach.nextHop.subarray(16)) } : {}),
    ...(link === 0 ? {} : { nextHopLink: link }),
    ...(family === undefined ? {} : { reachFamily: family }),
  }
}

function putNextHop(
  values: Partial<AttributeDescription>,
  text: string,
  put: <T>(spec: AttributeSpec<T>, value: T) => void,
): void {
  const global = parsed(nextHop.name, text, parseAddress)
  if (global.family === 'ipv4' && values.reachFamily === undefined)
    return put(nextHop, global.bytes)
  const bytes = [...global.bytes]
  if (values.nextHopLinkLocal !== undefined) {
    bytes.push(...parsed(nextHop.name, values.nextHopLinkLocal, parseAddress).bytes)
  }
  put(mpReachNlri, {
    afi: factsOf(values.reachFamily ?? global.family).afi,
    safi: SAFI_UNICAST,
    nextHop: Uint8Array.from(bytes),
    link: values.nextHopLink ?? 0,
    nlriStart: 0,
    nlriEnd: 0,
  })
}

function parsed<T>(name: string, text: string, parse: (text: string) => T | undefined): T {
  const value = parse(text)
  if (value === undefined) throw new RangeError(`not a value of ${name}: ${JSON.stringify(text)}`)
  return value
}

/** The text of `format`, which is a list for every attribute that is one. */
function textsOf<T>(spec: AttributeSpec<T>, value: T | undefined): readonly string[] {
  const texts = value === undefined ? [] : spec.format(value)
  return typeof texts === 'string' ? [texts] : texts
}
