/**
 * The sockets that peers connect to, and who gets a connection that comes in.
 *
 * A connection belongs to the neighbour with its source address. From anybody else it is closed at once,
 * which costs next to nothing, and counted; the log hears of an address once a minute at most.
 */
import type { PeerRange } from '../config/config.ts'
import { listen, ListenError, type Listener } from '../linux/tcp-listener.ts'
import type { Address } from '../net/address.ts'
import type { Clock } from '../net/clock.ts'
import type { Connection, Endpoint } from '../session/transport.ts'
import type { Events } from './events.ts'
import type { Neighbor } from './neighbor.ts'
import { signing, socketOptions } from './peer-options.ts'

const endpointText = ({ address, port }: Endpoint): string =>
  address.family === 'ipv6' ? `[${address.text}]:${port}` : `${address.text}:${port}`

const TELL_AGAIN_MS = 60_000
/** Addresses remembered for that; more of them share the silence. */
const MOST_TOLD = 1024
/** Strangers remembered as what a peer may come from. */
const MOST_STRANGERS = 64

/** Who may connect. */
export interface Callers {
  neighbors(): Iterable<Neighbor>
  /** Whose a connection from this address is; undefined for nobody's. */
  ownerOf(address: Address): Neighbor | undefined
  /** Those who call from there sign with one key. */
  ranges(): readonly PeerRange[]
}

export class Listeners {
  readonly #callers: Callers
  readonly #events: Events
  readonly #clock: Clock
  readonly #open = new Map<string, Listener>()
  readonly #toldAt = new Map<string, number>()
  readonly #strangers = new Map<string, { readonly address: Address; readonly at: number }>()
  #refused = 0

  constructor(callers: Callers, events: Events, clock: Clock) {
    this.#callers = callers
    this.#events = events
    this.#clock = clock
  }

  /** Connections from addresses that are no peer's. */
  get refused(): number {
    return this.#refused
  }

  /** Who has connected since then and is no peer: the last few of them. */
  strangersSince(milliseconds: number): Address[] {
    return [...this.#strangers.values()].flatMap(({ address, at }) =>
      at >= milliseconds ? [address] : [],
    )
  }

  /**
   * Opens and closes listeners as configured; `setKeys` must follow. Throws a ListenError, with
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
      this.setKeys()
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

  /** Gives all listeners the keys of all peers, and takes those of others away. */
  setKeys(): void {
    // A peer of a range has the key of that, also before it is known.
    const signers = [
      ...[...this.#callers.neighbors()]
        .filter(({ config }) => config.range === undefined)
        .map(({ address, config }) => ({ peer: address, config })),
      ...this.#callers.ranges().map(({ prefix, peer }) => ({ peer: prefix, config: peer })),
    ]
    const keys = signers.flatMap(({ peer, config }) =>
      peer === undefined || (config.password ?? config.tcpAo) === undefined
        ? []
        : [{ peer, ...signing(config) }],
    )
    for (const listener of this.#open.values()) {
      for (const { key, text } of listener.setKeys(keys)) {
        this.#tell('error', 'KeyRefused', `${key.peer.text} can't connect to us: ${text}`)
      }
    }
  }

  close(): void {
    for (const listener of this.#open.values()) listener.close()
    this.#open.clear()
  }

  #arrived(connection: Connection): void {
    const { address } = connection.remote
    const { text } = address
    const neighbor = this.#callers.ownerOf(address)
    if (neighbor !== undefined) {
      connection.configure(socketOptions(neighbor.config))
      neighbor.peer.accept(connection)
      return
    }
    connection.abort()
    this.#refused++
    const now = this.#clock.now()
    this.#remember(connection.remote.address, now)
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

  #remember(address: Address, at: number): void {
    this.#strangers.delete(address.text)
    const [oldest] = this.#strangers.keys()
    if (this.#strangers.size >= MOST_STRANGERS) this.#strangers.delete(oldest)
    this.#strangers.set(address.text, { address, at })
  }

  #tell(level: 'warn' | 'error', kind: string, text: string): void {
    this.#events.tell({ level, topic: 'peers', kind, text })
  }
}
