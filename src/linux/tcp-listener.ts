/**
 * Where peers knock: a listening TCP socket, one per address family.
 *
 * Dual stack is two listeners, because one socket for both could not take the MD5 keys of IPv4 peers.
 * The SYN-ACK leaves before we know who knocks, so a listener sends with TTL 255: a GTSM peer
 * (RFC 5082) would drop anything lower. What is accepted stays silent until somebody listens to it;
 * a stranger is refused with `abort`, at the cost of a RST.
 */
import { createServer, type Server, type Socket } from 'node:net'
import { parseAddress, type Address } from '../net/address.ts'
import { factsOf } from '../net/family.ts'
import type { Prefix } from '../net/prefix.ts'
import type { Connection, Endpoint, SocketOptions } from '../session/transport.ts'
import { describePortOwner } from './port-owner.ts'
import { parseSocketAddress, socketAddress } from './socket-address.ts'
import {
  bind,
  close,
  duplicate,
  must,
  setOption,
  SOL_SOCKET,
  socketName,
  SystemError,
  listen as startListening,
} from './sys.ts'
import { listenWithKeys } from './tcp-ao.ts'
import { describeEndpoint, descriptorOf, TcpConnection } from './tcp-connection.ts'
import { GTSM_TTL, setCommonOptions, setPassword, setTtl, tcpSocket } from './tcp-options.ts'

export interface ListenOptions {
  /** Somebody knocks: the connection is up, and silent until its `listen` is called. */
  onConnection(connection: Connection): void
}

export interface Listener {
  /** With the real port when 0 was asked for. */
  readonly local: Endpoint
  /**
   * From now on these peers, and no others, must sign with their keys (RFC 2385, RFC 5925). Keys of the
   * other family are none of its business. Returns those that the kernel refuses.
   */
  setKeys(keys: readonly ListenerKey[]): readonly RefusedKey[]
  /** Stops listening; accepted connections live on. */
  close(): void
}

/** The key of a peer, or of all who come from a prefix; of two prefixes the longer counts. */
export interface ListenerKey extends Pick<SocketOptions, 'password' | 'tcpAo'> {
  readonly peer: Address | Prefix
}

export interface RefusedKey {
  readonly key: ListenerKey
  /** For people. */
  readonly text: string
}

/** A listener could not be opened; the text says why and what to do. */
export class ListenError extends Error {
  readonly code: string

  constructor(code: string, text: string) {
    super(text)
    this.name = 'ListenError'
    this.code = code
  }
}

const SO_REUSEADDR = 2
const SOL_IPV6 = 41
const IPV6_V6ONLY = 26
const BACKLOG = 512

/** Listens on `endpoint`, from when this returns. Throws a ListenError. */
export function listen(endpoint: Endpoint, { onConnection }: ListenOptions): Listener {
  const fd = openListener(endpoint)
  const server = createServer({ pauseOnConnect: true })
  server.on('connection', (socket) => {
    const remote = remoteEndpoint(socket)
    // Reset before it was accepted, or no descriptor is left.
    const fd = remote === undefined ? -1 : ownDescriptor(socket)
    if (remote === undefined || fd < 0) {
      socket.resetAndDestroy()
      return
    }
    socket.destroy()
    onConnection(new TcpConnection(fd, remote, true))
  })
  // Accepting may fail when descriptors run out; the kernel keeps the queue, Node tries again.
  server.on('error', () => {})
  server.listen({ fd })
  return new TcpListener(server, { address: endpoint.address, port: portOf(fd) })
}

class TcpListener implements Listener {
  readonly local: Endpoint
  readonly #server: Server
  /** Those that the kernel holds, by peer. */
  readonly #keys = new Map<string, ListenerKey>()

  constructor(server: Server, local: Endpoint) {
    this.#server = server
    this.local = local
  }

