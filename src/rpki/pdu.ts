/**
 * The messages of RPKI-RTR: version 1 (RFC 8210 section 5), and version 0 (RFC 6810), which lacks the timers in
 * End of Data and the router keys.
 *
 *   version u8, type u8, session id or error code or 0 u16, length u32 with the header
 */
import { Reader, Writer } from '../net/bytes.ts'
import { IPV4, IPV6 } from '../net/family.ts'
import { wordsOf } from '../net/address.ts'
import type { Vrp } from './vrp.ts'

export type Version = 0 | 1

export type Pdu =
  | {
      readonly kind: 'serialNotify' | 'serialQuery'
      readonly sessionId: number
      readonly serial: number
    }
  | { readonly kind: 'resetQuery' | 'cacheReset' | 'routerKey' }
  | { readonly kind: 'cacheResponse'; readonly sessionId: number }
  | { readonly kind: 'prefix'; readonly announced: boolean; readonly vrp: Vrp }
  | {
      readonly kind: 'endOfData'
      readonly sessionId: number
      readonly serial: number
      /** Version 1 only. */
      readonly timers?: Timers | undefined
    }
  | { readonly kind: 'errorReport'; readonly code: number; readonly text: string }

/** Seconds (RFC 8210 section 6). */
export interface Timers {
  readonly refresh: number
  readonly retry: number
  readonly expire: number
}

const HEADER = 8
/** Far more than any PDU needs; an error report may repeat one of ours. */
const LONGEST = 64 << 10

const SERIAL_NOTIFY = 0
const SERIAL_QUERY = 1
const RESET_QUERY = 2
const CACHE_RESPONSE = 3
const IPV4_PREFIX = 4
const IPV6_PREFIX = 6
const END_OF_DATA = 7
const CACHE_RESET = 8
const ROUTER_KEY = 9
const ERROR_REPORT = 10

// RFC 8210 section 12.
export const CORRUPT_DATA = 0
export const NO_DATA_AVAILABLE = 2
export const UNSUPPORTED_VERSION = 4
export const UNSUPPORTED_TYPE = 5
export const WITHDRAWAL_OF_UNKNOWN = 6
export const DUPLICATE_ANNOUNCEMENT = 7
export const UNEXPECTED_VERSION = 8

/** What a cache has sent that ends the session, with the code to tell it. */
export class RtrError extends Error {
  readonly code: number
  /** The PDU that is wrong. */
  readonly pdu: Uint8Array

  constructor(code: number, text: string, pdu: Uint8Array = new Uint8Array(0)) {
    super(text)
    this.name = 'RtrError'
    this.code = code
    this.pdu = pdu
  }
}

/** Cuts a stream into PDUs, which stand in it until somebody takes them. */
export class PduStream {
  #bytes = new Uint8Array(0)
  #at = 0

  push(chunk: Uint8Array): void {
    const rest = this.#bytes.subarray(this.#at)
    const bytes = new Uint8Array(rest.length + chunk.length)
    bytes.set(rest)
    bytes.set(chunk, rest.length)
    this.#bytes = bytes
    this.#at = 0
  }

