/**
 * Extended communities (RFC 4360): eight bytes of which the first one or two say how to read the rest.
 *
 * Their text is that of most looking glasses. A four-octet AS number that would fit into two is marked
 * with `L` (`rt:100L:1`), since it is another community than the one without; what has no name here is
 * shown as its two words.
 */
import { formatIpv4 } from '../../net/address.ts'
import { malformed } from '../errors.ts'
import { OPTIONAL_TRANSITIVE, type AttributeSpec } from './attribute.ts'
import { parseIdentifier } from './identifier.ts'

/** As they came, eight bytes each: nothing here looks inside but `format`. */
export const extendedCommunities: AttributeSpec<Uint8Array> = {
  code: 16,
  name: 'EXTENDED_COMMUNITIES',
  rfc: 'RFC 4360',
  flags: OPTIONAL_TRANSITIVE,
  onMalformed: 'withdraw',
  decode: (from) =>
    from.left === 0 || from.left % 8 !== 0
      ? malformed('withdraw', `length ${from.left}`)
      : from.rest(),
  encode: (value, to) => void to.bytes(value),
  format(value) {
    const texts: string[] = []
    for (let at = 0; at < value.length; at += 8) texts.push(formatExtendedCommunity(value, at))
    return texts
  },
}

// Type octets: how the administrator is written (RFC 4360 3.1, 3.2; RFC 5668).
const TWO_OCTET_AS = 0x00
const IPV4_ADDRESS = 0x01
const FOUR_OCTET_AS = 0x02
const NON_TRANSITIVE_TWO_OCTET_AS = 0x40
/** RFC 10005: AS number, bytes per second as a float. Between ASes goes only the transitive one. */
const LINK_BANDWIDTH = 0x04
const BANDWIDTH_NAMES: Readonly<Record<number, string>> = {
  [NON_TRANSITIVE_TWO_OCTET_AS]: 'bandwidth',
  [TWO_OCTET_AS]: 'transitive-bandwidth',
}

const NAME_OF_SUBTYPE: ReadonlyMap<number, string> = new Map([
  [0x02, 'rt'], // route target
  [0x03, 'ro'], // route origin
])
const SUBTYPE_OF_NAME: ReadonlyMap<string, number> = new Map([
  ['rt', 0x02],
  ['ro', 0x03],
])

/** The eight bytes at `at` tell the bandwidth of a link, in whichever of the two types. */
export const isLinkBandwidth = (bytes: Uint8Array, at: number): boolean =>
  bytes[at + 1] === LINK_BANDWIDTH &&
  (bytes[at] === TWO_OCTET_AS || bytes[at] === NON_TRANSITIVE_TWO_OCTET_AS)

/**
 * Bytes per second of the link that the communities in `value` tell of; the lowest, where several do
 * (RFC 10005). 0 when none does, or one says 0.
 */
export function linkBandwidthIn(value: Uint8Array): number {
  const view = new DataView(value.buffer, value.byteOffset, value.length)
  let lowest = Infinity
  for (let at = 0; at < value.length; at += 8) {
    if (!isLinkBandwidth(value, at)) continue
    const rate = view.getFloat32(at + 4)
    if ((rate === 0 || isRate(rate)) && rate < lowest) lowest = rate
  }
  return lowest === Infinity ? 0 : lowest
}

/** Not each of the floats that there are is one. */
const isRate = (rate: number): boolean => rate > 0 && rate < Infinity

/** The text of `bytes[at..at + 8)`: `rt:65001:100`, `bandwidth:65001:125000000`,
 * `generic:0x..:0x..`. */
export function formatExtendedCommunity(bytes: Uint8Array, at = 0): string {
  const view = new DataView(bytes.buffer, bytes.byteOffset + at, 8)
  const type = view.getUint8(0)
  const subtype = view.getUint8(1)
  const name = NAME_OF_SUBTYPE.get(subtype)
  if (name !== undefined) {
    const low = view.getUint16(6)
    if (type === TWO_OCTET_AS) return `${name}:${view.getUint16(2)}:${view.getUint32(4)}`
    if (type === IPV4_ADDRESS) return `${name}:${formatIpv4(view.getUint32(2))}:${low}`
    if (type === FOUR_OCTET_AS) {
      const asn = view.getUint32(2)
      return `${name}:${asn}${asn > 0xffff ? '' : 'L'}:${low}`
    }
  }
  if (isLinkBandwidth(bytes, at)) {
    const rate = view.getFloat32(4)
    if (isRate(rate)) return `${BANDWIDTH_NAMES[type]}:${view.getUint16(2)}:${rate}`
  }
  return `generic:${hexWord(view.getUint32(0))}:${hexWord(view.getUint32(4))}`
}

/** The reverse of `formatExtendedCommunity`: eight bytes, or undefined. */
export function parseExtendedCommunity(text: string): Uint8Array | undefined {
  const [kind = '', administrator = '', value = '', ...more] = text.split(':')
  if (more.length > 0) return undefined
  const bytes = new Uint8Array(8)
  const view = new DataView(bytes.buffer)
  const subtype = SUBTYPE_OF_NAME.get(kind)
  const done =
    subtype !== undefined
      ? writeNumbers(view, subtype, administrator, value)
      : Object.values(BANDWIDTH_NAMES).includes(kind)
        ? writeBandwidth(view, kind, administrator, value)
        : kind === 'generic' && writeWords(view, administrator, value)
  return done ? bytes : undefined
}

const hexWord = (word: number): string => `0x${word.toString(16).padStart(8, '0')}`

function writeNumbers(
  view: DataView,
  subtype: number,
  administrator: string,
  text: string,
): boolean {
  const value = decimal(text)
  if (value === undefined) return false
  view.setUint8(1, subtype)
  const identifier = administrator.includes('.') ? parseIdentifier(administrator) : undefined
  const asn = decimal(administrator.replace(/L$/, ''))
  if (asn !== undefined && asn <= 0xffff && !administrator.endsWith('L')) {
    view.setUint8(0, TWO_OCTET_AS)
    view.setUint16(2, asn)
    view.setUint32(4, value)
    return true
  }
  const wide = identifier ?? asn
  if (wide === undefined || value > 0xffff) return false
  view.setUint8(0, identifier === undefined ? FOUR_OCTET_AS : IPV4_ADDRESS)
  view.setUint32(2, wide)
  view.setUint16(6, value)
  return true
}

function writeBandwidth(
  view: DataView,
  kind: string,
  administrator: string,
  text: string,
): boolean {
  const asn = decimal(administrator)
  const rate = Math.fround(Number(text))
  if (asn === undefined || asn > 0xffff || !isRate(rate)) return false
  const [type] = Object.entries(BANDWIDTH_NAMES).find(([, name]) => name === kind) ?? []
  view.setUint8(0, Number(type))
  view.setUint8(1, LINK_BANDWIDTH)
  view.setUint16(2, asn)
  view.setFloat32(4, rate)
  return true
}

function writeWords(view: DataView, high: string, low: string): boolean {
  if (![high, low].every((word) => /^0x[\da-f]{1,8}$/i.test(word))) return false
  view.setUint32(0, Number(high))
  view.setUint32(4, Number(low))
  return true
}

/** An unsigned 32-bit number. */
function decimal(text: string): number | undefined {
  const value = Number(text)
  return /^\d{1,10}$/.test(text) && value <= 0xffffffff ? value : undefined
}
