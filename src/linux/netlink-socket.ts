/**
 * A NETLINK_ROUTE socket through koffi, for requests and dumps.
 *
 * The kernel works synchronously inside `send`: when it returns, every message of the batch has been
 * carried out and the refusals lie in the receive queue, so they are fetched at once without
 * waiting. We ask for no acknowledgements (428,000 of 500,000 would be dropped), hence no reply means
 * success. A dump is produced piece by piece inside `recv`, so it needs no polling either: read until
 * NLMSG_DONE, letting the event loop breathe in between.
 */
import { setImmediate as breathe } from 'node:timers/promises'
import { endianness } from 'node:os'
import type { KernelError } from '../fib/kernel.ts'
import {
  NLMSG_DONE,
  NLMSG_ERROR,
  NLM_F_DUMP_INTR,
  eachMessage,
  readDumpEnd,
  readError,
  viewOf,
  type MessageVisitor,
} from './netlink.ts'
import * as sys from './sys.ts'

const NETLINK_ROUTE = 0
const SOL_NETLINK = 270
const NETLINK_NO_ENOBUFS = 5
const NETLINK_CAP_ACK = 10
const NETLINK_EXT_ACK = 11
const NETLINK_GET_STRICT_CHK = 12

const RECEIVE_BUFFER_BYTES = 4 << 20
/** The kernel fills dump replies up to 32 kB. */
const REPLY_BYTES = 65_536
/** A dump reads for this long before the event loop gets its turn. */
const SLICE_MS = 1.5
const DUMP_ATTEMPTS = 8
/** Of memory, sooner or later over. */
const SHORTAGES: ReadonlySet<number> = new Set([sys.ENOBUFS, sys.ENOMEM])
const DUMP_SILENCE_MS = 10_000

/** `sequence` is that of the refused message. */
export type FailureListener = (sequence: number, error: KernelError) => void

export interface NetlinkSocketOptions {
  /** Port id to bind to; default: the kernel's choice. */
  readonly port?: number
}

export class NetlinkSocket {
  #fd: number
  /** Our port id: what notifications about our own changes carry. */
  readonly port: number
  readonly #reply = new Uint8Array(REPLY_BYTES)
  readonly #view = viewOf(this.#reply)

  private constructor(fd: number, port: number) {
    this.#fd = fd
    this.port = port
  }

  get fd(): number {
    return this.#fd
  }

  static open(options: NetlinkSocketOptions = {}): NetlinkSocket {
    const fd = openDescriptor(options.port ?? 0)
    return new NetlinkSocket(fd, portOf(fd))
  }

  /** Takes over a socket that another thread has opened. */
  static adopt(fd: number): NetlinkSocket {
    return new NetlinkSocket(fd, portOf(fd))
  }

