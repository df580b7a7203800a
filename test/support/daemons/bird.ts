/** BIRD 2: configuration by file and `birdc configure`, tables by `birdc show route all`. */
import type { Family } from '../../../src/net/family.ts'
import { eventually } from '../eventually.ts'
import type { HostProcess, LabHost } from '../lab-host.ts'
import {
  capture,
  type Daemon,
  type DaemonConfig,
  type Neighbor,
  type RunningDaemon,
  type SessionView,
} from './daemon.ts'
import { byPrefix, communityNumbers, familyOf, route, type Route } from './route.ts'

export const bird: Daemon = {
  title: 'BIRD 2',
  cannot: {
    meetsAsTrans: 'reads the neighbour’s AS from its capability also when it offers none itself',
  },
  cannotSend: {
    asSet: 'its filters prepend, but make no sets',
    atomicAggregate: 'its filters can only remove it',
    aggregator: 'its filters can only remove it',
    originatorId: 'set by reflection only',
    clusterList: 'set by reflection only',
    unknown: 'its filters can only remove them',
  },
  cannotShow: { partial: 'shows [t] for all that is transitive' },
  async start(host, config) {
    const daemon = new RunningBird(host, config)
    await daemon.run()
    return daemon
  },
}

class RunningBird implements RunningDaemon {
  readonly #host: LabHost
  #config: DaemonConfig
  #originated: readonly Route[] = []
  #process: HostProcess | undefined

  constructor(host: LabHost, config: DaemonConfig) {
    this.#host = host
    this.#config = config
  }

  async run(): Promise<void> {
    this.#host.write('bird.conf', birdConfig(this.#config, []))
    const args = ['-f', '-c', '/run/bird.conf', '-s', '/run/bird.ctl']
    this.#process = await this.#host.start('bird', args)
    await eventually('birdc answers', () => this.#ask('show status').catch(() => ''), Boolean)
  }

  async originate(routes: readonly Route[]): Promise<void> {
    this.#originated = routes
    await this.#configure()
  }

  async #configure(): Promise<void> {
    this.#host.write('bird.conf', birdConfig(this.#config, this.#originated))
    const answer = await this.#ask('configure')
    if (!/Reconfigur/.test(answer)) throw new Error(`birdc configure: ${answer}`)
  }

