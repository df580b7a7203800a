import { describe, expect, test } from 'vitest'
import { address, wordsOf } from '../../../src/net/address.ts'
import { factsOf } from '../../../src/net/family.ts'
import { prefix } from '../../../src/net/prefix.ts'
import {
  ROUTE_DELETE,
  ROUTE_PUT,
  type KernelOptions,
  type KernelTarget,
} from '../../../src/fib/kernel.ts'
import { eachMessage, viewOf } from '../../../src/linux/netlink.ts'
import { RouteEncoder, plainDefinition } from '../../../src/linux/route-encoder.ts'
import { decodeRoute } from '../../../src/linux/route-message.ts'

const ID = 0x4c000001
const OPTIONS: KernelOptions = { table: 254, metric: 20, protocol: 179, preferredSource: {} }

/** The bytes of one message, as hexadecimal words separated like the table below. */
function encoded(
  text: string,
  options: Partial<KernelOptions> = {},
  target?: KernelTarget,
  operation: number = ROUTE_PUT,
): string {
  const { family, bytes, length } = prefix(text)
  const encoder = new RouteEncoder({ ...OPTIONS, ...options })
  if (target !== undefined) encoder.define(ID, plainDefinition(family, target))
  encoder.encode(operation, factsOf(family).index, wordsOf(bytes), 0, length, ID, 7)
  return spaced(encoder.bytes.subarray(0, encoder.length))
}

const spaced = (bytes: Uint8Array): string =>
  (
    Array.from(bytes, (b) => b.toString(16).padStart(2, '0'))
      .join('')
      .match(/.{8}/g) ?? []
  ).join(' ')

const lines = (...parts: readonly string[]): string => parts.join(' ')

const via = (text: string, link: number, more = {}) => ({ via: address(text), link, ...more })

describe('golden bytes', () => {
  const cases: readonly [title: string, made: () => string, golden: string][] = [
    [
      'an IPv4 route to an object',
      () => encoded('10.244.7.0/26'),
      lines(
        '34000000 18000105 07000000 00000000', // 52 bytes, RTM_NEWROUTE, REQUEST|REPLACE|CREATE
        '021a0000 feb30001 00000000', // AF_INET /26, main, 179, universe, unicast
        '08000100 0af40700', // RTA_DST
        '08000600 14000000', // RTA_PRIORITY
        '08001e00 0100004c', // RTA_NH_ID
      ),
    ],
    [
      'the IPv4 default route',
      () => encoded('0.0.0.0/0'),
      lines(
        '34000000 18000105 07000000 00000000',
        '02000000 feb30001 00000000',
        '08000100 00000000 08000600 14000000 08001e00 0100004c',
      ),
    ],
    [
      'an IPv6 route to an object',
      () => encoded('2001:db8:ff00::/40'),
      lines(
        '40000000 18000105 07000000 00000000',
        '0a280000 feb30001 00000000',
        '14000100 20010db8 ff000000 00000000 00000000',
        '08000600 14000000 08001e00 0100004c',
      ),
    ],
    [
      'a table beyond 255 and a preferred source',
      () =>
        encoded('10.0.0.0/8', { table: 1000, preferredSource: { ipv4: address('172.17.0.1') } }),
      lines(
        '44000000 18000105 07000000 00000000',
        '02080000 00b30001 00000000',
        '08000100 0a000000 08000600 14000000',
        '08000f00 e8030000', // RTA_TABLE
        '08001e00 0100004c',
        '08000700 ac110001', // RTA_PREFSRC
      ),
    ],
    [
      'a delete matches any scope, and names protocol and metric',
      () => encoded('10.0.0.0/8', {}, undefined, ROUTE_DELETE),
      lines(
        '2c000000 19000100 07000000 00000000',
        '02080000 feb3ff00 00000000',
        '08000100 0a000000 08000600 14000000',
      ),
    ],
    [
      'a blackhole has no source',
      () =>
        encoded(
          '10.0.0.0/8',
          { preferredSource: { ipv4: address('172.17.0.1') } },
          { kind: 'blackhole' },
        ),
      lines(
        '2c000000 18000105 07000000 00000000',
        '02080000 feb30006 00000000',
        '08000100 0a000000 08000600 14000000',
      ),
    ],
    [
      'a gateway, on-link',
      () =>
        encoded(
          '10.0.0.0/8',
          {},
          { kind: 'gateways', hops: [via('192.0.2.1', 3, { onLink: true })] },
        ),
      lines(
        '3c000000 18000105 07000000 00000000',
        '02080000 feb30001 04000000', // RTNH_F_ONLINK
        '08000100 0a000000 08000600 14000000',
        '08000400 03000000', // RTA_OIF
        '08000500 c0000201', // RTA_GATEWAY
      ),
    ],
    [
      'an IPv4 route over two gateways, one of them IPv6',
      () =>
        encoded(
          '10.0.0.0/8',
          {},
          {
            kind: 'gateways',
            hops: [via('192.0.2.1', 3, { weight: 2 }), via('fe80::1%eth0', 4)],
          },
        ),
      lines(
        '60000000 18000105 07000000 00000000',
        '02080000 feb30001 00000000',
        '08000100 0a000000 08000600 14000000',
        '34000900', // RTA_MULTIPATH
        '10000001 03000000 08000500 c0000201', // struct rtnexthop, weight - 1
        // RTA_VIA: family, then the address, padded
        '20000000 04000000 16001200 0a00fe80 00000000 00000000 00000000 00010000',
      ),
    ],
  ]
  test.each(cases)('%s', (_, made, golden) => {
    expect(made()).toBe(golden)
  })
})

