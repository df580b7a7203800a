/**
 * The envelope of every message: marker, length, type (RFC 4271 4.1).
 *
 * The wire room turns bytes into values and back. Messages that come once per session (OPEN,
 * NOTIFICATION, ROUTE-REFRESH) become objects here; UPDATEs, which come by the hundred thousand, stay
 * bytes and offsets (`update.ts`, `scan.ts`) unless something about them is irregular. Code points are
 * rows of a table: `attributes/index.ts`, `capabilities/index.ts`.
 */
import { HEADER_LENGTH, KEEPALIVE, MAX_EXTENDED_MESSAGE_LENGTH } from './constants.ts'

/** A whole message around `body`, which must leave it at most 65,535 bytes long. */
export function encodeMessage(type: number, body: Uint8Array): Uint8Array {
  const length = HEADER_LENGTH + body.length
  if (length > MAX_EXTENDED_MESSAGE_LENGTH) throw new RangeError(`a message of ${length} bytes`)
  const message = new Uint8Array(length)
  message.fill(0xff, 0, 16)
  message[16] = length >> 8
  message[17] = length & 0xff
  message[18] = type
  message.set(body, HEADER_LENGTH)
  return message
}

/** The only KEEPALIVE there is (RFC 4271 4.4); shared, never written to. */
export const KEEPALIVE_MESSAGE: Uint8Array = encodeMessage(KEEPALIVE, new Uint8Array(0))
