/** Values that are addresses and prefixes, and what people write instead of them. */
import { isLinkLocal, isUnspecified, parseAddress, type Address } from '../net/address.ts'
import { parseAddressAndLength, parsePrefix, prefixOf, type Prefix } from '../net/prefix.ts'
import { text, type Advice } from './values.ts'

const lengthSlip = (given: unknown): Advice | undefined => {
  const parsed = typeof given === 'string' ? parseAddressAndLength(given) : undefined
  if (parsed === undefined) return undefined
  const message = `${String(given)} is a prefix, not an address`
  return { message, remedy: `write ${parsed.address.text}` }
}

export const ipAddress = text(parseAddress, {
  noun: 'an IP address',
  write: 'an address such as 10.0.1.1 or 2001:db8::1',
  explain: lengthSlip,
})

/** 240.0.0.0/4 is no multicast, and used as unicast; 255.255.255.255 is nobody. */
const isMulticast = ({ family, bytes, text: written }: Address): boolean =>
  family === 'ipv4'
    ? isMulticastByte(bytes[0] ?? 0) || written === '255.255.255.255'
    : bytes[0] === 0xff

const isMulticastByte = (first: number): boolean => first >= 224 && first < 240

/** The IPv4 address in `::ffff:10.0.1.1`; it would be a second name for the same router. */
const mappedIpv4 = ({ family, text: written }: Address): string | undefined =>
  family === 'ipv6' && /^::ffff:[\d.]+$/.test(written) ? written.slice('::ffff:'.length) : undefined

/** An address that a session can be opened to; link-local ones need their interface (RFC 4007). */
export const peerAddress = text(
  (written) => {
    const parsed = parseAddress(written)
    if (parsed === undefined || isUnspecified(parsed) || isMulticast(parsed)) return undefined
    if (mappedIpv4(parsed) !== undefined) return undefined
    return isLinkLocal(parsed) && parsed.zone === undefined ? undefined : parsed
  },
  {
    noun: "a router's address",
    write: 'an address such as 10.0.1.1 or 2001:db8::1',
    explain: (given) => {
      const parsed = typeof given === 'string' ? parseAddress(given) : undefined
      if (parsed === undefined) return lengthSlip(given)
      const mapped = mappedIpv4(parsed)
      if (mapped !== undefined) {
        const message = `${parsed.text} is IPv4 in the dress of IPv6 (RFC 4291 2.5.5.2)`
        return { message, remedy: `write ${mapped}` }
      }
      if (!isLinkLocal(parsed)) return lengthSlip(given)
      const message = `${parsed.text} is link-local and needs its link (RFC 4007)`
      return { message, remedy: `write ${parsed.text}%eth0` }
    },
  },
)

/** RFC 4271 4.2, RFC 6286: four octets, not zero, written as an IPv4 address. */
export const routerId = text(
  (written) => {
    const parsed = parseAddress(written)
    return parsed?.family === 'ipv4' && !isUnspecified(parsed) ? parsed : undefined
  },
  { noun: 'a router id', write: 'an IPv4 address such as 10.0.1.11', explain: lengthSlip },
)

function isNeverRouted(it: Prefix): boolean {
  const [first = 0, second = 0] = it.bytes
  if (it.family === 'ipv6') {
    const linkLocal = first === 0xfe && (second & 0xc0) === 0x80 && it.length >= 10
    return linkLocal || (first === 0xff && it.length >= 8) || it.text === '::1/128'
  }
  if (it.length === 0) return false
  if (it.text === '255.255.255.255/32') return true
  return first === 127 || isMulticastByte(first) || first === 0 || (first === 169 && second === 254)
}

export const ownPrefix = text(
  (written) => {
    const parsed = parsePrefix(written)
    return parsed === undefined || isNeverRouted(parsed) ? undefined : parsed
  },
  {
    noun: 'a prefix',
    write: 'a prefix such as 10.244.7.0/26',
    explain: (given) => {
      if (typeof given !== 'string') return undefined
      const loose = parseAddressAndLength(given)
      if (loose !== undefined && parsePrefix(given) === undefined) {
        const message = `${given} has host bits set`
        return { message, remedy: `write ${prefixOf(loose.address, loose.length).text}` }
      }
      if (loose !== undefined) {
        return { message: `${given} is never routed`, remedy: 'write a unicast prefix' }
      }
      const single = parseAddress(given)
      if (single === undefined || single.zone !== undefined) return undefined
      const length = single.family === 'ipv4' ? 32 : 128
      const message = `${given} is an address, not a prefix`
      return { message, remedy: `write ${single.text}/${length}` }
    },
  },
)

/** Where an HTTP server listens: `127.0.0.1:8179` or `[::1]:8179`. */
export const endpoint = text(
  (written) => {
    const match = /^(?:\[([^\]]+)\]|([\d.]+)):(\d{1,5})$/.exec(written)
    const address = parseAddress(match?.[1] ?? match?.[2] ?? '')
    const port = Number(match?.[3])
    return address !== undefined && port >= 1 && port <= 65535 ? { address, port } : undefined
  },
  { noun: 'an address and port', write: '127.0.0.1:8179 or [::1]:8179' },
)
