/**
 * Targets: where routes go. The idea that makes failover independent of the number of routes.
 *
 * A target stands for a set of BGP next hops (its key), not for the gateways that they resolve to today.
 * Routes point to its id, which is the id of a kernel nexthop object: when a next hop is reached otherwise,
 * `update` repoints that one object, and all routes follow at once. An object is written before routes
 * point to it, and goes some time after the last route has gone; its id rests before it is used again.
 * What an earlier run has left is claimed by the first set that forwards in the same way.
 */
import type { Clock, Timer } from '../net/clock.ts'
import type { Family } from '../net/family.ts'
import {
  forwardingText,
  isEmpty,
  linksOf,
  objectText,
  sameForwarding,
  sameObject,
} from './forwarding.ts'
import type { KernelError, KernelNextHopObject, KernelTarget, KernelWriter } from './kernel.ts'
import { NextHopIds } from './next-hop-ids.ts'
import { targetsOfObjects } from './reconcile.ts'

export interface Target {
  readonly id: number
  /** Names the set of next hops; '' for one that an earlier run left and nobody has claimed. */
  readonly key: string
  /** Undefined until a route tells. */
  readonly family: Family | undefined
  readonly target: KernelTarget
  /** Routes that the kernel has with it. */
  readonly routes: number
  /** When it began to forward like this, in milliseconds since the epoch. */
  readonly since: number
  /** The kernel has it: routes may be put. */
  readonly ready: boolean
  /** Why it is not ready, when the kernel refused it. */
  readonly error: KernelError | undefined
}

type Entry = { -readonly [K in keyof Target]: Target[K] } & {
  /** Rows that want it, have it, or are on their way to it. */
  holds: number
  /** Stands among those that may go. */
  idle: boolean
  /** How often it was written. */
  writes: number
}

export interface TargetEvents {
  failed(id: number, error: KernelError): void
}

/** An object that was not as it should be. */
export interface WrongObject {
  readonly target: Target
  /** The kernel had dropped it, and the routes that used it. */
  readonly missing: boolean
}

const FRESH = {
  key: '',
  routes: 0,
  ready: false,
  error: undefined,
  holds: 0,
  idle: false,
  writes: 0,
}

const GRACE_MS = 5_000
const RETRY_FIRST_MS = 500
const RETRY_MAX_MS = 60_000

export class Targets {
  /** Hears of each id that means nothing any more: its last route has gone. */
  onRemoved: (id: number) => void = () => {}
  readonly #writer: KernelWriter
  readonly #clock: Clock
  readonly #events: TargetEvents
  readonly #entries = new Map<number, Entry>()
  readonly #byKey = new Map<string, Entry>()
  /** What an earlier run left, by how it forwards. */
  readonly #left = new Map<string, Entry[]>()
  readonly #ids = new NextHopIds(GRACE_MS)
  readonly #idle = new Set<Entry>()
  #routesDue: (id: number) => void = () => {}
  #swept = false
  #collectTimer: Timer | undefined
  #retryTimer: Timer | undefined
  #retryMs = RETRY_FIRST_MS
  #closed = false
  /** The last entry asked for: routes come in runs. */
  #last: Entry | undefined

