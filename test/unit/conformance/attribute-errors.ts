/**
 * RFC 7606 attribute by attribute, with what RFC 4271 6.3 leaves as it was: one row per way in which an
 * attribute can be wrong. Every row is played to a whole speaker, once with its prefix in the NLRI field
 * and once in MP_REACH_NLRI.
 */
import type { RouteRow } from '../../../src/control/rows.ts'
import type { Carrier, Session } from './update-stage.ts'

/**
 * `nothing`: it is sound, or to be accepted as if; `attribute`: "attribute discard"; `route`:
 * "treat-as-withdraw"; otherwise the NOTIFICATION of a session reset, `code/subcode: data`.
 */
export type Cost =
  'nothing' | 'attribute' | 'route' | `${number}/${number}` | `${number}/${number}: ${string}`

export type AttributeRow = readonly [
  what: string,
  session: Session,
  /** Hexadecimal; takes the place of the sound one. */
  attribute: string,
  cost: Cost,
  /** Of the route, where it stays. */
  shown?: Partial<RouteRow>,
]

export interface AttributeGroup {
  readonly rule: string
  /** Default: both. */
  readonly carriers?: readonly Carrier[]
  readonly rows: readonly AttributeRow[]
}

/** 0x10 to 0x23. */
const TWENTY = Array.from({ length: 20 }, (_, i) => (16 + i).toString(16))

