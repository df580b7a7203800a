/** OpenBGPD 7 (Debian's openbgpd, not FRR's daemon of the same name): file and `bgpctl`. */
import type { Family } from '../../../src/net/family.ts'
import { eventually } from '../eventually.ts'
import type { HostProcess, LabHost } from '../lab-host.ts'
import {
  twoOctetAsn,
  type Daemon,
  type DaemonConfig,
  type Neighbor,
  type RunningDaemon,
  type SessionView,
} from './daemon.ts'
import { byPrefix, communityNumbers, communityName, route, type Route } from './route.ts'

export const openbgpd: Daemon = {
  title: 'OpenBGPD 7',
  cannot: {
    bothFamilies: 'announces IPv6 over an IPv4 session with the next hop ::1',
    answersRefresh:
      'refuses every ROUTE-REFRESH, of BIRD as well: `AID IPv4 unicast not negotiated`',
    unnumbered: 'not tried',
    linkLocal: 'not tried',
    extendedNextHop: 'does not know the capability',
    meetsAsTrans: 'refuses AS 23456 in its configuration',
    comesBack: 'waits 30 s and more after an error: the test starts the session again',
  },
  cannotSend: {
    asPath: 'sets nothing but its own AS before its routes',
    asSet: 'sets nothing but its own AS before its routes',
    atomicAggregate: 'no setting makes one',
    aggregator: 'no setting makes one',
    originatorId: 'set by reflection only',
    clusterList: 'set by reflection only',
    unknown: 'no setting makes one',
  },
  cannotShow: {},
  async start(host, config) {
    const daemon = new RunningOpenbgpd(host, config)
    await daemon.run()
    return daemon
  },
}

class RunningOpenbgpd implements RunningDaemon {
  readonly #host: LabHost
  #config: DaemonConfig
  #originated: readonly Route[] = []
  #process: HostProcess | undefined

  constructor(host: LabHost, config: DaemonConfig) {
    this.#host = host
    this.#config = config
  }

  async run(): Promise<void> {
    await this.#host.run('mkdir', '-p', '/run/openbgpd') // its chroot
    this.#write()
    this.#process = await this.#host.start('/usr/sbin/bgpd', ['-d', '-v', '-f', '/run/bgpd.conf'])
    await eventually('bgpctl answers', () => this.#ask('show').catch(() => ''), Boolean)
  }

  #write(): void {
    this.#host.write('bgpd.conf', openbgpdConfig(this.#config, this.#originated))
  }

  async originate(routes: readonly Route[]): Promise<void> {
    this.#originated = routes
    this.#write()
    await this.#ask('reload')
  }

  async table(neighbor: Neighbor, family: Family): Promise<Route[]> {
    const text = await this.#ask(
      '-j',
      'show',
      'rib',
      'detail',
      family === 'ipv4' ? 'inet' : 'inet6',
    )
    const { rib } = JSON.parse(text) as { readonly rib?: readonly Row[] }
    const internal = neighbor.asn === this.#config.asn
    return byPrefix(
      (rib ?? [])
        .filter((row) => row.neighbor.remote_addr === neighbor.address)
        .map((row) => routeOf(row, internal)),
    )
  }

  async session({ address }: Neighbor): Promise<SessionView> {
    const text = await this.#ask('-j', 'show', 'neighbor', address)
    const [it] = (JSON.parse(text) as { readonly neighbors: readonly NeighborState[] }).neighbors
    const established = it.state === 'Established'
    const words = [
      it.last_shutdown_reason,
      it.last_error_sent,
      it.last_error_received,
      it.last_error,
    ]
    return {
      established,
      holdTimeSeconds: established ? it.session?.holdtime : undefined,
      complaints: words
        .filter((word) => word !== undefined)
        .map((word) => JSON.stringify(word))
        .join(' '),
    }
  }

  async refresh({ address }: Neighbor): Promise<void> {
    await this.#ask('neighbor', address, 'refresh')
  }

  async shutdown({ address }: Neighbor, reason: string): Promise<void> {
    await this.#ask('neighbor', address, 'down', reason)
  }

  async startup({ address }: Neighbor): Promise<void> {
    await this.#ask('neighbor', address, 'up')
  }

  async changePassword(password: string): Promise<void> {
    this.#config = { ...this.#config, password }
    this.#write()
    await this.#ask('reload')
    // A session that is up keeps the key that it began with.
    for (const { address } of this.#config.neighbors) await this.#ask('neighbor', address, 'clear')
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
    return this.#host.run('bgpctl', '-s', '/run/bgpd.sock', ...words)
  }
}

interface NeighborState {
  readonly state: string
  readonly session?: { readonly holdtime: number }
  readonly last_shutdown_reason?: string
  readonly last_error?: unknown
  readonly last_error_sent?: unknown
  readonly last_error_received?: unknown
}