  setKeys(keys: readonly ListenerKey[]): readonly RefusedKey[] {
    const fd = descriptorOf(this.#server)
    if (fd === undefined) return []
    const { family } = this.local.address
    const wanted = new Map(
      keys.filter(({ peer }) => peer.family === family).map((key) => [key.peer.text, key]),
    )
    for (const [text, { peer }] of this.#keys) if (!wanted.has(text)) this.#setKey(fd, { peer })
    return [...wanted.values()].flatMap((key) => this.#setKey(fd, key))
  }

  #setKey(fd: number, key: ListenerKey): RefusedKey[] {
    const { peer, password = '', tcpAo = [] } = key
    const { password: oldPassword = '', tcpAo: oldTcpAo = [] } = this.#keys.get(peer.text) ?? {}
    const single = !('length' in peer) || peer.length >= factsOf(peer.family).bits
    const [address, length] = single ? [addressOf(peer)] : [addressOf(peer), peer.length]
    try {
      // The kernel takes keys of one kind only: the other kind goes first.
      if (password !== oldPassword && password === '') setPassword(fd, address, '', length)
      listenWithKeys(fd, address, oldTcpAo, tcpAo, length)
      if (password !== oldPassword && password !== '') setPassword(fd, address, password, length)
    } catch (error) {
      if (!(error instanceof SystemError)) throw error
      return [{ key, text: refusalOf(error) }]
    }
    if (password === '' && tcpAo.length === 0) this.#keys.delete(peer.text)
    else this.#keys.set(peer.text, key)
    return []
  }

  close(): void {
    this.#server.close()
  }
}

function openListener(endpoint: Endpoint): number {
  const { address, port } = endpoint
  let fd: number | undefined
  try {
    fd = tcpSocket(address.family)
    if (address.family === 'ipv6') must('set IPV6_V6ONLY', setOption(fd, SOL_IPV6, IPV6_V6ONLY, 1))
    must('set SO_REUSEADDR', setOption(fd, SOL_SOCKET, SO_REUSEADDR, 1))
    setCommonOptions(fd, address.family)
    setTtl(fd, address.family, GTSM_TTL)
    must('bind', bind(fd, socketAddress(address, port)))
    must('listen', startListening(fd, BACKLOG))
    return fd
  } catch (error) {
    if (fd !== undefined) close(fd)
    throw explained(error, endpoint)
  }
}

function explained(error: unknown, endpoint: Endpoint): unknown {
  if (!(error instanceof SystemError)) return error
  const where = describeEndpoint(endpoint)
  const words = WORDS[error.code]?.(endpoint) ?? error.message
  return new ListenError(error.code, `can't listen on ${where}: ${words}`)
}

const WORDS: Readonly<Record<string, (endpoint: Endpoint) => string>> = {
  EADDRINUSE: ({ port }) =>
    `port ${port} is held by ${describePortOwner(port)}; stop it, or set another port under \`listen\``,
  EACCES: ({ port }) =>
    `port ${port} is below 1024, which needs root or CAP_NET_BIND_SERVICE (systemd: AmbientCapabilities=CAP_NET_BIND_SERVICE)`,
  EADDRNOTAVAIL: ({ address }) => `${address.text} is not an address of this host`,
  EAFNOSUPPORT: ({ address }) => `${address.family} is switched off on this host`,
}

/** Keys of a socket live in its option memory: some 150 on older kernels, 900 on newer ones. */
const refusalOf = (error: SystemError): string =>
  error.code === 'ENOMEM'
    ? `${error.message}; the listener holds as many keys as it can: raise net.core.optmem_max`
    : error.message

const addressOf = (peer: Address | Prefix): Address =>
  'length' in peer ? { family: peer.family, bytes: peer.bytes, text: peer.text } : peer

/** Another descriptor of what Node has accepted, whose own way of reading is not ours; negative: there is none. */
function ownDescriptor(socket: Socket): number {
  const fd = descriptorOf(socket)
  return fd === undefined ? -1 : duplicate(fd)
}

function remoteEndpoint(socket: Socket): Endpoint | undefined {
  const address = parseAddress(socket.remoteAddress ?? '')
  return address === undefined ? undefined : { address, port: socket.remotePort ?? 0 }
}

function portOf(fd: number): number {
  const bytes = new Uint8Array(28)
  const length = must('getsockname', socketName(fd, bytes))
  return parseSocketAddress(bytes.subarray(0, length))?.port ?? 0
}
