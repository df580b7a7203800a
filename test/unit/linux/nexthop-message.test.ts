import { expect, test } from 'vitest'
import { address } from '../../../src/net/address.ts'
import { MessageBuilder, eachMessage, viewOf } from '../../../src/linux/netlink.ts'
import {
  decodeNextHop,
  deleteObject,
  putBlackhole,
  putGroup,
  putSingle,
} from '../../../src/linux/nexthop-message.ts'

const via = (text: string, link: number, more = {}) => ({ via: address(text), link, ...more })

const MEMBERS = [
  { id: 1, weight: 1 },
  { id: 2, weight: 256 },
]

const cases: readonly [title: string, make: (to: MessageBuilder) => void, golden: string][] = [
  [
    'an IPv4 gateway',
    (to) => putSingle(to, 7, 179, 0x4c800000, 'ipv4', via('10.1.0.2', 3)),
    `30000000 68000105 07000000 00000000 0200b300 00000000
     08000100 0000804c 08000500 03000000 08000600 0a010002`,
  ],
  [
    'an IPv6 gateway, on-link, for IPv4 routes',
    (to) => putSingle(to, 7, 179, 1, 'ipv4', via('fe80::1%eth0', 3, { onLink: true })),
    `3c000000 68000105 07000000 00000000 0a00b300 04000000
     08000100 01000000 08000500 03000000 14000600 fe800000 00000000 00000000 00000001`,
  ],
  [
    'a leg into a tunnel: the outer header goes to the gateway, TTL 64, never fragmented',
    (to) => {
      const encap = { id: 10, to: address('10.1.0.2') }
      putSingle(to, 7, 179, 1, 'ipv4', via('10.1.0.2', 3, { onLink: true, encap }))
    },
    `60000000 68000105 07000000 00000000 0200b300 04000000
     08000100 01000000 08000500 03000000 08000600 0a010002 06000700 02000000
     28000880 0c000100 00000000 0000000a 08000200 0a010002 05000400 40000000 06000600 01000000`,
  ],
  [
    'a link alone takes the family of its routes',
    (to) => putSingle(to, 7, 179, 1, 'ipv6', { link: 3 }),
    `28000000 68000105 07000000 00000000 0a00b300 00000000 08000100 01000000 08000500 03000000`,
  ],
  [
    'a group with weights',
    (to) => putGroup(to, 7, 179, { id: 0x4c000000, members: MEMBERS, buckets: 0 }, true),
    `34000000 68000105 07000000 00000000 0000b300 00000000
     08000100 0000004c 14000200 01000000 00000000 02000000 ff000000`,
  ],
  [
    'a group of 64 buckets, which must be there',
    (to) => putGroup(to, 7, 179, { id: 0x4c000000, members: MEMBERS, buckets: 64 }, false),
    `50000000 68000101 07000000 00000000 0000b300 00000000
     08000100 0000004c 14000200 01000000 00000000 02000000 ff000000
     06000300 01000000 14000c80 06000100 40000000 08000200 00000000`,
  ],
  [
    'a single that drops packets',
    (to) => putBlackhole(to, 7, 179, 1),
    `24000000 68000105 07000000 00000000 0200b300 00000000 08000100 01000000 04000400`,
  ],
  [
    'a deletion names no protocol',
    (to) => deleteObject(to, 7, 1),
    `20000000 69000100 07000000 00000000 00000000 00000000 08000100 01000000`,
  ],
]

test.each(cases)('golden bytes: %s', (_, make, golden) => {
  const builder = new MessageBuilder(256)
  make(builder)
  const made = Array.from(builder.bytes.subarray(0, builder.length), (b) =>
    b.toString(16).padStart(2, '0'),
  )
  expect(made.join('').match(/.{8}/g)?.join(' ')).toBe(golden.replace(/\s+/g, ' '))
})

test('what is encoded can be decoded', () => {
  const builder = new MessageBuilder(1024)
  putSingle(builder, 0, 179, 5, 'ipv4', via('10.1.0.2', 3))
  putSingle(builder, 1, 179, 6, 'ipv6', via('fe80::1', 4, { onLink: true }))
  const members = [
    { id: 5, weight: 3 },
    { id: 6, weight: 256 },
  ]
  const encap = { id: 10, to: address('10.1.0.2') }
  putSingle(builder, 2, 179, 9, 'ipv4', via('10.1.0.2', 3, { encap }))
  putGroup(builder, 2, 179, { id: 7, members, buckets: 0 }, true)
  putGroup(builder, 3, 179, { id: 8, members, buckets: 64 }, true)
  const view = viewOf(builder.bytes)
  const found: unknown[] = []
  eachMessage(view, builder.length, (_type, _flags, _sequence, from, to) => {
    found.push(decodeNextHop(view, from, to))
  })
  const common = { protocol: 179, blackhole: false }
  expect(found).toEqual([
    { ...common, id: 5, group: [], hop: via('10.1.0.2', 3) },
    { ...common, id: 6, group: [], hop: via('fe80::1', 4, { onLink: true }) },
    { ...common, id: 9, group: [], hop: via('10.1.0.2', 3, { encap }) },
    { ...common, id: 7, group: members },
    { ...common, id: 8, group: members, resilient: true },
  ])
})

test('a message without id, or cut short, is no object', () => {
  const view = viewOf(new Uint8Array(8))
  expect(decodeNextHop(view, 0, 8)).toBeUndefined()
  expect(decodeNextHop(view, 0, 4)).toBeUndefined()
})
