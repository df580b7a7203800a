/**
 * Who reaches the containers of a host from where, and what is in the way: every network of Docker's held against the
 * rules of the host, for flows between pools (containers of other hosts) and from and to everybody else.
 *
 * Each thing in the way is put right on the model, by the first remedy that helps, and the flow is tried again: so
 * that all is found that would come to light one after the other, and no remedy is named that does not work.
 */
import type { Address } from '../net/address.ts'
import { FAMILIES, type Family } from '../net/family.ts'
import { contains, covers, hostPrefix, type Prefix } from '../net/prefix.ts'
import { addressIn } from './address-choice.ts'
import type { DockerNetwork } from './docker-network.ts'
import { passage, type Flow, type Passage } from './passage.ts'
import { remediesFor, type Remedy } from './remedy.ts'
import type { RuleSet } from './rule-set.ts'
import { isKeptApart, namedIn } from './rule-words.ts'

/** An address elsewhere, and the link towards it. */
export interface Elsewhere {
  readonly address: Address
  readonly link: string
}

export interface Host {
  readonly rules: RuleSet
  readonly networks: readonly DockerNetwork[]
  /** Where the containers of all hosts are. */
  readonly pools: readonly Prefix[]
  /** Containers of other hosts: one for each way that leads to them. */
  readonly others: readonly Elsewhere[]
  /** Somebody who is in no pool, for each family that leads anywhere. */
  readonly outside: readonly Elsewhere[]
  readonly ownAddresses: readonly Address[]
}

export type Answer = Passage['answer'] | 'none'

/** One subnet of a network: a row of `linnet doctor docker`. */
export interface Reach {
  readonly network: string
  readonly subnet: string
  readonly family: Family
  readonly driver: string
  readonly bridge: string | undefined
  readonly internal: boolean
  /** In one of the pools: what is in the way of such a one is a problem. */
  readonly pooled: boolean
  /** `none`: nothing to ask about. */
  readonly fromOtherHosts: Answer
  readonly toOtherHosts: Answer
  readonly fromOutside: Answer
  readonly toOutside: Answer
}

/** Something in the way of a flow from pool to pool. */
export interface Obstacle {
  readonly network: string
  readonly subnet: string
  readonly direction: 'fromOtherHosts' | 'toOtherHosts'
  readonly passage: Passage
  /** Undefined: none that we know would help. */
  readonly remedy: Remedy | undefined
}

/** A network whose containers keep their source, because a rule says so. */
export interface Keeper {
  readonly network: string
  readonly passage: Passage
}

/** A container behind a bridge of this host, one for each subnet. */
export interface Local {
  readonly network: string
  readonly bridge: string
  readonly address: Address
}

export interface Reached {
  readonly rows: readonly Reach[]
  readonly obstacles: readonly Obstacle[]
  readonly keepers: readonly Keeper[]
  readonly locals: readonly Local[]
}

/** More would tell nothing new. */
const CONTAINERS_ASKED = 16
const MOST_OBSTACLES = 8

export function reachOf(host: Host): Reached {
  const rows: Reach[] = []
  const obstacles: Obstacle[] = []
  const keepers: Keeper[] = []
  const locals: Local[] = []
  const named = namedIn(host.rules)
  for (const network of host.networks) {
    for (const subnet of network.subnets) {
      const here = new Subnet(host, network, subnet, named)
      rows.push(here.row())
      if (!here.isJudged) continue
      obstacles.push(...here.obstacles())
      keepers.push(...here.keepers())
      locals.push(...here.locals())
    }
  }
  return { rows, obstacles, keepers, locals }
}

class Subnet {
  readonly #host: Host
  readonly #network: DockerNetwork
  readonly #subnet: Prefix
  readonly #named: readonly Address[]
  readonly #own: ReadonlySet<string>

  constructor(host: Host, network: DockerNetwork, subnet: Prefix, named: readonly Address[]) {
    this.#host = host
    this.#network = network
    this.#subnet = subnet
    this.#named = named
    this.#own = new Set(host.ownAddresses.map(({ text }) => text))
  }

