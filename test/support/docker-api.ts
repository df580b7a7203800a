/**
 * Docker's API from the side of a test: what the `docker` command does, without the time that its start
 * takes, and a wire to the engine that can be cut. Sockets in a box are reached through its first process.
 */
import { rmSync } from 'node:fs'
import { request } from 'node:http'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { join } from 'node:path'
import type { DockerBox } from './docker-box.ts'

/** The path of a file in the box, as seen from outside. */
export const inBox = (box: DockerBox, file: string): string => join(`/proc/${box.pid}/root`, file)

/** Calls the engine on `socketPath`; rejects with what it says when it refuses. */
export function callDocker(
  socketPath: string,
  method: 'GET' | 'POST' | 'DELETE',
  path: string,
  body?: unknown,
): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const headers = { 'content-type': 'application/json' }
    const call = request({ socketPath, method, path, headers }, (response) => {
      let text = ''
      response.setEncoding('utf8')
      response.on('data', (chunk: string) => (text += chunk))
      response.on('end', () => {
        const { statusCode = 0 } = response
        if (statusCode >= 400) reject(new Error(`${method} ${path}: ${statusCode} ${text}`))
        else resolve(text === '' ? undefined : JSON.parse(text))
      })
    })
    call.on('error', reject)
    call.end(body === undefined ? undefined : JSON.stringify(body))
  })
}

/** Does `work` for 0 to `count` - 1, some at a time. */
export async function forEachOf(
  count: number,
  work: (i: number) => Promise<unknown>,
): Promise<void> {
  let next = 0
  const worker = async (): Promise<void> => {
    while (next < count) await work(next++)
  }
  await Promise.all(Array.from({ length: AT_ONCE }, worker))
}

/** More only wait for each other in the engine. */
const AT_ONCE = 4

/** A second socket of an engine, which can be taken away with all connections through it. */
export class EngineWire {
  readonly #path: string
  readonly #engine: string
  readonly #sockets = new Set<Socket>()
  #server: Server | undefined

  /** Both as seen from outside. */
  constructor(path: string, engine: string) {
    this.#path = path
    this.#engine = engine
  }

  open(): Promise<void> {
    rmSync(this.#path, { force: true })
    const server = createServer((socket) => {
      const onward = connect(this.#engine)
      for (const it of [socket, onward]) {
        this.#sockets.add(it)
        it.on('error', () => it.destroy())
        it.on('close', () => {
          this.#sockets.delete(it)
          socket.destroy()
          onward.destroy()
        })
      }
      socket.pipe(onward).pipe(socket)
    })
    this.#server = server
    return new Promise((resolve, reject) => {
      server.once('error', reject)
      server.listen(this.#path, resolve)
    })
  }

  async cut(): Promise<void> {
    const server = this.#server
    this.#server = undefined
    if (server === undefined) return
    const closed = new Promise<void>((resolve) => server.close(() => resolve()))
    for (const it of this.#sockets) it.destroy()
    await closed
  }
}
