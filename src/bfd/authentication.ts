/**
 * Keyed SHA1 (RFC 5880 sections 4.4 and 6.7.4), and its meticulous form: whoever does not have the key can
 * neither say Up nor Down.
 *
 * The digest is that of the whole packet with the key in its own place. A sequence number keeps old packets
 * from being played again: ours grows with every packet, which both forms allow, so they differ only in what
 * is expected of the peer. SHA1 itself is handed in, for the room is pure.
 */
import {
  KEYED_SHA1,
  METICULOUS_KEYED_SHA1,
  SHA1_DIGEST_BYTES,
  encodePacket,
  type BfdPacket,
} from './packet.ts'

export interface BfdKey {
  /** Each packet must have a sequence number of its own. */
  readonly meticulous: boolean
  /** 0..255, the same at both ends. */
  readonly id: number
  /** 1 to 20 bytes. */
  readonly secret: Uint8Array
}

/** SHA1: 20 bytes of any number. */
export type Digest = (bytes: Uint8Array) => Uint8Array

const SEQUENCES = 2 ** 32

export class Authentication {
  readonly #key: BfdKey
  readonly #digest: Digest
  /** bfd.XmitAuthSeq */
  #sent: number
  /** bfd.RcvAuthSeq; undefined while bfd.AuthSeqKnown is 0. */
  #received: number | undefined

  /** `first`: the sequence number to begin with, a random one. */
  constructor(key: BfdKey, digest: Digest, first: number) {
    this.#key = key
    this.#digest = digest
    this.#sent = first
  }

  /** The bytes of a packet that is signed with the next sequence number. */
  sign(packet: BfdPacket): Uint8Array {
    this.#sent = (this.#sent + 1) % SEQUENCES
    return this.#signed(packet, this.#sent)
  }

  /** Says why a packet must not be believed; undefined when it is the peer's. */
  problemOf(packet: BfdPacket): string | undefined {
    const { authentication: section } = packet
    const { id, meticulous } = this.#key
    if (section === undefined) return 'not signed'
    if (section.digest === undefined || section.type !== this.#type) {
      return `signed in another way (type ${section.type})`
    }
    if (section.keyId !== id) return `signed with key ${section.keyId}`
    if (this.#received !== undefined) {
      const ahead = (section.sequence - this.#received + SEQUENCES) % SEQUENCES
      const least = meticulous ? 1 : 0
      if (ahead < least || ahead > 3 * packet.detectMultiplier) return 'out of sequence'
    }
    const expected = this.#signed(packet, section.sequence)
    const digest = expected.subarray(-SHA1_DIGEST_BYTES)
    if (!digest.every((byte, i) => byte === section.digest[i])) return 'signed with another key'
    this.#received = section.sequence
    return undefined
  }

  /** Nothing was heard for twice the detection time: the peer may begin anew (bfd.AuthSeqKnown, 6.8.1). */
  forgetSequence(): void {
    this.#received = undefined
  }

  get #type(): typeof KEYED_SHA1 | typeof METICULOUS_KEYED_SHA1 {
    return this.#key.meticulous ? METICULOUS_KEYED_SHA1 : KEYED_SHA1
  }

  #signed(packet: BfdPacket, sequence: number): Uint8Array {
    const { id, secret } = this.#key
    const padded = new Uint8Array(SHA1_DIGEST_BYTES)
    padded.set(secret)
    const authentication = { type: this.#type, keyId: id, sequence, digest: padded }
    const bytes = encodePacket({ ...packet, authentication })
    bytes.set(this.#digest(bytes), bytes.length - SHA1_DIGEST_BYTES)
    return bytes
  }
}
