/**
 * The stage of an interop test: linnet between the daemon under test and a feeder.
 *
 *   daemon 10.1.0.2 -------- 10.1.0.1 linnet 10.2.0.1 -------- 10.2.0.2 feeder (ExaBGP, AS 65003)
 *          fd00:1::2         fd00:1::1       fd00:2::1         fd00:2::2
 *                                    br0 10.77.1.1, fd77:1::1
 *
 * The feeder announces what no daemon would, so that every attribute passes through linnet. All scenes
 * look the same and can't meet: each has network namespaces of its own.
 */
import { dropCountsOf, type DropCounter } from '../../src/linux/drop-counts.ts'
import type { Family } from '../../src/net/family.ts'
import type { Daemon, DaemonConfig, Neighbor, RunningDaemon } from '../support/daemons/daemon.ts'
import { exabgp } from '../support/daemons/exabgp.ts'
import { Linnet, type LinnetConfig } from '../support/daemons/linnet.ts'
import { eventually } from '../support/eventually.ts'
import { join, LabHost } from '../support/lab-host.ts'

export const FEEDER_ASN = 65003

/** Seconds; the shortest that RFC 4271 allows. */
export const SHORT_HOLD = 3

/** linnet's addresses as the daemon sees them, and the other way round. */
export const LINNET = { ipv4: '10.1.0.1', ipv6: 'fd00:1::1', link: 'fe80::1' } as const
export const DAEMON = { ipv4: '10.1.0.2', ipv6: 'fd00:1::2', link: 'fe80::2' } as const
const FEEDER = { ipv4: '10.2.0.2', ipv6: 'fd00:2::2' } as const
/** Another link, between the feeder and the daemon. */
const FEEDER_AT_DAEMON = { feeder: '10.3.0.2', daemon: '10.3.0.1' } as const
const TO_FEEDER = { ipv4: '10.2.0.1', ipv6: 'fd00:2::1' } as const

type Addresses = Readonly<Record<Family | 'link', string>>

/** The link between linnet and the daemon, at both ends. */
const LINK = 'eth0'

export interface SceneOptions {
  readonly daemon: Daemon
  readonly linnetAsn: number
  readonly daemonAsn: number
  readonly linnetHoldTime: number
  readonly daemonHoldTime: number
  /** Families of the session over IPv4, and of the one over IPv6; none: no such session. */
  readonly overIpv4: readonly Family[]
  readonly overIpv6: readonly Family[]
  readonly feeder: boolean
  readonly fourOctetAs?: boolean
  readonly extendedNextHop?: boolean
  /** All speak ADD-PATH; the feeder feeds the daemon too, which passes on what it hears. */
  readonly addPath?: boolean
  /** More settings of linnet for the daemon, and of the daemon. */
  readonly ours?: LinnetConfig
  readonly theirs?: Partial<DaemonConfig>
  /**
   * The link between the two has no addresses but link-local ones, and one session: linnet finds its neighbour
   * (`interface`), or is told where it is (`address`).
   */
  readonly unnumbered?: 'interface' | 'address'
}

export class Scene {
  readonly options: SceneOptions
  readonly linnet: Linnet
  readonly feeder: RunningDaemon | undefined
  readonly #hosts: readonly LabHost[]
  #daemon: RunningDaemon

  private constructor(
    options: SceneOptions,
    hosts: readonly LabHost[],
    linnet: Linnet,
    daemon: RunningDaemon,
    feeder: RunningDaemon | undefined,
  ) {
    this.options = options
    this.#hosts = hosts
    this.linnet = linnet
    this.#daemon = daemon
    this.feeder = feeder
  }

  static async open(options: SceneOptions): Promise<Scene> {
    const names = ['linnet', 'daemon', ...(options.feeder ? ['feeder'] : [])]
    const hosts = await Promise.all(names.map((name) => LabHost.open(name)))
    try {
      return await Scene.#furnish(options, hosts)
    } catch (error) {
      const words = hosts.map((host) => host.lastWords()).join('\n')
      await Promise.all(hosts.map((host) => host.close()))
      throw new Error(`the scene can't be set: ${String(error)}\n${words}`, { cause: error })
    }
  }

