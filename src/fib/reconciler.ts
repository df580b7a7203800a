/**
 * Keeps the kernel's truth and ours together: adopts what an earlier run left, hears of changes by others,
 * looks again where the kernel drops things without a word, and holds everything against a dump now and then.
 *
 * What the kernel does (Linux 6): when a device goes down or loses its carrier, nexthop objects on it vanish
 * silently, and the routes that use them too. So a change on a link means a look at the objects (there are
 * few): one that is missing took its routes along, and only then those are put again. Objects that were
 * repointed in between can't tell; their routes are put again in any case.
 */
import type { Clock, Timer } from '../net/clock.ts'
import { FAMILIES, factsOf } from '../net/family.ts'
import { wordsOf } from '../net/address.ts'
import type { FibTable } from './fib-table.ts'
import { UNREACHABLE_NOW, forwardingOf, forwardingText } from './forwarding.ts'
import type { KernelEvents, KernelNextHopObject, KernelReader, KernelRoute } from './kernel.ts'
import { isOurs, verdict, type RouteMark, type Verdict } from './reconcile.ts'
import { Repairs } from './repairs.ts'
import type { Targets } from './targets.ts'
import type { Walks } from './walks.ts'

export interface ReconcilerOptions {
  readonly reader: KernelReader
  readonly targets: Targets
  readonly tables: readonly [FibTable, FibTable]
  readonly walks: Walks
  readonly repairs: Repairs
  readonly mark: RouteMark
  readonly clock: Clock
  /** The row belongs into the queue of changes. */
  readonly queue: (table: FibTable, id: number) => void
  /** There is a walk to be done. */
  readonly workArrived: () => void
  /** Something that is no route was repaired. */
  readonly repaired: (name: string, what: string) => void
  readonly fighting: (name: string, times: number, what: string, restSeconds: number) => void
}

const VERIFY_EVERY_MS = 600_000
/** Between dumps after losses of notifications: a small table is right within a second, a large one costs a tenth. */
const VERIFY_PAUSE_MS = 1_000
const VERIFY_REST_FACTOR = 10
/** After a dump that failed; and the longest of these pauses. */
const VERIFY_AGAIN_MS = 30_000
const RETRY_MS = 1_000
/** A nexthop object is never left alone for long: all routes of a next hop may hang on it. */
const OBJECT_REST_MS = 30_000

export class Reconciler implements KernelEvents {
  readonly #options: ReconcilerOptions
  readonly #objectRepairs: Repairs
  #unwatch: () => void = () => {}
  #started = false
  #swept = false
  #stopped = false
  /** Targets whose routes the next walk puts again. */
  #due: Set<number> | undefined
  /** What was done to an object since the last look at them. */
  #meddled: string | undefined
  #checkingObjects = false
  #checkObjectsAgain = false
  #objectTimer: Timer | undefined
  #verifying = false
  /** Not before this after a loss. */
  #mayVerifyAt = -Infinity
  #verifyTimer: Timer | undefined

