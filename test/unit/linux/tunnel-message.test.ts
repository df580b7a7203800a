import { expect, test } from 'vitest'
import { MessageBuilder } from '../../../src/linux/netlink.ts'
import { adjustTunnel, createTunnel, deleteLink } from '../../../src/linux/tunnel-message.ts'

const hardwareAddress = Uint8Array.of(2, 0x4c, 10, 0, 1, 1)

const cases: readonly [title: string, make: (to: MessageBuilder) => void, golden: string][] = [
  [
    'an IP-in-IP device without a far end',
    (to) => createTunnel(to, 7, 'ipip0', { kind: 'ipip' }, 1480),
    `4c000000 10000106 07000000 00000000 00000000 00000000 01000000 01000000
     0a000300 69706970 30000000 08000400 c8050000
     18001200 09000100 69706970 00000000 08000200 04001300`,
  ],
  [
    'a VXLAN-GPE device without a far end',
    (to) =>
      createTunnel(to, 7, 'vx', { kind: 'vxlan', port: 4790, gpe: true, hardwareAddress }, 1464),
    `60000000 10000106 07000000 00000000 00000000 00000000 01000000 01000000
     07000300 76780000 08000400 b8050000 30001200 0a000100 76786c61 6e000000
     20000200 05000700 00000000 06000f00 12b60000 05001900 01000000 04001b00`,
  ],
  [
    'a VXLAN device likewise, with Ethernet inside',
    (to) =>
      createTunnel(to, 7, 'vx', { kind: 'vxlan', port: 4789, gpe: false, hardwareAddress }, 1450),
    `68000000 10000106 07000000 00000000 00000000 00000000 01000000 01000000
     07000300 76780000 08000400 aa050000 0a000100 024c0a00 01010000 2c001200 0a000100 76786c61 6e000000
     1c000200 05000700 00000000 06000f00 12b50000 05001900 01000000`,
  ],
  [
    'a device is taken up, with another MTU',
    (to) => adjustTunnel(to, 7, 5, 1380),
    `28000000 10000100 07000000 00000000 00000000 05000000 01000000 01000000 08000400 64050000`,
  ],
  [
    'a device is removed',
    (to) => deleteLink(to, 7, 5),
    `20000000 11000100 07000000 00000000 00000000 05000000 00000000 00000000`,
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
