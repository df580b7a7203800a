/**
 * A default route that a group is told as ours, whether or not the table has one (`defaultOriginate`). It is no
 * path of the Loc-RIB: nothing is forwarded by it here, and a default that was learned stays what it is.
 */
import { addressFromBytes } from '../net/address.ts'
import { prefixOf } from '../net/prefix.ts'
import type { AttributeStore } from './attribute-store.ts'
import type { PrefixTable } from './prefix-table.ts'

export class OriginatedDefault {
  /** PrefixId of 0.0.0.0/0 or ::/0, held. */
  readonly prefix: number
  /** AttrId, held. */
  readonly set: number
  readonly #prefixes: PrefixTable
  readonly #attributes: AttributeStore

  constructor(prefixes: PrefixTable, attributes: AttributeStore, bytes: Uint8Array) {
    this.#prefixes = prefixes
    this.#attributes = attributes
    this.set = attributes.intern(bytes, 0, bytes.length)
    if (this.set === 0) throw new RangeError('attributes of the default route are not canonical')
    const unspecified = addressFromBytes(new Uint8Array(prefixes.family.bits / 8))
    this.prefix = prefixes.internPrefix(prefixOf(unspecified, 0))
    prefixes.retain(this.prefix)
  }

  release(): void {
    this.#prefixes.release(this.prefix)
    this.#attributes.release(this.set)
  }
}
