/** What a peer's configuration means to its session, its socket and its side of the RIB. */
import type { ResolvedPeer } from '../config/config.ts'
import type { AdjRibInOptions } from '../rib/adj-rib-in-terms.ts'
import type { RibPeerOptions } from '../rib/peer.ts'
import type { Negotiated } from '../session/negotiation.ts'
import type { RestartState } from '../session/graceful-restart.ts'
import type { PeerOptions } from '../session/peer-options.ts'
import type { SocketOptions } from '../session/transport.ts'

/** `restart`: whether we have restarted, as it is from moment to moment. */
export function peerOptions(
  config: ResolvedPeer,
  { routerId, restart }: { readonly routerId: number; readonly restart: () => RestartState },
): PeerOptions {
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
    extendedNextHop: config.extendedNextHop,
    extendedMessages: config.extendedMessages,
    enhancedRouteRefresh: config.enhancedRouteRefresh,
    addPath: { receive: config.addPath.receive, send: config.addPath.send !== 'off' },
    ...(config.gracefulRestart === undefined
      ? {}
      : { gracefulRestart: { ...config.gracefulRestart, now: restart } }),
    ...(config.role === undefined
      ? {}
      : { role: config.role, strictRole: config.strictRole === true }),
    socket: socketOptions(config),
  }
}

/** GTSM sends with 255 and takes no less than 256 minus the hops (RFC 5082). */
export function socketOptions(config: ResolvedPeer): SocketOptions {
  const { localAddress, bindDevice, ttlSecurity, multihop, type } = config
  const ttl = multihop ?? (type === 'external' ? 1 : undefined)
  return {
    ...(localAddress === undefined ? {} : { localAddress }),
    ...(bindDevice === undefined ? {} : { bindDevice }),
    ...signing(config),
    ...(ttlSecurity !== undefined
      ? { minimumTtl: 256 - ttlSecurity }
      : ttl === undefined
        ? {}
        : { ttl }),
  }
}

/** What a peer's segments are signed with, by its configuration. */
export const signing = ({
  password,
  tcpAo,
}: ResolvedPeer): Pick<SocketOptions, 'password' | 'tcpAo'> => ({
  ...(password === undefined ? {} : { password: password.reveal() }),
  ...(tcpAo === undefined ? {} : { tcpAo: tcpAo.map((it) => ({ ...it, key: it.key.reveal() })) }),
})

export const ribPeerOptions = (
  config: ResolvedPeer,
  negotiated: Negotiated,
  link: string | undefined,
): RibPeerOptions => ({
  name: config.name,
  group: config.group,
  link,
  address: config.address,
  routerId: negotiated.peerRouterId,
  asn: negotiated.peerAsn,
  external: config.type === 'external',
  confederation: config.type === 'confederation',
  routeReflectorClient: config.routeReflectorClient,
  addPath: negotiated.addPath.receive,
})

/** `confederation`: the peer is in ours. `link`: where link-local next hops live, that of a session between link-local addresses; 0 for nowhere. */
export const adjRibInOptions = (
  negotiated: Negotiated,
  confederation: boolean,
  link: number,
  routerId: number,
): AdjRibInOptions => ({
  families: negotiated.families,
  fourOctetAs: negotiated.fourOctetAs,
  confederation,
  ipv6NextHops: negotiated.extendedNextHop,
  link,
  routerId,
})
