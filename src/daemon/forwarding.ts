/**
 * From decisions to the FIB: which kernel next hop a prefix shall be forwarded by.
 *
 * A set of BGP next hops is one target (a kernel nexthop object); its name is the addresses in it, with
 * the share of each where these differ. When a
 * next hop is reached otherwise than before, the targets that contain it are repointed at once, and the
 * routes that use them stay as they are; the RIB's new decisions follow behind.
 */
import type { Config } from '../config/config.ts'
import { directTarget } from '../fib/dataplanes/direct.ts'
import { Eligibility } from '../fib/eligibility.ts'
import type { Fib, FibEvents } from '../fib/fib.ts'
import type { KernelTarget } from '../fib/kernel.ts'
import type { PrefixIndex } from '../fib/prefix-index.ts'
import type { Targets } from '../fib/targets.ts'
import type { Address } from '../net/address.ts'
import type { Clock, Timer } from '../net/clock.ts'
import type { Family, FamilyFacts } from '../net/family.ts'
import type { Prefix } from '../net/prefix.ts'
import type { NextHop } from '../rib/next-hop-table.ts'
import type { Paths } from '../rib/paths.ts'
import type { Rib } from '../rib/rib.ts'
import { Column } from '../net/rows.ts'
import type { HostView } from '../sources/source.ts'
import type { Events } from './events.ts'
import { networkAround, networksOf, ownAddresses } from './host-addresses.ts'
import { loadShares } from './load-shares.ts'
import type { LocalRoutes } from './local-routes.ts'
import type { Neighbor } from './neighbor.ts'

/** The kernel's side of forwarding, opened by `kernel-access.ts`. */
export interface KernelAccess {
  open(
    prefixes: readonly [PrefixIndex, PrefixIndex],
    events: FibEvents,
  ): { readonly fib: Fib; readonly targets: Targets }
  close(): Promise<void>
}

/** What stays stale this long after the start is gone for good. */
const SWEEP_AFTER_MS = 60_000
const BLACKHOLE: KernelTarget = { kind: 'blackhole' }

export class Forwarding {
  readonly fib: Fib
  readonly targets: Targets
  readonly eligibility: Eligibility
  readonly #rib: Rib
  readonly #localRoutes: LocalRoutes
  readonly #kernel: KernelAccess
  readonly #clock: Clock
  readonly #host: HostView
  readonly #ecmp: number
  /** Link bandwidths count. */
  readonly #weighs: boolean
  #peerAddresses: readonly Address[] = []
  /** Names of the targets that each next hop is part of, by its address. */
  readonly #targetsOf = new Map<string, Map<string, readonly Member[]>>()
  /** The last answer of `#targetOfOne`, which most prefixes of a burst share. */
  #lastNextHop: NextHop | undefined
  #lastTarget = 0
  #sweepTimer: Timer | undefined
  /** The sweep is a matter of a moment, or over. */
  #soon = false
  /** 1: the prefix has a route and must not be installed. By family and prefix id. */
  readonly #refusals = [new Column(), new Column()] as const
  #refused = 0

