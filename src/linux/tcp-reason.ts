/**
 * Why a connection failed, in words that tell what to look at.
 *
 * A wrong TCP MD5 key and a packet with too low a TTL are dropped without an answer, on both sides, so
 * they look like a dead host. Where these are configured, the words say so.
 */
import type { CloseReason, Endpoint, SocketOptions } from '../session/transport.ts'

type Code = CloseReason['code']

const CODES: Readonly<Record<string, Code>> = {
  ECONNREFUSED: 'refused',
  ECONNRESET: 'reset',
  ECONNABORTED: 'reset',
  EPIPE: 'reset',
  ETIMEDOUT: 'timeout',
  EHOSTUNREACH: 'unreachable',
  EHOSTDOWN: 'unreachable',
  ENETUNREACH: 'unreachable',
  ENETDOWN: 'unreachable',
  ENONET: 'unreachable',
}

/** The reason that Node's or our own error gives for the end of a connection to `remote`. */
export function closeReason(error: Error, remote: Endpoint, options: SocketOptions): CloseReason {
  const errno = 'code' in error && typeof error.code === 'string' ? error.code : ''
  const code = CODES[errno] ?? 'error'
  return { code, text: wordsFor(errno, error, remote, options) }
}

/** Nobody answered within the time that we give a handshake. */
export const connectTimeout = (
  milliseconds: number,
  remote: Endpoint,
  options: SocketOptions,
): CloseReason => ({
  code: 'timeout',
  text: `no answer from ${name(remote)} within ${milliseconds / 1000} s${silentDrops(options)}`,
})

function wordsFor(errno: string, error: Error, remote: Endpoint, options: SocketOptions): string {
  const who = name(remote)
  switch (errno) {
    case 'ECONNREFUSED':
      return `${who} refused the connection: nothing listens there (ECONNREFUSED)`
    case 'ECONNRESET':
    case 'ECONNABORTED':
    case 'EPIPE':
      return `${who} reset the connection (${errno})`
    case 'ETIMEDOUT':
      return `no answer from ${who}${silentDrops(options)} (ETIMEDOUT)`
    case 'EHOSTUNREACH':
    case 'EHOSTDOWN':
      return `host ${remote.address.text} is unreachable: it does not answer ARP or neighbour discovery, or a router says so (${errno})`
    case 'ENETUNREACH':
    case 'ENETDOWN':
    case 'ENONET':
      return `no route to ${remote.address.text} (${errno})`
    case 'EADDRNOTAVAIL':
      return `can't connect from ${options.localAddress?.text ?? 'here'}: not an address of this host (EADDRNOTAVAIL)`
    case 'ENODEV':
      return `can't reach ${who}: no interface ${options.bindDevice ?? remote.address.zone ?? ''} (ENODEV)`
    default:
      return `${who}: ${error.message}`
  }
}

function silentDrops(options: SocketOptions): string {
  const suspects: string[] = []
  if (options.password !== undefined) suspects.push('a different TCP MD5 password')
  if (options.tcpAo !== undefined) suspects.push('a different TCP-AO key')
  if (options.minimumTtl !== undefined)
    suspects.push(`a peer that doesn't send with TTL 255 (GTSM), or a closed port,`)
  return suspects.length === 0 ? '' : `; ${suspects.join(' or ')} looks the same`
}

const name = (it: Endpoint): string =>
  it.address.family === 'ipv4' ? `${it.address.text}:${it.port}` : `[${it.address.text}]:${it.port}`
