import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { addressFromBytes, addressFromWords } from '../../../src/net/address.ts'
import { FAMILIES, IPV4, IPV6 } from '../../../src/net/family.ts'
import { prefixOf } from '../../../src/net/prefix.ts'
import { NlriColumns, nlriSize } from '../../../src/wire/nlri.ts'
import { concat, nlriOf } from '../../support/update-builder.ts'
import { hex, toHex } from './hex.ts'

function decode(family: typeof IPV4, bytes: Uint8Array, start = 0, end = bytes.length) {
  const nlri = new NlriColumns(family)
  const good = nlri.decode(bytes, start, end)
  const texts = Array.from({ length: nlri.count }, (_, i) => {
    const address = addressFromWords(family.name, nlri.words, i * nlri.stride)
    return `${address.text}/${nlri.lengths[i]}`
  })
  return { good, texts }
}

describe('prefixes as the wire packs them', () => {
  const cases: readonly [wire: string, family: typeof IPV4, texts: readonly string[]][] = [
    ['', IPV4, []],
    ['00', IPV4, ['0.0.0.0/0']],
    ['0000', IPV4, ['0.0.0.0/0', '0.0.0.0/0']],
    ['08 0a', IPV4, ['10.0.0.0/8']],
    ['01 80', IPV4, ['128.0.0.0/1']],
    ['18 0a0102', IPV4, ['10.1.2.0/24']],
    ['1a 0af40740', IPV4, ['10.244.7.64/26']],
    ['20 ffffffff', IPV4, ['255.255.255.255/32']],
    ['08 0a 10 c0a8 00', IPV4, ['10.0.0.0/8', '192.168.0.0/16', '0.0.0.0/0']],
    ['00', IPV6, ['::/0']],
    ['20 20010db8', IPV6, ['2001:db8::/32']],
    ['31 20010db8000180', IPV6, ['2001:db8:1:8000::/49']],
    [`80 20010db8${'00'.repeat(11)}01`, IPV6, ['2001:db8::1/128']],
    ['03 20 20 20010db8', IPV6, ['2000::/3', '2001:db8::/32']],
  ]
  test.each(cases)('%s', (wire, family, texts) => {
    expect(decode(family, hex(wire))).toEqual({ good: true, texts })
  })

  const loose: readonly [wire: string, family: typeof IPV4, text: string][] = [
    ['14 0a01ff', IPV4, '10.1.240.0/20'],
    ['01 ff', IPV4, '128.0.0.0/1'],
    ['1f ffffffff', IPV4, '255.255.255.254/31'],
    ['2f 20010db8ffff', IPV6, '2001:db8:fffe::/47'],
    ['21 20010db8ff', IPV6, '2001:db8:8000::/33'],
  ]
  test.each(loose)('bits behind the length mean nothing: %s', (wire, family, text) => {
    expect(decode(family, hex(wire)).texts).toEqual([text])
  })

  test('what stands beside the field is not read into it', () => {
    const bytes = hex('ffff 08 0a ffffffffffffffffffffffffffffffffff')
    expect(decode(IPV4, bytes, 2, 4)).toEqual({ good: true, texts: ['10.0.0.0/8'] })
    expect(decode(IPV6, bytes, 2, 4)).toEqual({ good: true, texts: ['a00::/8'] })
  })

  const broken: readonly [what: string, wire: string, family: typeof IPV4, good: number][] = [
    ['an IPv4 length of 33', '21 0a00000000', IPV4, 0],
    ['an IPv6 length of 129', `81 ${'00'.repeat(17)}`, IPV6, 0],
    ['a length of 255', 'ff', IPV4, 0],
    ['a prefix that ends too early', '08 0a 18 0a01', IPV4, 1],
    ['an IPv6 prefix that ends too early', '80 20010db8', IPV6, 0],
    ['a length and nothing more', '08 0a 08', IPV4, 1],
  ]
  test.each(broken)('%s is refused', (_, wire, family, good) => {
    const result = decode(family, hex(wire))
    expect(result.good).toBe(false)
    expect(result.texts).toHaveLength(good)
  })

  test('the columns hold as many as the longest message can have', () => {
    const nlri = new NlriColumns(IPV4)
    expect(nlri.decode(new Uint8Array(65_535), 0, 65_535)).toBe(true)
    expect(nlri.count).toBe(65_535)
  })

  test('each decoding begins anew', () => {
    const nlri = new NlriColumns(IPV4)
    nlri.decode(hex('08 0a 08 0b'), 0, 4)
    nlri.decode(hex('08 0c'), 0, 2)
    expect([nlri.count, nlri.words[0] >>> 24]).toEqual([1, 12])
  })
})

