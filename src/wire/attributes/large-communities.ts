import { OPTIONAL_TRANSITIVE, type AttributeSpec } from './attribute.ts'

/** Global administrator, and two numbers of its choice. */
export type LargeCommunity = readonly [number, number, number]

export const largeCommunities: AttributeSpec<readonly LargeCommunity[]> = {
  code: 32,
  name: 'LARGE_COMMUNITIES',
  rfc: 'RFC 8092',
  flags: OPTIONAL_TRANSITIVE,
  onMalformed: 'withdraw',
  decode(from) {
    const list: LargeCommunity[] = []
    // Repeated ones are dropped silently (section 3).
    const seen = new Set<string>()
    do {
      const community: LargeCommunity = [from.u32(), from.u32(), from.u32()]
      const text = formatLargeCommunity(community)
      if (!seen.has(text)) list.push(community)
      seen.add(text)
    } while (from.left > 0)
    return list
  },
  encode(value, to) {
    for (const [administrator, first, second] of value) to.u32(administrator).u32(first).u32(second)
  },
  format: (value) => value.map(formatLargeCommunity),
}

/** `65001:1:2` */
export const formatLargeCommunity = (community: LargeCommunity): string => community.join(':')

/** The reverse of `formatLargeCommunity`; undefined when `text` is no large community. */
export function parseLargeCommunity(text: string): LargeCommunity | undefined {
  if (!/^\d{1,10}:\d{1,10}:\d{1,10}$/.test(text)) return undefined
  const [administrator, first, second] = text.split(':').map(Number)
  if (Math.max(administrator, first, second) > 0xffffffff) return undefined
  return [administrator, first, second]
}
