/** What the doctor says of the rules of each engine, and of what people do about them. */
import { describe, expect, test } from 'vitest'
import { diagnose, type Diagnosis } from '../../../src/nat/docker-findings.ts'
import type { Finding, Kernel } from '../../../src/nat/finding.ts'
import type { Host } from '../../../src/nat/docker-reach.ts'
import { exemptionRules } from '../../../src/nat/exemption.ts'
import { parseIptables } from '../../../src/nat/iptables-rules.ts'
import { parseNft } from '../../../src/nat/nft-rules.ts'
import { prefix } from '../../../src/net/prefix.ts'
import { hostWith, readRules, rulesOf, POOLS, type Engine } from '../../support/docker-rules.ts'

const SYSCTLS: Readonly<Record<string, string>> = {
  'net.ipv4.ip_forward': '1',
  'net.ipv6.conf.all.forwarding': '1',
  'net.ipv4.conf.all.rp_filter': '0',
}
const kernel = (sysctls: Readonly<Record<string, string>> = {}): Kernel => ({
  sysctl: (name: string) => ({ ...SYSCTLS, ...sysctls })[name],
  learned: [],
  connected: [],
})

const remedies = ({ findings }: Diagnosis): string[] =>
  findings
    .filter(({ severity }) => severity === 'problem')
    .flatMap(({ command, setting, instead }) =>
      [command, instead === true ? undefined : setting].flatMap((it) => it ?? []),
    )

const USER = 'iptables -I DOCKER-USER -i eth0 -s 10.76.0.0/14 -d 10.76.0.0/14 -j ACCEPT'
const USER6 = 'ip6tables -I DOCKER-USER -i eth0 -s 2001:db8:77::/48 -d 2001:db8:77::/48 -j ACCEPT'
const FORWARD6 = USER6.replace('DOCKER-USER', 'FORWARD')
const RAW = 'iptables -t raw -I PREROUTING -i eth0 -s 10.76.0.0/14 -d 10.76.0.0/14 -j ACCEPT'
const RAW6 =
  'ip6tables -t raw -I PREROUTING -i eth0 -s 2001:db8:77::/48 -d 2001:db8:77::/48 -j ACCEPT'
const NAT = 'nat: { pools: [10.76.0.0/14, "2001:db8:77::/48"] } in the configuration of linnet'
const DIRECT =
  '"allow-direct-routing": true in /etc/docker/daemon.json (Engine 28.2 or newer), and restart Docker'
const MARK = '"bridge-accept-fwmark": "0x4c4e" in /etc/docker/daemon.json, and restart Docker'
const marking = (ip: string, pool: string): string =>
  `nft 'table ${ip} linnet-pass { chain prerouting { type filter hook prerouting priority mangle; iifname "eth0" ${ip} saddr ${pool} ${ip} daddr ${pool} meta mark set 0x4c4e; }; }'`

describe('as it comes', () => {
  const nftables = [
    DIRECT,
    marking('ip', '10.76.0.0/14'),
    MARK,
    NAT,
    marking('ip6', '2001:db8:77::/48'),
    MARK,
  ]
  test.each<[Engine, string[]]>([
    ['Engine 20.10, iptables over nftables', [USER, NAT, FORWARD6]],
    ['Engine 20.10, iptables-legacy', [USER, NAT, FORWARD6]],
    ['Engine 27', [USER, NAT, USER6]],
    ['Engine 28', [RAW, USER, NAT, RAW6, USER6]],
    ['Engine 29', [RAW, USER, NAT, RAW6, USER6]],
    ['Engine 29, nftables', nftables],
    ['Engine after 29, nftables', nftables],
  ])('%s', (engine, wanted) => {
    const found = diagnose(hostWith(rulesOf(engine)), kernel())
    expect(remedies(found)).toEqual(wanted)
    expect(found.healthy).toBe(false)
    for (const { internal, ...row } of found.rows) {
      const { fromOtherHosts, toOtherHosts, fromOutside, toOutside } = row
      const wanted = internal ? ['no', 'no', 'no', 'no'] : ['no', 'hidden', 'no', 'hidden']
      expect([fromOtherHosts, toOtherHosts, fromOutside, toOutside]).toEqual(wanted)
    }
  })
})

const engine28 = rulesOf('Engine 28')
const exempt = parseNft({ nftables: exemptionRules(POOLS) })
const withRules = (...changes: readonly [file: string, from: string, to: string][]): Host => {
  let text = readRules('engine-20-iptables-nft.rules')
  for (const [, from, to] of changes) {
    expect(text).toContain(from)
    text = text.replace(from, to)
  }
  return { ...hostWith(parseIptables(text)), pools: POOLS.slice(0, 1) }
}
const LET_IN: [string, string, string] = [
  '',
  '-A DOCKER-USER -j RETURN',
  '-A DOCKER-USER -i eth0 -s 10.76.0.0/14 -d 10.76.0.0/14 -j ACCEPT\n-A DOCKER-USER -j RETURN',
]
const OWN = '-A POSTROUTING -s 10.76.0.0/14 -d 10.76.0.0/14 -j ACCEPT'
const FIRST = '-A POSTROUTING -s 10.78.1.0/28'
const SECOND = '-A POSTROUTING -s 10.77.1.0/24'

