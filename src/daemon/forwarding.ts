/**
 * From decisions to the FIB: which kernel next hop a prefix shall be forwarded by.
 *
 * Of the paths that the RIB has chosen, the next hops make a set (`next-hop-sets.ts`), and that is what the
 * FIB is told; the best of the other paths is the set's backup.
 */
import type { Config } from '../config/config.ts'
import { Overlay } from '../fib/dataplanes/overlay.ts'
import { Eligibility } from '../fib/eligibility.ts'
import type { Fib, FibEvents } from '../fib/fib.ts'
import type { KernelTarget } from '../fib/kernel.ts'
import type { PrefixIndex } from '../fib/prefix-index.ts'
import type { Targets } from '../fib/targets.ts'
import type { Address } from '../net/address.ts'
import type { FamilyFacts } from '../net/family.ts'
import type { Prefix } from '../net/prefix.ts'
import type { NextHop } from '../rib/next-hop-table.ts'
import type { Paths } from '../rib/paths.ts'
import type { RibPeer } from '../rib/peer.ts'
import type { Rib } from '../rib/rib.ts'
import { Column } from '../net/rows.ts'
import type { Clock } from '../net/clock.ts'
import type { HostView } from '../sources/source.ts'
import type { Events } from './events.ts'
import { networkAround, networksOf, ownAddresses } from './host-addresses.ts'
import { loadShares } from './load-shares.ts'
import type { LocalRoutes } from './local-routes.ts'
import type { Neighbor } from './neighbor.ts'
import { MovedAddresses } from './moved-addresses.ts'
import { NextHopSets, type Offer } from './next-hop-sets.ts'
import { OverlayKeeping, type OverlayWorld } from './overlay-keeping.ts'

/** The kernel's side of forwarding, opened by `kernel-access.ts`. */
export interface KernelAccess {
  open(
    prefixes: readonly [PrefixIndex, PrefixIndex],
    events: FibEvents,
  ): { readonly fib: Fib; readonly targets: Targets }
  /** Where encapsulated packets go in and out. */
  readonly tunnels?: Pick<OverlayWorld, 'devices' | 'rules' | 'probes'>
  /** Tells the neighbours on the link of this name to send us what is for `address`. */
  claim?(link: string, address: Address): void
  close(): Promise<void>
}

/** Numbers of peers fit below. */
const PEERS = 0x10000
const BLACKHOLE: KernelTarget = { kind: 'blackhole' }

export class Forwarding {
  readonly fib: Fib
  readonly targets: Targets
  readonly sets: NextHopSets
  readonly eligibility: Eligibility
  readonly overlay: Overlay | undefined
  readonly overlayKeeping: OverlayKeeping | undefined
  readonly #rib: Rib
  readonly #localRoutes: LocalRoutes
  readonly #kernel: KernelAccess
  readonly #host: HostView
  readonly #moved: MovedAddresses | undefined
  /** Link bandwidths count. */
  readonly #weighs: boolean
  #peerAddresses: readonly Address[] = []
  /** What paths offered since the last step, by next hop and peer: most of a burst offer the same. */
  readonly #offers = new Map<number, Offer>()
  /** The last answer about a single next hop. */
  #last:
    | {
        readonly offer: Offer
        readonly backup: Offer | undefined
        readonly overlaid: boolean
        readonly target: number
      }
    | undefined
  #leaving = false
  /** 1: the prefix has a route and must not be installed. By family and prefix id. */
  readonly #refusals = [new Column(), new Column()] as const
  #refused = 0

  constructor(
    rib: Rib,
    localRoutes: LocalRoutes,
    kernel: KernelAccess,
    { kernel: options, decision, overlay }: Config,
    world: {
      host: HostView
      events: Events
      clock: Clock
      routerId: Address
      wake: () => void
    },
  ) {
    this.#rib = rib
    this.#localRoutes = localRoutes
    this.#kernel = kernel
    this.#weighs = decision.linkBandwidth === 'weigh'
    this.eligibility = new Eligibility(options)
    const [ipv4, ipv6] = rib.families
    const opened = kernel.open([ipv4.prefixes, ipv6.prefixes], fibEvents(world.events, world.wake))
    this.fib = opened.fib
    this.targets = opened.targets
    this.overlay = overlay === undefined ? undefined : new Overlay(overlay)
    this.sets = new NextHopSets(this.targets, options.ecmp, this.overlay)
    this.overlayKeeping =
      kernel.tunnels === undefined
        ? undefined
        : new OverlayKeeping(this.overlay, { ...world, ...kernel.tunnels, sets: this.sets })
    this.eligibility.setOwnAddresses(ownAddresses(world.host))
    this.#host = world.host
    this.#moved =
      options.withinOwn === 'accept' && kernel.claim !== undefined
        ? new MovedAddresses(ipv4.prefixes, opened, world.host, kernel.claim)
        : undefined
    world.host.onLinksChanged(() => {
      this.#reconsider(this.eligibility.setOwnAddresses(ownAddresses(world.host)))
      this.#peersMayHaveMoved()
    })
    rib.nextHops.onChange((nextHop) => {
      this.#forgetOffers()
      this.sets.changed(nextHop)
    })
  }

