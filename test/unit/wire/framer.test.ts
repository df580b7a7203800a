import { describe, expect, test } from 'vitest'
import { Framer } from '../../../src/wire/framer.ts'
import { hex, MARKER, toHex } from './hex.ts'
import { sessionErrorOf } from './session-error.ts'

const KEEPALIVE = `${MARKER} 0013 04`
const UPDATE = `${MARKER} 001b 02 0000 0000 18 0a0102`
const REFRESH = `${MARKER} 0017 05 0001 00 01`

/** All that comes out after a push, as `type:body`. */
function drain(framer: Framer): string[] {
  const messages: string[] = []
  while (framer.next()) {
    messages.push(`${framer.type}:${toHex(framer.buffer.subarray(framer.start, framer.end))}`)
  }
  return messages
}

const pushed = (framer: Framer, chunk: Uint8Array): string[] => {
  framer.push(chunk)
  return drain(framer)
}

describe('the stream', () => {
  const stream = hex(`${KEEPALIVE} ${UPDATE} ${REFRESH} ${KEEPALIVE}`)
  const whole = pushed(new Framer(), stream)

  test('one chunk gives all its messages as offsets into the chunk', () => {
    expect(whole.map((message) => message.slice(0, 2))).toEqual(['4:', '2:', '5:', '4:'])
    const framer = new Framer()
    framer.push(stream)
    framer.next()
    expect(framer.buffer).toBe(stream)
    expect([framer.start, framer.end]).toEqual([19, 19])
  })

  test('any two cuts give the same messages', () => {
    for (let first = 0; first <= stream.length; first++) {
      for (let second = first; second <= stream.length; second++) {
        const framer = new Framer()
        const messages = [
          ...pushed(framer, stream.subarray(0, first)),
          ...pushed(framer, stream.subarray(first, second)),
          ...pushed(framer, stream.subarray(second)),
        ]
        expect(messages).toEqual(whole)
      }
    }
  })

  test('byte by byte, also when all are pushed before the first is read', () => {
    const eager = new Framer()
    const lazy = new Framer()
    const messages: string[] = []
    for (const byte of stream) {
      messages.push(...pushed(eager, Uint8Array.of(byte)))
      lazy.push(Uint8Array.of(byte))
    }
    expect(messages).toEqual(whole)
    expect(drain(lazy)).toEqual(whole)
  })

  test('an idle framer keeps no chunk alive', () => {
    const framer = new Framer()
    pushed(framer, stream)
    expect(framer.buffer).toHaveLength(0)
  })

  test('a message of 4096 bytes that straddles chunks', () => {
    const body = 'ab'.repeat(4096 - 19)
    const message = hex(`${MARKER} 1000 02 ${body}`)
    const framer = new Framer()
    expect(pushed(framer, message.subarray(0, 4000))).toEqual([])
    expect(pushed(framer, message.subarray(4000))).toEqual([`2:${body}`])
  })

  test('extended messages, once negotiated (RFC 8654)', () => {
    const body = 'cd'.repeat(65_535 - 19)
    const message = hex(`${MARKER} ffff 02 ${body}`)
    const framer = new Framer()
    framer.maxLength = 65_535
    const parts = [0, 3, 5000, 60_000, 65_535]
    const messages = parts.flatMap((end, i) =>
      pushed(framer, message.subarray(parts[i - 1] ?? 0, end)),
    )
    expect(messages).toEqual([`2:${body}`])
    expect(pushed(framer, hex(KEEPALIVE))).toEqual(['4:'])
  })
})

// RFC 4271 6.1; the data is the erroneous length or type.
const bad: readonly [why: string, header: string, subcode: number, data: string][] = [
  ['a marker with one zero bit', `${'ff'.repeat(15)} fe 0013 04`, 1, ''],
  ['a length below the header', `${MARKER} 0012 04`, 2, '0012'],
  ['a length above 4096', `${MARKER} 1001 02`, 2, '1001'],
  ['an OPEN of 28 bytes', `${MARKER} 001c 01`, 2, '001c'],
  ['an UPDATE of 22 bytes', `${MARKER} 0016 02`, 2, '0016'],
  ['a NOTIFICATION of 20 bytes', `${MARKER} 0014 03`, 2, '0014'],
  ['a KEEPALIVE of 20 bytes', `${MARKER} 0014 04`, 2, '0014'],
  ['a ROUTE-REFRESH of 22 bytes', `${MARKER} 0016 05`, 2, '0016'],
  ['type 0', `${MARKER} 0013 00`, 3, '00'],
  ['type 6', `${MARKER} 0013 06`, 3, '06'],
  ['a bad type and a bad length: the length is checked first', `${MARKER} 0001 06`, 2, '0001'],
]

test.each(bad)('%s ends the session', (_, header, subcode, data) => {
  const bytes = hex(header)
  for (const cut of [0, 1, 18, 19]) {
    const framer = new Framer()
    const error = sessionErrorOf(() => {
      pushed(framer, bytes.subarray(0, cut))
      pushed(framer, bytes.subarray(cut))
    })
    expect(error).toMatchObject({ code: 1, subcode })
    expect(toHex(error?.data ?? new Uint8Array(0))).toBe(data)
  }
})

test('an OPEN stays below 4097 bytes even where others may be longer (RFC 8654 section 4)', () => {
  const framer = new Framer()
  framer.maxLength = 65_535
  expect(sessionErrorOf(() => pushed(framer, hex(`${MARKER} 1001 01`)))).toMatchObject({
    code: 1,
    subcode: 2,
  })
})

test('messages before the bad one are given', () => {
  const framer = new Framer()
  framer.push(hex(`${KEEPALIVE} ${MARKER} 0013 09`))
  expect(framer.next()).toBe(true)
  expect(sessionErrorOf(() => framer.next())).toMatchObject({ code: 1, subcode: 3 })
})
