/**
 * Watches one container engine: keeps a view of what it has, through restarts of the engine and lost events.
 *
 * Events only say which network or container has changed; what it is now, a list tells that asks for
 * those by name. While one list is under way events pile up, so a burst of 500 costs two or three calls,
 * each as large as what changed. Changes are listened for before everything is listed, and everything is
 * listed again after each break and on a slow timer: events are a hint, lists are the truth.
 *
 * The truth can be late: Docker tells that a container has died or was paused before its lists say so
 * (20.10; in between it unmounts and takes the network apart). So containers are listed again a bit later.
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
/** When a container is listed again after an event. */
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
  #networks = new Map<string, EngineNetwork>()
  #containersById = new Map<string, EngineContainer>()
  /** For containers that are to be listed again. */
  readonly #lateTimers = new Set<Timer>()
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
          touched: (object, id) => ifCurrent(() => this.#touched(object, id)),
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

  #touched(object: EngineObject, id: string): void {
    this.#ask(object, id)
    if (object !== 'container') return
    for (const milliseconds of LIST_LATE_MS) {
      const timer = this.#clock.after(milliseconds, () => {
        this.#lateTimers.delete(timer)
        this.#ask(object, id)
      })
      this.#lateTimers.add(timer)
    }
  }

  #ask(object: EngineObject, id: string): void {
    this.#pending[object].add(id)
    void this.#look()
  }

  #forgetLate(): void {
    for (const it of this.#lateTimers) it.cancel()
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
        apply()
        this.#giveUpTimer?.cancel()
        this.#giveUpTimer = undefined
        this.#events.seen({ networks: this.#networks, containers: this.#containersById })
      }
      this.#listAgainLater()
    } catch (error) {
      if (connection === this.#connection) this.#lose(engineError(error))
    } finally {
      if (this.#looking === connection) this.#looking = undefined
    }
  }

  async #listAll(connection: EngineConnection): Promise<() => void> {
    const [networks, containers] = await Promise.all([
      connection.networks(),
      this.#containers ? connection.containers() : [],
    ])
    return () => {
      this.#networks = new Map(networks.map((it) => [it.id, it]))
      this.#containersById = new Map(containers.map((it) => [it.id, it]))
    }
  }

  async #listSome(connection: EngineConnection, asked: Pending): Promise<() => void> {
    const [networks, containers] = await Promise.all([
      asked.network.size === 0 ? [] : connection.networks([...asked.network]),
      asked.container.size === 0 ? [] : connection.containers([...asked.container]),
    ])
    return () => {
      for (const id of asked.network) this.#networks.delete(id)
      for (const id of asked.container) this.#containersById.delete(id)
      for (const it of networks) this.#networks.set(it.id, it)
      for (const it of containers) this.#containersById.set(it.id, it)
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