export const ATTRIBUTE_ERRORS: readonly AttributeGroup[] = [
  {
    rule: 'RFC 7606 7.1: ORIGIN',
    rows: [
      ['of no byte', 'eBGP', '40 01 00', 'route'],
      ['of two bytes', 'eBGP', '40 01 02 0000', 'route'],
      ['3, which is undefined', 'eBGP', '40 01 01 03', 'route'],
      ['255', 'iBGP', '40 01 01 ff', 'route'],
      ['2, the last defined', 'eBGP', '40 01 01 02', 'nothing', { origin: 'incomplete' }],
      ['with an extended length', 'eBGP', '50 01 0001 01', 'nothing', { origin: 'egp' }],
    ],
  },
  {
    rule: 'RFC 7606 7.2: AS_PATH',
    rows: [
      ['with segment type 0', 'eBGP', '40 02 06 0001 0000fde9', 'route'],
      ['with segment type 5', 'eBGP', '40 02 06 0501 0000fde9', 'route'],
      ['with a segment of no AS', 'eBGP', '40 02 08 0201 0000fde9 0200', 'route'],
      ['with nothing but an empty segment', 'eBGP', '40 02 02 0200', 'route'],
      ['with a segment that overruns it', 'eBGP', '40 02 06 0202 0000fde9', 'route'],
      ['with one byte behind the last segment', 'eBGP', '40 02 07 0201 0000fde9 02', 'route'],
      ['of two-octet numbers where four were agreed', 'eBGP', '40 02 04 0201 fde9', 'route'],
      [
        'of four-octet numbers where two were agreed',
        'old eBGP',
        '40 02 06 0201 0000fde9',
        'route',
      ],
      ['of no byte, from an internal peer', 'iBGP', '40 02 00', 'nothing', { asPath: '' }],
      [
        'with an AS_SET',
        'eBGP',
        '40 02 10 0201 0000fde9 0102 0000fdea 0000fdeb',
        'nothing',
        { asPath: '65001 {65002,65003}' },
      ],
    ],
  },
  {
    rule: 'RFC 7607 section 2: AS 0',
    rows: [
      ['in AS_PATH', 'eBGP', '40 02 0a 0202 0000fde9 00000000', 'route'],
      ['in an AS_SET', 'eBGP', '40 02 0c 0201 0000fde9 0101 00000000', 'route'],
      ['in AS_PATH of two octets', 'old iBGP', '40 02 06 0202 fdf1 0000', 'route'],
      ['in AS4_PATH', 'old eBGP', 'c0 11 06 0201 00000000', 'attribute'],
      ['in AGGREGATOR', 'eBGP', 'c0 07 08 00000000 0a000001', 'attribute', { aggregator: null }],
      ['in AS4_AGGREGATOR', 'old eBGP', 'c0 12 08 00000000 0a000001', 'attribute'],
    ],
  },
  {
    rule: 'RFC 5065 section 4: confederation segments from outside the confederation',
    rows: [
      ['AS_CONFED_SEQUENCE', 'eBGP', '40 02 0c 0301 0000fdea 0201 0000fde9', 'route'],
      ['AS_CONFED_SET', 'eBGP', '40 02 0c 0401 0000fdea 0201 0000fde9', 'route'],
      ['behind the others', 'eBGP', '40 02 0c 0201 0000fde9 0301 0000fdea', 'route'],
    ],
  },
  {
    rule: 'RFC 7606 7.3: NEXT_HOP',
    carriers: ['ipv4'],
    rows: [
      ['of no byte', 'eBGP', '40 03 00', 'route'],
      ['of three bytes', 'eBGP', '40 03 03 0a0000', 'route'],
      ['of five bytes', 'eBGP', '40 03 05 0a00000100', 'route'],
      ['of sixteen bytes', 'iBGP', `40 03 10 20010db8${'00'.repeat(11)}01`, 'route'],
      // RFC 4271 6.3: not "a valid IP host address"
      ['0.0.0.0', 'eBGP', '40 03 04 00000000', 'route'],
      ['127.0.0.1', 'iBGP', '40 03 04 7f000001', 'route'],
      ['224.0.0.5', 'eBGP', '40 03 04 e0000005', 'route'],
      ['255.255.255.255', 'eBGP', '40 03 04 ffffffff', 'route'],
      // Semantically wrong: the route is there and not used (RFC 4271 6.3); Fan overlays use 240/4.
      ['240.0.0.1', 'eBGP', '40 03 04 f0000001', 'nothing', { nextHops: ['240.0.0.1'] }],
    ],
  },
  {
    rule: 'RFC 4760 section 3: NEXT_HOP beside MP_REACH_NLRI is of no concern',
    carriers: ['ipv6'],
    rows: [
      ['a good one', 'eBGP', '40 03 04 0a000001', 'nothing', { nextHops: ['2001:db8::1'] }],
      ['0.0.0.0', 'eBGP', '40 03 04 00000000', 'nothing', { nextHops: ['2001:db8::1'] }],
      ['of no byte', 'eBGP', '40 03 00', 'nothing', { nextHops: ['2001:db8::1'] }],
    ],
  },
  {
    rule: 'RFC 7606 7.4: MULTI_EXIT_DISC',
    rows: [
      ['of no byte', 'eBGP', '80 04 00', 'route'],
      ['of three bytes', 'eBGP', '80 04 03 000001', 'route'],
      ['of five bytes', 'iBGP', '80 04 05 0000000100', 'route'],
      ['of four bytes', 'eBGP', '80 04 04 ffffffff', 'nothing', { med: 0xffff_ffff }],
    ],
  },
  {
    rule: 'RFC 7606 7.5: LOCAL_PREF',
    rows: [
      ['of no byte', 'iBGP', '40 05 00', 'route'],
      ['of three bytes', 'iBGP', '40 05 03 000064', 'route'],
      ['of eight bytes', 'old iBGP', '40 05 08 0000006400000064', 'route'],
      ['from an external peer', 'eBGP', '40 05 04 00000999', 'attribute', { localPref: 100 }],
      ['broken, from an external peer', 'eBGP', '40 05 01 99', 'attribute', { localPref: 100 }],
    ],
  },
  {
    rule: 'RFC 7606 7.6: ATOMIC_AGGREGATE',
    rows: [
      ['of one byte', 'eBGP', '40 06 01 00', 'attribute', { atomicAggregate: false }],
      ['of 256 bytes', 'iBGP', `50 06 0100 ${'00'.repeat(256)}`, 'attribute'],
      ['of no byte', 'eBGP', '40 06 00', 'nothing', { atomicAggregate: true }],
    ],
  },
  {
    rule: 'RFC 7606 7.7: AGGREGATOR',
    rows: [
      ['of no byte', 'eBGP', 'c0 07 00', 'attribute', { aggregator: null }],
      ['of six bytes where numbers take four', 'eBGP', 'c0 07 06 fde90a000001', 'attribute'],
      ['of eight bytes where they take two', 'old eBGP', 'c0 07 08 0000fde90a000001', 'attribute'],
      ['of nine bytes', 'iBGP', 'c0 07 09 0000fde90a00000100', 'attribute'],
      [
        'of eight bytes',
        'eBGP',
        'c0 07 08 0000fde90a000001',
        'nothing',
        { aggregator: '65001 10.0.0.1' },
      ],
      [
        'of six bytes',
        'old eBGP',
        'c0 07 06 fde90a000001',
        'nothing',
        { aggregator: '65001 10.0.0.1' },
      ],
    ],
  },
  {
    rule: 'RFC 7606 7.8: COMMUNITIES',
    rows: [
      ['of no byte', 'eBGP', 'c0 08 00', 'route'],
      ['of three bytes', 'eBGP', 'c0 08 03 fde900', 'route'],
      ['of six bytes', 'iBGP', 'c0 08 06 fde900640000', 'route'],
      ['of four bytes', 'eBGP', 'c0 08 04 fde90064', 'nothing', { communities: ['65001:100'] }],
    ],
  },
  {
    rule: 'RFC 7606 7.9: ORIGINATOR_ID',
    rows: [
      ['of no byte', 'iBGP', '80 09 00', 'route'],
      ['of three bytes', 'iBGP', '80 09 03 0a0000', 'route'],
      ['of five bytes', 'iBGP', '80 09 05 0a00000100', 'route'],
      ['from an external peer', 'eBGP', '80 09 04 0a000005', 'attribute', { originatorId: null }],
      ['broken, from an external peer', 'eBGP', '80 09 01 0a', 'attribute', { originatorId: null }],
      ['of four bytes', 'iBGP', '80 09 04 0a000005', 'nothing', { originatorId: '10.0.0.5' }],
    ],
  },
  {
    rule: 'RFC 7606 7.10: CLUSTER_LIST',
    rows: [
      ['of no byte', 'iBGP', '80 0a 00', 'route'],
      ['of six bytes', 'iBGP', '80 0a 06 0a0000050a00', 'route'],
      ['from an external peer', 'eBGP', '80 0a 04 0a000005', 'attribute', { clusterList: [] }],
      ['broken, from an external peer', 'eBGP', '80 0a 00', 'attribute', { clusterList: [] }],
      [
        'of eight bytes',
        'iBGP',
        '80 0a 08 0a0000050a000006',
        'nothing',
        { clusterList: ['10.0.0.5', '10.0.0.6'] },
      ],
    ],
  },
  {
    rule: 'RFC 7606 7.14: EXTENDED_COMMUNITIES',
    rows: [
      ['of no byte', 'eBGP', 'c0 10 00', 'route'],
      ['of seven bytes', 'eBGP', 'c0 10 07 0002fde9000000', 'route'],
      ['of twelve bytes', 'iBGP', 'c0 10 0c 0002fde900000064 0002fde9', 'route'],
      [
        'of a type that nobody knows, which is no error',
        'eBGP',
        'c0 10 08 3f99 010203040506',
        'nothing',
        { extendedCommunities: ['generic:0x3f990102:0x03040506'] },
      ],
    ],
  },
  {
    rule: 'RFC 8092 section 6: LARGE_COMMUNITIES',
    rows: [
      ['of no byte', 'eBGP', 'c0 20 00', 'route'],
      ['of eleven bytes', 'eBGP', 'c0 20 0b 0000fde90000000100 0000', 'route'],
      ['of sixteen bytes', 'iBGP', 'c0 20 10 0000fde90000000100000002 00000003', 'route'],
      [
        'the same one twice: once is enough',
        'eBGP',
        'c0 20 18 0000fde90000000100000002 0000fde90000000100000002',
        'nothing',
        { largeCommunities: ['65001:1:2'] },
      ],
      [
        'twenty of them, and the first once more',
        'eBGP',
        `c0 20 fc ${TWENTY.map((i) => `0000fde9 00000001 000000${i}`).join(' ')} 0000fde9 00000001 00000010`,
        'nothing',
        { largeCommunities: TWENTY.map((i) => `65001:1:${parseInt(i, 16)}`) },
      ],
    ],
  },
  {
    rule: 'RFC 9234 section 5: ONLY_TO_CUSTOMER',
    rows: [
      ['of no byte', 'eBGP', 'c0 23 00', 'route'],
      ['of two bytes', 'eBGP', 'c0 23 02 fde9', 'route'],
      ['of five bytes', 'iBGP', 'c0 23 05 0000fde900', 'route'],
      ['a good one', 'eBGP', 'c0 23 04 0000fde9', 'nothing'],
    ],
  },
  {
    rule: 'RFC 6793 section 6: AS4_PATH',
    rows: [
      ['from a peer that needs none', 'eBGP', 'c0 11 06 0201 00030d40', 'attribute'],
      ['of no byte', 'old eBGP', 'c0 11 00', 'attribute', { asPath: '65001' }],
      ['of five bytes', 'old eBGP', 'c0 11 05 0201 00030d', 'attribute', { asPath: '65001' }],
      ['with a segment that overruns it', 'old eBGP', 'c0 11 06 0202 00030d40', 'attribute'],
      ['with an empty segment', 'old eBGP', 'c0 11 02 0200', 'attribute'],
      ['with segment type 7', 'old eBGP', 'c0 11 06 0701 00030d40', 'attribute'],
      ['a good one', 'old eBGP', 'c0 11 06 0201 00030d40', 'nothing', { asPath: '200000' }],
      [
        'with a confederation segment, which is left out',
        'old eBGP',
        'c0 11 0c 0301 0000fdea 0201 00030d40',
        'nothing',
        { asPath: '200000' },
      ],
    ],
  },
  {
    rule: 'RFC 6793 section 6: AS4_AGGREGATOR',
    rows: [
      ['from a peer that needs none', 'eBGP', 'c0 12 08 00030d40 0a000001', 'attribute'],
      ['of no byte', 'old eBGP', 'c0 12 00', 'attribute', { aggregator: null }],
      ['of six bytes', 'old eBGP', 'c0 12 06 00030d40 0a00', 'attribute', { aggregator: null }],
      ['without AGGREGATOR it says nothing', 'old eBGP', 'c0 12 08 00030d40 0a000001', 'nothing'],
    ],
  },
  {
    rule: 'RFC 4271 sections 5 and 6.3: attributes that nobody knows',
    rows: [
      ['well-known', 'eBGP', '40 63 02 abcd', '3/2: 406302abcd'],
      ['well-known, empty', 'iBGP', '40 63 00', '3/2: 406300'],
      ['neither optional nor transitive', 'eBGP', '00 63 01 ab', '3/2: 006301ab'],
      ['well-known, extended length', 'eBGP', '50 63 0001 ab', '3/2: 50630001ab'],
      [
        'transitive: passed on, marked partial',
        'eBGP',
        'c0 63 02 abcd',
        'nothing',
        { otherAttributes: ['99 e0 abcd'] },
      ],
      ['partial already', 'iBGP', 'e0 63 00', 'nothing', { otherAttributes: ['99 e0 '] }],
      ['not transitive: forgotten', 'eBGP', '80 63 02 abcd', 'nothing', { otherAttributes: [] }],
      ['not transitive, partial', 'eBGP', 'a0 63 02 abcd', 'nothing', { otherAttributes: [] }],
      // Reserved by IANA: passed on it could only do harm.
      ['of code 0', 'eBGP', 'c0 00 01 ab', 'attribute', { otherAttributes: [] }],
    ],
  },
]

