import { describe, expect, test } from 'vitest'
import { decodeLink, decodeLinkAddress } from '../../../src/linux/link-message.ts'
import { MessageBuilder, viewOf } from '../../../src/linux/netlink.ts'

const text = (of: string): Uint8Array => new TextEncoder().encode(`${of}\0`)

/** The body of a message that `fill` writes. */
function body(fill: (to: MessageBuilder) => void): [DataView, number, number] {
  const builder = new MessageBuilder(512).begin(0, 0, 0)
  fill(builder)
  return [viewOf(builder.bytes), 16, builder.length]
}

describe('links', () => {
  const link = (family: number, flags: number, more: (to: MessageBuilder) => void = () => {}) =>
    body((to) => {
      to.u8(family).u8(0).u16(1).u32(7).u32(flags).u32(0).end()
      to.attribute(3, text('br-12ab')).attributeU32(4, 1400)
      more(to)
    })

  test('a bridge port, up, with carrier', () => {
    const it = link(0, 0x10001, (to) => {
      to.attributeU32(10, 5)
      to.attribute(18, Uint8Array.of(9, 0, 1, 0, ...text('veth'), 0, 0, 0)) // IFLA_LINKINFO
    })
    expect(decodeLink(...it)).toEqual({
      index: 7,
      name: 'br-12ab',
      kind: 'veth',
      up: true,
      carrier: true,
      loopback: false,
      mtu: 1400,
      master: 5,
    })
  })

  const flags: readonly [title: string, flags: number, found: object][] = [
    ['down', 0, { up: false, carrier: false, loopback: false }],
    ['up without carrier', 1, { up: true, carrier: false, loopback: false }],
    ['loopback', 0x10009, { up: true, carrier: true, loopback: true }],
  ]
  test.each(flags)('%s', (_, bits, found) => {
    expect(decodeLink(...link(0, bits))).toMatchObject({ kind: '', master: 0, ...found })
  })

  test('a port told by its bridge (AF_BRIDGE) is no link of its own', () => {
    expect(decodeLink(...link(7, 1))).toBeUndefined()
  })

  test('a message cut short is none', () => {
    const [view, from] = link(0, 1)
    expect(decodeLink(view, from, from + 15)).toBeUndefined()
  })
})

describe('addresses', () => {
  const of = (family: number, length: number, flags: number, fill: (to: MessageBuilder) => void) =>
    body((to) => {
      to.u8(family).u8(length).u8(flags).u8(0).u32(7).end()
      fill(to)
    })
  const near = Uint8Array.of(10, 0, 0, 1)
  const far = Uint8Array.of(10, 0, 0, 2)
  const v6 = Uint8Array.of(0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1)

  test('on a network', () => {
    const it = of(2, 24, 0x80, (to) => to.attribute(1, near).attribute(2, near))
    expect(decodeLinkAddress(...it)).toMatchObject({
      link: 7,
      address: { text: '10.0.0.1' },
      length: 24,
      scope: 0,
      tentative: false,
    })
    expect(decodeLinkAddress(...it)).not.toHaveProperty('peer')
  })

  test('point to point', () => {
    const it = of(2, 32, 0x80, (to) => to.attribute(1, far).attribute(2, near))
    expect(decodeLinkAddress(...it)).toMatchObject({
      address: { text: '10.0.0.1' },
      peer: { text: '10.0.0.2' },
    })
  })

  const states: readonly [title: string, flags: number, tentative: boolean][] = [
    ['settled', 0x80, false],
    ['tentative', 0xc0, true],
    ['tentative but optimistic (RFC 4429)', 0xc4, false],
    ['a duplicate', 0x88, true],
  ]
  test.each(states)('IPv6, %s', (_, flags, tentative) => {
    const long = of(10, 64, 0, (to) => to.attribute(1, v6).attributeU32(8, flags))
    const short = of(10, 64, flags, (to) => to.attribute(1, v6))
    for (const it of [long, short]) {
      expect(decodeLinkAddress(...it)).toMatchObject({
        address: { text: '2001:db8::1' },
        tentative,
      })
    }
  })

  test('without an address, or cut short, it is none', () => {
    expect(decodeLinkAddress(...of(2, 24, 0, () => {}))).toBeUndefined()
    expect(decodeLinkAddress(viewOf(new Uint8Array(7)), 0, 7)).toBeUndefined()
  })
})
