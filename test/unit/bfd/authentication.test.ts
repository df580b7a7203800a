import { createHash } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { Authentication } from '../../../src/bfd/authentication.ts'
import { decodePacket, encodePacket, type BfdPacket } from '../../../src/bfd/packet.ts'
import { begin, packetOf } from '../../../src/bfd/state-machine.ts'

const sha1 = (bytes: Uint8Array): Uint8Array => createHash('sha1').update(bytes).digest()
const key = (secret: string, meticulous = false, id = 1) => ({
  meticulous,
  id,
  secret: Buffer.from(secret),
})
const side = (of = key('secret'), first = 7): Authentication => new Authentication(of, sha1, first)

const PACKET = packetOf(
  begin(5, {
    desiredMinTxMicroseconds: 100_000,
    requiredMinRxMicroseconds: 100_000,
    detectMultiplier: 3,
  }).session,
)

function decoded(bytes: Uint8Array): BfdPacket {
  const it = decodePacket(bytes)
  if ('problem' in it) throw new Error(it.problem)
  return it.packet
}

test('the digest is that of the packet with the padded key in its place (RFC 5880 section 6.7.4)', () => {
  const bytes = side().sign(PACKET)
  expect(bytes).toHaveLength(52)
  expect([...bytes.subarray(24, 32)]).toEqual([4, 28, 1, 0, 0, 0, 0, 8])
  const withKey = Uint8Array.from(bytes)
  withKey.fill(0, 32)
  withKey.set(Buffer.from('secret'), 32)
  expect(Buffer.from(bytes.subarray(32)).equals(sha1(withKey))).toBe(true)
})

describe('what is not believed', () => {
  const CASES: readonly [title: string, bytes: Uint8Array, problem: string | undefined][] = [
    ['nothing of one that has the key', side().sign(PACKET), undefined],
    ['one without a signature', encodePacket(PACKET), 'not signed'],
    ['another key', side(key('other')).sign(PACKET), 'signed with another key'],
    ['another key id', side(key('secret', false, 2)).sign(PACKET), 'signed with key 2'],
    [
      'the meticulous form',
      side(key('secret', true)).sign(PACKET),
      'signed in another way (type 5)',
    ],
  ]
  test.each(CASES)('%s', (_title, bytes, problem) => {
    expect(side().problemOf(decoded(bytes))).toBe(problem)
  })

  test('a packet that was changed on the way', () => {
    const bytes = side().sign(PACKET)
    bytes[11] ^= 1
    expect(side().problemOf(decoded(bytes))).toBe('signed with another key')
  })
})

describe.each([
  ['keyed', false],
  ['meticulous', true],
])('%s: sequence numbers', (_title, meticulous) => {
  const from = (first: number) => side(key('secret', meticulous), first)
  const CASES: readonly [ahead: number, problem: string | undefined][] = [
    [1, undefined],
    [9, undefined],
    [10, 'out of sequence'],
    [-1, 'out of sequence'],
    [0, meticulous ? 'out of sequence' : undefined],
  ]
  test.each(CASES)('%i after the last', (ahead, problem) => {
    // Around the end of the numbers.
    const receiver = from(0)
    expect(receiver.problemOf(decoded(from(0xfffffffe).sign(PACKET)))).toBeUndefined()
    const next = decoded(from((0xfffffffe + ahead + 2 ** 32) % 2 ** 32).sign(PACKET))
    expect(receiver.problemOf(next)).toBe(problem)
  })
})

test('after a long silence a peer may count from anywhere', () => {
  const receiver = side()
  expect(receiver.problemOf(decoded(side(key('secret'), 1000).sign(PACKET)))).toBeUndefined()
  const restarted = side(key('secret'), 3).sign(PACKET)
  expect(receiver.problemOf(decoded(restarted))).toBe('out of sequence')
  receiver.forgetSequence()
  expect(receiver.problemOf(decoded(restarted))).toBeUndefined()
})
