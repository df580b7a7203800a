/**
 * The least of a BGP speaker: opens a session, sends what it is given, and keeps what it hears for later.
 *
 * While the clock runs it only takes the bytes and notes when they came: hundreds of them in one process must not be
 * what the daemon waits for. `take` reads them afterwards.
 */
import { connect, type Socket } from 'node:net'

export interface SpeakerOptions {
  readonly local: string
  readonly remote: string
  readonly port: number
  readonly asn: number
  /** Default: IPv4 only. */
  readonly families?: 'both' | 'ipv4' | 'ipv6'
}

const MARKER = Array.from({ length: 16 }, () => 0xff)
const KEEPALIVE = Buffer.from([...MARKER, 0, 19, 4])
const HOLD_SECONDS = 240
const [OPEN, UPDATE, NOTIFICATION, KEEPALIVE_TYPE] = [1, 2, 3, 4]

export class BenchSpeaker {
  readonly local: string
  readonly established: Promise<void>
  /** When the last bytes came. */
  lastHeard = 0
  /** Hears of each UPDATE as it comes; for latencies, where few do. */
  onUpdate: ((message: Buffer, at: number) => void) | undefined
  readonly #socket: Socket
  readonly #keepalives: NodeJS.Timeout
  /** What came and was not read yet. */
  #chunks: { readonly bytes: Buffer; readonly at: number }[] = []
  #rest: Buffer = Buffer.alloc(0)
  #isUp = false
  #up: () => void = () => {}
  #failed: (error: Error) => void = () => {}

  constructor(options: SpeakerOptions) {
    const { local, remote, port } = options
    this.local = local
    this.established = new Promise((resolve, reject) => {
      this.#up = resolve
      this.#failed = reject
    })
    this.#socket = connect({ host: remote, port, localAddress: local, noDelay: true })
    this.#socket.on('connect', () => this.#socket.write(open(options)))
    this.#socket.on('data', (bytes) => this.#received(bytes))
    this.#socket.on('error', (error) => this.#failed(new Error(`${local}: ${error.message}`)))
    this.#socket.on('close', () => this.#failed(new Error(`${local}: closed by the other side`)))
    this.#keepalives = setInterval(
      () => {
        if (this.#isUp) this.#socket.write(KEEPALIVE)
      },
      (HOLD_SECONDS / 4) * 1000,
    )
  }

  send(bytes: Uint8Array): void {
    this.#socket.write(bytes)
  }

  close(): void {
    clearInterval(this.#keepalives)
    this.#socket.destroy()
  }

  /** Hands over each UPDATE that came since the last time, with the time when it did. */
  take(each: (update: Buffer, at: number) => void): void {
    const chunks = this.#chunks
    this.#chunks = []
    for (const { bytes, at } of chunks) {
      this.#messages(bytes, (message) => {
        if (message[18] === UPDATE) each(message, at)
      })
    }
  }

  #received(bytes: Buffer): void {
    const at = performance.now()
    this.lastHeard = at
    if (this.#isUp && this.onUpdate === undefined) {
      this.#chunks.push({ bytes, at })
      return
    }
    this.#messages(bytes, (message) => {
      const type = message[18]
      if (type === OPEN) this.#socket.write(KEEPALIVE)
      else if (type === KEEPALIVE_TYPE) this.#establish()
      else if (type === UPDATE && this.onUpdate !== undefined) this.onUpdate(message, at)
      else if (type === UPDATE) this.#chunks.push({ bytes: Buffer.from(message), at })
      else if (type === NOTIFICATION) {
        this.#failed(new Error(`${this.local}: NOTIFICATION ${message[19]}/${message[20]}`))
      }
    })
  }

  #establish(): void {
    this.#isUp = true
    this.#up()
  }

  /** Calls `each` with every whole message; what is left waits for more. */
  #messages(chunk: Buffer, each: (message: Buffer) => void): void {
    const bytes = this.#rest.length > 0 ? Buffer.concat([this.#rest, chunk]) : chunk
    let at = 0
    while (at + 19 <= bytes.length) {
      const end = at + ((bytes[at + 16] << 8) | bytes[at + 17])
      if (end > bytes.length) break
      each(bytes.subarray(at, end))
      at = end
    }
    this.#rest = bytes.subarray(at)
  }
}

function open({ asn, local, families = 'ipv4' }: SpeakerOptions): Buffer {
  const multiprotocol = (afi: number): number[] => [1, 4, 0, afi, 0, 1]
  const capabilities = [
    ...(families === 'ipv6' ? [] : multiprotocol(1)),
    ...(families === 'ipv4' ? [] : multiprotocol(2)),
    ...[2, 0],
    ...[65, 4, asn >>> 24, (asn >> 16) & 255, (asn >> 8) & 255, asn & 255],
  ]
  const parameters = [2, capabilities.length, ...capabilities]
  const body = [
    ...[4, asn >> 8, asn & 255, 0, HOLD_SECONDS],
    ...local.split('.').map(Number),
    ...[parameters.length, ...parameters],
  ]
  return Buffer.from([...MARKER, 0, 19 + body.length, OPEN, ...body])
}
