/** Peers as rows of the control API. */
import { formatIpv4 } from '../net/address.ts'
import { familyOfAfi, SAFI_UNICAST, type Family } from '../net/family.ts'
import type { PrefixLimit } from '../config/config.ts'
import { DEFAULT_MAX_PREFIXES } from '../config/prefix-limit.ts'
import type { PeerDetail, PeerRow, PrefixLimitRow } from '../control/rows.ts'
import type { AfiSafi } from '../wire/capabilities/capability.ts'
import type { Capability } from '../wire/capabilities/index.ts'
import { ourOpen } from '../session/negotiation.ts'
import type { Endpoint } from '../session/transport.ts'
import { MAX_MESSAGE_LENGTH } from '../wire/constants.ts'
import { bfdFields, bfdRow } from './bfd-rows.ts'
import { isoOf } from './clock.ts'
import type { Neighbor } from './neighbor.ts'
import { namesOf } from './policies.ts'
import { gracefulRestartRow, staleFields } from './restart-rows.ts'
import type { Speaker } from './speaker.ts'

export function peerRow({ suspicions, bfd }: Speaker, neighbor: Neighbor): PeerRow {
  const { config, session, ribPeer: peer } = neighbor
  const it = neighbor.snapshot()
  const { negotiated, counters, lastError } = it
  const families = session?.negotiated.families ?? config.families
  const total = (of: (family: Family) => number): number =>
    families.reduce((sum, family) => sum + of(family), 0)
  const known = typeof config.asn === 'number' ? config.asn : null
  return {
    name: config.name,
    address: neighbor.address?.text ?? null,
    interface: config.interface ?? null,
    range: config.range ?? null,
    asn: negotiated?.peerAsn ?? known,
    group: config.group ?? null,
    state: it.state,
    reason: [it.reason, suspicions.of(neighbor)].filter(Boolean).join('; '),
    since: isoOf(it.since),
    families: [...families],
    received: peer === undefined ? 0 : peer.paths[0] + peer.paths[1],
    stale: peer === undefined ? 0 : peer.stale[0] + peer.stale[1],
    accepted: peer === undefined ? 0 : peer.accepted[0] + peer.accepted[1],
    announced: total((family) => neighbor.announced(family)),
    queued: total((family) => neighbor.queued(family)),
    withheld: total((family) => neighbor.withheld(family)),
    maxPrefixes: config.maxPrefixes.limit,
    blocked: neighbor.limits.reduce((sum, it) => sum + it.blocked, 0),
    limitExceeded: neighbor.limits.reduce((sum, it) => sum + it.exceeded, 0),
    holdTime: session?.negotiated.holdTimeSeconds ?? null,
    keepalive: session?.negotiated.keepaliveSeconds ?? null,
    flaps: it.flaps,
    malformed: neighbor.malformed,
    connectionsRefused: it.refused,
    messagesIn: messages(counters.received),
    messagesOut: messages(counters.sent),
    lastError: lastError === undefined ? null : `${lastError.direction} ${lastError.text}`,
    lastErrorAt: lastError === undefined ? null : isoOf(lastError.at),
    capabilities: session === undefined ? [] : agreedOn(session.negotiated),
    ...bfdFields(bfd, neighbor),
  }
}

const messages = (it: {
  open: number
  update: number
  notification: number
  keepalive: number
  routeRefresh: number
}): number => it.open + it.update + it.notification + it.keepalive + it.routeRefresh

/** What both sides announced. */
const agreedOn = (it: {
  families: readonly string[]
  fourOctetAs: boolean
  routeRefresh: boolean
  enhancedRouteRefresh: boolean
  maxMessageLength: number
  addPath: { receive: readonly string[]; send: readonly string[] }
  extendedNextHop: boolean
  gracefulRestart?: object
}): string[] => [
  ...it.families.map((family) => `multiprotocol ${family}`),
  ...(it.extendedNextHop ? ['extended-next-hop'] : []),
  ...(it.routeRefresh ? ['route-refresh'] : []),
  ...(it.enhancedRouteRefresh ? ['enhanced-route-refresh'] : []),
  ...(it.maxMessageLength > MAX_MESSAGE_LENGTH ? ['extended-message'] : []),
  ...(it.fourOctetAs ? ['four-octet-as'] : []),
  ...(it.gracefulRestart === undefined ? [] : ['graceful-restart']),
  ...it.addPath.receive.map((family) => `add-path ${family} receive`),
  ...it.addPath.send.map((family) => `add-path ${family} send`),
]

