import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  decodePacket,
  describeDiagnostic,
  encodePacket,
  STATES,
  type BfdPacket,
} from '../../../src/bfd/packet.ts'

const UP: BfdPacket = {
  diagnostic: 0,
  state: 'Up',
  poll: false,
  final: false,
  controlPlaneIndependent: true,
  demand: false,
  detectMultiplier: 3,
  myDiscriminator: 0x01020304,
  yourDiscriminator: 0xa0b0c0d0,
  desiredMinTxMicroseconds: 300_000,
  requiredMinRxMicroseconds: 50_000,
  requiredMinEchoRxMicroseconds: 0,
}
const BYTES = '20c8031801020304a0b0c0d0000493e00000c35000000000'
const fromHex = (hex: string): Uint8Array => Uint8Array.from(Buffer.from(hex, 'hex'))
const toHex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')

test('the bytes of a packet are those of RFC 5880 section 4.1', () => {
  expect(toHex(encodePacket(UP))).toBe(BYTES)
  expect(decodePacket(fromHex(BYTES))).toEqual({ packet: UP })
})

const u32 = fc.integer({ min: 0, max: 0xffffffff })
const anyPacket: fc.Arbitrary<BfdPacket> = fc
  .record({
    diagnostic: fc.integer({ min: 0, max: 31 }),
    state: fc.constantFrom(...STATES),
    poll: fc.boolean(),
    controlPlaneIndependent: fc.boolean(),
    demand: fc.boolean(),
    detectMultiplier: fc.integer({ min: 1, max: 255 }),
    myDiscriminator: u32.filter((it) => it !== 0),
    yourDiscriminator: u32.filter((it) => it !== 0),
    desiredMinTxMicroseconds: u32,
    requiredMinRxMicroseconds: u32,
    requiredMinEchoRxMicroseconds: u32,
    authentication: fc.option(
      fc.record({
        type: fc.constantFrom<4 | 5>(4, 5),
        keyId: fc.integer({ min: 0, max: 255 }),
        sequence: u32,
        digest: fc.uint8Array({ minLength: 20, maxLength: 20 }),
      }),
      { nil: undefined },
    ),
  })
  .map(({ authentication, ...packet }) => ({
    ...packet,
    final: false,
    ...(authentication === undefined ? {} : { authentication }),
  }))

test('what is encoded is decoded again, signed or not, final or not', () => {
  fc.assert(
    fc.property(anyPacket, fc.boolean(), (it, final) => {
      const packet = final ? { ...it, poll: false, final } : it
      expect(decodePacket(encodePacket(packet))).toEqual({ packet })
    }),
  )
})

test('what follows the length that the packet tells is not looked at', () => {
  expect(decodePacket(fromHex(`${BYTES}ffff`))).toEqual({ packet: UP })
})

test('random bytes are a packet or a problem, and never an exception', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 80 }), (bytes) => {
      expect(Object.keys(decodePacket(bytes))).toHaveLength(1)
    }),
  )
})

test('of a packet that is damaged in one place neither', () => {
  fc.assert(
    fc.property(anyPacket, fc.nat(51), fc.nat(255), (packet, at, byte) => {
      const bytes = encodePacket(packet)
      bytes[at % bytes.length] = byte
      expect(Object.keys(decodePacket(bytes))).toHaveLength(1)
    }),
  )
})

describe('a packet that RFC 5880 section 6.8.6 discards', () => {
  const CASES: readonly [title: string, hex: string, problem: string][] = [
    ['too short', BYTES.slice(0, 46), '23 bytes are too few'],
    ['another version', `40${BYTES.slice(2)}`, 'version 2'],
    ['version 0', `00${BYTES.slice(2)}`, 'version 0'],
    [
      'a length below the header',
      BYTES.replace('0318', '0317'),
      'length 23 in a datagram of 24 bytes',
    ],
    [
      'a length beyond the datagram',
      BYTES.replace('0318', '0319'),
      'length 25 in a datagram of 24 bytes',
    ],
    [
      'signed, without room for it',
      BYTES.replace('20c8', '20cc'),
      'length 24 in a datagram of 24 bytes',
    ],
    ['no detect multiplier', BYTES.replace('20c803', '20c800'), 'detect multiplier 0'],
    ['multipoint', BYTES.replace('20c8', '20c9'), 'the multipoint bit is set'],
    ['poll and final', BYTES.replace('20c8', '20f8'), 'poll and final at once'],
    ['no discriminator', BYTES.replace('01020304', '00000000'), 'its discriminator is 0'],
    ['Up, without ours', BYTES.replace('a0b0c0d0', '00000000'), 'Up without our discriminator'],
    [
      'Init, without ours',
      BYTES.replace('20c8', '2088').replace('a0b0c0d0', '00000000'),
      'Init without our discriminator',
    ],
    [
      'a section of SHA1 that is too short',
      `${BYTES.replace('20c80318', '20cc031c')}04040100`,
      'an authentication section of the wrong length',
    ],
    [
      'a section that tells another length',
      `${BYTES.replace('20c80318', '20cc031c')}01050100`,
      'an authentication section of the wrong length',
    ],
  ]
  test.each(CASES)('%s', (_title, hex, problem) => {
    expect(decodePacket(fromHex(hex))).toEqual({ problem })
  })
})

test('Down may come without our discriminator, and a section of another kind is only named', () => {
  const down = BYTES.replace('20c8', '2048').replace('a0b0c0d0', '00000000')
  expect(decodePacket(fromHex(down))).toHaveProperty('packet.state', 'Down')
  const simple = `${BYTES.replace('20c80318', '20cc031c')}01040161`
  expect(decodePacket(fromHex(simple))).toHaveProperty('packet.authentication', { type: 1 })
})

test('diagnostics have words', () => {
  expect([1, 7, 31].map(describeDiagnostic)).toEqual([
    'control detection time expired',
    'administratively down',
    'unknown diagnostic 31',
  ])
})