describe('what people do about it', () => {
  test('masquerading out of the way, and answers die in the table raw', () => {
    const { rows, findings } = diagnose(hostWith([...engine28, ...exempt]), kernel())
    expect(findings[0]).toMatchObject({
      text: "containers of other hosts don't get in: packets are dropped",
      rules: [
        'iptables, table raw: -A PREROUTING -d 10.77.1.2/32 ! -i docker0 -j DROP',
        'iptables, table raw: -A PREROUTING -d 10.78.1.2/32 ! -i br-blue -j DROP',
      ],
      setting: DIRECT,
      instead: true,
    })
    // The same remedy is one for the answers.
    expect(rows.map(({ toOtherHosts }) => toOtherHosts)).toEqual(['no', 'no', 'no', 'no'])
  })

  test('a rule of their own that keeps sources, behind that of a newer network', () => {
    const host = withRules(LET_IN, ['', SECOND, `${OWN}\n${SECOND}`])
    const { findings, healthy } = diagnose(host, kernel())
    expect(healthy).toBe(false)
    expect(findings.map(({ networks, text }) => `${networks.join()}: ${text}`)).toEqual([
      `blue: containers of other hosts see the address of this host instead of theirs; \`${OWN}\` stands behind the rule that does it, too late`,
      'bridge: a rule keeps its sources, until `docker network create` puts one that hides them in front of it; linnet has a table for that',
      'bridge,blue: networks of this host are kept apart',
      'inner: internal: nobody but its own containers, as it was made to be',
    ])
  })

  test('the same in front of all others: well, for now', () => {
    const host = withRules(LET_IN, ['', FIRST, `${OWN}\n${FIRST}`])
    const { findings, healthy } = diagnose(host, kernel())
    expect(healthy).toBe(true)
    expect(findings[0]).toMatchObject({ severity: 'note', networks: ['bridge', 'blue'] })
    expect(findings[0]?.text).toMatch(/^a rule keeps its sources, until/)
  })

  test('a firewall of their own in front of DOCKER-USER', () => {
    const mine = 'A FORWARD -j DOCKER-USER'
    const host = withRules(LET_IN, ['', `-${mine}`, `-A FORWARD -i eth0 -j DROP\n-${mine}`])
    expect(remedies(diagnose(host, kernel()))[0]).toBe(USER.replace('DOCKER-USER', 'FORWARD'))
  })

  test('a table of their own in nftables', () => {
    const rules = parseNft({
      nftables: [
        { table: { family: 'inet', name: 'filter' } },
        {
          chain: {
            family: 'inet',
            table: 'filter',
            name: 'forward',
            type: 'filter',
            hook: 'forward',
            prio: 0,
            policy: 'drop',
          },
        },
      ],
    })
    const { findings } = diagnose({ ...hostWith(rules), pools: POOLS.slice(0, 1) }, kernel())
    expect(findings.flatMap(({ command }) => command ?? [])).toEqual([
      'nft insert rule inet filter forward iifname "eth0" ip saddr 10.76.0.0/14 ip daddr 10.76.0.0/14 accept',
      'nft insert rule inet filter forward oifname "eth0" ip saddr 10.76.0.0/14 ip daddr 10.76.0.0/14 accept',
    ])
  })

  test('containers that nobody named, but rules do', () => {
    const { networks, ...host } = hostWith(engine28)
    const empty = networks.map((it) => ({ ...it, containers: [] }))
    const { findings } = diagnose({ ...host, networks: empty }, kernel())
    expect(findings[0]?.rules[0]).toMatch(/^iptables, table raw: -A PREROUTING -d 10\.77\.1\.2\/32/)
  })

  test.each<Engine>(['Engine 20.10, iptables over nftables', 'Engine 29', 'Engine 29, nftables'])(
    'an internal network, which nobody is led to open: %s',
    (engine) => {
      const { networks, ...host } = hostWith(rulesOf(engine))
      const told = networks.map((it) => ({ ...it, internal: false }))
      const { rows, findings } = diagnose({ ...host, networks: told }, kernel())
      expect(rows.map(({ internal }) => internal)).toEqual([false, false, false, true])
      const concerned = findings.filter((it) => it.networks.includes('inner'))
      expect(concerned.map(({ severity }) => severity)).toEqual(['note'])
    },
  )

  test('no rules at all: all is well', () => {
    const { rows, findings, healthy } = diagnose(hostWith([]), kernel())
    expect(healthy).toBe(true)
    expect(findings.map(({ severity }) => severity)).toEqual(['note'])
    expect(new Set(rows.flatMap((it) => [it.fromOtherHosts, it.toOtherHosts]))).toEqual(
      new Set(['yes']),
    )
  })
})

