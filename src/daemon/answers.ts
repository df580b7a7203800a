/**
 * What the daemon answers when control asks: its live tables as rows. Nothing here changes anything.
 */
import { hostname } from 'node:os'
import { formatIpv4 } from '../net/address.ts'
import { FAMILIES, familyOfAfi, SAFI_UNICAST, type Family } from '../net/family.ts'
import { covers } from '../net/prefix.ts'
import type { PrefixLimit } from '../config/config.ts'
import { DEFAULT_MAX_PREFIXES } from '../config/prefix-limit.ts'
import type { PrefixFilter, Queries } from '../control/queries.ts'
import type { HealthReport, StatusRow } from '../control/reports.ts'
import type {
  FibRow,
  NextHopRow,
  PeerDetail,
  PeerRow,
  PrefixLimitRow,
  SourceRow,
} from '../control/rows.ts'
import type { VitalSigns } from '../control/vital-signs.ts'
import { version } from '../control/version.ts'
import type { KernelTarget } from '../fib/kernel.ts'
import type { HostView } from '../sources/source.ts'
import type { AfiSafi } from '../wire/capabilities/capability.ts'
import type { Capability } from '../wire/capabilities/index.ts'
import { ourOpen } from '../session/negotiation.ts'
import type { Endpoint } from '../session/transport.ts'
import { MAX_MESSAGE_LENGTH } from '../wire/constants.ts'
import type { Neighbor } from './neighbor.ts'
import { namesOf } from './policies.ts'
import { routeRows } from './route-rows.ts'
import { rpkiRows } from './rpki-rows.ts'
import type { Speaker } from './speaker.ts'

export interface AnswersOptions {
  readonly speaker: Speaker
  readonly host: HostView
  readonly vitalSigns: VitalSigns
  readonly configFile: string
  readonly startedAt: Date
  /** When the configuration in use was read. */
  configLoadedAt(): Date
  /** What is not as it should be. */
  warnings(): readonly string[]
}

export function answers(options: AnswersOptions): Queries {
  const { speaker } = options
  return {
    status: () => statusRow(options),
    peers: () => [...speaker.neighbors].map((it) => peerRow(speaker, it)),
    peer: (name) => {
      const neighbor = speaker.neighbor(name)
      return neighbor === undefined ? undefined : peerDetail(speaker, neighbor)
    },
    routes: (filter) => routeRows(speaker, filter),
    fib: (filter) => fibRows(options, filter),
    sources: () => sourceRows(speaker),
    nextHops: () => nextHopRows(options),
    monitors: () => speaker.monitors.rows(),
    rpki: () => rpkiRows(speaker),
    health: () => health(speaker),
  }
}

const isoOf = (ms: number): string => new Date(ms).toISOString()

function statusRow(options: AnswersOptions): StatusRow {
  const { speaker, vitalSigns } = options
  const [ipv4, ipv6] = speaker.rib.families
  const neighbors = [...speaker.neighbors]
  const fib = speaker.forwarding?.fib.counters
  const waiting = [...speaker.groups].reduce((sum, group) => sum + group.waiting, 0)
  return {
    version: version(),
    host: hostname(),
    pid: process.pid,
    asn: speaker.config.asn,
    routerId: speaker.routerId.text,
    drained: speaker.drained,
    startedAt: options.startedAt.toISOString(),
    configFile: options.configFile,
    configLoadedAt: options.configLoadedAt().toISOString(),
    peers: neighbors.length,
    established: neighbors.filter(({ session }) => session !== undefined).length,
    prefixes: { ipv4: ipv4.prefixes.live, ipv6: ipv6.prefixes.live },
    paths: { ipv4: ipv4.paths.live, ipv6: ipv6.paths.live },
    sources: speaker.localRoutes.size,
    fib: {
      installed: fib?.installed ?? 0,
      pending: fib?.pending ?? 0,
      failed: fib?.failed ?? 0,
      stale: fib?.stale ?? 0,
      refused: speaker.forwarding?.refused ?? 0,
      repairs: fib?.repairs ?? 0,
    },
    queues: { decide: ipv4.waiting + ipv6.waiting, announce: waiting, fib: fib?.pending ?? 0 },
    attributeSets: speaker.rib.attributes.live,
    ribBytes: speaker.rib.bytes,
    strangersRefused: speaker.listeners.refused,
    openFiles: vitalSigns.openFiles(),
    rssBytes: vitalSigns.rssBytes(),
    eventLoopLagMs: Math.max(vitalSigns.eventLoopLagMs(), speaker.scheduler.takeLongestTurnMs()),
    warnings: [...(speaker.drained ? [DRAINED] : []), ...options.warnings()],
  }
}

const DRAINED = 'peers are asked to avoid this host: linnet drain --undo takes it back'

