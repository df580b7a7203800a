/**
 * `nat`: sources are kept by our own table (source-keeping.ts), and what else is in the way between containers is told
 * (passage-watch.ts), as far as the daemon knows of them: the bridges that it announces, and the links that it
 * forwards over.
 */
import type { NatConfig } from '../config/config.ts'
import { readFirewall } from '../linux/firewall-rules.ts'
import { nftables } from '../linux/nftables.ts'
import { diagnose } from '../nat/docker-findings.ts'
import type { Finding } from '../nat/finding.ts'
import type { DockerNetwork } from '../nat/docker-network.ts'
import { othersIn } from '../nat/docker-reach.ts'
import type { Clock } from '../net/clock.ts'
import type { Prefix } from '../net/prefix.ts'
import type { HostView } from '../sources/source.ts'
import type { Events } from './events.ts'
import { PassageWatch } from './passage-watch.ts'
import { SourceKeeping } from './source-keeping.ts'
import type { Speaker } from './speaker.ts'

export class Nat {
  readonly #speaker: Speaker
  readonly #host: HostView
  readonly #keeping: SourceKeeping
  readonly #watch: PassageWatch

  constructor(speaker: Speaker, host: HostView, events: Events, clock: Clock) {
    this.#speaker = speaker
    this.#host = host
    this.#keeping = new SourceKeeping(nftables, events, clock)
    this.#watch = new PassageWatch((pools) => this.#examine(pools), events, clock)
  }

  /** What is not as it should be, with the remedy. */
  get problems(): readonly string[] {
    const { problem } = this.#keeping
    return problem === undefined ? this.#watch.problems : [problem, ...this.#watch.problems]
  }

  /** Resolves when the rules are as they shall be, or it is told why not. */
  async configure(nat: NatConfig | undefined): Promise<void> {
    await this.#keeping.configure(nat)
    this.#watch.configure(nat)
  }

  /** Looks no more; with `remove`, our rules go. */
  close(remove: boolean): Promise<void> {
    this.#watch.close()
    return this.#keeping.close(remove)
  }

  async #examine(pools: readonly Prefix[]): Promise<readonly Finding[] | undefined> {
    const networks = this.#networks()
    const links = this.#uplinks()
    if (networks.length === 0 || links.length === 0) return undefined
    const others = othersIn(pools, networks).flatMap((address) =>
      links.map((link) => ({ address, link })),
    )
    const ownAddresses = [...this.#host.addresses()].map(({ address }) => address)
    const rules = await readFirewall()
    const host = { rules, networks, pools, others, outside: [], ownAddresses }
    return diagnose(host, { sysctl: () => undefined, learned: [], connected: [] }).findings
  }

  /** Bridges whose prefixes are announced. */
  #networks(): DockerNetwork[] {
    const bridges = new Set(
      [...this.#host.links()].filter(({ kind }) => kind === 'bridge').map(({ name }) => name),
    )
    return [...this.#speaker.ownPrefixes.records()].flatMap(({ sourced }): DockerNetwork[] => {
      const { interface: bridge, network, container, prefix } = sourced
      if (bridge === undefined || container !== undefined || !bridges.has(bridge)) return []
      const name = network ?? bridge
      const subnets = [prefix]
      return [{ name, driver: 'bridge', bridge, internal: false, subnets, containers: [] }]
    })
  }

  /** The links that packets leave by to where others are. */
  #uplinks(): string[] {
    const names = new Map([...this.#host.links()].map(({ index, name }) => [index, name]))
    const used = new Set<number>()
    for (const { target } of this.#speaker.forwarding?.targets ?? []) {
      if (target.kind === 'gateways') for (const { link } of target.hops) used.add(link)
    }
    return [...used].flatMap((index) => names.get(index) ?? [])
  }
}
