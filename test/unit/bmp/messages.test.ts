/** BMP messages, byte by byte as RFC 7854 and RFC 9069 draw them. */
import { describe, expect, test } from 'vitest'
import {
  initiation,
  peerDown,
  peerUp,
  statistics,
  termination,
  type PeerDown,
} from '../../../src/bmp/message.ts'
import { locRibHeader, peerHeader } from '../../../src/bmp/peer-header.ts'
import { RouteMonitoring } from '../../../src/bmp/route-monitoring.ts'
import { address, wordsOf } from '../../../src/net/address.ts'
import { factsOf } from '../../../src/net/family.ts'
import { prefix } from '../../../src/net/prefix.ts'
import { readBmp, type BmpMessage } from '../../support/bmp-messages.ts'
import { hex, toHex } from '../wire/hex.ts'

/** 2026-01-01T00:00:00.250Z. */
const AT_MS = 1_767_225_600_250
const TIME = '6955b900 0003d090'
const NONE = '0000000000000000'

const ipv4 = { address: address('10.0.1.1').bytes, asn: 65001, routerId: 0x0a000101 }
const ipv6 = { address: address('fd00::1').bytes, asn: 4200000001, routerId: 0x0a000102 }
const PRE = peerHeader(ipv4, 'prePolicy')
const POST6 = peerHeader(ipv6, 'postPolicy')
const LOC_RIB = locRibHeader({ asn: 65101, routerId: 0x0a00010b })

const PRE_BYTES = `00 00 ${NONE} 000000000000000000000000 0a000101 0000fde9 0a000101 ${TIME}`
const POST6_BYTES = `00 c0 ${NONE} fd000000000000000000000000000001 fa56ea01 0a000102 ${TIME}`
const LOC_RIB_BYTES = `03 00 ${NONE} 00000000000000000000000000000000 0000fe4d 0a00010b ${TIME}`

const OPEN = hex('ffffffffffffffffffffffffffffffff 001d 01 04 fde9 005a 0a000101 00')
const NOTIFICATION = hex('ffffffffffffffffffffffffffffffff 0015 03 06 02')
const MARKER = 'ff'.repeat(16)

/** ORIGIN IGP, AS_PATH 65001, then what is given. */
const set = (...more: string[]): Uint8Array =>
  hex(['40010100', '4002060201', '0000fde9', ...more].join(''))
const SET = set('400304 0a000101')
const SET6 = set('800e15 0002 01 10 fd000000000000000000000000000001 00', 'c00804 fde90001')

function routes(
  header: Uint8Array,
  family: 'ipv4' | 'ipv6',
  attributes: Uint8Array | undefined,
  prefixes: readonly string[],
  addPath = false,
): Uint8Array {
  const to = new RouteMonitoring()
  to.open(header, AT_MS, factsOf(family), attributes, addPath)
  for (const text of prefixes) {
    const { bytes, length } = prefix(text)
    to.add(wordsOf(bytes), length, 7)
  }
  to.close()
  return to.take()
}

function endOfRib(family: 'ipv4' | 'ipv6'): Uint8Array {
  const to = new RouteMonitoring()
  to.endOfRib(PRE, AT_MS, factsOf(family))
  return to.take()
}

interface Golden {
  readonly title: string
  readonly made: Uint8Array
  readonly bytes: readonly string[]
}

const down = (it: PeerDown): Uint8Array => peerDown(PRE, AT_MS, it)