  static async #furnish(options: SceneOptions, hosts: readonly LabHost[]): Promise<Scene> {
    const [linnetHost, daemonHost, feederHost] = hosts as readonly (LabHost | undefined)[]
    if (linnetHost === undefined || daemonHost === undefined) throw new Error('no hosts')
    const addressesOf = (own: Addresses): string[] =>
      options.unnumbered === undefined ? [`${own.ipv4}/24`, `${own.ipv6}/64`] : [`${own.link}/64`]
    await join(
      { host: linnetHost, device: LINK, addresses: addressesOf(LINNET) },
      { host: daemonHost, device: LINK, addresses: addressesOf(DAEMON) },
    )
    // One link-local address each, which the test knows.
    if (options.unnumbered !== undefined) {
      for (const [host, { link }] of [
        [linnetHost, LINNET],
        [daemonHost, DAEMON],
      ] as const) {
        await host.ip([
          `address flush dev ${LINK} scope link`,
          `address add ${link}/64 dev ${LINK} nodad`,
        ])
      }
    }
    if (feederHost !== undefined) {
      const near = [`${TO_FEEDER.ipv4}/24`, `${TO_FEEDER.ipv6}/64`]
      const far = [`${FEEDER.ipv4}/24`, `${FEEDER.ipv6}/64`]
      await join(
        { host: linnetHost, device: 'eth1', addresses: near },
        { host: feederHost, device: 'eth0', addresses: far },
      )
      if (options.addPath === true) {
        await join(
          { host: daemonHost, device: 'eth1', addresses: [`${FEEDER_AT_DAEMON.daemon}/24`] },
          { host: feederHost, device: 'eth1', addresses: [`${FEEDER_AT_DAEMON.feeder}/24`] },
        )
      }
    }
    await linnetHost.ip(['link add br0 type bridge', 'link set br0 up'])
    await linnetHost.ip(BRIDGE.map((address) => `address add ${address} dev br0`))
    const [linnet, daemon, feeder] = await Promise.all([
      Linnet.start(linnetHost, linnetConfig(options)),
      options.daemon.start(daemonHost, wholeDaemonConfig(options)),
      feederHost === undefined ? undefined : exabgp.start(feederHost, feederConfig(options)),
    ])
    return new Scene(options, hosts, linnet, daemon, feeder)
  }

  get daemon(): RunningDaemon {
    return this.#daemon
  }

  /** linnet as the daemon's neighbour, one a session. */
  get sessions(): readonly Neighbor[] {
    return daemonConfig(this.options).neighbors
  }

  /** The session that carries the routes of this family. */
  carrier(family: Family): Neighbor | undefined {
    return this.sessions.find(({ families }) => families.includes(family))
  }

  get families(): readonly Family[] {
    return (['ipv4', 'ipv6'] as const).filter((family) => this.carrier(family) !== undefined)
  }

  /** Both sides say that all sessions are up. */
  async established(): Promise<void> {
    for (const session of this.sessions) {
      await eventually(
        `linnet sees ${session.name} up`,
        () => this.linnet.peer(session.name),
        ({ state }) => state === 'Established',
        { deadlineMs: 40_000 },
      )
      await eventually(
        `the daemon sees ${session.name} up`,
        () => this.daemon.session(session),
        ({ established }) => established,
        { deadlineMs: 40_000 },
      )
    }
  }

  /** The daemon again after its end, with these settings changed. */
  async restartDaemon(changed: Partial<DaemonConfig> = {}): Promise<void> {
    const host = this.#host('daemon')
    const config = { ...wholeDaemonConfig(this.options), ...changed }
    this.#daemon = await this.options.daemon.start(host, config)
  }

  async ipOfLinnet(...commands: readonly string[]): Promise<void> {
    await this.#host('linnet').ip(commands)
  }

  /** TCP segments that the kernel of a host has dropped for this reason. */
  async dropped(name: 'linnet' | 'daemon', counter: DropCounter): Promise<number> {
    return dropCountsOf(await this.#host(name).run('cat', '/proc/net/netstat'))[counter]
  }

  lastWords(): string {
    return this.#hosts.map((host) => host.lastWords()).join('\n')
  }

  async close(): Promise<void> {
    await Promise.all(this.#hosts.map((host) => host.close()))
  }

  #host(name: string): LabHost {
    const host = this.#hosts.find((it) => it.name === name)
    if (host === undefined) throw new Error(`no host ${name}`)
    return host
  }
}

export const BRIDGE = ['10.77.1.1/24', 'fd77:1::1/64'] as const

