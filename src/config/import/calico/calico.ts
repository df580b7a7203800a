/**
 * `linnet import calico`: Calico's resources -> a configuration that makes linnet do what calico/node's BIRD does
 * on one node, and a list of what it could not take over.
 *
 * Calico works a node's sessions out of resources for the whole cluster: selectors over the labels of Nodes, a
 * mesh of all of them, filters by name. The same is done here, once, for one node; what comes out is a file that
 * says what it says without them. docs/calico.md has the list of settings, printed from settings.ts.
 */
import type { Complaint } from '../../complaint.ts'
import { isError } from '../../complaint.ts'
import type { Imported } from '../imported.ts'
import { noted, writeYaml, type Written } from '../noted.ts'
import { advertised, blocksOf, exportRules, type Block } from './exports.ts'
import { Filters } from './filters.ts'
import type { Found } from './found.ts'
import { Names } from './names.ts'
import {
  clusterAsn,
  configurationOf,
  nodesOf,
  refuseSameAddresses,
  type CalicoNode,
} from './nodes.ts'
import { overlayOf } from './overlay.ts'
import { MESH_GROUP, writtenMesh, writtenPeer } from './peers.ts'
import { Report } from './report.ts'
import { readResources, type InputFile, type Resource, type Resources } from './resources.ts'
import { sessionsOf, type Session } from './sessions.ts'
import { tellOfSettings } from './settings.ts'

const EXPORT = 'calico-export'

export function importCalico(files: readonly InputFile[], nodeName: string): Imported {
  const report = new Report()
  const { resources, complaints } = readResources(files, report)
  const errors = () => sorted(complaintsOf(complaints, resources).filter(isError), files)
  if (errors().length > 0) return { complaints: errors() }
  const nodes = nodesOf(resources)
  refuseSameAddresses(nodes)
  const self = nodes.find(({ name }) => name === nodeName)
  if (self === undefined) return { complaints: [noSuchNode(nodeName, nodes, files)] }
  const yaml = configurationFor(self, nodes, resources, files, report)
  if (errors().length > 0) return { complaints: errors() }
  return { yaml, told: sorted(report.told, files) }
}

/** With what was found wrong later, when resources were held against each other. */
function complaintsOf(read: readonly Complaint[], resources: Resources): Complaint[] {
  const found: readonly Found[] = Object.values(resources).flat()
  return [...new Set([...read, ...found.flatMap((it) => it.complaints.all)])]
}

function sorted(list: readonly Complaint[], files: readonly InputFile[]): Complaint[] {
  const order = (it: Complaint): number => files.findIndex(({ name }) => name === it.file)
  return list.toSorted((a, b) => order(a) - order(b) || a.line - b.line || a.column - b.column)
}

const firstFile = (files: readonly InputFile[]): string => files[0]?.name ?? ''

function noSuchNode(
  name: string,
  nodes: readonly CalicoNode[],
  files: readonly InputFile[],
): Complaint {
  const names = nodes.map((it) => it.name).join(', ')
  const [message, remedy] =
    nodes.length === 0
      ? ['there is no Node', 'add them: calicoctl get nodes -o yaml']
      : [`there is no Node ${name}`, `write --node with one of ${names}`]
  return {
    severity: 'error',
    file: firstFile(files),
    line: 0,
    column: 0,
    path: '',
    message,
    remedy,
  }
}

