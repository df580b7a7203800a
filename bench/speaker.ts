/** The least of a BGP speaker: opens a session, sends what it is given, counts what it hears. */
import { connect, type Socket } from 'node:net'

export interface SpeakerOptions {
  readonly local: string
  readonly remote: string
  readonly port: number
  readonly asn: number
  /** Default: IPv4 only. */
  readonly families?: 'both'
}

const MARKER = Array.from({ length: 16 }, () => 0xff)

export class BenchSpeaker {
  readonly #socket: Socket
  #pending: Buffer = Buffer.alloc(0)
  announced = 0
  withdrawn = 0
  onCount: (() => void) | undefined
  onEstablished: (() => void) | undefined
  readonly established: Promise<void>

  constructor(options: SpeakerOptions) {
    let up = (): void => undefined
    this.established = new Promise((resolve) => (up = resolve))
    this.#socket = connect({
      host: options.remote,
      port: options.port,
      localAddress: options.local,
      noDelay: true,
    })
    this.#socket.on('connect', () => this.#socket.write(open(options)))
    this.#socket.on('data', (chunk) => this.#received(chunk, up))
    this.#socket.on('error', (error) =>
      process.stderr.write(`${options.local}: ${error.message}\n`),
    )
  }

  send(bytes: Uint8Array): void {
    this.#socket.write(bytes)
  }

  close(): void {
    this.#socket.destroy()
  }

  #received(chunk: Buffer, up: () => void): void {
    const bytes = this.#pending.length > 0 ? Buffer.concat([this.#pending, chunk]) : chunk
    let at = 0
    while (at + 19 <= bytes.length) {
      const length = (bytes[at + 16] << 8) | bytes[at + 17]
      if (at + length > bytes.length) break
      const type = bytes[at + 18]
      if (type === 1) this.#socket.write(keepalive())
      else if (type === 4) up()
      else if (type === 2) this.#count(bytes, at + 19, at + length)
      else if (type === 3)
        process.stderr.write(`NOTIFICATION ${bytes[at + 19]}/${bytes[at + 20]}\n`)
      at += length
    }
    this.#pending = Buffer.from(bytes.subarray(at))
    this.onCount?.()
  }

  #count(bytes: Buffer, start: number, end: number): void {
    const withdrawnEnd = start + 2 + ((bytes[start] << 8) | bytes[start + 1])
    for (let at = start + 2; at < withdrawnEnd; this.withdrawn++) at += 1 + ((bytes[at] + 7) >> 3)
    let at = withdrawnEnd + 2 + ((bytes[withdrawnEnd] << 8) | bytes[withdrawnEnd + 1])
    for (; at < end; this.announced++) at += 1 + ((bytes[at] + 7) >> 3)
  }
}

const keepalive = (): Buffer => Buffer.from([...MARKER, 0, 19, 4])

function open({ asn, local, families }: SpeakerOptions): Buffer {
  const multiprotocol = (afi: number): number[] => [1, 4, 0, afi, 0, 1]
  const capabilities = [
    ...multiprotocol(1),
    ...(families === 'both' ? multiprotocol(2) : []),
    ...[2, 0],
    ...[65, 4, asn >>> 24, (asn >> 16) & 255, (asn >> 8) & 255, asn & 255],
  ]
  const parameters = [2, capabilities.length, ...capabilities]
  const body = [
    4,
    asn >> 8,
    asn & 255,
    0,
    240,
    ...local.split('.').map(Number),
    parameters.length,
    ...parameters,
  ]
  return Buffer.from([...MARKER, 0, 19 + body.length, 1, ...body])
}
