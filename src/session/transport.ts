/**
 * What a session needs of TCP. `linux/tcp` implements it on real sockets, tests with plain arrays.
 *
 * A Connection is one TCP connection, up or coming up. It pushes bytes as they arrive until `pause`;
 * in the other direction it is pulled: `write` says whether more is welcome now, `drained` when it is
 * again. Nothing here knows BGP.
 */
import type { Address } from '../net/address.ts'

export interface Endpoint {
  readonly address: Address
  readonly port: number
}

export const TCP_AO_ALGORITHMS = ['hmac-sha1', 'cmac-aes128', 'hmac-sha256'] as const

/** A master key of TCP-AO; the far side has the same one with the ids the other way round. */
export interface TcpAoKey {
  /** In the segments that we send, 0..255. */
  readonly sendId: number
  /** In those of the far side. */
  readonly receiveId: number
  readonly algorithm: (typeof TCP_AO_ALGORITHMS)[number]
  readonly key: string
}

/** Socket options that a peer's configuration sets, for both directions of opening. */
export interface SocketOptions {
  /** Source address; default: the kernel's choice. */
  readonly localAddress?: Address
  /** SO_BINDTODEVICE. */
  readonly bindDevice?: string
  /** TCP MD5 key (RFC 2385). */
  readonly password?: string
  /** TCP-AO keys (RFC 5925), the preferred one first; never together with `password`. */
  readonly tcpAo?: readonly TcpAoKey[]
  /** Outgoing TTL or hop limit: 1 to a neighbour on the same link, more for multihop. Default: 1 for eBGP. */
  readonly ttl?: number
  /** GTSM (RFC 5082): drop segments that came with a lower TTL than this; sends with 255. */
  readonly minimumTtl?: number
}

export interface ConnectOptions extends SocketOptions {
  readonly remote: Endpoint
}

/** Why a connection is over: `end` the far side closed it, `reset`, or the operating system's words. */
export interface CloseReason {
  readonly code: 'end' | 'reset' | 'refused' | 'timeout' | 'unreachable' | 'local' | 'error'
  /** For people: `connect ECONNREFUSED 10.0.1.1:179`. */
  readonly text: string
}

export interface ConnectionEvents {
  /** The handshake is done (active side only; an accepted connection is up when it is handed over). */
  opened(): void
  /** Bytes arrived; they may change once this returns. */
  received(chunk: Uint8Array): void
  /** `write` had returned false; the socket takes bytes again. */
  drained(): void
  /** Told exactly once, whoever closed it; nothing follows. */
  closed(reason: CloseReason): void
}

export interface Connection {
  readonly remote: Endpoint
  /** Known once opened; from the operating system as soon as it has called. */
  readonly local: Endpoint | undefined
  /** True when it came in through a listener. */
  readonly incoming: boolean
  /** Who hears of this connection from now on; an accepted one is silent until this is called. */
  listen(events: ConnectionEvents): void
  /** Queues bytes; false when the queue is full enough that the caller should wait for `drained`. */
  write(bytes: Uint8Array): boolean
  /** Sends several buffers in one system call where possible; as `write`. */
  writeAll(parts: readonly Uint8Array[]): boolean
  pause(): void
  resume(): void
  /**
   * Takes over the options of its peer: of an accepted connection when it is known whose it is, of any
   * when they change. A new key counts at once for both directions; what is lost until the far side has
   * it too is sent again. Where the operating system refuses, the connection is over.
   */
  configure(options: SocketOptions): void
  /** Over when bytes stay unacknowledged, or the window closed, for this long (RFC 793's user timeout); 0: never. */
  setUserTimeout(milliseconds: number): void
  /** Sends what is queued, then closes (FIN). */
  close(): void
  /** Drops what is queued and closes at once (RST). */
  abort(): void
}

export interface Transport {
  /** Starts a connection; errors, also immediate ones, come through `closed`. */
  connect(options: ConnectOptions, events: ConnectionEvents): Connection
}
