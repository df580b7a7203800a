/**
 * Four ways to break a lab on purpose, as steps of a plan: a proof that can't fail proves nothing.
 * Each spoils the first pair of containers (and maybe more) and must be found out by its own fault.
 */
import type { Step } from './plan.ts'
import { containerNamed, nodeNamed, type Lab, type LabContainer } from './topology.ts'
import type { Fault } from './verdict.ts'

export const SABOTAGES = ['nat', 'encap', 'blackhole', 'ttl'] as const
export type Sabotage = (typeof SABOTAGES)[number]

/** What the proof must say. */
export const FAULT_OF: Readonly<Record<Sabotage, Fault>> = {
  nat: 'nat',
  encap: 'encapsulation',
  blackhole: 'unanswered',
  ttl: 'ttl',
}

export interface SabotagePlan {
  /** For people: `host1 hides its containers behind its own address (masquerade)`. */
  readonly deed: string
  readonly steps: readonly Step[]
}

export function planSabotage(lab: Lab, sabotage: Sabotage): SabotagePlan {
  const [names] = lab.proof.pairs
  if (names === undefined) throw new RangeError('the lab has no pair of containers to spoil')
  const [a, b] = names.map((name) => containerNamed(lab, name))
  return PLANS[sabotage](lab, a, b)
}

type Plan = (lab: Lab, a: LabContainer, b: LabContainer) => SabotagePlan

const PLANS: Readonly<Record<Sabotage, Plan>> = {
  /** What Docker does by default. */
  nat(lab, a) {
    const { prefix } = bridgeOf(lab, a)
    const rule = `ip saddr ${prefix} oifname != "${a.bridge}" masquerade`
    const rules = table(`type nat hook postrouting priority srcnat; ${rule}`)
    return {
      deed: `${a.node} hides its containers behind its own address (masquerade)`,
      steps: [{ do: 'nft', nodes: [], within: a.node, rules }],
    }
  },

  /** What overlay networks do. */
  encap(lab, a, b) {
    return {
      deed: `${a.node} and ${b.node} wrap what ${a.name} and ${b.name} say in VXLAN`,
      steps: [...tunnel(lab, a, b, 1), ...tunnel(lab, b, a, 2)],
    }
  },

  blackhole(lab, a, b) {
    const { prefix } = bridgeOf(lab, b)
    return {
      deed: `${a.node} drops what is for ${prefix} (blackhole route)`,
      steps: [ip(a.node, `route add blackhole ${prefix} metric 1`)],
    }
  },

  /** A router that pretends that it isn't there. */
  ttl(_lab, _a, b) {
    const rules = table(
      `type filter hook forward priority filter; ip daddr ${b.address} ip ttl set 64`,
    )
    return {
      deed: `${b.node} sets the TTL of what it forwards to ${b.name} back to 64`,
      steps: [{ do: 'nft', nodes: [], within: b.node, rules }],
    }
  },
}

const ip = (within: string, args: string): Step => ({ do: 'ip', nodes: [], within, args })

const table = (chain: string): string => `table ip sabotage {\n chain it {\n  ${chain}\n }\n}\n`

function bridgeOf(lab: Lab, { node, bridge }: LabContainer): { address: string; prefix: string } {
  const found = nodeNamed(lab, node).bridges.find((it) => it.name === bridge)
  if (found === undefined) throw new RangeError(`no bridge ${bridge} on ${node}`)
  return found
}

/** From `here`'s host to `there`'s, between the addresses of their bridges. */
function tunnel(lab: Lab, here: LabContainer, there: LabContainer, end: 1 | 2): Step[] {
  const ends = `local ${bridgeOf(lab, here).address} remote ${bridgeOf(lab, there).address}`
  return [
    ip(here.node, `link add wrap type vxlan id 99 ${ends} dstport 4789`),
    ip(here.node, `addr add 192.0.2.${end}/30 dev wrap`),
    ip(here.node, 'link set wrap up'),
    ip(here.node, `route add ${there.address}/32 via 192.0.2.${3 - end} dev wrap metric 1`),
  ]
}