describe('prefixes behind path identifiers (RFC 7911 section 3)', () => {
  function decodeWithIds(family: typeof IPV4, bytes: Uint8Array, start = 0, end = bytes.length) {
    const nlri = new NlriColumns(family)
    const good = nlri.decodeWithPathIds(bytes, start, end)
    const texts = Array.from({ length: nlri.count }, (_, i) => {
      const address = addressFromWords(family.name, nlri.words, i * nlri.stride)
      return `${address.text}/${nlri.lengths[i]}#${nlri.pathIds[i] >>> 0}`
    })
    return { good, texts }
  }

  const cases: readonly [wire: string, family: typeof IPV4, texts: readonly string[]][] = [
    ['', IPV4, []],
    ['00000000 00', IPV4, ['0.0.0.0/0#0']],
    ['00000001 08 0a 00000002 08 0a', IPV4, ['10.0.0.0/8#1', '10.0.0.0/8#2']],
    ['ffffffff 1a 0af4077f', IPV4, ['10.244.7.64/26#4294967295']],
    ['80000000 20 ffffffff', IPV4, ['255.255.255.255/32#2147483648']],
    ['00000007 00', IPV6, ['::/0#7']],
    ['00000007 31 20010db80001ff', IPV6, ['2001:db8:1:8000::/49#7']],
    [`00000007 80 20010db8${'00'.repeat(11)}01`, IPV6, ['2001:db8::1/128#7']],
  ]
  test.each(cases)('%s', (wire, family, texts) => {
    expect(decodeWithIds(family, hex(wire))).toEqual({ good: true, texts })
    const framed = concat([0xff], hex(wire), [0x08])
    expect(decodeWithIds(family, framed, 1, framed.length - 1)).toEqual({ good: true, texts })
  })

  const broken: readonly [what: string, wire: string, family: typeof IPV4, good: number][] = [
    ['an identifier cut off', '000000', IPV4, 0],
    ['an identifier and nothing more', '00000001 08 0a 00000002', IPV4, 1],
    ['an IPv4 length of 33', '00000001 21 0a00000000', IPV4, 0],
    ['an IPv6 length of 129', `00000001 81 ${'00'.repeat(17)}`, IPV6, 0],
    ['a prefix that ends too early', '00000001 18 0a01', IPV4, 0],
    ['a prefix without an identifier', '18 0a0102', IPV4, 0],
  ]
  test.each(broken)('%s is refused', (_, wire, family, good) => {
    const result = decodeWithIds(family, hex(wire))
    expect(result.good).toBe(false)
    expect(result.texts).toHaveLength(good)
  })

  test.each(FAMILIES)('any $name paths are read as they were written', (family) => {
    const bytes = fc.uint8Array({ minLength: family.bits / 8, maxLength: family.bits / 8 })
    const path = fc
      .tuple(bytes, fc.nat({ max: family.bits }), fc.nat({ max: 0xffffffff }))
      .map(([address, length, pathId]) => ({
        ...prefixOf(addressFromBytes(address), length),
        pathId,
      }))
    fc.assert(
      fc.property(fc.array(path, { maxLength: 20 }), (paths) => {
        const read = decodeWithIds(family, nlriOf(paths))
        expect(read.texts).toEqual(paths.map(({ text, pathId }) => `${text}#${pathId}`))
        expect(read.good).toBe(true)
      }),
      { seed: 6, numRuns: 300 },
    )
  })
})

describe.each(FAMILIES)('any $name prefixes', (family) => {
  const bytes = fc.uint8Array({ minLength: family.bits / 8, maxLength: family.bits / 8 })
  const prefix = fc
    .tuple(bytes, fc.nat({ max: family.bits }))
    .map(([address, length]) => prefixOf(addressFromBytes(address), length))

  test('are read as they were written, in as many bytes as it takes', () => {
    fc.assert(
      fc.property(fc.array(prefix, { maxLength: 20 }), (prefixes) => {
        const wire = nlriOf(prefixes)
        expect(wire).toHaveLength(prefixes.reduce((sum, it) => sum + nlriSize(it.length), 0))
        const framed = concat([0xff], wire, [0xff])
        const read = decode(family, framed, 1, 1 + wire.length)
        expect(read).toEqual({ good: true, texts: prefixes.map(({ text }) => text) })
      }),
      { seed: 6, numRuns: 300 },
    )
  })

  test('random bytes are read to the end, or refused', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), (wire) => {
        const { good, texts } = decode(family, wire)
        const lengths = texts.map((text) => Number(text.split('/')[1]))
        const used = lengths.reduce((sum, length) => sum + nlriSize(length), 0)
        expect(good ? used === wire.length : used < wire.length, toHex(wire)).toBe(true)
      }),
      { seed: 7, numRuns: 500 },
    )
  })
})