  /** The next whole PDU, or undefined while there is none. Throws an RtrError for an absurd length. */
  take(): Uint8Array | undefined {
    const [bytes, at] = [this.#bytes, this.#at]
    if (bytes.length - at < HEADER) return undefined
    const length = new Reader(bytes, at + 4).u32()
    if (length < HEADER || length > LONGEST) {
      throw new RtrError(CORRUPT_DATA, `a PDU of ${length} bytes`, bytes.slice(at, at + HEADER))
    }
    if (bytes.length - at < length) return undefined
    this.#at = at + length
    return bytes.subarray(at, at + length)
  }
}

export const versionOf = (pdu: Uint8Array): number => pdu[0]

/** Throws an RtrError for what is no PDU of the protocol. */
export function decodePdu(pdu: Uint8Array): Pdu {
  const from = new Reader(pdu)
  const version = from.u8()
  const type = from.u8()
  const field = from.u16()
  from.u32()
  const expect = (length: number): void => {
    if (pdu.length !== length) {
      throw new RtrError(CORRUPT_DATA, `a PDU of type ${type} has ${pdu.length} bytes`, pdu)
    }
  }
  switch (type) {
    case SERIAL_NOTIFY:
    case SERIAL_QUERY: {
      expect(12)
      const kind = type === SERIAL_NOTIFY ? 'serialNotify' : 'serialQuery'
      return { kind, sessionId: field, serial: from.u32() }
    }
    case RESET_QUERY:
    case CACHE_RESET:
      expect(HEADER)
      return { kind: type === RESET_QUERY ? 'resetQuery' : 'cacheReset' }
    case CACHE_RESPONSE:
      expect(HEADER)
      return { kind: 'cacheResponse', sessionId: field }
    case IPV4_PREFIX:
    case IPV6_PREFIX:
      expect(type === IPV4_PREFIX ? 20 : 32)
      return decodePrefix(pdu, from, type)
    case END_OF_DATA: {
      expect(version === 0 ? 12 : 24)
      const serial = from.u32()
      if (version === 0) return { kind: 'endOfData', sessionId: field, serial }
      const timers = { refresh: from.u32(), retry: from.u32(), expire: from.u32() }
      return { kind: 'endOfData', sessionId: field, serial, timers }
    }
    case ROUTER_KEY:
      // For BGPsec, which linnet does not speak.
      return { kind: 'routerKey' }
    case ERROR_REPORT:
      return { kind: 'errorReport', code: field, text: errorText(pdu) }
    default:
      throw new RtrError(UNSUPPORTED_TYPE, `PDU type ${type}`, pdu)
  }
}

function decodePrefix(pdu: Uint8Array, from: Reader, type: number): Pdu {
  const family = type === IPV4_PREFIX ? IPV4 : IPV6
  const announced = (from.u8() & 1) === 1
  const length = from.u8()
  const maxLength = from.u8()
  from.u8()
  const words = wordsOf(from.bytes(4 * family.words))
  const asn = from.u32()
  if (length > maxLength || maxLength > family.bits) {
    throw new RtrError(CORRUPT_DATA, `a prefix of ${length} to ${maxLength} bits`, pdu)
  }
  for (let i = 0; i < words.length; i++) {
    const bits = length - 32 * i
    if (bits < 32) words[i] = bits <= 0 ? 0 : words[i] & (-1 << (32 - bits))
  }
  return { kind: 'prefix', announced, vrp: { family, words, length, maxLength, asn } }
}

function errorText(pdu: Uint8Array): string {
  try {
    const from = new Reader(pdu, HEADER)
    from.bytes(from.u32())
    const text = from.bytes(from.u32())
    return String.fromCharCode(...text.subarray(0, 200)).replace(/[^\x20-\x7e]/g, '?')
  } catch {
    return ''
  }
}

export function encodePdu(version: Version, pdu: Pdu): Uint8Array {
  switch (pdu.kind) {
    case 'serialNotify':
      return encode(version, SERIAL_NOTIFY, pdu.sessionId, (to) => to.u32(pdu.serial))
    case 'serialQuery':
      return encode(version, SERIAL_QUERY, pdu.sessionId, (to) => to.u32(pdu.serial))
    case 'resetQuery':
      return encode(version, RESET_QUERY, 0)
    case 'cacheReset':
      return encode(version, CACHE_RESET, 0)
    case 'routerKey':
      return encode(version, ROUTER_KEY, 0)
    case 'cacheResponse':
      return encode(version, CACHE_RESPONSE, pdu.sessionId)
    case 'prefix': {
      const { family, words, length, maxLength, asn } = pdu.vrp
      const type = family === IPV4 ? IPV4_PREFIX : IPV6_PREFIX
      return encode(version, type, 0, (to) => {
        to.u8(pdu.announced ? 1 : 0)
          .u8(length)
          .u8(maxLength)
          .u8(0)
        for (const word of words) to.u32(word >>> 0)
        to.u32(asn)
      })
    }
    case 'endOfData': {
      const { timers } = pdu
      return encode(version, END_OF_DATA, pdu.sessionId, (to) => {
        to.u32(pdu.serial)
        if (timers !== undefined) to.u32(timers.refresh).u32(timers.retry).u32(timers.expire)
      })
    }
    case 'errorReport':
      return encodeError(version, pdu.code, pdu.text, new Uint8Array(0))
  }
}

/** With the PDU that is wrong, as much of it as fits. */
export const encodeError = (
  version: Version,
  code: number,
  text: string,
  wrong: Uint8Array,
): Uint8Array =>
  encode(version, ERROR_REPORT, code, (to) => {
    const shown = wrong.subarray(0, 1024)
    const words = Uint8Array.from(text.slice(0, 200), (it) => it.charCodeAt(0) & 0x7f)
    to.u32(shown.length).bytes(shown).u32(words.length).bytes(words)
  })

function encode(
  version: Version,
  type: number,
  field: number,
  body: (to: Writer) => unknown = () => undefined,
): Uint8Array {
  const to = new Writer(2048)
  to.u8(version).u8(type).u16(field).u32(0)
  body(to)
  const pdu = to.take()
  pdu[6] = pdu.length >>> 8
  pdu[7] = pdu.length
  return pdu
}
