import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { address, addressFromBytes } from '../../../src/net/address.ts'
import { bridgeAddressOf, bridgeNameOf, fanProblem, hostOf, sliceOf } from '../../../src/net/fan.ts'
import { contains, parseAddressAndLength, prefix, prefixOf } from '../../../src/net/prefix.ts'

/** `10.0.0.0/8 172.16.3.4/16` */
function mappingOf(text: string) {
  const [overlay = '', host = ''] = text.split(' ')
  const parsed = parseAddressAndLength(host)
  if (parsed === undefined) throw new Error(`not a host: ${host}`)
  const underlay = prefixOf(parsed.address, parsed.length)
  return { mapping: { overlay: prefix(overlay), underlay }, host: parsed.address }
}

describe('a host and its slice, of all widths', () => {
  test.each([
    ['10.0.0.0/8 172.16.3.4/16', '10.3.4.0/24', '10.5.6.77', '172.16.5.6'],
    ['250.0.0.0/8 172.16.3.4/16', '250.3.4.0/24', '250.3.4.9', '172.16.3.4'],
    ['99.0.0.0/8 10.88.3.4/16', '99.3.4.0/24', '99.6.7.8', '10.88.6.7'],
    ['99.0.0.0/8 10.99.238.5/20', '99.224.80.0/20', '99.224.80.9', '10.99.238.5'],
    ['33.0.0.0/8 10.111.1.2/12', '33.240.16.32/28', '33.240.16.33', '10.111.1.2'],
    ['100.64.0.0/10 10.224.220.10/24', '100.66.128.0/18', '100.66.200.5', '10.224.220.11'],
    ['240.0.0.0/5 10.88.129.2/20', '240.129.0.0/17', '240.129.0.7', '10.88.129.2'],
    ['10.0.0.0/8 192.168.7.9/24', '10.9.0.0/16', '10.9.255.255', '192.168.7.9'],
    ['10.0.0.0/8 11.1.2.3/8', '10.1.2.3/32', '10.1.2.3', '11.1.2.3'],
    ['0.0.0.0/0 10.0.0.7/32', '0.0.0.0/0', '255.0.0.1', '10.0.0.7'],
  ])('%s: %s', (text, slice, inner, outer) => {
    const { mapping, host } = mappingOf(text)
    expect(fanProblem(mapping)).toBeUndefined()
    expect(sliceOf(mapping, host).text).toBe(slice)
    expect(hostOf(mapping, address(inner)).text).toBe(outer)
  })

  test('every address of a slice leads back to its host, and slices of two hosts are apart', () => {
    const word = fc.uint8Array({ minLength: 4, maxLength: 4 }).map((it) => addressFromBytes(it))
    const widths = fc
      .tuple(fc.nat(32), fc.nat(32))
      .map(([a, b]) => [Math.min(a, b), Math.max(a, b)])
    fc.assert(
      fc.property(widths, word, word, word, word, ([ow = 0, uw = 0], o, host, other, inside) => {
        const mapping = { overlay: prefixOf(o, ow), underlay: prefixOf(host, uw) }
        const slice = sliceOf(mapping, host)
        const mixed = slice.bytes.map(
          (byte, i) => byte | ((inside.bytes[i] ?? 0) & ~maskOf(slice.length, i)),
        )
        expect(contains(mapping.overlay, addressFromBytes(mixed))).toBe(true)
        expect(hostOf(mapping, addressFromBytes(mixed)).text).toBe(host.text)
        const neighbor = addressFromBytes(
          mapping.underlay.bytes.map((byte, i) => byte | ((other.bytes[i] ?? 0) & ~maskOf(uw, i))),
        )
        expect(sliceOf(mapping, neighbor).text === slice.text).toBe(neighbor.text === host.text)
      }),
    )
  })
})

const maskOf = (length: number, i: number): number =>
  (0xff << (8 - Math.min(8, Math.max(0, length - 8 * i)))) & 0xff

test.each([
  ['10.3.4.0/24', 'fan-10-3-4', '10.3.4.1'],
  ['250.0.0.0/24', 'fan-250', '250.0.0.1'],
  ['99.224.80.0/20', 'fan-99-224-80', '99.224.80.1'],
  ['33.240.16.32/28', 'fan-21f01020', '33.240.16.33'],
  ['10.1.2.3/32', 'fan-10-1-2-3', '10.1.2.3'],
])('the bridge of %s is %s with %s', (slice, name, bridgeAddress) => {
  expect(bridgeNameOf(prefix(slice))).toBe(name)
  expect(bridgeAddressOf(prefix(slice)).text).toBe(bridgeAddress)
})

test.each([
  ['2001:db8::/32 10.0.0.1/16', /IPv4 only/],
  ['127.0.0.0/8 10.0.0.1/16', /can't be used for hosts/],
  ['224.0.0.0/8 10.0.0.1/16', /can't be used for hosts/],
  ['10.0.0.0/24 10.88.0.1/16', /write an overlay of \/16 or shorter/],
])('%s is no mapping', (text, words) => {
  expect(fanProblem(mappingOf(text).mapping)).toMatch(words)
})
