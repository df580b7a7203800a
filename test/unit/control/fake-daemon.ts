/** A daemon of plain arrays: what the control API and the command line are tested against. */
import type { Daemon } from '../../../src/control/handlers.ts'
import {
  Refusal,
  type Commands,
  type PrefixFilter,
  type Queries,
  type RouteFilter,
} from '../../../src/control/queries.ts'
import type {
  EventRow,
  HealthReport,
  ReloadReport,
  StatusRow,
} from '../../../src/control/reports.ts'
import type {
  FibRow,
  MonitorRow,
  NextHopRow,
  PeerDetail,
  PeerRow,
  RouteRow,
  RpkiRow,
  SourceRow,
} from '../../../src/control/rows.ts'
import { covers, prefix } from '../../../src/net/prefix.ts'

/** Ten minutes before `NOW`. */
export const THEN = '2026-03-01T11:50:00.000Z'
export const NOW = Date.parse('2026-03-01T12:00:00.000Z')

export const peerUp: PeerRow = {
  name: 'tor-a',
  address: '10.0.1.1',
  interface: null,
  range: null,
  asn: 65001,
  group: 'tor',
  state: 'Established',
  reason: '',
  since: THEN,
  families: ['ipv4', 'ipv6'],
  received: 120,
  accepted: 118,
  stale: 7,
  announced: 4,
  queued: 0,
  withheld: 3,
  maxPrefixes: 5_000_000,
  blocked: 2,
  limitExceeded: 1,
  holdTime: 90,
  keepalive: 30,
  flaps: 1,
  malformed: 2,
  connectionsRefused: 0,
  messagesIn: 640,
  messagesOut: 72,
  lastError: null,
  lastErrorAt: null,
  capabilities: ['multiprotocol ipv4', '4-octet AS'],
  bfd: 'Up',
  bfdFailures: 2,
}

export const peerDown: PeerRow = {
  ...peerUp,
  name: 'tor-b',
  address: null,
  interface: 'eth1',
  asn: null,
  state: 'Active',
  reason: 'trying again in 4 s',
  received: 0,
  accepted: 0,
  stale: 0,
  announced: 0,
  holdTime: null,
  keepalive: null,
  flaps: 3,
  malformed: 0,
  connectionsRefused: 4,
  messagesIn: 9,
  messagesOut: 11,
  lastError: 'sent OPEN Message Error/Bad Peer AS: peer says AS 65002, configured 65001',
  lastErrorAt: THEN,
  capabilities: [],
  bfd: null,
  bfdFailures: 0,
}

const noMessages = { open: 0, update: 0, notification: 0, keepalive: 0, routeRefresh: 0, bytes: 0 }

export const detailOf = (row: PeerRow): PeerDetail => ({
  ...row,
  routerId: '10.0.0.1',
  hostname: null,
  type: 'external',
  localAsn: 65101,
  role: null,
  localAddress: '10.0.1.11:179',
  remoteAddress: '10.0.1.1:40001',
  passive: false,
  routeReflectorClient: false,
  importPolicy: 'accept',
  exportPolicy: 'local',
  gracefulRestart: { restartTime: 120, notification: true, restarting: false, longLived: false },
  perFamily: [
    {
      ...{ family: 'ipv4', received: 100, accepted: 99, rejected: 1, announced: 4 },
      ...{ stale: 7, staleFor: 42, longLived: false, forwardingPreserved: true },
      ...{ withheld: 3, blocked: 2, limitExceeded: 1, endOfRib: true },
      ...{ addPathReceive: true, addPathSend: 'all' },
    },
    {
      ...{ family: 'ipv6', received: 20, accepted: 19, rejected: 1, announced: 0 },
      ...{ stale: 0, staleFor: null, longLived: false, forwardingPreserved: false },
      ...{ withheld: 0, blocked: 0, limitExceeded: 0, endOfRib: false },
      ...{ addPathReceive: false, addPathSend: null },
    },
  ],
  settings: [
    { key: 'asn', value: '65001', place: '/etc/linnet/node.yaml:4:10', group: 'tor' },
    { key: 'holdTime', value: '30s', place: '/etc/linnet/node.yaml:7:44', group: null },
    { key: 'password', value: '***', place: '/etc/linnet/node.yaml:7:60', group: null },
    { key: 'port', value: '179', place: null, group: null },
  ],
  prefixLimits: [
    {
      ...{ direction: 'in', limit: 5_000_000, isDefault: true },
      ...{ warnAt: 75, action: 'block', after: null },
    },
  ],
  bfdSession:
    row.bfd === null
      ? null
      : {
          ...{ since: THEN, multihop: false, diagnostic: 'none', remoteState: 'Up' },
          ...{ remoteDiagnostic: 'none', discriminator: 77, remoteDiscriminator: 1 },
          ...{ transmitInterval: 300, receiveInterval: 250, remoteMultiplier: 3 },
          ...{ detectionTime: 900, longestSilence: 312, controlPlaneIndependent: false },
          ...{ authenticated: true, ups: 3 },
        },
  messagesReceived: { ...noMessages, open: 1, update: 600, keepalive: 39, bytes: 123456 },
  messagesSent: { ...noMessages, open: 1, update: 32, keepalive: 39, bytes: 4321 },
  capabilitiesSent: ['multiprotocol ipv4', '4-octet AS', 'route refresh'],
  capabilitiesReceived: ['multiprotocol ipv4', '4-octet AS'],
})

