/** GoBGP 3: configuration by file, orders and tables by `gobgp` over a unix socket. */
import { rmSync } from 'node:fs'
import type { Family } from '../../../src/net/family.ts'
import { eventually } from '../eventually.ts'
import type { HostProcess, LabHost } from '../lab-host.ts'
import {
  type Daemon,
  type DaemonConfig,
  type Neighbor,
  type RunningDaemon,
  type SessionView,
} from './daemon.ts'
import { byPrefix, communityNumbers, communityOf, familyOf, route, type Route } from './route.ts'

export const gobgp: Daemon = {
  title: 'GoBGP 3',
  cannot: {
    dropsLowTtl: 'looks at the TTL when it has taken a connection: its first messages may pass',
    changesPassword: 'reads keys at its start only',
    showsBadPeerAs: 'says nothing of a NOTIFICATION before the session is up',
    bothFamilies: 'announces IPv6 over an IPv4 session with an IPv4-mapped next hop',
    asksForRefresh: 'keeps all that it heard and looks at that again',
    unnumbered: 'not tried',
    linkLocal: 'not tried',
    extendedNextHop: 'offers it to the neighbour on an interface only',
    twoOctetAs: 'always speaks with four octets',
  },
  cannotSend: {
    originatorId: 'set by reflection only',
    clusterList: 'set by reflection only',
    atomicAggregate: 'not an option of `gobgp global rib add`',
    unknown: 'not an option of `gobgp global rib add`',
  },
  cannotShow: {},
  async start(host, config) {
    const daemon = new RunningGobgp(host, config)
    await daemon.run()
    return daemon
  },
}

class RunningGobgp implements RunningDaemon {
  readonly #host: LabHost
  readonly #config: DaemonConfig
  #originated: readonly Route[] = []
  #process: HostProcess | undefined

  constructor(host: LabHost, config: DaemonConfig) {
    this.#host = host
    this.#config = config
  }

  async run(): Promise<void> {
    this.#host.write('gobgpd.yaml', gobgpConfig(this.#config))
    rmSync(this.#host.path('gobgp.sock'), { force: true }) // of a killed one
    this.#process = await this.#host.start('gobgpd', [
      ...['-t', 'yaml', '-f', '/run/gobgpd.yaml', '--pprof-disable', '-p'],
      ...['--api-hosts', 'unix:///run/gobgp.sock'],
    ])
    await eventually(
      'gobgp answers',
      () => this.#ask('neighbor').catch(() => ''),
      (answer) => this.#config.neighbors.every(({ address }) => answer.includes(address)),
    )
  }

  async originate(routes: readonly Route[]): Promise<void> {
    const gone = this.#originated.filter((old) => !routes.some((it) => it.prefix === old.prefix))
    this.#originated = routes
    for (const { prefix } of gone)
      await this.#ask('global', 'rib', 'del', prefix, '-a', familyOf(prefix))
    for (const it of routes)
      await this.#ask('global', 'rib', 'add', ...this.#words(it), '-a', familyOf(it.prefix))
  }

  #words(it: Route): string[] {
    const nextHop = it.nextHop === '' ? this.#config.addresses[familyOf(it.prefix)] : it.nextHop
    const list = (name: string, values: readonly string[]): string[] =>
      values.length === 0 ? [] : [name, values.join(',')]
    return [
      ...[it.prefix, 'origin', it.origin],
      ...(it.asPath === '' ? [] : ['aspath', it.asPath]),
      ...['nexthop', nextHop],
      ...(it.med === null ? [] : ['med', String(it.med)]),
      ...(it.localPref === null ? [] : ['local-pref', String(it.localPref)]),
      ...list('community', it.communities.map(communityNumbers)),
      ...list('large-community', it.largeCommunities),
      ...it.extendedCommunities.flatMap((text) => {
        const [kind, ...value] = text.split(':')
        return [kind, value.join(':')]
      }),
      ...(it.aggregator === null ? [] : ['aggregator', it.aggregator.replace(' ', ':')]),
    ]
  }

  async table(neighbor: Neighbor, family: Family): Promise<Route[]> {
    const text = await this.#ask('global', 'rib', '-j', '-a', family)
    const table = (text.trim() === '' ? {} : JSON.parse(text)) as Readonly<Record<string, Path[]>>
    return byPrefix(
      Object.values(table)
        .flat()
        .filter((path) => path['neighbor-ip'] === neighbor.address)
        .map(routeOf),
    )
  }

  async session(neighbor: Neighbor): Promise<SessionView> {
    const it = JSON.parse(await this.#ask('neighbor', neighbor.address, '-j')) as NeighborState
    const established = it.state.session_state === ESTABLISHED
    const log = this.#host.log('gobgpd.log').split('\n')
    const errors = log.filter(
      (line) => line.includes(neighbor.address) && /notification|Peer Down/.test(line),
    )
    return {
      established,
      holdTimeSeconds: established ? it.timers.state?.negotiated_hold_time : undefined,
      complaints: errors.join('\n'),
    }
  }

  async refresh(neighbor: Neighbor, family: Family): Promise<void> {
    await this.#ask('neighbor', neighbor.address, 'softresetin', '-a', family)
  }

  async shutdown(neighbor: Neighbor, reason: string): Promise<void> {
    await this.#ask('neighbor', neighbor.address, 'shutdown', '--reason', reason)
  }

  async startup(neighbor: Neighbor): Promise<void> {
    await this.#ask('neighbor', neighbor.address, 'enable')
  }

  async changePassword(): Promise<void> {
    throw new Error('GoBGP reads its keys at the start')
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

  #ask(...words: readonly string[]): Promise<string> {
    return this.#host.run('gobgp', '--target', 'unix:///run/gobgp.sock', ...words)
  }
}

