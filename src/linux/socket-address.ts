/**
 * struct sockaddr_in and sockaddr_in6 (ip(7), ipv6(7)) to and from our addresses.
 */
import { addressFromBytes, type Address } from '../net/address.ts'
import { AF_INET, AF_INET6, interfaceIndex, must } from './sys.ts'

const IN_LENGTH = 16
const IN6_LENGTH = 28

/** The bytes for bind(2), connect(2) and sendto(2). Throws a SystemError when the zone is no interface. */
export function socketAddress(address: Address, port: number): Uint8Array {
  const bytes = new Uint8Array(address.family === 'ipv4' ? IN_LENGTH : IN6_LENGTH)
  const view = new DataView(bytes.buffer)
  view.setUint16(0, address.family === 'ipv4' ? AF_INET : AF_INET6, true) // host order
  view.setUint16(2, port)
  bytes.set(address.bytes, address.family === 'ipv4' ? 4 : 8)
  if (address.zone !== undefined) view.setUint32(24, scopeOf(address.zone), true)
  return bytes
}

/** The address and port in the bytes that getsockname(2) or recvfrom(2) wrote; undefined for other families. */
export function parseSocketAddress(
  bytes: Uint8Array,
  zone?: string,
): { readonly address: Address; readonly port: number } | undefined {
  if (bytes.length < IN_LENGTH) return undefined
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const family = view.getUint16(0, true)
  const port = view.getUint16(2)
  if (family === AF_INET) return { address: addressFromBytes(bytes.subarray(4, 8)), port }
  if (family !== AF_INET6 || bytes.length < IN6_LENGTH) return undefined
  return { address: addressFromBytes(bytes.subarray(8, 24), zone), port }
}

const scopeOf = (zone: string): number =>
  /^\d+$/.test(zone) ? Number(zone) : must(`interface ${zone}`, interfaceIndex(zone))
