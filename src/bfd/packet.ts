/**
 * Bidirectional Forwarding Detection (RFC 5880): is the path to a neighbour alive, told within a fraction of a
 * second rather than after a hold time.
 *
 * Both ends send small packets to each other, some a second, and each says in its packets what it sees of the
 * other: three states (Down, Init, Up) make the handshake, and also its end. Whoever hears nothing for a few
 * intervals says Down. Intervals are negotiated in every packet: nobody sends faster than the other will hear.
 *
 *   packet            bytes <-> BfdPacket (section 4.1), and what makes one worth nothing (6.8.6)
 *   authentication    keyed SHA1 (section 4.4), with the digest handed in
 *   state-machine     (session, event) -> (session, actions) of plain data
 *   session           drives one machine with a clock and an outlet
 *   sessions          all of a host: whose packet is this?
 *   damping           how long a path that comes and goes is not believed
 *   transport         what is needed of UDP; linux implements it
 */
import { Reader, Writer } from '../net/bytes.ts'

/** In the order of their numbers on the wire. */
export const STATES = ['AdminDown', 'Down', 'Init', 'Up'] as const
export type State = (typeof STATES)[number]

/** Diagnostic codes (section 4.1), in the order of their numbers: for people. */
export const DIAGNOSTICS = [
  'none',
  'control detection time expired',
  'echo function failed',
  'neighbor signaled session down',
  'forwarding plane reset',
  'path down',
  'concatenated path down',
  'administratively down',
  'reverse concatenated path down',
] as const

export const NO_DIAGNOSTIC = 0
export const DETECTION_TIME_EXPIRED = 1
export const NEIGHBOR_SIGNALED_DOWN = 3
export const ADMINISTRATIVELY_DOWN = 7

export const describeDiagnostic = (code: number): string =>
  DIAGNOSTICS[code] ?? `unknown diagnostic ${code}`

export const VERSION = 1
export const HEADER_BYTES = 24
/** Type, length, key id, reserved, sequence number, digest (section 4.4). */
export const SHA1_SECTION_BYTES = 28
export const SHA1_DIGEST_BYTES = 20

export const KEYED_SHA1 = 4
export const METICULOUS_KEYED_SHA1 = 5

const POLL = 0x20
const FINAL = 0x10
const CONTROL_PLANE_INDEPENDENT = 0x08
const AUTHENTICATION_PRESENT = 0x04
const DEMAND = 0x02
const MULTIPOINT = 0x01

/** The authentication section of keyed SHA1 (section 4.4), meticulous or not. */
export interface Sha1Section {
  readonly type: typeof KEYED_SHA1 | typeof METICULOUS_KEYED_SHA1
  readonly keyId: number
  /** 32 bits, unsigned. */
  readonly sequence: number
  /** 20 bytes. */
  readonly digest: Uint8Array
}

/** A section of a kind that nobody here can check. */
export interface UnknownSection {
  readonly type: number
  readonly digest?: never
}

export interface BfdPacket {
  readonly diagnostic: number
  readonly state: State
  readonly poll: boolean
  readonly final: boolean
  /** Its BFD goes on when its control plane restarts (C). */
  readonly controlPlaneIndependent: boolean
  readonly demand: boolean
  readonly detectMultiplier: number
  readonly myDiscriminator: number
  /** 0 while the sender doesn't know it. */
  readonly yourDiscriminator: number
  readonly desiredMinTxMicroseconds: number
  /** 0: no periodic packets, please. */
  readonly requiredMinRxMicroseconds: number
  /** 0: no echo. */
  readonly requiredMinEchoRxMicroseconds: number
  readonly authentication?: Sha1Section | UnknownSection
}

/** A packet, or why the bytes are none that counts. */
export type Decoded = { readonly packet: BfdPacket } | { readonly problem: string }

