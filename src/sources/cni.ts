/**
 * Networks of the CNI (`advertise.cni`): what the files in /etc/cni/net.d give this host's containers.
 *
 * A bridge's networks are offered while the bridge is up, from its first container on; those without a link
 * of their own while the file is there. A file that can't be read is told once, and what it said before
 * stays: it may be half written.
 */
import { NotCni, readCniNetworks, type CniNetwork } from './cni-networks.ts'
import { Offers } from './offers.ts'
import type { HostView, PrefixSource, SourcedPrefix, SourceEvents } from './source.ts'

/** A file by name, or the folder itself where that can't be read. */
export type CniFile =
  | { readonly name: string; readonly text: string }
  | { readonly name: string; readonly problem: string }

export interface CniView {
  /** In the order of their names. */
  read(): readonly CniFile[]
  /** `listener` is called after changes; returns the unsubscriber. */
  watch(listener: () => void): () => void
}

export class CniSource implements PrefixSource {
  readonly kind = 'cni'
  readonly #host: HostView
  readonly #view: CniView
  readonly #complain: (text: string) => void
  /** What each file has said, when it last made sense. */
  #networks = new Map<string, readonly CniNetwork[]>()
  #problems = new Map<string, string>()
  #offers: Offers | undefined
  #unsubscribe: (() => void)[] = []

  /** `complain` hears of files that are no configuration. */
  constructor(view: CniView, host: HostView, complain: (text: string) => void) {
    this.#host = host
    this.#view = view
    this.#complain = complain
  }

  start(events: SourceEvents): void {
    this.#offers = new Offers(events)
    this.#unsubscribe = [
      this.#view.watch(() => this.#read()),
      this.#host.onLinksChanged(() => this.#look()),
    ]
    this.#read()
  }

  stop(): void {
    for (const unsubscribe of this.#unsubscribe) unsubscribe()
    this.#offers?.become(new Map())
  }

  #read(): void {
    const networks = new Map<string, readonly CniNetwork[]>()
    const problems = new Map<string, string>()
    for (const file of this.#view.read()) {
      const { name } = file
      try {
        if ('problem' in file) throw new NotCni(file.problem)
        networks.set(name, readCniNetworks(file.text))
      } catch (error) {
        if (!(error instanceof NotCni)) throw error
        problems.set(name, error.message)
        networks.set(name, this.#networks.get(name) ?? [])
        if (this.#problems.get(name) !== error.message) this.#complain(`${name}: ${error.message}`)
      }
    }
    this.#networks = networks
    this.#problems = problems
    this.#look()
  }

  #look(): void {
    this.#offers?.become(this.#find())
  }

  #find(): Map<string, SourcedPrefix> {
    const up = new Set<string>()
    for (const link of this.#host.links()) if (link.up) up.add(link.name)
    const found = new Map<string, SourcedPrefix>()
    for (const { name, link, prefixes } of [...this.#networks.values()].flat()) {
      if (link !== undefined && !up.has(link)) continue
      for (const prefix of prefixes) {
        if (found.has(prefix.text)) continue // the first file counts
        const where = link === undefined ? {} : { interface: link }
        found.set(prefix.text, { prefix, source: this.kind, network: name, ...where })
      }
    }
    return found
  }
}