export const route: RouteRow = {
  prefix: '172.18.2.0/24',
  family: 'ipv4',
  peer: 'tor-a',
  source: 'bgp',
  best: true,
  multipath: false,
  stale: false,
  weight: null,
  valid: true,
  installed: true,
  nextHops: ['10.0.1.1'],
  asPath: '65001 65102',
  origin: 'igp',
  localPref: 100,
  med: null,
  communities: ['65001:100'],
  largeCommunities: [],
  extendedCommunities: [],
  originatorId: null,
  clusterList: [],
  onlyToCustomer: null,
  atomicAggregate: false,
  aggregator: null,
  otherAttributes: [],
  pathId: null,
  rpki: null,
  since: THEN,
  reason: 'lower router id',
}

export const fibRoute: FibRow = {
  prefix: '172.18.2.0/24',
  family: 'ipv4',
  type: 'unicast',
  nextHops: [
    { via: '10.0.1.1', dev: 'eth0', weight: 1, encap: null },
    { via: '10.0.2.1', dev: 'eth1', weight: 1, encap: null },
  ],
  nexthopId: 0x4c000003,
  table: 254,
  metric: 20,
  protocol: 179,
  state: 'installed',
  error: null,
  since: THEN,
}

export const source: SourceRow = {
  prefix: '172.18.1.0/24',
  family: 'ipv4',
  source: 'interface',
  interface: 'docker0',
  network: null,
  container: null,
  announced: true,
  since: THEN,
}

export const nextHop: NextHopRow = {
  id: 0x4c000003,
  nextHops: ['10.0.1.1', '10.0.2.1'],
  members: [
    { via: '10.0.1.1', dev: 'eth0', weight: 1, encap: null },
    { via: '10.0.2.1', dev: 'eth1', weight: 1, encap: null },
  ],
  routes: 118,
  backup: null,
  resolvedBy: 'connected on eth0, eth1',
  since: THEN,
}

export const monitor: MonitorRow = {
  name: 'mrt updates',
  kind: 'mrtUpdates',
  target: '/var/lib/linnet/updates.mrt',
  state: 'failed',
  since: THEN,
  messages: 900,
  bytes: 65536,
  queued: 0,
  lost: 120,
  lastError: "can't write /var/lib/linnet/updates.mrt: no space left on device",
  lastErrorAt: THEN,
}

export const rpkiCache: RpkiRow = {
  cache: '192.0.2.9:323',
  state: 'synchronized',
  used: true,
  version: 1,
  sessionId: 7,
  serial: 42,
  ipv4: 400_000,
  ipv6: 90_000,
  since: THEN,
  lastError: null,
}

export const status: StatusRow = {
  version: '0.1.0',
  host: 'host1',
  pid: 4711,
  asn: 65101,
  routerId: '10.0.1.11',
  drained: false,
  restarting: null,
  startedAt: THEN,
  configFile: '/etc/linnet/node.yaml',
  configLoadedAt: THEN,
  peers: 2,
  established: 1,
  prefixes: { ipv4: 100, ipv6: 20 },
  paths: { ipv4: 200, ipv6: 40 },
  sources: 1,
  fib: { installed: 117, pending: 1, failed: 0, stale: 0, refused: 0, repairs: 2, fights: 1 },
  queues: { decide: 0, announce: 3 },
  attributeSets: 5,
  ribBytes: 3 << 20,
  strangersRefused: 6,
  openFiles: 40,
  rssBytes: 64 * 1024 * 1024,
  eventLoopLagMs: 1.5,
  warnings: [],
}