function configurationFor(
  self: CalicoNode,
  nodes: readonly CalicoNode[],
  resources: Resources,
  files: readonly InputFile[],
  report: Report,
): string {
  tellOfClusterSettings(self, resources, report)
  const blocks = blocksOf(resources, self, report)
  tellOfMissing(self, blocks, resources, firstFile(files), report)
  const rules = exportRules(resources, self, blocks)
  const policyNames = new Names()
  const exported = rules.length === 0 ? 'reject' : policyNames.unique(EXPORT)
  const filters = new Filters(resources.BGPFilter, policyNames, report)
  const common = configurationOf(resources, 'default')
  const restartTime = common?.spec.nodeMeshMaxRestartTime
  const world = { self, names: new Names(), filters, report, exported, restartTime }

  const sessions = sessionsOf(resources.BGPPeer, {
    self,
    nodes,
    clusterAsn: clusterAsn(resources),
    report,
  })
  for (const peer of new Set(sessions.map((it) => it.peer))) tellOfSettings(peer, report)
  for (const peer of resources.BGPPeer) {
    if ((peer.spec.localWorkloadSelector ?? '') !== '') tellOfSettings(peer, report)
  }
  const peers = sessions.map((it) => writtenPeer(it, isAlone(it, sessions), world))
  const meshed = common?.spec.nodeToNodeMeshEnabled !== false && self.clusterId === undefined
  const taken = new Set(sessions.map(({ address, port }) => `${address.text} port ${port}`))
  const mesh = meshed ? writtenMesh(nodes, taken, world) : undefined
  const allPeers = [...peers, ...(mesh?.peers ?? [])]
  const policies = {
    ...Object.fromEntries(filters.policies),
    ...(rules.length === 0 ? {} : { [EXPORT]: rules }),
  }
  const listen = listenOf(self, resources)
  const level = levelOf(self, resources)
  const head = [
    `Node ${self.name} of Calico, from ${files.map(({ name }) => name).join(', ')}`,
    'by linnet import calico. What could not be carried over was told beside it.',
  ].join('\n')
  return writeYaml(head, {
    asn: asnOf(self, resources),
    routerId: self.addresses.ipv4 && noted(`Node ${self.name}`, self.addresses.ipv4.text),
    listen,
    clusterId: self.clusterId && noted(`Node ${self.name}`, self.clusterId),
    peerGroups: mesh && { [MESH_GROUP]: mesh.group },
    peers: allPeers.length === 0 ? undefined : allPeers,
    mesh:
      mesh &&
      noted('the Nodes that are no route reflectors', { nodes: mesh.nodes, group: MESH_GROUP }),
    policies: Object.keys(policies).length === 0 ? undefined : policies,
    advertise: blocks.length === 0 ? undefined : { prefixes: advertised(blocks) },
    kernel: kernelOf(blocks, resources),
    overlay: overlayOf(resources, report),
    log: level,
  })
}

const isAlone = (session: Session, sessions: readonly Session[]): boolean =>
  sessions.filter((it) => it.peer === session.peer).length === 1

/** The fields that Calico reads of `node.NAME`; the others count in `default` alone. */
const OF_ONE_NODE = ['listenPort', 'logSeverityScreen', 'prefixAdvertisements', 'communities']

function tellOfClusterSettings(self: CalicoNode, resources: Resources, report: Report): void {
  for (const it of resources.BGPConfiguration) {
    const isOwn = it.name === `node.${self.name}`
    if (it.name === 'default' || isOwn) tellOfSettings(it, report)
    else if (!it.name.startsWith('node.')) {
      report.tell(it, [], 'Calico reads default and node.NAME', 'rename it, or remove it')
    }
    for (const field of isOwn ? Object.keys(it.spec) : []) {
      if (OF_ONE_NODE.includes(field)) continue
      report.tell(it, [field], 'Calico reads it in default alone', 'move it there')
    }
  }
  for (const pool of resources.IPPool) tellOfSettings(pool, report)
  if (self.resource.apiVersion !== 'v1') tellOfSettings(self.resource, report)
  tellOfMetrics(resources, report)
  tellOfCommunities(resources, report)
}

function tellOfMetrics(resources: Resources, report: Report): void {
  const common = configurationOf(resources, 'default')
  const { ipv4NormalRoutePriority: ipv4, ipv6NormalRoutePriority: ipv6 } = common?.spec ?? {}
  if (common === undefined || ipv4 === undefined || ipv6 === undefined || ipv4 === ipv6) return
  const why = `linnet has one metric, and it is that of IPv4, ${ipv4}`
  report.tell(common, ['ipv6NormalRoutePriority'], why, 'write the same for both')
}