/** Good values of all attributes with other flags (section 3 c): code, name, right flags, value. */
const GOOD_VALUES: readonly (readonly [
  code: string,
  name: string,
  flags: number,
  value: string,
])[] = [
  ['01', 'ORIGIN', 0x40, '01 00'],
  ['02', 'AS_PATH', 0x40, '06 0201 0000fde9'],
  ['03', 'NEXT_HOP', 0x40, '04 0a000001'],
  ['04', 'MULTI_EXIT_DISC', 0x80, '04 00000001'],
  ['05', 'LOCAL_PREF', 0x40, '04 00000064'],
  ['06', 'ATOMIC_AGGREGATE', 0x40, '00'],
  ['07', 'AGGREGATOR', 0xc0, '08 0000fde90a000001'],
  ['08', 'COMMUNITIES', 0xc0, '04 fde90064'],
  ['09', 'ORIGINATOR_ID', 0x80, '04 0a000005'],
  ['0a', 'CLUSTER_LIST', 0x80, '04 0a000005'],
  ['10', 'EXTENDED_COMMUNITIES', 0xc0, '08 0002fde900000064'],
  ['20', 'LARGE_COMMUNITIES', 0xc0, '0c 0000fde90000000100000002'],
  ['23', 'ONLY_TO_CUSTOMER', 0xc0, '04 0000fde9'],
]

const flagRows = (
  [code, name, right, value]: (typeof GOOD_VALUES)[number],
  session: Session,
): AttributeRow[] => {
  const at = (flags: number): string => `${flags.toString(16).padStart(2, '0')} ${code} ${value}`
  const wrong = [0x00, 0x40, 0x80, 0xc0].filter((flags) => flags !== right)
  return [
    ...wrong.map((flags): AttributeRow => [
      `${name} with flags 0x${flags.toString(16)}`,
      session,
      at(flags),
      'route',
    ]),
    // "The Optional or Transitive bits": the partial bit and the unused ones are of no concern.
    [`${name} with the partial bit`, session, at(right | 0x20), 'nothing'],
    [`${name} with the unused bits`, session, at(right | 0x0f), 'nothing'],
  ]
}

export const FLAG_ERRORS: readonly AttributeGroup[] = [
  {
    rule: 'RFC 7606 section 3 c: flags in conflict with the attribute',
    carriers: ['ipv4'],
    rows: GOOD_VALUES.flatMap((it) => flagRows(it, 'iBGP')),
  },
]
