/** A container engine in memory: what it has, who is connected, what was asked. */
import {
  EngineError,
  type ConnectEngine,
  type EngineConnection,
  type EngineContainer,
  type EngineEvents,
  type EngineNetwork,
} from '../../src/sources/docker-engine.ts'
import { network } from './engine-view.ts'

/** All promises that can be settled are. */
export const untilIdle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

export class MemoryEngine {
  readonly networks = new Map<string, EngineNetwork>()
  readonly containers = new Map<string, EngineContainer>()
  /** `networks all`, `containers 3`. */
  asked: string[] = []
  /** Why it can't be called. */
  refusal: string | undefined
  /** Why it does not answer. */
  failure: string | undefined
  /** Answers wait while this is set. */
  held: Promise<void> | undefined
  events: EngineEvents | undefined
  calls = 0
  refused = 0
  closed = 0

  readonly connect: ConnectEngine = async (_, __, events) => {
    this.calls++
    if (this.refusal !== undefined) {
      this.refused++
      throw new EngineError(this.refusal)
    }
    this.events = events
    const connection: EngineConnection = {
      networks: (ids) => this.#list('networks', this.networks, ids),
      containers: (ids) => this.#list('containers', this.containers, ids),
      close: () => {
        this.closed++
      },
    }
    return connection
  }

  have(...objects: readonly (EngineNetwork | EngineContainer)[]): void {
    for (const it of objects) {
      if ('endpoints' in it) this.containers.set(it.id, it)
      else this.networks.set(it.id, it)
    }
  }

  /** Connections that are open. */
  get listeners(): number {
    return this.calls - this.refused - this.closed
  }

  /** It hangs up. */
  end(why: string): void {
    this.events?.ended(new EngineError(why))
  }

  /** Bridges of these names, which are their ids. */
  put(...names: readonly string[]): void {
    for (const name of names) this.networks.set(name, network(name, { id: name }))
  }

  /** It tells of these, whatever has become of them. */
  tell(...ids: readonly string[]): void {
    for (const id of ids) this.events?.touched('network', id, false)
  }

  takeAsked(): string[] {
    return this.asked.splice(0)
  }

  async #list<T>(what: string, all: ReadonlyMap<string, T>, ids?: readonly string[]): Promise<T[]> {
    this.asked.push(`${what} ${ids?.length ?? 'all'}`)
    await this.held
    if (this.failure !== undefined) throw new EngineError(this.failure)
    return [...all].filter(([id]) => ids?.includes(id) ?? true).map(([, it]) => it)
  }
}
