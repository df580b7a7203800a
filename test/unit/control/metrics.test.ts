import { expect, test } from 'vitest'
import { METRICS } from '../../../src/control/metrics.ts'
import { Metrics } from '../../../src/control/scrapes.ts'
import { FakeDaemon, peerUp, status } from './fake-daemon.ts'

const linesOf = async (daemon: FakeDaemon): Promise<string[]> =>
  (await new Metrics(daemon.queries).scrape()).text.split('\n').filter((line) => line !== '')

const expected: readonly string[] = [
  'linnet_info{version="0.1.0",asn="65101",router_id="10.0.1.11"} 1',
  'linnet_ready 1',
  'linnet_peer_up{peer="tor-a",address="10.0.1.1",asn="65001"} 1',
  'linnet_peer_up{peer="tor-b",address="",asn=""} 0',
  'linnet_peers_established 1',
  'linnet_peer_prefixes_received{peer="tor-a"} 120',
  'linnet_peer_prefixes_accepted{peer="tor-a"} 118',
  'linnet_peer_prefixes_stale{peer="tor-a"} 7',
  'linnet_restarting 0',
  'linnet_peer_prefixes_announced{peer="tor-a"} 4',
  'linnet_peer_prefixes_queued{peer="tor-a"} 0',
  'linnet_peer_prefixes_withheld{peer="tor-a"} 3',
  'linnet_peer_prefix_limit{peer="tor-a"} 5000000',
  'linnet_peer_prefixes_blocked_total{peer="tor-a"} 2',
  'linnet_peer_prefix_limit_exceeded_total{peer="tor-a"} 1',
  'linnet_peer_messages_in_total{peer="tor-a"} 640',
  'linnet_peer_messages_out_total{peer="tor-a"} 72',
  'linnet_peer_flaps_total{peer="tor-b"} 3',
  'linnet_peer_malformed_updates_total{peer="tor-a"} 2',
  'linnet_peer_connections_refused_total{peer="tor-b"} 4',
  'linnet_peer_bfd_up{peer="tor-a"} 1',
  'linnet_peer_bfd_failures_total{peer="tor-a"} 2',
  'linnet_strangers_refused_total 6',
  'linnet_rib_prefixes{family="ipv4"} 100',
  'linnet_rib_paths{family="ipv6"} 40',
  'linnet_rib_attribute_sets 5',
  'linnet_rib_memory_bytes 3145728',
  'linnet_source_prefixes 1',
  'linnet_rpki_cache_up{cache="192.0.2.9:323"} 1',
  'linnet_rpki_vrps{cache="192.0.2.9:323",family="ipv4"} 400000',
  'linnet_rpki_vrps{cache="192.0.2.9:323",family="ipv6"} 90000',
  'linnet_fib_routes{state="installed"} 117',
  'linnet_fib_routes{state="pending"} 1',
  'linnet_fib_routes{state="failed"} 0',
  'linnet_fib_repairs_total 2',
  'linnet_fib_fights_total 1',
  'linnet_queue_length{stage="announce"} 3',
  'linnet_event_loop_lag_seconds 0.0015',
  'linnet_monitor_up{monitor="mrt updates",target="/var/lib/linnet/updates.mrt"} 0',
  'linnet_monitor_messages_total{monitor="mrt updates"} 900',
  'linnet_monitor_bytes_total{monitor="mrt updates"} 65536',
  'linnet_monitor_queued{monitor="mrt updates"} 0',
  'linnet_monitor_lost_bytes_total{monitor="mrt updates"} 120',
  'linnet_resident_memory_bytes 67108864',
  'linnet_open_files 40',
  'linnet_start_time_seconds 1772365800',
]

test('every metric is expected here', () => {
  const covered = new Set(expected.map((line) => line.replace(/[{ ].*/, '')))
  expect(METRICS.map((it) => it.name).filter((name) => !covered.has(name))).toEqual([])
})

test('a scrape shows the values of the tables, and only metrics of the table', async () => {
  const lines = await linesOf(new FakeDaemon())
  for (const line of expected) expect(lines).toContain(line)
  const names = new Set(
    lines.filter((it) => !it.startsWith('#')).map((it) => it.replace(/[{ ].*/, '')),
  )
  expect(names).toEqual(new Set(METRICS.map((it) => it.name)))
})

test('names follow the conventions of Prometheus', () => {
  for (const { name, type, help } of METRICS) {
    expect(name).toMatch(/^linnet_[a-z_]+$/)
    expect(name.endsWith('_total')).toBe(type === 'counter')
    expect(help).toMatch(/\.$/)
  }
})

test('a second scrape shows the new values, and forgets peers that are gone', async () => {
  const daemon = new FakeDaemon()
  const metrics = new Metrics(daemon.queries)
  await metrics.scrape()
  daemon.peerRows = [{ ...peerUp, received: 7, messagesIn: 641 }]
  daemon.statusRow = { ...status, fib: { ...status.fib, repairs: 0 } }
  const { text } = await metrics.scrape()
  expect(text).toContain('linnet_peer_prefixes_received{peer="tor-a"} 7\n')
  expect(text).toContain('linnet_peer_messages_in_total{peer="tor-a"} 641\n')
  expect(text).toContain('linnet_fib_repairs_total 0\n')
  expect(text).not.toContain('tor-b')
})
