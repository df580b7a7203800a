/** Addresses in attributes of netlink messages: 4 or 16 bytes, without a zone. */
import { addressFromBytes, type Address } from '../net/address.ts'
import type { Attributes } from './netlink.ts'

/** Undefined where there is none. */
export function addressAt(
  view: DataView,
  attributes: Attributes,
  kind: number,
): Address | undefined {
  const size = attributes.size(kind)
  return size === 4 || size === 16 ? bytesAddress(view, attributes.at(kind), size) : undefined
}

export const bytesAddress = (view: DataView, at: number, size: number): Address =>
  addressFromBytes(new Uint8Array(view.buffer, view.byteOffset + at, size))
