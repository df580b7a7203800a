/**
 * Watches one container engine: keeps a view of what it has, through restarts of the engine and lost events.
 *
 * Events only say which network or container has changed; what it is now, a list tells that asks for
 * those by name. While one list is under way events pile up, so a burst of 500 costs two or three calls,
 * each as large as what changed. Changes are listened for before everything is listed, and everything is
 * listed again after each break and on a slow timer: events are a hint, lists are the truth.
 *
 * The truth can be late: Docker tells that a container has died or was paused before its lists say so
 * (20.10; in between it unmounts and takes the network apart). So these are listed again a bit later.
 */
import type { Clock, Timer } from '../net/clock.ts'
import {
  EngineError,
  type ConnectEngine,
  type EngineConnection,
  type EngineContainer,
  type EngineEndpoint,
  type EngineNetwork,
  type EngineObject,
  type EngineView,
} from '../sources/docker-engine.ts'

export interface EngineWatchEvents {
  /** The view is as the engine says now. */
  seen(view: EngineView): void
  /** The engine can't be heard; it is called again. */
  missed(why: EngineError): void
  /** It has been away for longer than a restart takes. */
  gaveUp(): void
}

/** What to ask for by name, at most; beyond that, for everything. */
const MOST_BY_NAME = 50
/** When a container is listed again after an event that may come before the truth. */
const LIST_LATE_MS = [100, 1_000]
/** From one list of everything to the next. */
const LIST_AGAIN_MS = 60_000
/** Wait before calling again; doubled up to the longest. */
const FIRST_WAIT_MS = 100
const LONGEST_WAIT_MS = 5_000
/** A connection that lasted this long was a good one. */
const GOOD_CONNECTION_MS = 10_000
/** How long a restart of the engine may take. */
const RESTART_MS = 30_000

/** Those that have changed since they were listed. */
class Pending {
  all = true
  readonly network = new Set<string>()
  readonly container = new Set<string>()

  get isEmpty(): boolean {
    return !this.all && this.network.size + this.container.size === 0
  }

  get isLarge(): boolean {
    return this.all || Math.max(this.network.size, this.container.size) > MOST_BY_NAME
  }
}

export class EngineWatch {
  readonly #connect: ConnectEngine
  readonly #endpoint: EngineEndpoint
  readonly #containers: boolean
  readonly #clock: Clock
  readonly #events: EngineWatchEvents
  #connection: EngineConnection | undefined
  /** The attempt or connection that counts; what others bring late is nobody's. */
  #current: object = {}
  #connectedAt = 0
  #waitMs = FIRST_WAIT_MS
  #pending = new Pending()
  #looking: object | undefined
  readonly #networks = new Map<string, EngineNetwork>()
  readonly #containersById = new Map<string, EngineContainer>()
  /** For containers that are to be listed again, by their ids. */
  readonly #lateTimers = new Map<string, Timer[]>()
  #callTimer: Timer | undefined
  #listTimer: Timer | undefined
  #giveUpTimer: Timer | undefined

  /** `containers`: whether they are of interest. */
  constructor(
    connect: ConnectEngine,
    wanted: { readonly endpoint: EngineEndpoint; readonly containers: boolean },
    clock: Clock,
    events: EngineWatchEvents,
  ) {
    this.#connect = connect
    this.#endpoint = wanted.endpoint
    this.#containers = wanted.containers
    this.#clock = clock
    this.#events = events
  }

