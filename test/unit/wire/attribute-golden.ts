/**
 * One attribute set, each row with its bytes on the wire by hand from the RFC, its canonical bytes (where
 * they differ) and what it reads as.
 */
import type { AttributeDescription } from '../../../src/wire/attributes/describe.ts'

export interface GoldenAttribute {
  readonly name: string
  readonly wire: string
  readonly canonical?: string
  readonly reads: Partial<AttributeDescription>
}

/** From an internal peer with four-octet AS numbers, in ascending order. */
export const GOLDEN: readonly GoldenAttribute[] = [
  { name: 'ORIGIN', wire: '40 01 01 00', reads: { origin: 'IGP' } },
  {
    name: 'AS_PATH',
    wire: '40 02 14  02 02 0000fde9 fa56ea01  01 02 00000001 00000002',
    reads: { asPath: '65001 4200000001 {1,2}' },
  },
  { name: 'NEXT_HOP', wire: '40 03 04 0a000001', reads: { nextHop: '10.0.0.1' } },
  { name: 'MULTI_EXIT_DISC', wire: '80 04 04 ffffffff', reads: { med: 4_294_967_295 } },
  { name: 'LOCAL_PREF', wire: '40 05 04 000000c8', reads: { localPref: 200 } },
  { name: 'ATOMIC_AGGREGATE', wire: '40 06 00', reads: { atomicAggregate: true } },
  {
    name: 'AGGREGATOR',
    wire: 'c0 07 08 fa56ea01 0a000009',
    reads: { aggregator: '4200000001 10.0.0.9' },
  },
  {
    name: 'COMMUNITIES',
    wire: 'c0 08 0c fde90064 ffffff01 ffff029a',
    reads: { communities: ['65001:100', 'no-export', 'blackhole'] },
  },
  { name: 'ORIGINATOR_ID', wire: '80 09 04 0a000007', reads: { originatorId: '10.0.0.7' } },
  {
    name: 'CLUSTER_LIST',
    wire: '80 0a 08 0a000001 0a000002',
    reads: { clusterList: ['10.0.0.1', '10.0.0.2'] },
  },
  {
    name: 'MP_REACH_NLRI',
    wire: `80 0e 2a 0002 01 20 20010db8000000000000000000000001 fe800000000000000000000000000001
           00 20 20010db8`,
    canonical:
      '80 0e 25 0002 01 20 20010db8000000000000000000000001 fe800000000000000000000000000001 00',
    reads: { nextHop: '2001:db8::1', nextHopLinkLocal: 'fe80::1', reachFamily: 'ipv6' },
  },
  { name: 'MP_UNREACH_NLRI', wire: '80 0f 08 0002 01 20 20010db9', canonical: '', reads: {} },
  {
    name: 'EXTENDED_COMMUNITIES',
    wire: `c0 10 28 0002fde900000064 0203fa56ea010005 01020a0000010007 4004fde94cee6b28
           0600000000000001`,
    reads: {
      extendedCommunities: [
        'rt:65001:100',
        'ro:4200000001:5',
        'rt:10.0.0.1:7',
        'bandwidth:65001:125000000',
        'generic:0x06000000:0x00000001',
      ],
    },
  },
  {
    name: 'LARGE_COMMUNITIES',
    wire: 'c0 20 18 0000fde9 00000001 00000002  fa56ea01 ffffffff 00000000',
    reads: { largeCommunities: ['65001:1:2', '4200000001:4294967295:0'] },
  },
  {
    name: 'ONLY_TO_CUSTOMER',
    wire: 'c0 23 04 fa56ea01',
    reads: { onlyToCustomer: 4_200_000_001 },
  },
  {
    name: 'attribute 99',
    wire: 'c0 63 02 beef',
    canonical: 'e0 63 02 beef',
    reads: { unknown: [{ code: 99, flags: 0xe0, value: 'beef' }] },
  },
]
