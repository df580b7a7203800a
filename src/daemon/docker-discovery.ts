/**
 * Discovery by Docker's API (`advertise.docker`), put together: the engine that is watched, the source
 * that announces what it has, and the words about it for people.
 */
import type { Config, DockerConfig } from '../config/config.ts'
import type { Clock, Timer } from '../net/clock.ts'
import { DockerSource } from '../sources/docker.ts'
import type { ConnectEngine, EngineView } from '../sources/docker-engine.ts'
import type { ReadCommunity } from '../sources/docker-labels.ts'
import type { HostView } from '../sources/source.ts'
import { formatCommunity, parseCommunity } from '../wire/attributes/communities.ts'
import { formatLargeCommunity, parseLargeCommunity } from '../wire/attributes/large-communities.ts'
import { EngineWatch } from './engine-watch.ts'
import type { Events, Level } from './events.ts'

/** How long a start waits for an engine that does not answer. */
const FIRST_LOOK_MS = 3_000

export class DockerDiscovery {
  readonly source: DockerSource
  readonly #connect: ConnectEngine
  readonly #clock: Clock
  readonly #events: Events
  #config: DockerConfig | undefined
  #watch: EngineWatch | undefined
  #problem: string | undefined

  constructor(connect: ConnectEngine, host: HostView, events: Events, clock: Clock) {
    this.#connect = connect
    this.#clock = clock
    this.#events = events
    this.source = new DockerSource(host, ({ level, text }) =>
      this.#tell(level, 'DockerRemark', text),
    )
  }

  /** Why the engine can't be heard, with the remedy. */
  get problem(): string | undefined {
    return this.#problem
  }

  /** Resolves when the engine was looked at, or does not answer soon; it is watched from then on. */
  async configure(config: Config['advertise']['docker']): Promise<void> {
    const before = this.#config
    this.#config = config
    this.source.configure(config && { ...config, readCommunity })
    if (config === undefined) return this.close()
    if (before !== undefined && watchKey(before) === watchKey(config)) return
    this.#watch?.close()
    const containers = config.containers !== false
    const watch = new EngineWatch(
      this.#connect,
      { endpoint: config.endpoint, containers },
      this.#clock,
      {
        seen: (view) => this.#seen(view),
        missed: ({ message }) => this.#missed(message),
        gaveUp: () => this.source.miss('lost'),
      },
    )
    this.#watch = watch
    await this.#atMost(FIRST_LOOK_MS, watch.start())
  }

  close(): void {
    this.#watch?.close()
    this.#watch = undefined
    this.#problem = undefined
  }

  async #atMost(milliseconds: number, work: Promise<void>): Promise<void> {
    let timer: Timer | undefined
    const timeout = new Promise<void>((resolve) => {
      timer = this.#clock.after(milliseconds, resolve)
    })
    await Promise.race([work, timeout])
    timer?.cancel()
  }

  #seen(view: EngineView): void {
    if (this.#problem !== undefined) this.#tell('info', 'DockerFound', 'Docker answers')
    this.#problem = undefined
    this.source.show(view)
  }

  /** Told once, and tried again. */
  #missed(why: string): void {
    const text = `Docker's networks are not followed: ${why}`
    if (text !== this.#problem) this.#tell('warn', 'DockerMissed', text)
    this.#problem = text
    this.source.miss('away')
  }

  #tell(level: Level, kind: string, text: string): void {
    this.#events.tell({ level, topic: 'sources', kind, text })
  }
}

/** What can't change under one watch. */
const watchKey = ({ endpoint, containers }: DockerConfig): string =>
  JSON.stringify([endpoint, containers !== false])

const readCommunity: ReadCommunity = (text) => {
  const community = parseCommunity(text)
  if (community !== undefined) return { text: formatCommunity(community), large: false }
  const large = parseLargeCommunity(text)
  return large === undefined ? undefined : { text: formatLargeCommunity(large), large: true }
}
