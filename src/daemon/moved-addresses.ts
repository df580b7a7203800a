/**
 * Addresses of a network on one of our links that have moved to another host (`kernel.withinOwn: accept`).
 *
 * Neighbours on the link believe for up to a minute that the address is still where it was (ARP). Once the
 * kernel has our route to it, they are told to send it to us; that happens only on links on which the
 * host answers for others anyway (`proxy_arp`). IPv4 only: IPv6 has its proxies one by one.
 */
import type { Fib } from '../fib/fib.ts'
import type { KernelTarget } from '../fib/kernel.ts'
import type { PrefixIndex } from '../fib/prefix-index.ts'
import { addressFromWords, type Address } from '../net/address.ts'
import { contains, prefixOf } from '../net/prefix.ts'
import type { HostView } from '../sources/source.ts'

const SCOPE_UNIVERSE = 0
/** The longest network in which there are neighbours to tell. */
const LONGEST = 30

interface Forwards {
  readonly fib: Pick<Fib, 'stateOf' | 'wanted'>
  readonly targets: { get(id: number): { readonly target: KernelTarget } | undefined }
}

export class MovedAddresses {
  readonly #prefixes: Pick<PrefixIndex, 'length' | 'word'>
  readonly #fib: Pick<Fib, 'stateOf' | 'wanted'>
  readonly #targets: Forwards['targets']
  readonly #host: HostView
  readonly #claim: (link: string, address: Address) => void

  constructor(
    prefixes: Pick<PrefixIndex, 'length' | 'word'>,
    { fib, targets }: Forwards,
    host: HostView,
    claim: (link: string, address: Address) => void,
  ) {
    this.#prefixes = prefixes
    this.#fib = fib
    this.#targets = targets
    this.#host = host
    this.#claim = claim
  }

  /** An IPv4 route is installed, failed or gone (`Fib.onSettled`). */
  settled(prefix: number): void {
    const isHost = this.#prefixes.length(prefix) === 32
    if (!isHost || this.#fib.stateOf(0, prefix) !== 'installed') return
    const address = addressFromWords('ipv4', Int32Array.of(this.#prefixes.word(prefix, 0)))
    const target = this.#targets.get(this.#fib.wanted(0, prefix))?.target
    if (target?.kind !== 'gateways') return
    const around = new Set<number>()
    for (const it of this.#host.addresses()) {
      const isNetwork = it.length <= LONGEST && it.scope === SCOPE_UNIVERSE
      if (isNetwork && contains(prefixOf(it.address, it.length), address)) around.add(it.link)
    }
    // Where it is now they hear it themselves.
    for (const { link } of target.hops) around.delete(link)
    if (around.size === 0) return
    for (const link of this.#host.links()) {
      if (link.up && around.has(link.index)) this.#claim(link.name, address)
    }
  }
}