function tellOfCommunities({ BGPConfiguration: list }: Resources, report: Report): void {
  for (const it of list) {
    const used = (it.spec.prefixAdvertisements ?? []).flatMap(({ communities = [] }) => communities)
    for (const [i, { name }] of (it.spec.communities ?? []).entries()) {
      if (used.includes(name)) continue
      const why = 'no prefixAdvertisements name it'
      report.tell(it, ['communities', i], why, 'nothing is to be done')
    }
  }
}

function tellOfMissing(
  self: CalicoNode,
  blocks: readonly Block[],
  resources: Resources,
  file: string,
  report: Report,
): void {
  if (resources.IPPool.length === 0) {
    const why = 'there is none, and Calico announces only what lies in one'
    report.miss(file, 'IPPool', why, 'add them: calicoctl get ippools -o yaml')
  }
  if (blocks.length === 0) {
    const why = `there is none of ${self.name}, so nothing of its own is announced`
    const instead =
      'add them: kubectl get blockaffinities.crd.projectcalico.org -o yaml; or add advertise.interfaces'
    report.miss(file, 'BlockAffinity', why, instead)
  }
  if (self.addresses.ipv4 === undefined) {
    const why = 'the Node has no IPv4 address to be its router id'
    report.tell(self.resource, ['bgp'], why, 'add routerId, as CALICO_ROUTER_ID has it')
  }
}

function asnOf(self: CalicoNode, resources: Resources): Written {
  const { resource, asn } = self
  const fromNode = resource.spec.bgp?.asNumber !== undefined || asn !== clusterAsn(resources)
  if (fromNode) return noted(`Node ${self.name}`, asn)
  const common: Resource<'BGPConfiguration'> | undefined = configurationOf(resources, 'default')
  const said = common?.spec.asNumber !== undefined
  return noted(said ? 'BGPConfiguration default' : "Calico's default", asn)
}

/** Said only where it differs from linnet's default. */
function listenOf(self: CalicoNode, resources: Resources): Written | undefined {
  const common = configurationOf(resources, 'default')?.spec
  const { port } = self
  const own = [self.addresses.ipv4, self.addresses.ipv6].flatMap((it) => it?.text ?? [])
  const isBound = common?.bindMode === 'NodeIP' && own.length > 0
  if (!isBound && port === 179) return undefined
  const addresses = isBound ? own : ['0.0.0.0', '::']
  const comment = [port === 179 ? '' : 'listenPort', isBound ? 'bindMode' : '']
  return noted(
    `BGPConfiguration: ${comment.filter((it) => it !== '').join(' and ')}`,
    addresses.map((address) => ({ address, port })),
  )
}

function kernelOf(blocks: readonly Block[], resources: Resources): Written {
  const common = configurationOf(resources, 'default')?.spec
  const metric = common?.ipv4NormalRoutePriority ?? common?.ipv6NormalRoutePriority
  return {
    ...(metric === undefined
      ? {}
      : { metric: noted('BGPConfiguration default: the route priority', metric) }),
    defaultRoute: noted('as Calico does', true),
    ...(blocks.length === 0
      ? {}
      : { withinOwn: noted('addresses that other nodes borrow of our blocks', 'accept') }),
  }
}

const LEVELS: Readonly<Record<string, string>> = {
  Debug: 'debug',
  Warning: 'warn',
  Error: 'error',
  Fatal: 'fatal',
  None: 'fatal',
}

function levelOf(self: CalicoNode, resources: Resources): Written | undefined {
  const names = [`node.${self.name}`, 'default']
  const said = names
    .map((name) => configurationOf(resources, name))
    .find((it) => it?.spec.logSeverityScreen !== undefined)
  const level = LEVELS[said?.spec.logSeverityScreen ?? '']
  if (said === undefined || level === undefined) return undefined
  return { level: noted(`BGPConfiguration ${said.name}`, level) }
}
