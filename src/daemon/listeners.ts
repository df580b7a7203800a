/**
 * The sockets that peers connect to, and who gets a connection that comes in.
 *
 * A connection belongs to the neighbour with its source address. From anybody else it is closed at once,
 * which costs next to nothing, and counted; the log hears of an address once a minute at most.
 */
import { applyOptions } from '../linux/tcp.ts'
import { listen, ListenError, type Listener } from '../linux/tcp-listener.ts'
import type { Clock } from '../net/clock.ts'
import type { Connection, Endpoint } from '../session/transport.ts'
import type { Events } from './events.ts'
import type { Neighbor } from './neighbor.ts'
import { socketOptions } from './peer-options.ts'

const endpointText = ({ address, port }: Endpoint): string =>
  address.family === 'ipv6' ? `[${address.text}]:${port}` : `${address.text}:${port}`

const TELL_AGAIN_MS = 60_000
/** Addresses remembered for that; more of them share the silence. */
const MOST_TOLD = 1024

export class Listeners {
  readonly #neighbors: () => Iterable<Neighbor>
  readonly #events: Events
  readonly #clock: Clock
  readonly #open = new Map<string, Listener>()
  readonly #toldAt = new Map<string, number>()
  #refused = 0

  constructor(neighbors: () => Iterable<Neighbor>, events: Events, clock: Clock) {
    this.#neighbors = neighbors
    this.#events = events
    this.#clock = clock
  }

  /** Connections from addresses that are no peer's. */
  get refused(): number {
    return this.#refused
  }

  /**
   * Opens and closes listeners as configured; `setPasswords` must follow. Throws a ListenError, with
   * those listening that did before.
   */
  open(endpoints: readonly Endpoint[]): void {
    const wanted = new Map(endpoints.map((endpoint) => [endpointText(endpoint), endpoint]))
    const before = [...this.#open.values()].map(({ local }) => local)
    // An address can't be taken while 0.0.0.0 is held, nor the other way round: the old ones go first.
    for (const text of this.#open.keys()) if (!wanted.has(text)) this.#close(text)
    try {
      for (const [text, endpoint] of wanted) if (!this.#open.has(text)) this.#listen(text, endpoint)
    } catch (error) {
      const had = new Set(before.map(endpointText))
      for (const text of this.#open.keys()) if (!had.has(text)) this.#close(text)
      for (const endpoint of before) {
        if (!this.#open.has(endpointText(endpoint))) this.#listen(endpointText(endpoint), endpoint)
      }
      this.setPasswords()
      throw error
    }
  }

  #listen(text: string, endpoint: Endpoint): void {
    try {
      this.#open.set(text, listen(endpoint, { onConnection: (it) => this.#arrived(it) }))
    } catch (error) {
      if (!(error instanceof ListenError) || error.code !== 'EAFNOSUPPORT') throw error
      const { family } = endpoint.address
      this.#tell('warn', 'ListenerRefused', `${text}: this kernel has no ${family}`)
    }
  }

  #close(text: string): void {
    this.#open.get(text)?.close()
    this.#open.delete(text)
  }

  /** Gives all listeners the keys of all peers. */
  setPasswords(): void {
    for (const neighbor of this.#neighbors()) this.setPassword(neighbor)
  }

  setPassword({ config: { address, password } }: Neighbor): void {
    for (const listener of this.#open.values()) {
      if (listener.local.address.family !== address.family) continue
      if (password === undefined) listener.removePassword(address)
      else listener.setPassword(address, password.reveal())
    }
  }

  close(): void {
    for (const listener of this.#open.values()) listener.close()
    this.#open.clear()
  }

  #arrived(connection: Connection): void {
    const { text } = connection.remote.address
    for (const neighbor of this.#neighbors()) {
      if (neighbor.config.address.text !== text) continue
      applyOptions(connection, socketOptions(neighbor.config))
      neighbor.peer.accept(connection)
      return
    }
    connection.abort()
    this.#refused++
    const now = this.#clock.now()
    const toldAt = this.#toldAt.get(text)
    if (toldAt !== undefined && now - toldAt < TELL_AGAIN_MS) return
    if (this.#toldAt.size >= MOST_TOLD) return
    this.#toldAt.set(text, now)
    this.#tell(
      'warn',
      'StrangerRefused',
      `${text} connected and is no peer of ours: add it under peers:, or ask who it is`,
    )
  }

  #tell(level: 'warn', kind: string, text: string): void {
    this.#events.tell({ level, topic: 'peers', kind, text })
  }
}
