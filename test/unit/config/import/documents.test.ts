/** The forms that resources come in, and files that are wrong. */
import { describe, expect, test } from 'vitest'
import { importCalico } from '../../../../src/config/import/calico/calico.ts'
import { formatComplaint } from '../../../../src/config/complaint.ts'
import { BASE, carried, documents, peer, refusal } from './cluster.ts'

const whole = carried(documents(BASE)).yaml

describe('the same in another form', () => {
  const crd = (it: (typeof BASE)[number]) =>
    it.kind === 'Node' ? it : { ...it, apiVersion: 'crd.projectcalico.org/v1' }
  const items = (kind: string) =>
    BASE.filter((it) => it.kind === kind).map(({ metadata, spec }) => ({ metadata, spec }))
  const kinds = [...new Set(BASE.map(({ kind }) => kind))]

  test.each([
    ['as Kubernetes keeps it', documents(BASE.map(crd))],
    ['in one list', JSON.stringify({ apiVersion: 'v1', kind: 'List', items: BASE })],
    [
      'in a list for each kind',
      kinds
        .map((kind) =>
          JSON.stringify({
            apiVersion: 'projectcalico.org/v3',
            kind: `${kind}List`,
            items: items(kind),
          }),
        )
        .join('\n---\n'),
    ],
    ['with empty documents and comments', `---\n# nothing\n---\n${documents(BASE)}---\n`],
  ])('%s', (_, text) => {
    expect(carried(text).yaml).toBe(whole)
  })
})

test("Kubernetes' own Nodes say it in annotations", () => {
  const nodes = `
apiVersion: v1
kind: NodeList
items:
  - apiVersion: v1
    kind: Node
    metadata:
      name: node-1
      labels: { rack: r1, spare: true }
      annotations:
        projectcalico.org/IPv4Address: 10.0.1.11/24
        projectcalico.org/IPv4IPIPTunnelAddr: 10.244.7.1
        projectcalico.org/ASNumber: '65101'
        projectcalico.org/RouteReflectorClusterID: 10.0.1.11
        node.alpha.kubernetes.io/ttl: '0'
    spec: { podCIDR: 10.42.0.0/24, providerID: x }
    status: { addresses: [] }
`
  const rest = documents(BASE.filter(({ kind }) => kind !== 'Node'))
  const { config, told } = carried(`${rest}---\n${nodes}`)
  expect([config.asn, config.routerId?.text, config.clusterId?.text]).toEqual([
    65101,
    '10.0.1.11',
    '10.0.1.11',
  ])
  expect(told).toEqual([])
})

test('the head says of whom it is, and each part where it came from', () => {
  expect(whole).toBe(`# Node node-1 of Calico, from calico.yaml
# by linnet import calico. What could not be carried over was told beside it.

# Calico's default
asn: 64512

# Node node-1
routerId: 10.0.1.11

policies:
  calico-export:
    # our own blocks
    - { match: { prefix: [ 10.244.7.0/26 ] }, then: accept }
    # what is inside them stays here
    - { match: { prefix: [ 10.244.7.0/26 longer ] }, then: reject }
    # IPPool pool
    - { match: { prefix: [ 10.244.0.0/16 orlonger ] }, then: accept }

advertise:
  prefixes:
    # BlockAffinity block
    - { prefix: 10.244.7.0/26, blackhole: true }

kernel:
  # as Calico does
  defaultRoute: true
  # addresses that other nodes borrow of our blocks
  withinOwn: accept
`)
})

test('several files are one cluster; what is told comes in their order', () => {
  const [first = '', ...rest] = BASE.map((it) => documents([it]))
  const files = [
    { name: 'a.yaml', text: rest.join('---\n') },
    {
      name: 'b.yaml',
      text: documents([peer('tor-a', { peerIP: '10.0.1.1', asNumber: 65001, more: 1 })]),
    },
    { name: 'c.yaml', text: first },
    {
      name: 'd.yaml',
      text: `
{ apiVersion: projectcalico.org/v3, kind: FelixConfiguration, metadata: { name: default }, spec: {} }
---
{ apiVersion: metallb.io/v1beta2, kind: BGPPeer, metadata: { name: theirs }, spec: {} }
---
{ apiVersion: v1, kind: Service, metadata: { name: web } }
---
{ apiVersion: projectcalico.org/v3, kind: BGPConfiguration, metadata: { name: spare }, spec: {} }
`,
    },
  ]
  const imported = importCalico(files, 'node-1')
  if (!('yaml' in imported)) throw new Error(imported.complaints.map(formatComplaint).join('\n'))
  expect(imported.told.map(formatComplaint)).toEqual([
    'b.yaml:9:9: warning: BGPPeer tor-a spec.more: Calico had no such field when this was written; look up what it does there',
    'd.yaml:2:1: warning: FelixConfiguration default: Felix programs what is local to the host, not BGP; look at docs/calico.md for the settings that linnet has too',
    "d.yaml:4:1: warning: BGPPeer theirs: metallb.io/v1beta2 is not Calico's; nothing is to be done",
    'd.yaml:6:1: warning: Service web: it says nothing about BGP; nothing is to be done',
    'd.yaml:8:1: warning: BGPConfiguration spare: Calico reads default and node.NAME; rename it, or remove it',
  ])
})

