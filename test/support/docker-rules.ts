/**
 * Rules that engines of Docker write for the same three networks, from 20.10 (as they were saved from a running one) to
 * newer ones (in the words of their own sources). What a doctor says of each is held against real packets
 * in test/kernel/docker-rules.test.ts.
 *
 *   docker0   10.77.1.0/24, 2001:db8:77:1::/64   web   10.77.1.2, 2001:db8:77:1::2, port 80 published
 *   br-blue   10.78.1.0/28                       blue  10.78.1.2
 *   br-inner  10.78.1.16/28, internal            inner 10.78.1.18
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { DockerNetwork } from '../../src/nat/docker-network.ts'
import type { Elsewhere, Host } from '../../src/nat/docker-reach.ts'
import { parseIptables, isIptables } from '../../src/nat/iptables-rules.ts'
import { parseNft } from '../../src/nat/nft-rules.ts'
import type { RuleSet } from '../../src/nat/rule-set.ts'
import { address } from '../../src/net/address.ts'
import { prefix } from '../../src/net/prefix.ts'

const FOLDER = join(import.meta.dirname, '../unit/nat/fixtures')

/** The files that together are the rules of one host. */
export const ENGINES = {
  'Engine 20.10, iptables over nftables': [
    'engine-20-iptables-nft.rules',
    'engine-20-ip6tables-nft.rules',
  ],
  'Engine 20.10, iptables-legacy': [
    'engine-20-iptables-legacy.rules',
    'engine-20-ip6tables-legacy.rules',
  ],
  'Engine 27': ['engine-27-iptables.rules', 'engine-27-ip6tables.rules'],
  'Engine 28': ['engine-28-iptables.rules', 'engine-28-ip6tables.rules'],
  'Engine 29': ['engine-29-iptables.rules', 'engine-29-ip6tables.rules'],
  'Engine 29, nftables': ['engine-29-nftables.ruleset'],
  'Engine after 29, nftables': ['engine-master-nftables.ruleset'],
} as const
export type Engine = keyof typeof ENGINES

export const readRules = (file: string): string => readFileSync(join(FOLDER, file), 'utf8')

export const parseRules = (text: string): RuleSet =>
  isIptables(text) ? parseIptables(text) : parseNft(JSON.parse(text))

export const rulesOf = (engine: Engine): RuleSet =>
  ENGINES[engine].flatMap((file) => parseRules(readRules(file)))

const network = (
  name: string,
  bridge: string,
  subnets: readonly string[],
  container: string,
  addresses: readonly string[],
  internal = false,
): DockerNetwork => ({
  name,
  driver: 'bridge',
  bridge,
  internal,
  subnets: subnets.map(prefix),
  containers: [{ name: container, addresses: addresses.map(address) }],
})

export const NETWORKS = [
  network('bridge', 'docker0', ['10.77.1.0/24', '2001:db8:77:1::/64'], 'web', [
    '10.77.1.2',
    '2001:db8:77:1::2',
  ]),
  network('blue', 'br-blue', ['10.78.1.0/28'], 'blue', ['10.78.1.2']),
  network('inner', 'br-inner', ['10.78.1.16/28'], 'inner', ['10.78.1.18'], true),
]
export const POOLS = ['10.76.0.0/14', '2001:db8:77::/48'].map(prefix)

const elsewhere = (text: string): Elsewhere => ({ address: address(text), link: 'eth0' })
export const OTHERS = ['10.77.2.2', '2001:db8:77:2::2'].map(elsewhere)
export const OUTSIDE = ['192.0.2.1', '2001:db8:f::1'].map(elsewhere)

export const hostWith = (rules: RuleSet): Host => ({
  rules,
  networks: NETWORKS,
  pools: POOLS,
  others: OTHERS,
  outside: OUTSIDE,
  ownAddresses: ['10.0.1.2', '10.77.1.1', '10.78.1.1', '2001:db8:1::2', '2001:db8:77:1::1'].map(
    address,
  ),
})
