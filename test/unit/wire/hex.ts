/** Bytes as people write them in tests: hexadecimal, with blanks and line ends wherever they help. */
export function hex(text: string): Uint8Array {
  const digits = text.replace(/\s+/g, '')
  if (!/^(?:[\da-f]{2})*$/.test(digits)) throw new RangeError(`not hexadecimal: ${text}`)
  return Uint8Array.from(digits.match(/../g) ?? [], (pair) => parseInt(pair, 16))
}

export const toHex = (bytes: Uint8Array): string =>
  Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')

export const MARKER = 'ff'.repeat(16)

/** An attribute of these flags and this code, the length octet put in. */
export const attribute = (flags: number, code: number, value: string): string => {
  const bytes = hex(value)
  const wide = bytes.length > 255
  const head = wide
    ? [flags | 0x10, code, bytes.length >> 8, bytes.length & 0xff]
    : [flags, code, bytes.length]
  return toHex(Uint8Array.from([...head, ...bytes]))
}
