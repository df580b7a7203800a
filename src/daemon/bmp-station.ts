/**
 * A BMP station (RFC 7854): the connection to it, and what it is told of sessions and numbers. Routes come
 * from `bmp-feed.ts`.
 *
 * The station is called again and again (section 3.2), and each connection begins with everything. One
 * that takes no bytes for a while is dropped: it costs us a queue, no longer than the tables, and
 * nobody else anything.
 */
import { hostname } from 'node:os'
import {
  ADJ_RIB_IN_ROUTES,
  ADJ_RIB_IN_ROUTES_OF_FAMILY,
  AS_PATH_LOOPS,
  CLUSTER_LIST_LOOPS,
  DUPLICATE_ANNOUNCEMENTS,
  DUPLICATE_WITHDRAWALS,
  initiation,
  LOC_RIB_ROUTES,
  LOC_RIB_ROUTES_OF_FAMILY,
  ORIGINATOR_ID_LOOPS,
  peerDown,
  peerUp,
  REJECTED_PREFIXES,
  PREFIXES_TREATED_AS_WITHDRAWN,
  statistics,
  UPDATES_TREATED_AS_WITHDRAWALS,
  termination,
  type PeerDown,
  type Statistic,
} from '../bmp/message.ts'
import { locRibHeader, peerHeader } from '../bmp/peer-header.ts'
import type { BmpConfig } from '../config/config.ts'
import type { MonitorRow } from '../control/rows.ts'
import { version } from '../control/version.ts'
import type { Timer } from '../net/clock.ts'
import { FAMILIES, factsOf, SAFI_UNICAST, type Family, type FamilyFacts } from '../net/family.ts'
import type { RibPeer } from '../rib/peer.ts'
import type { RibWatcher } from '../rib/watcher.ts'
import { BackOff } from '../session/back-off.ts'
import type { LastError } from '../session/last-error.ts'
import type { CloseReason, Connection } from '../session/transport.ts'
import { encodeNotification } from '../wire/notification.ts'
import { encodeOpen } from '../wire/open.ts'
import { BmpFeed } from './bmp-feed.ts'
import { MonitorRecord } from './monitor-record.ts'
import type { Monitor, Watched } from './monitors.ts'
import type { Neighbor } from './neighbor.ts'

/** The table's name (RFC 9069 section 5.3): there is only one. */
const TABLE = 'global'
const SESSION_VIEWS = ['prePolicy', 'postPolicy'] as const

/** A connection that is up. */
interface Line {
  readonly connection: Connection
  readonly feed: BmpFeed
  readonly since: number
  writable: boolean
}

export class BmpStation implements Monitor, RibWatcher {
  readonly key: string
  readonly #watched: Watched
  readonly #options: BmpConfig
  readonly #record: MonitorRecord
  readonly #backOff: BackOff
  readonly #locRib: Uint8Array
  /** What waits for nobody any more. */
  readonly #remains: BmpFeed[] = []
  #connection: Connection | undefined
  #line: Line | undefined
  #again: Timer | undefined
  #report: Timer | undefined
  #stuck: Timer | undefined
  #closed: (() => void) | undefined

  constructor(key: string, watched: Watched, options: BmpConfig) {
    this.key = key
    this.#watched = watched
    this.#options = options
    const { address, port } = options
    const target =
      address.family === 'ipv6' ? `[${address.text}]:${port}` : `${address.text}:${port}`
    const identity = { name: `bmp ${target}`, kind: 'bmp', target } as const
    this.#record = new MonitorRecord(watched, identity, 'connecting')
    this.#backOff = new BackOff({ firstSeconds: options.connectRetrySeconds, random: Math.random })
    this.#locRib = locRibHeader({ asn: watched.asn, routerId: watched.routerId })
    this.#connect()
  }

  get busy(): boolean {
    const line = this.#line
    return (line?.writable === true && line.feed.hasWork) || this.#remains.length > 0
  }

