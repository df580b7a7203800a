/* oxlint-disable unicorn/no-thenable -- the word of the configuration */
/** Which sessions a node has: the mesh, selectors, the other side of what others have, route reflectors. */
import { describe, expect, test } from 'vitest'
import {
  carried,
  configuration,
  documents,
  manifest,
  node,
  peer,
  type Manifest,
} from './cluster.ts'

/** Two racks, a reflector in each, and a node with an AS of its own. */
const NODES: readonly Manifest[] = [
  node('node-1', { ipv4Address: '10.0.1.11/24', ipv6Address: 'fd00::11/64' }, { rack: 'r1' }),
  node('node-2', { ipv4Address: '10.0.1.12/24', ipv6Address: 'fd00::12/64' }, { rack: 'r1' }),
  node('node-3', { ipv4Address: '10.0.2.13/24', asNumber: 64599 }, { rack: 'r2' }),
  node('rr-1', { ipv4Address: '10.0.1.2/24', routeReflectorClusterID: '1.0.0.1' }, { rr: '' }),
  node('rr-2', { ipv4Address: '10.0.2.2/24', routeReflectorClusterID: '1.0.0.1' }, { rr: '' }),
  manifest('Node', 'etcd', {}),
]

/** The peers of a node as `name address[:port] asn`, with a star for clients. */
function peersOf(name: string, ...resources: readonly Manifest[]): string[] {
  const { config } = carried(documents([...NODES, ...resources]), name)
  return config.peers.map(({ name, address, port, asn, routeReflectorClient }) => {
    const at = port === 179 ? address.text : `${address.text} port ${port}`
    return `${name} ${at} ${asn}${routeReflectorClient ? ' *' : ''}`
  })
}

const noMesh = configuration({ nodeToNodeMeshEnabled: false })

describe('the mesh', () => {
  test('is there unless it is switched off, without route reflectors and nodes without BGP', () => {
    expect(peersOf('node-1')).toEqual([
      'node-2-ipv6 fd00::12 64512',
      'node-2 10.0.1.12 64512',
      'node-3 10.0.2.13 64599',
    ])
    expect(peersOf('node-1', noMesh)).toEqual([])
  })

  test('leads from each node to the others', () => {
    expect(peersOf('node-3')).toEqual(['node-1 10.0.1.11 64512', 'node-2 10.0.1.12 64512'])
    expect(peersOf('rr-1')).toEqual([])
    expect(peersOf('etcd')).toEqual([])
  })

  test('of nodes of other ASes takes their routes, from afar', () => {
    const { config } = carried(documents(NODES))
    const [, near, far] = config.peers
    expect([near?.type, far?.type, far?.multihop]).toEqual(['internal', 'external', 64])
    expect(far?.importPolicy.map(({ name }) => name)).toEqual(['accept'])
  })

  test('leaves out whom a BGPPeer names, and says so', () => {
    const own = peer('far', { node: 'node-1', peerIP: '10.0.2.13', asNumber: 64599 })
    expect(peersOf('node-1', own)).toEqual([
      'far 10.0.2.13 64599',
      'node-2-ipv6 fd00::12 64512',
      'node-2 10.0.1.12 64512',
    ])
    expect(carried(documents([...NODES, own])).told).toContain(
      'Node node-3 spec.bgp: a BGPPeer leads to 10.0.2.13 too; the mesh leaves it out; nothing is to be done',
    )
  })

  test('knows ports: of all nodes, and of one', () => {
    const ports = [
      configuration({ nodeToNodeMeshEnabled: true, listenPort: 1790 }),
      manifest('BGPConfiguration', 'node.node-3', { listenPort: 1791 }),
    ]
    expect(peersOf('node-1', ...ports)).toEqual([
      'node-2-ipv6 fd00::12 port 1790 64512',
      'node-3-ipv4 10.0.2.13 port 1791 64599',
      'node-2 10.0.1.12 port 1790 64512',
    ])
  })

  test('of IPv6 alone', () => {
    const six = ['1', '2'].map((it) => node(`six-${it}`, { ipv6Address: `fd00::2${it}/64` }))
    const { config } = carried(documents(six), 'six-1')
    expect(config.peers.map(({ name, families }) => [name, families])).toEqual([
      ['six-2', ['ipv6']],
    ])
  })
})