export function peerDetail(speaker: Speaker, neighbor: Neighbor): PeerDetail {
  const { config, session, ribPeer: peer } = neighbor
  const { connection, counters } = neighbor.snapshot()
  const negotiated = session?.negotiated
  const left = peer === undefined ? [] : config.families
  return {
    ...peerRow(speaker, neighbor),
    routerId: negotiated === undefined ? null : formatIpv4(negotiated.peerRouterId),
    hostname: hostnameIn(negotiated?.peerCapabilities ?? []),
    type: config.type,
    localAsn: config.localAsn,
    role: config.role ?? null,
    localAddress: endpointText(connection?.local),
    remoteAddress: endpointText(connection?.remote),
    passive: config.passive,
    routeReflectorClient: config.routeReflectorClient,
    importPolicy: namesOf(config.importPolicy),
    exportPolicy: namesOf(config.exportPolicy),
    gracefulRestart: gracefulRestartRow(negotiated?.gracefulRestart),
    perFamily: (negotiated?.families ?? left).map((family) => {
      const index = family === 'ipv4' ? 0 : 1
      const received = peer?.paths[index] ?? 0
      const accepted = peer?.accepted[index] ?? 0
      return {
        family,
        received,
        accepted,
        rejected: received - accepted,
        announced: neighbor.announced(family),
        withheld: neighbor.withheld(family),
        blocked: neighbor.limits[index].blocked,
        limitExceeded: neighbor.limits[index].exceeded,
        ...staleFields(neighbor, family, speaker.clock.now()),
        endOfRib: session?.saidAllOf(family) ?? false,
        addPathReceive: negotiated?.addPath.receive.includes(family) ?? false,
        addPathSend: negotiated?.addPath.send.includes(family) ? String(config.addPath.send) : null,
      }
    }),
    settings: (speaker.config.settings.get(config.range ?? config.name) ?? []).map((it) => ({
      ...{ key: it.key, value: it.value, place: it.place ?? null, group: it.group ?? null },
    })),
    prefixLimits: [
      prefixLimitRow('in', config.maxPrefixes),
      ...(config.maxPrefixesOut === undefined
        ? []
        : [prefixLimitRow('out', config.maxPrefixesOut)]),
    ],
    bfdSession: bfdRow(speaker.bfd, neighbor),
    messagesReceived: { ...counters.received },
    messagesSent: { ...counters.sent },
    capabilitiesSent: ourOpen(neighbor.peer.options).capabilities.flatMap(capabilityNames),
    capabilitiesReceived: (negotiated?.peerCapabilities ?? []).flatMap(capabilityNames),
  }
}

const prefixLimitRow = (
  direction: PrefixLimitRow['direction'],
  it: PrefixLimit,
): PrefixLimitRow => ({
  direction,
  limit: it.limit,
  isDefault:
    direction === 'in' &&
    it.limit === DEFAULT_MAX_PREFIXES.limit &&
    it.action === DEFAULT_MAX_PREFIXES.action,
  warnAt: it.warnAt,
  action: it.action,
  after: it.afterSeconds ?? null,
})

/** For people, and never to move their cursor. */
function hostnameIn(capabilities: readonly Capability[]): string | null {
  const said = capabilities.find((it) => it.name === 'fqdn')
  if (said === undefined || said.hostname === '') return null
  const name = said.domain === '' ? said.hostname : `${said.hostname}.${said.domain}`
  return name.replaceAll(/\p{Cc}/gu, ' ')
}

function capabilityNames(it: Capability): string[] {
  if (it.name === 'unknown') return [`unknown ${it.code}`]
  if (it.name === 'multiprotocol') return [`multiprotocol ${familyText(it)}`]
  if (it.name === 'role') return [`role ${it.role}`]
  if (it.name !== 'add-path') return [it.name]
  return it.families.flatMap((offer) => addPathNames(familyText(offer), offer))
}

/** By what the one who announced it can do; each stands for itself, for the other side may miss one of them. */
const addPathNames = (family: string, it: { receive: boolean; send: boolean }): string[] => [
  ...(it.receive ? [`add-path ${family} receive`] : []),
  ...(it.send ? [`add-path ${family} send`] : []),
]

const familyText = ({ afi, safi }: AfiSafi): string =>
  (safi === SAFI_UNICAST ? familyOfAfi(afi) : undefined) ?? `${afi}/${safi}`

const endpointText = (it: Endpoint | undefined): string | null =>
  it === undefined
    ? null
    : it.address.family === 'ipv6'
      ? `[${it.address.text}]:${it.port}`
      : `${it.address.text}:${it.port}`
