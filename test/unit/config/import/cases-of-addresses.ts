/* oxlint-disable unicorn/no-thenable -- the word of the configuration */
/** IPPool, Node and BlockAffinity: each setting, what becomes of it, and what is told. */
import { block, manifest, node, peer, pool, type Case } from './cluster.ts'

const ADDRESSES = 'it says which addresses workloads get; linnet gives out none; '
const ELSE = 'see that the network has routes for the pool'
const LEAVE = 'leave it to whoever gives addresses to containers'
const tor = { peerIP: '10.0.1.1', asNumber: 65001 }
const written = (...more: readonly Readonly<Record<string, unknown>>[]) => ({
  peers: more.map((it) => ({ name: 'tor-a', address: '10.0.1.1', asn: 65001, ...it })),
})
const own = { ipv4Address: '10.0.1.11/24', ipv6Address: 'fd00::11/64' }

export const ADDRESS_CASES: readonly Case[] = [
  {
    of: 'IPPool.cidr',
    change: [pool('pool', { cidr: '10.244.0.0/16' }), pool('six', { cidr: 'fd00:10::/64' })],
    written: {
      policies: {
        'calico-export': [
          { match: { prefix: ['10.244.7.0/26'] }, then: 'accept' },
          { match: { prefix: ['10.244.7.0/26 longer'] }, then: 'reject' },
          {
            match: { prefix: ['10.244.0.0/16 orlonger', 'fd00:10::/64 orlonger'] },
            then: 'accept',
          },
        ],
      },
    },
  },
  {
    of: 'IPPool.ipipMode',
    change: [pool('pool', { cidr: '10.244.0.0/16', ipipMode: 'CrossSubnet' })],
    written: { overlay: { mode: 'ipip', when: 'crossSubnet', prefixes: ['10.244.0.0/16'] } },
  },
  {
    of: 'IPPool.vxlanMode',
    change: [pool('pool', { cidr: '10.244.0.0/16', vxlanMode: 'Always' })],
    written: {
      overlay: {
        mode: 'vxlan',
        when: 'always',
        prefixes: ['10.244.0.0/16'],
        vxlan: { vni: 4096, gpe: false },
      },
    },
  },
  {
    of: ['IPPool.ipipMode', 'IPPool.vxlanMode'],
    to: 'of pools that differ',
    change: [
      pool('pool', { cidr: '10.244.0.0/16', ipipMode: 'CrossSubnet' }),
      pool('q', { cidr: '10.245.0.0/16', ipipMode: 'Always' }),
      pool('r', { cidr: '10.246.0.0/16', vxlanMode: 'Always' }),
      pool('six', { cidr: 'fd00:10::/64', vxlanMode: 'Always' }),
    ],
    written: {
      overlay: { mode: 'ipip', when: 'always', prefixes: ['10.244.0.0/16', '10.245.0.0/16'] },
    },
    told: [
      'IPPool pool spec.ipipMode: linnet wraps always, or never within a subnet, for all pools; it is always, as another one asks; nothing is to be done, or write the same for all',
      `IPPool r spec.vxlanMode: linnet has one overlay, and it is that of IPPool pool; ${ELSE}`,
      `IPPool six spec.vxlanMode: the overlay carries IPv4 only; ${ELSE}`,
    ],
  },
  {
    of: 'IPPool.disableBGPExport',
    change: [pool('inside', { cidr: '10.244.128.0/17', disableBGPExport: true })],
    written: {
      policies: {
        'calico-export': [
          { match: { prefix: ['10.244.128.0/17 orlonger'] }, then: 'reject' },
          { match: { prefix: ['10.244.7.0/26'] }, then: 'accept' },
          { match: { prefix: ['10.244.7.0/26 longer'] }, then: 'reject' },
          { match: { prefix: ['10.244.0.0/16 orlonger'] }, then: 'accept' },
        ],
      },
    },
  },
  ...(
    [
      [
        'natOutgoing',
        true,
        'linnet masquerades nothing; keep a rule that masquerades what leaves the pools; nat: { pools: [...] } keeps the addresses of what goes from one to another',
      ],
      ['disabled', true, `${ADDRESSES}nothing is to be done: its routes are still announced`],
      ['blockSize', 28, ADDRESSES + LEAVE],
      ['nodeSelector', 'rack == "r1"', ADDRESSES + LEAVE],
      ['namespaceSelector', 'team == "a"', ADDRESSES + LEAVE],
      ['allowedUses', ['LoadBalancer'], ADDRESSES + LEAVE],
      ['assignmentMode', 'Manual', ADDRESSES + LEAVE],
    ] as const
  ).map(([field, value, told]) => ({
    of: `IPPool.${field}`,
    change: [pool('pool', { cidr: '10.244.0.0/16', [field]: value })],
    told: [`IPPool pool spec.${field}: ${told}`],
  })),
  {
    of: 'IPPool.blockSize',
    to: 'and others as they are by default',
    change: [
      pool('pool', {
        cidr: '10.244.0.0/16',
        ipipMode: 'Never',
        vxlanMode: 'Never',
        natOutgoing: false,
        disabled: false,
        blockSize: 26,
        nodeSelector: 'all()',
        allowedUses: ['Workload', 'Tunnel'],
        assignmentMode: 'Automatic',
      }),
    ],
  },
  {
    of: 'Node.bgp.asNumber',
    change: [node('node-1', { ...own, asNumber: 65101 })],
    written: { asn: 65101 },
  },
  {
    of: 'Node.bgp.ipv4Address',
    change: [node('node-1', { ipv4Address: '10.0.1.11' }), peer('tor-a', tor)],
    written: { routerId: '10.0.1.11', ...written({ localAddress: '10.0.1.11' }) },
  },
  {
    of: 'Node.bgp.ipv6Address',
    to: 'alone',
    change: [
      node('node-1', { ipv6Address: 'fd00::11/64' }),
      peer('tor-a', tor),
      peer('tor-b', { ...tor, peerIP: 'fd00::1' }),
    ],
    written: { peers: [{ name: 'tor-b', localAddress: 'fd00::11' }] },
    told: [
      'Node node-1 spec.bgp: the Node has no IPv4 address to be its router id; add routerId, as CALICO_ROUTER_ID has it',
      'BGPPeer tor-a: node-1 has no IPv4 address, so Calico has no session with 10.0.1.1; add bgp.ipv4Address to the Node',
    ],
  },
  {
    of: 'Node.bgp.routeReflectorClusterID',
    change: [
      node('node-1', { ...own, routeReflectorClusterID: '10.0.1.11' }),
      peer('clients', { nodeSelector: 'all()', peerSelector: 'all()' }),
      peer('tor-a', tor),
    ],
    written: {
      clusterId: '10.0.1.11',
      peers: [
        { name: 'tor-a', asn: 65001 },
        { name: 'clients', address: '10.0.1.12', routeReflectorClient: true },
      ],
    },
  },
  {
    of: 'Node.bgp.ipv4IPIPTunnelAddr',
    change: [node('node-1', { ...own, ipv4IPIPTunnelAddr: '10.244.7.1' })],
  },
  ...(
    [
      [
        'wireguard',
        { interfaceIPv4Address: '10.244.7.3' },
        'linnet has no WireGuard; keep whatever encrypts between the hosts; packets go in clear without it',
      ],
    ] as const
  ).map(([field, value, told]) => ({
    of: `Node.${field}`,
    change: [manifest('Node', 'node-1', { bgp: own, [field]: value })],
    told: [`Node node-1 spec.${field}: ${told}`],
  })),
  ...(
    [
      ['ipv4VXLANTunnelAddr', '10.244.7.2'],
      ['ipv6VXLANTunnelAddr', 'fd00:10::2'],
      ['vxlanTunnelMACAddr', '66:2a:8c:00:00:01'],
      ['vxlanTunnelMACAddrV6', '66:2a:8c:00:00:02'],
    ] as const
  ).map(([field, value]) => ({
    of: `Node.${field}`,
    change: [manifest('Node', 'node-1', { bgp: own, [field]: value })],
  })),
  {
    of: ['Node.addresses', 'Node.orchRefs'],
    change: [
      manifest('Node', 'node-1', {
        bgp: own,
        addresses: [{ address: '10.0.1.11' }],
        orchRefs: [{ nodeName: 'node-1', orchestrator: 'k8s' }],
      }),
    ],
  },
  {
    of: ['BlockAffinity.cidr', 'BlockAffinity.node', 'BlockAffinity.state', 'BlockAffinity.type'],
    change: [
      block('single', { cidr: '10.244.9.1/32', deleted: 'false', type: 'host' }),
      block('theirs', { cidr: '10.244.8.0/26', node: 'node-2' }),
      block('coming', { cidr: '10.244.10.0/26', state: 'pending' }),
    ],
    written: {
      advertise: {
        prefixes: [{ prefix: '10.244.7.0/26', blackhole: true }, { prefix: '10.244.9.1/32' }],
      },
      kernel: { withinOwn: 'accept' },
      policies: {
        'calico-export': [
          { match: { prefix: ['10.244.7.0/26', '10.244.9.1/32'] }, then: 'accept' },
          { match: { prefix: ['10.244.7.0/26 longer'] }, then: 'reject' },
          { match: { prefix: ['10.244.0.0/16 orlonger'] }, then: 'accept' },
        ],
      },
    },
    told: [
      'BlockAffinity coming spec.state: the block is pending, not confirmed, and is left out; import anew once it is confirmed',
    ],
  },
  {
    of: 'BlockAffinity.deleted',
    change: [block('block', { cidr: '10.244.7.0/26', deleted: 'true' })],
    told: [
      'BlockAffinity block spec.deleted: the block is being given up; nothing is to be done',
      'BlockAffinity: there is none of node-1, so nothing of its own is announced; add them: kubectl get blockaffinities.crd.projectcalico.org -o yaml; or add advertise.interfaces',
    ],
  },
]
