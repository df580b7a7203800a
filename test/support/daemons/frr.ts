/** FRR 8: zebra (which tells bgpd the addresses of links) and bgpd; orders and tables by `vtysh`. */
import { isDeepStrictEqual } from 'node:util'
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
import { byPrefix, familyOf, route, type Route } from './route.ts'

export const frr: Daemon = {
  title: 'FRR 8',
  cannot: {
    linkLocal: 'not tried: `neighbor eth0 interface` is its way',
    twoOctetAs:
      'without its capability it expects four octets in AGGREGATOR all the same, and ends the session',
  },
  cannotSend: {
    noMed: 'its own routes have MED 0 when nothing else is said',
    asSet: '`set as-path` makes no sets',
    aggregator: 'its route map makes AS 3816962000 of 4200000010',
    originatorId: 'a route map sets it, and only reflection sends it',
    clusterList: 'set by reflection only',
    unknown: 'no route map sets them',
  },
  cannotShow: { unknown: 'neither shown nor counted; it passes them on' },
  async start(host, config) {
    const daemon = new RunningFrr(host, config)
    await daemon.run()
    return daemon
  },
}

class RunningFrr implements RunningDaemon {
  readonly #host: LabHost
  readonly #config: DaemonConfig
  #originated: readonly Route[] = []
  #maps = 0
  #zebra: HostProcess | undefined
  #bgpd: HostProcess | undefined
  /** Only where its configuration speaks of BFD. */
  #bfdd: HostProcess | undefined

  constructor(host: LabHost, config: DaemonConfig) {
    this.#host = host
    this.#config = config
  }

