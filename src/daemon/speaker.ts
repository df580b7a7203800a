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
import type { Config } from '../config/config.ts'
import type { ConfigChange } from '../config/change.ts'
import type { DropCounts } from '../linux/drop-counts.ts'
import { wordsOf, type Address } from '../net/address.ts'
import type { Clock, Timer } from '../net/clock.ts'
import type { NextHopResolver } from '../rib/next-hop.ts'
import { Rib, type Concerned } from '../rib/rib.ts'
import type { Affected } from '../rpki/rpki.ts'
import type { NeighborDiscovery } from '../session/neighbor-discovery.ts'
import type { Transport } from '../session/transport.ts'
import type { CniView } from '../sources/cni.ts'
import type { HostView } from '../sources/source.ts'
import { ADMINISTRATIVE_SHUTDOWN, PEER_DECONFIGURED } from '../wire/constants.ts'
import { Aggregates } from './aggregates.ts'
import { BfdPeers } from './bfd-peers.ts'
import type { BfdService } from './bfd-thread.ts'
import type { DockerDiscovery } from './docker-discovery.ts'
import { DynamicPeers } from './dynamic-peers.ts'
import type { Events } from './events.ts'
import { Forwarding, type KernelAccess } from './forwarding.ts'
import { linkNameOf, nextHopBeside } from './host-addresses.ts'
import { openFan, type Fan } from './fan.ts'
import { Listeners } from './listeners.ts'
import { Monitors } from './monitors.ts'
import { LocalRoutes } from './local-routes.ts'
import type { Neighbor } from './neighbor.ts'
import type { Drained, Neighborhood } from './neighborhood.ts'
import { Neighbors } from './neighbors.ts'
import { OwnPrefixes } from './own-prefixes.ts'
import { policiesOf, type Policies } from './policies.ts'
import { Restart } from './restart.ts'
import { RpkiCaches } from './rpki-caches.ts'
import { Scheduler } from './scheduler.ts'
import { addStages } from './stages.ts'
import { Suspicions } from './suspicions.ts'
import { TableNews } from './table-news.ts'
import { UpdateGroups } from './update-groups.ts'