  /** Adopts what an earlier run has left; how many routes of each family there are of it. */
  async start(): Promise<readonly [number, number]> {
    await this.overlayKeeping?.start()
    await this.fib.start()
    return this.fib.stale
  }

  /** The initial convergence is over: what an earlier run left, and nobody has claimed, goes. */
  sweep(): void {
    this.fib.sweep()
    this.overlayKeeping?.sweep()
  }

  /** The sessions are about to end because we do: what the kernel has shall not follow them. */
  leave(): void {
    this.#leaving = true
  }

  async stop(mode: 'keep' | 'remove'): Promise<void> {
    await this.fib.stop(mode)
    await this.overlayKeeping?.stop(mode)
    await this.#kernel.close()
  }

  /** Prefixes that have a route and must not be installed (fib/eligibility.ts). */
  get refused(): number {
    return this.#refused
  }

  /** `listener` hears of each prefix whose route is installed, failed or gone now. */
  onSettled(listener: (family: 0 | 1, prefix: number) => void): void {
    const moved = this.#moved
    this.fib.onSettled((family, prefix) => {
      listener(family, prefix)
      if (family === 0) moved?.settled(prefix)
    })
  }

  get busy(): boolean {
    return this.fib.busy
  }

  step(deadline: number): void {
    this.#forgetOffers()
    this.fib.step(deadline)
  }

  /** What `peer` has told counts no longer. Takes effect before it returns. */
  pathsLost(peer: RibPeer): void {
    if (this.#leaving) return
    this.#forgetOffers()
    this.sets.lost(peer)
  }

  /** The RIB has decided: `paths[0..count)` forward the prefix. */
  decided(family: FamilyFacts, prefix: number, paths: Int32Array, count: number): void {
    this.fib.want(family.index, prefix, this.#targetFor(family, prefix, paths, count))
  }

  /** Our own prefixes are others now: routes inside them may or may not be installed any more. */
  ownPrefixesChanged(): void {
    // Inside an aggregate are those it stands for: they are to be installed.
    const own = [...this.#localRoutes.values()].flatMap(({ prefix, source }) =>
      source === 'aggregate' ? [] : [prefix],
    )
    this.#reconsider(this.eligibility.setOwnPrefixes(own))
  }

  /** Peers came or went. */
  neighborsChanged(neighbors: readonly Neighbor[]): void {
    this.#peerAddresses = neighbors.map(({ config }) => config.address)
    this.overlayKeeping?.neighborsChanged(this.#peerAddresses)
    this.#peersMayHaveMoved()
  }

  #peersMayHaveMoved(): void {
    const networks = networksOf(this.#host)
    const peers = this.#peerAddresses.map((address) => ({
      address,
      network: networkAround(networks, address),
    }))
    this.#reconsider(this.eligibility.setPeers(peers))
  }

