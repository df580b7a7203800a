/**
 * Communities as policies name them: exactly (`65001:100`, `no-export`), or with parts left open (`65001:*`)
 * or in a span (`65001:100..199`).
 *
 * All three kinds have parts between colons. Those of extended communities are parts of their text, so that
 * what `show routes` prints can be written here.
 */
import { formatExtendedCommunity } from '../wire/attributes/extended-communities.ts'
import { parseCommunity } from '../wire/attributes/communities.ts'
import { isWithin, MOST_U32, parseSpan, type Span } from './span.ts'

/** True for the community that stands at an offset of the attribute's value. */
export type CommunityPattern = (bytes: Uint8Array, at: number) => boolean

export function parseCommunityPattern(text: string): CommunityPattern | undefined {
  const known = text.includes(':') ? undefined : parseCommunity(text)
  if (known !== undefined) return (bytes, at) => u32(bytes, at) === known
  const spans = spansOf(text, 2, 0xffff)
  if (spans === undefined) return undefined
  const [high, low] = spans
  return (bytes, at) => isWithin(u16(bytes, at), high) && isWithin(u16(bytes, at + 2), low)
}

export function parseLargeCommunityPattern(text: string): CommunityPattern | undefined {
  const spans = spansOf(text, 3, MOST_U32)
  return spans === undefined
    ? undefined
    : (bytes, at) => spans.every((span, i) => isWithin(u32(bytes, at + 4 * i), span))
}

/** `rt:65001:*`, `ro:10.0.0.1:1..9`, `*:*:*` */
export function parseExtendedCommunityPattern(text: string): CommunityPattern | undefined {
  const parts = text.split(':')
  if (parts.length !== 3 || !EXTENDED_KINDS.includes(parts[0] ?? '')) return undefined
  if (!parts.slice(1).every((part) => EXTENDED_PART.test(part))) return undefined
  const tests = parts.map((part) => {
    if (part === '*') return () => true
    const span = parseSpan(part, 0, MOST_U32)
    if (span === undefined) return (it: string) => it === part
    return (it: string) => /^\d+$/.test(it) && isWithin(Number(it), span)
  })
  return (bytes, at) => {
    const texts = formatExtendedCommunity(bytes, at).split(':')
    return tests.every((test, i) => test(texts[i] ?? ''))
  }
}

const EXTENDED_KINDS = ['rt', 'ro', 'bandwidth', 'transitive-bandwidth', 'generic', '*']
const EXTENDED_PART = /^(?:\*|\d+(?:\.\.\d+)?|\d+L|0x[\da-f]{8}|\d+\.\d+\.\d+\.\d+)$/

function spansOf(text: string, count: number, most: number): Span[] | undefined {
  const spans = text.split(':').map((part) => parseSpan(part, 0, most))
  const good = spans.filter((span) => span !== undefined)
  return good.length === count && spans.length === count ? good : undefined
}

const u16 = (bytes: Uint8Array, at: number): number => (bytes[at] << 8) | bytes[at + 1]

const u32 = (bytes: Uint8Array, at: number): number =>
  ((bytes[at] << 24) | (bytes[at + 1] << 16) | (bytes[at + 2] << 8) | bytes[at + 3]) >>> 0
