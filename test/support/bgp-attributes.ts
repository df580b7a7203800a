/**
 * Path attributes as plain data, read by hand from RFC 4271 and its kin: for what MRT files and BMP
 * messages hold, which is not to be judged by the code under test.
 */
import { addressFromBytes } from '../../src/net/address.ts'

export interface ReadAttributes {
  readonly origin: number | null
  readonly asPath: string
  readonly nextHop: string
  readonly med: number | null
  readonly localPref: number | null
  readonly communities: readonly string[]
  /** All other attributes by code, in hexadecimal, without flags. */
  readonly others: Readonly<Record<number, string>>
}

/** Attributes with AS numbers of four octets. `reach`: MP_REACH_NLRI is cut down as in MRT table dumps. */
export function readAttributes(
  bytes: Uint8Array,
  { reach = 'whole' }: { readonly reach?: 'whole' | 'next hop only' } = {},
): ReadAttributes {
  const found: { -readonly [K in keyof ReadAttributes]: ReadAttributes[K] } = {
    ...{ origin: null, asPath: '', nextHop: '', med: null, localPref: null },
    ...{ communities: [], others: {} },
  }
  for (let at = 0; at < bytes.length;) {
    const long = (bytes[at] & 0x10) !== 0
    const length = long ? (bytes[at + 2] << 8) | bytes[at + 3] : bytes[at + 2]
    const start = at + (long ? 4 : 3)
    if (start + length > bytes.length) throw new Error('an attribute runs over')
    take(found, bytes[at + 1], bytes.subarray(start, start + length), reach)
    at = start + length
  }
  return found
}

function take(
  found: { -readonly [K in keyof ReadAttributes]: ReadAttributes[K] },
  code: number,
  value: Uint8Array,
  reach: 'whole' | 'next hop only',
): void {
  switch (code) {
    case 1:
      found.origin = value[0]
      break
    case 2:
      found.asPath = asPathText(value)
      break
    case 3:
      found.nextHop = addressFromBytes(value).text
      break
    case 4:
      found.med = u32(value, 0)
      break
    case 5:
      found.localPref = u32(value, 0)
      break
    case 8:
      found.communities = Array.from(
        { length: value.length / 4 },
        (_, i) => `${u32(value, 4 * i) >>> 16}:${u32(value, 4 * i) & 0xffff}`,
      )
      break
    case 14: {
      // FRR keeps the whole head in its dumps; it begins with the high byte of the AFI.
      const at = reach === 'whole' || value[0] === 0 ? 3 : 0
      const length = value[at]
      const hop = value.subarray(at + 1, at + 1 + length)
      found.nextHop = addressFromBytes(length === 32 ? hop.subarray(0, 16) : hop).text
      break
    }
    case 15:
      break
    default:
      found.others = { ...found.others, [code]: Buffer.from(value).toString('hex') }
  }
}

function asPathText(value: Uint8Array): string {
  const parts: string[] = []
  for (let at = 0; at < value.length;) {
    const members = Array.from({ length: value[at + 1] }, (_, i) => u32(value, at + 2 + 4 * i))
    parts.push(value[at] === 1 ? `{${members.join(',')}}` : members.join(' '))
    at += 2 + 4 * members.length
  }
  return parts.join(' ')
}

const u32 = (bytes: Uint8Array, at: number): number =>
  ((bytes[at] << 24) | (bytes[at + 1] << 16) | (bytes[at + 2] << 8) | bytes[at + 3]) >>> 0
