/**
 * The FIB: makes the kernel forward as the RIB has decided (RFC 4271 section 3.2's "routing table").
 *
 * The RIB says what it wants for a prefix, as often as it likes; the last word counts. Changes stand in a
 * queue, each prefix once, and go into the writer's ring while it has room; answers come back in order. So
 * a flapping prefix costs one write per round, and the kernel's slowness holds up nobody. Routes name a
 * target (`targets.ts`), not a gateway, which makes failover one call. What the kernel has besides is the
 * business of `reconciler.ts`: reconcile, never wipe.
 */
import type { Clock } from '../net/clock.ts'
import { FAMILIES } from '../net/family.ts'
import { IntQueue } from '../net/int-queue.ts'
import { Digest } from './digest.ts'
import { Failures } from './failures.ts'
import { FibTable, NOTHING, type State } from './fib-table.ts'
import {
  ROUTE_DELETE,
  ROUTE_PUT,
  type KernelError,
  type KernelProgress,
  type KernelReader,
  type KernelWriter,
} from './kernel.ts'
import type { PrefixIndex } from './prefix-index.ts'
import type { RouteMark } from './reconcile.ts'
import { Reconciler, codeOf } from './reconciler.ts'
import { REST_MS, Repairs } from './repairs.ts'
import type { Targets } from './targets.ts'
import { Walks } from './walks.ts'

export interface FibEvents {
  /** The kernel refuses the route; told once, tried again. `prefix` may be `10.0.0.0/8 and 99 more prefixes`. */
  failed(prefix: string, error: string): void
  /** Somebody had changed what is ours, and it is back. `prefix` may also name a next hop. */
  repaired(prefix: string, what: string): void
  /** Somebody changes it again and again, in the end `what`: it is left alone for so long. */
  fighting(prefix: string, times: number, what: string, restSeconds: number): void
  /** There is something to do for `step`. */
  workArrived(): void
}

export interface FibOptions extends RouteMark {
  readonly writer: KernelWriter
  readonly reader: KernelReader
  readonly targets: Targets
  readonly prefixes: readonly [PrefixIndex, PrefixIndex]
  readonly clock: Clock
  readonly events: FibEvents
}

export interface FibRoute {
  readonly prefixId: number
  /** What is wanted; for a stale route what the kernel has. */
  readonly targetId: number
  readonly state: Exclude<State, 'none'>
  /** What the kernel said, when failed. */
  readonly error?: string
  /** Milliseconds since the epoch; absent when it is older than this process. */
  readonly since?: number
}

export interface FibCounters {
  readonly installed: number
  readonly pending: number
  readonly failed: number
  readonly stale: number
  readonly repairs: number
  /** How often a route was left alone, for somebody changed it again and again. */
  readonly fights: number
}

/** Routes between two looks at the clock. */
const SLICE = 64
/** At the end, the kernel gets this long to take what is under way. */
const DRAIN_MS = 10_000
/** Errors that a missing nexthop object may be behind: ENOENT, ENODEV, EINVAL, ENETDOWN, ENETUNREACH. */
const OBJECT_ERRORS = new Set([2, 19, 22, 100, 101])

export class Fib {
  readonly #writer: KernelWriter
  readonly #targets: Targets
  readonly #clock: Clock
  readonly #events: FibEvents
  readonly #tables: readonly [FibTable, FibTable]
  readonly #walks: Walks
  readonly #repairs: Repairs
  readonly #reconciler: Reconciler
  readonly #failures: Failures
  readonly #failureDigest: Digest
  readonly #repairDigest: Digest
  /** Codes of rows with changes to be made. */
  readonly #dirty = new IntQueue()
  /** Code and target of each operation under way. */
  readonly #inFlight = new IntQueue()
  /** What was told as failed since the last `completed`, by how far ahead it is. */
  readonly #refusals = new Map<number, KernelError>()
  readonly #startedAt: number
  readonly #startedAtWall: number
  readonly #$words = new Int32Array(4)
  #stopping: 'keep' | 'remove' | undefined
  #drained: () => void = () => {}

