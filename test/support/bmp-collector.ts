/**
 * A BMP station of the test's own making: listens, remembers what it hears, and keeps the tables that
 * follow from it, as any collector does.
 */
import { createServer, type Server, type Socket } from 'node:net'
import { readBmp, type BmpHeader, type BmpMessage } from './bmp-messages.ts'
import type { HeardRoute } from './bgp-messages.ts'

export class BmpCollector {
  readonly port: number
  /** All messages of the present connection but routes, or those too with `keepRoutes`. */
  readonly messages: BmpMessage[] = []
  /** Prefixes by view and peer: `pre 10.0.1.2`, `post 10.0.1.2`, `locRib`. */
  readonly tables = new Map<string, Map<string, HeardRoute>>()
  /** End-of-RIB markers by the same names. */
  readonly endOfRibs = new Map<string, number>()
  connections = 0
  connected = false
  routes = 0
  readonly #server: Server
  #socket: Socket | undefined
  #pending: Buffer = Buffer.alloc(0)

  private constructor(server: Server, port: number) {
    this.#server = server
    this.port = port
    server.on('connection', (socket) => this.#arrived(socket))
  }

  /** Listens on an address of the namespace that the test is in. */
  static async listen(address: string, port = 11019): Promise<BmpCollector> {
    const server = createServer({ pauseOnConnect: true })
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject)
      server.listen(port, address, resolve)
    })
    return new BmpCollector(server, port)
  }

  /** Reads on, or takes no more bytes. */
  reading = true

  stopReading(): void {
    this.reading = false
    this.#socket?.pause()
  }

  goOn(): void {
    this.reading = true
    this.#socket?.resume()
  }

  hangUp(): void {
    this.#socket?.resetAndDestroy()
  }

  async close(): Promise<void> {
    this.hangUp()
    await new Promise((resolve) => this.#server.close(resolve))
  }

  of<K extends BmpMessage['kind']>(kind: K): Extract<BmpMessage, { kind: K }>[] {
    return this.messages.filter((it): it is Extract<BmpMessage, { kind: K }> => it.kind === kind)
  }

  /** The prefixes of a table, sorted. */
  prefixes(table: string): string[] {
    return [...(this.tables.get(table)?.keys() ?? [])].toSorted()
  }

  #arrived(socket: Socket): void {
    this.#socket = socket
    this.connections++
    this.connected = true
    this.messages.length = 0
    this.tables.clear()
    this.endOfRibs.clear()
    this.#pending = Buffer.alloc(0)
    socket.on('data', (chunk) => this.#received(chunk))
    socket.on('error', () => undefined) // 'close' follows
    socket.on('close', () => {
      if (this.#socket === socket) this.connected = false
    })
    if (this.reading) socket.resume()
  }

  #received(chunk: Buffer): void {
    const bytes = this.#pending.length > 0 ? Buffer.concat([this.#pending, chunk]) : chunk
    const { messages, used } = readBmp(bytes)
    this.#pending = Buffer.from(bytes.subarray(used))
    for (const message of messages) {
      if (message.kind === 'route') this.#route(message)
      else {
        this.messages.push(message)
        if (message.kind === 'peerDown') this.#forget(message.header)
      }
    }
  }

  #route({
    header,
    announced,
    withdrawn,
    route,
    endOfRib,
  }: Extract<BmpMessage, { kind: 'route' }>) {
    const name = tableOf(header)
    this.routes += announced.length
    if (endOfRib) this.endOfRibs.set(name, (this.endOfRibs.get(name) ?? 0) + 1)
    const table = this.tables.get(name) ?? new Map<string, HeardRoute>()
    this.tables.set(name, table)
    for (const prefix of withdrawn) table.delete(prefix)
    for (const prefix of announced) table.set(prefix, route)
  }

  /** RFC 7854 section 4.9: a Peer Down withdraws everything. */
  #forget({ address }: BmpHeader): void {
    this.tables.delete(`pre ${address}`)
    this.tables.delete(`post ${address}`)
  }
}

const tableOf = ({ type, postPolicy, address }: BmpHeader): string =>
  type === 'locRib' ? 'locRib' : `${postPolicy ? 'post' : 'pre'} ${address}`
