import { describe, expect, test } from 'vitest'
import type { Capability } from '../../../src/wire/capabilities/index.ts'
import { decodeOpen, encodeOpen, type Open } from '../../../src/wire/open.ts'
import { hex, MARKER, toHex } from './hex.ts'
import { sessionErrorOf } from './session-error.ts'

const plain: Open = { asn: 65_001, holdTimeSeconds: 90, identifier: 0x0a000001, capabilities: [] }
const ipv4: Capability = { name: 'multiprotocol', afi: 1, safi: 1 }
const ipv6: Capability = { name: 'multiprotocol', afi: 2, safi: 1 }

/** Whole messages, by hand from RFC 4271 4.2, RFC 5492 section 4, RFC 6793 section 4.2.1. */
const golden: readonly [title: string, open: Open, message: string][] = [
  ['without parameters', plain, `${MARKER} 001d 01 04 fde9 005a 0a000001 00`],
  [
    'with the capabilities of a node',
    {
      ...plain,
      asn: 4_200_000_001,
      capabilities: [
        ipv4,
        ipv6,
        { name: 'route-refresh' },
        { name: 'four-octet-as', asn: 4_200_000_001 },
      ],
    },
    `${MARKER} 0033 01 04 5ba0 005a 0a000001 16
     02 14 01 04 0001 00 01  01 04 0002 00 01  02 00  41 04 fa56ea01`,
  ],
  [
    'with hold time 0',
    { ...plain, holdTimeSeconds: 0 },
    `${MARKER} 001d 01 04 fde9 0000 0a000001 00`,
  ],
]

test.each(golden)('golden bytes: %s', (_, open, message) => {
  const bytes = hex(message)
  expect(toHex(encodeOpen(open))).toBe(toHex(bytes))
  expect(decodeOpen(bytes, 19, bytes.length)).toEqual(open)
})

const body = (text: string): Open => {
  const bytes = hex(`04 fde9 005a 0a000001 ${text}`)
  return decodeOpen(bytes, 0, bytes.length)
}

describe('parameters that others write differently', () => {
  test('one capability per parameter', () => {
    expect(body('10  02 06 01 04 0001 00 01  02 06 01 04 0002 00 01').capabilities).toEqual([
      ipv4,
      ipv6,
    ])
  })

  test('the extended format (RFC 9072 section 2), whatever the short length says', () => {
    for (const length of ['ff', '01']) {
      expect(body(`${length} ff 0009  02 0006 01 04 0002 00 01`).capabilities).toEqual([ipv6])
    }
  })

  test('duplicates are kept (RFC 5492 section 4)', () => {
    expect(body('0e  02 0c 01 04 0001 00 01 01 04 0001 00 01').capabilities).toEqual([ipv4, ipv4])
  })

  test('an unknown capability is kept as its bytes', () => {
    expect(body('06 02 04 80 02 beef').capabilities).toEqual([
      { name: 'unknown', code: 128, bytes: hex('beef') },
    ])
  })

  test('more than 255 bytes of them are written in the extended format and read back', () => {
    const capabilities = Array.from({ length: 10 }, (_, i): Capability => ({
      name: 'unknown',
      code: 200 + i,
      bytes: new Uint8Array(100).fill(i),
    }))
    const message = encodeOpen({ ...plain, capabilities })
    expect(toHex(message.subarray(28, 35))).toBe('ffff03ff0203fc')
    expect(decodeOpen(message, 19, message.length)).toEqual({ ...plain, capabilities })
  })
})

// RFC 4271 6.2
const bad: readonly [why: string, body: string, subcode: number, data: string][] = [
  ['version 3', '03 fde9 005a 0a000001 00', 1, '0004'],
  ['AS 0 (RFC 7607)', '04 0000 005a 0a000001 00', 2, ''],
  ['AS 0 in the capability', '04 5ba0 005a 0a000001 08 02 06 41 04 00000000', 2, ''],
  ['identifier 0.0.0.0', '04 fde9 005a 00000000 00', 3, ''],
  ['the authentication parameter of old', '04 fde9 005a 0a000001 04 01 02 aabb', 4, ''],
  ['a hold time of 1 s', '04 fde9 0001 0a000001 00', 6, ''],
  ['a hold time of 2 s', '04 fde9 0002 0a000001 00', 6, ''],
  ['parameters shorter than they say', '04 fde9 005a 0a000001 08 02 02 02 00', 0, ''],
  ['bytes behind the parameters', '04 fde9 005a 0a000001 04 02 02 02 00 00', 0, ''],
  ['a parameter that overruns', '04 fde9 005a 0a000001 04 02 04 02 00', 0, ''],
  ['a parameter header cut off', '04 fde9 005a 0a000001 01 02', 0, ''],
  ['a capability that overruns its parameter', '04 fde9 005a 0a000001 04 02 02 02 04', 0, ''],
  ['an extended length cut off', '04 fde9 005a 0a000001 ff ff 00', 0, ''],
  ['a multiprotocol capability of 3 bytes', '04 fde9 005a 0a000001 07 02 05 01 03 000100', 0, ''],
  ['a four-octet AS capability of 2 bytes', '04 fde9 005a 0a000001 06 02 04 41 02 fde9', 0, ''],
]

test.each(bad)('%s is refused', (_, text, subcode, data) => {
  const bytes = hex(text)
  const error = sessionErrorOf(() => decodeOpen(bytes, 0, bytes.length))
  expect(error).toMatchObject({ code: 2, subcode })
  expect(toHex(error?.data ?? new Uint8Array(0))).toBe(data)
})