const ESTABLISHED = 6

interface NeighborState {
  readonly state: { readonly session_state: number }
  readonly timers: { readonly state?: { readonly negotiated_hold_time?: number } }
}

interface Path {
  readonly nlri: { readonly prefix: string }
  readonly 'neighbor-ip'?: string
  readonly attrs: readonly PathAttribute[]
}

interface PathAttribute {
  readonly type: number
  readonly value?: unknown
  readonly flags?: number
  readonly nexthop?: string
  readonly metric?: number
  readonly as?: number
  readonly address?: string
  readonly communities?: readonly number[]
  readonly as_paths?: readonly { readonly segment_type: number; readonly asns: readonly number[] }[]
}

interface LargeCommunity {
  readonly ASN: number
  readonly LocalData1: number
  readonly LocalData2: number
}

function routeOf(path: Path): Route {
  const of = (type: number): PathAttribute | undefined => path.attrs.find((it) => it.type === type)
  const list = (type: number): readonly unknown[] => (of(type)?.value ?? []) as readonly unknown[]
  const aggregator = of(7)
  return route({
    prefix: path.nlri.prefix,
    nextHop: (of(3) ?? of(14))?.nexthop ?? '',
    origin: ORIGINS[Number(of(1)?.value ?? 0)],
    asPath: (of(2)?.as_paths ?? [])
      .map(({ segment_type: type, asns }) => (type === 1 ? `{${asns.join(',')}}` : asns.join(' ')))
      .join(' '),
    med: of(4)?.metric ?? null,
    localPref: of(5) === undefined ? null : Number(of(5)?.value),
    communities: (of(8)?.communities ?? []).map(communityOf),
    extendedCommunities: (list(16) as readonly { subtype: number; value: string }[]).map(
      ({ subtype, value }) => `${subtype === 2 ? 'rt' : subtype === 3 ? 'ro' : subtype}:${value}`,
    ),
    largeCommunities: (list(32) as readonly LargeCommunity[]).map(
      (it) => `${it.ASN}:${it.LocalData1}:${it.LocalData2}`,
    ),
    atomicAggregate: of(6) !== undefined,
    aggregator: aggregator === undefined ? null : `${aggregator.as} ${aggregator.address}`,
    originatorId: (of(9)?.value as string | undefined) ?? null,
    clusterList: list(10) as readonly string[],
    unknown: path.attrs
      .filter((it) => !KNOWN.has(it.type))
      .map(
        (it) =>
          `${it.type} ${(it.flags ?? 0).toString(16)} ${Buffer.from(String(it.value), 'base64').toString('hex')}`,
      ),
  })
}

const ORIGINS = ['igp', 'egp', 'incomplete'] as const
const KNOWN = new Set([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 14, 16, 17, 18, 32])

function gobgpConfig(config: DaemonConfig): string {
  const neighbors = config.neighbors.map((it) => ({
    config: {
      'neighbor-address': it.address,
      'peer-as': it.asn,
      ...(config.password === undefined ? {} : { 'auth-password': config.password }),
    },
    ...(config.ttlSecurity === true
      ? { 'ttl-security': { config: { enabled: true, 'ttl-min': 255 } } }
      : {}),
    transport: { config: { 'local-address': it.localAddress } },
    timers: {
      config: {
        'connect-retry': 1,
        'hold-time': config.holdTimeSeconds,
        'keepalive-interval': Math.max(1, Math.floor(config.holdTimeSeconds / 3)),
        'idle-hold-time-after-reset': 1,
      },
    },
    'afi-safis': it.families.map((family) => ({
      config: { 'afi-safi-name': `${family}-unicast` },
      ...(config.addPath === true
        ? { 'add-paths': { config: { receive: true, 'send-max': 8 } } }
        : {}),
      ...(config.maxPrefixes === undefined
        ? {}
        : { 'prefix-limit': { config: { 'max-prefixes': config.maxPrefixes } } }),
    })),
  }))
  // JSON is YAML.
  return JSON.stringify({
    global: { config: { as: config.asn, 'router-id': config.routerId } },
    neighbors,
  })
}
