/**
 * `peerGroups`, `peers` and `mesh` as written -> the peers and ranges of the Config: each entry is checked by
 * itself, put together with its group (peers.ts), and then compared with the others.
 */
import { addressFromBytes, type Address } from '../net/address.ts'
import type { Prefix } from '../net/prefix.ts'
import type { PeerRange, PeerSetting, ResolvedPeer } from './config.ts'
import { parse, type Section } from './parse.ts'
import { groupName, groupSchema, peerSchema, RANGE_DEFAULTS } from './peer-schema.ts'
import type { MeshEntry, PeerSettings } from './peer-schema.ts'
import { checkSettings, resolvePeer, type PeerContext, type PeerDraft } from './peers.ts'
import type { Policies } from './policies.ts'
import { checkPolicyNames } from './policy-names.ts'
import { configSchema } from './schema.ts'
import { settingsOf } from './settings.ts'
import { nodeAt, type Path } from './tree.ts'
import { isOwn } from './world.ts'

export interface PeerList {
  readonly peers: readonly ResolvedPeer[]
  readonly ranges: readonly PeerRange[]
  readonly settings: ReadonlyMap<string, readonly PeerSetting[]>
}

/** Peers, ranges and mesh nodes that are right by themselves; without `asn`, what can be checked is. */
export function resolvePeers(
  {
    asn,
    confederation,
    install,
  }: Pick<PeerContext, 'confederation' | 'install'> & { readonly asn: number | undefined },
  policies: Policies,
  mesh: MeshEntry | undefined,
  context: Section,
): PeerList {
  const groups = readGroups(policies, context)
  const drafts: PeerDraft[] = [
    ...readPeers(policies, context),
    ...(mesh === undefined ? [] : meshPeers(mesh, groups, context)),
  ]
  checkNames(drafts, context)
  const peers: ResolvedPeer[] = []
  const ranges: PeerRange[] = []
  const settings = new Map<string, readonly PeerSetting[]>()
  if (asn === undefined) return { peers, ranges, settings }
  const seen = new Map<string, PeerDraft>()
  for (const draft of drafts) {
    const peer = resolvePeer(draft, { ...context, asn, confederation, install, groups, policies })
    if (peer === undefined) continue
    const there =
      draft.range === undefined
        ? `${peer.address.text} port ${peer.port}`
        : `whoever is in ${draft.range.prefix.text}`
    const other = seen.get(there)
    if (other !== undefined) {
      const where =
        draft.range !== undefined
          ? there
          : peer.interface === undefined
            ? `at ${there}`
            : `whoever is on ${peer.interface}`
      const message = `${other.name} is ${where} too`
      context.complaints.error(placeOf(draft, context), message, 'remove one of them')
    }
    seen.set(there, draft)
    settings.set(peer.name, settingsOf(draft, context.root))
    if (draft.range === undefined) peers.push(peer)
    else ranges.push({ ...draft.range, peer: { ...peer, range: peer.name } })
  }
  return { peers, ranges, settings }
}

function readGroups(policies: Policies, context: Section): Map<string, PeerSettings | undefined> {
  const node = nodeAt(context.root, ['peerGroups'])
  const groups = new Map<string, PeerSettings | undefined>()
  if (node === undefined) return groups
  if (node.kind !== 'map') {
    parse(configSchema.shape.peerGroups, ['peerGroups'], context)
    return groups
  }
  for (const name of node.entries.keys()) {
    const path = ['peerGroups', name]
    if (!groupName.safeParse(name).success) {
      const message = `"${name}" is not the name of a group`
      context.complaints.errorAtKey(path, message, 'write one without blanks, such as tor')
    }
    const group = parse(groupSchema, path, context)
    if (group !== undefined) {
      checkSettings(path, group, context.complaints)
      checkPolicyNames(path, group, policies, context.complaints)
    }
    groups.set(name, group)
  }
  return groups
}

