/**
 * The rules that engines of Docker write, replayed in a namespace with containers behind bridges: what the doctor says
 * of them is what connections do, as they are, with our exemption, and after its own remedies.
 *
 *   elsewhere (this process)                      host                       web, blue, inner
 *   10.77.2.2, 192.0.2.1 ...  10.0.1.1 --- eth0   10.0.1.2   docker0, br-blue, br-inner --- eth0
 */
import { execFileSync } from 'node:child_process'
import { afterAll, describe, expect, test } from 'vitest'
import { listen, type Listener } from '../../src/linux/tcp-listener.ts'
import { readFirewall } from '../../src/linux/firewall-rules.ts'
import { tcpTransport } from '../../src/linux/tcp.ts'
import { diagnose } from '../../src/nat/docker-findings.ts'
import type { Finding } from '../../src/nat/finding.ts'
import { reachOf, type Answer, type Reach } from '../../src/nat/docker-reach.ts'
import { exemptionRules } from '../../src/nat/exemption.ts'
import { parseNft } from '../../src/nat/nft-rules.ts'
import type { RuleSet } from '../../src/nat/rule-set.ts'
import type { Connection, Endpoint } from '../../src/session/transport.ts'
import { address, type Address } from '../../src/net/address.ts'
import { contains, prefix } from '../../src/net/prefix.ts'
import { ip, ipBatch } from '../support/box.ts'
import {
  ENGINES,
  NETWORKS,
  OTHERS,
  OUTSIDE,
  POOLS,
  hostWith,
  readRules,
  rulesOf,
  type Engine,
} from '../support/docker-rules.ts'
import { enterNetworkNamespace, type NetworkNamespace } from '../support/network-namespace.ts'
import { until } from '../support/until.ts'

/** Ports that nobody publishes, as the one that the doctor asks about: one for each connection at a time. */
const FIRST_PORT = 50_900
const MOST_FLOWS = 16
/** For what is expected not to come about. */
const PATIENCE_MS = 300
const GATEWAYS = ['10.77.1.1/24', '10.78.1.1/28', '10.78.1.17/28']

const transport = tcpTransport({ connectTimeoutMs: PATIENCE_MS })
const listeners: Listener[] = []
afterAll(() => {
  for (const it of listeners) it.close()
})

interface Site {
  readonly host: NetworkNamespace
  readonly containers: ReadonlyMap<string, NetworkNamespace>
  readonly elsewhere: NetworkNamespace
  /** Where a connection came from, by its destination. */
  readonly seen: Map<string, string>
}

