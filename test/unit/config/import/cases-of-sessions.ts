/* oxlint-disable unicorn/no-thenable -- the word of the configuration */
/** BGPConfiguration and BGPPeer: each setting, what becomes of it, and what is told. */
import { configuration, filter, peer, type Case } from './cluster.ts'

const SERVICES =
  'linnet knows no Kubernetes services; add the ranges to advertise.prefixes if this host serves them'
const WORKLOADS =
  'linnet has no sessions with workloads by selector; add a peer with the address or the interface of each workload'
const SECRET =
  'the password stands in a Secret; write it into a file that only linnet may read, and add passwordFile to'
const tor = { peerIP: '10.0.1.1', asNumber: 65001 }
const written = (...more: readonly Readonly<Record<string, unknown>>[]) => ({
  peers: more.map((it) => ({ name: 'tor-a', address: '10.0.1.1', asn: 65001, ...it })),
})
const EVERYWHERE = [
  { address: '0.0.0.0', port: 1790 },
  { address: '::', port: 1790 },
]

export const SESSION_CASES: readonly Case[] = [
  {
    of: 'BGPConfiguration.asNumber',
    change: [configuration({ asNumber: 64513 })],
    written: { asn: 64513 },
  },
  {
    of: 'BGPConfiguration.asNumber',
    to: 'as text',
    change: [configuration({ asNumber: '1.10' })],
    written: { asn: 65546 },
  },
  {
    of: 'BGPConfiguration.nodeToNodeMeshEnabled',
    change: [configuration({ nodeToNodeMeshEnabled: true })],
    written: {
      peerGroups: {
        'calico-mesh': {
          families: ['ipv4'],
          localAddress: '10.0.1.11',
          import: 'accept',
          export: 'calico-export',
        },
      },
      mesh: {
        nodes: [
          { name: 'node-1', address: '10.0.1.11' },
          { name: 'node-2', address: '10.0.1.12' },
        ],
        group: 'calico-mesh',
      },
    },
  },
  {
    of: 'BGPConfiguration.nodeMeshMaxRestartTime',
    change: [configuration({ nodeToNodeMeshEnabled: true, nodeMeshMaxRestartTime: '2h' })],
    written: { peerGroups: { 'calico-mesh': { gracefulRestart: { restartTime: '4095s' } } } },
  },
  {
    of: 'BGPConfiguration.listenPort',
    change: [configuration({ nodeToNodeMeshEnabled: true, listenPort: 1790 })],
    written: { listen: EVERYWHERE, peerGroups: { 'calico-mesh': { port: 1790 } } },
  },
  {
    of: 'BGPConfiguration.listenPort',
    to: 'of one node',
    change: [
      configuration({ listenPort: 1791 }),
      configuration({ listenPort: 1790 }, 'node.node-1'),
    ],
    written: { listen: EVERYWHERE },
    told: [
      'BGPConfiguration node.node-1 spec.nodeToNodeMeshEnabled: Calico reads it in default alone; move it there',
    ],
  },
  {
    of: 'BGPConfiguration.bindMode',
    change: [configuration({ bindMode: 'NodeIP' })],
    written: {
      listen: [
        { address: '10.0.1.11', port: 179 },
        { address: 'fd00::11', port: 179 },
      ],
    },
  },
  {
    of: 'BGPConfiguration.logSeverityScreen',
    change: [configuration({ logSeverityScreen: 'Warning' })],
    written: { log: { level: 'warn' } },
  },
  {
    of: ['BGPConfiguration.communities', 'BGPConfiguration.prefixAdvertisements'],
    change: [
      configuration({
        communities: [
          { name: 'rack', value: '64512:7' },
          { name: 'spare', value: '64512:8' },
        ],
        prefixAdvertisements: [
          { cidr: '10.244.0.0/16', communities: ['rack', '64512:1:2', '64512:7'] },
        ],
      }),
    ],
    written: {
      policies: {
        'calico-export': [
          {
            match: { prefix: '10.244.0.0/16 orlonger' },
            set: { community: { add: ['64512:7'] }, largeCommunity: { add: ['64512:1:2'] } },
          },
          { match: { prefix: ['10.244.7.0/26'] }, then: 'accept' },
          { match: { prefix: ['10.244.7.0/26 longer'] }, then: 'reject' },
          { match: { prefix: ['10.244.0.0/16 orlonger'] }, then: 'accept' },
        ],
      },
    },
    told: [
      'BGPConfiguration default spec.communities[1]: no prefixAdvertisements name it; nothing is to be done',
    ],
  },
  ...(
    [
      ['serviceClusterIPs', [{ cidr: '10.96.0.0/12' }], SERVICES],
      ['serviceExternalIPs', [{ cidr: '192.0.2.0/28' }], SERVICES],
      ['serviceLoadBalancerIPs', [{ cidr: '192.0.2.32/28' }], SERVICES],
      ['serviceLoadBalancerAggregation', 'Disabled', SERVICES],
      [
        'nodeMeshPassword',
        { secretKeyRef: { name: 'bgp', key: 'mesh' } },
        `${SECRET} peerGroups.calico-mesh`,
      ],
      [
        'ignoredInterfaces',
        ['eth9'],
        'linnet announces the networks of no link unless it is named; add to advertise.interfaces what shall be announced, such as docker0',
      ],
      ['localWorkloadPeeringIPV4', '169.254.1.1', WORKLOADS],
      ['localWorkloadPeeringIPV6', 'fe80::1', WORKLOADS],
      [
        'programClusterRoutes',
        'Disabled',
        'linnet writes all that it learns into the kernel; write kernel.install: false if Felix programs the routes',
      ],
    ] as const
  ).map(([field, value, told]) => ({
    of: `BGPConfiguration.${field}`,
    change: [configuration({ [field]: value })],
    told: [`BGPConfiguration default spec.${field}: ${told}`],
  })),
  {
    of: 'BGPConfiguration.programClusterRoutes',
    to: 'as linnet does',
    change: [configuration({ programClusterRoutes: 'EnabledNoEncapOnly' })],
  },
  {
    of: 'BGPConfiguration.ipv4NormalRoutePriority',
    change: [configuration({ ipv4NormalRoutePriority: 512 })],
    written: { kernel: { metric: 512 } },
  },
  {
    of: 'BGPConfiguration.ipv6NormalRoutePriority',
    change: [configuration({ ipv4NormalRoutePriority: 512, ipv6NormalRoutePriority: 513 })],
    written: { kernel: { metric: 512 } },
    told: [
      'BGPConfiguration default spec.ipv6NormalRoutePriority: linnet has one metric, and it is that of IPv4, 512; write the same for both',
    ],
  },
  { of: 'BGPPeer.node', change: [peer('tor-a', { ...tor, node: 'node-1' })], written: written({}) },
  {
    of: 'BGPPeer.nodeSelector',
    change: [peer('tor-a', { ...tor, nodeSelector: 'rack == "r1"' })],
    written: written({}),
  },
  {
    of: 'BGPPeer.peerIP',
    change: [peer('tor-a', { ...tor, peerIP: '10.0.1.1:1790' })],
    written: written({
      port: 1790,
      families: ['ipv4'],
      localAddress: '10.0.1.11',
      multihop: 64,
      import: 'accept',
      export: 'calico-export',
    }),
  },
  {
    of: 'BGPPeer.peerIP',
    to: 'of IPv6',
    change: [peer('tor-a', { ...tor, peerIP: '[fd00::1]:1790' })],
    written: written({
      address: 'fd00::1',
      port: 1790,
      families: ['ipv6'],
      localAddress: 'fd00::11',
    }),
  },
  {
    of: 'BGPPeer.peerSelector',
    change: [peer('racks', { nodeSelector: 'rack == "r1"', peerSelector: 'rack == "r2"' })],
    written: { peers: [{ name: 'racks', address: '10.0.1.12', asn: 'internal' }] },
  },
  {
    of: 'BGPPeer.reversePeering',
    to: 'Auto, which is the default',
    change: [peer('racks', { nodeSelector: 'rack == "r1"', peerSelector: 'rack == "r2"' })],
    node: 'node-2',
    written: { peers: [{ name: 'racks', address: '10.0.1.11', asn: 'internal' }] },
    told: [
      'BlockAffinity: there is none of node-2, so nothing of its own is announced; add them: kubectl get blockaffinities.crd.projectcalico.org -o yaml; or add advertise.interfaces',
    ],
  },
  { of: 'BGPPeer.asNumber', change: [peer('tor-a', tor)], written: written({ asn: 65001 }) },
  {
    of: 'BGPPeer.localASNumber',
    change: [peer('tor-a', { ...tor, localASNumber: 65200 })],
    written: written({ localAsn: 65200 }),
  },
  {
    of: 'BGPPeer.localASNumber',
    to: 'that makes an internal peer',
    change: [peer('tor-a', { ...tor, localASNumber: 65001 })],
    told: [
      'BGPPeer tor-a spec.localASNumber: 10.0.1.1 in AS 65001 would know this host as AS 65001: linnet shows another number to external peers only, and the peer is left out; write asNumber: 65001 to the Node, or remove it',
    ],
  },
  {
    of: 'BGPPeer.nextHopMode',
    change: [
      peer('tor-a', { ...tor, nextHopMode: 'Self' }),
      peer('tor-b', { ...tor, peerIP: '10.0.1.2', nextHopMode: 'Keep' }),
      peer('tor-c', { ...tor, peerIP: '10.0.1.3', nextHopMode: 'Auto' }),
    ],
    written: {
      peers: [
        { name: 'tor-a', nextHop: 'self' },
        { name: 'tor-b', nextHop: 'keep' },
        { name: 'tor-c' },
      ],
    },
  },
  {
    of: 'BGPPeer.keepOriginalNextHop',
    change: [peer('tor-a', { ...tor, keepOriginalNextHop: true })],
    written: written({ nextHop: 'keep' }),
  },
  {
    of: 'BGPPeer.sourceAddress',
    change: [peer('tor-a', { ...tor, sourceAddress: 'UseNodeIP' })],
    written: written({ localAddress: '10.0.1.11' }),
  },
  {
    of: 'BGPPeer.keepaliveTime',
    change: [peer('tor-a', { ...tor, keepaliveTime: '1m10s' })],
    written: written({ holdTime: '210s' }),
  },
  {
    of: 'BGPPeer.maxRestartTime',
    change: [peer('tor-a', { ...tor, maxRestartTime: '1m' })],
    written: written({ gracefulRestart: { restartTime: '60s' } }),
  },
  {
    of: 'BGPPeer.numAllowedLocalASNumbers',
    change: [peer('tor-a', { ...tor, numAllowedLocalASNumbers: 11 })],
    written: written({ allowOwnAsn: 10 }),
    told: [
      'BGPPeer tor-a spec.numAllowedLocalASNumbers: linnet takes 10 times at most; write the times that there are',
    ],
  },
  {
    of: 'BGPPeer.ttlSecurity',
    change: [peer('tor-a', { ...tor, ttlSecurity: 255 })],
    written: written({ ttlSecurity: 254 }),
    told: [
      'BGPPeer tor-a spec.ttlSecurity: linnet takes 254 hops at most; write the hops that there are',
    ],
  },
  {
    of: 'BGPPeer.filters',
    change: [
      peer('tor-a', { ...tor, filters: ['second', 'first', 'empty'] }),
      filter('first', { importV4: [{ action: 'Accept' }], exportV4: [{ action: 'Reject' }] }),
      filter('second', { importV4: [{ action: 'Reject' }], importV6: [{ action: 'Accept' }] }),
      filter('empty', {}),
    ],
    written: written({
      import: ['second-importV4', 'first-importV4', 'accept'],
      export: ['first-exportV4', 'calico-export'],
    }),
  },
  ...(
    [
      ['password', { secretKeyRef: { name: 'bgp', key: 'tor' } }, `${SECRET} the peer`],
      [
        'reachableBy',
        '10.0.0.1',
        'linnet writes no routes of its own to reach a peer; add the route to the host: ip route add PEER via GATEWAY',
      ],
    ] as const
  ).map(([field, value, told]) => ({
    of: `BGPPeer.${field}`,
    change: [peer('tor-a', { ...tor, [field]: value })],
    written: written({}),
    told: [`BGPPeer tor-a spec.${field}: ${told}`],
  })),
  {
    of: 'BGPPeer.localWorkloadSelector',
    change: [peer('pods', { localWorkloadSelector: 'app == "router"', asNumber: 65010 })],
    told: [`BGPPeer pods spec.localWorkloadSelector: ${WORKLOADS}`],
  },
]
