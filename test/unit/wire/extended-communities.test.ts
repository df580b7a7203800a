import { expect, test } from 'vitest'
import {
  formatExtendedCommunity,
  linkBandwidthIn,
  parseExtendedCommunity,
} from '../../../src/wire/attributes/extended-communities.ts'
import { hex, toHex } from './hex.ts'

const cases: readonly [bytes: string, text: string][] = [
  ['0002fde9ffffffff', 'rt:65001:4294967295'],
  ['00030000 00000000', 'ro:0:0'],
  ['0102c0000201ffff', 'rt:192.0.2.1:65535'],
  ['0202fa56ea010001', 'rt:4200000001:1'],
  // An AS number that would fit into two octets, in four.
  ['02020000fde90001', 'rt:65001L:1'],
  ['4004fde94cee6b28', 'bandwidth:65001:125000000'],
  ['4004fde93f000000', 'bandwidth:65001:0.5'],
  // The one that goes from AS to AS.
  ['0004fde94cee6b28', 'transitive-bandwidth:65001:125000000'],
  // Not a number, negative, nothing: no rate.
  ['4004fde97fc00000', 'generic:0x4004fde9:0x7fc00000'],
  ['4004fde9bf800000', 'generic:0x4004fde9:0xbf800000'],
  ['4004fde980000000', 'generic:0x4004fde9:0x80000000'],
  // A route target that isn't transitive is another community.
  ['4002fde900000001', 'generic:0x4002fde9:0x00000001'],
  ['030c000000000008', 'generic:0x030c0000:0x00000008'],
]

test.each(cases)('%s is %s', (bytes, text) => {
  expect(formatExtendedCommunity(hex(bytes))).toBe(text)
  expect(toHex(parseExtendedCommunity(text) ?? new Uint8Array(0))).toBe(toHex(hex(bytes)))
})

const bandwidths: readonly [title: string, communities: readonly string[], rate: number][] = [
  ['none', ['0002fde900000001'], 0],
  ['one', ['0002fde900000001', '4004fde94cee6b28'], 125_000_000],
  ['a transitive one', ['0004fde94cee6b28'], 125_000_000],
  ['the lowest of several', ['0004fde94cee6b28', '4004fde93f000000', '4004fde94cee6b28'], 0.5],
  ['nothing, which is the lowest of all', ['4004fde94cee6b28', '4004fde900000000'], 0],
  ['what is no rate', ['4004fde97fc00000', '4004fde9bf800000', '4004fde97f800000'], 0],
  ['what is no rate beside one', ['4004fde97fc00000', '4004fde93f000000'], 0.5],
]

test.each(bandwidths)('link bandwidth (RFC 10005): %s', (_, communities, rate) => {
  expect(linkBandwidthIn(hex(communities.join('')))).toBe(rate)
})