  constructor(writer: KernelWriter, clock: Clock, events: TargetEvents) {
    this.#writer = writer
    this.#clock = clock
    this.#events = events
    writer.onDropped((id) => this.#routesDue(id))
  }

  /** `listener` hears of targets whose routes must be put again (the FIB). */
  onRoutesDue(listener: (id: number) => void): void {
    this.#routesDue = listener
  }

  /**
   * The id for `key`, made to forward as `target` says when it is new or did otherwise. 0 when there is no
   * way to forward: nothing to install.
   */
  intern(key: string, family: Family, wanted: KernelTarget): number {
    const target = this.#possible(wanted)
    const known = this.#byKey.get(key)
    if (known !== undefined) {
      this.#point(known, target)
      return isEmpty(target) ? 0 : known.id
    }
    if (isEmpty(target)) return 0
    const entry = this.#claim(family, target) ?? this.#create(this.#allocate(), family, target)
    if (entry.id === 0) return 0
    entry.key = key
    entry.family = family
    this.#byKey.set(key, entry)
    this.#write(entry)
    this.#noteIdle(entry)
    return entry.id
  }

  /**
   * The next hops of `id` are reached otherwise now. Takes effect before it returns. When there is no way
   * any more, the kernel is left alone: a dead gateway loses packets as surely as no route does, and the
   * RIB moves the routes next.
   */
  update(id: number, target: KernelTarget): void {
    const entry = this.#entry(id)
    if (entry !== undefined) this.#point(entry, this.#possible(target))
  }

  /** The key stands for another target from now on: this one only waits for its routes to be moved. */
  retire(id: number): void {
    const entry = this.#entry(id)
    if (entry !== undefined && this.#byKey.get(entry.key) === entry) this.#byKey.delete(entry.key)
  }

  get(id: number): Target | undefined {
    return this.#entry(id)
  }

  [Symbol.iterator](): Iterator<Target> {
    return this.#entries.values()
  }

  isReady(id: number): boolean {
    return this.#entry(id)?.ready === true
  }

  /** True when routes of this id carry the id; false when they carry what the target says. */
  isObject(target: KernelTarget): boolean {
    return this.#writer.nextHopObjects && target.kind === 'gateways'
  }

  /** A route wants it, or is on its way to it. */
  retain(id: number): void {
    const entry = this.#entry(id)
    if (entry !== undefined) entry.holds++
  }

  release(id: number): void {
    const entry = this.#entry(id)
    if (entry !== undefined && --entry.holds === 0) this.#noteIdle(entry)
  }

  /** The kernel has one route more, or one less, with it. */
  countRoute(id: number, change: 1 | -1): void {
    const entry = this.#entry(id)
    if (entry !== undefined) entry.routes += change
  }

  /** Takes over what an earlier run has left. */
  adopt(objects: readonly KernelNextHopObject[], protocol: number): void {
    for (const [id, target] of targetsOfObjects(objects)) {
      if (this.#entries.has(id)) continue
      const ours = objects.some((object) => object.id === id && object.protocol === protocol)
      if (ours) this.#leave(this.#create(id, undefined, target))
      else this.#ids.reserve(id)
    }
  }

  /** The target of a route that was found in the kernel: its object's, or one of its own. */
  found(family: Family, nextHopId: number, target: KernelTarget): number {
    if (nextHopId !== 0) {
      const entry = this.#entry(nextHopId) ?? this.#create(nextHopId, family, target)
      entry.family ??= family
      return nextHopId
    }
    const text = leftText(false, target)
    const known = this.#left.get(text)?.find((entry) => entry.family === family)
    if (known !== undefined) return known.id
    const entry = this.#create(this.#allocate(), family, target)
    if (entry.id !== 0) this.#leave(entry, false)
    return entry.id
  }

  /** What is still unclaimed goes, as soon as no route has it. */
  sweep(): void {
    this.#swept = true
    this.#left.clear()
    for (const entry of this.#entries.values()) this.#noteIdle(entry)
  }

  /** Something happened to `link`: ids whose objects must be looked for, for the kernel may have dropped them. */
  suspectsOn(link: number): readonly Target[] {
    const suspects: Entry[] = []
    for (const entry of this.#entries.values()) {
      if (!linksOf(entry.target).includes(link)) continue
      if (this.isObject(entry.target)) suspects.push(entry)
      // What never was an object can't be told from a dump of objects.
      else this.#routesDue(entry.id)
    }
    return suspects
  }

  /** How often each target was written, to be handed to `check` together with a dump begun now. */
  writes(): ReadonlyMap<number, number> {
    return new Map([...this.#entries.values()].map((entry) => [entry.id, entry.writes]))
  }

  /**
   * Holds our objects against a dump: a missing one is written again and its routes are due, for the
   * kernel drops them with it; one that has changed is written again. Returns what was put right.
   */
  check(
    objects: readonly KernelNextHopObject[],
    writesBefore: ReadonlyMap<number, number>,
  ): readonly WrongObject[] {
    const found = targetsOfObjects(objects)
    const wrong: WrongObject[] = []
    for (const entry of this.#entries.values()) {
      if (entry.key === '' || isEmpty(entry.target) || !this.isObject(entry.target)) continue
      const object = found.get(entry.id)
      const missing = object === undefined
      // Written while the dump ran: then it was told if it had been away (`onDropped`).
      if (entry.writes !== writesBefore.get(entry.id)) continue
      if (!missing && sameObject(object, entry.target)) continue
      if (missing) entry.ready = false
      wrong.push({ target: entry, missing })
      this.#write(entry)
      // Still not there: the routes must know.
      if (missing && !entry.ready) this.#routesDue(entry.id)
    }
    return wrong
  }

  /** No timers any more. */
  close(): void {
    this.#closed = true
    this.#collectTimer?.cancel()
    this.#retryTimer?.cancel()
  }

  /** Deletes every object that no route has: at the end, when routes are removed. */
  removeUnused(): void {
    for (const entry of this.#entries.values()) this.#noteIdle(entry)
    this.#collect()
  }

  #entry(id: number): Entry | undefined {
    if (this.#last?.id === id) return this.#last
    const entry = this.#entries.get(id)
    if (entry !== undefined) this.#last = entry
    return entry
  }

  /** What of it the kernel can do. */
  #possible(target: KernelTarget): KernelTarget {
    if (target.kind !== 'gateways' || target.standby === undefined) return target
    return this.#writer.standbys ? target : { kind: 'gateways', hops: target.hops }
  }

  #point(entry: Entry, target: KernelTarget): void {
    const before = entry.target
    if (sameObject(before, target)) return
    const otherHops = !sameForwarding(before, target)
    entry.target = target
    if (otherHops) entry.since = this.#clock.wallNow()
    if (isEmpty(target)) {
      entry.ready = false
      entry.error = undefined
      return
    }
    const wasReady = entry.ready
    this.#write(entry)
    const inPlace = this.isObject(before) && this.isObject(target)
    if (wasReady && entry.ready && !inPlace) this.#routesDue(entry.id)
  }

  /** Puts the object; its routes are due when it was not there before. */
  #write(entry: Entry): void {
    const error = this.#writer.putNextHop(entry.id, entry.family ?? 'ipv4', entry.target)
    const told = entry.error?.text
    const wasReady = entry.ready
    entry.writes++
    entry.error = error
    entry.ready = error === undefined
    if (error === undefined) {
      if (!wasReady && entry.holds > 0) this.#routesDue(entry.id)
      return
    }
    this.#retryLater()
    if (told !== error.text) this.#events.failed(entry.id, error)
  }

  #retryLater(): void {
    if (this.#retryTimer !== undefined || this.#closed) return
    this.#retryTimer = this.#clock.after(this.#retryMs, () => {
      this.#retryTimer = undefined
      this.#retryMs = Math.min(RETRY_MAX_MS, this.#retryMs * 2)
      for (const entry of this.#entries.values()) {
        if (entry.error !== undefined && !isEmpty(entry.target)) this.#write(entry)
      }
      if (this.#retryTimer === undefined) this.#retryMs = RETRY_FIRST_MS
    })
  }

  /** An unclaimed target that forwards in the same way and form; a claimed one is our own from then on. */
  #claim(family: Family, target: KernelTarget): Entry | undefined {
    const text = leftText(this.isObject(target), target)
    const entries = this.#left.get(text) ?? []
    const at = entries.findIndex((it) => it.family === undefined || it.family === family)
    if (at < 0) return undefined
    const [entry] = entries.splice(at, 1)
    entry.target = target
    entry.ready = true
    entry.since = this.#clock.wallNow()
    return entry
  }

  #leave(entry: Entry, object = true): void {
    const text = leftText(object, entry.target)
    this.#left.set(text, [...(this.#left.get(text) ?? []), entry])
  }

  #create(id: number, family: Family | undefined, target: KernelTarget): Entry {
    const since = this.#clock.wallNow()
    const entry: Entry = { ...FRESH, id, family, target, since }
    if (id !== 0) this.#entries.set(id, entry)
    return entry
  }

