/**
 * UPDATEs made from text, as the tests of the RIB speak: prefixes of both families side by side, attributes
 * as in `describeAttributes`. `10.0.0.0/8#7` is the path with identifier 7 (RFC 7911).
 */
import { prefix, type Prefix } from '../../src/net/prefix.ts'
import { address, wordsOf } from '../../src/net/address.ts'
import { factsOf, type Family } from '../../src/net/family.ts'
import { encodeAttributes, type AttributeDescription } from '../../src/wire/attributes/describe.ts'
import { encodeMessage } from '../../src/wire/message.ts'
import { nlriSize, writeNlri } from '../../src/wire/nlri.ts'

export type AttributeValues = Partial<AttributeDescription>

export interface UpdateText {
  readonly withdraw?: readonly string[]
  readonly announce?: readonly string[]
  /** The set of what is announced; `nextHop` is that of IPv4, and may be an IPv6 address (RFC 8950). */
  readonly set?: AttributeValues
  /** Next hop of announced IPv6 prefixes; `global link-local` for both. */
  readonly nextHop6?: string
  /** Attribute bytes that come behind those of `set`, whatever they are. */
  readonly extra?: Uint8Array
}

const UPDATE = 2
const DEFAULT_NEXT_HOP = '10.0.0.1'
const DEFAULT_NEXT_HOP6 = '2001:db8::1'

/**
 * The body of an UPDATE. IPv6 goes into MP_REACH_NLRI and MP_UNREACH_NLRI, which stand first, and so does IPv4
 * with an IPv6 next hop: such a message announces nothing else.
 */
export function updateBody({ withdraw = [], announce = [], set = {}, ...more }: UpdateText) {
  const gone = byFamily(withdraw)
  const come = byFamily(announce)
  const nextHop = set.nextHop ?? DEFAULT_NEXT_HOP
  const extended = nextHop.includes(':') && come.ipv4.length > 0
  const section = concat(
    gone.ipv6.length === 0 ? [] : mpUnreach(nlriOf(gone.ipv6)),
    extended ? mpReach('ipv4', nextHop, nlriOf(come.ipv4)) : [],
    come.ipv6.length === 0
      ? []
      : mpReach('ipv6', more.nextHop6 ?? DEFAULT_NEXT_HOP6, nlriOf(come.ipv6)),
    announce.length === 0 ? [] : encodeAttributes(withoutNextHop(set)),
    more.extra ?? [],
  )
  const attributes =
    come.ipv4.length === 0 || extended
      ? section
      : withNextHop(section, prefix(`${nextHop}/32`).bytes)
  const withdrawn = nlriOf(gone.ipv4)
  return concat(
    u16(withdrawn.length),
    withdrawn,
    u16(attributes.length),
    attributes,
    extended ? [] : nlriOf(come.ipv4),
  )
}

/** The same as a whole message. */
export const updateMessage = (text: UpdateText): Uint8Array =>
  encodeMessage(UPDATE, updateBody(text))

export interface Offer extends Prefix {
  readonly pathId?: number
}

/** Prefixes as the wire packs them, each behind its path identifier if it has one. */
export function nlriOf(offers: readonly Offer[]): Uint8Array {
  return concat(
    ...offers.flatMap(({ pathId, bytes, length }) => {
      const nlri = new Uint8Array(nlriSize(length))
      writeNlri(nlri, 0, wordsOf(bytes), 0, length)
      return pathId === undefined ? [nlri] : [u32(pathId), nlri]
    }),
  )
}

export function offer(text: string): Offer {
  const [written, id] = text.split('#')
  return { ...prefix(written), ...(id === undefined ? {} : { pathId: Number(id) }) }
}

export function concat(...parts: readonly ArrayLike<number>[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0))
  let at = 0
  for (const part of parts) {
    bytes.set(part, at)
    at += part.length
  }
  return bytes
}

export const u16 = (value: number): Uint8Array => Uint8Array.of(value >> 8, value & 0xff)

const u32 = (value: number): Uint8Array => concat(u16(value >>> 16), u16(value & 0xffff))

function byFamily(texts: readonly string[]): { ipv4: Offer[]; ipv6: Offer[] } {
  const all = texts.map(offer)
  return {
    ipv4: all.filter(({ family }) => family === 'ipv4'),
    ipv6: all.filter(({ family }) => family === 'ipv6'),
  }
}

function withoutNextHop(set: AttributeValues): AttributeValues {
  const { nextHop: _, ...rest } = set
  return rest
}

const NEXT_HOP = 3

/** Puts NEXT_HOP where its code wants it. */
function withNextHop(section: Uint8Array, address: Uint8Array): Uint8Array {
  let at = 0
  while (at < section.length) {
    const code = section[at + 1]
    if (code > NEXT_HOP && code !== 14 && code !== 15) break
    at +=
      (section[at] & 0x10) === 0
        ? 3 + section[at + 2]
        : 4 + (section[at + 2] << 8) + section[at + 3]
  }
  return concat(section.subarray(0, at), [0x40, NEXT_HOP, 4], address, section.subarray(at))
}

function mpReach(family: Family, nextHop: string, nlri: Uint8Array): Uint8Array {
  const addresses = concat(...nextHop.split(' ').map((text) => address(text).bytes))
  const value = concat(u16(factsOf(family).afi), [1, addresses.length], addresses, [0], nlri)
  return concat([0x90, 14], u16(value.length), value)
}

function mpUnreach(nlri: Uint8Array): Uint8Array {
  const value = concat(u16(factsOf('ipv6').afi), [1], nlri)
  return concat([0x90, 15], u16(value.length), value)
}
