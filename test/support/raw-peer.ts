/**
 * A peer made of bytes, for a speaker in memory: it takes the connection, says exactly what the test tells
 * it to, and keeps what it hears. It brings a session up by itself unless told to be `mute`.
 */
import type { Address } from '../../src/net/address.ts'
import { address } from '../../src/net/address.ts'
import type { Connection } from '../../src/session/transport.ts'
import {
  KEEPALIVE,
  message,
  NOTIFICATION,
  OPEN,
  readUpdate,
  u16,
  u32,
  UPDATE,
  type HeardRoute,
} from './bgp-messages.ts'
import type { MemoryNetwork } from './memory-transport.ts'

export interface RawPeerOptions {
  readonly address: string
  readonly asn: number
  /** Capabilities of its OPEN. Default: IPv4, IPv6, four-octet AS numbers. */
  readonly capabilities?: readonly number[]
  /** Default: 90. */
  readonly holdTimeSeconds?: number
  /** Takes connections and says nothing by itself. */
  readonly mute?: boolean
}

export interface HeardMessage {
  readonly type: number
  readonly body: Uint8Array
}

export interface HeardNotification {
  readonly code: number
  readonly subcode: number
  readonly data: Uint8Array
}

const HEADER = 19

export const IPV4_UNICAST: readonly number[] = [1, 4, 0, 1, 0, 1]
export const IPV6_UNICAST: readonly number[] = [1, 4, 0, 2, 0, 1]
export const ROUTE_REFRESH: readonly number[] = [2, 0]
/** IPv4 unicast with next hops of IPv6 (RFC 8950). */
export const EXTENDED_NEXT_HOP: readonly number[] = [5, 6, 0, 1, 0, 1, 0, 2]
export const EXTENDED_MESSAGE: readonly number[] = [6, 0]
/** Sends several paths of a prefix, of both families (RFC 7911). */
export const SENDS_PATHS: readonly number[] = [69, 8, 0, 1, 1, 2, 0, 2, 1, 2]
export const fourOctetAs = (asn: number): readonly number[] => [65, 4, ...u32(asn)]

/** The body of an OPEN with all its capabilities in one parameter. */
export function openBody(
  { address: own, asn, holdTimeSeconds = 90 }: RawPeerOptions,
  capabilities: readonly number[],
): number[] {
  const parameters = [2, capabilities.length, ...capabilities]
  const twoOctets = u16(asn > 0xffff ? 23_456 : asn)
  return [
    4,
    ...twoOctets,
    ...u16(holdTimeSeconds),
    ...address(own).bytes,
    parameters.length,
  ].concat(parameters)
}

export class RawPeer {
  readonly options: RawPeerOptions
  readonly address: Address
  /** All messages of the present connection, oldest first. */
  readonly heard: HeardMessage[] = []
  readonly notifications: HeardNotification[] = []
  /** What was announced to it and not withdrawn, in this session. */
  readonly routes = new Map<string, HeardRoute>()
  /** Sessions that came up. */
  sessions = 0
  established = false
  /** Says nothing more by itself. */
  silent = false
  /** Takes no connections. */
  away = false
  /** A connection is there. */
  connected = false
  #connection: Connection | undefined
  #pending = new Uint8Array(0)

  constructor(network: MemoryNetwork, options: RawPeerOptions) {
    this.options = options
    this.address = address(options.address)
    network.listen(this.address, (connection) => this.#adopt(connection))
  }

  get open(): Uint8Array {
    const { asn } = this.options
    const usual = [...IPV4_UNICAST, ...IPV6_UNICAST, ...fourOctetAs(asn)]
    return message(OPEN, openBody(this.options, this.options.capabilities ?? usual))
  }

  send(...chunks: readonly Uint8Array[]): void {
    for (const chunk of chunks) this.#connection?.write(chunk)
  }

  /** Ends the connection without a word. */
  hangUp(): void {
    this.#connection?.abort()
  }

  #adopt(connection: Connection): void {
    if (this.away) return connection.abort()
    this.#connection = connection
    this.#pending = new Uint8Array(0)
    this.heard.length = 0
    this.connected = true
    connection.listen({
      opened: () => {},
      received: (chunk) => this.#received(chunk),
      drained: () => {},
      closed: () => this.#closed(connection),
    })
    if (this.options.mute !== true) this.send(this.open)
  }

  #closed(connection: Connection): void {
    if (connection !== this.#connection) return
    this.#connection = undefined
    this.connected = false
    this.established = false
    this.routes.clear()
  }

  #received(chunk: Uint8Array): void {
    const bytes = Uint8Array.from([...this.#pending, ...chunk])
    let at = 0
    while (at + HEADER <= bytes.length) {
      const end = at + ((bytes[at + 16] << 8) | bytes[at + 17])
      if (end > bytes.length) break
      this.#take(bytes[at + 18], bytes.subarray(at + HEADER, end))
      at = end
    }
    this.#pending = bytes.slice(at)
  }

  #take(type: number, body: Uint8Array): void {
    this.heard.push({ type, body })
    if (type === NOTIFICATION) {
      this.notifications.push({ code: body[0], subcode: body[1], data: body.subarray(2) })
    } else if (type === UPDATE) this.#update(body)
    else if (this.options.mute !== true && !this.silent) this.#answer(type)
  }

  /** A KEEPALIVE for each of the speaker's, and for its OPEN. */
  #answer(type: number): void {
    this.send(message(KEEPALIVE))
    if (type !== KEEPALIVE || this.established) return
    this.established = true
    this.sessions++
  }

  #update(body: Uint8Array): void {
    const { withdrawn, announced, route } = readUpdate(body)
    for (const prefix of withdrawn) this.routes.delete(prefix)
    for (const prefix of announced) this.routes.set(prefix, route)
  }
}
