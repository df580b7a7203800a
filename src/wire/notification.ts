/**
 * NOTIFICATION (RFC 4271 4.5): why a session ends, and for the operator at the other end, in words
 * (RFC 9003).
 */
import { familyOfAfi, SAFI_UNICAST, type FamilyFacts } from '../net/family.ts'
import { decodeUtf8, encodeUtf8 } from '../net/utf8.ts'
import {
  ADMINISTRATIVE_RESET,
  ADMINISTRATIVE_SHUTDOWN,
  describeError,
  ERROR_CEASE,
  HARD_RESET,
  HEADER_LENGTH,
  MAXIMUM_PREFIXES_REACHED,
  MAX_MESSAGE_LENGTH,
  NOTIFICATION,
} from './constants.ts'
import { encodeMessage } from './message.ts'

export interface Notification {
  readonly code: number
  readonly subcode: number
  readonly data: Uint8Array
}

/** Bytes of UTF-8 that a shutdown text may have (RFC 9003 section 2: one length octet). */
const MAX_TEXT_BYTES = 255
const MAX_DATA_BYTES = MAX_MESSAGE_LENGTH - HEADER_LENGTH - 2

/** Reads the body `bytes[start..end)`, which the framer guarantees to have two bytes. Copies the data. */
export function decodeNotification(bytes: Uint8Array, start: number, end: number): Notification {
  return { code: bytes[start], subcode: bytes[start + 1], data: bytes.slice(start + 2, end) }
}

/** The whole message; data beyond what fits into 4096 bytes is cut. */
export function encodeNotification(notification: Notification): Uint8Array {
  const data = notification.data.subarray(0, MAX_DATA_BYTES)
  const body = new Uint8Array(2 + data.length)
  body[0] = notification.code
  body[1] = notification.subcode
  body.set(data, 2)
  return encodeMessage(NOTIFICATION, body)
}

/** The data that carries `text` with a shutdown or reset; what exceeds 255 bytes is cut at a character. */
export function encodeShutdownText(text: string): Uint8Array {
  let utf8 = encodeUtf8(text)
  if (utf8.length > MAX_TEXT_BYTES) {
    let end = MAX_TEXT_BYTES
    while (end > 0 && (utf8[end] & 0xc0) === 0x80) end--
    utf8 = utf8.subarray(0, end)
  }
  const data = new Uint8Array(1 + utf8.length)
  data[0] = utf8.length
  data.set(utf8, 1)
  return data
}

/**
 * The text that came with a Cease for shutdown or reset; undefined when there is none. Control characters
 * are blanked: it goes to a log, and its author is elsewhere (RFC 9003 section 6).
 */
export function shutdownTextOf(notification: Notification): string | undefined {
  const { code, subcode, data } = notification
  const mayHaveText = subcode === ADMINISTRATIVE_SHUTDOWN || subcode === ADMINISTRATIVE_RESET
  if (code !== ERROR_CEASE || !mayHaveText || data.length < 2 || data[0] === 0) return undefined
  if (data[0] > data.length - 1) return undefined
  // oxlint-disable-next-line no-control-regex
  return decodeUtf8(data.subarray(1, 1 + data[0])).replace(/[\u0000-\u001f\u007f-\u009f]/g, ' ')
}

/** The data that says which limit was reached (RFC 4486 section 4): AFI, SAFI, four octets of limit. */
export const encodePrefixLimit = ({ afi }: FamilyFacts, limit: number): Uint8Array =>
  Uint8Array.of(0, afi, SAFI_UNICAST, limit >>> 24, limit >>> 16, limit >>> 8, limit)

const PREFIX_LIMIT_BYTES = 7

/** `ipv4, the limit is 50,000`; undefined when the notification doesn't say. */
function prefixLimitOf({ code, subcode, data }: Notification): string | undefined {
  if (code !== ERROR_CEASE || subcode !== MAXIMUM_PREFIXES_REACHED) return undefined
  if (data.length !== PREFIX_LIMIT_BYTES) return undefined
  const afi = (data[0] << 8) | data[1]
  const family = data[2] === SAFI_UNICAST ? familyOfAfi(afi) : undefined
  const limit = ((data[3] << 24) | (data[4] << 16) | (data[5] << 8) | data[6]) >>> 0
  return `${family ?? `AFI ${afi} SAFI ${data[2]}`}, the limit is ${limit.toLocaleString('en-US')}`
}

/** A Cease that routes do not outlive, between speakers that both let them outlive others (RFC 8538 section 3). */
export const asHardReset = (it: Notification): Notification =>
  it.code !== ERROR_CEASE || it.subcode === HARD_RESET
    ? it
    : {
        code: ERROR_CEASE,
        subcode: HARD_RESET,
        data: Uint8Array.of(it.code, it.subcode, ...it.data),
      }

/** For people: `Cease/Administrative Shutdown: "maintenance until 9"`. */
export function describeNotification(notification: Notification): string {
  const { code, subcode, data } = notification
  if (code === ERROR_CEASE && subcode === HARD_RESET && data.length >= 2) {
    const [innerCode, innerSubcode] = data
    const inner = { code: innerCode, subcode: innerSubcode, data: data.subarray(2) }
    if (innerCode !== ERROR_CEASE || innerSubcode !== HARD_RESET)
      return `${describeNotification(inner)} (hard reset)`
  }
  const error = describeError(notification.code, notification.subcode)
  const text = shutdownTextOf(notification)
  if (text !== undefined) return `${error}: "${text}"`
  const limit = prefixLimitOf(notification)
  return limit === undefined ? error : `${error}: ${limit}`
}