  get #pooled(): boolean {
    return this.#host.pools.some((pool) => covers(pool, this.#subnet))
  }

  /** What goes to and from it should pass. */
  get isJudged(): boolean {
    return this.#pooled && !this.#internal && this.#network.bridge !== undefined
  }

  /** Made so, or known by its rules to be. */
  get #internal(): boolean {
    const { internal, bridge } = this.#network
    return internal || (bridge !== undefined && isKeptApart(this.#host.rules, bridge, this.#subnet))
  }

  row(): Reach {
    const { name, driver, bridge } = this.#network
    const { others, outside } = this.#host
    const asked = (elsewhere: readonly Elsewhere[], way: 'in' | 'out'): Answer =>
      worstOf(this.#flows(elsewhere, way).map((flow) => this.#pass(this.#host.rules, flow).answer))
    return {
      network: name,
      subnet: this.#subnet.text,
      family: this.#subnet.family,
      driver,
      bridge,
      internal: this.#internal,
      pooled: this.#pooled,
      fromOtherHosts: this.#pooled ? asked(others, 'in') : 'none',
      toOtherHosts: this.#pooled ? asked(others, 'out') : 'none',
      fromOutside: asked(outside, 'in'),
      toOutside: asked(outside, 'out'),
    }
  }

  locals(): Local[] {
    const [address] = this.#containers()
    const { name: network, bridge } = this.#network
    return address === undefined || bridge === undefined ? [] : [{ network, bridge, address }]
  }

  keepers(): Keeper[] {
    const [flow] = this.#flows(this.#host.others, 'out')
    if (flow === undefined) return []
    const it = this.#pass(this.#host.rules, flow)
    const isKept = it.answer === 'yes' && it.by !== undefined
    return isKept ? [{ network: this.#network.name, passage: it }] : []
  }

  obstacles(): Obstacle[] {
    let { rules } = this.#host
    const obstacles: Obstacle[] = []
    for (const way of ['in', 'out'] as const) {
      for (const flow of this.#flows(this.#host.others, way)) {
        for (let i = 0; i < MOST_OBSTACLES; i++) {
          const tried = this.#pass(rules, flow)
          if (tried.answer === 'yes') break
          const link = way === 'in' ? flow.input : flow.output
          const remedy = this.#firstThatHelps(rules, flow, tried, link)
          obstacles.push({
            network: this.#network.name,
            subnet: this.#subnet.text,
            direction: way === 'in' ? 'fromOtherHosts' : 'toOtherHosts',
            passage: tried,
            remedy,
          })
          if (remedy === undefined) break
          rules = remedy.apply(rules)
        }
      }
    }
    return obstacles
  }

  #firstThatHelps(rules: RuleSet, flow: Flow, tried: Passage, link: string): Remedy | undefined {
    const pools = this.#host.pools.filter(({ family }) => family === this.#subnet.family)
    return remediesFor(tried, tried.answer === 'hidden' ? this.#host.pools : pools, link).find(
      (it) => isBetter(tried, this.#pass(it.apply(rules), flow)),
    )
  }

  #pass(rules: RuleSet, flow: Flow): Passage {
    const hiddenAs = this.#host.ownAddresses.find(({ family }) => family === this.#subnet.family)
    return passage(rules, flow, this.#own, hiddenAs)
  }

  #flows(elsewhere: readonly Elsewhere[], way: 'in' | 'out'): Flow[] {
    const { bridge } = this.#network
    if (bridge === undefined) return []
    const { family } = this.#subnet
    return elsewhere
      .filter(({ address }) => address.family === family)
      .flatMap(({ address, link }) =>
        this.#containers().map((container) =>
          way === 'in'
            ? { from: address, to: container, input: link, output: bridge }
            : { from: container, to: address, input: bridge, output: link },
        ),
      )
  }

  /** Without a container: one that a rule speaks of, else an address that one could have. */
  #containers(): readonly Address[] {
    const inside = (all: readonly Address[]): Address[] =>
      all.filter((it) => contains(this.#subnet, it)).slice(0, CONTAINERS_ASKED)
    const known = inside(this.#network.containers.flatMap(({ addresses }) => addresses))
    if (known.length > 0) return known
    const named = inside(this.#named)
    if (named.length > 0) return named
    const free = addressIn(this.#subnet, (it) => this.#own.has(it.text))
    return free === undefined ? [] : [free]
  }
}

/** Another packet, another rule, or another end. */
function isBetter(before: Passage, after: Passage): boolean {
  if (after.answer === 'yes') return true
  return (
    after.answer !== before.answer ||
    after.leg !== before.leg ||
    after.by?.hook !== before.by?.hook ||
    after.by?.base !== before.by?.base
  )
}

const WORST_FIRST = ['no', 'unclear', 'hidden', 'yes'] as const

const worstOf = (answers: readonly Passage['answer'][]): Answer =>
  WORST_FIRST.find((it) => answers.includes(it)) ?? 'none'

/** Whether other hosts may have containers at `address`: in a pool, and not in a network of this host. */
export const isElsewhere = (
  address: Address,
  pools: readonly Prefix[],
  networks: readonly DockerNetwork[],
): boolean =>
  pools.some((pool) => contains(pool, address)) &&
  !networks.some(({ subnets }) => subnets.some((it) => covers(it, hostPrefix(address))))

/** An address of another host's container for each family of pools. */
export function othersIn(
  pools: readonly Prefix[],
  networks: readonly DockerNetwork[],
): readonly Address[] {
  return FAMILIES.flatMap(({ name }) => {
    const inFamily = pools.filter(({ family }) => family === name)
    for (const pool of inFamily) {
      const found = addressIn(pool, (it) => !isElsewhere(it, pools, networks))
      if (found !== undefined) return [found]
    }
    return []
  })
}
