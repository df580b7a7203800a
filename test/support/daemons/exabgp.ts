/**
 * ExaBGP 4. It has no table of its own: it hands every message to a program that it starts, and takes
 * orders from it. That program is a shell that copies both to files; the table is what they add up to.
 */
import { appendFileSync } from 'node:fs'
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
import { byPrefix, communityNumbers, communityOf, familyOf, route, type Route } from './route.ts'

export const exabgp: Daemon = {
  title: 'ExaBGP 4',
  cannot: {
    passesOn: 'has no table that it could tell others',
    dropsLowTtl: 'sends with TTL 255, and takes whatever comes',
    limitsPrefixes: 'has no such limit',
    changesPassword: 'reads keys at its start only',
    readsAs4Aggregator: 'takes the first two octets of its AS for all of it',
    unnumbered: 'not tried',
    linkLocal: 'not tried',
    extendedNextHop: 'not tried: each of its routes wants its next hop written',
    answersRefresh: 'has no table that it could send again; tells its program, which may',
    showsShutdownText: 'fails to read a Cease that has a text, and calls it malformed',
    sendsShutdownText: 'its teardown knows numbers alone',
  },
  cannotSend: {
    originatorId: 'set by reflection only',
    clusterList: 'set by reflection only',
  },
  cannotShow: {},
  async start(host, config) {
    const daemon = new RunningExabgp(host, config)
    await daemon.run()
    return daemon
  },
}

/** Orders are lines of a file that only grows; messages likewise. */
const PROGRAM = `#!/bin/sh
tail -n +1 -s 0.05 -f /run/exabgp.orders &
exec cat >>/run/exabgp.messages
`

/** It says so whether it reaches its neighbours or not. */
const LOADED = 'loaded new configuration successfully'

class RunningExabgp implements RunningDaemon {
  readonly #host: LabHost
  readonly #config: DaemonConfig
  readonly #announced = new Map<string, string>()
  #process: HostProcess | undefined

  constructor(host: LabHost, config: DaemonConfig) {
    this.#host = host
    this.#config = config
  }

