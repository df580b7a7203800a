/**
 * A router of the test's own making: opens a session with the daemon under test and keeps it, remembers
 * what it hears, says what the test tells it to. It calls again after a session has ended, until closed.
 */
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import {
  endOfRib,
  KEEPALIVE,
  message,
  NOTIFICATION,
  OPEN,
  open,
  readUpdate,
  UPDATE,
  type HeardRoute,
} from './bgp-messages.ts'
import { until } from './until.ts'

export interface BgpPeerOptions {
  /** Our end; also the router id, when it is IPv4. */
  readonly local: string
  readonly remote: string
  readonly asn: number
  readonly routerId?: string
  readonly holdTimeSeconds?: number
  readonly families?: readonly ('ipv4' | 'ipv6')[]
  /** Said at the beginning of each session, before End-of-RIB. */
  readonly routes?: readonly Uint8Array[]
  /** Only counts routes: for a million of them. */
  readonly countOnly?: boolean
}

export interface ReceivedNotification {
  readonly code: number
  readonly subcode: number
  readonly text: string
}

const CALL_AGAIN_MS = 50

export class BgpPeer {
  readonly options: BgpPeerOptions
  /** What the daemon has announced and not withdrawn, in this session. */
  readonly heard = new Map<string, HeardRoute>()
  readonly notifications: ReceivedNotification[] = []
  announcedCount = 0
  withdrawnCount = 0
  endOfRibs = 0
  /** Sessions that came up. */
  sessions = 0
  /** The longest time without a word from the daemon, in this session. */
  longestSilenceMs = 0
  established = false
  onUpdate: (() => void) | undefined
  #socket: Socket | undefined
  #pending: Buffer = Buffer.alloc(0)
  #timer: NodeJS.Timeout | undefined
  #again: NodeJS.Timeout | undefined
  #closed = false
  #silent = false
  #heardAt = 0

  constructor(options: BgpPeerOptions) {
    this.options = options
    this.#call()
  }

  /** Resolves when the session is up. */
  async up(): Promise<this> {
    const what = `${this.options.local} has a session with ${this.options.remote}`
    await until(what, () => this.established)
    return this
  }

  send(...messages: readonly Uint8Array[]): void {
    for (const bytes of messages) this.#socket?.write(bytes)
  }

  /** Sends as fast as the daemon takes it; others of this process are heard in between. */
  async sendAll(messages: Iterable<Uint8Array>): Promise<void> {
    for (const bytes of messages) {
      const socket = this.#socket
      if (socket === undefined || socket.destroyed) throw new Error('the connection is gone')
      if (!socket.write(bytes)) await once(socket, 'drain')
      else await new Promise((resolve) => setImmediate(resolve))
    }
  }

  /** Takes no byte from now on; the connection stays. */
  stopReading(): void {
    this.#socket?.pause()
  }

  /** No KEEPALIVE from now on, as if frozen; the connection stays. */
  fallSilent(): void {
    this.#silent = true
    clearInterval(this.#timer)
  }

  /** For good, without a word: what the kernel does for a process that is killed. */
  close(): void {
    this.#closed = true
    clearTimeout(this.#again)
    this.#socket?.resetAndDestroy()
    this.#ended()
  }

  #call(): void {
    const { local, remote } = this.options
    const socket = connect({ host: remote, port: 179, localAddress: local, noDelay: true })
    this.#socket = socket
    this.#pending = Buffer.alloc(0)
    socket.on('connect', () => this.send(this.#open()))
    socket.on('data', (chunk) => this.#received(chunk))
    socket.on('error', () => undefined) // 'close' follows
    socket.on('close', () => {
      this.#ended()
      if (!this.#closed) this.#again = setTimeout(() => this.#call(), CALL_AGAIN_MS)
    })
  }

  #open(): Uint8Array {
    const { asn, local, routerId = local, holdTimeSeconds = 90, families = ['ipv4'] } = this.options
    return open({ asn, routerId, holdTimeSeconds, families })
  }

  #ended(): void {
    clearInterval(this.#timer)
    this.established = false
    this.heard.clear()
  }

  #received(chunk: Buffer): void {
    const now = performance.now()
    if (this.established)
      this.longestSilenceMs = Math.max(this.longestSilenceMs, now - this.#heardAt)
    this.#heardAt = now
    const bytes = this.#pending.length > 0 ? Buffer.concat([this.#pending, chunk]) : chunk
    let at = 0
    while (at + 19 <= bytes.length) {
      const end = at + bytes.readUInt16BE(at + 16)
      if (end > bytes.length) break
      this.#take(bytes[at + 18], bytes.subarray(at + 19, end))
      at = end
    }
    this.#pending = Buffer.from(bytes.subarray(at))
  }

  #take(type: number, body: Uint8Array): void {
    if (type === OPEN) this.send(message(KEEPALIVE))
    else if (type === KEEPALIVE) this.#alive()
    else if (type === UPDATE) this.#updated(body)
    else if (type === NOTIFICATION) {
      const [code = 0, subcode = 0, length = 0] = body
      const text = Buffer.from(body.subarray(3, 3 + length)).toString()
      this.notifications.push({ code, subcode, text })
    }
  }

  #alive(): void {
    if (this.established) return
    this.established = true
    this.sessions++
    this.send(...(this.options.routes ?? []))
    for (const family of this.options.families ?? ['ipv4']) this.send(endOfRib(family))
    const { holdTimeSeconds = 90 } = this.options
    if (holdTimeSeconds === 0 || this.#silent) return
    this.#timer = setInterval(() => this.send(message(KEEPALIVE)), (holdTimeSeconds * 1000) / 3)
  }

  #updated(body: Uint8Array): void {
    if (this.options.countOnly === true) this.#count(body)
    else {
      const { withdrawn, announced, route, endOfRib: ended } = readUpdate(body)
      for (const prefix of withdrawn) this.heard.delete(prefix)
      for (const prefix of announced) this.heard.set(prefix, route)
      this.announcedCount += announced.length
      this.withdrawnCount += withdrawn.length
      if (ended) this.endOfRibs++
    }
    this.onUpdate?.()
  }

  #count(body: Uint8Array): void {
    const withdrawnEnd = 2 + ((body[0] << 8) | body[1])
    for (let at = 2; at < withdrawnEnd; this.withdrawnCount++) at += 1 + ((body[at] + 7) >> 3)
    let at = withdrawnEnd + 2 + ((body[withdrawnEnd] << 8) | body[withdrawnEnd + 1])
    for (; at < body.length; this.announcedCount++) at += 1 + ((body[at] + 7) >> 3)
  }
}
