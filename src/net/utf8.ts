/**
 * UTF-8 for the pure rooms, which have no TextDecoder: shutdown texts (RFC 9003) and little else.
 *
 * Decoding never throws: what is not UTF-8 becomes U+FFFD, because a peer's text is shown, not obeyed.
 */

/** The UTF-8 bytes of `text`; a lone surrogate is written as U+FFFD. */
export function encodeUtf8(text: string): Uint8Array {
  const bytes: number[] = []
  for (const character of text) {
    const point = character.codePointAt(0) ?? 0xfffd
    const code = point >= 0xd800 && point <= 0xdfff ? 0xfffd : point
    if (code < 0x80) bytes.push(code)
    else if (code < 0x800) bytes.push(0xc0 | (code >> 6), tail(code))
    else if (code < 0x10000) bytes.push(0xe0 | (code >> 12), tail(code >> 6), tail(code))
    else bytes.push(0xf0 | (code >> 18), tail(code >> 12), tail(code >> 6), tail(code))
  }
  return Uint8Array.from(bytes)
}

/** The text of UTF-8 `bytes`; each byte that starts no valid sequence becomes U+FFFD. */
export function decodeUtf8(bytes: Uint8Array): string {
  let text = ''
  for (let at = 0; at < bytes.length;) {
    const lead = bytes[at] ?? 0
    const length = sequenceLength(lead)
    const code = length === 0 ? -1 : codePoint(bytes, at, length, lead)
    text += code < 0 ? '\ufffd' : String.fromCodePoint(code)
    at += code < 0 ? 1 : length
  }
  return text
}

const tail = (code: number): number => 0x80 | (code & 0x3f)

function sequenceLength(lead: number): number {
  if (lead < 0x80) return 1
  if (lead >= 0xc2 && lead < 0xe0) return 2
  if (lead >= 0xe0 && lead < 0xf0) return 3
  return lead >= 0xf0 && lead < 0xf5 ? 4 : 0
}

const LEAD_MASK = [0, 0x7f, 0x1f, 0x0f, 0x07]
const SMALLEST = [0, 0, 0x80, 0x800, 0x10000]

/** The code point of the sequence at `at`, or -1 when it is cut, overlong or a surrogate. */
function codePoint(bytes: Uint8Array, at: number, length: number, lead: number): number {
  let code = lead & (LEAD_MASK[length] ?? 0)
  for (let i = 1; i < length; i++) {
    const byte = bytes[at + i]
    if (byte === undefined || (byte & 0xc0) !== 0x80) return -1
    code = (code << 6) | (byte & 0x3f)
  }
  const surrogate = code >= 0xd800 && code <= 0xdfff
  return code < (SMALLEST[length] ?? 0) || surrogate || code > 0x10ffff ? -1 : code
}
