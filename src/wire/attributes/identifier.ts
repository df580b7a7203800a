import { parseAddress } from '../../net/address.ts'

/** A dotted quad as the unsigned 32-bit number that BGP identifiers are; undefined for anything else. */
export function parseIdentifier(text: string): number | undefined {
  const parsed = parseAddress(text)
  if (parsed?.family !== 'ipv4') return undefined
  return parsed.bytes.reduce((sum, byte) => sum * 256 + byte, 0)
}
