/**
 * TCP for BGP sessions: the transport that session/ asks for, on real sockets.
 *
 * Sockets are made by system calls, because options such as the MD5 key or the device must be there
 * before the SYN leaves, and are then handed to Node, which connects, reads and writes them on its
 * event loop. So there is one path for plain and for protected sessions.
 */
import type { ConnectionEvents, ConnectOptions, Transport } from '../session/transport.ts'
import { close } from './sys.ts'
import { callWithKeys } from './tcp-ao.ts'
import { TcpConnection } from './tcp-connection.ts'
import { setPassword, setPeerOptions, tcpSocket } from './tcp-options.ts'
import { closeReason, connectTimeout } from './tcp-reason.ts'

export interface TcpOptions {
  /** A handshake that takes longer has failed: the kernel itself would try for two minutes. Default 10 s. */
  readonly connectTimeoutMs?: number
}

/** The transport of this host, in the network namespace of the calling thread. */
export function tcpTransport({ connectTimeoutMs = 10_000 }: TcpOptions = {}): Transport {
  return { connect: (options, events) => connect(options, events, connectTimeoutMs) }
}

function connect(
  options: ConnectOptions,
  events: ConnectionEvents,
  timeoutMs: number,
): TcpConnection {
  const { remote } = options
  const fd = newSocket(options)
  if (fd instanceof Error) {
    const stillborn = new TcpConnection(undefined, remote, false, options)
    stillborn.listen(events)
    stillborn.fail(closeReason(fd, remote, options))
    return stillborn
  }
  const connection = new TcpConnection(fd, remote, false, options)
  connection.listen(events)
  connection.startTimer(timeoutMs, connectTimeout(timeoutMs, remote, options))
  connection.connect({
    host: remote.address.text,
    port: remote.port,
    ...(options.localAddress === undefined ? {} : { localAddress: options.localAddress.text }),
  })
  return connection
}

/** A socket with all of its options set, or why there is none. */
function newSocket(options: ConnectOptions): number | Error {
  const { address } = options.remote
  let fd: number | undefined
  try {
    fd = tcpSocket(address.family)
    setPeerOptions(fd, address.family, options)
    if (options.password !== undefined) setPassword(fd, address, options.password)
    if (options.tcpAo !== undefined) callWithKeys(fd, address, options.tcpAo)
    return fd
  } catch (error) {
    if (fd !== undefined) close(fd)
    return error instanceof Error ? error : new Error(String(error))
  }
}
