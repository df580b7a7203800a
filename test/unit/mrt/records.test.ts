/** MRT records, byte by byte as RFC 6396 draws them. */
import { expect, test } from 'vitest'
import { writeMessage, writeStateChange, type DumpedSession } from '../../../src/mrt/bgp4mp.ts'
import { RecordWriter } from '../../../src/mrt/record.ts'
import { RibRecords, writePeerIndex } from '../../../src/mrt/table-dump.ts'
import { address, wordsOf } from '../../../src/net/address.ts'
import { factsOf } from '../../../src/net/family.ts'
import { prefix } from '../../../src/net/prefix.ts'
import { readMrt } from '../../support/mrt-file.ts'
import { hex, toHex } from '../wire/hex.ts'

/** 2026-01-01T00:00:00.250Z. */
const AT_MS = 1_767_225_600_250
const TIME = '6955b900'

const external: DumpedSession = {
  peerAsn: 4200000001,
  localAsn: 65101,
  interfaceIndex: 7,
  peerAddress: address('10.0.1.1').bytes,
  localAddress: address('10.0.1.2').bytes,
  fourOctetAs: true,
  addPath: false,
}
const old: DumpedSession = {
  ...external,
  peerAsn: 65001,
  localAsn: 4200000001,
  peerAddress: address('fd00::1').bytes,
  localAddress: address('fd00::2').bytes,
  fourOctetAs: false,
}
const KEEPALIVE = hex('ffffffff ffffffff ffffffff ffffffff 0013 04')

/** ORIGIN IGP, AS_PATH 65001, then what is given. */
const set = (...more: string[]): Uint8Array =>
  hex(['40 01 01 00', '40 02 06 02 01 0000fde9', ...more].join(''))

interface Golden {
  readonly title: string
  write(to: RecordWriter): void
  readonly bytes: readonly string[]
}

function rib(to: RecordWriter, text: string, addPath: boolean, ...sets: Uint8Array[]): void {
  const { family, bytes, length } = prefix(text)
  const records = new RibRecords(to)
  records.open(factsOf(family), wordsOf(bytes), length, AT_MS, addPath)
  sets.forEach((it, i) => records.add(i, 1000 + i, it, 7 + i))
  records.close()
}

