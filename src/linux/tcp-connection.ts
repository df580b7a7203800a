/**
 * One TCP connection as the session sees it (session/transport.ts), on a socket of Node's.
 *
 * Node's socket is kept quiet where it would act on its own: the far side's FIN ends the whole
 * connection, because half a BGP session is none; and `closed` is always told later than the call that
 * caused it, exactly once. `close` lets the last words (a NOTIFICATION) arrive: FIN, then what still
 * comes in is thrown away until the far side closes as well. Closing at once would turn unread input
 * into a RST, which destroys the words on their way.
 *
 * All connections are read into one buffer, which Node would otherwise make anew for each read: 64 KiB that wait for
 * the next garbage collection, and bring it about.
 */
import { Socket, type TcpSocketConnectOpts } from 'node:net'
import { parseAddress } from '../net/address.ts'
import type {
  CloseReason,
  Connection,
  ConnectionEvents,
  Endpoint,
  SocketOptions,
} from '../session/transport.ts'
import { goOnWithKeys } from './tcp-ao.ts'
import { setPassword, setPeerOptions, setUserTimeout } from './tcp-options.ts'
import { closeReason } from './tcp-reason.ts'

/** What was read last, until whoever hears of it returns. */
const $read = new Uint8Array(64 * 1024)

/** Bytes that a connection queues before it says "enough": a few dozen full UPDATEs. */
const SEND_QUEUE_BYTES = 256 * 1024

/** How long `close` waits for the far side to take the last bytes and to close as well. */
const LINGER_MS = 3000

const CLOSED_BY_US: CloseReason = { code: 'local', text: 'closed by us' }

/** `fresh`: nobody listens yet; `closing`: we said goodbye and wait; `closed`: told. */
type Phase = 'fresh' | 'live' | 'closing' | 'closed'

export class TcpConnection implements Connection {
  readonly remote: Endpoint
  readonly incoming: boolean
  readonly #socket: Socket
  #options: SocketOptions
  #local: Endpoint | undefined
  #events: ConnectionEvents | undefined
  #phase: Phase = 'fresh'
  #paused = false
  #reason: CloseReason | undefined
  #timer: NodeJS.Timeout | undefined
  #lastLook: NodeJS.Immediate | undefined

