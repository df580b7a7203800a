/**
 * Metrics for Prometheus, one row per metric.
 *
 * Nothing is counted here: at each scrape the rows read one snapshot of what `linnet show` shows, so the
 * hot path pays nothing and metrics can't disagree with the command line (`scrapes.ts`).
 */
import type { HealthReport, StatusRow } from './reports.ts'
import type { MonitorRow, PeerRow, RpkiRow } from './rows.ts'

/** What all metrics of one scrape are read from. */
export interface Snapshot {
  readonly status: StatusRow
  readonly peers: readonly PeerRow[]
  readonly monitors: readonly MonitorRow[]
  readonly rpki: readonly RpkiRow[]
  readonly health: HealthReport
}

/** A value and the labels it goes by, in the order of the metric's `labels`. */
export type Sample = readonly [value: number, ...labels: string[]]

export interface Metric {
  readonly name: string
  readonly type: 'gauge' | 'counter'
  readonly help: string
  readonly labels: readonly string[]
  readonly read: (from: Snapshot) => Iterable<Sample>
}

const perPeer =
  (value: (peer: PeerRow) => number) =>
  ({ peers }: Snapshot): Sample[] =>
    peers.map((peer) => [value(peer), peer.name])

const perMonitor =
  (value: (monitor: MonitorRow) => number) =>
  ({ monitors }: Snapshot): Sample[] =>
    monitors.map((monitor) => [value(monitor), monitor.name])

const single =
  (value: (status: StatusRow) => number) =>
  ({ status }: Snapshot): Sample[] => [[value(status)]]