interface Row {
  readonly prefix: string
  readonly aspath: string
  readonly exit_nexthop: string
  readonly neighbor: { readonly remote_addr: string }
  readonly origin: string
  readonly metric: number
  readonly localpref: number
  readonly communities?: readonly string[]
  readonly extended_communities?: readonly string[]
  readonly large_communities?: readonly string[]
  readonly attributes?: readonly Attribute[]
}

interface Attribute {
  readonly type: string
  readonly flags: Readonly<Record<'partial' | 'transitive' | 'optional', boolean>>
  readonly data?: string
  readonly AS?: number
  readonly router_id?: string
  readonly originator?: string
  readonly cluster_ids?: readonly string[]
}

function routeOf(row: Row, internal: boolean): Route {
  const attributes = row.attributes ?? []
  const aggregator = attributes.find(({ type }) => type === 'Aggregator')
  return route({
    prefix: row.prefix,
    nextHop: row.exit_nexthop,
    origin: row.origin === 'IGP' ? 'igp' : row.origin === 'EGP' ? 'egp' : 'incomplete',
    asPath: row.aspath.replaceAll(
      /\{ ?([^}]*?) ?\}/g,
      (_, it: string) => `{${it.split(/[ ,]+/).join(',')}}`,
    ),
    // No MULTI_EXIT_DISC is shown as 0.
    med: row.metric === 0 ? null : row.metric,
    // Of an external session the LOCAL_PREF is OpenBGPD's own.
    localPref: internal ? row.localpref : null,
    communities: (row.communities ?? []).map((text) =>
      communityName(
        text === text.toUpperCase() && !text.includes(':')
          ? text.toLowerCase().replaceAll('_', '-')
          : text,
      ),
    ),
    extendedCommunities: (row.extended_communities ?? []).map((text) =>
      text.replace('rt ', 'rt:').replace('soo ', 'ro:'),
    ),
    largeCommunities: row.large_communities ?? [],
    atomicAggregate: attributes.some(({ type }) => type === 'Atomic Aggregate'),
    aggregator: aggregator === undefined ? null : `${aggregator.AS} ${aggregator.router_id}`,
    originatorId: attributes.find(({ type }) => type === 'Originator ID')?.originator ?? null,
    clusterList: attributes.find(({ type }) => type === 'Cluster ID List')?.cluster_ids ?? [],
    unknown: attributes.flatMap(({ type, flags, data }) => {
      const code = /^Unknown Attribute #(\d+)/.exec(type)?.[1]
      const bits =
        (flags.optional ? 0x80 : 0) | (flags.transitive ? 0x40 : 0) | (flags.partial ? 0x20 : 0)
      return code === undefined ? [] : [`${code} ${bits.toString(16)} ${data ?? ''}`]
    }),
  })
}

function openbgpdConfig(config: DaemonConfig, routes: readonly Route[]): string {
  return [
    `AS ${config.asn}`,
    `router-id ${config.routerId}`,
    `holdtime ${config.holdTimeSeconds}`,
    `holdtime min 3`,
    'socket "/run/bgpd.sock"',
    'fib-update no',
    'nexthop qualify via default',
    ...routes.map((it) => `network ${it.prefix} set { ${settings(it).join(' ')} }`),
    ...config.neighbors.map((it) =>
      [
        `neighbor ${it.address} {`,
        `  remote-as ${config.fourOctetAs === false ? twoOctetAsn(it.asn) : it.asn}`,
        `  local-address ${it.localAddress}`,
        ...(['ipv4', 'ipv6'] as const).map(
          (family) =>
            `  announce ${family === 'ipv4' ? 'IPv4' : 'IPv6'} ${it.families.includes(family) ? 'unicast' : 'none'}`,
        ),
        ...(config.fourOctetAs === false ? ['  announce as-4byte no'] : []),
        ...(config.addPath === true
          ? ['  announce add-path recv yes', '  announce add-path send all']
          : []),
        ...(config.words?.neighbor ?? []).map((line) => `  ${line}`),
        ...(config.password === undefined ? [] : [`  tcp md5sig password "${config.password}"`]),
        ...(config.ttlSecurity === true ? ['  ttl-security yes'] : []),
        ...(config.maxPrefixes === undefined ? [] : [`  max-prefix ${config.maxPrefixes}`]),
        '}',
      ].join('\n'),
    ),
    'allow from any',
    'allow to any',
    '',
  ].join('\n')
}

function settings(it: Route): string[] {
  return [
    `origin ${it.origin}`,
    ...(it.med === null ? [] : [`med ${it.med}`]),
    ...(it.localPref === null ? [] : [`localpref ${it.localPref}`]),
    ...it.communities.map((text) => `community ${communityNumbers(text)}`),
    ...it.largeCommunities.map((text) => `large-community ${text}`),
    ...it.extendedCommunities.map(
      (text) => `ext-community ${text.replace('ro:', 'soo:').replace(':', ' ')}`,
    ),
  ]
}
