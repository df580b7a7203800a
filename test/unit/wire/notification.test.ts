import { describe, expect, test } from 'vitest'
import {
  decodeNotification,
  describeNotification,
  encodeNotification,
  encodePrefixLimit,
  encodeShutdownText,
  shutdownTextOf,
} from '../../../src/wire/notification.ts'
import { IPV4, IPV6 } from '../../../src/net/family.ts'
import { hex, MARKER, toHex } from './hex.ts'

const NO_DATA = new Uint8Array(0)

test('golden bytes (RFC 4271 4.5)', () => {
  const notification = { code: 2, subcode: 2, data: hex('fde9') }
  const bytes = hex(`${MARKER} 0017 03 02 02 fde9`)
  expect(toHex(encodeNotification(notification))).toBe(toHex(bytes))
  expect(decodeNotification(bytes, 19, bytes.length)).toEqual(notification)
})

test('data that would make the message too long is cut', () => {
  expect(encodeNotification({ code: 3, subcode: 9, data: new Uint8Array(5000) })).toHaveLength(4096)
})

describe('shutdown texts (RFC 9003)', () => {
  const shutdown = (data: string) => ({ code: 6, subcode: 2, data: hex(data) })

  test('are a length and UTF-8', () => {
    expect(toHex(encodeShutdownText('bye é'))).toBe('06627965 20c3a9'.replace(' ', ''))
    expect(shutdownTextOf(shutdown('06 62796520c3a9'))).toBe('bye é')
  })

  test('are cut at 255 bytes, not within a character', () => {
    const data = encodeShutdownText(`${'a'.repeat(254)}é`)
    expect(data).toHaveLength(255)
    expect(data[0]).toBe(254)
    expect(encodeShutdownText('b'.repeat(300))).toHaveLength(256)
  })

  const none: readonly [why: string, code: number, subcode: number, data: string][] = [
    ['no data', 6, 2, ''],
    ['an empty text', 6, 2, '00'],
    ['a length beyond the data', 6, 2, '05 616263'],
    ['another subcode', 6, 7, '02 6162'],
    ['another error', 3, 2, '02 6162'],
  ]
  test.each(none)('there is none with %s', (_, code, subcode, data) => {
    expect(shutdownTextOf({ code, subcode, data: hex(data) })).toBeUndefined()
  })

  test('can not forge lines of a log', () => {
    expect(shutdownTextOf(shutdown('04 610a1b62'))).toBe('a  b')
  })

  test('that are not UTF-8 are shown as well as can be', () => {
    expect(shutdownTextOf(shutdown('03 61ff62'))).toBe('a\ufffdb')
  })
})

test('the text for people', () => {
  const data = encodeShutdownText('maintenance until 9')
  expect(describeNotification({ code: 6, subcode: 4, data })).toBe(
    'Cease/Administrative Reset: "maintenance until 9"',
  )
  expect(describeNotification({ code: 4, subcode: 0, data: NO_DATA })).toBe('Hold Timer Expired')
})

describe('the limit of prefixes that was reached (RFC 4486 section 4)', () => {
  test('is a family and a number', () => {
    expect(toHex(encodePrefixLimit(IPV4, 50_000))).toBe('0001010000c350')
    expect(toHex(encodePrefixLimit(IPV6, 4_294_967_295))).toBe('000201ffffffff')
  })

  const NAME = 'Cease/Maximum Number of Prefixes Reached'
  const rows: readonly [data: string, text: string][] = [
    ['0001 01 0000c350', `${NAME}: ipv4, the limit is 50,000`],
    ['0002 01 ffffffff', `${NAME}: ipv6, the limit is 4,294,967,295`],
    ['0001 02 00000001', `${NAME}: AFI 1 SAFI 2, the limit is 1`],
    ['0019 41 00000001', `${NAME}: AFI 25 SAFI 65, the limit is 1`],
    ['', NAME],
    ['0001 01 0000c3', NAME],
    ['0001 01 0000c350 00', NAME],
  ]
  test.each(rows)('%s is told in words', (data, text) => {
    expect(describeNotification({ code: 6, subcode: 1, data: hex(data) })).toBe(text)
  })

  test('is not looked for in another cease', () => {
    const cease = { code: 6, subcode: 4, data: hex('0001 01 0000c350') }
    expect(describeNotification(cease)).not.toContain('50,000')
  })
})