describe('a BGPPeer', () => {
  const tor = { peerIP: '10.0.1.1', asNumber: 65001 }
  test.each([
    [{}, ['node-1', 'node-2', 'node-3', 'rr-1']],
    [{ node: 'node-2' }, ['node-2']],
    [{ nodeSelector: 'rack == "r1"' }, ['node-1', 'node-2']],
    [{ nodeSelector: '!has(rr) && rack != "r1"' }, ['node-3']],
    [{ nodeSelector: '' }, ['node-1', 'node-2', 'node-3', 'rr-1']],
  ])('%j is for %j', (which, names) => {
    const resource = peer('tor', { ...tor, ...which })
    const having = ['node-1', 'node-2', 'node-3', 'rr-1'].filter(
      (it) => peersOf(it, noMesh, resource).length > 0,
    )
    expect(having).toEqual(names)
  })

  test('by labels leads to each address of each node, but not to ourselves', () => {
    const racks = peer('racks', { nodeSelector: 'all()', peerSelector: 'has(rack)' })
    expect(peersOf('node-1', noMesh, racks)).toEqual([
      'racks-node-2-ipv4 10.0.1.12 64512',
      'racks-node-2-ipv6 fd00::12 64512',
      'racks-node-3 10.0.2.13 64599',
      'racks-rr-1 10.0.1.2 64512',
      'racks-rr-2 10.0.2.2 64512',
    ])
    expect(peersOf('rr-1', noMesh, racks)).toEqual([
      'racks-node-1-ipv4 10.0.1.11 64512 *',
      'racks-node-2-ipv4 10.0.1.12 64512 *',
      'racks-node-3 10.0.2.13 64599',
    ])
  })

  test('has another side, where that is a node', () => {
    const up = peer('up', { nodeSelector: 'rack == "r1"', peerSelector: 'has(rr)' })
    expect(peersOf('node-1', noMesh, up)).toEqual([
      'up-rr-1 10.0.1.2 64512',
      'up-rr-2 10.0.2.2 64512',
    ])
    expect(peersOf('rr-1', noMesh, up)).toEqual([
      'up-node-1-ipv4 10.0.1.11 64512 *',
      'up-node-2-ipv4 10.0.1.12 64512 *',
    ])
    const manual = peer('up', { ...up.spec, reversePeering: 'Manual' })
    expect(peersOf('rr-1', noMesh, manual)).toEqual([])
  })

  test('has another side where its address is that of a node', () => {
    const up = peer('up', { node: 'node-3', peerIP: '10.0.1.2', asNumber: 64512 })
    expect(peersOf('node-3', noMesh, up)).toEqual(['up 10.0.1.2 64512'])
    expect(peersOf('rr-1', noMesh, up)).toEqual(['up 10.0.2.13 64599'])
    const elsewhere = peer('up', { ...up.spec, asNumber: 64999 })
    expect(peersOf('rr-1', noMesh, elsewhere)).toEqual([])
  })

  test('finds the port of a node', () => {
    const port = manifest('BGPConfiguration', 'node.rr-1', { listenPort: 1791 })
    const up = peer('up', { node: 'node-3', peerIP: '10.0.1.2', asNumber: 64512 })
    expect(peersOf('node-3', noMesh, port, up)).toEqual(['up 10.0.1.2 port 1791 64512'])
  })

  test('for all nodes goes before one for some with the same address', () => {
    const some = peer('some', { node: 'node-1', peerIP: '10.0.1.1', asNumber: 65002 })
    const other = peer('other', { node: 'node-1', peerIP: '10.0.1.1:1790', asNumber: 65003 })
    expect(peersOf('node-1', noMesh, some, other, peer('all', tor))).toEqual([
      'all 10.0.1.1 65001',
      'other 10.0.1.1 port 1790 65003',
    ])
  })
})

test('reflectors of one cluster are no clients of each other; of two they are', () => {
  const rr = peer('rr', { nodeSelector: 'has(rr)', peerSelector: 'has(rr)' })
  expect(peersOf('rr-1', noMesh, rr)).toEqual(['rr 10.0.2.2 64512'])
  const others = NODES.filter(({ metadata }) => metadata.name !== 'rr-2')
  const second = node(
    'rr-2',
    { ipv4Address: '10.0.2.2/24', routeReflectorClusterID: '1.0.0.2' },
    { rr: '' },
  )
  const { config } = carried(documents([...others, second, noMesh, rr]), 'rr-1')
  expect(config.clusterId?.text).toBe('1.0.0.1')
  expect(config.peers.map((it) => it.routeReflectorClient)).toEqual([true])
})

test('a reflector passes on the ranges of services', () => {
  const services = configuration({
    nodeToNodeMeshEnabled: false,
    serviceExternalIPs: [{ cidr: '192.0.2.0/28' }],
    serviceLoadBalancerIPs: [{ cidr: '192.0.2.32/28' }],
  })
  const { written } = carried(documents([...NODES, services]), 'rr-1')
  expect(written['policies']).toEqual({
    'calico-export': [
      {
        match: { prefix: ['192.0.2.32/28 orlonger', '192.0.2.0/28 orlonger'] },
        then: 'accept',
      },
    ],
  })
})

test('names are cut to what linnet takes, and stay apart', () => {
  const long = 'x'.repeat(80)
  const peers = [`${long}-a`, `${long}-b`].map((name, i) =>
    peer(name, { node: 'node-1', peerIP: `10.0.1.${i + 1}`, asNumber: 65001 }),
  )
  const { config } = carried(documents([...NODES, noMesh, ...peers]))
  expect(config.peers.map((it) => it.name)).toEqual(['x'.repeat(63), `${'x'.repeat(61)}-2`])
})