/** What linnet announces of its own; `changed` is merged over the top level. */
export function linnetConfig(options: SceneOptions, changed: LinnetConfig = {}): LinnetConfig {
  const common = {
    ...{ connectRetry: '1s', import: 'accept' },
    ...(options.addPath === true ? { addPath: { receive: true, send: 'all' } } : {}),
  }
  const { linnetAsn, daemonAsn, linnetHoldTime } = options
  const own = { ...common, asn: daemonAsn, export: 'accept', nextHop: 'self' }
  return {
    asn: linnetAsn,
    routerId: LINNET.ipv4,
    peerGroups: {
      daemon: {
        ...own,
        holdTime: `${linnetHoldTime}s`,
        ...(options.extendedNextHop === undefined
          ? {}
          : { extendedNextHop: options.extendedNextHop }),
        ...options.ours,
      },
      feeder: { ...common, asn: FEEDER_ASN },
    },
    peers: [
      ...daemonConfig(options).neighbors.map(({ name, localAddress, link, families }) => ({
        name,
        ...(link === undefined
          ? { address: localAddress }
          : options.unnumbered === 'interface'
            ? { interface: link }
            : { address: `${localAddress}%${link}` }),
        families,
        group: 'daemon',
      })),
      ...(options.feeder
        ? [
            { name: 'feeder4', address: FEEDER.ipv4, families: ['ipv4'], group: 'feeder' },
            { name: 'feeder6', address: FEEDER.ipv6, families: ['ipv6'], group: 'feeder' },
          ]
        : []),
    ],
    advertise: { interfaces: ['br0'], prefixes: OWN_PREFIXES },
    log: { level: 'debug', format: 'json' },
    ...changed,
  }
}

export const OWN_PREFIXES = [
  { prefix: '10.200.1.0/24', med: 10, community: ['65001:7', 'no-export'] },
  { prefix: '10.200.2.128/25' },
  { prefix: 'fd00:200:1::/48', med: 4294967295, community: ['65001:7', '65001:8'] },
] as const

/** With its neighbours beside linnet. */
function wholeDaemonConfig(options: SceneOptions): DaemonConfig {
  const config = daemonConfig(options)
  if (options.addPath !== true) return config
  const feeder: Neighbor = {
    name: 'feeder',
    address: FEEDER_AT_DAEMON.feeder,
    localAddress: FEEDER_AT_DAEMON.daemon,
    asn: FEEDER_ASN,
    families: ['ipv4'],
  }
  return { ...config, addPath: true, passesOn: true, neighbors: [...config.neighbors, feeder] }
}

function daemonConfig(options: SceneOptions): DaemonConfig {
  const neighbor = (name: string, over: Family, families: readonly Family[]): Neighbor => ({
    name,
    address: LINNET[over],
    localAddress: DAEMON[over],
    asn: options.linnetAsn,
    families,
  })
  return {
    asn: options.daemonAsn,
    routerId: DAEMON.ipv4,
    addresses: DAEMON,
    holdTimeSeconds: options.daemonHoldTime,
    ...(options.fourOctetAs === undefined ? {} : { fourOctetAs: options.fourOctetAs }),
    ...(options.extendedNextHop === undefined ? {} : { extendedNextHop: options.extendedNextHop }),
    neighbors: [
      ...(options.overIpv4.length > 0 ? [neighbor('over4', 'ipv4', options.overIpv4)] : []),
      ...(options.overIpv6.length > 0 ? [neighbor('over6', 'ipv6', options.overIpv6)] : []),
      ...(options.unnumbered === undefined
        ? []
        : [
            {
              ...neighbor('overlink', 'ipv6', ['ipv4', 'ipv6'] as const),
              address: LINNET.link,
              localAddress: DAEMON.link,
              link: LINK,
            },
          ]),
    ],
    ...options.theirs,
  }
}

function feederConfig({ linnetAsn, daemonAsn, addPath = false }: SceneOptions): DaemonConfig {
  const neighbor = (name: string, family: Family): Neighbor => ({
    name,
    address: TO_FEEDER[family],
    localAddress: FEEDER[family],
    asn: linnetAsn,
    families: [family],
  })
  return {
    asn: FEEDER_ASN,
    routerId: FEEDER.ipv4,
    addresses: FEEDER,
    holdTimeSeconds: 90,
    addPath,
    neighbors: [
      neighbor('feeder4', 'ipv4'),
      neighbor('feeder6', 'ipv6'),
      ...(addPath
        ? [
            {
              ...neighbor('daemon', 'ipv4'),
              address: FEEDER_AT_DAEMON.daemon,
              localAddress: FEEDER_AT_DAEMON.feeder,
              asn: daemonAsn,
            },
          ]
        : []),
    ],
  }
}
