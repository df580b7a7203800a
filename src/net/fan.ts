/**
 * Fan: an address plan that needs no table. Each host of an underlay gets a slice of the overlay, worked out
 * from its own address, and the host of a container is worked out from the container's.
 *
 * Let `ow` and `uw` be the lengths of overlay and underlay. The bits of a host's address behind the underlay's are
 * moved to stand right behind the overlay's; what is left behind them is the host's to give out. The widths may be
 * any, as long as the host bits of the underlay fit into the overlay: `uw >= ow`.
 */
import { addressFromBytes, type Address } from './address.ts'
import { prefixOf, type Prefix } from './prefix.ts'

/** Both IPv4. */
export interface FanMapping {
  readonly overlay: Prefix
  readonly underlay: Prefix
}

/** Bytes of the name of a link (IFNAMSIZ without its NUL). */
const LONGEST_NAME = 15

/** What is wrong with a mapping, with the remedy; undefined: nothing. */
export function fanProblem({ overlay, underlay }: FanMapping): string | undefined {
  if (overlay.family !== 'ipv4' || underlay.family !== 'ipv4') return 'Fan is for IPv4 only'
  const [first] = overlay.bytes
  const special = first === 0 || first === 127 || (first >= 224 && first < 240)
  if (special && overlay.length >= 4) {
    return `${overlay.text} can't be used for hosts; write one such as 10.0.0.0/8 or 240.0.0.0/8`
  }
  if (overlay.length > underlay.length) {
    return `${overlay.text} has no room for the hosts of ${underlay.text}; write an overlay of /${underlay.length} or shorter`
  }
  return undefined
}

/** The part of the overlay that is the host's; `host` is one of the underlay. */
export function sliceOf({ overlay, underlay }: FanMapping, host: Address): Prefix {
  const moved = hostBits(host, underlay.length) * 2 ** (underlay.length - overlay.length)
  const length = overlay.length + 32 - underlay.length
  return prefixOf(addressOf(wordOf(overlay.bytes) + moved), length)
}

/** The host that gives out `inner`, an address of the overlay. */
export function hostOf({ overlay, underlay }: FanMapping, inner: Address): Address {
  const behind = hostBits(inner, overlay.length)
  const moved = Math.floor(behind / 2 ** (underlay.length - overlay.length))
  return addressOf(wordOf(underlay.bytes) + moved)
}

/** The first address of a slice, which its bridge has; of a slice of one address, that one. */
export const bridgeAddressOf = ({ bytes, length }: Prefix): Address =>
  addressOf(wordOf(bytes) + (length === 32 ? 0 : 1))

/** `fan-10-3-4` for 10.3.4.0/24, as Ubuntu's tools call it; in hexadecimal where that is no name for a link. */
export function bridgeNameOf({ bytes }: Prefix): string {
  const end = bytes.findLastIndex((byte) => byte !== 0)
  const name = `fan-${bytes.slice(0, Math.max(1, end + 1)).join('-')}`
  if (name.length <= LONGEST_NAME) return name
  return `fan-${wordOf(bytes).toString(16).padStart(8, '0')}`
}

/** Unsigned. */
const wordOf = (bytes: Uint8Array): number =>
  ((bytes[0] << 24) | (bytes[1] << 16) | (bytes[2] << 8) | bytes[3]) >>> 0

const hostBits = ({ bytes }: Address, length: number): number => wordOf(bytes) % 2 ** (32 - length)

const addressOf = (word: number): Address =>
  addressFromBytes(Uint8Array.of(word >>> 24, (word >>> 16) & 255, (word >>> 8) & 255, word & 255))
