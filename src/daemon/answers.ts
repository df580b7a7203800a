/**
 * What the daemon answers when control asks: its live tables as rows. Nothing here changes anything.
 */
import { hostname } from 'node:os'
import type { Queries } from '../control/queries.ts'
import type { HealthReport, StatusRow } from '../control/reports.ts'
import type { SourceRow } from '../control/rows.ts'
import { openFiles, rssBytes } from '../control/vital-signs.ts'
import { version } from '../control/version.ts'
import type { HostView } from '../sources/source.ts'
import { isoOf } from './clock.ts'
import { fibRows, nextHopRows } from './forwarding-rows.ts'
import { peerDetail, peerRow } from './peer-rows.ts'
import { namesOf } from './policies.ts'
import type { Pulse } from './pulse.ts'
import { routeRows } from './route-rows.ts'
import { rpkiRows } from './rpki-rows.ts'
import type { Speaker } from './speaker.ts'

export interface AnswersOptions {
  readonly speaker: Speaker
  readonly host: HostView
  readonly pulse: Pulse
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
    fib: (filter) => fibRows(speaker, options.host, filter),
    sources: () => sourceRows(speaker),
    nextHops: () => nextHopRows(speaker, options.host),
    monitors: () => speaker.monitors.rows(),
    rpki: () => rpkiRows(speaker),
    health: () => health(speaker),
  }
}

function statusRow(options: AnswersOptions): StatusRow {
  const { speaker, pulse } = options
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
    restarting: speaker.restart.words ?? null,
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
      fights: fib?.fights ?? 0,
    },
    queues: { decide: ipv4.waiting + ipv6.waiting, announce: waiting, fib: fib?.pending ?? 0 },
    attributeSets: speaker.rib.attributes.live,
    ribBytes: speaker.rib.bytes,
    strangersRefused: speaker.listeners.refused,
    openFiles: openFiles(),
    rssBytes: rssBytes(),
    eventLoopLagMs: Math.max(pulse.takeLatenessMs(), speaker.scheduler.takeLongestTurnMs()),
    warnings: [
      ...(speaker.drained ? [DRAINED] : []),
      ...failedText(fib?.failed ?? 0),
      ...options.warnings(),
    ],
  }
}

/** Refused by the kernel, or left to a rival; tried again. */
const failedText = (failed: number): string[] =>
  failed === 0 ? [] : [`${failed} routes are not in the kernel: linnet show fib tells why`]

const DRAINED = 'peers are asked to avoid this host: linnet drain --undo takes it back'

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
