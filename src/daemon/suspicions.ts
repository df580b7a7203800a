/**
 * What is suspected of the peers that are not up, for `show peer` and for the log.
 *
 * While a peer is down, the kernel's counters of dropped segments are read every few seconds, and when somebody
 * asks: all that is kept of them is when each grew last. likely-cause.ts makes words of it; the log hears
 * them once.
 */
import { DROP_COUNTERS, type DropCounter, type DropCounts } from '../linux/drop-counts.ts'
import { hasTcpAo } from '../linux/tcp-ao.ts'
import type { Address } from '../net/address.ts'
import { untilTogether, type Clock, type Timer } from '../net/clock.ts'
import type { Events } from './events.ts'
import { likelyCause } from './likely-cause.ts'
import type { Neighbor } from './neighbor.ts'

export interface SuspicionsWorld {
  readonly clock: Clock
  readonly events: Events
  /** Absent where nobody counts. */
  readonly dropCounts: (() => DropCounts) | undefined
  readonly neighbors: () => Iterable<Neighbor>
  /** Who has connected since then and is no peer. */
  readonly strangersSince: (milliseconds: number) => readonly Address[]
}

const LOOK_AGAIN_MS = 5000
/** While nobody is down. */
const CALM_MS = 10_000
/** Many ask at once. */
const READ_AGAIN_MS = 200
/** Longer than the longest pause between two attempts to connect. */
const OF_LATE_MS = 90_000
const SAME_WORDS_SILENCE_MS = 600_000

export class Suspicions {
  readonly #world: SuspicionsWorld
  readonly #grewAt = new Map<DropCounter, number>()
  readonly #told = new WeakMap<Neighbor, { readonly words: string; readonly at: number }>()
  #counts: DropCounts | undefined
  #readAt = -Infinity
  #tcpAo: boolean | undefined
  #timer: Timer | undefined

  constructor(world: SuspicionsWorld) {
    this.#world = world
  }

  start(): void {
    this.#read()
    if (this.#world.dropCounts !== undefined) this.#sleep()
  }

  stop(): void {
    this.#timer?.cancel()
  }

  /** What likely keeps the session with this peer from coming up; undefined when it is up, or nobody knows. */
  of(neighbor: Neighbor): string | undefined {
    if (neighbor.session !== undefined) return undefined
    this.#read()
    return this.#of(neighbor)
  }

  #of({ session, config, peer }: Neighbor): string | undefined {
    const { started, reason = '' } = peer.snapshot()
    if (session !== undefined || !started) return undefined
    const since = this.#world.clock.now() - OF_LATE_MS
    const grown = DROP_COUNTERS.filter((it) => (this.#grewAt.get(it) ?? -Infinity) >= since)
    const cause = likelyCause({
      address: config.address,
      hasKey: config.password !== undefined,
      tcpAo: config.tcpAo === undefined ? 'none' : this.#hasTcpAo() ? 'signs' : 'missing',
      ttlSecurity: config.ttlSecurity,
      grown: new Set(grown),
      strangers: this.#world.strangersSince(since),
    })
    // An attempt of ours may have failed for this very reason.
    return cause !== undefined && reason.includes(cause) ? undefined : cause
  }

  /** Of a kernel, this does not change. */
  #hasTcpAo(): boolean {
    this.#tcpAo ??= hasTcpAo()
    return this.#tcpAo
  }

  #read(): void {
    const now = this.#world.clock.now()
    if (now - this.#readAt < READ_AGAIN_MS) return
    // What has grown since long before, nobody knows when.
    const before = now - this.#readAt > 2 * LOOK_AGAIN_MS ? undefined : this.#counts
    this.#readAt = now
    const counts = this.#world.dropCounts?.()
    this.#counts = counts
    if (before === undefined || counts === undefined) return
    for (const it of DROP_COUNTERS) if (counts[it] > before[it]) this.#grewAt.set(it, now)
  }

  #sleep(): void {
    const { clock } = this.#world
    const down = this.#down()
    const wait = down.length > 0 ? LOOK_AGAIN_MS : untilTogether(clock.now(), CALM_MS)
    this.#timer = clock.after(wait, () => {
      const now = this.#down()
      if (now.length > 0) this.#read()
      for (const neighbor of now) this.#tell(neighbor)
      this.#sleep()
    })
  }

  #down(): Neighbor[] {
    return [...this.#world.neighbors()].filter(({ session }) => session === undefined)
  }

  #tell(neighbor: Neighbor): void {
    const words = this.#of(neighbor)
    if (words === undefined) return
    const now = this.#world.clock.now()
    const told = this.#told.get(neighbor)
    if (told?.words === words && now - told.at < SAME_WORDS_SILENCE_MS) return
    this.#told.set(neighbor, { words, at: now })
    const { name } = neighbor.config
    const text = `does not come up: ${words}`
    this.#world.events.tell({
      level: 'warn',
      topic: 'peers',
      kind: 'CauseSuspected',
      peer: name,
      text,
    })
  }
}
