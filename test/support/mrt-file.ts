/**
 * Reads MRT files by RFC 6396 and RFC 8050, written from their texts and knowing nothing of the code that
 * writes ours: what any daemon dumps becomes plain data that tests can compare.
 */
import { addressFromBytes } from '../../src/net/address.ts'
import { readAttributes, type ReadAttributes } from './bgp-attributes.ts'

export interface MrtPeer {
  readonly routerId: string
  readonly address: string
  readonly asn: number
}

export type MrtRecord = { readonly seconds: number; readonly microseconds?: number } & (
  | {
      readonly kind: 'peers'
      readonly collector: string
      readonly view: string
      readonly peers: MrtPeer[]
    }
  | {
      readonly kind: 'rib'
      readonly sequence: number
      readonly prefix: string
      readonly entries: readonly {
        readonly peer: number
        readonly since: number
        readonly pathId?: number
        readonly attributes: ReadAttributes
      }[]
    }
  | {
      readonly kind: 'message'
      readonly session: MrtSession
      readonly addPath: boolean
      /** The whole BGP message. */
      readonly message: Uint8Array
    }
  | {
      readonly kind: 'state'
      readonly session: MrtSession
      readonly from: string
      readonly to: string
    }
)

export interface MrtSession {
  readonly peerAsn: number
  readonly localAsn: number
  readonly interfaceIndex: number
  readonly peer: string
  readonly local: string
}

const STATES = ['', 'Idle', 'Connect', 'Active', 'OpenSent', 'OpenConfirm', 'Established']

/** All records of a file; throws when one is cut off, or of a type that no test expects. */
export function readMrt(file: Uint8Array): MrtRecord[] {
  const from = new Cursor(file)
  const records: MrtRecord[] = []
  while (!from.done) {
    const seconds = from.number(4)
    const type = from.number(2)
    const subtype = from.number(2)
    const body = new Cursor(from.take(from.number(4)))
    if (type === 13) records.push({ seconds, ...tableDump(subtype, body) })
    else if (type === 16) records.push({ seconds, ...bgp4mp(subtype, body) })
    else if (type === 17) {
      records.push({ seconds, microseconds: body.number(4), ...bgp4mp(subtype, body) })
    } else throw new Error(`MRT type ${type}`)
    if (!body.done) throw new Error(`MRT record ${type}/${subtype} has bytes left over`)
  }
  return records
}

type Body = Distributive<MrtRecord>
type Distributive<T> = T extends unknown ? Omit<T, 'seconds' | 'microseconds'> : never

function tableDump(subtype: number, body: Cursor): Body {
  switch (subtype) {
    case 1: {
      const collector = body.address(4)
      const view = Buffer.from(body.take(body.number(2))).toString()
      const peers = Array.from({ length: body.number(2) }, () => {
        const type = body.number(1)
        const routerId = body.address(4)
        const address = body.address((type & 1) === 0 ? 4 : 16)
        return { routerId, address, asn: body.number((type & 2) === 0 ? 2 : 4) }
      })
      return { kind: 'peers', collector, view, peers }
    }
    case 2:
      return rib(body, 4, false)
    case 4:
      return rib(body, 16, false)
    case 8:
      return rib(body, 4, true)
    case 10:
      return rib(body, 16, true)
    default:
      throw new Error(`TABLE_DUMP_V2 subtype ${subtype}`)
  }
}

function rib(body: Cursor, width: 4 | 16, addPath: boolean): Body {
  const sequence = body.number(4)
  const length = body.number(1)
  const bytes = new Uint8Array(width)
  bytes.set(body.take((length + 7) >> 3))
  const entries = Array.from({ length: body.number(2) }, () => ({
    peer: body.number(2),
    since: body.number(4),
    ...(addPath ? { pathId: body.number(4) } : {}),
    attributes: readAttributes(body.take(body.number(2)), { reach: 'next hop only' }),
  }))
  return { kind: 'rib', sequence, prefix: `${addressFromBytes(bytes).text}/${length}`, entries }
}

function bgp4mp(subtype: number, body: Cursor): Body {
  const state = subtype === 0 || subtype === 5
  const wide = subtype === 4 || subtype === 5 || subtype === 7 || subtype === 9 || subtype === 11
  const width = wide ? 4 : 2
  const peerAsn = body.number(width)
  const localAsn = body.number(width)
  const interfaceIndex = body.number(2)
  const size = body.number(2) === 1 ? 4 : 16
  const session = {
    ...{ peerAsn, localAsn, interfaceIndex },
    ...{ peer: body.address(size), local: body.address(size) },
  }
  if (!state) {
    return { kind: 'message', session, addPath: subtype >= 8, message: body.take(body.left) }
  }
  const from = STATES[body.number(2)]
  return { kind: 'state', session, from, to: STATES[body.number(2)] }
}

class Cursor {
  readonly #bytes: Uint8Array
  #at = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
  }

  get done(): boolean {
    return this.left === 0
  }

  get left(): number {
    return this.#bytes.length - this.#at
  }

  take(count: number): Uint8Array {
    if (count > this.left) throw new Error(`cut off: ${count} bytes wanted, ${this.left} left`)
    this.#at += count
    return this.#bytes.subarray(this.#at - count, this.#at)
  }

  number(width: 1 | 2 | 4): number {
    return this.take(width).reduce((sum, byte) => sum * 256 + byte, 0)
  }

  address(width: 4 | 16): string {
    return addressFromBytes(this.take(width)).text
  }
}