function readPeers(policies: Policies, context: Section): PeerDraft[] {
  const node = nodeAt(context.root, ['peers'])
  if (node?.kind !== 'list') {
    parse(configSchema.shape.peers, ['peers'], context)
    return []
  }
  return node.items.flatMap((_, i): PeerDraft[] => {
    const path = ['peers', i]
    const entry = parse(peerSchema, path, context)
    if (entry === undefined) return []
    const { name, address, interface: link, range, limit, removeAfter, ...rest } = entry
    const { group, description, ...own } = rest
    checkSettings(path, own, context.complaints)
    checkPolicyNames(path, own, policies, context.complaints)
    if (!checkPlace(path, context)) return []
    const draft = { path, group, description, own }
    if (range !== undefined) {
      const facts = {
        limit: limit ?? RANGE_DEFAULTS.limit,
        removeAfter: removeAfter ?? RANGE_DEFAULTS.removeAfter,
      }
      return [rangeDraft({ ...draft, name: name ?? range.text }, range, facts, context)]
    }
    for (const key of ['limit', 'removeAfter'] as const) {
      if (entry[key] === undefined) continue
      context.complaints.error([...path, key], 'belongs to a range of peers', 'remove it')
    }
    const somewhere = address ?? (link === undefined ? undefined : nobodyOn(link))
    if (somewhere === undefined) return []
    return [{ ...draft, name: name ?? link ?? somewhere.text, address: somewhere, interface: link }]
  })
}

/** A range stands at its own first address, until somebody calls. */
function rangeDraft(
  draft: Omit<PeerDraft, 'address' | 'range'>,
  prefix: Prefix,
  { limit, removeAfter }: typeof RANGE_DEFAULTS,
  { complaints }: Section,
): PeerDraft {
  if (draft.own.passive === false) {
    const message = 'peers of a range are not called: nobody knows where they are'
    complaints.error([...draft.path, 'passive'], message, 'remove it')
  }
  return {
    ...draft,
    own: { ...draft.own, passive: true },
    address: addressFromBytes(prefix.bytes),
    range: { prefix, limit, removeAfterSeconds: removeAfter },
  }
}

/** Where a peer is, is said in one way; false, and complained of, when it is not said, or twice. */
function checkPlace(path: Path, { root, complaints }: Section): boolean {
  const written = PLACES.filter((key) => nodeAt(root, [...path, key]) !== undefined)
  const [first, second] = written
  if (first === undefined) {
    complaints.error([...path, 'address'], 'is missing', 'add address: 10.0.1.1')
    return false
  }
  if (second === undefined) return true
  const message = `${first} stands beside it, and says where the peer is`
  complaints.error([...path, second], message, 'remove one of them')
  return false
}

const PLACES = ['address', 'interface', 'range'] as const

/** The other nodes of the mesh; we are left out. */
function meshPeers(
  mesh: MeshEntry,
  groups: ReadonlyMap<string, PeerSettings | undefined>,
  { world, complaints }: Section,
): PeerDraft[] {
  const group = mesh.group === undefined ? undefined : groups.get(mesh.group)
  const asnOfGroup = group?.asn
  const nodes = mesh.nodes.map((node) => ('address' in node ? node : { address: node }))
  const drafts = nodes.flatMap((node, i): PeerDraft[] => {
    const { address, asn, name } = { asn: undefined, name: undefined, ...node }
    // The source of our sessions is ours, also where the file is checked on another host.
    if (isOwn(world, address) || group?.localAddress?.text === address.text) return []
    const own =
      asn === undefined && asnOfGroup !== undefined ? {} : { asn: asn ?? ('internal' as const) }
    return [
      { path: ['mesh', 'nodes', i], name: name ?? address.text, address, group: mesh.group, own },
    ]
  })
  if (world.ownAddresses !== undefined && drafts.length === nodes.length) {
    complaints.warning(['mesh', 'nodes'], 'none of these is this host', 'add an address of it')
  }
  return drafts
}

function checkNames(drafts: readonly PeerDraft[], context: Section): void {
  const named = new Map<string, PeerDraft>()
  for (const draft of drafts) {
    const other = named.get(draft.name)
    named.set(draft.name, draft)
    if (other === undefined) continue
    const path = [...draft.path, 'name']
    const written = nodeAt(context.root, path) !== undefined
    const message = `another peer is called ${draft.name} too`
    if (written) context.complaints.error(path, message, 'give it a name of its own')
    else if (other.address.text !== draft.address.text || other.own.port !== draft.own.port) {
      context.complaints.error(draft.path, message, 'add a name')
    }
  }
}

/** fe80:: on a link: an address that no router has (RFC 4291 2.6.1), in place of one not yet known. */
function nobodyOn(link: string): Address {
  const bytes = new Uint8Array(16)
  bytes.set([0xfe, 0x80])
  return addressFromBytes(bytes, link)
}

/** Where it is written where the peer is: the mesh has bare addresses. */
function placeOf(draft: PeerDraft, { root }: Section): Path {
  const places = PLACES.map((key) => [...draft.path, key])
  return places.find((path) => nodeAt(root, path) !== undefined) ?? draft.path
}