const GOLDEN: readonly Golden[] = [
  {
    title: 'Initiation (4.3): sysDescr and sysName',
    made: initiation({ name: 'host1', description: 'linnet' }),
    bytes: ['03 00000019 04', '0001 0006 6c696e6e6574', '0002 0005 686f737431'],
  },
  {
    title: 'Termination (4.5): a text, and the reason "administratively closed"',
    made: termination('bye'),
    bytes: ['03 00000013 05', '0000 0003 627965', '0001 0002 0000'],
  },
  {
    title: 'Peer Up (4.10): both ends, both OPENs',
    made: peerUp(PRE, AT_MS, {
      localAddress: address('10.0.1.2').bytes,
      localPort: 179,
      remotePort: 40000,
      sentOpen: OPEN,
      receivedOpen: OPEN,
    }),
    bytes: [
      '03 0000007e 03',
      PRE_BYTES,
      '00000000000000000000000000000000'.slice(8) + '0a000102',
      '00b3 9c40',
      toHex(OPEN),
      toHex(OPEN),
    ],
  },
  {
    title: 'Peer Up of the Loc-RIB (RFC 9069 4.1, 5.3): peer type 3, and the name of the table',
    made: peerUp(LOC_RIB, AT_MS, {
      localAddress: new Uint8Array(0),
      localPort: 0,
      remotePort: 0,
      sentOpen: OPEN,
      receivedOpen: OPEN,
      table: 'global',
    }),
    bytes: [
      '03 00000088 03',
      LOC_RIB_BYTES,
      '00000000000000000000000000000000 0000 0000',
      toHex(OPEN),
      toHex(OPEN),
      '0003 0006 676c6f62616c',
    ],
  },
  {
    title: 'Peer Down (4.9), 1: we sent this NOTIFICATION',
    made: down({ reason: 1, notification: NOTIFICATION }),
    bytes: ['03 00000046 02', PRE_BYTES, '01', toHex(NOTIFICATION)],
  },
  {
    title: 'Peer Down, 2: we closed without one, upon event 18',
    made: down({ reason: 2, event: 18 }),
    bytes: ['03 00000033 02', PRE_BYTES, '02 0012'],
  },
  {
    title: 'Peer Down, 3: the peer sent this NOTIFICATION',
    made: down({ reason: 3, notification: NOTIFICATION }),
    bytes: ['03 00000046 02', PRE_BYTES, '03', toHex(NOTIFICATION)],
  },
  {
    title: 'Peer Down, 4: the peer closed without a word',
    made: down({ reason: 4 }),
    bytes: ['03 00000031 02', PRE_BYTES, '04'],
  },
  {
    title: 'Peer Down, 5: no longer monitored',
    made: down({ reason: 5 }),
    bytes: ['03 00000031 02', PRE_BYTES, '05'],
  },
  {
    title: 'Peer Down, 6: the Loc-RIB is gone (RFC 9069 5.3)',
    made: peerDown(LOC_RIB, AT_MS, { reason: 6, table: 'global' }),
    bytes: ['03 0000003b 02', LOC_RIB_BYTES, '06 0003 0006 676c6f62616c'],
  },
  {
    title: 'Statistics Report (4.8): counters of 32 bits, gauges of 64, also by family',
    made: statistics(PRE, AT_MS, [
      { type: 0, counter: 5 },
      { type: 7, gauge: 2 ** 32 + 1 },
      { type: 9, afi: 2, safi: 1, gauge: 3 },
    ]),
    bytes: [
      '03 00000057 01',
      PRE_BYTES,
      '00000003',
      '0000 0004 00000005',
      '0007 0008 0000000100000001',
      '0009 000b 0002 01 0000000000000003',
    ],
  },
  {
    title: 'Route Monitoring (4.6): IPv4 before policy, two prefixes in one UPDATE',
    made: routes(PRE, 'ipv4', SET, ['10.244.7.0/26', '10.0.0.0/8']),
    bytes: [
      '03 00000062 00',
      PRE_BYTES,
      `${MARKER} 0032 02 0000 0014`,
      toHex(SET),
      '1a0af40700 080a',
    ],
  },
  {
    title: 'Route Monitoring: IPv6 after policy, MP_REACH_NLRI in front',
    made: routes(POST6, 'ipv6', SET6, ['2001:db8::/32']),
    bytes: [
      '03 00000079 00',
      POST6_BYTES,
      `${MARKER} 0049 02 0000 0032`,
      '900e001a 0002 01 10 fd000000000000000000000000000001 00 2020010db8',
      '40010100 4002060201 0000fde9 c00804 fde90001',
    ],
  },
  {
    title: 'Route Monitoring: IPv4 withdrawn',
    made: routes(PRE, 'ipv4', undefined, ['10.0.0.0/8']),
    bytes: ['03 00000049 00', PRE_BYTES, `${MARKER} 0019 02 0002 080a 0000`],
  },
  {
    title: 'Route Monitoring: IPv6 withdrawn',
    made: routes(POST6, 'ipv6', undefined, ['2001:db8::/32']),
    bytes: [
      '03 00000053 00',
      POST6_BYTES,
      `${MARKER} 0023 02 0000 000c 900f0008 0002 01 2020010db8`,
    ],
  },
  {
    title: 'Route Monitoring: with path identifiers (RFC 7911)',
    made: routes(PRE, 'ipv4', SET, ['10.0.0.0/8'], true),
    bytes: [
      '03 00000061 00',
      PRE_BYTES,
      `${MARKER} 0031 02 0000 0014`,
      toHex(SET),
      '00000007 080a',
    ],
  },
  {
    title: 'Route Monitoring: our own prefix in the Loc-RIB has zeros for its next hop',
    made: routes(LOC_RIB, 'ipv4', hex('40010100 400200'), ['10.0.0.0/8']),
    bytes: [
      '03 00000057 00',
      LOC_RIB_BYTES,
      `${MARKER} 0027 02 0000 000e 40010100 400200 400304 00000000 080a`,
    ],
  },
  {
    title: 'Route Monitoring: an IPv4 route with an IPv6 next hop (RFC 8950)',
    made: routes(PRE, 'ipv4', set('800e15 0001 01 10 fd000000000000000000000000000001 00'), [
      '10.0.0.0/8',
    ]),
    bytes: [
      '03 0000006f 00',
      PRE_BYTES,
      `${MARKER} 003f 02 0000 0028`,
      '900e0017 0001 01 10 fd000000000000000000000000000001 00 080a',
      '40010100 4002060201 0000fde9',
    ],
  },
  {
    title: 'End-of-RIB of IPv4 (RFC 4724 2)',
    made: endOfRib('ipv4'),
    bytes: ['03 00000047 00', PRE_BYTES, `${MARKER} 0017 02 0000 0000`],
  },
  {
    title: 'End-of-RIB of IPv6',
    made: endOfRib('ipv6'),
    bytes: ['03 0000004e 00', PRE_BYTES, `${MARKER} 001e 02 0000 0007 900f0003 0002 01`],
  },
]

