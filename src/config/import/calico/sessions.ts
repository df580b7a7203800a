/**
 * BGPPeers -> the sessions of one node, as Calico works them out: first those for all nodes, then those for this
 * one, then the other side of sessions that other nodes have with it. Of two with one address and port the
 * first counts.
 */
import type { Address } from '../../../net/address.ts'
import type { Family } from '../../../net/family.ts'
import { addressesOf, type CalicoNode } from './nodes.ts'
import type { Report } from './report.ts'
import type { Resource } from './resources.ts'

export type BgpPeer = Resource<'BGPPeer'>

export interface Session {
  readonly peer: BgpPeer
  readonly address: Address
  readonly port: number
  readonly asn: number
  /** The AS that we show: another than the node's where the BGPPeer says so. */
  readonly localAsn: number
  readonly type: 'eBGP' | 'iBGP'
  /** The node that is the peer, where Calico finds it by its labels. */
  readonly node: CalicoNode | undefined
}

/** A peer before it is known whether it counts. */
interface Candidate {
  readonly address: Address
  readonly port: number | undefined
  readonly asn: number | undefined
  readonly node: CalicoNode | undefined
}

export interface SessionWorld {
  readonly self: CalicoNode
  readonly nodes: readonly CalicoNode[]
  readonly clusterAsn: number
  readonly report: Report
}

const DEFAULT_PORT = 179

export function sessionsOf(peers: readonly BgpPeer[], world: SessionWorld): Session[] {
  const sessions = new Map<string, Session>()
  const add = (peer: BgpPeer, candidates: readonly Candidate[]): void => {
    for (const candidate of candidates) {
      const session = sessionOf(peer, candidate, world)
      const key = `${candidate.address.text} port ${candidate.port ?? DEFAULT_PORT}`
      if (session !== undefined && !sessions.has(key)) sessions.set(key, session)
    }
  }
  const checked = peers.filter(isSound)
  const forAll = checked.filter(({ spec }) => isForAll(spec))
  const forSome = checked.filter(({ spec }) => !isForAll(spec))
  for (const peer of forAll) add(peer, peersIn(peer, world))
  for (const peer of forSome) {
    if (isLocal(peer, world.self)) add(peer, peersIn(peer, world))
  }
  for (const peer of checked) {
    if (peer.spec.reversePeering !== 'Manual' && isRemote(peer, world)) {
      add(peer, otherSideOf(peer, world))
    }
  }
  return [...sessions.values()]
}

const isForAll = ({ node, nodeSelector }: BgpPeer['spec']): boolean =>
  node === undefined && nodeSelector === undefined

/** Fields that exclude each other, as Calico's own validation has it. */
function isSound({ spec, path, complaints }: BgpPeer): boolean {
  const { node, nodeSelector, peerIP, peerSelector, localWorkloadSelector } = spec
  const at = (field: string) => [...path, 'spec', field]
  if (node !== undefined && nodeSelector !== undefined) {
    complaints.error(at('nodeSelector'), 'node stands beside it', 'remove one of them')
    return false
  }
  if (localWorkloadSelector !== undefined && localWorkloadSelector !== '') return false // told
  if (peerIP === undefined && peerSelector === undefined) {
    complaints.error(at('peerIP'), 'is missing', 'add peerIP: 10.0.1.1, or peerSelector')
    return false
  }
  if (peerIP !== undefined && peerSelector !== undefined) {
    complaints.error(at('peerSelector'), 'peerIP stands beside it', 'remove one of them')
    return false
  }
  if (peerSelector !== undefined && spec.asNumber !== undefined) {
    const message = 'peerSelector stands beside it, and Nodes say their own'
    complaints.error(at('asNumber'), message, 'remove it')
    return false
  }
  return true
}

/** The BGPPeer is for this node. */
export function isLocal({ spec }: BgpPeer, { name, labels }: CalicoNode): boolean {
  if (spec.nodeSelector !== undefined) return spec.nodeSelector(labels)
  return spec.node === undefined || spec.node === name
}

/** This node is what the BGPPeer of others leads to. */
function isRemote({ spec }: BgpPeer, { self, clusterAsn }: SessionWorld): boolean {
  if (spec.peerSelector !== undefined) return spec.peerSelector(self.labels)
  const { peerIP, asNumber } = spec
  return (
    addressesOf(self).some(({ text }) => text === peerIP?.address.text) &&
    (asNumber ?? clusterAsn) === self.asn &&
    (peerIP?.port ?? self.port) === self.port
  )
}

const asPeers = (nodes: readonly CalicoNode[], families?: readonly Family[]): Candidate[] =>
  nodes.flatMap((node) =>
    addressesOf(node)
      .filter(({ family }) => families?.includes(family) ?? true)
      .map((address) => ({ address, port: node.port, asn: node.asn, node })),
  )

/** Whom the nodes of the BGPPeer speak with. */
function peersIn({ spec }: BgpPeer, { nodes, clusterAsn }: SessionWorld): Candidate[] {
  const { peerIP, peerSelector, asNumber } = spec
  if (peerSelector !== undefined) return asPeers(nodes.filter((it) => peerSelector(it.labels)))
  if (peerIP === undefined) return []
  const { address } = peerIP
  const node = nodes.find((it) => addressesOf(it).some(({ text }) => text === address.text))
  const isIt = node !== undefined && node.asn === (asNumber ?? clusterAsn)
  const port = peerIP.port ?? (isIt ? node.port : undefined)
  // Calico looks up the cluster id of peers that it finds by their labels, and of no others.
  return [{ address, port, asn: asNumber ?? node?.asn, node: undefined }]
}

function otherSideOf(peer: BgpPeer, { nodes }: SessionWorld): Candidate[] {
  const family = peer.spec.peerIP?.address.family
  const local = nodes.filter((it) => isLocal(peer, it))
  return asPeers(local, family === undefined ? undefined : [family])
}

function sessionOf(
  peer: BgpPeer,
  { address, port, asn, node }: Candidate,
  { self, report }: SessionWorld,
): Session | undefined {
  const own = self.addresses[address.family]
  if (address.text === own?.text) return undefined
  if (own === undefined && node !== undefined) return undefined // both ends must have the family
  if (own === undefined) {
    const family = address.family === 'ipv4' ? 'IPv4' : 'IPv6'
    const why = `${self.name} has no ${family} address, so Calico has no session with ${address.text}`
    report.tell(peer, [], why, `add bgp.${address.family}Address to the Node`)
    return undefined
  }
  if (asn === undefined) {
    peer.complaints.error([...peer.path, 'spec', 'asNumber'], 'is missing', 'add asNumber: 65001')
    return undefined
  }
  const localAsn = peer.spec.localASNumber ?? self.asn
  if (localAsn !== self.asn && (asn === localAsn || asn === self.asn)) {
    const why = `${address.text} in AS ${asn} would know this host as AS ${localAsn}: linnet shows another number to external peers only, and the peer is left out`
    report.tell(
      peer,
      ['localASNumber'],
      why,
      `write asNumber: ${localAsn} to the Node, or remove it`,
    )
    return undefined
  }
  const type = asn === localAsn ? 'iBGP' : 'eBGP'
  return { peer, address, port: port ?? DEFAULT_PORT, asn, localAsn, type, node }
}