function openSite(): Site {
  const host = enterNetworkNamespace()
  const containers = new Map(NETWORKS.map(({ name }) => [name, enterNetworkNamespace()]))
  const elsewhere = enterNetworkNamespace()
  const nodad = (text: string): string => (text.includes(':') ? ' nodad' : '')
  ip(`link add eth0 type veth peer name eth0 netns ${host.path}`)
  ipBatch([
    ...['10.0.1.1/30', '2001:db8:1::1/64'].map((it) => `addr add ${it} dev eth0${nodad(it)}`),
    ...[...OTHERS, ...OUTSIDE].map(
      ({ address: { text } }) => `addr add ${text} dev lo${nodad(text)}`,
    ),
    'link set eth0 up',
    'route add 10.76.0.0/14 via 10.0.1.2',
    'route add 2001:db8:77::/48 via 2001:db8:1::2',
  ])
  host.within(() => {
    ipBatch([
      ...['10.0.1.2/30', '2001:db8:1::2/64'].map((it) => `addr add ${it} dev eth0${nodad(it)}`),
      'link set eth0 up',
      'route add default via 10.0.1.1',
      'route add default via 2001:db8:1::1',
    ])
    for (const [i, { name, bridge, containers: inside }] of NETWORKS.entries()) {
      const container = containers.get(name)
      ip(`link add ${bridge} type bridge`)
      ip(`link add veth${i} type veth peer name eth0 netns ${container?.path}`)
      ipBatch([
        `addr add ${GATEWAYS[i]} dev ${bridge}`,
        `link set ${bridge} up`,
        `link set veth${i} master ${bridge} up`,
        ...(i === 0 ? [`addr add 2001:db8:77:1::1/64 dev ${bridge} nodad`] : []),
      ])
      container?.within(() => {
        const length = GATEWAYS[i]?.split('/')[1]
        for (const { text } of inside[0]?.addresses ?? []) {
          ip(`addr add ${text}/${text.includes(':') ? 64 : length} dev eth0${nodad(text)}`)
        }
        ip('link set eth0 up')
        ip(`route add default via ${GATEWAYS[i]?.split('/')[0]}`)
        if (i === 0) ip('route add default via 2001:db8:77:1::1')
      })
    }
    execFileSync('sysctl', ['-qw', 'net.ipv4.ip_forward=1', 'net.ipv6.conf.all.forwarding=1'])
  })
  const seen = new Map<string, string>()
  const doors = [elsewhere, ...containers.values()].flatMap((namespace) =>
    ['0.0.0.0', '::'].map((text) => ({ namespace, wildcard: address(text) })),
  )
  for (const { namespace, wildcard } of doors) {
    for (let port = FIRST_PORT; port < FIRST_PORT + MOST_FLOWS; port++) {
      const onConnection = (it: Connection): void => {
        seen.set(keyOf(it.local), it.remote.address.text)
        it.abort()
      }
      listeners.push(namespace.within(() => listen({ address: wildcard, port }, { onConnection })))
    }
  }
  return { host, containers, elsewhere, seen }
}

const keyOf = (it: Endpoint | undefined): string => `${it?.address.text} ${it?.port}`

/** What a connection does. */
function connect(
  site: Site,
  where: NetworkNamespace,
  localAddress: Address,
  remote: Endpoint,
): Promise<Answer> {
  return new Promise((resolve) => {
    site.seen.delete(keyOf(remote))
    const closed = (): void => {
      const as = site.seen.get(keyOf(remote))
      resolve(as === undefined ? 'no' : as === localAddress.text ? 'yes' : 'hidden')
    }
    const events = { opened() {}, received() {}, drained() {}, closed }
    where.within(() => transport.connect({ remote, localAddress }, events))
  })
}

const WAYS = ['fromOtherHosts', 'toOtherHosts', 'fromOutside', 'toOutside'] as const

/** What a connection does for a row of the doctor's. */
async function tried(
  site: Site,
  row: Reach,
  way: (typeof WAYS)[number],
  port: number,
): Promise<Answer> {
  const network = NETWORKS.find(({ name }) => name === row.network)
  const inside = site.containers.get(row.network)
  const container = network?.containers[0]?.addresses.find((it) => contains(prefix(row.subnet), it))
  const far = (way.endsWith('Outside') ? OUTSIDE : OTHERS).find(
    ({ address: { family } }) => family === row.family,
  )?.address
  if (inside === undefined || container === undefined || far === undefined) return 'none'
  return way.startsWith('from')
    ? connect(site, site.elsewhere, far, { address: container, port })
    : connect(site, inside, container, { address: far, port })
}

/** Every way of every row. */
async function expectAsSaid(site: Site, rows: readonly Reach[]): Promise<void> {
  expect(rows.length * WAYS.length).toBe(MOST_FLOWS)
  const flows = rows.flatMap((row) => WAYS.map((way) => ({ row, way, said: row[way] })))
  await Promise.all(
    flows.map(async ({ row, way, said }, i) => {
      const what = `${row.subnet} ${way}: ${said}`
      const once = (): Promise<Answer> => tried(site, row, way, FIRST_PORT + i)
      if (said === 'no') expect(await once(), what).toBe('no')
      else await until(what, async () => (await once()) === said, 20_000)
    }),
  )
}

