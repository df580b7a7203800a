/**
 * Our own prefixes on their way into the RIB: from what prefix sources offer to an attribute set
 * (ORIGIN IGP, empty AS_PATH, configured communities and MED).
 */
import type { Clock } from '../net/clock.ts'
import type { Prefix } from '../net/prefix.ts'
import type { Rib } from '../rib/rib.ts'
import type { SourcedPrefix } from '../sources/source.ts'
import { encodeAttributes } from '../wire/attributes/describe.ts'

export class LocalRoutes {
  readonly #rib: Rib
  readonly #clock: Clock
  readonly #changed: () => void
  readonly #prefixes = new Map<string, SourcedPrefix>()

  /** `changed` hears that a prefix has become ours or no longer is. */
  constructor(rib: Rib, clock: Clock, changed: () => void) {
    this.#changed = changed
    this.#rib = rib
    this.#clock = clock
  }

  get size(): number {
    return this.#prefixes.size
  }

  values(): Iterable<SourcedPrefix> {
    return this.#prefixes.values()
  }

  get(prefix: string): SourcedPrefix | undefined {
    return this.#prefixes.get(prefix)
  }

  announce(sourced: SourcedPrefix): void {
    const { prefix, communities = [], med } = sourced
    this.#prefixes.set(prefix.text, sourced)
    const attributes = encodeAttributes({
      origin: 'IGP',
      asPath: '',
      communities,
      ...(med === undefined ? {} : { med }),
    })
    this.#rib.announce(prefix, attributes, Math.floor(this.#clock.wallNow() / 1000))
    this.#changed()
  }

  withdraw(prefix: Prefix): void {
    this.#prefixes.delete(prefix.text)
    this.#rib.withdraw(prefix)
    this.#changed()
  }
}
