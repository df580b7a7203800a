/**
 * What of an engine's networks and containers is announced, and why the rest is not.
 *
 * The engine says what ought to be there, the kernel what is: a network counts while the link that it
 * stands on is up (and, of a bridge, has an address in the subnet), so a network of a rootless engine,
 * whose bridges are in another network namespace, is not announced by mistake. And it counts on when
 * the engine is gone but the bridge is not.
 *
 *   driver      stands on         announced
 *   bridge      its bridge        yes, unless internal
 *   ipvlan l3   its parent link   yes: Docker leaves it to others to make it known, and this is who
 *   ipvlan l2   its parent link   only by label: its containers are on the parent's own segment, where
 *   macvlan     its parent link   neighbours reach them at layer 2 without us
 *   others      -                 no: overlay networks have their own ways, host has no addresses
 */
import { isLinkLocal, parseAddress, type Address } from '../net/address.ts'
import type { Link } from '../net/link.ts'
import { contains, hostPrefix, parsePrefix, type Prefix } from '../net/prefix.ts'
import type { EngineContainer, EngineNetwork, EngineView } from './docker-engine.ts'
import { readLabels, type BgpLabels, type ReadCommunity } from './docker-labels.ts'
import type { HostView, SourcedPrefix } from './source.ts'

export interface DockerRules {
  readonly networks: 'all' | 'labelled'
  /** Whether each container gets a prefix of its own. */
  readonly containers: boolean | 'labelled'
  readonly readCommunity: ReadCommunity
}

/** A sentence about a network or container, for people, once. */
export interface Remark {
  readonly level: 'info' | 'warn'
  readonly text: string
}

export interface DockerOffers {
  readonly found: ReadonlyMap<string, SourcedPrefix>
  readonly remarks: readonly Remark[]
}

interface DriverRule {
  /** Name of the link that a network stands on. */
  readonly link: (network: EngineNetwork) => string | undefined
  /** Why it is announced by label only; undefined when it is announced without. */
  readonly reluctance: (network: EngineNetwork, link: string) => string | undefined
  /** The host itself has an address in it. */
  readonly hasHostAddress: boolean
}

const BRIDGE_NAME = 'com.docker.network.bridge.name'
const ON_SEGMENT = (driver: string, link: string): string =>
  `${driver} puts its containers on the segment of ${link}, where neighbours reach them without us`

const DRIVERS: Readonly<Record<string, DriverRule>> = {
  bridge: {
    link: ({ id, options }) => options[BRIDGE_NAME] ?? `br-${id.slice(0, 12)}`,
    reluctance: ({ internal, name }) => {
      if (internal) return 'it is internal, made so that nobody outside reaches it'
      return name === 'docker_gwbridge' ? 'it only leads out of overlay networks' : undefined
    },
    hasHostAddress: true,
  },
  ipvlan: {
    link: ({ options }) => options['parent'],
    reluctance: ({ internal, options }, link) => {
      if (internal) return 'it is internal, made so that nobody outside reaches it'
      const mode = options['ipvlan_mode'] ?? 'l2'
      return mode === 'l2' ? ON_SEGMENT('ipvlan l2', link) : undefined
    },
    hasHostAddress: false,
  },
  macvlan: {
    link: ({ options }) => options['parent'],
    reluctance: (_, link) => ON_SEGMENT('macvlan', link),
    hasHostAddress: false,
  },
}

/** A network that containers can be reached in. */
interface Standing {
  readonly network: EngineNetwork
  readonly link: Link
  /** Its subnets that the host can reach there. */
  readonly prefixes: readonly Prefix[]
  readonly labels: BgpLabels
  /** What keeps it from being announced, but for a label. */
  readonly reluctance: string | undefined
}

/** `isAlive`: whether containers behind this link can be counted on; asked only when the engine is away. */
export function dockerOffers(
  view: EngineView,
  host: HostView,
  rules: DockerRules,
  isAlive: (link: Link) => boolean,
): DockerOffers {
  const offers = new OfferDraft(rules)
  const ground = groundOf(host)
  const standing = new Map<string, Standing>()
  for (const network of view.networks.values()) {
    const it = standingOf(network, ground, offers)
    if (it === undefined) continue
    standing.set(network.id, it)
    if (offers.isWanted(it)) offers.addNetwork(it)
  }
  if (rules.containers === false) return offers
  for (const container of view.containers.values()) {
    offers.addContainer(container, standing, isAlive)
  }
  return offers
}

/** A link that is up, with its addresses. */
interface Ground {
  readonly link: Link
  readonly addresses: Address[]
}

/** By name. */
function groundOf(host: HostView): Map<string, Ground> {
  const byName = new Map<string, Ground>()
  const byIndex = new Map<number, Ground>()
  for (const link of host.links()) {
    if (!link.up) continue
    const ground = { link, addresses: [] }
    byName.set(link.name, ground)
    byIndex.set(link.index, ground)
  }
  for (const { link, address } of host.addresses()) byIndex.get(link)?.addresses.push(address)
  return byName
}

