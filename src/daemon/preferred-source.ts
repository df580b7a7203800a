/**
 * The address that this host itself sends from over our routes (`kernel.preferredSource`).
 *
 * Addresses come and go (Docker deletes docker0 and makes it anew when it starts), and the kernel drops all
 * routes of a source that goes, without a word, and takes none with a source that is not there. So routes
 * carry only an address that the host has now. One that was chosen stays chosen while it is there, whatever
 * other links appear: a change means that every route is written anew.
 */
import type { Config } from '../config/config.ts'
import type { KernelOptions } from '../fib/kernel.ts'
import type { Address } from '../net/address.ts'
import type { Family } from '../net/family.ts'
import type { FanMapping } from '../net/fan.ts'
import { contains } from '../net/prefix.ts'
import { ownSlice } from '../sources/fan.ts'
import { matcher } from '../sources/glob.ts'
import type { HostView } from '../sources/source.ts'

type Sources = KernelOptions['preferredSource']

/** Links whose networks are announced because Docker says so. */
export interface DockerLinks {
  readonly links: readonly string[]
  onLinksChanged(listener: () => void): () => void
}

const SCOPE_UNIVERSE = 0

export class PreferredSource {
  readonly #configured: Config['kernel']['preferredSource']
  readonly #matchers: readonly ((name: string) => boolean)[]
  readonly #host: HostView
  readonly #docker: DockerLinks | undefined
  readonly #fan: FanMapping | undefined
  #current: Sources

  constructor({ kernel, advertise, overlay }: Config, host: HostView, docker?: DockerLinks) {
    this.#configured = kernel.preferredSource
    this.#matchers = advertise.interfaces.map((pattern) => matcher([pattern]))
    this.#host = host
    this.#docker = docker
    this.#fan = overlay?.fan
    this.#current = this.#choose({})
  }

  get current(): Sources {
    return this.#current
  }

  /** Calls `changed` whenever it is another address than before, until the returned function is called. */
  onChange(changed: (current: Sources) => void): () => void {
    const look = (): void => {
      const before = this.#current
      this.#current = this.#choose(before)
      const same = textOf(before.ipv4) === textOf(this.#current.ipv4)
      if (!same || textOf(before.ipv6) !== textOf(this.#current.ipv6)) changed(this.#current)
    }
    const forget = [this.#host.onLinksChanged(look), this.#docker?.onLinksChanged(look)]
    return () => forget.forEach((it) => it?.())
  }

  #choose(before: Sources): Sources {
    const [ipv4, ipv6] = [this.#chooseOne('ipv4', before), this.#chooseOne('ipv6', before)]
    return { ...(ipv4 && { ipv4 }), ...(ipv6 && { ipv6 }) }
  }

  #chooseOne(family: Family, before: Sources): Address | undefined {
    const configured = this.#configured
    if (configured === 'none') return undefined
    const usable = [...this.#host.addresses()].filter(
      (it) => it.address.family === family && it.scope === SCOPE_UNIVERSE && !it.tentative,
    )
    const has = (address: Address | undefined): boolean =>
      usable.some((it) => it.address.text === textOf(address))
    if (configured !== 'auto') return has(configured[family]) ? configured[family] : undefined
    const slice = this.#fan && ownSlice(this.#fan, this.#host)
    const inSlice = slice && usable.find(({ address }) => contains(slice, address))
    if (inSlice !== undefined) return inSlice.address
    if (has(before[family])) return before[family]
    // `auto`: the address of the first link that is advertised, so that the host is reached as its containers are.
    const links = [...this.#host.links()]
    const named = (this.#docker?.links ?? []).map((link) => (name: string) => name === link)
    for (const matches of [...this.#matchers, ...named]) {
      const indexes = links.filter((it) => matches(it.name)).map((it) => it.index)
      const first = usable.find((it) => indexes.includes(it.link))
      if (first !== undefined) return first.address
    }
    return undefined
  }
}

const textOf = (address: Address | undefined): string | undefined => address?.text
