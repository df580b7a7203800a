import { OPTIONAL_TRANSITIVE, type AttributeSpec } from './attribute.ts'

/** Unsigned 32-bit numbers, in the order of the wire. */
export const communities: AttributeSpec<readonly number[]> = {
  code: 8,
  name: 'COMMUNITIES',
  rfc: 'RFC 1997',
  flags: OPTIONAL_TRANSITIVE,
  onMalformed: 'withdraw',
  decode(from) {
    const list = [from.u32()]
    while (from.left > 0) list.push(from.u32())
    return list
  },
  encode(value, to) {
    for (const community of value) to.u32(community)
  },
  format: (value) => value.map(formatCommunity),
}

/** IANA "BGP Well-known Communities". */
const WELL_KNOWN: readonly (readonly [number, string])[] = [
  [0xffff0000, 'graceful-shutdown'], // RFC 8326
  [0xffff0001, 'accept-own'], // RFC 7611
  [0xffff0006, 'llgr-stale'], // RFC 9494
  [0xffff0007, 'no-llgr'], // RFC 9494
  [0xffff029a, 'blackhole'], // RFC 7999
  [0xffffff01, 'no-export'],
  [0xffffff02, 'no-advertise'],
  [0xffffff03, 'no-export-subconfed'],
  [0xffffff04, 'no-peer'], // RFC 3765
]
const NAME_OF: ReadonlyMap<number, string> = new Map(WELL_KNOWN)
const NUMBER_OF: ReadonlyMap<string, number> = new Map(
  WELL_KNOWN.map(([number, name]) => [name, number]),
)

/** `65001:100`, or `no-export`. */
export const formatCommunity = (community: number): string =>
  NAME_OF.get(community) ?? `${community >>> 16}:${community & 0xffff}`

/** The reverse of `formatCommunity`; undefined when `text` is no community. */
export function parseCommunity(text: string): number | undefined {
  const known = NUMBER_OF.get(text)
  if (known !== undefined) return known
  const match = /^(\d{1,5}):(\d{1,5})$/.exec(text)
  if (match === null) return undefined
  const high = Number(match[1])
  const low = Number(match[2])
  return high > 0xffff || low > 0xffff ? undefined : high * 0x10000 + low
}
