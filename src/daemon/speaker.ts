/**
 * The speaker: puts the rooms together (the composition root) and runs them.
 *
 *   sources -> local routes -> RIB <-> neighbours (sessions)
 *                               |
 *                               +-> forwarding -> FIB -> kernel
 *
 * Nothing in here knows a protocol or a system call; it introduces those who do to each other, and gives
 * them their slices of time.
 */
import type { Config, ResolvedPeer } from '../config/config.ts'
import type { ConfigChange } from '../config/change.ts'
import type { DropCounts } from '../linux/drop-counts.ts'
import { wordsOf, type Address } from '../net/address.ts'
import type { Clock, Timer } from '../net/clock.ts'
import { SetReader } from '../policy/set-reader.ts'
import type { NextHopResolver } from '../rib/next-hop.ts'
import { Rib, type Concerned } from '../rib/rib.ts'
import type { Affected } from '../rpki/rpki.ts'
import type { NeighborDiscovery } from '../session/neighbor-discovery.ts'
import type { Transport } from '../session/transport.ts'
import type { HostView } from '../sources/source.ts'
import {
  ADMINISTRATIVE_SHUTDOWN,
  OTHER_CONFIGURATION_CHANGE,
  PEER_DECONFIGURED,
} from '../wire/constants.ts'
import type { Events } from './events.ts'
import { Forwarding, type KernelAccess } from './forwarding.ts'
import { linkNameOf, nextHopBeside } from './host-addresses.ts'
import { LinkSearch } from './link-search.ts'
import { Listeners } from './listeners.ts'
import { Monitors } from './monitors.ts'
import { LocalRoutes } from './local-routes.ts'
import { Neighbor } from './neighbor.ts'
import type { Neighborhood } from './neighborhood.ts'
import { OwnPrefixes } from './own-prefixes.ts'
import { Policies } from './policies.ts'
import { RpkiCaches } from './rpki-caches.ts'
import { Scheduler } from './scheduler.ts'
import { Suspicions } from './suspicions.ts'
import { TableNews } from './table-news.ts'
import { UpdateGroups } from './update-groups.ts'

/** The world that a speaker stands in. */
export interface World {
  readonly clock: Clock
  readonly events: Events
  readonly host: HostView
  readonly resolver: NextHopResolver
  readonly transport: Transport
  /** What the kernel has dropped of TCP; absent where nobody counts. */
  readonly dropCounts?: () => DropCounts
  /** Finds unnumbered peers; absent where there are none. */
  readonly discovery?: NeighborDiscovery
  /** Absent when routes are not to be installed. */
  readonly kernel: KernelAccess | undefined
}

/** Links come and go in bursts: peers are called out of turn when it is over. */
const CALL_AGAIN_MS = 500

export class Speaker {
  readonly rib: Rib
  readonly routerId: Address
  readonly localRoutes: LocalRoutes
  readonly ownPrefixes: OwnPrefixes
  readonly forwarding: Forwarding | undefined
  readonly listeners: Listeners
  readonly scheduler: Scheduler
  readonly groups: UpdateGroups
  readonly suspicions: Suspicions
  readonly monitors: Monitors
  readonly policies: Policies
  readonly rpkiCaches: RpkiCaches
  readonly #world: World
  readonly #news: TableNews
  readonly #hood: Neighborhood
  readonly #neighbors = new Map<string, Neighbor>()
  /** Of unnumbered peers, by their name. */
  readonly #searches = new Map<string, LinkSearch>()
  #config: Config
  /** Whose turn to announce first is next. */
  #turn = 0
  #callTimer: Timer | undefined
  #drained = false