  /** Prefixes inside these are installed now, or no longer. */
  #reconsider(changed: readonly Prefix[]): void {
    for (const prefix of changed) this.#rib.reconsiderWithin(prefix)
  }

  #targetFor(family: FamilyFacts, prefix: number, paths: Int32Array, count: number): number {
    if (count === 0) {
      this.#noteRefusal(family, prefix, 0)
      return 0
    }
    const rib = this.#rib.families[family.index]
    const refused = this.eligibility.refusal(family.index, rib.prefixes, prefix) !== 0
    if (rib.paths.peer(paths[0]) === this.#rib.localPeer.id) {
      // Somebody else offers what is ours.
      const offered = rib.paths.next(rib.prefixes.paths(prefix)) !== 0
      this.#noteRefusal(family, prefix, refused && offered ? 1 : 0)
      const blackhole = this.#localRoutes.get(rib.prefixes.text(prefix))?.blackhole === true
      return blackhole ? this.targets.intern(`${family.name} blackhole`, family.name, BLACKHOLE) : 0
    }
    this.#noteRefusal(family, prefix, refused ? 1 : 0)
    if (refused) return 0
    const overlaid = this.overlay?.carries(family.index, rib.prefixes, prefix) === true
    const shares = this.#sharesOf(rib.paths, paths, count)
    const weighed =
      shares === undefined ? undefined : this.#weighed(family, rib.paths, paths, shares, overlaid)
    return weighed ?? this.#protected(family, prefix, paths, count, overlaid)
  }

  /** How the load goes to the paths when link bandwidths say so. */
  #sharesOf(columns: Paths, paths: Int32Array, count: number): readonly number[] | undefined {
    if (!this.#weighs || count === 1) return undefined
    const { attributes } = this.#rib
    if (attributes.linkBandwidth(columns.accepted(paths[0])) === 0) return undefined
    return loadShares(attributes, columns, paths.subarray(0, count))
  }

  /** Undefined: all go by one next hop. */
  #weighed(
    family: FamilyFacts,
    columns: Paths,
    paths: Int32Array,
    shares: readonly number[],
    overlaid: boolean,
  ): number | undefined {
    const ofOffer = new Map<NextHop, { readonly offer: Offer; share: number }>()
    for (const [i, share] of shares.entries()) {
      const offer = this.#offer(family, columns, paths[i])
      const known = ofOffer.get(offer.nextHop)
      if (known === undefined) ofOffer.set(offer.nextHop, { offer, share })
      else known.share += share
    }
    const all = [...ofOffer.values()]
    if (all.length === 1) return undefined
    const offers = all.map(({ offer }) => offer)
    const weights = all.map(({ share }) => share)
    return this.sets.target({ family: family.name, overlaid }, offers, undefined, weights)
  }

  /** The set of the paths' next hops, with the best of the others to take over. */
  #protected(
    family: FamilyFacts,
    prefix: number,
    paths: Int32Array,
    count: number,
    overlaid: boolean,
  ): number {
    const { paths: columns, prefixes, decision } = this.#rib.families[family.index]
    const offers: Offer[] = []
    for (let i = 0; i < count; i++) {
      const offer = this.#offer(family, columns, paths[i])
      if (!offers.some(({ nextHop }) => nextHop === offer.nextHop)) offers.push(offer)
    }
    const current = this.fib.wanted(family.index, prefix)
    const set = current === 0 ? undefined : this.sets.current(current, offers, overlaid)
    const first = prefixes.paths(prefix)
    const preferred = set?.backup?.nextHop.id ?? 0
    const path = columns.next(first) === 0 ? 0 : decision.backup(first, paths, count, preferred)
    const backup = path === 0 ? undefined : this.#offer(family, columns, path)
    // What has lost its backup may stay where it is: the route need not be written for that.
    if (set !== undefined && (backup === undefined || backup.nextHop === set.backup?.nextHop)) {
      this.sets.heard(set, offers, backup)
      return current
    }
    const [offer] = offers
    const last = this.#last
    const isLast = last?.offer === offer && last.backup === backup && last.overlaid === overlaid
    if (offers.length === 1 && isLast) return last.target
    const target = this.sets.target({ family: family.name, overlaid }, offers, backup)
    if (offers.length === 1) this.#last = { offer, backup, overlaid, target }
    return target
  }

  #offer({ index }: FamilyFacts, columns: Paths, path: number): Offer {
    const id = this.#rib.attributes.nextHop(columns.accepted(path))
    const peer = columns.peer(path)
    const code = (id * PEERS + peer) * 2 + index
    const known = this.#offers.get(code)
    if (known !== undefined) return known
    const nextHop = this.#rib.nextHops.get(id)
    if (nextHop === undefined) throw new Error(`path ${path} names a next hop that is gone`)
    const offer = { nextHop, peer: this.#rib.peers.get(peer) }
    this.#offers.set(code, offer)
    return offer
  }

  #forgetOffers(): void {
    this.#offers.clear()
    this.#last = undefined
  }

  #noteRefusal({ index }: FamilyFacts, prefix: number, refused: 0 | 1): void {
    const before = this.#refusals[index].get(prefix)
    if (before === refused) return
    this.#refusals[index].set(prefix, refused)
    this.#refused += refused - before
  }
}

function fibEvents(events: Events, wake: () => void): FibEvents {
  return {
    failed: (prefix, error) =>
      events.tell({
        level: 'error',
        topic: 'fib',
        kind: 'RouteFailed',
        prefix,
        text: `the kernel refuses ${prefix}: ${error}`,
      }),
    repaired: (prefix, what) =>
      events.tell({ level: 'warn', topic: 'fib', kind: 'RouteRepaired', prefix, text: what }),
    fighting: (prefix, times, what, restSeconds) =>
      events.tell({
        level: 'error',
        topic: 'fib',
        kind: 'RouteFought',
        prefix,
        text: `our route ${prefix} was changed ${times} times in a minute, in the end ${what}: it is left alone for ${restSeconds} s; ${remedyFor(what)}`,
      }),
    workArrived: wake,
  }
}

/** `systemd-network` is what the kernel has of the name of systemd-networkd. */
const remedyFor = (what: string): string =>
  what.startsWith('systemd-network')
    ? 'write ManageForeignRoutes=no in networkd.conf'
    : 'stop whoever it is, or let one of you use another routing table or protocol'