describe('what is missing', () => {
  test('pools and blocks are told', () => {
    const nodes = documents(BASE.filter(({ kind }) => kind === 'Node'))
    const { told, config } = carried(nodes)
    expect(told).toEqual([
      'IPPool: there is none, and Calico announces only what lies in one; add them: calicoctl get ippools -o yaml',
      'BlockAffinity: there is none of node-1, so nothing of its own is announced; add them: kubectl get blockaffinities.crd.projectcalico.org -o yaml; or add advertise.interfaces',
    ])
    expect(config.peers[0]?.exportPolicy.map(({ name }) => name)).toEqual(['reject'])
  })
})

const base = documents(BASE)
const head = (kind: string, name = 'x') =>
  `apiVersion: projectcalico.org/v3\nkind: ${kind}\nmetadata: { name: ${name} }\n`

describe('refused', () => {
  test.each([
    ['kind: [', 'calico.yaml:1:8: not YAML: '],
    ['just words', 'calico.yaml:1:1: this is no resource; write kind: BGPPeer, metadata and spec'],
    ['metadata: { name: x }', 'calico.yaml:1:1: kind: is missing; add kind: BGPPeer'],
    [
      'kind: IPPool',
      'calico.yaml:1:1: metadata.name: there is no name; write name: tor-a into metadata',
    ],
    [head('IPPool'), 'calico.yaml:1:1: spec: is missing; add spec'],
    [
      `${head('IPPool')}spec: { cidr: 10.0.0.0 }`,
      'calico.yaml:4:15: spec.cidr: 10.0.0.0 is not a CIDR; write a prefix such as 10.244.0.0/16',
    ],
    [
      `${head('IPPool')}spec: { disableBGPExport: yes, cidr: 10.0.0.0/8 }`,
      'calico.yaml:4:27: spec.disableBGPExport: yes is not true or false; write true',
    ],
    [
      `${head('BGPPeer')}spec: { peerIP: "10.0.1.1:0", asNumber: 0 }`,
      'calico.yaml:4:17: spec.peerIP: "10.0.1.1:0" is not the address of a peer; write 10.0.1.1, 10.0.1.1:179 or [fd00::1]:179',
      'calico.yaml:4:41: spec.asNumber: 0 is not an AS number; write 1..4294967295, or 1.10 for 65546',
    ],
    [
      `${head('BGPPeer')}spec: { nodeSelector: rack = "r1", peerIP: 10.0.1.1 }`,
      'calico.yaml:4:23: spec.nodeSelector: = is no part of a selector; write ==',
    ],
    [
      `${head('BGPPeer')}spec: { peerIP: 10.0.1.1, keepaliveTime: 20 }`,
      'calico.yaml:4:42: spec.keepaliveTime: 20 is not a time; write 90s or 2m0s',
    ],
    [
      `${head('BGPPeer')}spec: { peerIP: 10.0.1.1, nextHopMode: self }`,
      'calico.yaml:4:40: spec.nextHopMode: self is not Auto, Self or Keep; write Self',
    ],
    [
      `${head('Node')}spec: { bgp: { ipv4Address: node } }`,
      'calico.yaml:4:29: spec.bgp.ipv4Address: node is not the address of a node; write 10.0.1.11/24',
    ],
    [
      `${head('BGPFilter')}spec: { importV4: [{ action: Drop }] }`,
      'calico.yaml:4:30: spec.importV4[0].action: Drop is not Accept or Reject; write Accept or Reject',
    ],
    [
      `${head('BGPFilter')}spec: { importV4: [{ matchOperator: In }] }`,
      'calico.yaml:4:20: spec.importV4[0].action: is missing; add action: ...',
    ],
    [
      `${head('Node')}---\n${head('Node')}`,
      'calico.yaml:7:19: metadata.name: Node x is here twice; keep one of them',
    ],
  ])('%s', (text, ...complaints) => {
    const said = refusal(text)
    expect(said).toHaveLength(complaints.length)
    said.forEach((line, i) => expect(line.startsWith(complaints[i] ?? '-'), line).toBe(true))
  })

  /** With a good cluster before it. */
  const lines = base.split('\n').length + 2
  const later: readonly (readonly [string, string])[] = [
    [
      '{ node: node-1, nodeSelector: all(), peerIP: 10.0.1.1 }',
      '37: spec.nodeSelector: node stands beside it; remove one of them',
    ],
    ['{ asNumber: 65001 }', '7: spec.peerIP: is missing; add peerIP: 10.0.1.1, or peerSelector'],
    [
      '{ peerIP: 10.0.1.1, peerSelector: all() }',
      '41: spec.peerSelector: peerIP stands beside it; remove one of them',
    ],
    [
      '{ peerSelector: all(), asNumber: 65001 }',
      '40: spec.asNumber: peerSelector stands beside it, and Nodes say their own; remove it',
    ],
    ['{ peerIP: 10.0.1.1 }', '7: spec.asNumber: is missing; add asNumber: 65001'],
    [
      '{ peerIP: 10.0.1.1, asNumber: 65001, filters: [f, g] }',
      '54: spec.filters[0]: there is no BGPFilter f here; add it: calicoctl get bgpfilter f -o yaml',
    ],
  ]
  test.each(later)('BGPPeer %s', (spec, said) => {
    const text = `${base}---\n${head('BGPPeer')}spec: ${spec}\n`
    expect(refusal(text)[0]).toBe(`calico.yaml:${lines + 2}:${said}`)
  })

  const rules: readonly (readonly [string, string])[] = [
    ['cidr: 10.0.0.0/8', 'matchOperator: is missing; add matchOperator: In'],
    ['matchOperator: In', 'cidr: is missing; add cidr: 10.244.0.0/16'],
    ['prefixLength: { min: 8 }', 'cidr: is missing; add cidr: 10.244.0.0/16'],
    ['cidr: "fd00::/8", matchOperator: In', 'cidr: fd00::/8 is not IPv4; write a prefix of IPv4'],
    [
      'operations: [{ setPriority: { value: 1 } }]',
      'operations: a rejected route is not changed; remove it',
    ],
    [
      'operations: [{ }], action: Accept',
      'operations[0]: an operation is exactly one of addCommunity, prependASPath and setPriority; write a list item for each',
    ],
  ]
  test.each(rules)('a rule with %s', (rule, said) => {
    const action = rule.includes('action') ? '' : ', action: Reject'
    const text = `${base}---
${head('BGPFilter', 'f')}spec: { importV4: [{ ${rule}${action} }] }
---
${head('BGPPeer')}spec: { peerIP: 10.0.1.1, asNumber: 65001, filters: [f] }
`
    const lines = refusal(text)
    expect(lines).toHaveLength(1)
    expect(lines[0]).toContain(` spec.importV4[0].${said}`)
  })

  test('two nodes with one address', () => {
    const text = base.replace('10.0.1.12/24', '10.0.1.11/24')
    const said = refusal(text)
    expect(said).toHaveLength(1)
    expect(said[0]).toContain(
      ' spec.bgp.ipv4Address: 10.0.1.11 is an address of node-1 too; write its own',
    )
  })

  test('a community without a value', () => {
    const text = base.replace(
      'nodeToNodeMeshEnabled: false',
      'prefixAdvertisements: [{ cidr: 10.0.0.0/8, communities: [rack] }]',
    )
    expect(refusal(text)).toEqual([
      'calico.yaml:7:60: spec.prefixAdvertisements[0].communities[0]: there is no community rack; add rack to communities',
    ])
  })

  test.each([
    [
      'node-9',
      base,
      'calico.yaml: there is no Node node-9; write --node with one of node-1, node-2',
    ],
    ['node-1', '', 'calico.yaml: there is no Node; add them: calicoctl get nodes -o yaml'],
  ])('the node %s', (name, text, said) => {
    expect(refusal(text, name)).toEqual([said])
  })
})