  step(deadline: number): void {
    const { now } = this.#watched.clock
    while (this.#remains.length > 0) {
      if (!this.#remains[0].letGo()) this.#remains.shift()
      if (now() >= deadline) return
    }
    const line = this.#line
    while (line !== undefined && line.writable && line.feed.hasWork) {
      const { parts, messages } = line.feed.pull(now, deadline)
      this.#send(line, parts, messages)
      if (now() >= deadline) return
    }
  }

  reloaded(): void {}

  row(): MonitorRow {
    return this.#record.row(this.#line?.feed.queued ?? 0)
  }

  close(): Promise<void> {
    this.#again?.cancel()
    const connection = this.#connection
    if (connection === undefined) return Promise.resolve()
    if (this.#line === undefined) {
      connection.abort()
      return Promise.resolve()
    }
    this.#send(this.#line, [termination('linnet no longer monitors for this station')], 1)
    connection.close()
    // A station that does not read must not keep the daemon.
    return new Promise((resolve) => {
      this.#closed = resolve
      this.#watched.clock.after(CLOSE_MS, resolve)
    })
  }

  // --- what happens in sessions and in the RIB ----------------------------------------------------

  sessionBegan(neighbor: Neighbor): void {
    if (this.#line !== undefined) this.#peerUp(this.#line, neighbor, false)
  }

  sessionEnded(neighbor: Neighbor, ending: LastError | undefined): void {
    const line = this.#line
    if (line === undefined || neighbor.session === undefined || !this.#wantsSessions) return
    const { peer } = neighbor.session.adjRibIn
    line.feed.removePeer(peer)
    const { clock } = this.#watched
    this.#send(line, [peerDown(headersOf(peer).prePolicy, clock.wallNow(), downOf(ending))], 1)
  }

  endOfRib(neighbor: Neighbor, family: Family): void {
    const peer = neighbor.session?.adjRibIn.peer
    if (peer === undefined) return
    this.#line?.feed.endOfRib(peer, factsOf(family))
    this.#watched.wake()
  }

  pathChanged(
    family: FamilyFacts,
    peer: RibPeer,
    prefix: number,
    pathId: number,
    judged: boolean,
  ): void {
    this.#line?.feed.pathChanged(family, peer, prefix, pathId, judged)
  }

  bestChanged(family: FamilyFacts, prefix: number): void {
    this.#line?.feed.bestChanged(family, prefix)
  }

  // --- the connection -----------------------------------------------------------------------------

  #connect(): void {
    this.#record.state = 'connecting'
    const { address, port } = this.#options
    this.#connection = this.#watched.transport.connect(
      { remote: { address, port } },
      {
        opened: () => this.#opened(),
        received: () => {}, // a station has nothing to say (section 3.2)
        drained: () => this.#drained(),
        closed: (reason) => this.#over(reason),
      },
    )
  }

  #opened(): void {
    const connection = this.#connection
    if (connection === undefined) return
    const { rib, clock, neighbors } = this.#watched
    const feed = new BmpFeed(rib, this.#options.monitor, this.#locRib, clock.wallNow)
    const line: Line = { connection, feed, since: clock.now(), writable: true }
    this.#line = line
    this.#backOff.sessionBegan()
    this.#record.state = 'connected'
    this.#record.worksAgain('MonitorRecovered', 'connected again')
    const description = `linnet ${version()}`
    this.#send(line, [initiation({ name: hostname(), description })], 1)
    if (this.#options.monitor.includes('locRib')) this.#locRibUp(line)
    for (const neighbor of neighbors) this.#peerUp(line, neighbor, true)
    this.#reportLater()
    this.#watched.wake()
  }

  #over(reason: CloseReason): void {
    const line = this.#line
    this.#connection = undefined
    this.#line = undefined
    this.#report?.cancel()
    this.#stuck?.cancel()
    this.#stuck = undefined
    if (line !== undefined) {
      line.feed.close()
      this.#remains.push(line.feed)
      this.#watched.wake()
    }
    if (this.#closed !== undefined) return this.#closed()
    if (line === undefined) this.#backOff.countFailure()
    this.#record.failed('StationLost', `${reason.text}; trying again`)
    this.#record.state = 'waiting'
    this.#again = this.#watched.clock.after(this.#backOff.nextWaitMs(), () => this.#connect())
  }

  #send(line: Line, parts: readonly Uint8Array[], messages: number): void {
    if (parts.length === 0) return
    this.#record.messages += messages
    for (const part of parts) this.#record.bytes += part.length
    line.writable = line.connection.writeAll(parts)
    if (line.writable || this.#stuck !== undefined) return
    const { sendHoldTimeSeconds } = this.#options
    this.#stuck = this.#watched.clock.after(sendHoldTimeSeconds * 1000, () => {
      this.#record.failed(
        'StationStuck',
        `takes no bytes for ${sendHoldTimeSeconds} s; it is dropped`,
      )
      line.connection.abort()
    })
  }

  #drained(): void {
    this.#stuck?.cancel()
    this.#stuck = undefined
    if (this.#line !== undefined) this.#line.writable = true
    this.#watched.wake()
  }

  // --- who is up, and the numbers -----------------------------------------------------------------

  get #wantsSessions(): boolean {
    return SESSION_VIEWS.some((view) => this.#options.monitor.includes(view))
  }

  /** `table`: it was up before, so its table is told, with an end. */
  #peerUp(line: Line, neighbor: Neighbor, table: boolean): void {
    const { session } = neighbor
    const opens = neighbor.peer.opens
    if (session === undefined || opens === undefined || !this.#wantsSessions) return
    const { adjRibIn, negotiated } = session
    const { peer } = adjRibIn
    const headers = headersOf(peer)
    const { connection, since } = neighbor.snapshot()
    const up = peerUp(headers.prePolicy, since, {
      localAddress: connection?.local?.address.bytes ?? new Uint8Array(0),
      localPort: connection?.local?.port ?? 0,
      remotePort: connection?.remote?.port ?? 0,
      sentOpen: opens.sent,
      receivedOpen: opens.received,
    })
    this.#send(line, [up], 1)
    line.feed.addPeer({ peer, ...headers }, table ? negotiated.families.map(factsOf) : [])
  }

  /** The Loc-RIB is a peer too, with OPENs that say what its messages are like (RFC 9069 section 4). */
  #locRibUp(line: Line): void {
    const { asn, routerId, clock } = this.#watched
    const open = encodeOpen({
      ...{ asn, holdTimeSeconds: 0, identifier: routerId },
      capabilities: [
        ...FAMILIES.map(({ afi }) => ({ name: 'multiprotocol', afi, safi: SAFI_UNICAST }) as const),
        { name: 'four-octet-as', asn },
      ],
    })
    const up = peerUp(this.#locRib, clock.wallNow(), {
      ...{ localAddress: new Uint8Array(0), localPort: 0, remotePort: 0 },
      ...{ sentOpen: open, receivedOpen: open, table: TABLE },
    })
    this.#send(line, [up], 1)
  }

  #reportLater(): void {
    const { statisticsSeconds } = this.#options
    if (statisticsSeconds === 0) return
    this.#report = this.#watched.clock.after(statisticsSeconds * 1000, () => {
      this.#reportLater()
      if (this.#line?.writable === true) this.#sendReport(this.#line)
    })
  }

  #sendReport(line: Line): void {
    const { clock, neighbors, rib } = this.#watched
    const wall = clock.wallNow()
    const reports: Uint8Array[] = []
    if (this.#wantsSessions) {
      for (const { session } of neighbors) {
        if (session === undefined) continue
        const { peer } = session.adjRibIn
        reports.push(statistics(headersOf(peer).prePolicy, wall, statisticsOf(peer)))
      }
    }
    if (this.#options.monitor.includes('locRib')) {
      const counts = rib.families.map(({ reachable }) => reachable)
      const gauges = gaugesOf(LOC_RIB_ROUTES, LOC_RIB_ROUTES_OF_FAMILY, counts)
      reports.push(statistics(this.#locRib, wall, gauges))
    }
    this.#send(line, reports, reports.length)
  }
}