  #allocate(): number {
    return this.#ids.allocate((id) => this.#entries.has(id), this.#clock.now())
  }

  #noteIdle(entry: Entry): void {
    if (entry.holds > 0 || entry.idle || (entry.key === '' && !this.#swept)) return
    entry.idle = true
    this.#idle.add(entry)
    if (this.#closed) return
    this.#collectTimer ??= this.#clock.after(GRACE_MS, () => this.#collect())
  }

  #collect(): void {
    this.#collectTimer?.cancel()
    this.#collectTimer = undefined
    const idle = [...this.#idle]
    this.#idle.clear()
    for (const entry of idle) {
      entry.idle = false
      if (entry.holds > 0) continue
      const foreign = this.#ids.isForeign(entry.id)
      const error = foreign ? undefined : this.#writer.deleteNextHop(entry.id)
      if (error === undefined) this.#remove(entry)
      else this.#noteIdle(entry)
    }
  }

  #remove(entry: Entry): void {
    this.#entries.delete(entry.id)
    if (this.#byKey.get(entry.key) === entry) this.#byKey.delete(entry.key)
    if (entry.key !== '') this.onRemoved(entry.id)
    this.#ids.rest(entry.id, this.#clock.now())
    this.#last = undefined
  }
}

const leftText = (object: boolean, target: KernelTarget): string =>
  object ? `object ${objectText(target)}` : `plain ${forwardingText(target)}`