test.each(GOLDEN)('$title', ({ made, bytes }) => {
  expect(toHex(made)).toBe(bytes.join('').replaceAll(' ', ''))
})

test('a reader of the RFC finds all of them', () => {
  const whole = Uint8Array.from(
    GOLDEN.flatMap(({ made, title }) => (title.includes('identifiers') ? [] : [...made])),
  )
  const { messages, used } = readBmp(whole)
  expect(used).toBe(whole.length)
  expect(messages).toHaveLength(GOLDEN.length - 1)
})

describe('many routes', () => {
  const read = (bytes: Uint8Array): BmpMessage[] => readBmp(bytes).messages
  const many = Array.from({ length: 3000 }, (_, i) => `10.${i >> 8}.${i & 255}.0/24`)

  test.each(['announced', 'withdrawn'] as const)(
    'are %s in messages of 4096 bytes at most',
    (kind) => {
      const bytes = routes(PRE, 'ipv4', kind === 'announced' ? SET : undefined, many)
      const messages = read(bytes)
      expect(messages.length).toBe(Math.ceil((3000 * 4) / 4050))
      expect(messages.flatMap((it) => (it.kind === 'route' ? it[kind] : []))).toEqual(many)
    },
  )

  test('and attributes that fill an extended message go into one', () => {
    const path = '0000fde9'.repeat(255)
    const segments = Array.from({ length: 5 }, () => `02ff${path}`).join('')
    const long = hex(
      `40010100 5002${(segments.length / 2).toString(16).padStart(4, '0')} ${segments} 400304 0a000101`,
    )
    const [message] = read(routes(PRE, 'ipv4', long, many.slice(0, 2)))
    expect(message).toMatchObject({ kind: 'route', announced: many.slice(0, 2) })
  })

  test('a message that got none is not there', () => {
    expect(routes(PRE, 'ipv4', SET, [])).toHaveLength(0)
  })
})
