/**
 * Configurations that nobody should have to write: a router's, made from the lab's links.
 *
 * One description (who I am, whom I speak with, what is mine) and a printer per daemon. A node without
 * bridges is a top-of-rack router: it takes all and passes all on. One with bridges announces only
 * their networks, so that no host becomes a way from one ToR to another.
 */
import type { Lab, LabNode } from './topology.ts'

export interface Neighbor {
  readonly name: string
  readonly address: string
  /** Undefined where only the neighbour itself knows it. */
  readonly asn: number | undefined
}

export interface Speaker {
  readonly name: string
  readonly asn: number
  readonly routerId: string
  readonly neighbors: readonly Neighbor[]
  readonly own: readonly { readonly bridge: string; readonly prefix: string }[]
}

/** What a node without a configuration shall do. */
export function speakerOf(lab: Lab, node: LabNode): Speaker {
  const neighbors: Neighbor[] = []
  for (const ours of node.interfaces) {
    for (const end of lab.links[ours.link]?.ends ?? []) {
      const other = lab.nodes.find((it) => it.name === end.node)
      const theirs = other?.interfaces.find((it) => it.name === end.interface)
      if (other === undefined || theirs === undefined) continue
      if (other.name === node.name || other.kind === 'host') continue
      const again = neighbors.filter((it) => it.name.split('-link')[0] === other.name).length
      const name = again === 0 ? other.name : `${other.name}-link${again + 1}`
      neighbors.push({ name, address: theirs.address, asn: other.asn })
    }
  }
  return {
    name: node.name,
    asn: node.asn ?? 0,
    routerId: node.routerId ?? node.interfaces[0]?.address ?? '10.255.255.1',
    neighbors,
    own: node.bridges.map(({ name, prefix }) => ({ bridge: name, prefix })),
  }
}

export function linnetConfig(speaker: Speaker): Record<string, unknown> {
  const { asn, routerId, own } = speaker
  const exported = own.length === 0 ? 'accept' : 'local'
  return {
    asn,
    routerId,
    peers: speaker.neighbors.map((it) => ({
      name: it.name,
      address: it.address,
      asn: it.asn ?? 'external',
      connectRetry: '1s',
      import: 'accept',
      export: exported,
    })),
    ...(own.length === 0 ? {} : { advertise: { interfaces: own.map((it) => it.bridge) } }),
  }
}

export function frrConfig(speaker: Speaker): string {
  const { asn, routerId, neighbors, own } = speaker
  const lines = [
    `hostname ${speaker.name}`,
    ...own.map(({ prefix }) => `ip prefix-list own permit ${prefix}`),
    `router bgp ${asn}`,
    ` bgp router-id ${routerId}`,
    // Or the first announcements of a session are held back, by up to ten seconds.
    ' coalesce-time 50',
    // A killed daemon's routes leave the kernel with it: nobody shall wait for its return. It waits for others.
    ' bgp graceful-restart-helper',
    ' no bgp ebgp-requires-policy',
    ' no bgp network import-check',
    ' bgp bestpath as-path multipath-relax',
    ...neighbors.flatMap(({ name, address, asn: theirs }) => [
      ` neighbor ${address} remote-as ${theirs ?? 'external'}`,
      ` neighbor ${address} description ${name}`,
      ` neighbor ${address} timers connect 1`,
      ` neighbor ${address} advertisement-interval 0`,
    ]),
    ' address-family ipv4 unicast',
    '  maximum-paths 16',
    '  maximum-paths ibgp 16',
    ...own.map(({ prefix }) => `  network ${prefix}`),
    ...(own.length === 0
      ? []
      : neighbors.map(({ address }) => `  neighbor ${address} prefix-list own out`)),
    ' exit-address-family',
  ]
  return lines.join('\n') + '\n'
}

export function birdConfig(speaker: Speaker): string {
  const { asn, routerId, neighbors, own } = speaker
  const bridges = own.map(({ bridge }) => `"${bridge}"`).join(', ')
  const lines = [
    'log stderr all;',
    `router id ${routerId};`,
    'protocol device { scan time 1; }',
    ...(own.length === 0 ? [] : [`protocol direct own { ipv4; interface ${bridges}; }`]),
    'protocol kernel {',
    '  merge paths on limit 16;',
    '  ipv4 { import none; export where source = RTS_BGP; };',
    '}',
    'template bgp neighbor_of_mine {',
    `  local as ${asn};`,
    '  graceful restart aware;',
    '  connect delay time 1; connect retry time 1; error wait time 1, 4;',
    `  ipv4 { import all; export ${own.length === 0 ? 'all' : 'where source = RTS_DEVICE'}; };`,
    '}',
    ...neighbors.map(({ name, address, asn: theirs }) => {
      const remote = theirs === undefined ? `${address} external` : `${address} as ${theirs}`
      return `protocol bgp ${name.replaceAll('-', '_')} from neighbor_of_mine { neighbor ${remote}; }`
    }),
  ]
  return lines.join('\n') + '\n'
}