/** The world that a speaker stands in. */
export interface World {
  readonly clock: Clock
  readonly events: Events
  readonly host: HostView
  /** Reads the CNI's files; absent where there are none. */
  readonly cni?: (directory: string) => CniView
  readonly resolver: NextHopResolver
  readonly transport: Transport
  /** What the kernel has dropped of TCP; absent where nobody counts. */
  readonly dropCounts?: () => DropCounts
  /** Watches the paths to peers; absent where nobody does. */
  readonly bfd?: BfdService
  /** Follows a Docker engine; absent where nobody does. */
  readonly docker?: DockerDiscovery
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
  readonly bfd: BfdPeers
  readonly restart: Restart
  readonly #world: World
  readonly #news: TableNews
  readonly #aggregates: Aggregates
  readonly #fan: Fan | undefined
  readonly #neighbors: Neighbors
  readonly #dynamicPeers: DynamicPeers
  #config: Config
  #callTimer: Timer | undefined
  #drained: Drained = 'no'
  #takesNoMore = false

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
          this.#aggregates.decided(family, prefix, count > 0)
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
      neighbors: () => this.#neighbors,
      scheduler: this.scheduler,
    })
    const aggregator = `${config.confederation?.asn ?? config.asn} ${routerId.text}`
    this.localRoutes = new LocalRoutes(this.rib, clock, aggregator, () =>
      this.forwarding?.ownPrefixesChanged(),
    )
    this.groups = new UpdateGroups(this.rib, clusterId, {
      events,
      clock,
      localOrigin: (prefix) => this.localRoutes.originOf(prefix),
      fib: () => this.forwarding?.fib,
      isSummarized: (family, prefix) => this.#aggregates.suppresses(family, prefix),
      isRestarting: () => this.restart.waits,
    })
    const tables = this.rib.families.map(({ prefixes }) => prefixes)
    this.#aggregates = new Aggregates(tables, {
      reconsiderWithin: (prefix) => this.rib.reconsiderWithin(prefix),
      lookAgainWithin: (within) => {
        const words = wordsOf(within.bytes)
        this.groups.lookAgainWhere(
          ({ family, prefixes }, prefix) =>
            family.name === within.family && prefixes.isWithin(prefix, words, within.length),
        )
      },
    })
    this.rpkiCaches = new RpkiCaches({
      clock,
      events,
      transport: world.transport,
      workArrived: () => this.scheduler.wake(),
      revalidate: (affected) => this.#revalidate(affected),
    })
    this.#fan = openFan(config, this.rib, world)
    this.policies = policiesOf(
      { attributes: this.rib.attributes, rpki: this.rpkiCaches.rpki, asn: config.asn },
      (policy) => this.#fan?.validated(policy) ?? policy,
    )
    const finders = { ...world, aggregates: this.#aggregates, fan: this.#fan?.source }
    this.ownPrefixes = new OwnPrefixes(this.localRoutes, finders, events, clock)
    this.forwarding =
      world.kernel === undefined
        ? undefined
        : new Forwarding(this.rib, this.localRoutes, world.kernel, config, {
            host,
            events,
            clock,
            routerId,
            wake: () => this.scheduler.wake(),
          })
    this.forwarding?.onSettled((family, prefix) => this.groups.settled(family, prefix))
    this.listeners = new Listeners(
      {
        neighbors: () => this.#neighbors,
        ownerOf: (address) =>
          this.#neighbors.ownerOf(address) ?? this.#dynamicPeers.welcome(address),
        ranges: () => this.#config.ranges,
      },
      events,
      clock,
    )
    this.suspicions = new Suspicions({
      clock,
      events,
      dropCounts: world.dropCounts,
      neighbors: () => this.#neighbors,
      strangersSince: (milliseconds) => this.listeners.strangersSince(milliseconds),
    })
    const hood: Neighborhood = {
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
      restart: () => this.restart.state,
      drained: () => this.#drained,
      takesNoMore: () => this.#takesNoMore,
      ownNextHop: (local, family, ipv6NextHops) => nextHopBeside(host, local, family, ipv6NextHops),
      linkName: (local) => linkNameOf(host, local),
      hasOwn: (family) =>
        [...this.localRoutes.values()].some(({ prefix }) => prefix.family === family),
      changed: () => this.#neighborsChanged(),
      pathsLost: (peer) => this.forwarding?.pathsLost(peer),
      moved: () => {
        this.listeners.setKeys()
        this.#neighborsChanged()
      },
    }
    this.restart = new Restart({
      clock,
      events,
      neighbors: () => this.#neighbors,
      sweep: () => this.forwarding?.sweep(),
      allTold: () => this.scheduler.wake(),
    })
    this.#neighbors = new Neighbors(hood, { host, discovery: world.discovery })
    this.#dynamicPeers = new DynamicPeers(this.#neighbors, hood)
    this.bfd = new BfdPeers(world.bfd, { host, clock, events, neighbors: this.#neighbors })
    addStages(this.scheduler, clock, {
      rib: this.rib,
      rpki: this.rpkiCaches.rpki,
      neighbors: this.#neighbors,
      forwarding: this.forwarding,
      news: this.#news,
    })
    this.rib.nextHops.onChange(({ address, resolution }) =>
      this.#news.nextHopChanged(address.text, resolution.resolvedBy),
    )
    host.onLinksChanged(() => this.#linksChanged())
  }

  get config(): Config {
    return this.#config
  }

  get neighbors(): Iterable<Neighbor> {
    return this.#neighbors
  }

  /** Name of the link with this index, or the index when it is gone. */
  readonly linkName = (index: number): string =>
    [...this.#world.host.links()].find((link) => link.index === index)?.name ?? `${index}`
  get clock(): Clock {
    return this.#world.clock
  }

  /** Memory is short, or there is enough again. What is held stays, and may change. */
  takeNoMore(on: boolean): void {
    this.#takesNoMore = on
    for (const { limits } of this.#neighbors) for (const it of limits) it.takeNoMore(on)
  }

  get drained(): boolean {
    return this.#drained !== 'no'
  }

  /** Announces everything as the last choice (RFC 8326), or nothing at all, or as ever. */
  drain(how: Drained): void {
    this.#drained = how
    for (const neighbor of this.#neighbors) neighbor.regroup()
  }

  /** Neighbours that have not been sent all that they are to hear. */
  get untold(): Neighbor[] {
    const all = [...this.#neighbors]
    return this.rib.busy
      ? all.filter(({ session }) => session !== undefined)
      : all.filter(hasToHear)
  }

  neighbor(name: string): Neighbor | undefined {
    return this.#neighbors.get(name)
  }

  /** Adopts what is in the kernel, listens, finds prefixes, calls peers. Throws a ListenError. */
  async start(): Promise<void> {
    this.restart.begin((await this.forwarding?.start()) ?? [0, 0])
    await this.monitors.configure(this.#config)
    for (const peer of this.#config.peers) this.#neighbors.add(peer)
    this.#dynamicPeers.configure(this.#config, new Set())
    this.listeners.open(this.#config.listen)
    this.listeners.setKeys()
    this.ownPrefixes.start()
    this.#fan?.start()
    this.ownPrefixes.configure(this.#config.advertise)
    for (const neighbor of this.#neighbors) this.#neighbors.start(neighbor)
    this.suspicions.start()
    this.#neighborsChanged()
    this.rpkiCaches.configure(this.#config.rpki)
  }

  /**
   * Ends all sessions; `routes` says what becomes of those in the kernel. Where they stay, forwarding goes on,
   * and peers may keep ours.
   */
  async stop(text: string, routes: 'keep' | 'remove'): Promise<void> {
    this.#callTimer?.cancel()
    this.suspicions.stop()
    this.restart.close()
    this.#dynamicPeers.close()
    this.forwarding?.leave()
    const kept = routes === 'keep' && this.forwarding !== undefined && !this.drained
    this.#neighbors.stop({ subcode: ADMINISTRATIVE_SHUTDOWN, text }, kept)
    // After BGP: there are peers that take the end of BFD for a failure.
    await this.bfd.close()
    this.listeners.close()
    this.rpkiCaches.close()
    this.ownPrefixes.close()
    this.#fan?.stop(routes === 'remove')
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
    for (const { name } of change.removed) this.#neighbors.remove(name, PEER_DECONFIGURED)
    for (const it of change.changed) this.#neighbors.change(it, renewed)
    this.#dynamicPeers.configure(config, renewed)
    this.groups.lookAgain(renewed)
    this.rpkiCaches.configure(config.rpki)
    const added = change.added.map((peer) => this.#neighbors.add(peer))
    this.listeners.setKeys()
    this.ownPrefixes.configure(config.advertise)
    void this.monitors.configure(config)
    for (const neighbor of added) this.#neighbors.start(neighbor)
    this.#neighborsChanged()
  }

  /** RPKI data have changed: who looks at them judges these prefixes anew. */
  #revalidate(affected: Affected): void {
    const $words = new Int32Array(4)
    const concerned: Concerned = ({ family, prefixes }, prefix) => {
      prefixes.copyWords(prefix, $words)
      return affected(family, $words, prefixes.length(prefix))
    }
    const sessions = [...this.#neighbors].flatMap(({ session }) =>
      session?.adjRibIn.peer.importPolicy.looksAtRpki === true ? [session.adjRibIn] : [],
    )
    if (sessions.length > 0) this.rib.judgeAgainWhere(sessions, concerned)
    this.groups.revalidate(concerned)
    this.scheduler.wake()
  }

  #neighborsChanged(): void {
    this.forwarding?.neighborsChanged([...this.#neighbors])
    this.bfd.look()
    this.restart.look()
  }

  /** The way to a peer may be open again: don't wait for the end of a back-off. Next hops may be others. */
  #linksChanged(): void {
    this.#neighbors.linksChanged()
    this.#callTimer ??= this.#world.clock.after(CALL_AGAIN_MS, () => {
      this.#callTimer = undefined
      this.#neighbors.callAgain()
      this.bfd.look()
    })
  }
}

const hasToHear = ({ session }: Neighbor): boolean => session?.hasWork === true

/** A path through one of these is a loop; what single peers are shown, they alone can bring back. */
const ownAsns = ({ asn, confederation }: Config): number[] =>
  confederation === undefined ? [asn] : [asn, confederation.asn]
