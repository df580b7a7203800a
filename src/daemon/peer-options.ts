/** What a peer's configuration means to its session and its socket. */
import type { ResolvedPeer } from '../config/config.ts'
import type { PeerOptions } from '../session/peer-options.ts'
import type { SocketOptions } from '../session/transport.ts'

export function peerOptions(config: ResolvedPeer, routerId: number): PeerOptions {
  return {
    name: config.name,
    remote: { address: config.address, port: config.port },
    localAsn: config.localAsn,
    remoteAsn: config.asn,
    routerId,
    holdTimeSeconds: config.holdTimeSeconds,
    sendHoldSeconds: config.sendHoldTimeSeconds,
    connectRetrySeconds: config.connectRetrySeconds,
    passive: config.passive,
    families: config.families,
    extendedMessages: config.extendedMessages,
    addPath: { receive: config.addPath.receive, send: config.addPath.send !== 'off' },
    socket: socketOptions(config),
  }
}

/** GTSM sends with 255 and takes no less than 256 minus the hops (RFC 5082). */
export function socketOptions(config: ResolvedPeer): SocketOptions {
  const { localAddress, bindDevice, password, ttlSecurity, multihop, type } = config
  const ttl = multihop ?? (type === 'external' ? 1 : undefined)
  return {
    ...(localAddress === undefined ? {} : { localAddress }),
    ...(bindDevice === undefined ? {} : { bindDevice }),
    ...(password === undefined ? {} : { password: password.reveal() }),
    ...(ttlSecurity !== undefined
      ? { minimumTtl: 256 - ttlSecurity }
      : ttl === undefined
        ? {}
        : { ttl }),
  }
}
