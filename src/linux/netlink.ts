/**
 * Netlink messages as bytes (netlink(7), RFC 3549): headers, attributes, errors, and a builder.
 *
 * Everything is in the host's byte order, which is little-endian wherever we run, except addresses.
 * A message is a 16-byte header, a fixed structure that depends on its type, and attributes (length,
 * kind, value, padded to 4). Reading is by offsets into the received buffer: `eachMessage` walks the
 * messages, `Attributes` notes where each kind lies, and only then values are taken. The kernel adds
 * attributes with every release, so unknown kinds are skipped, never an error.
 */
import { describeErrno, errnoName } from './sys.ts'
import type { KernelError } from '../fib/kernel.ts'

export const NLMSG_ERROR = 2
export const NLMSG_DONE = 3

export const NLM_F_REQUEST = 0x1
export const NLM_F_DUMP_INTR = 0x10
export const NLM_F_DUMP = 0x300
export const NLM_F_REPLACE = 0x100
export const NLM_F_CREATE = 0x400
export const NLM_F_EXCL = 0x200
const NLM_F_CAPPED = 0x100
const NLM_F_ACK_TLVS = 0x200

/** Bytes of `struct nlmsghdr`. */
export const HEADER_BYTES = 16

/** NLA_F_NESTED and NLA_F_NET_BYTEORDER are flags in the kind. */
const KIND_MASK = 0x3fff
const NLMSGERR_ATTR_MSG = 1

/** `from`..`to` is what follows the header. */
export type MessageVisitor = (
  type: number,
  flags: number,
  sequence: number,
  from: number,
  to: number,
) => void

export const viewOf = (bytes: Uint8Array): DataView =>
  new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)

const align = (length: number): number => (length + 3) & ~3

/** Walks the messages in the first `length` bytes; stops at one whose length can't be true. */
export function eachMessage(view: DataView, length: number, visit: MessageVisitor): void {
  for (let at = 0; at + HEADER_BYTES <= length;) {
    const size = view.getUint32(at, true)
    if (size < HEADER_BYTES || at + size > length) return
    visit(
      view.getUint16(at + 4, true),
      view.getUint16(at + 6, true),
      view.getUint32(at + 8, true),
      at + HEADER_BYTES,
      at + size,
    )
    at += align(size)
  }
}

/** Where the attributes of one message lie: scratch, filled by `scan`, valid until the next one. */
export class Attributes {
  readonly #at: Int32Array
  readonly #size: Int32Array

  /** Notes kinds below `kinds`; the others are skipped. */
  constructor(kinds: number) {
    this.#at = new Int32Array(kinds)
    this.#size = new Int32Array(kinds)
  }

  scan(view: DataView, from: number, to: number): this {
    this.#at.fill(-1)
    for (let at = from; at + 4 <= to;) {
      const size = view.getUint16(at, true)
      if (size < 4 || at + size > to) break
      const kind = view.getUint16(at + 2, true) & KIND_MASK
      if (kind < this.#at.length) {
        this.#at[kind] = at + 4
        this.#size[kind] = size - 4
      }
      at += align(size)
    }
    return this
  }

  has(kind: number): boolean {
    return this.#at[kind] >= 0
  }

  /** Offset of the value, or -1. */
  at(kind: number): number {
    return this.#at[kind]
  }

  /** Bytes of the value; 0 when there is none. */
  size(kind: number): number {
    return this.#at[kind] < 0 ? 0 : this.#size[kind]
  }