  /** Resolves when the engine was seen, or missed, for the first time; rejects never. */
  async start(): Promise<void> {
    const current = (this.#current = {})
    const ifCurrent = (act: () => void): void => {
      if (current === this.#current) act()
    }
    this.#pending = new Pending()
    try {
      const connection = await this.#connect(
        this.#endpoint,
        { containers: this.#containers },
        {
          touched: (object, id, late) => ifCurrent(() => this.#touched(object, id, late)),
          ended: (why) => ifCurrent(() => this.#lose(why)),
        },
      )
      if (current !== this.#current) return connection.close()
      this.#connection = connection
      this.#connectedAt = this.#clock.now()
    } catch (error) {
      return ifCurrent(() => this.#lose(engineError(error)))
    }
    await this.#look()
  }

  close(): void {
    this.#current = {}
    this.#connection?.close()
    this.#connection = undefined
    this.#forgetLate()
    for (const it of [this.#callTimer, this.#listTimer, this.#giveUpTimer]) it?.cancel()
  }

  #touched(object: EngineObject, id: string, late: boolean): void {
    this.#ask(object, id)
    if (!late) return
    for (const it of this.#lateTimers.get(id) ?? []) it.cancel()
    const timers = LIST_LATE_MS.map((milliseconds, i) =>
      this.#clock.after(milliseconds, () => {
        if (i === LIST_LATE_MS.length - 1) this.#lateTimers.delete(id)
        this.#ask(object, id)
      }),
    )
    this.#lateTimers.set(id, timers)
  }

  #ask(object: EngineObject, id: string): void {
    this.#pending[object].add(id)
    void this.#look()
  }

  #forgetLate(): void {
    for (const timers of this.#lateTimers.values()) for (const it of timers) it.cancel()
    this.#lateTimers.clear()
  }

  /** Lists what has changed, until nothing has. */
  async #look(): Promise<void> {
    const connection = this.#connection
    if (connection === undefined || this.#looking === connection) return
    this.#looking = connection
    try {
      while (!this.#pending.isEmpty) {
        const asked = this.#pending
        this.#pending = new Pending()
        this.#pending.all = false
        const apply = await (asked.isLarge
          ? this.#listAll(connection)
          : this.#listSome(connection, asked))
        if (connection !== this.#connection) return
        const isChanged = apply()
        this.#giveUpTimer?.cancel()
        this.#giveUpTimer = undefined
        if (isChanged || asked.all) {
          this.#events.seen({ networks: this.#networks, containers: this.#containersById })
        }
      }
      this.#listAgainLater()
    } catch (error) {
      if (connection === this.#connection) this.#lose(engineError(error))
    } finally {
      if (this.#looking === connection) this.#looking = undefined
    }
  }

  /** What is returned takes the answers over, and says whether anything is another now. */
  async #listAll(connection: EngineConnection): Promise<() => boolean> {
    const [networks, containers] = await Promise.all([
      connection.networks(),
      this.#containers ? connection.containers() : [],
    ])
    return () => {
      const changed = [
        replace(this.#networks, new Set(this.#networks.keys()), networks),
        replace(this.#containersById, new Set(this.#containersById.keys()), containers),
      ]
      return changed.includes(true)
    }
  }

  async #listSome(connection: EngineConnection, asked: Pending): Promise<() => boolean> {
    const [networks, containers] = await Promise.all([
      asked.network.size === 0 ? [] : connection.networks([...asked.network]),
      asked.container.size === 0 ? [] : connection.containers([...asked.container]),
    ])
    return () => {
      const changed = [
        replace(this.#networks, asked.network, networks),
        replace(this.#containersById, asked.container, containers),
      ]
      return changed.includes(true)
    }
  }

  #listAgainLater(): void {
    this.#listTimer ??= this.#clock.after(LIST_AGAIN_MS, () => {
      this.#listTimer = undefined
      this.#pending.all = true
      void this.#look()
    })
  }

  #lose(why: EngineError): void {
    this.#current = {}
    if (this.#connection !== undefined) {
      this.#connection.close()
      this.#connection = undefined
      const lastedMs = this.#clock.now() - this.#connectedAt
      if (lastedMs >= GOOD_CONNECTION_MS) this.#waitMs = FIRST_WAIT_MS
    }
    this.#forgetLate()
    this.#listTimer?.cancel()
    this.#listTimer = undefined
    this.#giveUpTimer ??= this.#clock.after(RESTART_MS, () => this.#events.gaveUp())
    this.#callTimer = this.#clock.after(this.#waitMs, () => void this.start())
    this.#waitMs = Math.min(LONGEST_WAIT_MS, 2 * this.#waitMs)
    this.#events.missed(why)
  }
}

/** Anything else is a bug, and goes to whoever waits. */
function engineError(error: unknown): EngineError {
  if (error instanceof EngineError) return error
  throw error
}

/** Puts what was `found` of those that were `asked` for; what is the same stays the same object. */
function replace<T extends { readonly id: string }>(
  known: Map<string, T>,
  asked: ReadonlySet<string>,
  found: readonly T[],
): boolean {
  const before = known.size
  const ids = new Set(found.map(({ id }) => id))
  for (const id of asked) if (!ids.has(id)) known.delete(id)
  let changed = known.size !== before
  for (const it of found) {
    const old = known.get(it.id)
    if (old !== undefined && JSON.stringify(old) === JSON.stringify(it)) continue
    known.set(it.id, it)
    changed = true
  }
  return changed
}