/** The payload of one datagram. Never throws. */
export function decodePacket(bytes: Uint8Array): Decoded {
  if (bytes.length < HEADER_BYTES) return { problem: `${bytes.length} bytes are too few` }
  const reader = new Reader(bytes)
  const first = reader.u8()
  const flags = reader.u8()
  const detectMultiplier = reader.u8()
  const length = reader.u8()
  if (first >> 5 !== VERSION) return { problem: `version ${first >> 5}` }
  const authenticated = (flags & AUTHENTICATION_PRESENT) !== 0
  if (length < HEADER_BYTES + (authenticated ? 2 : 0) || length > bytes.length) {
    return { problem: `length ${length} in a datagram of ${bytes.length} bytes` }
  }
  if (detectMultiplier === 0) return { problem: 'detect multiplier 0' }
  if ((flags & MULTIPOINT) !== 0) return { problem: 'the multipoint bit is set' }
  if ((flags & POLL) !== 0 && (flags & FINAL) !== 0) return { problem: 'poll and final at once' }
  const packet: BfdPacket = {
    diagnostic: first & 0x1f,
    state: STATES[flags >> 6],
    poll: (flags & POLL) !== 0,
    final: (flags & FINAL) !== 0,
    controlPlaneIndependent: (flags & CONTROL_PLANE_INDEPENDENT) !== 0,
    demand: (flags & DEMAND) !== 0,
    detectMultiplier,
    myDiscriminator: reader.u32(),
    yourDiscriminator: reader.u32(),
    desiredMinTxMicroseconds: reader.u32(),
    requiredMinRxMicroseconds: reader.u32(),
    requiredMinEchoRxMicroseconds: reader.u32(),
  }
  if (packet.myDiscriminator === 0) return { problem: 'its discriminator is 0' }
  const isEarly = packet.state === 'Down' || packet.state === 'AdminDown'
  if (packet.yourDiscriminator === 0 && !isEarly) {
    return { problem: `${packet.state} without our discriminator` }
  }
  if (!authenticated) return { packet }
  const section = readSection(bytes.subarray(HEADER_BYTES, length))
  return section === undefined
    ? { problem: 'an authentication section of the wrong length' }
    : { packet: { ...packet, authentication: section } }
}

function readSection(bytes: Uint8Array): Sha1Section | UnknownSection | undefined {
  const reader = new Reader(bytes)
  const type = reader.u8()
  if (reader.u8() !== bytes.length) return undefined
  if (type !== KEYED_SHA1 && type !== METICULOUS_KEYED_SHA1) return { type }
  if (bytes.length !== SHA1_SECTION_BYTES) return undefined
  const keyId = reader.u8()
  reader.u8() // reserved: ignored on receipt
  return { type, keyId, sequence: reader.u32(), digest: reader.rest() }
}

/** The payload of one datagram, with the digest as it is given. */
export function encodePacket(packet: BfdPacket): Uint8Array {
  const section = packet.authentication?.digest === undefined ? undefined : packet.authentication
  const length = HEADER_BYTES + (section === undefined ? 0 : SHA1_SECTION_BYTES)
  const writer = new Writer(length)
    .u8((VERSION << 5) | packet.diagnostic)
    .u8(
      (STATES.indexOf(packet.state) << 6) |
        (packet.poll ? POLL : 0) |
        (packet.final ? FINAL : 0) |
        (packet.controlPlaneIndependent ? CONTROL_PLANE_INDEPENDENT : 0) |
        (section === undefined ? 0 : AUTHENTICATION_PRESENT) |
        (packet.demand ? DEMAND : 0),
    )
    .u8(packet.detectMultiplier)
    .u8(length)
    .u32(packet.myDiscriminator)
    .u32(packet.yourDiscriminator)
    .u32(packet.desiredMinTxMicroseconds)
    .u32(packet.requiredMinRxMicroseconds)
    .u32(packet.requiredMinEchoRxMicroseconds)
  if (section === undefined) return writer.take()
  return writer
    .u8(section.type)
    .u8(SHA1_SECTION_BYTES)
    .u8(section.keyId)
    .u8(0)
    .u32(section.sequence)
    .bytes(section.digest)
    .take()
}
