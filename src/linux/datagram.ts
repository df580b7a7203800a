/**
 * Plain UDP sockets without an event loop, for measuring: sent and received exactly when asked.
 * Unlike node:dgram they can be made in another network namespace, and nothing queues in between.
 */
import type { Address } from '../net/address.ts'
import { socketAddress } from './socket-address.ts'
import {
  AF_INET,
  AF_INET6,
  SOCK_CLOEXEC,
  SOCK_DGRAM,
  SOCK_NONBLOCK,
  bind,
  close,
  must,
  receive,
  sendTo,
  socket,
} from './sys.ts'

export interface DatagramSocket {
  /** Returns 0, or minus the errno. */
  send(bytes: Uint8Array): number
  /** Hands each datagram that waits to `each`; the bytes are valid during the call only. */
  drain(each: (bytes: Uint8Array) => void): void
  close(): void
}

/** A socket of the calling thread's namespace, from `local` to `remote` (not connected: errors stay away). */
export function openDatagram(
  local: { readonly address: Address; readonly port: number },
  remote: { readonly address: Address; readonly port: number },
): DatagramSocket {
  const family = local.address.family === 'ipv4' ? AF_INET : AF_INET6
  const type = SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC
  const fd = must('open a UDP socket', socket(family, type, 0))
  const bound = bind(fd, socketAddress(local.address, local.port))
  if (bound < 0) close(fd)
  must(`bind to ${local.address.text} port ${local.port}`, bound)
  const to = socketAddress(remote.address, remote.port)
  const buffer = new Uint8Array(2048)
  return {
    send: (bytes) => Math.min(0, sendTo(fd, bytes, bytes.length, to)),
    drain(each) {
      for (;;) {
        const length = receive(fd, buffer)
        if (length < 0) return
        each(buffer.subarray(0, length))
      }
    },
    close: () => void close(fd),
  }
}
