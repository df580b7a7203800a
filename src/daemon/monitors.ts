/**
 * Those who watch: files of MRT records (RFC 6396) and BMP stations (RFC 7854), as configured.
 *
 * The speaker only knows this switchboard. While nobody watches, `watcher` is undefined, no room of
 * theirs is even loaded, and a session pays one look at a field for each message. A monitor that fails or
 * does not keep up costs nobody else anything: it has a bounded buffer of its own, says so, and loses
 * records (a file) or its connection (a station).
 */
import type { Config } from '../config/config.ts'
import type { MonitorRow } from '../control/rows.ts'
import type { Clock } from '../net/clock.ts'
import type { Family } from '../net/family.ts'
import type { Rib } from '../rib/rib.ts'
import type { RibWatcher } from '../rib/watcher.ts'
import type { State } from '../session/fsm.ts'
import type { LastError } from '../session/last-error.ts'
import type { Transport } from '../session/transport.ts'
import type { Events, Level } from './events.ts'
import type { Neighbor } from './neighbor.ts'
import type { Scheduler } from './scheduler.ts'

/** What happens in sessions. */
export interface SessionWatcher {
  stateChanged(neighbor: Neighbor, from: State, to: State): void
  sessionBegan(neighbor: Neighbor): void
  /** Called while the neighbour still has its session; `ending` is the NOTIFICATION that ended it. */
  sessionEnded(neighbor: Neighbor, ending: LastError | undefined): void
  /** One UPDATE message: the body is `buffer[start..end)`, with its header before; valid during the call. */
  update(neighbor: Neighbor, buffer: Uint8Array, start: number, end: number): void
  endOfRib(neighbor: Neighbor, family: Family): void
}

/** A watcher with work and a state of its own. */
export interface Monitor extends Partial<SessionWatcher>, Partial<RibWatcher> {
  /** True when `step` has something to do. */
  readonly busy: boolean
  /** Works until nothing is left or the clock reaches `deadline`. */
  step(deadline: number): void
  /** As it stands in the configuration that it can't do with another one. */
  readonly key: string
  /** The configuration was read again, and this monitor stays. */
  reloaded(): void
  row(): MonitorRow
  close(): Promise<void>
}

/** What monitors need to know of the speaker. */
export interface Watched {
  readonly rib: Rib
  readonly asn: number
  readonly routerId: number
  readonly neighbors: Iterable<Neighbor>
  readonly clock: Clock
  readonly transport: Transport
  /** There is work for `step`. */
  wake(): void
  tell(level: Level, kind: string, text: string): void
}

export interface MonitorsWorld {
  readonly rib: Rib
  readonly asn: number
  readonly routerId: number
  readonly clock: Clock
  readonly transport: Transport
  readonly events: Events
  readonly scheduler: Scheduler
  neighbors(): Iterable<Neighbor>
}

export class Monitors {
  readonly #watched: Watched
  readonly #scheduler: Scheduler
  #hasStage = false
  #monitors: readonly Monitor[] = []
  #watcher: SessionWatcher | undefined
  /** Changes are made one after the other: some wait for a room to be loaded. */
  #changing: Promise<void> = Promise.resolve()
  #closed = false

