import { expect, test } from 'vitest'
import { KEEPALIVE_MESSAGE, encodeMessage } from '../../../src/wire/message.ts'
import { decodeRouteRefresh, encodeRouteRefresh } from '../../../src/wire/route-refresh.ts'
import { hex, MARKER, toHex } from './hex.ts'
import { sessionErrorOf } from './session-error.ts'

test('a KEEPALIVE is a header (RFC 4271 4.4)', () => {
  expect(toHex(KEEPALIVE_MESSAGE)).toBe(toHex(hex(`${MARKER} 0013 04`)))
})

test('no message is longer than its length field can say', () => {
  expect(encodeMessage(2, new Uint8Array(65_535 - 19))).toHaveLength(65_535)
  expect(() => encodeMessage(2, new Uint8Array(65_535 - 18))).toThrow(RangeError)
})

const read = (text: string) => {
  const bytes = hex(text)
  return decodeRouteRefresh(bytes, 0, bytes.length)
}

test('golden bytes (RFC 2918 section 3, RFC 7313 section 3.2)', () => {
  expect(toHex(encodeRouteRefresh('ipv6'))).toBe(toHex(hex(`${MARKER} 0017 05 0002 00 01`)))
  expect(toHex(encodeRouteRefresh('ipv4', 'end'))).toBe(toHex(hex(`${MARKER} 0017 05 0001 02 01`)))
})

const subtypes: readonly [body: string, subtype: string][] = [
  ['0001 00 01', 'request'],
  ['0001 01 01', 'begin'],
  ['0001 02 01', 'end'],
  ['0001 03 01', 'unknown'],
  ['0001 ff 01', 'unknown'],
]
test.each(subtypes)('%s is of subtype %s', (body, subtype) => {
  expect(read(body)).toEqual({ afi: 1, safi: 1, subtype })
})

test('a request with route filters behind it (RFC 5291) is read as a plain one', () => {
  expect(read('0002 00 01 01 40 0001 00')).toEqual({ afi: 2, safi: 1, subtype: 'request' })
})

test('a begin or end of another length is error 7/1 with the message as data (RFC 7313 section 5)', () => {
  const error = sessionErrorOf(() => read('0001 01 01 00'))
  expect(error).toMatchObject({ code: 7, subcode: 1 })
  expect(error?.data).toEqual(hex(`${MARKER} 0018 05 0001 01 01 00`))
})
