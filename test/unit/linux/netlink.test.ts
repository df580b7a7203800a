import { describe, expect, test } from 'vitest'
import {
  Attributes,
  MessageBuilder,
  eachMessage,
  readDumpEnd,
  readError,
  viewOf,
} from '../../../src/linux/netlink.ts'

/** `01 02 0304` as bytes. */
const bytes = (hex: string): Uint8Array =>
  Uint8Array.from(hex.replace(/\s+/g, '').match(/../g) ?? [], (pair) => parseInt(pair, 16))

const hex = (of: Uint8Array): string =>
  Array.from(of, (b) => b.toString(16).padStart(2, '0')).join('')

function messagesIn(of: Uint8Array): number[][] {
  const found: number[][] = []
  eachMessage(viewOf(of), of.length, (...message) => found.push(message))
  return found
}

describe('messages', () => {
  const cases: readonly [title: string, bytes: string, found: number[][]][] = [
    ['nothing', '', []],
    ['a header alone', '10000000 0300 0200 07000000 00000000', [[3, 2, 7, 16, 16]]],
    [
      'two, the first padded',
      '11000000 1800 0000 01000000 00000000 aa 000000 10000000 0200 0000 02000000 00000000',
      [
        [24, 0, 1, 16, 17],
        [2, 0, 2, 36, 36],
      ],
    ],
    ['one cut short', '20000000 1800 0000 01000000 00000000 aa', []],
    ['a length of nothing (must not loop)', '00000000 1800 0000 01000000 00000000', []],
    ['half a header', '10000000 1800', []],
  ]
  test.each(cases)('%s', (_, of, found) => {
    expect(messagesIn(bytes(of))).toEqual(found)
  })
})

describe('attributes', () => {
  const scan = (of: string): Attributes => {
    const it = bytes(of)
    return new Attributes(8).scan(viewOf(it), 0, it.length)
  }

  test('are found by kind, flags in the kind ignored, unknown kinds skipped', () => {
    const of = '0800 0180 2a000000  0500 6300 01 000000  0600 0300 6869 0000'
    const view = viewOf(bytes(of))
    const found = scan(of)
    expect(found.u32(view, 1)).toBe(42)
    expect(found.text(view, 3)).toBe('hi')
    expect(found.has(2)).toBe(false)
    expect(found.u32(view, 2, 7)).toBe(7)
    expect(found.u32(view, 3, 9)).toBe(9) // too short for a number
    expect(found.bytes(view, 1)).toEqual(bytes('2a000000'))
    expect(found.bytes(view, 5)).toBeUndefined()
    expect(found.text(view, 5)).toBe('')
  })

  test('from the message before are forgotten', () => {
    const of = bytes('0800 0100 2a000000 0800 0200 2b000000')
    const attributes = new Attributes(8).scan(viewOf(of), 0, 16)
    expect(attributes.scan(viewOf(of), 8, 16).has(1)).toBe(false)
  })

  test.each([
    ['a length below the header', '0300 0100 00000000'],
    ['a length beyond the end', '0900 0100 00000000'],
    ['half a header', '0800'],
  ])('%s ends the list', (_, of) => {
    expect(scan(of).has(1)).toBe(false)
  })
})

describe('errors', () => {
  const header = '10000000 1800 0500 07000000 00000000'
  const text = '0a00 0100 4e6f2e2e 0000 0000' // "No.."
  const cases: readonly [title: string, flags: number, body: string, found: unknown][] = [
    ['an acknowledgement', 0x100, `00000000 ${header}`, undefined],
    ['without text', 0x100, `fdffffff ${header}`, { errno: 3, text: 'ESRCH: no such route' }],
    ['with text', 0x300, `eaffffff ${header} ${text}`, { errno: 22, text: 'EINVAL: No.' }],
    [
      'with text after the request quoted in full',
      0x200,
      `eaffffff 14000000 1800 0500 07000000 00000000 ffffffff ${text}`,
      { errno: 22, text: 'EINVAL: No.' },
    ],
    [
      'with an empty text',
      0x300,
      `9bffffff ${header} 0500 0100 00 000000`,
      {
        errno: 101,
        text: 'ENETUNREACH: network is unreachable',
      },
    ],
    ['cut short', 0, 'eaffffff', { errno: 22, text: 'EINVAL: error message cut short' }],
  ]
  test.each(cases)('%s', (_, flags, body, found) => {
    const of = bytes(body)
    expect(readError(viewOf(of), flags, 0, of.length)).toEqual(found)
  })

  test('a dump may end in one', () => {
    const good = bytes('00000000')
    const bad = bytes(`eaffffff ${text}`)
    expect(readDumpEnd(viewOf(good), 0, 0, 4)).toBeUndefined()
    expect(readDumpEnd(viewOf(good), 0, 0, 0)).toBeUndefined()
    expect(readDumpEnd(viewOf(bad), 0x200, 0, bad.length)).toEqual({
      errno: 22,
      text: 'EINVAL: No.',
    })
  })
})

test('messages are built one after another, lengths and padding right', () => {
  const builder = new MessageBuilder(128)
  builder.begin(24, 0x500, 9).u8(1).u8(2).u16(3).end()
  builder.attributeU32(4, 5).attribute(6, bytes('010203'))
  builder.begin(25, 0, 10).end()
  expect(hex(builder.bytes.subarray(0, builder.length))).toBe(
    hex(
      bytes(
        `24000000 1800 0105 09000000 00000000 01020300 0800 0400 05000000 0700 0600 010203 00
         10000000 1900 0100 0a000000 00000000`,
      ),
    ),
  )
  expect(builder.reset().length).toBe(0)
})
