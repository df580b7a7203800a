/** IPPool, Node and BlockAffinity: rows of settings.ts. */
import type { Setting } from './setting.ts'

const ADDRESSES = 'it says which addresses workloads get; linnet gives out none'
const INSTEAD = 'leave it to whoever gives addresses to containers'

export const IP_POOL: readonly Setting[] = [
  {
    field: 'cidr',
    example: '10.244.0.0/16',
    becomes: 'accepted by `calico-export`, with all that is inside',
  },
  {
    field: 'disableBGPExport',
    example: true,
    becomes: 'rejected by `calico-export`',
  },
  {
    field: 'ipipMode',
    example: 'CrossSubnet',
    becomes:
      '`overlay` with `mode: ipip`; `when: crossSubnet` asks whether the next hop is on a link of the host',
  },
  {
    field: 'vxlanMode',
    example: 'Always',
    becomes: '`overlay` with `mode: vxlan` and Ethernet inside, likewise',
  },
  {
    field: 'natOutgoing',
    example: true,
    told: {
      why: 'linnet masquerades nothing',
      instead:
        'keep a rule that masquerades what leaves the pools; nat: { pools: [...] } keeps the addresses of what goes from one to another',
    },
  },
  {
    field: 'disabled',
    example: true,
    told: { why: ADDRESSES, instead: 'nothing is to be done: its routes are still announced' },
  },
  {
    field: 'blockSize',
    example: 28,
    told: { why: ADDRESSES, instead: INSTEAD, except: [26, 122] },
  },
  {
    field: 'nodeSelector',
    example: 'rack == "r1"',
    told: { why: ADDRESSES, instead: INSTEAD, except: ['all()'] },
  },
  {
    field: 'namespaceSelector',
    example: 'team == "a"',
    told: { why: ADDRESSES, instead: INSTEAD, except: ['all()'] },
  },
  {
    field: 'allowedUses',
    example: ['LoadBalancer'],
    told: {
      why: ADDRESSES,
      instead: INSTEAD,
      except: [
        ['Workload', 'Tunnel'],
        ['Tunnel', 'Workload'],
      ],
    },
  },
  {
    field: 'assignmentMode',
    example: 'Manual',
    told: { why: ADDRESSES, instead: INSTEAD, except: ['Automatic'] },
  },
]

const TUNNEL = "it belongs to Calico's tunnel device; linnet's has no address"

export const NODE: readonly Setting[] = [
  {
    field: 'bgp.asNumber',
    example: 65101,
    becomes: '`asn` of the host; `asn` of its peers and mesh nodes',
  },
  {
    field: 'bgp.ipv4Address',
    example: '10.0.1.11/24',
    becomes: '`routerId`, `localAddress`; `address` of its peers and mesh nodes',
  },
  {
    field: 'bgp.ipv6Address',
    example: 'fd00::11/64',
    becomes: 'the same for IPv6 sessions',
  },
  {
    field: 'bgp.routeReflectorClusterID',
    example: '10.0.1.11',
    becomes:
      '`clusterId`, and `routeReflectorClient` of internal peers that have no cluster id, or another',
  },
  { field: 'bgp.ipv4IPIPTunnelAddr', example: '10.244.7.1', nothing: TUNNEL },
  { field: 'ipv4VXLANTunnelAddr', example: '10.244.7.2', nothing: TUNNEL },
  { field: 'ipv6VXLANTunnelAddr', example: 'fd00:10::2', nothing: TUNNEL },
  { field: 'vxlanTunnelMACAddr', example: '66:2a:8c:00:00:01', nothing: TUNNEL },
  { field: 'vxlanTunnelMACAddrV6', example: '66:2a:8c:00:00:02', nothing: TUNNEL },
  {
    field: 'wireguard',
    example: { interfaceIPv4Address: '10.244.7.3' },
    told: {
      why: 'linnet has no WireGuard',
      instead: 'keep whatever encrypts between the hosts; packets go in clear without it',
    },
  },
  {
    field: 'addresses',
    example: [{ address: '10.0.1.11' }],
    nothing: 'known addresses of the host; sessions use those of `bgp`',
  },
  {
    field: 'orchRefs',
    example: [{ nodeName: 'node-1', orchestrator: 'k8s' }],
    nothing: 'names of the host elsewhere',
  },
]

export const BLOCK_AFFINITY: readonly Setting[] = [
  {
    field: 'cidr',
    example: '10.244.7.0/26',
    becomes:
      '`advertise.prefixes` with `blackhole: true` (a single address without it); `calico-export` keeps back what is inside',
  },
  { field: 'node', example: 'node-1', becomes: 'a block of that host only' },
  {
    field: 'state',
    example: 'confirmed',
    becomes: 'blocks that are not `confirmed` are told, and left out',
  },
  { field: 'deleted', example: 'false', becomes: 'a block that is being given up is left out' },
  { field: 'type', example: 'host', nothing: 'who the block belongs to; `node` says it' },
]
