/**
 * What was found out about an attribute set, for asking once: a table of fixed places, like a processor's
 * cache. A newer entry takes the place of an older one, so nothing needs to be emptied; sets are told from later
 * ones under the same number by their birth, so nothing is held. It grows while it is too small, up to a bound.
 *
 *   0  set   1  birth   2  key   3  value   4  another set, or 0   5  its birth
 */
import type { AttributeSets } from './policy.ts'

const WIDTH = 6
const FIRST_ROWS = 256
const MOST_ROWS = 1 << 16

export class VerdictCache {
  readonly #sets: AttributeSets
  #rows = new Int32Array(0)
  #mask = 0
  /** Entries that fell to others since the table grew. */
  #lost = 0
  #at = 0

  constructor(sets: AttributeSets) {
    this.#sets = sets
  }

  /** True when something is known about `set` and `key`: then `value` and `other` are it. */
  find(set: number, key: number): boolean {
    if (this.#mask === 0) return false
    const rows = this.#rows
    const at = this.#placeOf(set, key)
    this.#at = at
    if (rows[at] !== set || rows[at + 2] !== key) return false
    if (rows[at + 1] !== this.#sets.birth(set)) return false
    const other = rows[at + 4]
    return other === 0 || other === set || rows[at + 5] === this.#sets.birth(other)
  }

  get value(): number {
    return this.#rows[this.#at + 3]
  }

  /** The other set that was noted, alive; 0 for none. */
  get other(): number {
    return this.#rows[this.#at + 4]
  }

  /** Notes what was found out. */
  put(set: number, key: number, value: number, other = 0): void {
    if (this.#mask === 0 || (this.#lost > this.#mask && this.#mask + 1 < MOST_ROWS)) this.#grow()
    const rows = this.#rows
    const at = this.#placeOf(set, key)
    if (rows[at] !== 0 && (rows[at] !== set || rows[at + 2] !== key)) this.#lost++
    rows[at] = set
    rows[at + 1] = this.#sets.birth(set)
    rows[at + 2] = key
    rows[at + 3] = value
    rows[at + 4] = other
    rows[at + 5] = other === 0 ? 0 : this.#sets.birth(other)
  }

  #grow(): void {
    const rows = this.#mask === 0 ? FIRST_ROWS : 4 * (this.#mask + 1)
    this.#mask = rows - 1
    this.#rows = new Int32Array(rows * WIDTH)
    this.#lost = 0
  }

  #placeOf(set: number, key: number): number {
    const hash = Math.imul(set ^ Math.imul(key, 0x85ebca6b), 0x9e3779b1)
    return ((hash ^ (hash >>> 15)) & this.#mask) * WIDTH
  }
}
