/**
 * A lab as the rest of this room uses it: every name resolved, every address parsed once, and nothing
 * left that could be a typing error. check.ts makes it from the document or complains.
 */
import type { Expectation } from './schema.ts'

export type DaemonKind = 'linnet' | 'frr' | 'bird'

export interface LabInterface {
  readonly name: string
  /** `10.0.1.2` and its length. */
  readonly address: string
  readonly length: number
  /** Index into `Lab.links`. */
  readonly link: number
}

export interface LabBridge {
  readonly name: string
  readonly address: string
  readonly length: number
  /** `172.18.1.0/24`. */
  readonly prefix: string
}

export interface LabContainer {
  /** `host1.c1`: also the name of its namespace. */
  readonly name: string
  readonly node: string
  readonly bridge: string
  readonly address: string
  readonly length: number
  /** The address of its bridge. */
  readonly gateway: string
  /** Addresses that containers of other hosts have too. */
  readonly anycast: readonly string[]
}

export interface LabNode {
  readonly name: string
  readonly kind: DaemonKind | 'host'
  /** A top-of-rack router: `--tor` says what runs there. */
  readonly isTor: boolean
  /** What its containers are: plain namespaces, or a Docker engine's. */
  readonly runtime: 'namespaces' | 'docker'
  readonly asn: number | undefined
  readonly routerId: string | undefined
  /** linnet: its keys; frr, bird: their text; undefined: make one. */
  readonly config: Readonly<Record<string, unknown>> | string | undefined
  readonly interfaces: readonly LabInterface[]
  readonly bridges: readonly LabBridge[]
  readonly containers: readonly LabContainer[]
  /** Static routes: prefixes and gateways. */
  readonly routes: Readonly<Record<string, string>>
  /** Kernel settings, as keys and values. */
  readonly sysctls: Readonly<Record<string, string>>
}

export interface LabLink {
  readonly ends: readonly { readonly node: string; readonly interface: string }[]
}

/** Traffic that must reach all that share an address. */
export interface SpreadOrder {
  /** Name of a container. */
  readonly from: string
  readonly to: string
  /** Names of those that share it. */
  readonly over: readonly string[]
}

/** Packets that must be encapsulated. */
export interface WrappedOrder {
  readonly in: 'ipip' | 'vxlan' | 'vxlan-gpe'
  /** Hosts. */
  readonly between: 'all' | readonly (readonly [string, string])[]
}

export interface ProofOrder {
  /** Names of containers on different hosts. */
  readonly pairs: readonly (readonly [string, string])[]
  readonly fail: string | undefined
  readonly remove: string | undefined
  readonly restart: string | undefined
  readonly drain: string | undefined
  readonly spread: readonly SpreadOrder[]
  readonly wrapped: WrappedOrder | undefined
  readonly maxLossMs: number
}

export interface Lab {
  readonly name: string
  readonly file: string
  /** Seconds. */
  readonly within: number
  readonly nodes: readonly LabNode[]
  readonly links: readonly LabLink[]
  readonly expect: readonly Expectation[]
  readonly proof: ProofOrder
}

/** All containers, in the order of the file. */
export const containersIn = (lab: Lab): readonly LabContainer[] =>
  lab.nodes.flatMap((node) => node.containers)

export function nodeNamed(lab: Lab, name: string): LabNode {
  const node = lab.nodes.find((it) => it.name === name)
  if (node === undefined) throw new RangeError(`no node ${name} in lab ${lab.name}`)
  return node
}

export function containerNamed(lab: Lab, name: string): LabContainer {
  const container = containersIn(lab).find((it) => it.name === name)
  if (container === undefined) throw new RangeError(`no container ${name} in lab ${lab.name}`)
  return container
}

/** The node that owns an address, on a link or a bridge; undefined for strangers and containers. */
export function ownerOf(lab: Lab, address: string): string | undefined {
  const owns = (node: LabNode): boolean =>
    node.interfaces.some((it) => it.address === address) ||
    node.bridges.some((it) => it.address === address)
  return lab.nodes.find(owns)?.name
}