function peerRow({ suspicions }: Speaker, neighbor: Neighbor): PeerRow {
  const { config, session } = neighbor
  const it = neighbor.snapshot()
  const { negotiated, counters, lastError } = it
  const peer = session?.adjRibIn.peer
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
    capabilities: session === undefined ? [] : inUse(session.negotiated),
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
const inUse = (it: {
  families: readonly string[]
  fourOctetAs: boolean
  routeRefresh: boolean
  enhancedRouteRefresh: boolean
  maxMessageLength: number
  addPath: { receive: readonly string[]; send: readonly string[] }
  extendedNextHop: boolean
}): string[] => [
  ...it.families.map((family) => `multiprotocol ${family}`),
  ...(it.extendedNextHop ? ['extended-next-hop'] : []),
  ...(it.routeRefresh ? ['route-refresh'] : []),
  ...(it.enhancedRouteRefresh ? ['enhanced-route-refresh'] : []),
  ...(it.maxMessageLength > MAX_MESSAGE_LENGTH ? ['extended-message'] : []),
  ...(it.fourOctetAs ? ['four-octet-as'] : []),
  ...it.addPath.receive.map((family) => `add-path ${family} receive`),
  ...it.addPath.send.map((family) => `add-path ${family} send`),
]

function peerDetail(speaker: Speaker, neighbor: Neighbor): PeerDetail {
  const { config, session } = neighbor
  const { connection, counters } = neighbor.snapshot()
  const negotiated = session?.negotiated
  const peer = session?.adjRibIn.peer
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
    perFamily: (negotiated?.families ?? []).map((family) => {
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

/** The legs of a target, with the names of their links. */
function legs(target: KernelTarget, host: HostView) {
  if (target.kind !== 'gateways') return []
  const names = new Map([...host.links()].map(({ index, name }) => [index, name]))
  return target.hops.map(({ via, link, weight = 1 }) => ({
    via: via?.text ?? null,
    dev: names.get(link) ?? null,
    weight,
  }))
}

function* fibRows({ speaker, host }: AnswersOptions, filter: PrefixFilter): Iterable<FibRow> {
  const { forwarding } = speaker
  if (forwarding === undefined) return
  const { table, metric, protocol } = speaker.config.kernel
  for (const family of FAMILIES) {
    if (filter.family !== undefined && filter.family !== family.name) continue
    const { prefixes } = speaker.rib.families[family.index]
    for (const row of forwarding.fib.rows(family.index)) {
      const prefix = prefixes.prefix(row.prefixId)
      if (filter.prefix !== undefined) {
        const matches = filter.longer
          ? covers(filter.prefix, prefix)
          : filter.prefix.text === prefix.text
        if (!matches) continue
      }
      const target = forwarding.targets.get(row.targetId)?.target
      yield {
        prefix: prefix.text,
        family: family.name,
        nextHops:
          target === undefined ? [] : legs(target, host).map((leg) => ({ ...leg, encap: null })),
        nexthopId: row.targetId === 0 ? null : row.targetId,
        table,
        metric,
        protocol,
        state: row.state,
        error: row.error ?? null,
        since: isoOf(row.since ?? Date.now()),
      }
    }
  }
}

function sourceRows(speaker: Speaker): SourceRow[] {
  const heard = [...speaker.neighbors].some(
    ({ session, config }) => session !== undefined && namesOf(config.exportPolicy) !== 'reject',
  )
  return [...speaker.ownPrefixes.records()].map(({ sourced, since }) => ({
    prefix: sourced.prefix.text,
    family: sourced.prefix.family,
    source: sourced.source,
    interface: sourced.interface ?? null,
    network: sourced.network ?? null,
    container: sourced.container ?? null,
    announced: heard,
    since: isoOf(since),
  }))
}

function nextHopRows({ speaker, host }: AnswersOptions): NextHopRow[] {
  const rows: NextHopRow[] = []
  const inTargets = new Set<string>()
  // The RIB knows links by their index, people by their name.
  const named = (text: string): string =>
    text.replace(/(?<=%)\d+$/, (index) => speaker.linkName(Number(index)))
  for (const target of speaker.forwarding?.targets ?? []) {
    const addresses = target.key.split(' ').slice(1)
    const resolved = addresses.map((text) => {
      inTargets.add(text)
      return (
        [...speaker.rib.nextHops].find(({ address }) => address.text === text)?.resolution
          .resolvedBy ?? text
      )
    })
    rows.push({
      id: target.id,
      nextHops: addresses.map(named),
      members: legs(target.target, host),
      routes: target.routes,
      backup: null,
      resolvedBy: resolved.join(', '),
      since: isoOf(target.since),
    })
  }
  for (const { address, resolution } of speaker.rib.nextHops) {
    if (inTargets.has(address.text)) continue
    const hops = resolution.gateways
    rows.push({
      id: null,
      nextHops: [named(address.text)],
      members: legs({ kind: 'gateways', hops }, host),
      routes: 0,
      backup: null,
      resolvedBy: resolution.resolvedBy,
      since: isoOf(Date.now()),
    })
  }
  return rows
}

/** Ready: some session is up, and what was received is decided and in the kernel. */
function health(speaker: Speaker): HealthReport {
  const neighbors = [...speaker.neighbors]
  const up = neighbors.filter(({ session }) => session !== undefined)
  const reasons: string[] = []
  if (neighbors.length > 0 && up.length === 0) reasons.push('no session is Established')
  const telling = up.filter(({ saidAll }) => !saidAll)
  if (up.length > 0 && telling.length === up.length) {
    reasons.push(
      `waiting for End-of-RIB from ${telling.map(({ config }) => config.name).join(', ')}`,
    )
  }
  if (speaker.rib.busy) reasons.push('routes are waiting for a decision')
  const pending = speaker.forwarding?.fib.counters.pending ?? 0
  if (pending > 0) reasons.push(`${pending} routes are on their way to the kernel`)
  return { alive: true, ready: reasons.length === 0, reasons }
}
