/**
 * A network in memory: TCP connections between addresses, with everything that a session can meet there,
 * on a clock that the test owns.
 *
 * Bytes take `latencyMs` and arrive in order; a chunk can be cut at any size; a host can refuse,
 * swallow everything (a blackhole) or be cut off; a full queue says so. Every delivery is a timer of the
 * clock, so that nothing happens inside a call of `write`, as with real sockets.
 */
import type { Address } from '../../src/net/address.ts'
import type { Clock, Timer } from '../../src/net/clock.ts'
import type {
  CloseReason,
  Connection,
  ConnectionEvents,
  ConnectOptions,
  Endpoint,
  SocketOptions,
  Transport,
} from '../../src/session/transport.ts'

export interface MemoryNetworkOptions {
  readonly clock: Clock
  /** One way, asked once for each direction of a connection. Default: 1. */
  readonly latencyMs?: () => number
  /** Longest chunk that `received` hands over; default: as it was written. */
  readonly chunkBytes?: number
  /** Queued bytes from which on `write` returns false. */
  readonly queueBytes?: number
}

type Listener = (connection: Connection) => void

export class MemoryNetwork {
  readonly clock: Clock
  readonly latencyMs: () => number
  readonly chunkBytes: number
  readonly queueBytes: number
  readonly #listeners = new Map<string, Listener>()
  readonly #blackholes = new Set<string>()
  #nextPort = 40_000

  constructor(options: MemoryNetworkOptions) {
    this.clock = options.clock
    this.latencyMs = options.latencyMs ?? (() => 1)
    this.chunkBytes = options.chunkBytes ?? Infinity
    this.queueBytes = options.queueBytes ?? 65_536
  }

  /** Accepts connections to `address`, on any port. Returns what ends it. */
  listen(address: Address, accept: Listener): () => void {
    this.#listeners.set(address.text, accept)
    return () => void this.#listeners.delete(address.text)
  }

  /** From now on nothing comes from or to `address`: no answer, no reset; it is lost for good. */
  blackhole(address: Address): void {
    this.#blackholes.add(address.text)
  }

  heal(address: Address): void {
    this.#blackholes.delete(address.text)
  }

  /** The transport of the host that has `address`. */
  transportOf(address: Address): Transport {
    return { connect: (options, events) => this.#connect(address, options, events) }
  }

  /** True when bytes between the two get through. */
  reaches(a: Address, b: Address): boolean {
    return !this.#blackholes.has(a.text) && !this.#blackholes.has(b.text)
  }

  #connect(from: Address, options: ConnectOptions, events: ConnectionEvents): Connection {
    const near: Endpoint = { address: options.localAddress ?? from, port: this.#nextPort++ }
    const here = new MemoryConnection(this, near, options.remote, false)
    here.listen(events)
    here.later(() => {
      const { address, port } = options.remote
      if (!this.reaches(near.address, address)) return
      const accept = this.#listeners.get(address.text)
      if (accept === undefined) {
        const text = `connect ECONNREFUSED ${address.text}:${port}`
        here.end({ code: 'refused', text })
        return
      }
      const there = new MemoryConnection(this, options.remote, near, true)
      here.join(there)
      there.join(here)
      // SYN-ACK before data: the near end is open when the far end's first bytes arrive.
      here.later(() => here.open())
      accept(there)
    })
    return here
  }
}

type Item = Uint8Array | 'fin'

export class MemoryConnection implements Connection {
  readonly remote: Endpoint
  readonly incoming: boolean
  /** As last configured. */
  options: SocketOptions = {}
  userTimeoutMs = 0
  readonly #network: MemoryNetwork
  readonly #near: Endpoint
  /** How long it takes to get here. */
  readonly #latencyMs: number
  readonly #timers = new Set<Timer>()
  readonly #inbox: Item[] = []
  #far: MemoryConnection | undefined
  #events: ConnectionEvents | undefined
  #opened = false
  #over = false
  #finSent = false
  #paused = false
  #queuedBytes = 0
  #full = false