function standingOf(
  network: EngineNetwork,
  ground: ReadonlyMap<string, Ground>,
  offers: OfferDraft,
): Standing | undefined {
  const driver = Object.hasOwn(DRIVERS, network.driver) ? DRIVERS[network.driver] : undefined
  if (driver === undefined || network.template) return undefined
  const labels = offers.labelsOf('network', network)
  const name = driver.link(network)
  const under = name === undefined ? undefined : ground.get(name)
  if (name === undefined || under === undefined) return undefined
  const prefixes = network.subnets.flatMap((subnet) => {
    const prefix = parsePrefix(subnet)
    if (prefix === undefined || !isRoutable(prefix)) return []
    const isHere = under.addresses.some((it) => contains(prefix, it))
    return isHere || !driver.hasHostAddress ? [prefix] : []
  })
  const reluctance = driver.reluctance(network, name)
  return { network, link: under.link, prefixes, labels, reluctance }
}

class OfferDraft implements DockerOffers {
  readonly found = new Map<string, SourcedPrefix>()
  readonly remarks: Remark[] = []
  readonly #rules: DockerRules

  constructor(rules: DockerRules) {
    this.#rules = rules
  }

  labelsOf(
    what: 'network' | 'container',
    { name, labels }: EngineNetwork | EngineContainer,
  ): BgpLabels {
    const { said, complaints } = readLabels(what, labels, this.#rules.readCommunity)
    for (const it of complaints) {
      this.remarks.push({ level: 'warn', text: `${what} ${name}: ${it}` })
    }
    return said
  }

  isWanted({ network, labels, reluctance }: Standing): boolean {
    if (labels.advertise !== undefined) return labels.advertise
    if (this.#rules.networks === 'labelled') return false
    if (reluctance === undefined) return true
    const remedy = `docker network create --label bgp.advertise=true announces it all the same`
    const text = `network ${network.name} is not announced: ${reluctance}; ${remedy}`
    this.remarks.push({ level: 'info', text })
    return false
  }

  addNetwork({ network, link, prefixes, labels }: Standing): void {
    for (const prefix of prefixes) {
      this.#add(prefix, labels, { interface: link.name, network: network.name })
    }
  }

  addContainer(
    container: EngineContainer,
    networks: ReadonlyMap<string, Standing>,
    isAlive: (link: Link) => boolean,
  ): void {
    const own = this.labelsOf('container', container)
    for (const { network: id, prefixes } of endpointsOf(container)) {
      const standing = networks.get(id)
      if (standing === undefined || !this.#isWantedContainer(own, standing)) continue
      const { network, link, labels } = standing
      if (!isAlive(link)) continue
      const at = { interface: link.name, network: network.name, container: container.name }
      for (const prefix of prefixes) this.#add(prefix, { ...labels, ...own }, at)
    }
  }

  /** The container's own word goes before that of its network, and that before the configuration. */
  #isWantedContainer(own: BgpLabels, { labels, reluctance }: Standing): boolean {
    if (own.advertise !== undefined) return own.advertise
    if (labels.containers !== undefined) return labels.containers
    const isHeld = labels.advertise === false || (reluctance !== undefined && !labels.advertise)
    return this.#rules.containers === true && !isHeld
  }

  /** Of two with one prefix the first keeps it. */
  #add(
    prefix: Prefix,
    { communities = [], largeCommunities = [], med }: BgpLabels,
    at: Pick<SourcedPrefix, 'interface' | 'network' | 'container'>,
  ): void {
    if (this.found.has(prefix.text)) return
    this.found.set(prefix.text, {
      prefix,
      source: 'docker',
      ...at,
      ...(communities.length === 0 ? {} : { communities }),
      ...(largeCommunities.length === 0 ? {} : { largeCommunities }),
      ...(med === undefined ? {} : { med }),
    })
  }
}

/** Not link-local (fe80::/64 is on every bridge with IPv6). */
const isRoutable = ({ family, bytes, length }: Prefix): boolean =>
  length > 0 && !(family === 'ipv6' && bytes[0] === 0xfe && ((bytes[1] ?? 0) & 0xc0) === 0x80)

interface Endpoint {
  readonly network: string
  readonly prefixes: readonly Prefix[]
}

/** Every change of anything looks at all containers: what is read of one is kept with it. */
const $endpoints = new WeakMap<EngineContainer, readonly Endpoint[]>()

function endpointsOf(container: EngineContainer): readonly Endpoint[] {
  let endpoints = $endpoints.get(container)
  if (endpoints === undefined) {
    endpoints = container.endpoints.map(({ network, addresses }) => ({
      network,
      prefixes: addresses.flatMap((text) => {
        const address = parseAddress(text)
        return address === undefined || isLinkLocal(address) ? [] : [hostPrefix(address)]
      }),
    }))
    $endpoints.set(container, endpoints)
  }
  return endpoints
}