function load(engine: Engine): void {
  for (const file of ENGINES[engine]) {
    const text = readRules(file)
    if (text.startsWith('{')) {
      // Maps name chains, which nft wants to know before.
      const { nftables } = JSON.parse(text) as { nftables: object[] }
      const order = ['table', 'chain', 'map', 'rule']
      const rank = (it: object): number => order.indexOf(Object.keys(it)[0] ?? '')
      const sorted = nftables.filter((it) => rank(it) >= 0).toSorted((a, b) => rank(a) - rank(b))
      apply(sorted)
      continue
    }
    const family = file.includes('ip6tables') ? 'ip6tables' : 'iptables'
    const kind = file.includes('legacy') ? 'legacy' : 'nft'
    execFileSync(`${family}-${kind}-restore`, { input: text })
  }
}

const apply = (commands: readonly unknown[]): void => {
  execFileSync('nft', ['-j', JSON.stringify({ nftables: commands })])
}

/** Does what a finding says, as its reader would. */
function obey({ command, setting, instead }: Finding): void {
  if (command !== undefined) execFileSync('sh', ['-c', command])
  if (setting === undefined || instead === true) return
  if (setting.startsWith('nat:')) apply(exemptionRules(POOLS))
  for (const family of ['ip', 'ip6']) {
    const table = `${family} docker-bridges`
    // What Docker does at such a setting (its nftabler, of Engine 29).
    if (setting.includes('allow-direct-routing')) nft(`flush chain ${table} raw-PREROUTING`)
    if (!setting.includes('bridge-accept-fwmark')) continue
    const bridges = family === 'ip' ? ['docker0', 'br-blue'] : ['docker0']
    for (const it of bridges) {
      nft(`insert rule ${table} filter-forward-in__${it} meta mark 0x4c4e accept`)
    }
  }
}

const nft = (command: string): void => {
  execFileSync('nft', [command])
}

describe.each(Object.keys(ENGINES) as Engine[])('%s', (engine) => {
  const site = openSite()
  const rules = rulesOf(engine)
  site.host.within(() => load(engine))

  test('is read from the kernel as it was written', async () => {
    const live = await site.host.within(() => readFirewall())
    expect(shapeOf(live)).toEqual(shapeOf(rules))
  })

  test('does what is said of it', async () => {
    const { rows } = reachOf(hostWith(rules))
    expect(rows.map(({ toOtherHosts }) => toOtherHosts)).toContain('hidden')
    await expectAsSaid(site, rows)
  })

  test('with our exemption as well', async () => {
    const exempt = exemptionRules(POOLS)
    site.host.within(() => apply(exempt))
    const { rows } = reachOf(hostWith([...rules, ...parseNft({ nftables: exempt })]))
    expect(rows.map(({ toOtherHosts }) => toOtherHosts)).not.toContain('hidden')
    await expectAsSaid(site, rows)
    site.host.within(() => nft('delete table inet linnet'))
  })

  test('lets containers in and their sources stay, once it is told what the doctor says', async () => {
    const before = await site.host.within(() => readFirewall())
    const { findings } = diagnose(hostWith(before), KERNEL)
    expect(findings.filter(({ severity }) => severity === 'problem').length).toBeGreaterThan(2)
    site.host.within(() => findings.forEach(obey))
    const live = await site.host.within(() => readFirewall())
    const { rows, healthy } = diagnose(hostWith(live), KERNEL)
    expect(healthy).toBe(true)
    for (const { internal, fromOtherHosts, toOtherHosts, toOutside } of rows) {
      expect([fromOtherHosts, toOtherHosts, toOutside]).toEqual(
        internal ? ['no', 'no', 'no'] : ['yes', 'yes', 'hidden'],
      )
    }
    await expectAsSaid(site, rows)
  })
})

const KERNEL = { sysctl: () => undefined, learned: [], connected: [] }

/** What of rules can be compared: their words, chain by chain. */
const shapeOf = (rules: RuleSet): unknown =>
  rules
    .flatMap(({ family, name, chains }) =>
      chains.map((it) => ({
        chain: `${family} ${name} ${it.name}`,
        base: it.base,
        rules: it.rules.map(({ text }) => text),
      })),
    )
    .toSorted((a, b) => a.chain.localeCompare(b.chain))
