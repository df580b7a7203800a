/**
 * Our own prefixes: runs the prefix sources that are configured, and passes on what they find together.
 */
import type { Config } from '../config/config.ts'
import type { Clock } from '../net/clock.ts'
import { CniSource, type CniView } from '../sources/cni.ts'
import { HostRouteSource } from '../sources/host-routes.ts'
import { InterfaceSource } from '../sources/interface.ts'
import { PrefixSources, type SourceRecord } from '../sources/prefix-sources.ts'
import type { HostView, PrefixSource, SourcedPrefix } from '../sources/source.ts'
import { StaticSource } from '../sources/static.ts'
import type { Aggregates } from './aggregates.ts'
import type { DockerDiscovery } from './docker-discovery.ts'
import type { Events } from './events.ts'
import type { LocalRoutes } from './local-routes.ts'

/** Where prefixes are found, beside the configuration. */
export interface Finders {
  readonly host: HostView
  readonly aggregates: Aggregates
  /** Absent where there are none. */
  readonly cni?: ((directory: string) => CniView) | undefined
  /** Our slice of a Fan, where there is one. */
  readonly fan?: PrefixSource | undefined
  /** Absent where nobody looks. */
  readonly docker?: DockerDiscovery | undefined
}

export class OwnPrefixes {
  readonly #host: HostView
  readonly #aggregates: Aggregates
  readonly #cni: Finders['cni']
  readonly #events: Events
  readonly #docker: DockerDiscovery | undefined
  readonly #fan: PrefixSource | undefined
  readonly #sources: PrefixSources
  #running: PrefixSource[] = []
  #configured = ''

  constructor(
    routes: LocalRoutes,
    { host, aggregates, fan, cni, docker }: Finders,
    events: Events,
    clock: Clock,
  ) {
    this.#host = host
    this.#aggregates = aggregates
    this.#cni = cni
    this.#events = events
    this.#docker = docker
    this.#fan = fan
    this.#sources = new PrefixSources(clock.wallNow, {
      announced: (sourced) => {
        routes.announce(sourced)
        const { prefix } = sourced
        events.tell({
          level: 'info',
          topic: 'sources',
          kind: 'PrefixAnnounced',
          prefix: prefix.text,
          text: `announcing ${prefix.text} (${whereFrom(sourced)})`,
        })
      },
      withdrawn: (prefix) => {
        routes.withdraw(prefix)
        events.tell({
          level: 'info',
          topic: 'sources',
          kind: 'PrefixWithdrawn',
          prefix: prefix.text,
          text: `no longer announcing ${prefix.text}`,
        })
      },
    })
  }

  records(): Iterable<SourceRecord> {
    return this.#sources.records()
  }

  /** To be called before `configure`: aggregates come and go with what the RIB decides. */
  start(): void {
    this.#sources.add(this.#aggregates)
    if (this.#fan !== undefined) this.#sources.add(this.#fan)
    if (this.#docker !== undefined) this.#sources.add(this.#docker.source)
  }

  /** Runs the sources of `advertise`. New ones start before old ones stop: what is in both stays. */
  configure(advertise: Config['advertise']): void {
    const key = JSON.stringify(advertise)
    if (key === this.#configured) return
    this.#configured = key
    const old = this.#running
    const hostRoutes = advertise.hostRoutes.interfaces
    this.#running = [
      ...this.#cniSources(advertise.cni),
      new InterfaceSource(advertise.interfaces, this.#host),
      ...(hostRoutes.length === 0 ? [] : [new HostRouteSource(hostRoutes, this.#host)]),
      new StaticSource(advertise.prefixes),
    ]
    for (const source of this.#running) this.#sources.add(source)
    for (const source of old) this.#sources.remove(source)
    this.#aggregates.configure(advertise.aggregates)
    void this.#docker?.configure(advertise.docker)
  }

  #cniSources(wanted: Config['advertise']['cni']): PrefixSource[] {
    if (wanted === undefined || this.#cni === undefined) return []
    const complain = (text: string): void =>
      this.#events.tell({ level: 'warn', topic: 'sources', kind: 'CniFileUnread', text })
    return [new CniSource(this.#cni(wanted.directory), this.#host, complain)]
  }

  close(): void {
    for (const source of this.#running) this.#sources.remove(source)
    this.#sources.remove(this.#aggregates)
    if (this.#docker !== undefined) this.#sources.remove(this.#docker.source)
    if (this.#fan !== undefined) this.#sources.remove(this.#fan)
    this.#running = []
  }
}

/** `interface docker0`, `docker blue on br-1`, `docker web on br-1`. */
function whereFrom({ source, interface: link, network, container }: SourcedPrefix): string {
  const name = container ?? network
  return [source, name, name !== undefined && link !== undefined ? 'on' : undefined, link]
    .filter((it) => it !== undefined)
    .join(' ')
}