  /** The value as a number, or `otherwise` when it is absent or too short. */
  u32(view: DataView, kind: number, otherwise = 0): number {
    return this.size(kind) >= 4 ? view.getUint32(this.#at[kind], true) : otherwise
  }

  u16(view: DataView, kind: number): number {
    return this.size(kind) >= 2 ? view.getUint16(this.#at[kind], true) : 0
  }

  /** A copy of the value's bytes, or undefined. */
  bytes(view: DataView, kind: number): Uint8Array | undefined {
    if (!this.has(kind)) return undefined
    const from = view.byteOffset + this.#at[kind]
    return new Uint8Array(view.buffer, from, this.#size[kind]).slice()
  }

  /** The value as text, up to its NUL; '' when absent. */
  text(view: DataView, kind: number): string {
    return this.has(kind) ? textAt(view, this.#at[kind], this.#size[kind]) : ''
  }
}

function textAt(view: DataView, at: number, size: number): string {
  let text = ''
  for (let i = 0; i < size; i++) {
    const byte = view.getUint8(at + i)
    if (byte === 0) break
    text += String.fromCharCode(byte)
  }
  return text
}

/**
 * The error in an NLMSG_ERROR whose body is `from`..`to`; undefined for an acknowledgement. Where the
 * kernel's extended text is (NETLINK_EXT_ACK) depends on whether the request is quoted in full.
 */
export function readError(
  view: DataView,
  flags: number,
  from: number,
  to: number,
): KernelError | undefined {
  if (to - from < 4 + HEADER_BYTES) return { errno: 22, text: 'EINVAL: error message cut short' }
  const errno = -view.getInt32(from, true)
  if (errno === 0) return undefined
  const quoted = (flags & NLM_F_CAPPED) === 0 ? align(view.getUint32(from + 4, true)) : HEADER_BYTES
  return explained(view, errno, flags, from + 4 + quoted, to)
}

/** The error that ended a dump: an NLMSG_DONE whose body is `from`..`to`; undefined for a good end. */
export function readDumpEnd(
  view: DataView,
  flags: number,
  from: number,
  to: number,
): KernelError | undefined {
  const errno = to - from >= 4 ? -view.getInt32(from, true) : 0
  return errno > 0 ? explained(view, errno, flags, from + 4, to) : undefined
}

function explained(
  view: DataView,
  errno: number,
  flags: number,
  from: number,
  to: number,
): KernelError {
  if ((flags & NLM_F_ACK_TLVS) === 0) return { errno, text: describeErrno(errno) }
  const text = $errorAttributes.scan(view, from, to).text(view, NLMSGERR_ATTR_MSG)
  return {
    errno,
    text: text === '' ? describeErrno(errno) : `${errnoName(errno)}: ${text.replace(/\.$/, '')}`,
  }
}
const $errorAttributes = new Attributes(4)

/** Builds messages one after another in one buffer, for a single `send`. Not for the route loop. */
export class MessageBuilder {
  readonly bytes: Uint8Array
  readonly #view: DataView
  #start = 0
  #at = 0

  constructor(capacity = 65_536) {
    this.bytes = new Uint8Array(capacity)
    this.#view = viewOf(this.bytes)
  }

  /** Bytes built so far. */
  get length(): number {
    return this.#at
  }

  reset(): this {
    this.#at = 0
    return this
  }

  begin(type: number, flags: number, sequence: number): this {
    this.#start = this.#at
    this.u32(0)
      .u16(type)
      .u16(flags | NLM_F_REQUEST)
      .u32(sequence)
      .u32(0)
    return this.#patchLength()
  }

  u8(value: number): this {
    this.#view.setUint8(this.#at++, value)
    return this
  }

  u16(value: number): this {
    this.#view.setUint16(this.#at, value, true)
    this.#at += 2
    return this
  }

  u32(value: number): this {
    this.#view.setUint32(this.#at, value, true)
    this.#at += 4
    return this
  }

  raw(value: Uint8Array): this {
    this.bytes.set(value, this.#at)
    this.#at += value.length
    return this
  }

  /** Closes the fixed structure, or anything else that was written by hand. */
  end(): this {
    this.bytes.fill(0, this.#at, align(this.#at))
    this.#at = align(this.#at)
    return this.#patchLength()
  }

  attributeU32(kind: number, value: number): this {
    return this.u16(8).u16(kind).u32(value).#patchLength()
  }

  attribute(kind: number, value: Uint8Array): this {
    return this.u16(4 + value.length)
      .u16(kind)
      .raw(value)
      .end()
  }

  #patchLength(): this {
    this.#view.setUint32(this.#start, this.#at - this.#start, true)
    return this
  }
}
