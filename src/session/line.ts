/**
 * One TCP connection as a conversation holds it: heard as long as it is held, and hung up so that the
 * last words arrive.
 *
 * Hanging up sends what is queued and closes; a peer that then neither reads nor closes is cut off after
 * a grace. From that moment the owner hears nothing more, so a late byte or a late error of an old
 * connection can't be taken for one of the next.
 */
import type { Clock, Timer } from '../net/clock.ts'
import type {
  CloseReason,
  Connection,
  ConnectOptions,
  Endpoint,
  SocketOptions,
  Transport,
} from './transport.ts'

export interface LineOwner {
  opened(): void
  received(chunk: Uint8Array): void
  drained(): void
  /** The other end, or the network, ended it. Not told after `hangUp`. */
  closed(reason: CloseReason): void
}

/** How long a peer has to take its NOTIFICATION. */
const GRACE_MS = 3000

export class Line {
  readonly #clock: Clock
  #owner: LineOwner | undefined
  #connection: Connection | undefined
  #opened = false
  #over = false
  #grace: Timer | undefined

  constructor(clock: Clock, owner: LineOwner) {
    this.#clock = clock
    this.#owner = owner
  }

  /** Takes over a connection that came in. */
  adopt(connection: Connection): void {
    this.#opened = true
    this.#connection = connection
    connection.listen(this.#ear())
  }

  connect(transport: Transport, options: ConnectOptions): void {
    const connection = transport.connect(options, this.#ear())
    this.#connection = connection
    // Hung up by an event that came before `connect` returned.
    if (this.#owner === undefined && !this.#over) connection.abort()
  }

  /** Its two addresses, as far as they are known. */
  get ends(): { readonly local?: Endpoint; readonly remote?: Endpoint } {
    const { local, remote } = this.#connection ?? {}
    return {
      ...(local === undefined ? {} : { local }),
      ...(remote === undefined ? {} : { remote }),
    }
  }

  /** False when the caller should wait for `drained`; the bytes are queued in any case. */
  write(bytes: Uint8Array): boolean {
    return this.#connection?.write(bytes) ?? false
  }

  writeAll(parts: readonly Uint8Array[]): boolean {
    return this.#connection?.writeAll(parts) ?? false
  }

  pause(): void {
    this.#connection?.pause()
  }

  resume(): void {
    this.#connection?.resume()
  }

  configure(options: SocketOptions): void {
    this.#connection?.configure(options)
  }

  setUserTimeout(milliseconds: number): void {
    this.#connection?.setUserTimeout(milliseconds)
  }

  hangUp(): void {
    const connection = this.#connection
    this.#owner = undefined
    if (connection === undefined || this.#over || this.#grace !== undefined) return
    if (!this.#opened) {
      connection.abort()
      return
    }
    this.#grace = this.#clock.after(GRACE_MS, () => connection.abort())
    // Unread bytes would turn our FIN into a RST, which may overtake the NOTIFICATION.
    connection.resume()
    connection.close()
  }

  #ear() {
    return {
      opened: () => {
        this.#opened = true
        this.#owner?.opened()
      },
      // Plain bytes: a subclass such as Node's Buffer means something else by `slice`.
      received: ({ buffer, byteOffset, length }: Uint8Array) =>
        this.#owner?.received(new Uint8Array(buffer, byteOffset, length)),
      drained: () => this.#owner?.drained(),
      closed: (reason: CloseReason) => {
        this.#over = true
        this.#grace?.cancel()
        const owner = this.#owner
        this.#owner = undefined
        owner?.closed(reason)
      },
    }
  }
}
