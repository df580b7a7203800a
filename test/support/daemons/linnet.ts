/**
 * The built linnet on a lab host: ordered about by its command line, watched through its control socket.
 */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { ControlClient } from '../../../src/control/client.ts'
import type { CommandReport, ReloadReport } from '../../../src/control/reports.ts'
import type { PeerDetail, RouteRow } from '../../../src/control/rows.ts'
import type { Family } from '../../../src/net/family.ts'
import { eventually } from '../eventually.ts'
import type { HostProcess, LabHost } from '../lab-host.ts'
import { byPrefix, route, type Route } from './route.ts'

const ROOT = join(import.meta.dirname, '../../..')
/** `LINNET_DIST` names another build. */
const PROGRAM = join(process.env['LINNET_DIST'] ?? join(ROOT, 'dist'), 'main.js')

export type LinnetConfig = Readonly<Record<string, unknown>>

export class Linnet {
  readonly #host: LabHost
  readonly #client: ControlClient
  #process: HostProcess | undefined

  private constructor(host: LabHost) {
    this.#host = host
    this.#client = new ControlClient(host.path('linnet.sock'))
  }

  static async start(host: LabHost, config: LinnetConfig): Promise<Linnet> {
    if (!existsSync(PROGRAM)) throw new Error(`there is no ${PROGRAM}: npm run build`)
    const linnet = new Linnet(host)
    await linnet.run(config)
    return linnet
  }

  /** Starts the daemon, which must not be running. */
  async run(config: LinnetConfig): Promise<void> {
    this.#configure(config)
    const args = [PROGRAM, 'run', '-c', '/run/linnet.yaml', '--socket', '/run/linnet.sock']
    this.#process = await this.#host.start(process.execPath, args, { log: 'linnet.log' })
    await eventually(
      'linnet answers',
      () => {
        if (this.#process?.exit !== undefined)
          throw new Error(`linnet ended: ${this.#host.log('linnet.log')}`)
        return this.#client.get('/v1/status').then(
          () => true,
          () => false,
        )
      },
      Boolean,
      { deadlineMs: 60_000 }, // many start at once
    )
  }

  #configure(config: LinnetConfig): void {
    // JSON is YAML.
    this.#host.write('linnet.yaml', JSON.stringify(config, undefined, 2))
  }

  async reload(config: LinnetConfig): Promise<void> {
    this.#configure(config)
    const report = await this.#client.post<ReloadReport>('/v1/reload')
    if (!report.ok) throw new Error(report.complaints.join('\n'))
  }

  peer(name: string): Promise<PeerDetail> {
    return this.#client.get<PeerDetail>(`/v1/peers/${name}`)
  }

  async isEstablished(name: string): Promise<boolean> {
    return (await this.peer(name)).state === 'Established'
  }

  /** What this peer has announced, as `show routes --received` tells it. */
  received(peer: string, family: Family): Promise<RouteRow[]> {
    return this.#rows({ view: 'received', peer, family })
  }

  /** What this peer is told, as `show routes --advertised` tells it. */
  advertised(peer: string, family: Family): Promise<RouteRow[]> {
    return this.#rows({ view: 'advertised', peer, family })
  }

  async receivedRoutes(peer: string, family: Family): Promise<Route[]> {
    return byPrefix((await this.received(peer, family)).map(routeOf))
  }

  async #rows(query: Readonly<Record<string, string>>): Promise<RouteRow[]> {
    const rows: RouteRow[] = []
    for await (const row of this.#client.rows<RouteRow>('/v1/routes', query)) rows.push(row)
    return rows
  }

  /** `linnet ARGUMENTS`; its output. */
  command(...args: readonly string[]): Promise<string> {
    return this.#host.run(process.execPath, PROGRAM, ...args, '--socket', '/run/linnet.sock')
  }

  post(path: string, body: Readonly<Record<string, string>>): Promise<CommandReport> {
    return this.#client.post<CommandReport>(path, body)
  }

  async stop(): Promise<number | undefined> {
    return (await this.#process?.stop())?.code
  }

  async kill(): Promise<void> {
    await this.#process?.kill()
  }

  freeze(): void {
    this.#process?.freeze()
  }

  thaw(): void {
    this.#process?.thaw()
  }
}

function routeOf(row: RouteRow): Route {
  return route({
    prefix: row.prefix,
    nextHop: row.nextHops[0] ?? '',
    origin: row.origin ?? 'incomplete',
    asPath: row.asPath,
    med: row.med,
    localPref: row.localPref,
    communities: row.communities,
    extendedCommunities: row.extendedCommunities,
    largeCommunities: row.largeCommunities,
    originatorId: row.originatorId,
    clusterList: row.clusterList,
    atomicAggregate: row.atomicAggregate,
    aggregator: row.aggregator,
    unknown: row.otherAttributes,
  })
}