  constructor(options: FibOptions) {
    const { writer, reader, targets, prefixes, clock, events } = options
    this.#writer = writer
    this.#targets = targets
    this.#clock = clock
    this.#events = events
    this.#startedAt = clock.now()
    this.#startedAtWall = clock.wallNow()
    this.#tables = [
      new FibTable(FAMILIES[0], prefixes[0], targets),
      new FibTable(FAMILIES[1], prefixes[1], targets),
    ]
    this.#walks = new Walks(this.#tables, () => clock.now())
    this.#failureDigest = new Digest(clock, (prefix, text) => events.failed(prefix, text))
    this.#repairDigest = new Digest(clock, (prefix, text) => events.repaired(prefix, text))
    this.#failures = new Failures(clock, (code) => this.#retry(code))
    this.#repairs = new Repairs(clock, REST_MS, (code, times, what) =>
      events.fighting(this.#text(code), times, what, REST_MS / 1000),
    )
    this.#reconciler = new Reconciler({
      reader,
      targets,
      clock,
      mark: options,
      tables: this.#tables,
      walks: this.#walks,
      repairs: this.#repairs,
      queue: (table, id) => this.#push(codeOf(table, id)),
      workArrived: () => events.workArrived(),
      repaired: (name, what) => this.#repairDigest.add(name, what),
      fighting: (...fight) => events.fighting(...fight),
    })
    const progress: KernelProgress = {
      completed: (count) => this.#completed(count),
      failed: (ahead, error) => void this.#refusals.set(ahead, error),
      broken: () => this.#broken(),
    }
    writer.onProgress(progress)
  }

  /** Adopts what is ours in the kernel, as stale, and watches it from now on. Before the first `want`. */
  async start(): Promise<void> {
    await this.#reconciler.start()
    this.#writer.prepare()
  }

  /** The prefix shall be forwarded to `target`; 0: there shall be no route. */
  want(family: 0 | 1, prefixId: number, target: number): void {
    if (this.#stopping !== undefined) return
    const table = this.#tables[family]
    // While peers come back one by one, what an earlier run left forwards better than what the first of
    // them says: it stays as it is until `sweep` says that everybody has spoken.
    if (!this.#reconciler.swept && table.postpone(prefixId, target)) return
    if (!table.want(prefixId, target)) return
    const code = (prefixId << 1) | family
    this.#failures.forget(code)
    this.#push(code)
  }

  /** The initial convergence is over: what is still stale goes. */
  sweep(): void {
    this.#reconciler.sweep()
  }

  /**
   * Puts all routes again: what the writer makes of them has changed (the preferred source), or the
   * kernel has dropped them without a word (with the address that was their source).
   */
  rewrite(): void {
    this.#walks.add((table, id) => {
      if (table.doubt(id)) this.#push(codeOf(table, id))
    })
    this.#events.workArrived()
  }

  /** False while the ring is full: `completed` makes room, and calls. */
  get busy(): boolean {
    if (this.#stopping === 'keep') return false
    return this.#walks.busy || (this.#dirty.length > 0 && this.#writer.free() > 0)
  }

  /** Hands changes to the kernel until nothing is left, the ring is full or the deadline has come. */
  step(deadline: number): void {
    if (this.#stopping === 'keep') return
    this.#walks.step(deadline)
    let room = this.#writer.free()
    for (let n = 1; room > 0 && this.#dirty.length > 0; n++) {
      if (this.#send(this.#dirty.shift())) room--
      if (n % SLICE === 0 && this.#clock.now() >= deadline) break
    }
    this.#writer.flush()
  }

  /** The target that the RIB wants for the prefix; 0: none. */
  wanted(family: 0 | 1, prefixId: number): number {
    return this.#tables[family].wanted(prefixId)
  }

  /** `listener` hears of each prefix whose route is installed, failed or gone now. */
  onSettled(listener: (family: 0 | 1, prefixId: number) => void): void {
    for (const table of this.#tables) {
      const { index } = table.family
      table.settled = (id) => listener(index, id)
    }
  }

  /** Routes on their way to the kernel. */
  pending(family: 0 | 1): number {
    return this.#tables[family].count('pending')
  }

  /** Undefined: there is no route, and none is wanted. */
  stateOf(family: 0 | 1, prefixId: number): FibRoute['state'] | undefined {
    const state = this.#tables[family].state(prefixId)
    return state === 'none' ? undefined : state
  }

  *rows(family: 0 | 1): Iterable<FibRoute> {
    const table = this.#tables[family]
    for (let id = 1; id < table.end; id++) {
      const state = table.state(id)
      if (state !== 'none') yield this.#row(table, id, state)
    }
  }

  /** Routes of an earlier run that are left, by family. */
  get stale(): readonly [number, number] {
    return [this.#tables[0].count('stale'), this.#tables[1].count('stale')]
  }

  get counters(): FibCounters {
    const [ipv4, ipv6] = this.#tables
    const count = (state: State): number => ipv4.count(state) + ipv6.count(state)
    return {
      installed: count('installed'),
      pending: count('pending'),
      failed: count('failed'),
      stale: count('stale'),
      repairs: this.#repairs.count + this.#reconciler.repairs,
      fights: this.#repairs.fights + this.#reconciler.fights,
    }
  }

  /**
   * Leaves the kernel as it is, or removes what is ours. Resolves when the kernel has taken what was under
   * way; nothing that is wanted from now on counts.
   */
  async stop(mode: 'keep' | 'remove'): Promise<void> {
    if (this.#stopping !== undefined) return
    this.#reconciler.stop()
    this.#repairs.close()
    this.#failures.close()
    if (mode === 'remove') this.#wantNothing()
    this.#stopping = mode
    await new Promise<void>((resolve) => {
      const timer = this.#clock.after(DRAIN_MS, resolve)
      this.#drained = () => {
        timer.cancel()
        resolve()
      }
      this.#drain()
    })
    this.#failureDigest.flush()
    this.#repairDigest.flush()
    if (mode === 'remove') this.#targets.removeUnused()
    this.#targets.close()
  }

  #push(code: number): void {
    this.#dirty.push(code)
    if (this.#dirty.length === 1) this.#events.workArrived()
  }

  /** True when it took a place in the ring. */
  #send(code: number): boolean {
    const table = this.#tables[code & 1]
    const id = code >>> 1
    const target = table.take(id)
    if (target === NOTHING) return false
    if (target !== 0 && !this.#targets.isReady(target)) {
      table.park(id, target) // until the target tells that its routes are due
      return false
    }
    const { prefixes, family } = table
    const words = this.#$words
    for (let i = 0; i < family.words; i++) words[i] = prefixes.word(id, i)
    const operation = target === 0 ? ROUTE_DELETE : ROUTE_PUT
    this.#writer.put(operation, family.name, words, 0, prefixes.length(id), target)
    this.#inFlight.push(code)
    this.#inFlight.push(target)
    return true
  }

  #completed(count: number): void {
    const second = Math.floor((this.#clock.now() - this.#startedAt) / 1000)
    for (let i = 0; i < count && this.#inFlight.length > 0; i++) {
      const code = this.#inFlight.shift()
      const target = this.#inFlight.shift()
      const error = this.#refusals.size === 0 ? undefined : this.#refusals.get(i)
      if (error === undefined) this.#done(code, target, second)
      else this.#refused(code, target, error)
    }
    this.#refusals.clear()
    if (this.#stopping !== undefined) this.#drain()
    else if (this.#dirty.length > 0) this.#events.workArrived()
  }

  #done(code: number, target: number, second: number): void {
    this.#failures.forget(code)
    const what = this.#repairs.take(code)
    if (what !== undefined) this.#repairDigest.add(this.#text(code), what)
    if (this.#tables[code & 1].done(code >>> 1, target, second)) this.#push(code)
  }

  #refused(code: number, target: number, error: KernelError): void {
    if (this.#tables[code & 1].refused(code >>> 1, target)) {
      this.#push(code)
      return
    }
    const attempts = this.#failures.note(code, error.text)
    const object = OBJECT_ERRORS.has(error.errno)
    if (object) this.#reconciler.checkObjects()
    // A missing object is back in a moment, with all its routes: no need to tell.
    if (attempts === (object ? 2 : 1)) this.#failureDigest.add(this.#text(code), error.text)
  }

  /** The writer has started over: nobody knows what became of the operations under way. */
  #broken(): void {
    this.#refusals.clear()
    while (this.#inFlight.length > 0) {
      const code = this.#inFlight.shift()
      this.#tables[code & 1].lost(code >>> 1, this.#inFlight.shift())
      this.#push(code)
    }
    if (this.#stopping === undefined) this.#reconciler.lost()
    else this.#drain()
  }

  #retry(code: number): void {
    if (this.#tables[code & 1].retry(code >>> 1)) this.#push(code)
  }

  #wantNothing(): void {
    this.#targets.sweep()
    this.#walks.add((table, id) => {
      if (table.state(id) !== 'none' && table.want(id, 0)) this.#push(codeOf(table, id))
      else if (table.retry(id)) this.#push(codeOf(table, id))
    })
    this.#walks.finish()
  }

  #drain(): void {
    if (this.#stopping === 'remove') this.step(Infinity)
    const left = this.#stopping === 'remove' ? this.#dirty.length : 0
    if (this.#inFlight.length === 0 && left === 0) this.#drained()
  }

  #text(code: number): string {
    return this.#tables[code & 1].prefixes.text(code >>> 1)
  }

  #row(table: FibTable, id: number, state: FibRoute['state']): FibRoute {
    const targetId = (state === 'stale' ? 0 : table.wanted(id)) || table.installed(id)
    const second = table.writtenAt(id)
    const error = state === 'failed' ? this.#errorOf(table, id) : undefined
    return {
      prefixId: id,
      targetId,
      state,
      ...(error !== undefined && { error }),
      ...(second !== undefined && { since: this.#startedAtWall + second * 1000 }),
    }
  }

  #errorOf(table: FibTable, id: number): string {
    const target = this.#targets.get(table.wanted(id))
    const waits = target !== undefined && !target.ready
    const ofTarget = waits ? (target.error?.text ?? 'the next hop is not reachable') : undefined
    const code = codeOf(table, id)
    const fought = this.#repairs.restingAfter(code)
    if (fought !== undefined) return `left alone for ${REST_MS / 60_000} minutes: ${fought}`
    return ofTarget ?? this.#failures.text(code) ?? 'the kernel refused'
  }
}
