/**
 * Listens to the kernel: links, addresses, routes and nexthop objects, as they change (rtnetlink(7)).
 *
 * One subscription keeps `KernelTables` true. Changes are applied as they come and told once per turn of the
 * event loop. What our own FIB sockets did is not told, or 500,000 installed routes would come back to us.
 *
 * Notifications can be lost when the receive buffer overflows: the count is looked at after each
 * burst and on a timer. After a loss everything is dumped anew, on sockets of their own; what arrives
 * meanwhile is kept back and applied after the dump, so the tables end up with the truth.
 */
import { untilTogether } from '../net/clock.ts'
import type { Link, LinkAddress } from '../net/link.ts'
import type { HostRoute, HostView } from '../sources/source.ts'
import type { KernelEvents, KernelRoute } from '../fib/kernel.ts'
import { KernelTables } from './kernel-tables.ts'
import { isOurObject } from './kernel-reader.ts'
import { AuthorOfChanges } from './netlink-author.ts'
import { readTables } from './kernel-snapshot.ts'
import {
  RTM_DELADDR,
  RTM_DELLINK,
  RTM_NEWADDR,
  RTM_NEWLINK,
  decodeLink,
  decodeLinkAddress,
} from './link-message.ts'
import { NLM_F_REPLACE, eachMessage, viewOf } from './netlink.ts'
import { RTM_DELNEXTHOP, RTM_NEWNEXTHOP, decodeNextHop } from './nexthop-message.ts'
import {
  RTM_DELROUTE,
  RTM_NEWROUTE,
  RT_TABLE_MAIN,
  decodeRoute,
  protocolName,
} from './route-message.ts'
import { Subscription } from './subscription.ts'

const RECEIVE_BUFFER_BYTES = 8 << 20
const LOSS_CHECK_MS = 10_000
/** Pause before a dump after a loss, doubled while losses go on. */
const RESYNC_MS = 50
const RESYNC_MAX_MS = 5_000

export interface MonitorOptions {
  /** Our routing protocol and table: changes of such routes by others are events. */
  readonly protocol: number
  readonly table: number
  /** For tests of overruns; default 8 MB. */
  readonly receiveBufferBytes?: number
}

/** What changed in a turn, for those who look things up in the tables. */
export interface TablesChanged {
  /** Links or addresses, or everything after a loss. */
  readonly hosts: boolean
  /** Routes or nexthop objects that are not ours. */
  readonly routes: boolean
}

/** Subscribes, then reads the tables once; resolves when they are complete. */
export async function openMonitor(options: MonitorOptions): Promise<Monitor> {
  const monitor = new Monitor(options)
  try {
    await monitor.resync()
    return monitor
  } catch (error) {
    monitor.close()
    throw error
  }
}

export class Monitor implements HostView {
  readonly tables = new KernelTables()
  readonly #options: MonitorOptions
  readonly #subscription: Subscription
  #timer: NodeJS.Timeout | undefined
  readonly #watchers = new Set<KernelEvents>()
  readonly #linkListeners = new Set<() => void>()
  readonly #hostRouteListeners = new Set<() => void>()
  #hostRouteChanges = 0
  readonly #tableListeners = new Set<(change: TablesChanged) => void>()
  #ownPorts: ReadonlySet<number> = new Set()
  readonly #author = new AuthorOfChanges()
  /** Notifications that came while a dump is under way. */
  #heldBack: Uint8Array[] | undefined
  #drops = 0
  #resyncTimer: NodeJS.Timeout | undefined
  #resyncDelayMs = RESYNC_MS
  #closed = false

  /** What happened in this turn, told at its end. */
  #turnScheduled = false
  #hostsChanged = false
  #routesChanged = false
  readonly #touchedLinks = new Set<number>()