  async run(): Promise<void> {
    const host = this.#host
    await host.run('install', '-d', '-o', 'frr', '-g', 'frr', '/run/frr')
    host.write('frr/bgpd.conf', frrConfig(this.#config))
    host.write('frr/zebra.conf', '')
    const common = ['--vty_socket', '/run/frr', '-z', '/run/frr/zserv.api', '--log', 'stdout']
    const start = (name: string, more: readonly string[] = []): Promise<HostProcess> =>
      host.start(`/usr/lib/frr/${name}`, [
        ...[...common, '-f', `/run/frr/${name}.conf`, '-i', `/run/frr/${name}.pid`],
        ...['-A', '127.0.0.1', ...more],
      ])
    this.#zebra = await start('zebra')
    const interfaces = (): Promise<string> =>
      this.#vtysh('zebra', 'show interface brief').catch(() => '')
    await eventually('zebra answers', interfaces, (answer) => answer.includes('lo '))
    if (this.#config.words?.neighbor?.some((line) => line.startsWith('bfd')) === true) {
      host.write('frr/bfdd.conf', '')
      this.#bfdd = await start('bfdd', ['--bfdctl', '/run/frr/bfdd.sock'])
    }
    this.#bgpd = await start('bgpd')
    const summary = (): Promise<string> => this.#ask('show bgp summary json').catch(() => '')
    await eventually('vtysh answers', summary, (answer) => answer.includes('"as":'))
  }

  async originate(routes: readonly Route[]): Promise<void> {
    const before = this.#originated
    const news = routes.filter((it) => !before.some((old) => isDeepStrictEqual(old, it)))
    const gone = before.filter((old) => !routes.some(({ prefix }) => prefix === old.prefix))
    this.#originated = routes
    // Each route has a map of its own for good: bgpd dies now and then when one in use is deleted.
    const maps = new Map(news.map((it) => [it, `own${this.#maps++}`]))
    const perFamily = (family: Family): string[] => {
      const ours = (it: Route): boolean => familyOf(it.prefix) === family
      const words = [
        ...gone.filter(ours).map(({ prefix }) => `no network ${prefix}`),
        ...news.filter(ours).map((it) => `network ${it.prefix} route-map ${maps.get(it)}`),
      ]
      return words.length === 0 ? [] : [`address-family ${family} unicast`, ...words, 'exit']
    }
    await this.#ask(
      'configure terminal',
      ...news.flatMap((it) => [`route-map ${maps.get(it)} permit 10`, ...settings(it), 'exit']),
      `router bgp ${this.#config.asn}`,
      ...perFamily('ipv4'),
      ...perFamily('ipv6'),
      'end',
    )
  }

  async table(neighbor: Neighbor, family: Family): Promise<Route[]> {
    const list = JSON.parse(await this.#ask(`show bgp ${family} unicast json`)) as {
      readonly routes?: Readonly<Record<string, readonly { readonly peerId?: string }[]>>
    }
    const prefixes = Object.entries(list.routes ?? {})
      .filter(([, paths]) => paths.some(({ peerId }) => peerId === neighbor.address))
      .map(([prefix]) => prefix)
    if (prefixes.length === 0) return []
    const asked = prefixes.map((prefix) => `show bgp ${family} unicast ${prefix} json`)
    const answers = (await this.#ask(...asked)).split(/\n(?=\{)/)
    return byPrefix(
      answers.flatMap((text) => {
        const { prefix, paths } = JSON.parse(text) as Detail
        if (paths === undefined) return [] // withdrawn meanwhile
        return paths
          .filter(({ peer }) => peer.peerId === neighbor.address)
          .map((path) => routeOf(prefix, path))
      }),
    )
  }

  async session({ address, link }: Neighbor): Promise<SessionView> {
    const name = link ?? address
    const text = await this.#ask(`show bgp neighbors ${name} json`)
    const it = (JSON.parse(text) as Readonly<Record<string, NeighborState>>)[name]
    const established = it.bgpState === 'Established'
    const words = [
      it.lastResetDueTo,
      it.lastNotificationReason,
      it.lastShutdownDescription,
      it.lastErrorCodeSubcode,
    ]
    const log = this.#host.log('bgpd.log').split('\n')
    const received = log.filter((line) => line.includes('%NOTIFICATION') && line.includes(name))
    return {
      established,
      holdTimeSeconds: established ? (it.bgpTimerHoldTimeMsecs ?? 0) / 1000 : undefined,
      complaints: [...words.filter((word) => word !== undefined), ...received].join('\n'),
    }
  }

  async refresh({ address }: Neighbor, family: Family): Promise<void> {
    await this.#ask(`clear bgp ${family} unicast ${address} soft in`)
  }

  async shutdown({ address }: Neighbor, reason: string): Promise<void> {
    await this.#neighbor(`neighbor ${address} shutdown message ${reason}`)
  }

  async startup({ address }: Neighbor): Promise<void> {
    await this.#neighbor(`no neighbor ${address} shutdown`)
  }

  async changePassword(password: string): Promise<void> {
    for (const { address } of this.#config.neighbors)
      await this.#neighbor(`neighbor ${address} password ${password}`)
  }

  async kill(): Promise<void> {
    await Promise.all([this.#bgpd?.kill(), this.#bfdd?.kill(), this.#zebra?.kill()])
  }

  /** The one that would be missed first. */
  freeze(): void {
    const it = this.#bfdd ?? this.#bgpd
    it?.freeze()
  }

  thaw(): void {
    const it = this.#bfdd ?? this.#bgpd
    it?.thaw()
  }

  async #neighbor(command: string): Promise<void> {
    await this.#ask('configure terminal', `router bgp ${this.#config.asn}`, command, 'end')
  }

  #ask(...commands: readonly string[]): Promise<string> {
    return this.#vtysh('bgpd', ...commands)
  }

  #vtysh(daemon: string, ...commands: readonly string[]): Promise<string> {
    const orders = commands.flatMap((command) => ['-c', command])
    return this.#host.run('vtysh', '--vty_socket', '/run/frr', '-d', daemon, ...orders)
  }
}

interface NeighborState {
  readonly bgpState: string
  readonly bgpTimerHoldTimeMsecs?: number
  readonly lastResetDueTo?: string
  readonly lastNotificationReason?: string
  readonly lastShutdownDescription?: string
  readonly lastErrorCodeSubcode?: string
}

interface Detail {
  readonly prefix: string
  readonly paths?: readonly Path[]
}

interface Path {
  readonly peer: { readonly peerId: string }
  readonly aspath: { readonly string: string }
  readonly origin: string
  readonly metric?: number
  readonly locPrf?: number
  readonly community?: { readonly string: string }
  readonly extendedCommunity?: { readonly string: string }
  readonly largeCommunity?: { readonly string: string }
  readonly atomicAggregate?: boolean
  readonly aggregatorAs?: number
  readonly aggregatorId?: string
  readonly originatorId?: string
  readonly clusterList?: { readonly list: readonly string[] }
  readonly nexthops: readonly { readonly ip: string; readonly scope?: string }[]
}

function routeOf(prefix: string, it: Path): Route {
  const words = (list?: { readonly string: string }): string[] =>
    (list?.string ?? '').split(' ').filter(Boolean)
  return route({
    prefix,
    nextHop: it.nexthops.find(({ scope }) => scope !== 'link-local')?.ip ?? '',
    origin: it.origin === 'IGP' ? 'igp' : it.origin === 'EGP' ? 'egp' : 'incomplete',
    asPath: it.aspath.string === 'Local' ? '' : it.aspath.string,
    med: it.metric ?? null,
    localPref: it.locPrf ?? null,
    communities: words(it.community),
    extendedCommunities: words(it.extendedCommunity).map((text) =>
      text.replace('RT:', 'rt:').replace('SoO:', 'ro:'),
    ),
    largeCommunities: words(it.largeCommunity),
    atomicAggregate: it.atomicAggregate ?? false,
    aggregator: it.aggregatorAs === undefined ? null : `${it.aggregatorAs} ${it.aggregatorId}`,
    originatorId: it.originatorId ?? null,
    clusterList: it.clusterList?.list ?? [],
  })
}

function settings(it: Route): string[] {
  const extended = (kind: string, word: string): string[] => {
    const values = it.extendedCommunities.filter((text) => text.startsWith(`${kind}:`))
    const list = values.map((text) => text.slice(kind.length + 1)).join(' ')
    return list === '' ? [] : [`set extcommunity ${word} ${list}`]
  }
  return [
    `set origin ${it.origin}`,
    ...(it.asPath === '' ? [] : [`set as-path prepend ${it.asPath}`]),
    ...(it.med === null ? [] : [`set metric ${it.med}`]),
    ...(it.localPref === null ? [] : [`set local-preference ${it.localPref}`]),
    ...(it.communities.length === 0 ? [] : [`set community ${it.communities.join(' ')}`]),
    ...(it.largeCommunities.length === 0
      ? []
      : [`set large-community ${it.largeCommunities.join(' ')}`]),
    ...extended('rt', 'rt'),
    ...extended('ro', 'soo'),
    ...it.extendedCommunities
      .filter((text) => text.startsWith('transitive-bandwidth:'))
      .map((text) => `set extcommunity bandwidth ${(8 * Number(text.split(':')[2])) / 1e6}`),
    ...(it.atomicAggregate ? ['set atomic-aggregate'] : []),
    ...(it.aggregator === null ? [] : [`set aggregator as ${it.aggregator}`]),
    ...(it.originatorId === null ? [] : [`set originator-id ${it.originatorId}`]),
  ]
}

function frrConfig(config: DaemonConfig): string {
  const keepalive = Math.max(1, Math.floor(config.holdTimeSeconds / 3))
  const lines = [
    'hostname peer',
    ...config.neighbors.flatMap(({ asn }) => [
      `bgp as-path access-list without${asn} deny _${asn}_`,
      `bgp as-path access-list without${asn} permit .*`,
    ]),
    `router bgp ${config.asn}`,
    ` bgp router-id ${config.routerId}`,
    // Or the first announcements of a session are held back, by up to ten seconds.
    ' coalesce-time 50',
    ' bgp graceful-restart-disable',
    ' bgp log-neighbor-changes',
    ...(config.words?.own ?? []).map((line) => ` ${line}`),
    ' no bgp ebgp-requires-policy',
    ' no bgp network import-check',
    ' no bgp default ipv4-unicast',
    ` timers bgp ${keepalive} ${config.holdTimeSeconds}`,
    ...config.neighbors.flatMap(({ address: numbered, asn, localAddress, link }) => {
      const address = link ?? numbered
      const remoteAs = config.fourOctetAs === false ? twoOctetAsn(asn) : asn
      return [
        ...(link === undefined
          ? [
              ` neighbor ${address} remote-as ${remoteAs}`,
              ` neighbor ${address} update-source ${localAddress}`,
            ]
          : [` neighbor ${link} interface remote-as external`]),
        ` neighbor ${address} timers connect 1`,
        ` neighbor ${address} advertisement-interval 0`,
        ...(config.extendedNextHop === true
          ? [` neighbor ${address} capability extended-nexthop`]
          : []),
        ...(config.fourOctetAs === false ? [` neighbor ${address} dont-capability-negotiate`] : []),
        ...(config.password === undefined
          ? []
          : [` neighbor ${address} password ${config.password}`]),
        ...(config.ttlSecurity === true ? [` neighbor ${address} ttl-security hops 1`] : []),
        ...(config.words?.neighbor ?? []).map((line) => ` neighbor ${address} ${line}`),
      ]
    }),
    ...(['ipv4', 'ipv6'] as const).flatMap((family) => [
      ` address-family ${family} unicast`,
      ...config.neighbors
        .filter(({ families }) => families.includes(family))
        .flatMap(({ address: numbered, asn, link }) => {
          const address = link ?? numbered
          return [
            `  neighbor ${address} activate`,
            ...(config.addPath === true ? [`  neighbor ${address} addpath-tx-all-paths`] : []),
            ...(config.maxPrefixes === undefined
              ? []
              : [`  neighbor ${address} maximum-prefix ${config.maxPrefixes}`]),
            // Or it would tell us our own routes.
            `  neighbor ${address} filter-list without${asn} out`,
          ]
        }),
      ' exit-address-family',
    ]),
  ]
  return lines.join('\n') + '\n'
}