  constructor(world: MonitorsWorld) {
    this.#scheduler = world.scheduler
    this.#watched = {
      rib: world.rib,
      asn: world.asn,
      routerId: world.routerId,
      clock: world.clock,
      transport: world.transport,
      get neighbors() {
        return world.neighbors()
      },
      wake: () => world.scheduler.wake(),
      tell: (level, kind, text) => world.events.tell({ level, topic: 'monitors', kind, text }),
    }
  }

  /** Who is to hear of sessions; undefined while nobody watches. */
  get watcher(): SessionWatcher | undefined {
    return this.#watcher
  }

  rows(): MonitorRow[] {
    return this.#monitors.map((monitor) => monitor.row())
  }

  /** Those configured, and no others, from now on. */
  configure(config: Config): Promise<void> {
    this.#changing = this.#changing
      .then(() => this.#change(config))
      .catch((error: unknown) => {
        this.#watched.tell('error', 'MonitorFailed', `monitors can't be started: ${String(error)}`)
      })
    return this.#changing
  }

  /** Resolves when the last records are written and the last words said. */
  close(): Promise<void> {
    this.#closed = true
    this.#changing = this.#changing.then(() => this.#take([]))
    return this.#changing
  }

  async #change({ mrt, bmp }: Config): Promise<void> {
    if (this.#closed) return
    const old = new Map(this.#monitors.map((monitor) => [monitor.key, monitor]))
    const now: Monitor[] = []
    const keep = (key: string, create: (key: string) => Monitor): void => {
      const kept = old.get(key)
      kept?.reloaded()
      now.push(kept ?? create(key))
    }
    const { updates, rib, everySeconds = 0 } = mrt ?? {}
    if (updates !== undefined) {
      const { UpdatesFile } = await import('./mrt-updates.ts')
      keep(`mrt updates ${updates}`, (key) => new UpdatesFile(key, this.#watched, updates))
    }
    if (rib !== undefined) {
      const { RibDump } = await import('./mrt-rib.ts')
      keep(
        `mrt rib ${rib} ${everySeconds}`,
        (key) => new RibDump(key, this.#watched, rib, everySeconds),
      )
    }
    if (bmp.length > 0) {
      const { BmpStation } = await import('./bmp-station.ts')
      for (const station of bmp) {
        const { address, ...rest } = station
        keep(
          `bmp ${address.text} ${JSON.stringify(rest)}`,
          (key) => new BmpStation(key, this.#watched, station),
        )
      }
    }
    await this.#take(now)
  }

  /** Gives them their slices of time, from the first monitor on. */
  #addStage(): void {
    this.#hasStage = true
    this.#scheduler.addStage({
      name: 'monitor',
      busy: () => this.#monitors.some((monitor) => monitor.busy),
      step: (deadline) => {
        for (const monitor of this.#monitors) if (monitor.busy) monitor.step(deadline)
      },
    })
  }

  async #take(monitors: readonly Monitor[]): Promise<void> {
    if (monitors.length > 0 && !this.#hasStage) this.#addStage()
    const gone = this.#monitors.filter((monitor) => !monitors.includes(monitor))
    this.#monitors = monitors
    this.#watcher = monitors.length === 0 ? undefined : all(monitors)
    const watchers = monitors.filter(watchesRib)
    this.#watched.rib.watch(watchers.length === 0 ? undefined : eachOf(watchers))
    await Promise.all(gone.map((monitor) => monitor.close()))
  }
}

/** Tells each of them. */
const all = (monitors: readonly Monitor[]): SessionWatcher => ({
  stateChanged: (neighbor, from, to) => {
    for (const it of monitors) it.stateChanged?.(neighbor, from, to)
  },
  sessionBegan: (neighbor) => {
    for (const it of monitors) it.sessionBegan?.(neighbor)
  },
  sessionEnded: (neighbor, ending) => {
    for (const it of monitors) it.sessionEnded?.(neighbor, ending)
  },
  update: (neighbor, buffer, start, end) => {
    for (const it of monitors) it.update?.(neighbor, buffer, start, end)
  },
  endOfRib: (neighbor, family) => {
    for (const it of monitors) it.endOfRib?.(neighbor, family)
  },
})

const watchesRib = (monitor: Monitor): monitor is Monitor & RibWatcher =>
  monitor.pathChanged !== undefined && monitor.bestChanged !== undefined

/** The hot path: one watcher is called by itself. */
function eachOf(watchers: readonly RibWatcher[]): RibWatcher {
  if (watchers.length === 1) return watchers[0]
  return {
    pathChanged: (family, peer, prefix, pathId, judged) => {
      for (const it of watchers) it.pathChanged(family, peer, prefix, pathId, judged)
    },
    bestChanged: (family, prefix) => {
      for (const it of watchers) it.bestChanged(family, prefix)
    },
  }
}