  constructor(network: MemoryNetwork, near: Endpoint, remote: Endpoint, incoming: boolean) {
    this.#network = network
    this.#near = near
    this.remote = remote
    this.incoming = incoming
    this.#opened = incoming
    this.#latencyMs = network.latencyMs()
  }

  get local(): Endpoint | undefined {
    return this.#opened ? this.#near : undefined
  }

  listen(events: ConnectionEvents): void {
    this.#events = events
    this.later(() => this.#deliver())
  }

  write(bytes: Uint8Array): boolean {
    return this.writeAll([bytes])
  }

  writeAll(parts: readonly Uint8Array[]): boolean {
    if (this.#over || this.#finSent) return false
    for (const part of parts) this.#send(part.slice())
    this.#full ||= this.#queuedBytes >= this.#network.queueBytes
    return !this.#full
  }

  pause(): void {
    this.#paused = true
  }

  resume(): void {
    if (!this.#paused) return
    this.#paused = false
    this.later(() => this.#deliver(), 0)
  }

  configure(options: SocketOptions): void {
    this.options = options
  }

  setUserTimeout(milliseconds: number): void {
    this.userTimeoutMs = milliseconds
  }

  close(): void {
    if (this.#over || this.#finSent) return
    this.#finSent = true
    this.#send('fin')
    if (this.#far === undefined) this.end({ code: 'local', text: 'closed' })
  }

  abort(): void {
    if (this.#over) return
    const far = this.#far
    if (far !== undefined && this.#network.reaches(this.#near.address, this.remote.address)) {
      far.later(() => far.end({ code: 'reset', text: 'read ECONNRESET' }))
    }
    this.end({ code: 'local', text: 'aborted' })
  }

  /** For the network: the handshake, the other end, a delivery, the end of it all. */
  join(far: MemoryConnection): void {
    this.#far = far
  }

  open(): void {
    if (this.#over || this.#opened) return
    this.#opened = true
    this.#events?.opened()
  }

  end(reason: CloseReason): void {
    if (this.#over) return
    this.#over = true
    for (const timer of this.#timers) timer.cancel()
    this.#timers.clear()
    this.#network.clock.after(0, () => this.#events?.closed(reason))
  }

  later(act: () => void, milliseconds = this.#latencyMs): void {
    const timer = this.#network.clock.after(milliseconds, () => {
      this.#timers.delete(timer)
      if (!this.#over) act()
    })
    this.#timers.add(timer)
  }

  /** The far end's bytes, or its FIN; paused or not yet listened to, they wait here. */
  take(item: Item): void {
    this.#inbox.push(item)
    this.#deliver()
  }

  /** What the far end took from our queue. */
  taken(bytes: number): void {
    this.#queuedBytes -= bytes
    if (!this.#full || this.#queuedBytes > 0 || this.#over) return
    this.#full = false
    this.#events?.drained()
  }

  #send(item: Item): void {
    const far = this.#far
    if (far === undefined) return
    if (item !== 'fin') this.#queuedBytes += item.length
    far.later(() => {
      if (this.#network.reaches(this.#near.address, this.remote.address)) far.take(item)
    })
  }

  #deliver(): void {
    while (!this.#paused && !this.#over && this.#events !== undefined) {
      const item = this.#inbox.shift()
      if (item === undefined) return
      if (item === 'fin') this.#peerClosed()
      else this.#hand(item)
    }
  }

  #hand(item: Uint8Array): void {
    const size = Math.min(item.length, this.#network.chunkBytes)
    const far = this.#far
    if (size < item.length) this.#inbox.unshift(item.subarray(size))
    far?.later(() => far.taken(size))
    this.#events?.received(item.slice(0, size))
  }

  #peerClosed(): void {
    const far = this.#far
    this.end({ code: 'end', text: 'closed by the other end' })
    far?.later(() => far.end({ code: 'local', text: 'closed' }))
  }
}