const CLOSE_MS = 1000

function headersOf({ options }: RibPeer): { prePolicy: Uint8Array; postPolicy: Uint8Array } {
  const { asn, routerId } = options
  const it = { asn, routerId, address: options.address.bytes }
  return { prePolicy: peerHeader(it, 'prePolicy'), postPolicy: peerHeader(it, 'postPolicy') }
}

/** RFC 7854 section 4.9: who closed, and with which words. */
function downOf(ending: LastError | undefined): PeerDown {
  if (ending === undefined) return { reason: 4 }
  const notification = encodeNotification(ending)
  return { reason: ending.direction === 'sent' ? 1 : 3, notification }
}

function statisticsOf({ counters, paths }: RibPeer): Statistic[] {
  return [
    { type: REJECTED_PREFIXES, counter: counters.importPolicy },
    { type: DUPLICATE_ANNOUNCEMENTS, counter: counters.duplicates },
    { type: DUPLICATE_WITHDRAWALS, counter: counters.strayWithdrawals },
    { type: CLUSTER_LIST_LOOPS, counter: counters.ownCluster },
    { type: AS_PATH_LOOPS, counter: counters.ownAs },
    { type: ORIGINATOR_ID_LOOPS, counter: counters.ownOriginatorId },
    { type: UPDATES_TREATED_AS_WITHDRAWALS, counter: counters.erroneousUpdates },
    { type: PREFIXES_TREATED_AS_WITHDRAWN, counter: counters.erroneousPrefixes },
    ...gaugesOf(ADJ_RIB_IN_ROUTES, ADJ_RIB_IN_ROUTES_OF_FAMILY, paths),
  ]
}

/** A number of routes, and of each family. */
const gaugesOf = (all: number, each: number, counts: readonly number[]): Statistic[] => [
  { type: all, gauge: counts.reduce((sum, count) => sum + count, 0) },
  ...FAMILIES.map(({ afi, index }) => ({
    ...{ type: each, afi, safi: SAFI_UNICAST, gauge: counts[index] },
  })),
]
