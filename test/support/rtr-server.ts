/** The cache of rtr-cache.ts on a TCP port of a lab host. */
import { createServer, type Server, type Socket } from 'node:net'
import type { LabHost } from './lab-host.ts'
import { withinNetworkOf } from './network-namespace.ts'
import { RtrCache } from './rtr-cache.ts'

export class RtrServer {
  readonly cache = new RtrCache()
  readonly #sockets = new Set<Socket>()
  readonly #server: Server

  private constructor(host: LabHost, port: number) {
    this.#server = createServer((socket) => this.#arrived(socket))
    // Without an address to look up the socket is made at once, and so in the host's namespace.
    withinNetworkOf(host.pid, () => this.#server.listen(port))
  }

  static async listen(host: LabHost, port: number): Promise<RtrServer> {
    const it = new RtrServer(host, port)
    if (!it.#server.listening)
      await new Promise((resolve, reject) => {
        it.#server.once('listening', resolve)
        it.#server.once('error', reject)
      })
    return it
  }

  close(): void {
    for (const socket of this.#sockets) socket.destroy()
    this.#server.close()
  }

  #arrived(socket: Socket): void {
    this.#sockets.add(socket)
    const send = (bytes: Uint8Array): void => void socket.write(bytes)
    const take = this.cache.serve(send)
    let pending = Buffer.alloc(0)
    socket.on('data', (chunk) => {
      pending = Buffer.concat([pending, chunk])
      while (pending.length >= 8 && pending.length >= pending.readUInt32BE(4)) {
        const length = pending.readUInt32BE(4)
        take(Uint8Array.from(pending.subarray(0, length)))
        pending = pending.subarray(length)
      }
    })
    socket.on('error', () => undefined) // 'close' follows
    socket.on('close', () => {
      this.cache.leave(send)
      this.#sockets.delete(socket)
    })
  }
}