  constructor(config: Config, routerId: Address, world: World) {
    this.#config = config
    this.#world = world
    this.routerId = routerId
    const { clock, events, host } = world
    const identifier = wordsOf(routerId.bytes)[0] >>> 0
    const clusterId = wordsOf((config.clusterId ?? routerId).bytes)[0] >>> 0
    this.scheduler = new Scheduler(clock.now)
    this.#news = new TableNews(events, clock)
    this.rib = new Rib(
      {
        own: { asns: ownAsns(config), clusterId },
        decision: {
          ...config.decision,
          multipath: config.kernel.install ? config.kernel.ecmp : 1,
          multipathRelax: config.kernel.multipathRelax,
        },
        local: {
          name: 'local',
          address: routerId,
          routerId: identifier,
          asn: config.asn,
          external: false,
          routeReflectorClient: false,
        },
      },
      world.resolver,
      {
        workArrived: () => this.scheduler.wake(),
        decided: (family, prefix, paths, count) => {
          this.forwarding?.decided(family, prefix, paths, count)
          this.#news.decided(family.index, prefix, this.rib.families[family.index].prefixes)
        },
      },
    )
    this.monitors = new Monitors({
      rib: this.rib,
      asn: config.asn,
      routerId: identifier,
      clock,
      transport: world.transport,
      events,
      neighbors: () => this.#neighbors.values(),
      scheduler: this.scheduler,
    })
    this.localRoutes = new LocalRoutes(this.rib, clock, () => this.forwarding?.ownPrefixesChanged())
    const localOrigin = (prefix: string) => this.localRoutes.originOf(prefix)
    this.groups = new UpdateGroups(this.rib, clusterId, { events, clock, localOrigin })
    this.rpkiCaches = new RpkiCaches({
      clock,
      events,
      transport: world.transport,
      revalidate: (affected) => this.#revalidate(affected),
    })
    this.policies = new Policies({
      sets: this.rib.attributes,
      reader: new SetReader(this.rib.attributes),
      rpkiState: ({ family, words, at, length }, originAsn) =>
        this.rpkiCaches.rpki.validate(family, words, at, length, originAsn ?? config.asn),
    })
    this.ownPrefixes = new OwnPrefixes(this.localRoutes, host, events, clock)
    this.forwarding =
      world.kernel === undefined
        ? undefined
        : new Forwarding(this.rib, this.localRoutes, world.kernel, config, {
            host,
            clock,
            events,
            wake: () => this.scheduler.wake(),
          })
    this.listeners = new Listeners(
      {
        neighbors: () => this.#neighbors.values(),
        onLink: (address) => this.#neighborOnLink(address),
      },
      events,
      clock,
    )
    this.suspicions = new Suspicions({
      clock,
      events,
      dropCounts: world.dropCounts,
      neighbors: () => this.#neighbors.values(),
      strangersSince: (milliseconds) => this.listeners.strangersSince(milliseconds),
    })
    this.#hood = {
      rib: this.rib,
      groups: this.groups,
      policies: this.policies,
      scheduler: this.scheduler,
      events,
      clock,
      transport: world.transport,
      monitors: this.monitors,
      routerId: identifier,
      own: config,
      drained: () => this.#drained,
      ownNextHop: (local, family, ipv6NextHops) => nextHopBeside(host, local, family, ipv6NextHops),
      linkName: (local) => linkNameOf(host, local),
      hasOwn: (family) =>
        [...this.localRoutes.values()].some(({ prefix }) => prefix.family === family),
      changed: () => this.#neighborsChanged(),
      moved: () => {
        this.listeners.setKeys()
        this.#neighborsChanged()
      },
    }
    this.#addStages()
    this.rib.nextHops.onChange(({ address, resolution }) =>
      this.#news.nextHopChanged(address.text, resolution.resolvedBy),
    )
    host.onLinksChanged(() => this.#linksChanged())
  }

  get config(): Config {
    return this.#config
  }

  get neighbors(): Iterable<Neighbor> {
    return this.#neighbors.values()
  }