describe('what is encoded can be decoded', () => {
  const hops = [
    [via('10.1.0.2', 3)],
    [via('10.1.0.2', 3, { onLink: true })],
    [via('10.1.0.2', 3), via('10.2.0.2', 4, { weight: 256 })],
    [via('fe80::1', 3), via('10.2.0.2', 4, { onLink: true })],
    [{ link: 5 }],
  ]
  test.each(hops.map((it) => [it] as const))('%j', (hopsOfRoute) => {
    const encoder = new RouteEncoder(OPTIONS)
    encoder.define(ID, plainDefinition('ipv4', { kind: 'gateways', hops: hopsOfRoute }))
    encoder.encode(ROUTE_PUT, 0, Int32Array.of(0x0a000000), 0, 8, ID, 1)
    const view = viewOf(encoder.bytes)
    const found: unknown[] = []
    eachMessage(view, encoder.length, (_type, _flags, _sequence, from, to) => {
      found.push(decodeRoute(view, from, to))
    })
    expect(found).toMatchObject([
      { prefix: { text: '10.0.0.0/8' }, metric: 20, protocol: 179, table: 254, nextHopId: 0 },
    ])
    expect(found).toMatchObject([{ hops: hopsOfRoute }])
  })
})

test('a full batch says so and stays as it was', () => {
  const encoder = new RouteEncoder(OPTIONS, 256)
  const words = Int32Array.of(0x0a000000)
  let count = 0
  while (encoder.encode(ROUTE_PUT, 0, words, 0, 8, ID, count)) count++
  expect(count).toBeGreaterThan(0)
  expect(encoder.length).toBe(count * 52)
  encoder.reset()
  expect(encoder.encode(ROUTE_PUT, 0, words, 0, 8, ID, 0)).toBe(true)
})

test('an id goes back to its object when the definition is taken away', () => {
  const encoder = new RouteEncoder(OPTIONS)
  const make = (): string => {
    encoder.reset()
    encoder.encode(ROUTE_PUT, 0, Int32Array.of(0x0a000000), 0, 8, ID, 7)
    return spaced(encoder.bytes.subarray(0, encoder.length))
  }
  const before = make()
  encoder.define(ID, plainDefinition('ipv4', { kind: 'unreachable' }))
  expect(make()).toContain('feb30007')
  encoder.define(ID, undefined)
  expect(make()).toBe(before)
})
