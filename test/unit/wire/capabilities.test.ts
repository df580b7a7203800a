import { expect, test } from 'vitest'
import { Reader, Writer } from '../../../src/net/bytes.ts'
import {
  CAPABILITIES,
  decodeCapability,
  encodeCapability,
  type Capability,
} from '../../../src/wire/capabilities/index.ts'
import { hex, toHex } from './hex.ts'
import { sessionErrorOf } from './session-error.ts'

/** Code, length and value, by hand from the RFC of each row. */
const golden: readonly [capability: Capability, bytes: string][] = [
  [{ name: 'multiprotocol', afi: 2, safi: 1 }, '01 04 0002 00 01'],
  [{ name: 'route-refresh' }, '02 00'],
  [
    { name: 'extended-next-hop', families: [{ afi: 1, safi: 1, nextHopAfi: 2 }] },
    '05 06 0001 0001 0002',
  ],
  [{ name: 'extended-message' }, '06 00'],
  [{ name: 'role', role: 'customer' }, '09 01 03'],
  [
    {
      name: 'graceful-restart',
      restarting: true,
      notification: false,
      restartTimeSeconds: 120,
      families: [
        { afi: 1, safi: 1, forwardingPreserved: true },
        { afi: 2, safi: 1, forwardingPreserved: false },
      ],
    },
    '40 0a 8078 0001 01 80 0002 01 00',
  ],
  [
    {
      name: 'graceful-restart',
      restarting: false,
      notification: true,
      restartTimeSeconds: 4095,
      families: [],
    },
    '40 02 4fff',
  ],
  [{ name: 'four-octet-as', asn: 4_200_000_001 }, '41 04 fa56ea01'],
  [
    {
      name: 'add-path',
      families: [
        { afi: 1, safi: 1, receive: true, send: true },
        { afi: 2, safi: 1, receive: false, send: true },
      ],
    },
    '45 08 0001 01 03 0002 01 02',
  ],
  [{ name: 'enhanced-route-refresh' }, '46 00'],
  [
    {
      name: 'long-lived-graceful-restart',
      families: [
        { afi: 1, safi: 1, forwardingPreserved: true, staleTimeSeconds: 86_400 },
        { afi: 2, safi: 1, forwardingPreserved: false, staleTimeSeconds: 0xffffff },
      ],
    },
    '47 0e 0001 01 80 015180 0002 01 00 ffffff',
  ],
  [{ name: 'fqdn', hostname: 'host-1', domain: '' }, '49 08 06 686f73742d31 00'],
  [{ name: 'unknown', code: 131, bytes: hex('00') }, '83 01 00'],
]

test.each(golden)('golden bytes of %o', (capability, text) => {
  const bytes = hex(text)
  const to = new Writer(64)
  encodeCapability(capability, to)
  expect(toHex(to.written())).toBe(toHex(bytes))
  expect(decodeCapability(new Reader(bytes))).toEqual(capability)
})

test('every row of the table has golden bytes', () => {
  expect(CAPABILITIES.length).toBeGreaterThan(0)
  const names = new Set(golden.map(([{ name }]) => name).filter((name) => name !== 'unknown'))
  expect([...names]).toEqual(CAPABILITIES.map(({ name }) => name))
})

const malformed: readonly [what: string, bytes: string][] = [
  ['a role of two bytes', '09 02 0300'],
  ['add-path with mode 0', '45 04 0001 01 00'],
  ['add-path cut off', '45 03 0001 01'],
  ['graceful restart of one byte', '40 01 80'],
  ['long-lived graceful restart cut off', '47 06 0001 01 80 0151'],
  ['a name that overruns', '49 02 0561'],
  ['route refresh with a value', '02 01 00'],
]

test.each(malformed)('%s counts as unknown', (_, text) => {
  const bytes = hex(text)
  expect(decodeCapability(new Reader(bytes))).toEqual({
    name: 'unknown',
    code: bytes[0],
    bytes: bytes.subarray(2),
  })
})

test('a role that does not exist is none that fits', () => {
  const read = decodeCapability(new Reader(hex('09 01 07')))
  expect(read).toEqual({ name: 'role', role: 'unassigned' })
})

test('what would split the two sides in their beliefs ends the session', () => {
  for (const text of ['41 02 fde9', '41 05 0000fde900', '01 03 000100']) {
    const error = sessionErrorOf(() => decodeCapability(new Reader(hex(text))))
    expect(error).toMatchObject({ code: 2, subcode: 0 })
  }
})

test('a capability longer than its length octet can say is a mistake of ours', () => {
  const capability: Capability = { name: 'unknown', code: 1, bytes: new Uint8Array(256) }
  expect(() => encodeCapability(capability, new Writer(1000))).toThrow(RangeError)
})
