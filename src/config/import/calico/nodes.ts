/** What Calico knows of its Nodes, each as the others see it; and which of them the configuration is for. */
import type { Address } from '../../../net/address.ts'
import { FAMILIES, type Family } from '../../../net/family.ts'
import { ANNOTATIONS } from './kinds.ts'
import type { Labels } from './selector.ts'
import type { Resource, Resources } from './resources.ts'

/** Calico's own, where nothing is said. */
const DEFAULT_ASN = 64512
const DEFAULT_PORT = 179

export interface CalicoNode {
  readonly name: string
  readonly labels: Labels
  readonly asn: number
  /** Where the node accepts sessions. */
  readonly port: number
  readonly addresses: { readonly [F in Family]?: Address | undefined }
  /** Of a route reflector. */
  readonly clusterId: string | undefined
  readonly resource: Resource<'Node'>
}

/** The settings of all nodes, and those of one: BGPConfiguration `default` and `node.NAME`. */
export function configurationOf(
  resources: Resources,
  name: string,
): Resource<'BGPConfiguration'> | undefined {
  return resources.BGPConfiguration.find((it) => it.name === name)
}

export const clusterAsn = (resources: Resources): number =>
  configurationOf(resources, 'default')?.spec.asNumber ?? DEFAULT_ASN

export function nodesOf(resources: Resources): CalicoNode[] {
  const common = configurationOf(resources, 'default')?.spec
  return resources.Node.map((resource) => {
    const { name, labels, annotations, spec } = resource
    const bgp = spec.bgp ?? {}
    const cluster = bgp.routeReflectorClusterID ?? annotations[ANNOTATIONS.routeReflectorClusterID]
    const own = configurationOf(resources, `node.${name}`)?.spec
    return {
      name,
      labels,
      asn: bgp.asNumber ?? annotations[ANNOTATIONS.asNumber] ?? clusterAsn(resources),
      port: own?.listenPort ?? common?.listenPort ?? DEFAULT_PORT,
      addresses: {
        ipv4: bgp.ipv4Address ?? annotations[ANNOTATIONS.ipv4Address],
        ipv6: bgp.ipv6Address ?? annotations[ANNOTATIONS.ipv6Address],
      },
      clusterId: cluster === '' ? undefined : cluster?.text,
      resource,
    }
  })
}

/** The addresses of a node with their families, IPv4 first. */
export const addressesOf = (node: CalicoNode): Address[] =>
  FAMILIES.map(({ name }) => node.addresses[name]).filter((it) => it !== undefined)

/** Two nodes with one address are no cluster. */
export function refuseSameAddresses(nodes: readonly CalicoNode[]): void {
  const owners = new Map<string, CalicoNode>()
  for (const node of nodes) {
    for (const { text, family } of addressesOf(node)) {
      const owner = owners.get(text)
      owners.set(text, node)
      if (owner === undefined) continue
      const { path, complaints } = node.resource
      const message = `${text} is an address of ${owner.name} too`
      complaints.error([...path, 'spec', 'bgp', `${family}Address`], message, 'write its own')
    }
  }
}
