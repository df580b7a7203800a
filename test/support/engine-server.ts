/**
 * A container engine for tests: the three endpoints of Docker's API that discovery asks. What it has are the bodies that a real one would send; what it was asked is kept.
 */
import { createServer, type RequestListener, type Server, type ServerResponse } from 'node:http'
import type { ListenOptions, Socket } from 'node:net'

export interface EngineNetworkBody {
  readonly Id: string
  readonly [field: string]: unknown
}

/** What of a container the engine filters by, beside the body. */
export interface EngineContainerBody {
  readonly Id: string
  readonly [field: string]: unknown
}

export class EngineServer {
  networks: EngineNetworkBody[] = []
  containers: EngineContainerBody[] = []
  /** Path and query of each request, decoded. */
  readonly asked: string[] = []
  /** It takes requests and answers nothing, as when stopped. */
  silent = false
  /** Instead of any answer. */
  failure: { readonly status: number; readonly body: string } | undefined
  readonly #server: Server
  readonly #sockets = new Set<Socket>()
  readonly #streams = new Set<ServerResponse>()

  constructor() {
    const answer: RequestListener = (request, response) => {
      const url = new URL(request.url ?? '/', 'http://engine')
      this.asked.push(`${url.pathname}${decodeURIComponent(url.search)}`)
      this.#answer(url, response)
    }
    this.#server = createServer(answer)
    this.#server.on('connection', (socket) => {
      this.#sockets.add(socket)
      socket.on('close', () => this.#sockets.delete(socket))
    })
  }

  listen(where: ListenOptions): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject)
      this.#server.listen(where, resolve)
    })
  }

  /** Streams of events that are open. */
  get listeners(): number {
    return this.#streams.size
  }

  /** Sends text to all who listen to events. */
  send(text: string): void {
    for (const stream of this.#streams) stream.write(text)
  }

  /** Breaks all connections. */
  cut(): void {
    for (const socket of this.#sockets) socket.destroy()
  }

  close(): Promise<void> {
    this.cut()
    return new Promise((resolve) => this.#server.close(() => resolve()))
  }

  #answer(url: URL, response: ServerResponse): void {
    if (this.silent) return
    if (this.failure !== undefined) {
      response.writeHead(this.failure.status, { 'content-type': 'application/json' })
      return void response.end(this.failure.body)
    }
    if (url.pathname === '/events') {
      response.writeHead(200, { 'content-type': 'application/json' }).flushHeaders()
      this.#streams.add(response)
      response.on('close', () => this.#streams.delete(response))
      return
    }
    const filters = JSON.parse(url.searchParams.get('filters') ?? '{}') as { id?: string[] }
    const all = url.pathname === '/networks' ? this.networks : this.containers
    const wanted = all.filter(({ Id }) => filters.id?.includes(Id) ?? true)
    response.writeHead(200, { 'content-type': 'application/json' })
    response.end(JSON.stringify(wanted))
  }
}