  async run(): Promise<void> {
    this.#host.write('exabgp.orders', '')
    this.#host.write('exabgp.messages', '')
    this.#host.write('exabgp.sh', PROGRAM)
    this.#host.write('exabgp.conf', exabgpConfig(this.#config))
    const loaded = (): number => this.#host.log('exabgp.log').split(LOADED).length
    const before = loaded()
    this.#process = await this.#host.start('exabgp', ['/run/exabgp.conf'], {
      env: {
        exabgp_daemon_user: 'root',
        exabgp_daemon_drop: 'false',
        exabgp_api_ack: 'false',
        exabgp_api_cli: 'false',
        exabgp_tcp_bind: this.#config.neighbors.map((it) => it.localAddress).join(' '),
      },
    })
    await eventually('ExaBGP has read its configuration', loaded, (now) => now > before)
  }

  async originate(routes: readonly Route[]): Promise<void> {
    const wanted = new Map<string, string>()
    for (const it of routes) {
      for (const neighbor of this.#config.neighbors) {
        if (!neighbor.families.includes(familyOf(it.prefix))) continue
        const key = (n: number): string => {
          const id = this.#config.addPath === true ? ` path-information 0.0.0.${n}` : ''
          return `${neighbor.address} ${it.prefix}${id}`
        }
        let n = 1
        while (this.#config.addPath === true && wanted.has(key(n))) n++
        const [, ...named] = key(n).split(' ')
        const words = announcement(it, named.join(' '), neighbor, this.#config)
        wanted.set(key(n), `neighbor ${neighbor.address} announce ${words}`)
      }
    }
    const orders: string[] = []
    for (const key of this.#announced.keys()) {
      const [address, ...named] = key.split(' ')
      if (!wanted.has(key)) orders.push(`neighbor ${address} withdraw route ${named.join(' ')}`)
    }
    for (const [key, words] of wanted) if (this.#announced.get(key) !== words) orders.push(words)
    this.#announced.clear()
    for (const [key, words] of wanted) this.#announced.set(key, words)
    this.#order(...orders)
  }

  async table(neighbor: Neighbor, family: Family): Promise<Route[]> {
    const table = new Map<string, Route>()
    for (const it of this.#messages(neighbor)) {
      if (it.type === 'state' && it.neighbor.state !== 'up') table.clear()
      const update = it.neighbor.message?.update
      if (it.type !== 'update' || update === undefined) continue
      for (const it of update.withdraw?.[`${family} unicast`] ?? []) table.delete(nameOf(it))
      const announced = Object.entries(update.announce?.[`${family} unicast`] ?? {})
      for (const [nextHop, list] of announced) {
        for (const it of list)
          table.set(nameOf(it), routeOf(it.nlri, nextHop, update.attribute ?? {}))
      }
    }
    return byPrefix([...table.values()])
  }

  async session(neighbor: Neighbor): Promise<SessionView> {
    const messages = this.#messages(neighbor)
    const state = messages.findLast((it) => it.type === 'state')?.neighbor.state
    const holdTime = messages.findLast((it) => it.neighbor.negotiated !== undefined)?.neighbor
      .negotiated?.hold_time
    const complaints = messages.flatMap(({ neighbor: { reason, notification } }) => [
      ...(reason === undefined ? [] : [reason]),
      // Its data holds the reason of a shutdown, after a byte that counts its length.
      ...(notification === undefined
        ? []
        : [
            `code ${notification.code} subcode ${notification.subcode}`,
            Buffer.from(notification.data.replace('0x', ''), 'hex').toString(),
          ]),
    ])
    return {
      established: state === 'up',
      holdTimeSeconds: state === 'up' ? holdTime : undefined,
      complaints: complaints.join('\n'),
    }
  }

  async refresh(neighbor: Neighbor, family: Family): Promise<void> {
    this.#order(`neighbor ${neighbor.address} announce route-refresh ${family} unicast`)
  }

  async shutdown(neighbor: Neighbor): Promise<void> {
    this.#order(`neighbor ${neighbor.address} teardown 2`)
  }

  async startup(): Promise<void> {} // comes back by itself

  async changePassword(): Promise<void> {
    throw new Error('ExaBGP reads its keys at the start')
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

  #order(...lines: readonly string[]): void {
    if (lines.length === 0) return
    appendFileSync(this.#host.path('exabgp.orders'), lines.map((line) => `${line}\n`).join(''))
  }

  #messages(neighbor?: Neighbor): Message[] {
    return (
      this.#host
        .log('exabgp.messages')
        .split('\n')
        .slice(0, -1) // the last may be half a line
        // It tells the data of a NOTIFICATION also as it is.
        .map((line) => JSON.parse(line.replaceAll(/[^ -~]/g, '?')) as Message)
        .filter((it) => neighbor === undefined || it.neighbor.address?.peer === neighbor.address)
    )
  }
}

/** What ExaBGP tells its program, as far as we listen. */
interface Message {
  readonly type: string
  readonly neighbor: {
    readonly address?: { readonly peer: string }
    readonly state?: string
    readonly reason?: string
    readonly notification?: {
      readonly code: number
      readonly subcode: number
      readonly data: string
    }
    readonly negotiated?: { readonly hold_time: number }
    readonly message?: { readonly update?: Update }
  }
}

interface Update {
  readonly attribute?: Attributes
  readonly announce?: Readonly<Record<string, Readonly<Record<string, readonly Nlri[]>>>>
  readonly withdraw?: Readonly<Record<string, readonly Nlri[]>>
}

interface Nlri {
  readonly nlri: string
  readonly 'path-information'?: string
}

interface Attributes {
  readonly origin?: Route['origin']
  readonly 'as-path'?: readonly number[]
  readonly 'as-set'?: readonly number[]
  readonly med?: number
  readonly 'local-preference'?: number
  readonly community?: readonly (readonly [number, number])[]
  readonly 'large-community'?: readonly (readonly number[])[]
  readonly 'extended-community'?: readonly { readonly string: string }[]
  readonly 'atomic-aggregate'?: boolean
  readonly aggregator?: string
  readonly 'originator-id'?: string
  readonly 'cluster-list'?: readonly string[]
  readonly [unknown: `attribute-0x${string}`]: string
}

const nameOf = (it: Nlri): string => `${it.nlri} ${it['path-information'] ?? ''}`

function routeOf(prefix: string, nextHop: string, it: Attributes): Route {
  const set = it['as-set'] ?? []
  return route({
    prefix,
    nextHop,
    origin: it.origin ?? 'incomplete',
    asPath: [...(it['as-path'] ?? []), ...(set.length > 0 ? [`{${set.join(',')}}`] : [])].join(' '),
    med: it.med ?? null,
    localPref: it['local-preference'] ?? null,
    communities: (it.community ?? []).map(([high, low]) => communityOf(high * 65536 + low)),
    largeCommunities: (it['large-community'] ?? []).map((parts) => parts.join(':')),
    extendedCommunities: (it['extended-community'] ?? []).map(({ string }) =>
      string.replace('target:', 'rt:').replace('origin:', 'ro:'),
    ),
    atomicAggregate: it['atomic-aggregate'] ?? false,
    aggregator: it.aggregator?.replace(':', ' ') ?? null,
    originatorId: it['originator-id'] ?? null,
    clusterList: it['cluster-list'] ?? [],
    unknown: Object.entries(it).flatMap(([key, value]) => {
      const [, code, flags] = /^attribute-0x([0-9A-F]+)-0x([0-9A-F]+)$/i.exec(key) ?? []
      if (code === undefined) return []
      return [
        `${parseInt(code, 16)} ${flags.toLowerCase()} ${String(value).slice(2).toLowerCase()}`,
      ]
    }),
  })
}

/** `named` is the prefix, with its path identifier where it has one. */
function announcement(it: Route, named: string, neighbor: Neighbor, config: DaemonConfig): string {
  // ExaBGP says what it is told: the own AS before an external path, the own address as next hop.
  const ownAsn = neighbor.asn === config.asn ? '' : `${config.asn} `
  const path = `${ownAsn}${it.asPath}`
    .replaceAll('{', '( ')
    .replaceAll('}', ' )')
    .replaceAll(',', ' ')
  const family = familyOf(it.prefix)
  const { localAddress } = neighbor
  const own = familyOf(localAddress) === family ? localAddress : config.addresses[family]
  const nextHop = it.nextHop === '' ? own : it.nextHop
  const list = (name: string, values: readonly string[]): string[] =>
    values.length === 0 ? [] : [`${name} [ ${values.join(' ')} ]`]
  return [
    `route ${named} next-hop ${nextHop} origin ${it.origin} as-path [ ${path} ]`,
    ...(it.med === null ? [] : [`med ${it.med}`]),
    ...(it.localPref === null ? [] : [`local-preference ${it.localPref}`]),
    ...list('community', it.communities.map(communityNumbers)),
    ...list('large-community', it.largeCommunities),
    ...list(
      'extended-community',
      it.extendedCommunities.map((text) =>
        text.replace('rt:', 'target:').replace('ro:', 'origin:'),
      ),
    ),
    ...(it.atomicAggregate ? ['atomic-aggregate'] : []),
    ...(it.aggregator === null ? [] : [`aggregator ( ${it.aggregator.replace(' ', ':')} )`]),
    ...it.unknown.map((text) => {
      const [code, flags, value] = text.split(' ')
      return `attribute [ 0x${Number(code).toString(16)} 0x${flags} 0x${value} ]`
    }),
  ].join(' ')
}

function exabgpConfig(config: DaemonConfig): string {
  const neighbors = config.neighbors.map(
    (it) => `neighbor ${it.address} {
  router-id ${config.routerId};
  local-address ${it.localAddress};
  local-as ${config.asn};
  peer-as ${config.fourOctetAs === false ? twoOctetAsn(it.asn) : it.asn};
  hold-time ${config.holdTimeSeconds};
  ${config.password === undefined ? '' : `md5-password "${config.password}";`}
  ${config.ttlSecurity === true ? 'incoming-ttl 255; outgoing-ttl 255;' : ''}
  family { ${it.families.map((family) => `${family} unicast;`).join(' ')} }
  capability { route-refresh enable; graceful-restart disable; asn4 ${config.fourOctetAs === false ? 'disable' : 'enable'}; ${config.addPath === true ? 'add-path send/receive;' : ''} }
  api {
    processes [ watcher ];
    neighbor-changes;
    ${config.addPath === true ? '' : 'negotiated;' /* it fails to print ADD-PATH */}
    receive { parsed; update; notification; open; }
  }
}`,
  )
  return `process watcher { run /bin/sh /run/exabgp.sh; encoder json; }\n${neighbors.join('\n')}\n`
}
