/**
 * Reads what policies want to know of an attribute set out of its canonical bytes. Verdicts are cached, so
 * this runs once for a set and rule, not once for a prefix.
 */
import { Reader } from '../net/bytes.ts'
import { formatAsPath, readAsPath, type AsPath } from '../wire/attributes/as-path.ts'
import { EXTENDED_LENGTH } from '../wire/attributes/attribute.ts'
import type { AttributeSets } from './policy.ts'

const AS_PATH = 2
const NEXT_HOP = 3
const MP_REACH = 14

export class SetReader {
  readonly #sets: AttributeSets
  #set = 0
  #birth = 0
  #path: AsPath = []
  #pathText = ''

  constructor(sets: AttributeSets) {
    this.#sets = sets
  }

  /** The value of an attribute, valid until the set is freed; undefined when the set has none. */
  value(set: number, code: number): Uint8Array | undefined {
    return valueIn(this.#sets.view(set), code)
  }

  asPath(set: number): AsPath {
    this.#read(set)
    return this.#path
  }

  /** As `show routes` prints it. */
  asPathText(set: number): string {
    this.#read(set)
    return this.#pathText
  }

  /** Of NEXT_HOP, or the first one of MP_REACH_NLRI; undefined for our own prefixes. */
  nextHop(set: number): Uint8Array | undefined {
    const reach = this.value(set, MP_REACH)
    if (reach === undefined) return this.value(set, NEXT_HOP)
    return reach.subarray(4, 4 + Math.min(16, reach[3]))
  }

  #read(set: number): void {
    const birth = this.#sets.birth(set)
    if (set === this.#set && birth === this.#birth) return
    this.#set = set
    this.#birth = birth
    const bytes = this.value(set, AS_PATH)
    const path = bytes === undefined ? [] : readAsPath(new Reader(bytes), true, 'withdraw')
    this.#path = Array.isArray(path) ? path : []
    this.#pathText = formatAsPath(this.#path)
  }
}

export function valueIn(canonical: Uint8Array, wanted: number): Uint8Array | undefined {
  for (let at = 0; at < canonical.length;) {
    const extended = (canonical[at] & EXTENDED_LENGTH) !== 0
    const code = canonical[at + 1]
    const start = at + (extended ? 4 : 3)
    const length = extended ? (canonical[at + 2] << 8) | canonical[at + 3] : canonical[at + 2]
    if (code === wanted) return canonical.subarray(start, start + length)
    if (code > wanted) return undefined
    at = start + length
  }
  return undefined
}
