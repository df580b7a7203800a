import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { IPV4, IPV6, type FamilyFacts } from '../../../src/net/family.ts'
import { prefixOf } from '../../../src/net/prefix.ts'
import { addressFromBytes } from '../../../src/net/address.ts'
import { PrefixTable } from '../../../src/rib/prefix-table.ts'
import { endOfRib, shortestAnnouncement, UpdateWriter } from '../../../src/rib/update-writer.ts'
import { Framer } from '../../../src/wire/framer.ts'
import { encodeAttributes } from '../../../src/wire/attributes/describe.ts'
import { updateAsText, type UpdateAsText } from '../../support/update-text.ts'
import { toHex } from '../wire/hex.ts'

const SESSION = { external: true, fourOctetAs: true, addPath: [] }

const lengthsOf = (bytes: Uint8Array): number[] => messagesOf(bytes).map(({ length }) => length)
const textsOf = (bytes: Uint8Array): UpdateAsText[] => messagesOf(bytes).map(({ text }) => text)

/** Frames what was written as the far end does, and reads it. */
function messagesOf(bytes: Uint8Array) {
  const framer = new Framer()
  const messages: { length: number; text: UpdateAsText }[] = []
  framer.push(bytes)
  while (framer.next()) {
    const { type, buffer, start, end } = framer
    expect(type).toBe(2)
    messages.push({ length: 19 + end - start, text: updateAsText(buffer, start, end, SESSION) })
  }
  return messages
}

function table(family: FamilyFacts) {
  const prefixes = new PrefixTable(family)
  const add = (i: number, length: number = family.bits): number => {
    const bytes = new Uint8Array(family.bits / 8)
    bytes.set([10 + (i >> 16), i >> 8, i])
    bytes[bytes.length - 1] = i
    const id = prefixes.internPrefix(prefixOf(addressFromBytes(bytes), length))
    prefixes.retain(id)
    return id
  }
  return { prefixes, add }
}

const KINDS: readonly [what: string, family: FamilyFacts, nextHopBytes: number][] = [
  ['ipv4', IPV4, 4],
  ['ipv6', IPV6, 16],
  ['ipv4 with an IPv6 next hop', IPV4, 16],
  ['ipv4 with two IPv6 next hops', IPV4, 32],
]

