import { expect, test } from 'vitest'
import type { OverlayOptions } from '../../../src/fib/dataplanes/dataplane.ts'
import { dataplaneOf } from '../../../src/fib/dataplanes/index.ts'
import { internetChecksum, parseAnswer } from '../../../src/linux/icmp.ts'
import { encodePathEcho } from '../../../src/linux/path-probes.ts'
import { address } from '../../../src/net/address.ts'
import { prefix } from '../../../src/net/prefix.ts'

const OPTIONS: OverlayOptions = {
  mode: 'ipip',
  when: 'always',
  prefixes: [prefix('10.244.0.0/16')],
  acceptFrom: [],
  vxlan: { vni: 10, port: 4790, gpe: true },
}
const PLAIN_VXLAN = { vni: 0xabcdef, port: 4789, gpe: false }

const encode = (more: Partial<OverlayOptions>, bytes: number, wrapped = true): Uint8Array => {
  const options = { ...OPTIONS, ...more }
  const dataplane = dataplaneOf(options.mode)
  const { protocol } = dataplane.outer(options)
  const header = (innerBytes: number): Uint8Array => dataplane.header(options, innerBytes)
  const [to, from] = [address('10.2.0.13'), address('10.244.1.1')]
  return encodePathEcho({ to, from, wrapped, bytes, sequence: 7 }, { protocol, header }, 0x1234)
}
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')

/** What the kernel leaves to us; it fills in source, identification and checksum, which are zero here. */
const outer = (bytes: number, protocol: string): string =>
  `4500${bytes.toString(16).padStart(4, '0')}0000400040${protocol}0000000000000a02000d`
const ECHO = '0800e5c412340007'
const INNER = '4500001c00000000400164de0af401010a02000d'

test.each<[string, Uint8Array, string]>([
  ['plain', encode({}, 28, false), outer(28, '01') + ECHO],
  ['IP-in-IP', encode({}, 48), outer(48, '04') + INNER + ECHO],
  ['Fan', encode({ mode: 'fan' }, 48), outer(48, '04') + INNER + ECHO],
  [
    'VXLAN-GPE',
    encode({ mode: 'vxlan' }, 64),
    `${outer(64, '11')}c00012b6002c00000c00000100000a00${INNER}${ECHO}`,
  ],
  [
    'VXLAN',
    encode({ mode: 'vxlan', vxlan: PLAIN_VXLAN }, 78),
    `${outer(78, '11')}c00012b5003a000008000000abcdef00ffffffffffff024c000000000800${INNER}${ECHO}`,
  ],
])('%s: DF outside, an echo inside', (_, packet, bytes) => {
  expect(hex(packet)).toBe(bytes)
})

test.each([
  ['ipip', 20, OPTIONS.vxlan],
  ['vxlan', 36, OPTIONS.vxlan],
  ['vxlan', 50, PLAIN_VXLAN],
] as const)('%s: a probe has the length that is asked for, and is whole', (mode, innerAt, it) => {
  const packet = encode({ mode, vxlan: it }, 1500)
  expect(packet.length).toBe(1500)
  const inner = packet.subarray(innerAt)
  expect(internetChecksum(inner.subarray(0, 20))).toBe(0)
  expect(internetChecksum(inner.subarray(20))).toBe(0)
  inner[20] = 0
  expect(parseAnswer(inner)).toMatchObject({ kind: 'reply', identifier: 0x1234, sequence: 7 })
})
