import { expect, test } from 'vitest'
import { Inbox } from '../../../src/session/inbox.ts'
import { hex, MARKER, toHex } from '../wire/hex.ts'

const update = (octet: string): string => `${MARKER} 001b 02 0000 0000 18 0a01${octet}`

/** An inbox that pauses after its first message, and what it has handed over. */
function pausing(): { readonly inbox: Inbox; readonly bodies: string[] } {
  const bodies: string[] = []
  const inbox: Inbox = new Inbox(({ buffer, start, end }) => {
    bodies.push(toHex(buffer.subarray(start, end)))
    if (bodies.length === 1) inbox.pause()
  })
  return { inbox, bodies }
}

const BODIES = ['01', '02', '03', '04'].map((octet) => `00000000180a01${octet}`)

test('what a pause leaves of a chunk stays, though the next is read into the same memory', () => {
  const { inbox, bodies } = pausing()
  const memory = hex(`${update('01')} ${update('02')} ${update('03')}`)
  inbox.push(memory)
  memory.fill(0)
  expect(bodies).toEqual(BODIES.slice(0, 1))
  inbox.resume()
  expect(bodies).toEqual(BODIES.slice(0, 3))
})

test('so does a chunk that comes while it is paused, and half a message', () => {
  const { inbox, bodies } = pausing()
  const stream = hex(BODIES.map((_, i) => update(`0${i + 1}`)).join(' '))
  const memory = new Uint8Array(40)
  for (let at = 0; at < stream.length; at += memory.length) {
    const chunk = stream.subarray(at, at + memory.length)
    memory.set(chunk)
    inbox.push(memory.subarray(0, chunk.length))
    memory.fill(0)
  }
  expect(bodies).toEqual(BODIES.slice(0, 1))
  inbox.resume()
  expect(bodies).toEqual(BODIES)
})
