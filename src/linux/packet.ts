/**
 * Frames as they pass an interface (packet(7)): our own tcpdump, for proofs.
 *
 * A capture is a non-blocking socket that somebody drains now and then; the kernel keeps some hundred
 * small frames meanwhile and stamps each with its time of arrival. Outgoing frames are seen after NAT
 * and encapsulation, so what is captured leaving an interface is what is on the wire.
 */
import {
  AF_PACKET,
  EAGAIN,
  SOCK_CLOEXEC,
  SOCK_NONBLOCK,
  SOCK_RAW,
  SOL_SOCKET,
  SO_RCVBUF,
  SO_RCVBUFFORCE,
  bind,
  close,
  control,
  interfaceIndex,
  must,
  receiveFrom,
  setOption,
  socket,
} from './sys.ts'

const ETH_P_ALL = 3
const SOL_PACKET = 263
const PACKET_IGNORE_OUTGOING = 23
const PACKET_OUTGOING = 4
const SIOCGSTAMPNS = 0x8907
const LONGEST_FRAME = 65_550
const BUFFER_BYTES = 4 << 20

export interface CapturedFrame {
  /** From the Ethernet header on. */
  readonly bytes: Uint8Array
  /** It left through the interface, rather than arrive by it. */
  readonly outgoing: boolean
  /** Unix time of the kernel's stamp. */
  readonly seconds: number
  readonly nanoseconds: number
}

export interface Capture {
  readonly interfaceName: string
  /** Everything captured since the last call. */
  drain(): CapturedFrame[]
  close(): void
}

/** Captures on an interface of the calling thread's namespace; needs CAP_NET_RAW. */
export function openCapture(
  interfaceName: string,
  options: { readonly incomingOnly?: boolean } = {},
): Capture {
  const index = must(`interface ${interfaceName}`, interfaceIndex(interfaceName))
  // Protocol 0 hears nothing: binding to the interface and to "everything" is one step.
  const type = SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC
  const fd = must('open a packet socket', socket(AF_PACKET, type, 0))
  try {
    const forced = setOption(fd, SOL_SOCKET, SO_RCVBUFFORCE, BUFFER_BYTES)
    if (forced < 0) setOption(fd, SOL_SOCKET, SO_RCVBUF, BUFFER_BYTES)
    if (options.incomingOnly === true) setOption(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, 1)
    control(fd, SIOCGSTAMPNS, new Uint8Array(16)) // the first question switches time stamps on
    must(`capture on ${interfaceName}`, bind(fd, linkAddress(index)))
  } catch (error) {
    close(fd)
    throw error
  }
  const buffer = new Uint8Array(LONGEST_FRAME)
  const from = new Uint8Array(20)
  const stamp = new Uint8Array(16)
  const stampView = new DataView(stamp.buffer)
  let open = true
  return {
    interfaceName,
    drain() {
      const frames: CapturedFrame[] = []
      while (open) {
        const length = receiveFrom(fd, buffer, from)
        if (length === -EAGAIN) break
        // The interface may vanish under us (ENETDOWN): then there is simply nothing more.
        if (length < 0) break
        const stamped = control(fd, SIOCGSTAMPNS, stamp) >= 0
        const now = Date.now()
        frames.push({
          bytes: buffer.slice(0, length),
          outgoing: from[10] === PACKET_OUTGOING,
          seconds: stamped ? Number(stampView.getBigInt64(0, true)) : Math.floor(now / 1000),
          nanoseconds: stamped ? Number(stampView.getBigInt64(8, true)) : (now % 1000) * 1e6,
        })
      }
      return frames
    },
    close() {
      if (open) close(fd)
      open = false
    },
  }
}

/** struct sockaddr_ll: family, protocol (network order), interface; the rest is the kernel's. */
function linkAddress(index: number): Uint8Array {
  const bytes = new Uint8Array(20)
  const view = new DataView(bytes.buffer)
  view.setUint16(0, AF_PACKET, true)
  view.setUint16(2, ETH_P_ALL)
  view.setInt32(4, index, true)
  return bytes
}