  constructor(options: MonitorOptions) {
    this.#options = options
    // An exception in a handler would end the process inside the addon: turn it into a loss.
    this.#subscription = new Subscription(options.receiveBufferBytes ?? RECEIVE_BUFFER_BYTES, {
      received: (message) => this.#guard(() => this.#received(message)),
      lost: () => this.#guard(() => this.#lose()),
    })
    this.#watchForLoss()
  }

  /** Changes made through these netlink ports (the FIB writer's) are our own: not told. */
  ignorePorts(ports: readonly number[]): void {
    this.#ownPorts = new Set(ports)
    this.#subscription.ignorePorts(ports)
  }

  links(): Iterable<Link> {
    return this.tables.links.values()
  }

  addresses(): Iterable<LinkAddress> {
    return this.tables.addresses()
  }

  hostRoutes(): Iterable<HostRoute> {
    return this.tables.routes.hostRoutes
  }

  onLinksChanged(listener: () => void): () => void {
    this.#linkListeners.add(listener)
    return () => this.#linkListeners.delete(listener)
  }

  onHostRoutesChanged(listener: () => void): () => void {
    this.#hostRouteListeners.add(listener)
    return () => this.#hostRouteListeners.delete(listener)
  }

  /** `listener` hears once per turn that something in `tables` has changed. */
  onTablesChanged(listener: (change: TablesChanged) => void): () => void {
    this.#tableListeners.add(listener)
    return () => this.#tableListeners.delete(listener)
  }

  watch(events: KernelEvents): () => void {
    this.#watchers.add(events)
    return () => this.#watchers.delete(events)
  }

  close(): void {
    if (this.#closed) return
    this.#closed = true
    clearTimeout(this.#timer)
    clearTimeout(this.#resyncTimer)
    this.#subscription.close()
  }

  #guard(handle: () => void): void {
    if (this.#closed) return
    try {
      handle()
    } catch {
      this.#lose()
    }
  }

  #received(message: Uint8Array): void {
    if (this.#heldBack === undefined) this.#apply(message)
    else this.#heldBack.push(message)
    this.#scheduleTurn()
  }

  #apply(message: Uint8Array): void {
    const view = viewOf(message)
    eachMessage(view, message.length, (type, flags, _sequence, from, to) => {
      if (this.#ownPorts.has(view.getUint32(from - 4, true))) return
      this.#applyOne(view, type, flags, from, to)
    })
  }

  #applyOne(view: DataView, type: number, flags: number, from: number, to: number): void {
    switch (type) {
      case RTM_NEWLINK:
      case RTM_DELLINK:
        return this.#applyLink(view, type === RTM_DELLINK, from, to)
      case RTM_NEWADDR:
      case RTM_DELADDR:
        return this.#applyAddress(view, type === RTM_DELADDR, from, to)
      case RTM_NEWROUTE:
      case RTM_DELROUTE:
        return this.#applyRoute(view, type === RTM_DELROUTE, flags, from, to)
      case RTM_NEWNEXTHOP:
      case RTM_DELNEXTHOP:
        return this.#applyNextHop(view, type === RTM_DELNEXTHOP, from, to)
    }
  }

  #applyLink(view: DataView, gone: boolean, from: number, to: number): void {
    const link = decodeLink(view, from, to)
    if (link === undefined) return
    this.#hostsChanged = true
    if (gone) this.tables.removeLink(link.index)
    if (gone || this.tables.putLink(link)) this.#touchedLinks.add(link.index)
  }

  #applyAddress(view: DataView, gone: boolean, from: number, to: number): void {
    const address = decodeLinkAddress(view, from, to)
    if (address === undefined) return
    this.#hostsChanged = true
    this.#touchedLinks.add(address.link)
    if (gone) this.tables.removeAddress(address)
    else this.tables.putAddress(address)
  }

  #applyRoute(view: DataView, gone: boolean, flags: number, from: number, to: number): void {
    const route = decodeRoute(view, from, to)
    if (route === undefined) return
    const { protocol, table } = this.#options
    if (route.protocol === protocol) {
      if (route.table !== table) return
      const by = this.#authorAt(view, from)
      for (const watcher of this.#watchers) {
        watcher.ourRouteChanged(gone ? 'deleted' : 'new', route, by)
      }
      return
    }
    const replaces = !gone && (flags & NLM_F_REPLACE) !== 0
    if (replaces && route.table === table) this.#tellOfReplaced(route, view, from)
    if (route.table === RT_TABLE_MAIN) {
      this.#routesChanged = true
      if (gone) this.tables.routes.delete(route)
      else this.tables.routes.put(route, replaces)
    }
  }

  /** Who replaces a route with one of another protocol deletes it without saying so. */
  #tellOfReplaced(route: KernelRoute, view: DataView, from: number): void {
    const { protocol } = this.#options
    const by = this.#authorAt(view, from)
    for (const watcher of this.#watchers) {
      watcher.ourRouteChanged('deleted', { ...route, protocol }, by, protocolName(route.protocol))
    }
  }

  /** Who caused the message whose body begins at `from`: nlmsg_pid is the port of his socket. */
  #authorAt(view: DataView, from: number): string {
    return this.#author.of(view.getUint32(from - 4, true))
  }

  #applyNextHop(view: DataView, gone: boolean, from: number, to: number): void {
    const object = decodeNextHop(view, from, to)
    if (object === undefined) return
    if (isOurObject(object)) {
      const by = this.#authorAt(view, from)
      for (const watcher of this.#watchers) {
        watcher.ourNextHopChanged(gone ? 'deleted' : 'new', object, by)
      }
      return
    }
    this.#routesChanged = true
    if (gone) this.tables.removeObject(object.id)
    else this.tables.putObject(object)
  }

  #scheduleTurn(): void {
    if (this.#turnScheduled) return
    this.#turnScheduled = true
    setImmediate(() => this.#endTurn())
  }

  /** Tells what the turn has brought: first the tables' readers, then the FIB. */
  #endTurn(): void {
    this.#turnScheduled = false
    if (this.#closed) return
    this.#checkLoss()
    if (this.#heldBack !== undefined) return
    const change = { hosts: this.#hostsChanged, routes: this.#routesChanged }
    const touched = [...this.#touchedLinks]
    this.#hostsChanged = false
    this.#routesChanged = false
    this.#touchedLinks.clear()
    if (change.hosts) for (const listener of this.#linkListeners) listener()
    const { hostRouteChanges } = this.tables.routes
    if (hostRouteChanges !== this.#hostRouteChanges) {
      this.#hostRouteChanges = hostRouteChanges
      for (const listener of this.#hostRouteListeners) listener()
    }
    if (change.hosts || change.routes) {
      for (const listener of this.#tableListeners) listener(change)
    }
    for (const watcher of this.#watchers) {
      for (const link of touched) watcher.linkChanged(link)
    }
  }

  /** Losses show when what came before them is read; this is for those that do not. */
  #watchForLoss(): void {
    const wait = untilTogether(performance.now(), LOSS_CHECK_MS)
    this.#timer = setTimeout(() => {
      this.#checkLoss()
      this.#watchForLoss()
    }, wait).unref()
  }

  #checkLoss(): void {
    const drops = this.#subscription.drops()
    if (drops === this.#drops) return
    this.#drops = drops
    this.#lose()
  }

  /** Something was missed: read everything again, soon, and tell that only a dump knows. */
  #lose(): void {
    if (this.#resyncTimer !== undefined || this.#closed) return
    this.#resyncTimer = setTimeout(() => {
      void this.#recover()
    }, this.#resyncDelayMs)
    this.#resyncDelayMs = Math.min(RESYNC_MAX_MS, this.#resyncDelayMs * 2)
  }

  async #recover(): Promise<void> {
    const dropsBefore = this.#subscription.drops()
    let complete = true
    try {
      await this.resync()
    } catch {
      complete = false // the tables are as they were; try again
    }
    this.#resyncTimer = undefined
    if (this.#closed) return
    if (!complete || this.#subscription.drops() !== dropsBefore) this.#lose()
    else this.#resyncDelayMs = RESYNC_MS
    for (const watcher of this.#watchers) watcher.lost()
  }

  /** Reads all tables anew. */
  async resync(): Promise<void> {
    if (this.#heldBack !== undefined) return
    const held: Uint8Array[] = (this.#heldBack = [])
    try {
      const fresh = await readTables(this.#options.protocol)
      if (this.#closed) return
      this.tables.clear()
      for (const fill of fresh) fill(this.tables)
      this.#hostsChanged = true
      this.#routesChanged = true
      this.#scheduleTurn()
    } finally {
      this.#heldBack = undefined
      this.#guard(() => held.forEach((message) => this.#apply(message)))
    }
  }
}
