/**
 * Three in a row: a daemon, linnet, another daemon.
 *
 *   left 10.1.0.2 ---- 10.1.0.1 linnet 10.2.0.1 ---- 10.2.0.2 right
 *        fd00:1::2     fd00:1::1       fd00:2::1     fd00:2::2
 */
import type { Family } from '../../src/net/family.ts'
import type { Daemon, DaemonConfig, Neighbor, RunningDaemon } from '../support/daemons/daemon.ts'
import { Linnet } from '../support/daemons/linnet.ts'
import { eventually } from '../support/eventually.ts'
import { join, LabHost } from '../support/lab-host.ts'

export interface End {
  readonly daemon: Daemon
  readonly asn: number
  /** What it knows linnet by, where that is not `linnetAsn`. */
  readonly linnetAsn?: number
  /** Settings of linnet for it. */
  readonly peers?: Readonly<Record<string, unknown>>
  readonly words?: NonNullable<DaemonConfig['words']>
}

export interface ChainOptions {
  readonly linnetAsn: number
  readonly left: End
  readonly right: End
  /** Settings of both daemons. */
  readonly daemons?: Partial<DaemonConfig>
  /** Settings of linnet for both. */
  readonly peers: Readonly<Record<string, unknown>>
  /** Other keys of linnet's configuration. */
  readonly more?: Readonly<Record<string, unknown>>
}

export type Side = 'left' | 'right'
const SUBNET: Readonly<Record<Side, number>> = { left: 1, right: 2 }

export const addressOf = (side: Side, family: Family): string =>
  family === 'ipv4' ? `10.${SUBNET[side]}.0.2` : `fd00:${SUBNET[side]}::2`

export const linnetTowards = (side: Side, family: Family): string =>
  addressOf(side, family).replace(/2$/, '1')

export class Chain {
  readonly linnet: Linnet
  readonly left: RunningDaemon
  readonly right: RunningDaemon
  readonly #hosts: readonly LabHost[]

  private constructor(
    linnet: Linnet,
    left: RunningDaemon,
    right: RunningDaemon,
    hosts: readonly LabHost[],
  ) {
    this.linnet = linnet
    this.left = left
    this.right = right
    this.#hosts = hosts
  }

  /** All sessions are up when it is fulfilled. */
  static async open(options: ChainOptions): Promise<Chain> {
    const hosts = await Promise.all(['linnet', 'left', 'right'].map((name) => LabHost.open(name)))
    const [middle, left, right] = hosts
    try {
      await attach(middle, 'left', left)
      await attach(middle, 'right', right)
      const [linnet, ...daemons] = await Promise.all([
        Linnet.start(middle, linnetConfig(options)),
        options.left.daemon.start(left, daemonConfig('left', options)),
        options.right.daemon.start(right, daemonConfig('right', options)),
      ])
      const chain = new Chain(linnet, daemons[0], daemons[1], hosts)
      for (const name of ['left4', 'left6', 'right4', 'right6'])
        await eventually(`${name} is up`, () => linnet.isEstablished(name), Boolean)
      return chain
    } catch (error) {
      const words = hosts.map((host) => host.lastWords()).join('\n')
      await Promise.all(hosts.map((host) => host.close()))
      throw new Error(`the chain can't be set: ${String(error)}\n${words}`, { cause: error })
    }
  }

  /** Of the kernel of the right host, both families. */
  async routesOfRight(): Promise<readonly { readonly dst: string; readonly protocol?: string }[]> {
    const host = this.host('right')
    const tables = await Promise.all(
      ['-4', '-6'].map((family) => host.run('ip', '-j', family, 'route', 'show')),
    )
    return tables.flatMap((text) => JSON.parse(text) as { dst: string }[])
  }

  host(name: Side | 'linnet'): LabHost {
    const host = this.#hosts.find((it) => it.name === name)
    if (host === undefined) throw new Error(`no host ${name}`)
    return host
  }

  lastWords(): string {
    return this.#hosts.map((host) => host.lastWords()).join('\n')
  }

  async close(): Promise<void> {
    await Promise.all(this.#hosts.map((host) => host.close()))
  }
}

/** linnet as a neighbour of this side. */
export const linnetSeenFrom = (side: Side, asn: number, family: Family): Neighbor => ({
  name: family === 'ipv4' ? 'over4' : 'over6',
  address: linnetTowards(side, family),
  localAddress: addressOf(side, family),
  asn,
  families: [family],
})

async function attach(middle: LabHost, side: Side, host: LabHost): Promise<void> {
  const other: Side = side === 'left' ? 'right' : 'left'
  await join(
    {
      host: middle,
      device: side,
      addresses: [`${linnetTowards(side, 'ipv4')}/24`, `${linnetTowards(side, 'ipv6')}/64`],
    },
    {
      host,
      device: 'eth0',
      addresses: [`${addressOf(side, 'ipv4')}/24`, `${addressOf(side, 'ipv6')}/64`],
    },
  )
  // Next hops of the other side are reached through linnet's host.
  const far = SUBNET[other]
  await host.ip([
    `route add 10.${far}.0.0/24 via ${linnetTowards(side, 'ipv4')}`,
    `route add fd00:${far}::/64 via ${linnetTowards(side, 'ipv6')}`,
  ])
}

export function linnetConfig(options: ChainOptions): Record<string, unknown> {
  const { linnetAsn, left, right, more } = options
  const peer = (name: string, address: string, end: End, families: readonly Family[]) => ({
    ...{ name, address, asn: end.asn, families },
    ...{ import: 'accept', export: 'accept', connectRetry: '1s', ...options.peers, ...end.peers },
  })
  return {
    asn: linnetAsn,
    routerId: '10.1.0.1',
    peers: [
      peer('left4', addressOf('left', 'ipv4'), left, ['ipv4']),
      peer('left6', addressOf('left', 'ipv6'), left, ['ipv6']),
      peer('right4', addressOf('right', 'ipv4'), right, ['ipv4']),
      peer('right6', addressOf('right', 'ipv6'), right, ['ipv6']),
    ],
    log: { level: 'debug', format: 'json' },
    ...more,
  }
}

function daemonConfig(side: Side, options: ChainOptions): DaemonConfig {
  const { asn, linnetAsn = options.linnetAsn, words } = options[side]
  return {
    asn,
    routerId: addressOf(side, 'ipv4'),
    addresses: { ipv4: addressOf(side, 'ipv4'), ipv6: addressOf(side, 'ipv6') },
    holdTimeSeconds: 90,
    neighbors: [linnetSeenFrom(side, linnetAsn, 'ipv4'), linnetSeenFrom(side, linnetAsn, 'ipv6')],
    ...(words === undefined ? {} : { words }),
    ...options.daemons,
  }
}