const GOLDEN: readonly Golden[] = [
  {
    title: 'PEER_INDEX_TABLE (4.3.1): AS numbers of four octets, addresses of both families',
    write: (to) =>
      writePeerIndex(to, AT_MS, {
        routerId: 0x0a00010b,
        view: 'main',
        peers: [
          { routerId: 0x0a000101, address: address('10.0.1.1').bytes, asn: 65001 },
          { routerId: 0x0a000102, address: address('fd00::1').bytes, asn: 4200000001 },
        ],
      }),
    bytes: [
      `${TIME} 000d 0001 00000032`,
      '0a00010b 0004 6d61696e 0002',
      '02 0a000101 0a000101 0000fde9',
      '03 0a000102 fd000000000000000000000000000001 fa56ea01',
    ],
  },
  {
    title: 'RIB_IPV4_UNICAST (4.3.2): the paths of one prefix',
    write: (to) =>
      rib(to, '10.244.7.0/26', false, set('40 03 04 0a000101'), set('40 03 04 0a000201')),
    bytes: [
      `${TIME} 000d 0002 00000043`,
      '00000000 1a 0af40700 0002',
      '0000 000003e8 0014 40010100 4002060201 0000fde9 400304 0a000101',
      '0001 000003e9 0014 40010100 4002060201 0000fde9 400304 0a000201',
    ],
  },
  {
    title: 'RIB_IPV6_UNICAST: of MP_REACH_NLRI the next hop and its length are left (4.3.4)',
    write: (to) =>
      rib(
        to,
        '2001:db8::/32',
        false,
        set('80 0e 15 0002 01 10 fd000000000000000000000000000001 00', 'c0 08 04 fde90001'),
      ),
    bytes: [
      `${TIME} 000d 0004 0000003b`,
      '00000000 20 20010db8 0001',
      '0000 000003e8 0028 40010100 4002060201 0000fde9',
      '800e11 10 fd000000000000000000000000000001 c00804 fde90001',
    ],
  },
  {
    title: 'RIB_IPV4_UNICAST_ADDPATH (RFC 8050 4.1): each path with its identifier',
    write: (to) => rib(to, '0.0.0.0/0', true, set('40 03 04 0a000101')),
    bytes: [
      `${TIME} 000d 0008 00000027`,
      '00000000 00 0001',
      '0000 000003e8 00000007 0014 40010100 4002060201 0000fde9 400304 0a000101',
    ],
  },
  {
    title: 'our own prefix has no next hop: zeros, at its place among the attributes',
    write: (to) => rib(to, '10.0.0.0/8', false, hex('40010100 400200 800404 00000005')),
    bytes: [
      `${TIME} 000d 0002 00000025`,
      '00000000 08 0a 0001',
      '0000 000003e8 0015 40010100 400200 400304 00000000 800404 00000005',
    ],
  },
  {
    title: 'our own IPv6 prefix likewise',
    write: (to) => rib(to, 'fd77::/64', false, hex('40010100 400200')),
    bytes: [
      `${TIME} 000d 0004 00000032`,
      '00000000 40 fd77000000000000 0001',
      '0000 000003e8 001b 40010100 400200 800e11 10 00000000000000000000000000000000',
    ],
  },
  {
    title: 'a prefix without paths leaves no record',
    write: (to) => rib(to, '10.0.0.0/8', false),
    bytes: [],
  },
  {
    title: 'BGP4MP_MESSAGE_AS4 (4.4.3) with microseconds (section 3)',
    write: (to) => writeMessage(to, external, AT_MS, KEEPALIVE, 0, KEEPALIVE.length),
    bytes: [
      `${TIME} 0011 0004 0000002b 0003d090`,
      'fa56ea01 0000fe4d 0007 0001 0a000101 0a000102',
      'ffffffff ffffffff ffffffff ffffffff 0013 04',
    ],
  },
  {
    title: 'BGP4MP_MESSAGE (4.4.2): of a session with AS numbers of two octets; ours is AS_TRANS',
    write: (to) => writeMessage(to, old, AT_MS, KEEPALIVE, 0, KEEPALIVE.length),
    bytes: [
      `${TIME} 0011 0001 0000003f 0003d090`,
      'fde9 5ba0 0007 0002 fd000000000000000000000000000001 fd000000000000000000000000000002',
      'ffffffff ffffffff ffffffff ffffffff 0013 04',
    ],
  },
  {
    title: 'BGP4MP_MESSAGE_AS4_ADDPATH (RFC 8050 3)',
    write: (to) => writeMessage(to, { ...external, addPath: true }, AT_MS, KEEPALIVE, 0, 19),
    bytes: [
      `${TIME} 0011 0009 0000002b 0003d090`,
      'fa56ea01 0000fe4d 0007 0001 0a000101 0a000102',
      'ffffffff ffffffff ffffffff ffffffff 0013 04',
    ],
  },
  {
    title: 'BGP4MP_STATE_CHANGE_AS4 (4.4.4)',
    write: (to) => writeStateChange(to, external, AT_MS, 'OpenConfirm', 'Established'),
    bytes: [
      `${TIME} 0011 0005 0000001c 0003d090`,
      'fa56ea01 0000fe4d 0007 0001 0a000101 0a000102 0005 0006',
    ],
  },
]

test.each(GOLDEN)('$title', ({ write, bytes }) => {
  const to = new RecordWriter()
  write(to)
  expect(toHex(to.take())).toBe(bytes.join('').replaceAll(' ', ''))
})

test('records stand behind each other, and a reader of the RFC finds them all', () => {
  const to = new RecordWriter()
  for (const { write } of GOLDEN) write(to)
  expect(readMrt(to.take()).map(({ kind }) => kind)).toEqual([
    'peers',
    ...Array<string>(5).fill('rib'),
    ...['message', 'message', 'message', 'state'],
  ])
  expect(to.length).toBe(0)
})

test('the prefixes of a dump are numbered', () => {
  const to = new RecordWriter()
  const records = new RibRecords(to)
  for (const text of ['10.0.0.0/8', '10.1.0.0/16', '10.2.0.0/16']) {
    const { bytes, length } = prefix(text)
    records.open(factsOf('ipv4'), wordsOf(bytes), length, AT_MS)
    if (text !== '10.1.0.0/16') records.add(0, 0, set('40 03 04 0a000101'))
    records.close()
  }
  const found = readMrt(to.take()).map((it) => (it.kind === 'rib' ? [it.sequence, it.prefix] : []))
  expect(found).toEqual([
    [0, '10.0.0.0/8'],
    [1, '10.2.0.0/16'],
  ])
})