  constructor(
    rib: Rib,
    localRoutes: LocalRoutes,
    kernel: KernelAccess,
    { kernel: options, decision }: Config,
    world: { host: HostView; clock: Clock; events: Events; wake: () => void },
  ) {
    this.#rib = rib
    this.#localRoutes = localRoutes
    this.#kernel = kernel
    this.#clock = world.clock
    this.#ecmp = options.ecmp
    this.#weighs = decision.linkBandwidth === 'weigh'
    this.eligibility = new Eligibility(options)
    const [ipv4, ipv6] = rib.families
    const opened = kernel.open([ipv4.prefixes, ipv6.prefixes], fibEvents(world.events, world.wake))
    this.fib = opened.fib
    this.targets = opened.targets
    this.eligibility.setOwnAddresses(ownAddresses(world.host))
    this.#host = world.host
    world.host.onLinksChanged(() => {
      this.#reconsider(this.eligibility.setOwnAddresses(ownAddresses(world.host)))
      this.#peersMayHaveMoved()
    })
    rib.nextHops.onChange((nextHop) => this.#nextHopChanged(nextHop))
    this.targets.onRemoved = (key) => this.#targetRemoved(key)
  }

  async start(): Promise<void> {
    await this.fib.start()
    this.#sweepAfter(SWEEP_AFTER_MS)
  }

  async stop(mode: 'keep' | 'remove'): Promise<void> {
    this.#soon = true
    this.#sweepTimer?.cancel()
    await this.fib.stop(mode)
    await this.#kernel.close()
  }

  /** Prefixes that have a route and must not be installed (fib/eligibility.ts). */
  get refused(): number {
    return this.#refused
  }

  get busy(): boolean {
    return this.fib.busy
  }

  step(deadline: number): void {
    this.#lastNextHop = undefined
    this.fib.step(deadline)
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

  /** Peers came, went, or finished telling their routes. */
  neighborsChanged(neighbors: readonly Neighbor[]): void {
    this.#peerAddresses = neighbors.map(({ config }) => config.address)
    this.#peersMayHaveMoved()
    const settled = neighbors.every((it) => it.saidAll || it.outOfReach)
    if (settled && neighbors.length > 0) this.#sweepSoon()
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
    const { attributes } = this.#rib
    const set = rib.paths.accepted(paths[0])
    const first = attributes.nextHop(set)
    if (count === 1) return this.#targetOfOne(family.name, first)
    if (this.#weighs && attributes.linkBandwidth(set) > 0) {
      const shares = loadShares(attributes, rib.paths, paths.subarray(0, count))
      if (shares !== undefined) return this.#weighed(family.name, rib.paths, paths, shares)
    }
    const ids = new Set([first])
    for (let i = 1; i < count; i++) ids.add(attributes.nextHop(rib.paths.accepted(paths[i])))
    return ids.size === 1
      ? this.#targetOfOne(family.name, first)
      : this.#target(family.name, [...ids])
  }

  /** The load goes to the next hops as their paths' shares say. */
  #weighed(family: Family, columns: Paths, paths: Int32Array, shares: readonly number[]): number {
    const ofNextHop = new Map<number, number>()
    for (const [i, share] of shares.entries()) {
      const id = this.#rib.attributes.nextHop(columns.accepted(paths[i]))
      ofNextHop.set(id, (ofNextHop.get(id) ?? 0) + share)
    }
    const [only, ...others] = ofNextHop.keys()
    if (others.length === 0) return this.#targetOfOne(family, only)
    return this.#target(family, [...ofNextHop.keys()], [...ofNextHop.values()])
  }

  #noteRefusal({ index }: FamilyFacts, prefix: number, refused: 0 | 1): void {
    const before = this.#refusals[index].get(prefix)
    if (before === refused) return
    this.#refusals[index].set(prefix, refused)
    this.#refused += refused - before
  }

  #targetOfOne(family: Family, id: number): number {
    const nextHop = this.#rib.nextHops.get(id) // the id may have had another meaning a moment ago
    if (nextHop !== undefined && nextHop === this.#lastNextHop) return this.#lastTarget
    this.#lastTarget = this.#target(family, [id])
    this.#lastNextHop = nextHop
    return this.#lastTarget
  }

  #target(family: Family, ids: readonly number[], shares: readonly number[] = []): number {
    const members = ids.flatMap((id, i): Member | [] => {
      const nextHop = this.#rib.nextHops.get(id)
      return nextHop === undefined ? [] : { nextHop, share: shares[i] ?? 1 }
    })
    const key = `${family} ${members.map(nameOf).toSorted().join(' ')}`
    for (const { nextHop } of members) {
      const { text } = nextHop.address
      const names = this.#targetsOf.get(text) ?? new Map<string, readonly Member[]>()
      this.#targetsOf.set(text, names.set(key, members))
    }
    return this.targets.intern(key, family, this.#directTarget(members))
  }

  #directTarget(members: readonly Member[]): KernelTarget {
    const gateways = members.map(({ nextHop }) => nextHop.resolution.gateways)
    const shares = members.map(({ share }) => share)
    return directTarget(gateways, this.#ecmp, shares)
  }

  /** `key` ends in the addresses that it is kept under, with their shares. */
  #targetRemoved(key: string): void {
    for (const member of key.split(' ').slice(1)) {
      const [address] = member.split('*')
      const names = this.#targetsOf.get(address)
      if (names?.delete(key) === true && names.size === 0) this.#targetsOf.delete(address)
    }
  }

  #nextHopChanged(nextHop: NextHop): void {
    this.#lastNextHop = undefined
    for (const [key, members] of this.#targetsOf.get(nextHop.address.text) ?? []) {
      this.targets.update(key, this.#directTarget(members))
    }
  }

  /** Everybody has told everything: one more turn for the last routes, then the rest is stale. */
  #sweepSoon(): void {
    if (this.#soon) return
    this.#soon = true
    this.#sweepAfter(1_000)
  }

  #sweepAfter(delayMs: number): void {
    this.#sweepTimer?.cancel()
    this.#sweepTimer = this.#clock.after(delayMs, () => {
      this.#soon = true
      this.fib.sweep()
    })
  }
}

/** A next hop of a target, and how much of the load it gets. */
interface Member {
  readonly nextHop: NextHop
  readonly share: number
}

/** `10.0.1.1`, `10.0.1.1*4` */
const nameOf = ({ nextHop: { address }, share }: Member): string =>
  share === 1 ? address.text : `${address.text}*${share}`

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
    fighting: (prefix, times) =>
      events.tell({
        level: 'error',
        topic: 'fib',
        kind: 'RouteFought',
        prefix,
        text: `somebody has changed our route ${prefix} ${times} times in a minute: putting it back more slowly; look for another routing daemon or systemd-networkd (ManageForeignRoutes)`,
      }),
    workArrived: wake,
  }
}