  async table(neighbor: Neighbor, family: Family): Promise<Route[]> {
    const table = family === 'ipv4' ? 'master4' : 'master6'
    const text = await this.#ask(`show route table ${table} all protocol ${neighbor.name}`)
    // Of an external session the LOCAL_PREF is BIRD's own.
    return byPrefix(birdRoutes(text, neighbor.asn === this.#config.asn))
  }

  async session(neighbor: Neighbor): Promise<SessionView> {
    const text = await this.#ask(`show protocols all ${neighbor.name}`)
    const holdTime = capture(text, /Hold timer: +[\d.]+\/(\d+)/)
    return {
      established: /BGP state: +Established/.test(text),
      holdTimeSeconds: holdTime === undefined ? undefined : Number(holdTime),
      complaints: this.#host
        .log('bird.log')
        .split('\n')
        .filter((line) => line.includes(` ${neighbor.name}: `))
        .join('\n'),
    }
  }

  async refresh(neighbor: Neighbor): Promise<void> {
    await this.#ask(`reload in ${neighbor.name}`)
  }

  async shutdown(neighbor: Neighbor, reason: string): Promise<void> {
    await this.#ask(`disable ${neighbor.name} "${reason}"`)
  }

  async startup(neighbor: Neighbor): Promise<void> {
    await this.#ask(`enable ${neighbor.name}`)
  }

  async changePassword(password: string): Promise<void> {
    this.#config = { ...this.#config, password }
    await this.#configure()
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

  #ask(command: string): Promise<string> {
    return this.#host.run('birdc', '-s', '/run/bird.ctl', ...command.split(' '))
  }
}

function birdConfig(config: DaemonConfig, routes: readonly Route[]): string {
  const statics = (family: Family): string =>
    `protocol static own_${family} { ${family}; ${routes
      .filter(({ prefix }) => familyOf(prefix) === family)
      .map(({ prefix }) => `route ${prefix} unreachable; `)
      .join('')}}`
  return [
    'log stderr all;',
    `router id ${config.routerId};`,
    'protocol device { scan time 1; }',
    ...(config.words?.own ?? []),
    statics('ipv4'),
    statics('ipv6'),
    // BIRD drops MED towards another AS unless the export filter itself sets it.
    'filter announced {',
    ...(config.passesOn === true ? ['  if source = RTS_BGP then accept;'] : []),
    '  if source != RTS_STATIC then reject;',
    ...[...prefixesBySettings(routes)].map(
      ([words, prefixes]) => `  if net ~ [ ${prefixes.join(', ')} ] then { ${words} accept; }`,
    ),
    '  reject;',
    '}',
    ...config.neighbors.map((it) => protocol(config, it)),
    '',
  ].join('\n')
}

/** Sets of prefixes are tries: thousands of routes cost no more than a few. */
function prefixesBySettings(routes: readonly Route[]): Map<string, string[]> {
  const groups = new Map<string, string[]>()
  for (const it of routes) {
    // A set holds prefixes of one family.
    const words = `${settings(it).join(' ')} /* ${familyOf(it.prefix)} */`
    groups.set(words, [...(groups.get(words) ?? []), it.prefix])
  }
  return groups
}

function protocol(config: DaemonConfig, neighbor: Neighbor): string {
  const addPath = config.addPath === true ? 'add paths on; ' : ''
  const lines = [
    `local ${neighbor.localAddress} as ${config.asn};`,
    `neighbor ${neighbor.address}${neighbor.link === undefined ? '' : `%${neighbor.link}`} as ${neighbor.asn};`,
    `hold time ${config.holdTimeSeconds};`,
    'connect delay time 1; connect retry time 1; error wait time 1, 2;',
    'graceful restart off;',
    ...(config.fourOctetAs === false ? ['enable as4 off;'] : []),
    ...(config.extendedMessages === true ? ['enable extended messages on;'] : []),
    ...(config.password === undefined ? [] : [`password "${config.password}";`]),
    ...(config.ttlSecurity === true ? ['ttl security on;'] : []),
    ...(config.words?.neighbor ?? []),
    ...neighbor.families.map((family) => {
      const extended = config.extendedNextHop === true && family === 'ipv4'
      const words = extended ? 'extended next hop on; ' : ''
      const limit = config.maxPrefixes
      // It comes back by itself, as after any other error.
      const limited = limit === undefined ? '' : `receive limit ${limit} action restart; `
      return `${family} { ${words}${addPath}${limited}import all; export filter announced; };`
    }),
  ]
  return `protocol bgp ${neighbor.name} {\n  ${lines.join('\n  ')}\n}`
}

function settings(it: Route): string[] {
  const pairs = (list: readonly string[], add: (values: string) => string): string[] =>
    list.map((text) => add(communityNumbers(text).replaceAll(':', ',')))
  return [
    `bgp_origin = ORIGIN_${it.origin.toUpperCase()};`,
    ...it.asPath
      .split(' ')
      .filter(Boolean)
      .toReversed()
      .map((asn) => `bgp_path.prepend(${asn});`),
    ...(it.med === null ? [] : [`bgp_med = ${it.med};`]),
    ...(it.localPref === null ? [] : [`bgp_local_pref = ${it.localPref};`]),
    ...pairs(it.communities, (pair) => `bgp_community.add((${pair}));`),
    ...pairs(it.extendedCommunities, (triple) => `bgp_ext_community.add((${triple}));`),
    ...pairs(it.largeCommunities, (triple) => `bgp_large_community.add((${triple}));`),
  ]
}

/**
 * `show route all`: a line per path, beginning with its prefix, or with blanks where that is the one before,
 * and a line per attribute.
 */
function birdRoutes(text: string, internal: boolean): Route[] {
  return text
    .split(/\n(?=\S)/)
    .filter((block) => /^[0-9a-f.:]+\//.test(block))
    .flatMap((block) => {
      const prefix = block.split(' ')[0]
      return block.split(/\n +(?=\S+ \[)/).map((path): [string, string] => [prefix, path])
    })
    .map(([prefix, block]) => {
      const value = (name: string): string | undefined =>
        capture(block, new RegExp(`BGP\\.${name}: ?(.*)`))
      const lists = (name: string): string[] =>
        [...(value(name) ?? '').matchAll(/\(([^)]*)\)/g)].map(([, it]) =>
          it.replaceAll(/, ?/g, ':'),
        )
      const number = (name: string): number | null => {
        const found = value(name)
        return found === undefined ? null : Number(found)
      }
      return route({
        prefix,
        // A link-local one stands behind ::.
        nextHop: value('next_hop')?.replace(/^:: /, '').split(' ')[0] ?? '',
        origin: originOf(value('origin')),
        asPath: (value('as_path') ?? '').trim().replaceAll(/\{([^}]*)\}/g, compactSet),
        med: number('med'),
        localPref: internal ? number('local_pref') : null,
        communities: lists('community'),
        extendedCommunities: lists('ext_community'),
        largeCommunities: lists('large_community'),
        atomicAggregate: value('atomic_aggr') !== undefined,
        aggregator: value('aggregator')?.replace(/^(\S+) AS(\d+)$/, '$2 $1') ?? null,
        originatorId: value('originator_id') ?? null,
        clusterList: (value('cluster_list') ?? '').split(' ').filter(Boolean),
        unknown: [...block.matchAll(/BGP\.([0-9a-f]{2}) \[([a-z]*)\]: (.*)/g)].map(
          ([, code, , bytes]) => `${parseInt(code, 16)} ?? ${bytes.replaceAll(' ', '')}`,
        ),
      })
    })
}

const compactSet = (_: string, members: string): string =>
  `{${members.trim().split(/[ ,]+/).join(',')}}`

const originOf = (text: string | undefined): Route['origin'] =>
  text === 'IGP' ? 'igp' : text === 'EGP' ? 'egp' : 'incomplete'
