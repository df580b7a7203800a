/**
 * Our own prefixes on their way into the RIB: from what prefix sources offer to an attribute set
 * (ORIGIN IGP, empty AS_PATH, configured communities and MED).
 */
import type { Clock } from '../net/clock.ts'
import type { Prefix } from '../net/prefix.ts'
import type { Rib } from '../rib/rib.ts'
import type { SourcedPrefix } from '../sources/source.ts'
import { originOf, type RouteOrigin } from '../policy/policy.ts'
import { encodeAttributes } from '../wire/attributes/describe.ts'

export class LocalRoutes {
  readonly #rib: Rib
  readonly #clock: Clock
  readonly #aggregator: string
  readonly #changed: () => void
  readonly #prefixes = new Map<string, SourcedPrefix>()
  /** By source and link. */
  readonly #origins = new Map<string, RouteOrigin>()

  /** `aggregator`: we, as aggregates name us: `65101 10.0.0.1`; `changed` hears that a prefix has become ours or no longer is. */
  constructor(rib: Rib, clock: Clock, aggregator: string, changed: () => void) {
    this.#aggregator = aggregator
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

  /** Where one of our prefixes comes from, as policies see it. */
  originOf(prefix: string): RouteOrigin | undefined {
    const sourced = this.#prefixes.get(prefix)
    if (sourced === undefined) return undefined
    const { source, interface: link } = sourced
    const key = `${source} ${link ?? ''}`
    let origin = this.#origins.get(key)
    if (origin === undefined) {
      origin = originOf({ local: true, name: 'local', source, link })
      this.#origins.set(key, origin)
    }
    return origin
  }

  announce(sourced: SourcedPrefix): void {
    const { prefix, source, communities = [], largeCommunities = [], med } = sourced
    const before = this.#prefixes.get(prefix.text)
    const moved = before?.source !== sourced.source || before.interface !== sourced.interface
    // With the same attributes nobody would look at it again.
    if (before !== undefined && moved) this.#rib.withdraw(prefix)
    this.#prefixes.set(prefix.text, sourced)
    const attributes = encodeAttributes({
      origin: 'IGP',
      asPath: '',
      communities,
      largeCommunities,
      ...(source === 'aggregate' ? { atomicAggregate: true, aggregator: this.#aggregator } : {}),
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
