/**
 * This host's slice of a Fan overlay (`overlay.fan`): worked out from the address that it has in the underlay, and
 * offered as long as it has one. Of several addresses the lowest counts, so that the slice does not hang on the
 * order in which they came.
 */
import type { Address } from '../net/address.ts'
import { bridgeNameOf, sliceOf, type FanMapping } from '../net/fan.ts'
import { contains, type Prefix } from '../net/prefix.ts'
import type { HostView, PrefixSource, SourceEvents } from './source.ts'

export class FanSource implements PrefixSource {
  readonly kind = 'fan'
  readonly #mapping: FanMapping
  readonly #bridge: string | undefined
  readonly #host: HostView
  #offered: Prefix | undefined
  #events: SourceEvents | undefined
  #unsubscribe: (() => void) | undefined

  /** `bridge`: which link holds the slice's first address; default: the one that is called after the slice. */
  constructor(mapping: FanMapping, host: HostView, bridge?: string) {
    this.#mapping = mapping
    this.#host = host
    this.#bridge = bridge
  }

  start(events: SourceEvents): void {
    this.#events = events
    this.#unsubscribe = this.#host.onLinksChanged(() => this.#look())
    this.#look()
  }

  stop(): void {
    this.#unsubscribe?.()
    this.#offer(undefined)
  }

  #look(): void {
    this.#offer(ownSlice(this.#mapping, this.#host))
  }

  #offer(slice: Prefix | undefined): void {
    const before = this.#offered
    if (before?.text === slice?.text) return
    this.#offered = slice
    if (slice !== undefined) {
      const bridge = this.#bridge ?? bridgeNameOf(slice)
      // What no container takes must not go back to where it came from.
      this.#events?.offer({ prefix: slice, source: this.kind, interface: bridge, blackhole: true })
    }
    if (before !== undefined) this.#events?.retract(before)
  }
}

const SCOPE_UNIVERSE = 0

/** The slice of this host; undefined when it has no address in the underlay. */
export function ownSlice(mapping: FanMapping, host: HostView): Prefix | undefined {
  let lowest: Address | undefined
  for (const { address, scope, tentative } of host.addresses()) {
    if (scope !== SCOPE_UNIVERSE || tentative || !contains(mapping.underlay, address)) continue
    if (lowest === undefined || isLower(address, lowest)) lowest = address
  }
  return lowest && sliceOf(mapping, lowest)
}

function isLower({ bytes: a }: Address, { bytes: b }: Address): boolean {
  const at = a.findIndex((byte, i) => byte !== b[i])
  return at >= 0 && a[at] < b[at]
}