  constructor(options: ReconcilerOptions) {
    this.#options = options
    this.#objectRepairs = new Repairs(options.clock, OBJECT_REST_MS, (id, times, what) =>
      options.fighting(this.#nameOf(id), times, what, OBJECT_REST_MS / 1000),
    )
    options.targets.onRoutesDue((id) => this.#routesDue(id))
  }

  /** Adopts what is ours in the kernel as stale. */
  async start(): Promise<void> {
    const { reader, targets, mark } = this.#options
    this.#unwatch = reader.watch(this)
    targets.adopt(await reader.dumpOurNextHops(), mark.protocol)
    for (const { name } of FAMILIES) {
      await reader.dumpOurRoutes(name, (route) => this.#found(route))
    }
    if (this.#stopped) return
    this.#started = true
    if (this.#swept) this.#walkStale()
    this.#verifyLater(VERIFY_EVERY_MS)
  }

  /** Times that somebody had changed a nexthop object, and that one was left alone. */
  get repairs(): number {
    return this.#objectRepairs.count
  }

  get fights(): number {
    return this.#objectRepairs.fights
  }

  get swept(): boolean {
    return this.#swept
  }

  /** What is stale now is wanted by nobody, or otherwise. */
  sweep(): void {
    this.#swept = true
    if (this.#started) this.#walkStale()
  }

  stop(): void {
    this.#stopped = true
    this.#unwatch()
    this.#objectTimer?.cancel()
    this.#verifyTimer?.cancel()
    this.#objectRepairs.close()
  }

  /** A route was refused as if its object were gone. */
  checkObjects(): void {
    if (this.#checkingObjects) {
      this.#checkObjectsAgain = true
      return
    }
    this.#checkingObjects = true
    void this.#compareObjects()
  }

  ourRouteChanged(
    change: 'new' | 'deleted',
    route: KernelRoute,
    by: string,
    instead?: string,
  ): void {
    if (this.#stopped || !isOurs(route, this.#options.mark)) return
    const { table, id } = this.#rowOf(route)
    if (change === 'new') {
      this.#found(route, by)
      return
    }
    if (id === 0) return
    if (table.state(id) === 'stale') this.#forget(table, id)
    else if (table.installed(id) !== 0 || table.inFlight(id)) {
      const deed = instead === undefined ? 'deleted it' : `replaced it by a route of ${instead}`
      this.#repair(table, id, `${by} ${deed}`)
    }
  }

  ourNextHopChanged(change: 'new' | 'deleted', { id }: KernelNextHopObject, by: string): void {
    if (this.#stopped) return
    const known = this.#options.targets.get(id)
    // A leg goes before its group, and is found missing with it.
    if (change === 'deleted') this.#meddled = `${by} deleted its nexthop object`
    if (change === 'new' || known === undefined) return this.checkObjects()
    this.#objectRepairs.attempt(id, this.#meddled ?? '', () => this.checkObjects())
  }

  linkChanged(link: number): void {
    if (!this.#stopped && this.#options.targets.suspectsOn(link).length > 0) this.checkObjects()
  }

  lost(): void {
    if (this.#stopped || this.#verifying) return
    const { clock } = this.#options
    this.#verifyLater(Math.max(0, this.#mayVerifyAt - clock.now()))
  }

  /** A route of ours is in the kernel, as dumped at the start or told by the monitor. */
  #found(route: KernelRoute, by = 'somebody'): void {
    if (this.#stopped || !isOurs(route, this.#options.mark)) return
    const { table, id } = this.#rowOf(route)
    const state = id === 0 ? 'none' : table.state(id)
    if (state === 'none' || state === 'stale') this.#adopt(route, by)
    else if (this.#verdict(route, table.installed(id)) === 'replace') {
      const forwarding = forwardingOf(route) ?? UNREACHABLE_NOW
      const to = route.nextHopId === 0 ? forwardingText(forwarding) : `nhid ${route.nextHopId}`
      this.#repair(table, id, `${by} changed it to ${to || 'nothing'}`)
    }
  }

  /** Nobody wants the route (yet). After the sweep that means that it goes. */
  #adopt(route: KernelRoute, by: string): void {
    const { targets, queue, repairs } = this.#options
    const { prefix, nextHopId } = route
    const { index } = factsOf(prefix.family)
    const table = this.#options.tables[index]
    const id = table.prefixes.intern(wordsOf(prefix.bytes), 0, prefix.length)
    const forwarding = forwardingOf(route) ?? UNREACHABLE_NOW
    const target = targets.found(prefix.family, nextHopId, forwarding)
    table.adopt(id, target, this.#verdict(route, target) !== 'keep')
    if (!this.#swept || !this.#started) return
    repairs.attempt(codeOf(table, id), `${by} added it`, () => {
      if (table.sweep(id)) queue(table, id)
    })
  }

  #verdict(route: KernelRoute, id: number): Verdict {
    const { targets, mark } = this.#options
    const known = targets.get(id)
    if (known === undefined) return 'replace'
    const object = route.nextHopId !== 0 || targets.isObject(known.target)
    return verdict(route, { id, target: known.target, object }, mark)
  }

  #repair(table: FibTable, id: number, what: string): void {
    const { repairs, queue } = this.#options
    table.doubt(id, true)
    if (table.wanted(id) === 0) return
    const goesOn = repairs.attempt(codeOf(table, id), what, () => {
      if (table.retry(id)) queue(table, id)
    })
    if (!goesOn) table.leave(id)
  }

  #forget(table: FibTable, id: number): void {
    if (table.forget(id)) this.#options.queue(table, id)
  }

  #rowOf({ prefix }: KernelRoute): { table: FibTable; id: number } {
    const table = this.#options.tables[factsOf(prefix.family).index]
    return { table, id: table.prefixes.find(wordsOf(prefix.bytes), 0, prefix.length) }
  }

  #walkStale(): void {
    const { walks, queue, targets, workArrived } = this.#options
    targets.sweep()
    walks.add((table, id) => {
      if (table.sweep(id)) queue(table, id)
    })
    workArrived()
  }

  /** Routes of the target are put again; targets that come in before the walk begins share it. */
  #routesDue(target: number): void {
    if (this.#due !== undefined) {
      this.#due.add(target)
      return
    }
    const { walks, queue, workArrived } = this.#options
    const due = (this.#due = new Set([target]))
    const begun = (): void => {
      if (this.#due === due) this.#due = undefined
    }
    walks.add((table, id) => {
      begun()
      // Also one that is about to go: it may be wanted again before that, and must not pass for installed.
      if (!due.has(table.wanted(id)) && !due.has(table.installed(id))) return
      if (table.doubt(id)) queue(table, id)
    }, begun)
    workArrived()
  }

  async #compareObjects(): Promise<void> {
    const { reader, targets, clock } = this.#options
    try {
      do {
        this.#checkObjectsAgain = false
        const writes = targets.writes()
        const objects = await reader.dumpOurNextHops()
        if (this.#stopped) return
        for (const { target } of targets.check(objects, writes)) {
          const what = this.#objectRepairs.take(target.id) ?? this.#meddled
          if (what !== undefined && target.ready) {
            this.#options.repaired(this.#nameOf(target.id), what)
          }
        }
      } while (this.#checkObjectsAgain)
      this.#meddled = undefined
      this.#objectRepairs.forgetDone()
    } catch {
      this.#objectTimer = clock.after(RETRY_MS, () => this.checkObjects())
    } finally {
      this.#checkingObjects = false
    }
  }

  #nameOf(id: number): string {
    return `next hop ${this.#options.targets.get(id)?.key ?? id}`
  }

  #verifyLater(delayMs: number): void {
    this.#verifyTimer?.cancel()
    this.#verifyTimer = this.#options.clock.after(delayMs, () => void this.#verify())
  }

  /** Holds everything against a dump. What changes meanwhile is newer than the dump, and left alone. */
  async #verify(): Promise<void> {
    const { reader, tables, clock } = this.#options
    this.#verifying = true
    const began = clock.now()
    let next = VERIFY_EVERY_MS
    try {
      await this.#compareObjects()
      for (const table of tables) {
        table.beginCheck()
        await reader.dumpOurRoutes(table.family.name, (route) => this.#verifyRoute(route))
        if (this.#stopped) return
      }
      await this.#walkUnseen()
      for (const table of tables) table.endCheck()
    } catch {
      next = VERIFY_AGAIN_MS
    }
    this.#verifying = false
    const now = clock.now()
    const rest = Math.max(VERIFY_PAUSE_MS, VERIFY_REST_FACTOR * (now - began))
    this.#mayVerifyAt = now + Math.min(rest, VERIFY_AGAIN_MS)
    if (!this.#stopped) this.#verifyLater(next)
  }

  #verifyRoute(route: KernelRoute): void {
    if (this.#stopped || !isOurs(route, this.#options.mark)) return
    const { table, id } = this.#rowOf(route)
    const known = id !== 0 && table.state(id) !== 'none'
    if (!known || table.notSeen(id)) this.#found(route)
  }

  async #walkUnseen(): Promise<void> {
    const { walks, workArrived } = this.#options
    await new Promise<void>((resolve) => {
      walks.add((table, id) => {
        if (!table.notSeen(id)) return
        if (table.state(id) === 'stale') this.#forget(table, id)
        else this.#repair(table, id, 'it was missing')
      }, resolve)
      workArrived()
    })
  }
}

/** One number for a row of either table. */
export const codeOf = (table: FibTable, id: number): number => (id << 1) | table.family.index
