/** Picks an address of a prefix to ask about, where no particular one is known. */
import { addressFromBytes, type Address } from '../net/address.ts'
import type { Prefix } from '../net/prefix.ts'

/** Looked at from the end, where nobody starts to give addresses out, and then in greater and greater steps. */
const ATTEMPTS = 64

/** One for which `isTaken` is false; undefined when there is none among those looked at. */
export function addressIn(
  { bytes, length }: Prefix,
  isTaken: (address: Address) => boolean,
): Address | undefined {
  const bits = bytes.length * 8 - length
  if (bits === 0) {
    const only = addressFromBytes(bytes)
    return isTaken(only) ? undefined : only
  }
  let first = 0n
  for (const byte of bytes) first = (first << 8n) | BigInt(byte)
  const size = 1n << BigInt(bits)
  for (let i = 0; i < ATTEMPTS; i++) {
    // The last but one, for the last is the broadcast address; then a half, a quarter and so on before it.
    const back = i === 0 ? 2n : (size >> BigInt(Math.min(i, bits))) + 2n
    if (back > size) continue
    const address = addressAt(first + size - back, bytes.length)
    if (!isTaken(address)) return address
  }
  return undefined
}

function addressAt(value: bigint, count: number): Address {
  const bytes = new Uint8Array(count)
  for (let i = count - 1, rest = value; i >= 0; i--, rest >>= 8n) bytes[i] = Number(rest & 0xffn)
  return addressFromBytes(bytes)
}
