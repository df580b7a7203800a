/** Lower-case hexadecimal, two digits a byte, for values that have no better text. */
export const toHex = (bytes: Uint8Array): string =>
  Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')

/** The reverse of `toHex`; undefined when `text` isn't that. */
export const fromHex = (text: string): Uint8Array | undefined =>
  /^(?:[\da-f]{2})*$/i.test(text)
    ? Uint8Array.from(text.match(/../g) ?? [], (pair) => parseInt(pair, 16))
    : undefined