export const METRICS: readonly Metric[] = [
  {
    name: 'linnet_info',
    type: 'gauge',
    help: 'Always 1; the labels say who is asked.',
    labels: ['version', 'asn', 'router_id'],
    read: ({ status }) => [[1, status.version, String(status.asn), status.routerId ?? '']],
  },
  {
    name: 'linnet_ready',
    type: 'gauge',
    help: '1 once the host forwards by what was learned.',
    labels: [],
    read: ({ health }) => [[health.ready ? 1 : 0]],
  },
  {
    name: 'linnet_peer_up',
    type: 'gauge',
    help: '1 while the session with the peer is Established.',
    labels: ['peer', 'address', 'asn'],
    read: ({ peers }) =>
      peers.map((it) => [
        it.state === 'Established' ? 1 : 0,
        it.name,
        it.address ?? '',
        it.asn === null ? '' : String(it.asn),
      ]),
  },
  {
    name: 'linnet_peers_established',
    type: 'gauge',
    help: 'Sessions that are Established.',
    labels: [],
    read: single((status) => status.established),
  },
  {
    name: 'linnet_peer_prefixes_received',
    type: 'gauge',
    help: 'Prefixes the peer announces, before the import policy.',
    labels: ['peer'],
    read: perPeer((it) => it.received),
  },
  {
    name: 'linnet_peer_prefixes_accepted',
    type: 'gauge',
    help: 'Prefixes from the peer that the import policy let in.',
    labels: ['peer'],
    read: perPeer((it) => it.accepted),
  },
  {
    name: 'linnet_peer_prefixes_stale',
    type: 'gauge',
    help: 'Prefixes from an earlier session, or before a refresh, not told again yet.',
    labels: ['peer'],
    read: perPeer((it) => it.stale),
  },
  {
    name: 'linnet_restarting',
    type: 'gauge',
    help: '1 while the host forwards by routes of an earlier run and waits for its peers.',
    labels: [],
    read: single((status) => (status.restarting === null ? 0 : 1)),
  },
  {
    name: 'linnet_peer_prefixes_announced',
    type: 'gauge',
    help: 'Prefixes announced to the peer.',
    labels: ['peer'],
    read: perPeer((it) => it.announced),
  },
  {
    name: 'linnet_peer_prefixes_queued',
    type: 'gauge',
    help: 'Prefixes that are still to be looked at for the peer.',
    labels: ['peer'],
    read: perPeer((it) => it.queued),
  },
  {
    name: 'linnet_peer_prefixes_withheld',
    type: 'gauge',
    help: 'Prefixes not announced to the peer, for it hears as many as it may.',
    labels: ['peer'],
    read: perPeer((it) => it.withheld),
  },
  {
    name: 'linnet_peer_prefix_limit',
    type: 'gauge',
    help: 'Prefixes of each family that the peer may announce.',
    labels: ['peer'],
    read: perPeer((it) => it.maxPrefixes),
  },
  {
    name: 'linnet_peer_prefixes_blocked_total',
    type: 'counter',
    help: 'Prefixes of the peer left out beyond its limit, each time that one was announced.',
    labels: ['peer'],
    read: perPeer((it) => it.blocked),
  },
  {
    name: 'linnet_peer_prefix_limit_exceeded_total',
    type: 'counter',
    help: 'Times that the peer went beyond its limit of prefixes.',
    labels: ['peer'],
    read: perPeer((it) => it.limitExceeded),
  },
  {
    name: 'linnet_peer_messages_in_total',
    type: 'counter',
    help: 'BGP messages received from the peer.',
    labels: ['peer'],
    read: perPeer((it) => it.messagesIn),
  },
  {
    name: 'linnet_peer_messages_out_total',
    type: 'counter',
    help: 'BGP messages sent to the peer.',
    labels: ['peer'],
    read: perPeer((it) => it.messagesOut),
  },
  {
    name: 'linnet_peer_flaps_total',
    type: 'counter',
    help: 'Times the session with the peer has left Established.',
    labels: ['peer'],
    read: perPeer((it) => it.flaps),
  },
  {
    name: 'linnet_peer_malformed_updates_total',
    type: 'counter',
    help: 'UPDATEs of the peer that were malformed and cost a route or an attribute (RFC 7606).',
    labels: ['peer'],
    read: perPeer((it) => it.malformed),
  },
  {
    name: 'linnet_peer_connections_refused_total',
    type: 'counter',
    help: 'Connections that the peer opened too often and that were reset at once.',
    labels: ['peer'],
    read: perPeer((it) => it.connectionsRefused),
  },
  {
    name: 'linnet_peer_bfd_up',
    type: 'gauge',
    help: '1 while the BFD session with the peer is Up; only of peers that have one.',
    labels: ['peer'],
    read: ({ peers }) =>
      peers.flatMap((it): Sample[] =>
        it.bfd === null ? [] : [[it.bfd === 'Up' ? 1 : 0, it.name]],
      ),
  },
  {
    name: 'linnet_peer_bfd_failures_total',
    type: 'counter',
    help: 'Times that BFD has found the path to the peer broken.',
    labels: ['peer'],
    read: perPeer((it) => it.bfdFailures),
  },
  {
    name: 'linnet_strangers_refused_total',
    type: 'counter',
    help: 'Connections from addresses that are no peer of ours.',
    labels: [],
    read: single((status) => status.strangersRefused),
  },
  {
    name: 'linnet_rib_prefixes',
    type: 'gauge',
    help: 'Prefixes in the Loc-RIB.',
    labels: ['family'],
    read: ({ status: { prefixes } }) => [
      [prefixes.ipv4, 'ipv4'],
      [prefixes.ipv6, 'ipv6'],
    ],
  },
  {
    name: 'linnet_rib_paths',
    type: 'gauge',
    help: 'Paths from all peers and own sources.',
    labels: ['family'],
    read: ({ status: { paths } }) => [
      [paths.ipv4, 'ipv4'],
      [paths.ipv6, 'ipv6'],
    ],
  },
  {
    name: 'linnet_rib_attribute_sets',
    type: 'gauge',
    help: 'Distinct sets of path attributes that are held.',
    labels: [],
    read: single((status) => status.attributeSets),
  },
  {
    name: 'linnet_rib_memory_bytes',
    type: 'gauge',
    help: 'Memory of the tables of prefixes, paths and attribute sets.',
    labels: [],
    read: single((status) => status.ribBytes),
  },
  {
    name: 'linnet_source_prefixes',
    type: 'gauge',
    help: 'Own prefixes found on this host.',
    labels: [],
    read: single((status) => status.sources),
  },
  {
    name: 'linnet_rpki_cache_up',
    type: 'gauge',
    help: '1 while the RPKI cache is synchronized.',
    labels: ['cache'],
    read: ({ rpki }) => rpki.map((it) => [it.state === 'synchronized' ? 1 : 0, it.cache]),
  },
  {
    name: 'linnet_rpki_vrps',
    type: 'gauge',
    help: 'Validated ROA payloads that the RPKI cache has told.',
    labels: ['cache', 'family'],
    read: ({ rpki }) =>
      rpki.flatMap((it): Sample[] => [
        [it.ipv4, it.cache, 'ipv4'],
        [it.ipv6, it.cache, 'ipv6'],
      ]),
  },
  {
    name: 'linnet_fib_routes',
    type: 'gauge',
    help: 'Kernel routes by state: installed, pending, failed, stale, refused (never to be installed).',
    labels: ['state'],
    read: ({ status: { fib } }) => [
      [fib.installed, 'installed'],
      [fib.pending, 'pending'],
      [fib.failed, 'failed'],
      [fib.stale, 'stale'],
      [fib.refused, 'refused'],
    ],
  },
  {
    name: 'linnet_fib_repairs_total',
    type: 'counter',
    help: 'Times a kernel route changed by somebody else was put back.',
    labels: [],
    read: single((status) => status.fib.repairs),
  },
  {
    name: 'linnet_fib_fights_total',
    type: 'counter',
    help: 'Times a kernel route was left alone for 5 minutes, because somebody changed it more than 10 times in a minute.',
    labels: [],
    read: single((status) => status.fib.fights),
  },
  {
    name: 'linnet_queue_length',
    type: 'gauge',
    help: 'Work waiting, by stage.',
    labels: ['stage'],
    read: ({ status: { queues } }) =>
      Object.entries(queues).map(([stage, length]): Sample => [length, stage]),
  },
  {
    name: 'linnet_event_loop_lag_seconds',
    type: 'gauge',
    help: 'Longest that a timer was late since the previous look.',
    labels: [],
    read: single((status) => status.eventLoopLagMs / 1000),
  },
  {
    name: 'linnet_monitor_up',
    type: 'gauge',
    help: '1 while the BMP station is connected or the last write of the MRT file went well.',
    labels: ['monitor', 'target'],
    read: ({ monitors }) => monitors.map((it) => [isUp(it) ? 1 : 0, it.name, it.target]),
  },
  {
    name: 'linnet_monitor_messages_total',
    type: 'counter',
    help: 'MRT records or BMP messages handed to the monitor.',
    labels: ['monitor'],
    read: perMonitor((it) => it.messages),
  },
  {
    name: 'linnet_monitor_bytes_total',
    type: 'counter',
    help: 'Bytes written to the file or sent to the station.',
    labels: ['monitor'],
    read: perMonitor((it) => it.bytes),
  },
  {
    name: 'linnet_monitor_queued',
    type: 'gauge',
    help: 'Bytes that wait for the file, or routes that wait for the station.',
    labels: ['monitor'],
    read: perMonitor((it) => it.queued),
  },
  {
    name: 'linnet_monitor_lost_bytes_total',
    type: 'counter',
    help: 'Bytes of MRT records that could not be written.',
    labels: ['monitor'],
    read: perMonitor((it) => it.lost),
  },
  {
    name: 'linnet_resident_memory_bytes',
    type: 'gauge',
    help: 'Resident memory of the daemon.',
    labels: [],
    read: single((status) => status.rssBytes),
  },
  {
    name: 'linnet_open_files',
    type: 'gauge',
    help: 'Open file descriptors of the daemon, those of connections among them.',
    labels: [],
    read: single((status) => status.openFiles),
  },
  {
    name: 'linnet_start_time_seconds',
    type: 'gauge',
    help: 'When the daemon started, in seconds since the Unix epoch.',
    labels: [],
    read: single((status) => Date.parse(status.startedAt) / 1000),
  },
]

const isUp = ({ kind, state }: MonitorRow): boolean =>
  kind === 'bmp' ? state === 'connected' : state !== 'failed'