describe.each(KINDS)('%s UPDATEs', (_, family, nextHopBytes) => {
  const inReach = nextHopBytes > 4
  const nextHop = new Uint8Array(nextHopBytes).fill(0x20)
  if (nextHopBytes === 32) nextHop.set([0xfe, 0x80], 16)
  const attributes = encodeAttributes({
    asPath: '65001',
    ...(inReach ? {} : { nextHop: '10.0.0.1' }),
  })

  test('hold as many prefixes as fit, and the rest goes into the next', () => {
    const { prefixes, add } = table(family)
    const writer = new UpdateWriter(prefixes, 4096)
    const ids = Array.from({ length: 2000 }, (_, i) => add(i))
    writer.openAnnouncement(attributes, attributes.length, nextHop)
    for (const id of ids) writer.add(id)
    writer.close()
    const messages = messagesOf(writer.take())
    const size = 1 + family.bits / 8
    for (const { length } of messages.slice(0, -1)) {
      expect(length).toBeLessThanOrEqual(4096)
      expect(length).toBeGreaterThan(4096 - size)
    }
    expect(messages.flatMap(({ text }) => text.announce)).toEqual(
      ids.map((id) => prefixes.text(id)),
    )
    expect(messages.every(({ text }) => text.set?.asPath === '65001')).toBe(true)
  })

  test('withdraw as many as fit', () => {
    const { prefixes, add } = table(family)
    const writer = new UpdateWriter(prefixes, 4096)
    const ids = Array.from({ length: 2000 }, (_, i) => add(i))
    writer.openWithdrawal()
    for (const id of ids) writer.add(id)
    writer.close()
    const bytes = writer.take()
    expect(Math.max(...lengthsOf(bytes))).toBeLessThanOrEqual(4096)
    const gone = textsOf(bytes).flatMap(({ withdraw }) => withdraw)
    expect(gone).toEqual(ids.map((id) => prefixes.text(id)))
  })

  test('without a prefix are not written', () => {
    const writer = new UpdateWriter(table(family).prefixes, 4096)
    writer.openAnnouncement(attributes, attributes.length, nextHop)
    writer.close()
    writer.openWithdrawal()
    writer.close()
    expect(writer.length).toBe(0)
  })

  test('say when the chunk should be taken', () => {
    const { prefixes, add } = table(family)
    const writer = new UpdateWriter(prefixes, 4096)
    const ids = Array.from({ length: 5000 }, (_, i) => add(i))
    const chunks: Uint8Array[] = []
    writer.openWithdrawal()
    for (let round = 0; round < 10; round++) {
      for (const id of ids) {
        if (writer.full) {
          writer.close()
          chunks.push(writer.take())
          writer.openWithdrawal()
        }
        writer.add(id)
      }
    }
    writer.close()
    chunks.push(writer.take())
    expect(chunks.length).toBeGreaterThan(2)
    const gone = chunks.flatMap((chunk) => textsOf(chunk)).flatMap(({ withdraw }) => withdraw ?? [])
    expect(gone).toHaveLength(10 * ids.length)
  })

  test('the longest attributes that fit leave room for one prefix of any length, one byte more for none', () => {
    const { prefixes, add } = table(family)
    const spare = 4096 - shortestAnnouncement(family, 0, nextHop.length)
    const long = (length: number): Uint8Array => {
      const rest = length - attributes.length - 4
      const unknown = [{ code: 200, flags: 0xe0, value: '00'.repeat(rest) }]
      const values = { asPath: '65001', ...(inReach ? {} : { nextHop: '10.0.0.1' }), unknown }
      return encodeAttributes(values)
    }
    const fits = long(spare)
    const writer = new UpdateWriter(prefixes, 4096)
    writer.openAnnouncement(fits, fits.length, nextHop)
    for (let i = 0; i < 3; i++) writer.add(add(i))
    writer.close()
    expect(lengthsOf(writer.take())).toEqual([4096, 4096, 4096])
    const tooLong = long(spare + 1)
    expect(() => writer.openAnnouncement(tooLong, tooLong.length, nextHop)).toThrow(RangeError)
  })

  test('End-of-RIB is what RFC 4724 says', () => {
    const bytes = endOfRib(family)
    expect(textsOf(bytes)).toEqual([{ endOfRib: family.name }])
    expect(toHex(bytes.subarray(16))).toBe(
      family.index === 1 ? '001d0200000006800f03000201' : '00170200000000',
    )
  })

  test('any mix is read as it was written, in messages of any size', () => {
    const run = fc.record({
      announce: fc.boolean(),
      count: fc.nat({ max: 60 }),
      bits: fc.nat({ max: family.bits }),
      med: fc.nat(),
    })
    const most = fc.constantFrom(200, 4096, 65_535)
    fc.assert(
      fc.property(fc.array(run, { maxLength: 8 }), most, (runs, maxMessage) => {
        const { prefixes, add } = table(family)
        const writer = new UpdateWriter(prefixes, maxMessage)
        const written: string[] = []
        for (const { announce, count, bits, med } of runs) {
          const set = encodeAttributes({
            asPath: '65001',
            med,
            ...(inReach ? {} : { nextHop: '10.0.0.1' }),
          })
          if (announce) writer.openAnnouncement(set, set.length, nextHop)
          else writer.openWithdrawal()
          for (let i = 0; i < count; i++) {
            const id = add(i, bits)
            writer.add(id)
            written.push(`${prefixes.text(id)} ${announce ? med : 'gone'}`)
          }
          writer.close()
        }
        const bytes = writer.take()
        for (const length of lengthsOf(bytes)) expect(length).toBeLessThanOrEqual(maxMessage)
        const read = textsOf(bytes).flatMap(({ announce = [], withdraw = [], set }) => [
          ...withdraw.map((text) => `${text} gone`),
          ...announce.map((text) => `${text} ${set?.med}`),
        ])
        expect(read).toEqual(written)
      }),
      { seed: 14, numRuns: 200 },
    )
  })
})