/** The texts of what is found on a host without rules. */
const found = (host: Partial<Host>, told: Partial<Kernel>): Finding[] => [
  ...diagnose({ ...hostWith([]), ...host }, { ...kernel(), ...told }).findings,
]

describe('beside the rules', () => {
  test('a kernel that does not forward', () => {
    const sysctl = kernel({ 'net.ipv4.ip_forward': '0', 'net.ipv6.conf.all.forwarding': '0' })
    expect(found({}, sysctl).flatMap(({ command }) => command ?? [])).toEqual([
      'sysctl -w net.ipv4.ip_forward=1',
      'sysctl -w net.ipv6.conf.all.forwarding=1',
    ])
  })

  test('the same addresses on another host', () => {
    const learned = [{ prefix: prefix('10.78.1.0/28'), link: 'eth0' }]
    expect(found({}, { learned })[0]).toMatchObject({
      networks: ['blue'],
      text: 'another host announces 10.78.1.0/28, which lies in 10.78.1.0/28 of this network: neither sees all of the other’s'.replace(
        '’',
        "'",
      ),
    })
    const all = [{ prefix: prefix('10.76.0.0/14'), link: 'eth0' }]
    expect(found({}, { learned: all }).map(({ severity }) => severity)).toEqual(['note'])
  })

  test('no way to other hosts', () => {
    expect(found({ others: hostWith([]).others.slice(0, 1) }, {})[0]).toMatchObject({
      severity: 'problem',
      networks: ['bridge'],
      text: 'no IPv6 route of this host leads to containers of others',
    })
  })

  test('containers of one network, where rules are asked about bridges', () => {
    const rules = rulesOf('Engine 20.10, iptables over nftables').map((table) => ({
      ...table,
      chains: table.chains.map((chain) => ({
        ...chain,
        rules: chain.rules.filter(({ text }) => !text.includes('-i docker0 -o docker0')),
      })),
    }))
    const asked = kernel({ 'net.bridge.bridge-nf-call-iptables': '1' })
    const it = found({ rules }, asked).find(({ text }) => text.startsWith('its own'))
    expect(it).toMatchObject({
      severity: 'note',
      networks: ['bridge'],
      text: "its own containers don't reach each other (net.bridge.bridge-nf-call-iptables is 1)",
      rules: ['iptables, table filter: policy of FORWARD'],
    })
    expect(found({ rules }, kernel()).some(({ text }) => text.startsWith('its own'))).toBe(false)
  })

  test('docker0 as every host has it', () => {
    const [docker0] = hostWith([]).networks
    const stock = {
      ...docker0,
      name: 'bridge',
      driver: 'bridge',
      bridge: 'docker0',
      internal: false,
      containers: [],
    }
    const networks = [{ ...stock, subnets: [prefix('172.17.0.0/16')] }]
    const [it] = found({ networks, pools: [prefix('172.16.0.0/12')] }, {})
    expect(it).toMatchObject({
      severity: 'problem',
      setting: expect.stringContaining('"bip"') as string,
    })
    expect(found({ networks, pools: POOLS }, {}).map((it) => it.severity)).toEqual(['note'])
  })

  test('a network inside that of the link', () => {
    const connected = [{ prefix: prefix('2001:db8:77::/56'), link: 'eth0' }]
    expect(found({}, { connected })[0]?.text).toMatch(
      /^2001:db8:77:1::\/64 lies inside 2001:db8:77::\/56/,
    )
    const answering = kernel({ 'net.ipv6.conf.eth0.proxy_ndp': '1' })
    expect(found({}, { ...answering, connected }).map(({ severity }) => severity)).toEqual(['note'])
  })

  test('links that mistrust other links, where there are several', () => {
    const strict = kernel({ 'net.ipv4.conf.eth0.rp_filter': '1' })
    expect(found({}, strict).map(({ severity }) => severity)).toEqual(['note'])
    const [other] = hostWith([]).others
    const others =
      other === undefined
        ? []
        : [other, { ...other, link: 'eth1' }, ...hostWith([]).others.slice(1)]
    expect(found({ others }, strict)[0]?.command).toBe('sysctl -w net.ipv4.conf.eth0.rp_filter=2')
  })

  test('a host that hears no router any more', () => {
    const deaf = kernel({ 'net.ipv6.conf.eth0.accept_ra': '1' })
    expect(found({}, deaf)[0]).toMatchObject({
      severity: 'note',
      command: 'sysctl -w net.ipv6.conf.eth0.accept_ra=2',
    })
  })
})