  /** Name of the link with this index, or the index when it is gone. */
  readonly linkName = (index: number): string =>
    [...this.#world.host.links()].find((link) => link.index === index)?.name ?? `${index}`
  get clock(): Clock {
    return this.#world.clock
  }

  get drained(): boolean {
    return this.#drained
  }

  /** Announces everything as the last choice, or no longer (RFC 8326). */
  drain(on: boolean): void {
    this.#drained = on
    for (const neighbor of this.#neighbors.values()) neighbor.regroup()
  }

  /** Neighbours that have not been sent all that they are to hear. */
  get untold(): Neighbor[] {
    const all = [...this.#neighbors.values()]
    return this.rib.busy
      ? all.filter(({ session }) => session !== undefined)
      : all.filter(hasToHear)
  }

  neighbor(name: string): Neighbor | undefined {
    return this.#neighbors.get(name)
  }

  /** Adopts what is in the kernel, listens, finds prefixes, calls peers. Throws a ListenError. */
  async start(): Promise<void> {
    await this.forwarding?.start()
    await this.monitors.configure(this.#config)
    for (const peer of this.#config.peers) this.#add(peer)
    this.listeners.open(this.#config.listen)
    this.listeners.setKeys()
    this.ownPrefixes.configure(this.#config.advertise)
    for (const neighbor of this.#neighbors.values()) this.#start(neighbor)
    this.suspicions.start()
    this.#neighborsChanged()
    this.rpkiCaches.configure(this.#config.rpki)
  }

  /** Ceases all sessions; `routes` says what becomes of those in the kernel. */
  async stop(text: string, routes: 'keep' | 'remove'): Promise<void> {
    this.#callTimer?.cancel()
    this.suspicions.stop()
    for (const search of this.#searches.values()) search.close()
    for (const neighbor of this.#neighbors.values()) {
      neighbor.standing.stop({ subcode: ADMINISTRATIVE_SHUTDOWN, text })
    }
    this.listeners.close()
    this.rpkiCaches.close()
    this.ownPrefixes.close()
    await this.monitors.close()
    await this.forwarding?.stop(routes)
    this.scheduler.close()
    this.#news.close()
  }

  /** Carries out a change of configuration that has no refusals. Throws a ListenError, having done nothing. */
  reconfigure(config: Config, change: ConfigChange): void {
    this.listeners.open(config.listen)
    this.#config = config
    const renewed = this.policies.renew(config)
    for (const { name } of change.removed) this.#remove(name, PEER_DECONFIGURED)
    for (const { name, after, effect } of change.changed) {
      if (effect === 'reset') {
        this.#remove(name, OTHER_CONFIGURATION_CHANGE)
        this.#start(this.#add(after))
      } else this.#neighbors.get(name)?.reconfigure(after, renewed)
    }
    this.groups.lookAgain(renewed)
    this.rpkiCaches.configure(config.rpki)
    for (const peer of change.added) this.#add(peer)
    this.listeners.setKeys()
    this.ownPrefixes.configure(config.advertise)
    void this.monitors.configure(config)
    for (const { name } of change.added) {
      const neighbor = this.#neighbors.get(name)
      if (neighbor !== undefined) this.#start(neighbor)
    }
    this.#neighborsChanged()
  }

  /** RPKI data have changed: who looks at them judges these prefixes anew. */
  #revalidate(affected: Affected): void {
    const $words = new Int32Array(4)
    const concerned: Concerned = ({ family, prefixes }, prefix) => {
      prefixes.copyWords(prefix, $words)
      return affected(family, $words, prefixes.length(prefix))
    }
    const sessions = [...this.#neighbors.values()].flatMap(({ session }) =>
      session?.adjRibIn.peer.importPolicy.looksAtRpki === true ? [session.adjRibIn] : [],
    )
    if (sessions.length > 0) this.rib.judgeAgainWhere(sessions, concerned)
    this.groups.revalidate(concerned)
    this.scheduler.wake()
  }

  #add(config: ResolvedPeer): Neighbor {
    const neighbor = new Neighbor(config, this.#hood)
    this.#neighbors.set(config.name, neighbor)
    return neighbor
  }

  #start(neighbor: Neighbor): void {
    neighbor.standing.start()
    const { name, interface: link } = neighbor.config
    const { discovery, host, clock, events } = this.#world
    if (link === undefined || discovery === undefined) return
    const warn = (text: string): void =>
      events.tell({ level: 'warn', topic: 'peers', kind: 'LinkCrowded', peer: name, text })
    this.#searches.set(name, new LinkSearch(link, neighbor, { discovery, host, clock, warn }))
  }

  /** The unnumbered peer that a connection from a link-local address must come from. */
  #neighborOnLink(address: Address): Neighbor | undefined {
    for (const [name, search] of this.#searches) {
      if (search.link === address.zone && search.heard(address)) return this.#neighbors.get(name)
    }
    return undefined
  }

  #remove(name: string, subcode: number): void {
    this.#neighbors.get(name)?.standing.stop({ subcode })
    this.#neighbors.delete(name)
  }

  #neighborsChanged(): void {
    this.forwarding?.neighborsChanged([...this.#neighbors.values()])
  }

  /** The way to a peer may be open again: don't wait for the end of a back-off. Next hops may be others. */
  #linksChanged(): void {
    for (const search of this.#searches.values()) search.linksChanged()
    this.#callTimer ??= this.#world.clock.after(CALL_AGAIN_MS, () => {
      this.#callTimer = undefined
      for (const neighbor of this.#neighbors.values()) {
        if (neighbor.session === undefined) neighbor.peer.retryNow()
        else neighbor.regroup()
      }
    })
  }

  #addStages(): void {
    const { clock } = this.#world
    this.scheduler.addStage({
      name: 'decide',
      busy: () => this.rib.busy,
      step: (deadline) => this.rib.step(clock.now, deadline),
    })
    this.scheduler.addStage({
      name: 'announce',
      busy: () => [...this.#neighbors.values()].some((neighbor) => neighbor.sendable),
      step: (deadline) => this.#announce(deadline),
    })
    const { forwarding } = this
    if (forwarding === undefined) return
    this.scheduler.addStage({
      name: 'fib',
      busy: () => forwarding.busy,
      step: (deadline) => {
        forwarding.step(deadline)
        this.#news.written()
      },
    })
  }

  /** Each neighbour sends what its socket takes; who was first is last next time. */
  #announce(deadline: number): void {
    const neighbors = [...this.#neighbors.values()]
    for (let i = 0; i < neighbors.length; i++) {
      const neighbor = neighbors[(this.#turn + i) % neighbors.length]
      neighbor.announce(deadline)
      if (this.#world.clock.now() >= deadline) {
        this.#turn = (this.#turn + i + 1) % neighbors.length
        return
      }
    }
  }
}

const hasToHear = ({ session }: Neighbor): boolean => session?.hasWork === true

/** A path through one of these is a loop; what single peers are shown, they alone can bring back. */
const ownAsns = ({ asn, confederation }: Config): number[] =>
  confederation === undefined ? [asn] : [asn, confederation.asn]