  /** Takes the descriptor over: accepted, or about to connect; undefined when it could not be had. */
  constructor(
    fd: number | undefined,
    remote: Endpoint,
    incoming: boolean,
    options: SocketOptions = {},
  ) {
    const settings = {
      ...(fd === undefined ? {} : { fd }),
      // An accepted connection is silent until `listen`.
      manualStart: true,
      readable: true,
      writable: true,
      writableHighWaterMark: SEND_QUEUE_BYTES,
      onread: {
        buffer: $read,
        callback: (length: number) => this.#heard($read.subarray(0, length)),
      },
    }
    const socket = new Socket(settings)
    this.#socket = socket
    this.remote = remote
    this.incoming = incoming
    this.#options = options
    if (incoming) this.#called()
    socket.on('connect', this.#onConnect)
    socket.on('drain', this.#onDrain)
    socket.on('end', this.#onEnd)
    socket.on('error', this.#onError)
    socket.on('close', this.#onClose)
  }

  get local(): Endpoint | undefined {
    return this.#local
  }

  connect(to: TcpSocketConnectOpts): void {
    this.#socket.connect(to)
    // Node calls at the end of this turn.
    process.nextTick(() => this.#called())
  }

  /** The kernel has given it an address of ours; Node forgets that with a connection that fails. */
  #called(): void {
    this.#local = localEndpoint(this.#socket)
  }

  listen(events: ConnectionEvents): void {
    this.#events = events
    if (this.#phase === 'closed') {
      // It went before anybody cared; the news is told to the first who does.
      const reason = this.#reason ?? CLOSED_BY_US
      process.nextTick(() => events.closed(reason))
      return
    }
    if (this.#phase !== 'fresh') return
    this.#phase = 'live'
    if (this.#paused || !this.incoming) return
    this.#readOn()
  }

  /** The first `read` begins at once; what `resume` alone begins later, a `pause` in between would not stop. */
  #readOn(): void {
    this.#socket.read(0)
    this.#socket.resume()
  }

  write(bytes: Uint8Array): boolean {
    return this.#writable && this.#socket.write(bytes)
  }

  writeAll(parts: readonly Uint8Array[]): boolean {
    if (!this.#writable) return false
    if (parts.length === 1) return this.#socket.write(parts[0])
    this.#socket.cork()
    for (const part of parts) this.#socket.write(part)
    this.#socket.uncork()
    return !this.#socket.writableNeedDrain
  }

  pause(): void {
    this.#paused = true
    if (this.#phase !== 'closing') this.#socket.pause()
  }

  resume(): void {
    this.#paused = false
    if (this.#phase === 'live') this.#readOn()
  }

  close(): void {
    if (!this.#writable) return
    this.#phase = 'closing'
    this.#reason = CLOSED_BY_US
    if (this.#socket.connecting) {
      this.#socket.destroy()
      return
    }
    this.startTimer(LINGER_MS, CLOSED_BY_US)
    this.#socket.end()
    this.#readOn() // or the far side's FIN is never seen
  }

  abort(): void {
    if (this.#phase === 'closed') return
    this.#reason ??= CLOSED_BY_US
    this.#phase = 'closing'
    if (this.#socket.connecting) this.#socket.destroy()
    else this.#socket.resetAndDestroy()
  }

  /**
   * Gives up with `reason` unless something happens within `milliseconds`. What waits in the kernel
   * when the time is up still counts: it may be us who were late.
   */
  startTimer(milliseconds: number, reason: CloseReason): void {
    this.#stopTimer()
    this.#timer = setTimeout(() => {
      this.#lastLook = setImmediate(() => this.fail(reason))
    }, milliseconds)
  }

  #stopTimer(): void {
    clearTimeout(this.#timer)
    clearImmediate(this.#lastLook)
  }

  /** Over, for a reason of our own. */
  fail(reason: CloseReason): void {
    this.#reason ??= reason
    this.#socket.destroy()
  }

  /**
   * The listener has given an accepted connection the key already, unless it came in before the key did:
   * then an MD5 key is asked for from now on, and for TCP-AO it is too late.
   */
  configure(options: SocketOptions): void {
    const { address } = this.remote
    const before = this.#options
    this.#options = options
    this.#change((fd) => {
      setPeerOptions(fd, address.family, options)
      if (options.password !== undefined || before.password !== undefined)
        setPassword(fd, address, options.password ?? '')
      goOnWithKeys(fd, address, before.tcpAo ?? [], options.tcpAo ?? [])
    })
  }

  setUserTimeout(milliseconds: number): void {
    this.#change((fd) => setUserTimeout(fd, milliseconds))
  }

  #change(set: (fd: number) => void): void {
    const fd = descriptorOf(this.#socket)
    if (fd === undefined) return
    try {
      set(fd)
    } catch (error) {
      if (!(error instanceof Error)) throw error
      this.fail(closeReason(error, this.remote, this.#options))
    }
  }

  get #writable(): boolean {
    return (this.#phase === 'live' || this.#phase === 'fresh') && !this.#socket.destroyed
  }

  readonly #onConnect = (): void => {
    this.#stopTimer()
    if (this.#phase === 'live') this.#events?.opened()
  }

  /** True: go on. */
  #heard(chunk: Uint8Array): boolean {
    if (this.#phase === 'live') this.#events?.received(chunk)
    return true
  }

  readonly #onDrain = (): void => {
    if (this.#phase === 'live') this.#events?.drained()
  }

  readonly #onEnd = (): void => {
    this.#reason ??= { code: 'end', text: `${describeEndpoint(this.remote)} closed the connection` }
    this.#socket.destroy()
  }

  readonly #onError = (error: Error): void => {
    this.#reason ??= closeReason(error, this.remote, this.#options)
  }

  readonly #onClose = (): void => {
    this.#stopTimer()
    if (this.#phase === 'closed') return
    this.#phase = 'closed'
    this.#reason ??= CLOSED_BY_US
    this.#events?.closed(this.#reason)
  }
}

/** `10.0.1.1:179`, `[2001:db8::1]:179`. */
export const describeEndpoint = (endpoint: Endpoint): string =>
  endpoint.address.family === 'ipv4'
    ? `${endpoint.address.text}:${endpoint.port}`
    : `[${endpoint.address.text}]:${endpoint.port}`

/** The file descriptor under a socket or server of Node's; undefined when it is closed. */
export function descriptorOf(owner: object): number | undefined {
  const handle: unknown = Reflect.get(owner, '_handle')
  if (typeof handle !== 'object' || handle === null || !('fd' in handle)) return undefined
  return typeof handle.fd === 'number' && handle.fd >= 0 ? handle.fd : undefined
}

function localEndpoint(socket: Socket): Endpoint | undefined {
  const address = parseAddress(socket.localAddress ?? '')
  return address === undefined ? undefined : { address, port: socket.localPort ?? 0 }
}