  /**
   * Sends messages and hears what was refused. When the kernel has no memory for the batch, or for an answer,
   * all of the batch is told as refused: none of it is certain. Throws when the socket itself is broken.
   */
  transact(bytes: Uint8Array, length: number, failed: FailureListener): void {
    const sent = sys.send(this.#fd, bytes, length)
    const result = sent < 0 ? sent : this.#drain(failed)
    if (result >= 0) return
    if (!SHORTAGES.has(-result)) sys.must('speak netlink', result)
    const error = { errno: -result, text: sys.describeErrno(-result) }
    eachMessage(viewOf(bytes), length, (_type, _flags, sequence) => failed(sequence, error))
  }

  /** Fetches what lies in the receive queue, refusals go to `failed`. Returns 0, or minus the errno. */
  #drain(failed: FailureListener): number {
    for (;;) {
      const length = sys.receive(this.#fd, this.#reply, sys.MSG_DONTWAIT)
      if (length === -sys.EAGAIN) return 0
      if (length === -sys.EINTR) continue
      if (length < 0) return length
      eachMessage(this.#view, length, (type, flags, sequence, from, to) => {
        if (type !== NLMSG_ERROR) return
        const error = readError(this.#view, flags, from, to)
        if (error !== undefined) failed(sequence, error)
      })
    }
  }

  /**
   * Runs a dump request and hands over each message as a view that is valid during the call. When the
   * tables changed underneath (NLM_F_DUMP_INTR) it is run again, after `restart`. Rejects with what
   * the kernel said.
   */
  async dump(
    request: Uint8Array,
    visit: (view: DataView, ...message: Parameters<MessageVisitor>) => void,
    restart: () => void = () => {},
  ): Promise<void> {
    for (let attempt = 1; attempt <= DUMP_ATTEMPTS; attempt++) {
      sys.must('send to netlink', sys.send(this.#fd, request, request.length))
      const reader = new DumpReader(this.#view, visit)
      let now = performance.now()
      let sliceEnds = now + SLICE_MS
      let givesUp = now + DUMP_SILENCE_MS
      while (!reader.done) {
        const length = sys.receive(this.#fd, this.#reply, sys.MSG_DONTWAIT)
        now = performance.now()
        if (length !== -sys.EAGAIN && length !== -sys.EINTR) {
          reader.take(sys.must('receive from netlink', length))
          givesUp = now + DUMP_SILENCE_MS
          if (now < sliceEnds) continue
        } else if (now > givesUp) throw new NetlinkError({ errno: 110, text: 'ETIMEDOUT: dump' })
        await breathe()
        sliceEnds = performance.now() + SLICE_MS
      }
      if (reader.error !== undefined) throw new NetlinkError(reader.error)
      if (!reader.interrupted) return
      restart()
    }
    // The tables change faster than they can be read: what we have is as good as it gets.
  }

  /** A fresh descriptor under the same port id, by which the monitor knows us. */
  reopen(): void {
    sys.close(this.#fd)
    this.#fd = openDescriptor(this.port)
  }

  close(): void {
    sys.close(this.#fd)
  }
}

function openDescriptor(port: number): number {
  if (endianness() !== 'LE') throw new Error('linnet speaks netlink on little-endian machines only')
  const kind = sys.SOCK_RAW | sys.SOCK_CLOEXEC
  const fd = sys.must('open a netlink socket', sys.socket(sys.AF_NETLINK, kind, NETLINK_ROUTE))
  try {
    sys.must('bind a netlink socket', sys.bind(fd, netlinkAddress(port)))
    growReceiveBuffer(fd, RECEIVE_BUFFER_BYTES)
    sys.must('NETLINK_EXT_ACK', sys.setOption(fd, SOL_NETLINK, NETLINK_EXT_ACK, 1))
    sys.must('NETLINK_CAP_ACK', sys.setOption(fd, SOL_NETLINK, NETLINK_CAP_ACK, 1))
    // Before Linux 4.20 there is no strict checking: then dumps are filtered by us alone.
    sys.setOption(fd, SOL_NETLINK, NETLINK_GET_STRICT_CHK, 1)
    return fd
  } catch (error) {
    sys.close(fd)
    throw error
  }
}

/** The kernel refused a request. */
export class NetlinkError extends Error {
  readonly errno: number
  constructor(error: KernelError) {
    super(error.text)
    this.name = 'NetlinkError'
    this.errno = error.errno
  }
}

/** Takes the pieces of one dump until it is done. */
class DumpReader {
  done = false
  interrupted = false
  error: KernelError | undefined
  readonly #view: DataView
  readonly #visit: (view: DataView, ...message: Parameters<MessageVisitor>) => void

  constructor(
    view: DataView,
    visit: (view: DataView, ...message: Parameters<MessageVisitor>) => void,
  ) {
    this.#view = view
    this.#visit = visit
  }

  take(length: number): void {
    eachMessage(this.#view, length, (type, flags, sequence, from, to) => {
      if ((flags & NLM_F_DUMP_INTR) !== 0) this.interrupted = true
      if (type === NLMSG_DONE) {
        this.done = true
        this.error = readDumpEnd(this.#view, flags, from, to)
      } else if (type === NLMSG_ERROR) {
        this.done = true
        this.error = readError(this.#view, flags, from, to)
      } else this.#visit(this.#view, type, flags, sequence, from, to)
    })
  }
}

/** SO_RCVBUFFORCE, or as much as an unprivileged process gets (net.core.rmem_max). */
export function growReceiveBuffer(fd: number, bytes: number): void {
  if (sys.setOption(fd, sys.SOL_SOCKET, sys.SO_RCVBUFFORCE, bytes) < 0) {
    sys.setOption(fd, sys.SOL_SOCKET, sys.SO_RCVBUF, bytes)
  }
}

/** An overrun shall not raise ENOBUFS (it would end the process inside the addon), only be counted. */
export const silenceOverruns = (fd: number): number =>
  sys.must('NETLINK_NO_ENOBUFS', sys.setOption(fd, SOL_NETLINK, NETLINK_NO_ENOBUFS, 1))

/** struct sockaddr_nl. */
function netlinkAddress(port: number): Uint8Array {
  const bytes = new Uint8Array(12)
  const view = viewOf(bytes)
  view.setUint16(0, sys.AF_NETLINK, true)
  view.setUint32(4, port, true)
  return bytes
}

function portOf(fd: number): number {
  const name = new Uint8Array(12)
  sys.must('getsockname', sys.socketName(fd, name))
  return viewOf(name).getUint32(4, true)
}

const HIGHEST_DESCRIPTOR = 65_535
const SO_PROTOCOL = 38

/**
 * The file descriptor of the route socket bound to `port`, for libraries that don't tell theirs.
 * Asks each descriptor for its name: unlike a walk through /proc this needs no file of its own.
 */
export function descriptorOfPort(port: number): number {
  const name = new Uint8Array(12)
  const protocol = new Uint8Array(4)
  for (let fd = 3; fd <= HIGHEST_DESCRIPTOR; fd++) {
    if (sys.socketName(fd, name) !== 12) continue
    const view = viewOf(name)
    if (view.getUint16(0, true) !== sys.AF_NETLINK || view.getUint32(4, true) !== port) continue
    const known = sys.getOption(fd, sys.SOL_SOCKET, SO_PROTOCOL, protocol)
    if (known === 4 && viewOf(protocol).getUint32(0, true) === NETLINK_ROUTE) return fd
  }
  throw new Error(`no netlink socket is bound to port ${port}`)
}
