/**
 * Our own restart (RFC 4724 section 4.1): forwarding goes on by the routes that an earlier run has left in the
 * kernel, until the peers have told theirs again.
 *
 * We have restarted when such routes were found, and not otherwise; a family without any was not forwarded,
 * and OPEN says so: "forwarding preserved" is never a guess. Then we wait for the End-of-RIB of our peers
 * before what is still stale goes, and before we say End-of-RIB ourselves, for until then peers keep what we
 * told them last. What we announce doesn't wait, and the kernel's routes stay as they are meanwhile, so
 * nobody is hurt by the wait; still it is short: nobody waits for a peer that is out of reach, and a minute
 * is all that anyone gets.
 */
import type { Clock, Timer } from '../net/clock.ts'
import { FAMILIES, type Family } from '../net/family.ts'
import type { RestartState } from '../session/graceful-restart.ts'
import type { Negotiated } from '../session/negotiation.ts'
import type { Events } from './events.ts'

/** Nobody is waited for any longer. */
const AT_MOST_MS = 60_000
/** A peer without a session is waited for so long. */
const CONNECT_WITHIN_MS = 10_000
/** The last routes get one more turn before what is stale goes. */
const LAST_TURN_MS = 1_000

/** A neighbour, as far as it is waited for. */
export interface RestartPeer {
  readonly config: { readonly name: string }
  readonly session: { readonly negotiated: Pick<Negotiated, 'gracefulRestart'> } | undefined
  readonly saidAll: boolean
  readonly outOfReach: boolean
}

export interface RestartWorld {
  readonly clock: Clock
  readonly events: Events
  neighbors(): Iterable<RestartPeer>
  /** What is stale in the kernel goes. */
  sweep(): void
  /** End-of-RIB may be said from now on. */
  allTold(): void
}

export class Restart {
  readonly #world: RestartWorld
  #startedAtMs = 0
  #found: readonly Family[] = []
  /** Peers are still waited for before End-of-RIB is said. */
  #waits = true
  /** What is stale is about to go, or gone. */
  #settled = false
  #over = false
  #timers: Timer[] = []

  constructor(world: RestartWorld) {
    this.#world = world
  }

  /** Before the first peer is called. `found`: routes of an earlier run in the kernel, by family. */
  begin(found: readonly [number, number]): void {
    const { clock } = this.#world
    this.#startedAtMs = clock.now()
    this.#found = FAMILIES.flatMap(({ name, index }) => (found[index] > 0 ? [name] : []))
    this.#waits = this.#found.length > 0
    this.#timers = [
      clock.after(CONNECT_WITHIN_MS, () => this.look()),
      clock.after(AT_MOST_MS, () => this.#end()),
    ]
    if (this.#found.length === 0) return
    const routes = FAMILIES.map(({ name, index }) => `${found[index]} ${name}`).join(' and ')
    const text = `found ${routes} routes of an earlier run: they stay until the peers have told theirs again, ${AT_MOST_MS / 1000} s at most`
    this.#tell('RestartBegan', text)
  }

  close(): void {
    for (const timer of this.#timers.splice(0)) timer.cancel()
  }

  /** For the next OPEN. Once it is over, this process has forwarded all the time. */
  get state(): RestartState {
    return {
      restarting: !this.#over && this.#found.length > 0,
      preserved: this.#over ? FAMILIES.map(({ name }) => name) : this.#found,
    }
  }

  /** End-of-RIB would be a lie: what others have told us is not there yet. */
  get waits(): boolean {
    return this.#waits
  }

  /** `waiting for End-of-RIB of tor-a, at most 42 s more`; undefined when nothing is waited for. */
  get words(): string | undefined {
    if (this.#over || this.#found.length === 0) return undefined
    const waited = this.#awaited()
    const talking = waited.filter(({ session }) => session !== undefined)
    const silent = waited.filter(({ session }) => session === undefined)
    const parts = [
      ...(talking.length === 0 ? [] : [`for End-of-RIB of ${namesOf(talking)}`]),
      ...(silent.length === 0 ? [] : [`for ${namesOf(silent)} to connect`]),
    ]
    const leftMs = this.#startedAtMs + AT_MOST_MS - this.#world.clock.now()
    const seconds = Math.max(0, Math.ceil(leftMs / 1000))
    return `waiting ${parts.join(' and ') || 'for the last routes'}, at most ${seconds} s more`
  }

  /** Peers came, went, or finished telling their routes. */
  look(): void {
    if (this.#over) return
    const waited = this.#awaited()
    // Of two that have restarted each would wait for the other for ever (section 4.1).
    if (this.#waits && waited.every(saysNoEnd)) this.#tellAll()
    const anybody = [...this.#world.neighbors()].length > 0
    if (this.#settled || waited.length > 0 || !anybody) return
    this.#settled = true
    this.#timers.push(this.#world.clock.after(LAST_TURN_MS, () => this.#end()))
  }

  #awaited(): RestartPeer[] {
    const late = this.#world.clock.now() >= this.#startedAtMs + CONNECT_WITHIN_MS
    return [...this.#world.neighbors()].filter(
      (it) => !it.saidAll && !it.outOfReach && !(late && it.session === undefined),
    )
  }

  #tellAll(): void {
    this.#waits = false
    this.#world.allTold()
  }

  #end(): void {
    if (this.#over) return
    const waited = this.#awaited()
    this.close()
    this.#over = true
    if (this.#waits) this.#tellAll()
    this.#world.sweep()
    if (this.#found.length === 0) return
    const tookMs = this.#world.clock.now() - this.#startedAtMs
    const without = waited.length === 0 ? '' : ` without the End-of-RIB of ${namesOf(waited)}`
    const text = `the restart is over after ${(tookMs / 1000).toFixed(1)} s${without}: what is still stale goes`
    this.#tell('RestartEnded', text)
  }

  #tell(kind: string, text: string): void {
    this.#world.events.tell({ level: 'info', topic: 'daemon', kind, text })
  }
}

/** A peer that waits for ours, or does not know of it at all. */
const saysNoEnd = ({ session }: RestartPeer): boolean =>
  session !== undefined && session.negotiated.gracefulRestart?.restarting !== false

const namesOf = (neighbors: readonly RestartPeer[]): string =>
  neighbors.map(({ config }) => config.name).join(', ')
