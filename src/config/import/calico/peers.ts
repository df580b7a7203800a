/** Sessions and the mesh -> `peers`, `mesh` and its group. */
import type { Family } from '../../../net/family.ts'
import { noted, type Written } from '../noted.ts'
import type { Filters } from './filters.ts'
import type { Names } from './names.ts'
import { addressesOf, type CalicoNode } from './nodes.ts'
import type { Report } from './report.ts'
import type { Session } from './sessions.ts'

/** Calico's sessions may cross so many routers, where nothing else is said. */
const MULTIHOP = 64
/** What linnet takes at most. */
const MOST_OWN_ASN = 10
const MOST_HOPS = 254
const DEFAULT_PORT = 179

type WrittenMap = { readonly [key: string]: Written | undefined }

export interface PeerWorld {
  readonly self: CalicoNode
  readonly names: Names
  readonly filters: Filters
  readonly report: Report
  /** The policy behind all filters. */
  readonly exported: string
  /** Seconds, for the mesh. */
  readonly restartTime: number | undefined
}

/** One policy stands alone, several in a list. */
const listed = (names: readonly string[]): Written => (names.length === 1 ? names[0] : names) ?? ''

export function writtenPeer(session: Session, alone: boolean, world: PeerWorld): Written {
  const { peer, address, port, asn, localAsn, node } = session
  const { self, names, filters, exported } = world
  const { spec } = peer
  const own = self.addresses[address.family]
  const version = node !== undefined && addressesOf(node).length > 1 ? `-${address.family}` : ''
  const wanted = alone ? peer.name : `${peer.name}-${node?.name ?? address.text}${version}`
  const written: WrittenMap = {
    name: names.unique(wanted),
    address: address.text,
    ...(port === DEFAULT_PORT ? {} : { port }),
    asn: asn === self.asn ? 'internal' : asn,
    ...(localAsn === self.asn ? {} : { localAsn }),
    families: [address.family],
    ...(spec.sourceAddress === 'None' ? {} : { localAddress: own?.text }),
    ...distanceOf(session, world),
    ...holdTimeOf(session),
    ...restartTimeOf(session.peer.spec.maxRestartTime),
    ...nextHopOf(session),
    ...ownAsnOf(session, world),
    ...(isClient(session, self) ? { routeReflectorClient: true } : {}),
    import: listed([...filters.namesFor(session, 'import'), 'accept']),
    export: listed([...filters.namesFor(session, 'export'), exported]),
  }
  const side = alone || node === undefined ? '' : `, Node ${node.name}`
  return noted(`BGPPeer ${peer.name}${side}`, written)
}

/** RFC 4456: internal peers that are no reflectors of our own cluster. */
const isClient = ({ type, node }: Session, self: CalicoNode): boolean =>
  type === 'iBGP' && self.clusterId !== undefined && node?.clusterId !== self.clusterId

function distanceOf({ peer, type }: Session, { report }: PeerWorld): WrittenMap {
  const hops = peer.spec.ttlSecurity ?? 0
  if (hops === 0) return type === 'eBGP' ? { multihop: MULTIHOP } : {}
  if (hops > MOST_HOPS) {
    const why = `linnet takes ${MOST_HOPS} hops at most`
    report.tell(peer, ['ttlSecurity'], why, 'write the hops that there are')
  }
  return { ttlSecurity: Math.min(hops, MOST_HOPS) }
}

/** RFC 4271 4.2: at least three seconds, in 16 bits. */
function holdTimeOf({ peer }: Session): WrittenMap {
  const seconds = peer.spec.keepaliveTime ?? 0
  return seconds === 0 ? {} : { holdTime: `${Math.min(3 * seconds, 65535)}s` }
}

const MOST_RESTART_SECONDS = 4095

const restartTimeOf = (seconds = 0): WrittenMap =>
  seconds === 0
    ? {}
    : { gracefulRestart: { restartTime: `${Math.min(seconds, MOST_RESTART_SECONDS)}s` } }

function nextHopOf({ peer, type }: Session): WrittenMap {
  const { nextHopMode, keepOriginalNextHop } = peer.spec
  if (nextHopMode === 'Self') return { nextHop: 'self' }
  const keep = nextHopMode === 'Keep' || (keepOriginalNextHop === true && type === 'eBGP')
  return keep ? { nextHop: 'keep' } : {}
}

function ownAsnOf({ peer }: Session, { report }: PeerWorld): WrittenMap {
  const times = peer.spec.numAllowedLocalASNumbers ?? 0
  if (times > MOST_OWN_ASN) {
    const why = `linnet takes ${MOST_OWN_ASN} times at most`
    report.tell(peer, ['numAllowedLocalASNumbers'], why, 'write the times that there are')
  }
  return times === 0 ? {} : { allowOwnAsn: Math.min(times, MOST_OWN_ASN) }
}

export interface Mesh {
  readonly group: Written
  readonly nodes: readonly Written[]
  /** Sessions that the mesh of linnet can't say: of the other family, or with another port. */
  readonly peers: readonly Written[]
}

export const MESH_GROUP = 'calico-mesh'

/** The mesh as `self` is in it; undefined where nobody else is. `taken`: addresses and ports of other peers. */
export function writtenMesh(
  nodes: readonly CalicoNode[],
  taken: ReadonlySet<string>,
  { self, names, exported, report, restartTime }: PeerWorld,
): Mesh | undefined {
  const members = nodes.filter(({ clusterId }) => clusterId === undefined)
  const others = members
    .filter((node) => node !== self)
    .flatMap((node) => addressesOf(node).map((address) => ({ node, address })))
    .filter(({ address }) => self.addresses[address.family] !== undefined)
    .filter(({ node, address }) => {
      if (!taken.has(`${address.text} port ${node.port}`)) return true
      const why = `a BGPPeer leads to ${address.text} too; the mesh leaves it out`
      report.tell(node.resource, ['bgp'], why, 'nothing is to be done')
      return false
    })
  const first = others[0]
  if (first === undefined) return undefined
  const { family } = first.address
  const { port } = first.node
  const isUsual = (it: (typeof others)[number]): boolean =>
    it.address.family === family && it.node.port === port
  const usual = others.filter(isUsual)
  const entry = (node: CalicoNode, address: string): Written => ({
    name: names.unique(node.name),
    address,
    ...(node.asn === self.asn ? {} : { asn: node.asn }),
  })
  const settings = (of: Family, at: number, external: boolean) => ({
    ...(at === DEFAULT_PORT ? {} : { port: at }),
    families: [of],
    localAddress: self.addresses[of]?.text ?? '',
    ...(external ? { multihop: MULTIHOP } : {}),
    ...restartTimeOf(restartTime),
    import: 'accept',
    export: exported,
  })
  const own = self.addresses[family]
  return {
    group: settings(
      family,
      port,
      usual.some(({ node }) => node.asn !== self.asn),
    ),
    nodes: [
      ...(own === undefined ? [] : [{ name: names.unique(self.name), address: own.text }]),
      ...usual.map(({ node, address }) => entry(node, address.text)),
    ],
    peers: others
      .filter((it) => !isUsual(it))
      .map(({ node, address }) =>
        noted(`the mesh: Node ${node.name}`, {
          name: names.unique(`${node.name}-${address.family}`),
          address: address.text,
          asn: node.asn === self.asn ? 'internal' : node.asn,
          ...settings(address.family, node.port, node.asn !== self.asn),
        }),
      ),
  }
}
