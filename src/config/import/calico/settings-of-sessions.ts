/** BGPConfiguration and BGPPeer: rows of settings.ts. */
import type { Setting } from './setting.ts'

const PASSWORD = {
  why: 'the password stands in a Secret',
  instead: 'write it into a file that only linnet may read, and add passwordFile',
}

const SERVICES = {
  why: 'linnet knows no Kubernetes services',
  instead: 'add the ranges to advertise.prefixes if this host serves them',
}

const WORKLOADS = {
  why: 'linnet has no sessions with workloads by selector',
  instead: 'add a peer with the address or the interface of each workload',
}

export const BGP_CONFIGURATION: readonly Setting[] = [
  {
    field: 'asNumber',
    example: 64513,
    becomes: '`asn`, unless the Node has its own; without either 64512',
  },
  {
    field: 'nodeToNodeMeshEnabled',
    example: true,
    becomes:
      '`mesh` of the Nodes that are no route reflectors, with the group `calico-mesh`; IPv6 sessions beside IPv4 ones are `peers`',
  },
  {
    field: 'listenPort',
    example: 1790,
    becomes: '`listen`, and `port` of peers that are Nodes; `node.NAME` overrides it',
  },
  {
    field: 'bindMode',
    example: 'NodeIP',
    becomes: '`listen` with the addresses of the Node',
  },
  {
    field: 'logSeverityScreen',
    example: 'Debug',
    becomes: '`log.level`',
  },
  {
    field: 'communities',
    example: [{ name: 'rack', value: '64512:7' }],
    becomes: 'the values, where `prefixAdvertisements` names them',
  },
  {
    field: 'prefixAdvertisements',
    example: [{ cidr: '10.244.0.0/16', communities: ['64512:7'] }],
    becomes: '`set: { community: { add: [...] } }` in the policy `calico-export`',
  },
  {
    field: 'serviceClusterIPs',
    example: [{ cidr: '10.96.0.0/12' }],
    told: SERVICES,
  },
  {
    field: 'serviceExternalIPs',
    example: [{ cidr: '192.0.2.0/28' }],
    becomes: 'on a route reflector: passed on by `calico-export`',
    told: SERVICES,
  },
  {
    field: 'serviceLoadBalancerIPs',
    example: [{ cidr: '192.0.2.32/28' }],
    becomes: 'on a route reflector: passed on by `calico-export`',
    told: SERVICES,
  },
  {
    field: 'serviceLoadBalancerAggregation',
    example: 'Disabled',
    told: { ...SERVICES, except: ['Enabled'] },
  },
  {
    field: 'nodeMeshPassword',
    example: { secretKeyRef: { name: 'bgp', key: 'mesh' } },
    told: { ...PASSWORD, instead: `${PASSWORD.instead} to peerGroups.calico-mesh` },
  },
  {
    field: 'nodeMeshMaxRestartTime',
    example: '120s',
    becomes: '`gracefulRestart.restartTime` of the mesh',
  },
  {
    field: 'ignoredInterfaces',
    example: ['eth9'],
    told: {
      why: 'linnet announces the networks of no link unless it is named',
      instead: 'add to advertise.interfaces what shall be announced, such as docker0',
    },
  },
  {
    field: 'localWorkloadPeeringIPV4',
    example: '169.254.1.1',
    told: WORKLOADS,
  },
  {
    field: 'localWorkloadPeeringIPV6',
    example: 'fe80::1',
    told: WORKLOADS,
  },
  {
    field: 'programClusterRoutes',
    example: 'Disabled',
    told: {
      why: 'linnet writes all that it learns into the kernel',
      instead: 'write kernel.install: false if Felix programs the routes',
      except: ['Enabled', 'EnabledNoEncapOnly'],
    },
  },
  {
    field: 'ipv4NormalRoutePriority',
    example: 512,
    becomes: '`kernel.metric`, for both families',
  },
  {
    field: 'ipv6NormalRoutePriority',
    example: 512,
    becomes: '`kernel.metric`, where IPv4 says nothing; told where it says otherwise',
  },
]

export const BGP_PEER: readonly Setting[] = [
  {
    field: 'node',
    example: 'node-1',
    becomes: 'a peer of that host only',
  },
  {
    field: 'nodeSelector',
    example: 'rack == "r1"',
    becomes: 'a peer of the hosts whose labels match',
  },
  {
    field: 'peerIP',
    example: '10.0.1.1:1790',
    becomes: '`address` and `port`',
  },
  {
    field: 'peerSelector',
    example: 'has(reflector)',
    becomes: 'a peer for each address of each Node whose labels match, and the other way round',
  },
  {
    field: 'reversePeering',
    example: 'Manual',
    becomes: 'whether a Node that is the peer gets its side of the session too',
  },
  {
    field: 'asNumber',
    example: 65001,
    becomes: '`asn`',
  },
  {
    field: 'localASNumber',
    example: 65200,
    becomes: '`localAsn`, of an external peer',
  },
  {
    field: 'nextHopMode',
    example: 'Self',
    becomes: '`nextHop`; `Auto` is the default of both',
  },
  {
    field: 'keepOriginalNextHop',
    example: true,
    becomes: '`nextHop: keep`, of an external peer',
  },
  {
    field: 'sourceAddress',
    example: 'None',
    becomes: "`localAddress`, the Node's; with `None` the kernel's choice",
  },
  {
    field: 'keepaliveTime',
    example: '10s',
    becomes: '`holdTime`, three times as long: keepalives are sent every third of it',
  },
  {
    field: 'numAllowedLocalASNumbers',
    example: 2,
    becomes: '`allowOwnAsn`, at most 10',
  },
  {
    field: 'ttlSecurity',
    example: 1,
    becomes: '`ttlSecurity`; without it `multihop: 64` for an external peer, as Calico has it',
  },
  {
    field: 'filters',
    example: ['no-default'],
    becomes: '`import` and `export`: the policies made of them, in this order, before the default',
  },
  {
    field: 'password',
    example: { secretKeyRef: { name: 'bgp', key: 'tor' } },
    told: { ...PASSWORD, instead: `${PASSWORD.instead} to the peer` },
  },
  {
    field: 'maxRestartTime',
    example: '60s',
    becomes: '`gracefulRestart.restartTime`; 120s is the default of both',
  },
  {
    field: 'reachableBy',
    example: '10.0.0.1',
    told: {
      why: 'linnet writes no routes of its own to reach a peer',
      instead: 'add the route to the host: ip route add PEER via GATEWAY',
    },
  },
  {
    field: 'localWorkloadSelector',
    example: 'app == "router"',
    told: WORKLOADS,
  },
]
