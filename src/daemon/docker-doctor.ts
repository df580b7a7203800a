/**
 * `linnet doctor docker`: gathers what is to be known of this host, from its kernel and from Docker, or from files of
 * another host, and hands it to the examination (nat/docker-findings.ts). It needs no running linnet.
 */
import { readFileSync } from 'node:fs'
import { connectDocker } from '../linux/docker-engine.ts'
import { parseFirewall, readFirewall } from '../linux/firewall-rules.ts'
import { readHost } from '../linux/host-snapshot.ts'
import { readSysctl } from '../linux/sysctl.ts'
import { diagnose, type Diagnosis } from '../nat/docker-findings.ts'
import { networkOf, parseDockerNetworks, type DockerNetwork } from '../nat/docker-network.ts'
import { isElsewhere, othersIn, type Elsewhere } from '../nat/docker-reach.ts'
import type { Sets } from '../nat/iptables-rules.ts'
import { addressIn } from '../nat/address-choice.ts'
import { address } from '../net/address.ts'
import { FAMILIES } from '../net/family.ts'
import { covers, type Prefix } from '../net/prefix.ts'

export type { Diagnosis } from '../nat/docker-findings.ts'
export type { Finding } from '../nat/finding.ts'
export type { Reach } from '../nat/docker-reach.ts'

/** What can't be examined, with the remedy. */
export class DoctorError extends Error {
  constructor(text: string) {
    super(text)
    this.name = 'DoctorError'
  }
}

/** Somebody who is in nobody's network (RFC 5737, RFC 3849). */
const OUTSIDERS = ['192.0.2.1', '2001:db8:ffff::1'].map(address)
const NO_POOLS =
  'nothing says where the containers of all hosts are: write --pool 10.76.0.0/14, or -c FILE with `nat: { pools: [...] }`'

export interface LiveOrder {
  /** None: what was learned from other hosts, and the networks of this one. */
  readonly pools: readonly Prefix[]
  /** Whose routes are those of other hosts. */
  readonly protocol: number
  /** Docker's socket; undefined: the usual one. */
  readonly dockerSocket: string | undefined
}

export async function examineHost({
  pools,
  protocol,
  dockerSocket,
}: LiveOrder): Promise<Diagnosis> {
  const [networks, host] = await Promise.all([dockerNetworks(dockerSocket), readHost()])
  const learned = host.learned(protocol)
  const subnets = networks.flatMap((it) => (it.internal ? [] : it.subnets))
  const ours =
    pools.length > 0 || learned.length === 0 ? pools : [...subnets, ...prefixesOf(learned)]
  if (ours.length === 0) throw new DoctorError(NO_POOLS)
  const known = learned.flatMap(({ prefix, link }): Elsewhere[] => {
    const found = addressIn(prefix, (it) => !isElsewhere(it, ours, networks))
    return found === undefined ? [] : [{ address: found, link }]
  })
  const ways = (addresses: readonly Elsewhere['address'][]): Elsewhere[] =>
    addresses.flatMap((it) => host.linksTo(it).map((link) => ({ address: it, link })))
  return diagnose(
    {
      rules: await readFirewall(dockerSets(networks)),
      networks,
      pools: ours,
      others: byLink([...known, ...ways(othersIn(ours, networks))]),
      outside: byLink(ways(OUTSIDERS)),
      ownAddresses: host.addresses,
    },
    { sysctl: parameter, learned, connected: host.connected },
  )
}

export interface FileOrder {
  readonly pools: readonly Prefix[]
  /** Files that iptables-save, ip6tables-save and `nft -j list ruleset` have printed. */
  readonly rules: readonly string[]
  /** File that `docker network inspect` has printed. */
  readonly networks: string
  /** The link towards other hosts. */
  readonly link: string
}

export function examineFiles({ pools, rules, networks: file, link }: FileOrder): Diagnosis {
  if (pools.length === 0) throw new DoctorError(NO_POOLS)
  const networks = readAs(file, (text) => parseDockerNetworks(JSON.parse(text)))
  const sets = dockerSets(networks)
  const elsewhere = (addresses: readonly Elsewhere['address'][]): Elsewhere[] =>
    addresses.map((it) => ({ address: it, link }))
  return diagnose(
    {
      rules: readAll(rules, (texts) => parseFirewall(texts, sets)),
      networks,
      pools,
      others: elsewhere(othersIn(pools, networks)),
      outside: elsewhere(OUTSIDERS),
      // Nobody knows; any that no container has.
      ownAddresses: ['192.0.2.2', '2001:db8:ffff::2'].map(address),
    },
    { sysctl: () => undefined, learned: [], connected: [] },
  )
}

/** The networks of the engine, with the addresses of its containers. */
async function dockerNetworks(socket: string | undefined): Promise<DockerNetwork[]> {
  const endpoint = socket === undefined ? {} : { socket }
  const unheard = { touched() {}, ended() {} }
  const engine = await connectDocker(endpoint, { containers: false }, unheard)
  try {
    const [networks, containers] = await Promise.all([engine.networks(), engine.containers()])
    return networks
      .filter(({ template }) => !template)
      .map((it) => networkOf(it, containers))
      .toSorted((a, b) => a.name.localeCompare(b.name))
  } finally {
    engine.close()
  }
}

/** Engine 28.0 asks sets of its bridges, which hold what is not internal. */
function dockerSets(networks: readonly DockerNetwork[]): Sets {
  const subnets = networks.flatMap((it) => (it.internal ? [] : it.subnets))
  return new Map(
    FAMILIES.map(({ name }) => [
      `docker-ext-bridges-${name === 'ipv4' ? 'v4' : 'v6'}`,
      subnets.filter(({ family }) => family === name).map(({ text }) => text),
    ]),
  )
}

function parameter(name: string): string | undefined {
  try {
    return readSysctl(name)
  } catch {
    return undefined // this kernel has no such parameter, or no such link
  }
}

/** One for each link and family: what is asked by the same link has the same answer. */
function byLink(all: readonly Elsewhere[]): Elsewhere[] {
  const found = new Map(all.map((it) => [`${it.link} ${it.address.family}`, it]))
  return [...found.values()]
}

const prefixesOf = (learned: readonly { readonly prefix: Prefix }[]): Prefix[] =>
  learned
    .map(({ prefix }) => prefix)
    .filter((it, i, all) => it.length > 0 && !all.slice(0, i).some((other) => covers(other, it)))

const readAll = <T>(files: readonly string[], parse: (texts: readonly string[]) => T): T =>
  readAs(files.join(', '), () => parse(files.map((file) => readFileSync(file, 'utf8'))), '')

function readAs<T>(file: string, parse: (text: string) => T, given?: string): T {
  try {
    return parse(given ?? readFileSync(file, 'utf8'))
  } catch (error) {
    if (!(error instanceof Error)) throw error
    throw new DoctorError(`can't read ${file}: ${error.message}`)
  }
}
