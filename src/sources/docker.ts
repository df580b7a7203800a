/**
 * Prefixes of a container engine's networks and containers (`advertise.docker`): holds what the engine
 * was last known to have against what the host has, and tells the difference.
 *
 * An engine that can't be heard takes nothing back by that: bridges live in the kernel, and containers
 * live on under `live-restore`. What the kernel still shows is believed:
 *
 *   - a network stays while its link does;
 *   - containers on a bridge stay while the bridge keeps all the ports that it had. When one goes, one
 *     of the containers has ended and nobody can say which: none of that bridge is announced then;
 *   - containers without a port of the host (macvlan, ipvlan) leave no trace in it: they are announced
 *     for as long as the engine may be restarting, and not longer.
 */
import type { Link } from '../net/link.ts'
import { Offers, type Found } from './offers.ts'
import type { EngineView } from './docker-engine.ts'
import { dockerOffers, type DockerRules, type Remark } from './docker-rules.ts'
import type { HostView, PrefixSource, SourceEvents } from './source.ts'

/** How well the engine is known: it answers, it has stopped answering just now, or long ago. */
export type Presence = 'here' | 'away' | 'lost'

const NOTHING: EngineView = { networks: new Map(), containers: new Map() }
const DEFAULT_BRIDGE = 'docker0'

export class DockerSource implements PrefixSource {
  readonly kind = 'docker'
  readonly #host: HostView
  readonly #remark: (remark: Remark) => void
  readonly #listeners = new Set<() => void>()
  #rules: DockerRules | undefined
  #view = NOTHING
  #presence: Presence = 'here'
  /** While the engine is away: the ports that each bridge had then, by the index of the bridge. */
  #ports: ReadonlyMap<number, ReadonlySet<number>> = new Map()
  /** Remarks that still hold: each is made once. */
  #remarks: ReadonlySet<string> = new Set()
  #links: readonly string[] = []
  /** What the last look stood on. */
  #ground = ''
  #offers: Offers | undefined
  #unsubscribe: () => void

  /** `remark` hears what people should know of single networks and containers. */
  constructor(host: HostView, remark: (remark: Remark) => void) {
    this.#host = host
    this.#remark = remark
    this.#unsubscribe = host.onLinksChanged(() => this.#linksChanged())
  }

  start(events: SourceEvents): void {
    this.#offers = new Offers(events)
    this.#look()
  }

  stop(): void {
    this.#unsubscribe()
    this.#offers?.become(new Map())
    this.#offers = undefined
  }

  /** Undefined: nothing is announced. */
  configure(rules: DockerRules | undefined): void {
    this.#rules = rules
    if (rules === undefined) {
      this.#view = NOTHING
      this.#presence = 'here'
    }
    this.#look()
  }

  /** What the engine has now; it may go on changing until the next call. */
  show(view: EngineView): void {
    this.#view = view
    this.#presence = 'here'
    this.#look()
  }

  /** The engine can't be heard. */
  miss(presence: Exclude<Presence, 'here'>): void {
    if (this.#presence === 'lost') return
    if (this.#presence === 'here') this.#ports = portsOf(this.#host)
    this.#presence = presence
    this.#look()
  }

  /** Names of the bridges of announced networks, docker0 first: the host has addresses there. */
  get links(): readonly string[] {
    return this.#links
  }

  /** `listener` hears that `links` are others; returns the unsubscriber. */
  onLinksChanged(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** The ports of a bridge come and go with each container: what counts is what networks stand on. */
  #linksChanged(): void {
    if (this.#rules === undefined) return
    if (this.#presence !== 'here' || this.#groundKey() !== this.#ground) this.#look()
  }

  /** All links but the ports of containers, and all addresses. */
  #groundKey(): string {
    const words: (string | number | boolean)[] = []
    for (const it of this.#host.links()) {
      const isPort = it.kind === 'veth' && it.master !== 0
      if (!isPort) words.push(it.index, it.name, it.up, it.kind)
    }
    for (const { link, address } of this.#host.addresses()) words.push(link, address.text)
    return words.join(' ')
  }

  #look(): void {
    this.#ground = this.#groundKey()
    const { found, remarks } =
      this.#rules === undefined
        ? { found: new Map(), remarks: [] }
        : dockerOffers(this.#view, this.#host, this.#rules, this.#mayLive())
    for (const it of remarks) if (!this.#remarks.has(it.text)) this.#remark(it)
    this.#remarks = new Set(remarks.map(({ text }) => text))
    this.#offers?.become(found)
    this.#putLinks(bridgesOf(found, this.#host))
  }

  #putLinks(links: readonly string[]): void {
    if (links.join(' ') === this.#links.join(' ')) return
    this.#links = links
    for (const listener of this.#listeners) listener()
  }

  /** Whether a container on `link` can be counted on. */
  #mayLive(): (link: Link) => boolean {
    if (this.#presence === 'here') return () => true
    const now = portsOf(this.#host)
    return (link) => {
      const had = this.#ports.get(link.index)
      if (link.kind !== 'bridge') return this.#presence === 'away'
      if (had === undefined) return false
      const has = now.get(link.index)
      return [...had].every((port) => has?.has(port) === true)
    }
  }
}

/** Indexes of the links that belong to each bridge, by its index. */
function portsOf(host: HostView): Map<number, Set<number>> {
  const ports = new Map<number, Set<number>>()
  for (const { index, master, up, carrier } of host.links()) {
    if (master === 0 || !up || !carrier) continue
    const of = ports.get(master) ?? new Set()
    ports.set(master, of.add(index))
  }
  return ports
}

function bridgesOf(found: Found, host: HostView): string[] {
  const links = new Set<string>()
  for (const { interface: link, container } of found.values()) {
    if (link !== undefined && container === undefined) links.add(link)
  }
  const bridges = [...host.links()].filter(({ name, kind }) => kind === 'bridge' && links.has(name))
  const isDefault = ({ name }: Link): number => Number(name === DEFAULT_BRIDGE)
  return bridges.toSorted((a, b) => isDefault(b) - isDefault(a)).map(({ name }) => name)
}