export const reloaded: ReloadReport = {
  ok: true,
  configFile: '/etc/linnet/node.yaml',
  complaints: [],
  added: ['tor-c'],
  removed: [],
  changed: ['tor-a: session reset'],
  kept: 1,
  other: ['kernel.metric: 20 -> 30'],
  needsRestart: [],
}

/** Everything a fake daemon answers with; tests change what they are about. */
export class FakeDaemon implements Daemon {
  statusRow: StatusRow = status
  peerRows: PeerRow[] = [peerUp, peerDown]
  routeRows: Iterable<RouteRow> = [route]
  fibRows: Iterable<FibRow> = [fibRoute]
  sourceRows: SourceRow[] = [source]
  nextHopRows: NextHopRow[] = [nextHop]
  monitorRows: MonitorRow[] = [monitor]
  rpkiRows: RpkiRow[] = [rpkiCache]
  healthReport: HealthReport = { alive: true, ready: true, reasons: [] }
  reloadReport: ReloadReport = reloaded
  /** The orders that arrived, as text. */
  readonly orders: string[] = []
  /** The route filters that arrived. */
  readonly asked: RouteFilter[] = []
  readonly #listeners = new Set<(event: EventRow) => void>()

  /** Subscribers of the event stream now. */
  get subscribers(): number {
    return this.#listeners.size
  }

  emit(event: Partial<EventRow>): void {
    const whole: EventRow = {
      at: THEN,
      topic: 'peers',
      kind: 'SessionEstablished',
      peer: null,
      prefix: null,
      text: '',
      ...event,
    }
    for (const listener of this.#listeners) listener(whole)
  }

  readonly events = {
    subscribe: (listener: (event: EventRow) => void) => {
      this.#listeners.add(listener)
      return () => {
        this.#listeners.delete(listener)
      }
    },
  }

  readonly queries: Queries = {
    status: () => this.statusRow,
    peers: () => this.peerRows,
    peer: (name) => {
      const row = this.peerRows.find((it) => it.name === name)
      return row && detailOf(row)
    },
    routes: (filter) => {
      this.asked.push(filter)
      return this.#matching(this.routeRows, filter)
    },
    fib: (filter) => this.#matching(this.fibRows, filter),
    sources: () => this.sourceRows,
    nextHops: () => this.nextHopRows,
    monitors: () => this.monitorRows,
    rpki: () => this.rpkiRows,
    health: () => this.healthReport,
  }

  readonly commands: Commands = {
    reload: async () => {
      this.orders.push('reload')
      return this.reloadReport
    },
    refresh: (peer, direction) => this.#obey(`refresh ${peer} ${direction}`),
    reset: (peer) => {
      const row = this.peerRows.find((it) => it.name === peer)
      if (row?.state !== 'Established') {
        throw new Refusal(`${peer} has no session to reset`, `see linnet show peer ${peer}`)
      }
      return this.#obey(`reset ${peer}`)
    },
    shutdown: (peer, message) => this.#obey(`shutdown ${peer} ${message ?? '-'}`),
    startup: (peer) => this.#obey(`startup ${peer}`),
    drain: (on, stop) =>
      Promise.resolve(this.#obey(on ? `drain${stop ? ' and stop' : ''}` : 'drain undo')),
    clearCounters: () => this.#obey('clear counters'),
  }

  #obey(order: string): string {
    this.orders.push(order)
    return `done: ${order}`
  }

  *#matching<Row extends { readonly prefix: string }>(
    rows: Iterable<Row>,
    filter: PrefixFilter,
  ): Generator<Row> {
    for (const row of rows) {
      const of = prefix(row.prefix)
      if (filter.family !== undefined && of.family !== filter.family) continue
      if (filter.prefix === undefined) yield row
      else if (filter.longer ? covers(filter.prefix, of) : filter.prefix.text === of.text) yield row
    }
  }
}

/** `count` different routes, made as they are asked for. */
export function* manyRoutes(count: number): Generator<RouteRow> {
  for (let i = 0; i < count; i++) {
    yield { ...route, prefix: `10.${(i >> 16) & 255}.${(i >> 8) & 255}.${i & 255}/32` }
  }
}
