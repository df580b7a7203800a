/**
 * A cache that speaks RPKI-RTR, written from RFC 8210 (and RFC 6810 for version 0) with bytes of its own, so that
 * it does not share mistakes with the client under test. It knows a list of VRPs and what changed with each serial.
 */
import { concat } from './update-builder.ts'

/** `10.0.0.0/8-24 65001` */
export type VrpText = string

interface Edition {
  readonly serial: number
  readonly vrps: readonly VrpText[]
}

export interface RtrCacheOptions {
  readonly version?: 0 | 1
  readonly sessionId?: number
  readonly timers?: readonly [refresh: number, retry: number, expire: number]
}

export class RtrCache {
  readonly #version: number
  readonly #timers: readonly [number, number, number]
  sessionId: number
  /** The last one is in use; the earlier ones are what clients may still have. */
  #editions: Edition[] = [{ serial: 1, vrps: [] }]
  readonly #sessions = new Set<(bytes: Uint8Array) => void>()
  /** What clients asked, in words. */
  readonly asked: string[] = []

  constructor({ version = 1, sessionId = 7, timers = [3600, 600, 7200] }: RtrCacheOptions = {}) {
    this.#version = version
    this.#timers = timers
    this.sessionId = sessionId
  }

  get #now(): Edition {
    return this.#editions.at(-1) ?? { serial: 1, vrps: [] }
  }

  /** Knows these from now on; tells clients that there is news unless `quiet`. */
  publish(vrps: readonly VrpText[], quiet = false): void {
    this.#editions.push({ serial: this.#now.serial + 1, vrps })
    if (quiet) return
    for (const send of this.#sessions) send(this.#pdu(0, this.sessionId, u32(this.#now.serial)))
  }

  /** Has forgotten what it knew before. */
  forget(): void {
    this.#editions = [this.#now]
  }

  /** A client has connected; the function takes what it sends. */
  serve(send: (bytes: Uint8Array) => void): (bytes: Uint8Array) => void {
    this.#sessions.add(send)
    return (bytes) => {
      for (let at = 0; at + 8 <= bytes.length;) {
        const view = new DataView(bytes.buffer, bytes.byteOffset + at)
        this.#answer(view, send)
        at += view.getUint32(4)
      }
    }
  }

  leave(send: (bytes: Uint8Array) => void): void {
    this.#sessions.delete(send)
  }

  #answer(query: DataView, send: (bytes: Uint8Array) => void): void {
    const [version, type] = [query.getUint8(0), query.getUint8(1)]
    if (version > this.#version && type !== 10) {
      this.asked.push(`version ${version}`)
      // Error Report, Unsupported Protocol Version, repeating the PDU.
      const wrong = new Uint8Array(query.buffer, query.byteOffset, query.getUint32(4))
      send(this.#pdu(10, 4, Uint8Array.of(...u32(wrong.length), ...wrong, ...u32(0))))
      return
    }
    if (type === 2) {
      this.asked.push('reset query')
      this.#tell(
        send,
        this.#now.vrps.map((vrp) => this.#prefix(vrp, true)),
      )
    } else if (type === 1) {
      const serial = query.getUint32(8)
      this.asked.push(`serial query ${serial}`)
      const known = this.#editions.find((it) => it.serial === serial)
      if (query.getUint16(2) !== this.sessionId || known === undefined) send(this.#pdu(8, 0))
      else {
        const [before, after] = [new Set(known.vrps), new Set(this.#now.vrps)]
        this.#tell(send, [
          ...[...before].filter((it) => !after.has(it)).map((it) => this.#prefix(it, false)),
          ...[...after].filter((it) => !before.has(it)).map((it) => this.#prefix(it, true)),
        ])
      }
    } else if (type === 10) this.asked.push(`error report ${query.getUint16(2)}`)
  }

  #tell(send: (bytes: Uint8Array) => void, prefixes: readonly Uint8Array[]): void {
    const timers = this.#version === 0 ? [] : this.#timers.flatMap((it) => [...u32(it)])
    const end = Uint8Array.of(...u32(this.#now.serial), ...timers)
    send(concat(this.#pdu(3, this.sessionId), ...prefixes, this.#pdu(7, this.sessionId, end)))
  }

  #prefix(text: VrpText, announced: boolean): Uint8Array {
    const match = /^(\S+)\/(\d+)-(\d+) (\d+)$/.exec(text)
    if (match === null) throw new Error(`not a VRP: ${text}`)
    const [, address = '', length, most, asn] = match
    const bytes = address.includes(':') ? ipv6(address) : address.split('.').map(Number)
    const head = [announced ? 1 : 0, Number(length), Number(most), 0]
    const body = Uint8Array.of(...head, ...bytes, ...u32(Number(asn)))
    return this.#pdu(bytes.length === 4 ? 4 : 6, 0, body)
  }

  #pdu(type: number, field: number, body: Uint8Array = new Uint8Array(0)): Uint8Array {
    const length = u32(8 + body.length)
    return Uint8Array.of(this.#version, type, field >> 8, field & 0xff, ...length, ...body)
  }
}

const u32 = (value: number): Uint8Array =>
  Uint8Array.of(value >>> 24, value >>> 16, value >>> 8, value)

function ipv6(text: string): number[] {
  const [head = '', tail = ''] = text.split('::')
  const groups = (part: string): number[] =>
    part === '' ? [] : part.split(':').map((it) => Number.parseInt(it, 16))
  const [first, last] = [groups(head), groups(tail)]
  const zeros = Array.from({ length: 8 - first.length - last.length }, () => 0)
  return [...first, ...zeros, ...last].flatMap((group) => [group >> 8, group & 0xff])
}
