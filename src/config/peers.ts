/**
 * Peers and mesh nodes -> ResolvedPeers, and what can only be judged when a peer and its group are put
 * together. What a peer says goes before its group, and that before the default; where keys
 * exclude each other (`password` and `tcpAo`, `ttlSecurity` and `multihop`) the level that names one of
 * them decides about all.
 */
import type { Address } from '../net/address.ts'
import type { Complaints } from './advice.ts'
import { checkBfd, resolveBfd } from './bfd.ts'
import type { Confederation, PeerRange, ResolvedPeer } from './config.ts'
import { resolveGracefulRestart } from './graceful-restart.ts'
import { groupSchema, SESSION_DEFAULTS, type PeerSettings } from './peer-schema.ts'
import { definitionsOf } from './policy-names.ts'
import type { Policies } from './policies.ts'
import { checkPrefixLimit, resolvePrefixLimit } from './prefix-limit.ts'
import { checkSigning, readSecret, signingOf } from './signing.ts'
import { nearest } from './spelling.ts'
import { nodeAt, type Path, type TreeNode } from './tree.ts'
import { BFD_KEY_BYTES } from './values.ts'
import { isOwn, mayBeOwn, type World } from './world.ts'

/** A peer or mesh node before its settings are put together. */
export interface PeerDraft {
  readonly path: Path
  readonly name: string
  readonly description?: string | undefined
  readonly address: Address
  readonly interface?: string | undefined
  readonly group?: string | undefined
  readonly own: PeerSettings
  /** It stands for whoever calls from there: its address is nobody's. */
  readonly range?: Omit<PeerRange, 'peer'>
}

export interface PeerContext {
  readonly root: TreeNode
  readonly world: World
  readonly complaints: Complaints
  /** AS number of the document. */
  readonly asn: number
  readonly confederation: Confederation | undefined
  /** `kernel.install` */
  readonly install: boolean
  /** Undefined: the group exists, but is itself wrong. */
  readonly groups: ReadonlyMap<string, PeerSettings | undefined>
  readonly policies: Policies
}

const DEFAULTS = groupSchema
  .required({
    families: true,
    holdTime: true,
    sendHoldTime: true,
    connectRetry: true,
    passive: true,
    port: true,
    extendedMessages: true,
    enhancedRouteRefresh: true,
    gracefulRestart: true,
    routeReflectorClient: true,
    nextHop: true,
    allowOwnAsn: true,
    maxPrefixes: true,
    asOverride: true,
    defaultOriginate: true,
    removePrivateAsn: true,
    gracefulShutdown: true,
    announce: true,
  })
  .parse(SESSION_DEFAULTS)

/** The settings of one peer or one group that contradict each other. */
export function checkSettings(path: Path, settings: PeerSettings, complaints: Complaints): void {
  checkSigning(path, settings, complaints)
  if (settings.ttlSecurity !== undefined && settings.multihop !== undefined) {
    const message = 'ttlSecurity stands beside it, and a far peer is not a near one'
    complaints.error([...path, 'multihop'], message, 'remove one of them')
  }
  checkBfd([...path, 'bfd'], settings.bfd, complaints)
  checkPrefixLimit([...path, 'maxPrefixes'], settings.maxPrefixes, complaints)
  checkPrefixLimit([...path, 'maxPrefixesOut'], settings.maxPrefixesOut, complaints)
  const families = settings.families ?? []
  families.forEach((family, i) => {
    if (families.indexOf(family) === i) return
    complaints.error([...path, 'families', i], `${family} is here twice`, 'remove one')
  })
}

/** The peer with all it inherits; undefined when it can't be put together. */
export function resolvePeer(draft: PeerDraft, context: PeerContext): ResolvedPeer | undefined {
  const { complaints } = context
  const levels = levelsOf(draft, context)
  if (levels === undefined) return undefined
  const find = findIn(levels)
  const asn = find('asn')
  if (asn === undefined) {
    if (written(levels, 'asn', context)) return undefined
    complaints.error(
      draft.path,
      `${draft.name} has no AS number`,
      'add asn: 65001, or asn: internal',
    )
    return undefined
  }
  const remote = asn.value === 'internal' ? context.asn : asn.value
  const type = typeOf(remote, context)
  const outward = context.confederation?.asn ?? context.asn
  const shown = localAsnOf(find('localAsn')?.value ?? (type === 'external' ? outward : context.asn))
  const role = roleOf(find('role')?.value)
  const reflected = find('routeReflectorClient')?.value ?? DEFAULTS.routeReflectorClient
  const holdTimeSeconds = find('holdTime')?.value ?? DEFAULTS.holdTime
  const sendHoldTimeSeconds =
    find('sendHoldTime')?.value ?? Math.max(DEFAULTS.sendHoldTime, 2 * holdTimeSeconds)
  const localAddress = find('localAddress')?.value
  const bindDevice = find('bindDevice')?.value
  const signing = signingOf(levels, context)
  const distance = findIn(
    levels
      .filter(({ it }) => it.ttlSecurity !== undefined || it.multihop !== undefined)
      .slice(0, 1),
  )
  const ttlSecurity = distance('ttlSecurity')?.value
  const multihop = distance('multihop')?.value
  const addPath = find('addPath')?.value
  const bfd = find('bfd')
  const watched =
    bfd === undefined
      ? undefined
      : resolveBfd(bfd.path, bfd.value, (file, path) =>
          readSecret(file, path, 'key', context, BFD_KEY_BYTES),
        )
  const maxPrefixesOut = find('maxPrefixesOut')?.value
  const gracefulRestart = resolveGracefulRestart(
    find('gracefulRestart')?.value ?? DEFAULTS.gracefulRestart,
  )
  const peer: ResolvedPeer = {
    name: draft.name,
    ...(draft.description === undefined ? {} : { description: draft.description }),
    ...(draft.group === undefined ? {} : { group: draft.group }),
    address: draft.address,
    ...(draft.interface === undefined ? {} : { interface: draft.interface }),
    port: find('port')?.value ?? DEFAULTS.port,
    asn: remote,
    type,
    localAsn: shown.asn,
    prependLocalAsn: shown.prependReceived,
    prependOwnAsn: shown.prependOwn,
    families: find('families')?.value ?? DEFAULTS.families,
    extendedNextHop: find('extendedNextHop')?.value ?? draft.interface !== undefined,
    holdTimeSeconds,
    sendHoldTimeSeconds,
    connectRetrySeconds: find('connectRetry')?.value ?? DEFAULTS.connectRetry,
    passive: find('passive')?.value ?? DEFAULTS.passive,
    ...(localAddress === undefined ? {} : { localAddress }),
    ...(bindDevice === undefined ? {} : { bindDevice }),
    ...signing,
    ...(ttlSecurity === undefined ? {} : { ttlSecurity }),
    ...(multihop === undefined ? {} : { multihop }),
    nextHop: find('nextHop')?.value ?? DEFAULTS.nextHop,
    importPolicy: definitionsOf(
      find('import')?.value ?? (type === 'external' ? 'reject' : 'accept'),
      context.policies,
    ),
    exportPolicy: definitionsOf(
      find('export')?.value ?? (reflected ? 'accept' : 'local'),
      context.policies,
    ),
    routeReflectorClient: reflected,
    allowOwnAsn: find('allowOwnAsn')?.value ?? DEFAULTS.allowOwnAsn,
    extendedMessages: find('extendedMessages')?.value ?? DEFAULTS.extendedMessages,
    enhancedRouteRefresh: find('enhancedRouteRefresh')?.value ?? DEFAULTS.enhancedRouteRefresh,
    ...(gracefulRestart === undefined ? {} : { gracefulRestart }),
    addPath: { receive: addPath?.receive ?? false, send: addPath?.send ?? 'off' },
    ...(watched === undefined ? {} : { bfd: watched }),
    maxPrefixes: resolvePrefixLimit(find('maxPrefixes')?.value ?? DEFAULTS.maxPrefixes),
    ...(maxPrefixesOut === undefined ? {} : { maxPrefixesOut: resolvePrefixLimit(maxPrefixesOut) }),
    // A route server does not put itself in front (RFC 7947 section 2.2.2).
    enforceFirstAsn: find('enforceFirstAsn')?.value ?? role?.is !== 'rs-client',
    announce: find('announce')?.value ?? DEFAULTS.announce,
    defaultOriginate: find('defaultOriginate')?.value ?? DEFAULTS.defaultOriginate,
    asOverride: find('asOverride')?.value ?? DEFAULTS.asOverride,
    removePrivateAsn: find('removePrivateAsn')?.value ?? DEFAULTS.removePrivateAsn,
    ...(role === undefined ? {} : { role: role.is, ...(role.strict ? { strictRole: true } : {}) }),
    gracefulShutdown: find('gracefulShutdown')?.value ?? DEFAULTS.gracefulShutdown,
  }
  judge(peer, draft, levels, context)
  return peer
}

const localAsnOf = (it: NonNullable<PeerSettings['localAsn']>) =>
  typeof it === 'number' ? { asn: it, prependReceived: false, prependOwn: false } : it

const roleOf = (it: PeerSettings['role']) =>
  typeof it === 'string' ? { is: it, strict: false } : it

function typeOf(
  asn: number | 'external',
  { asn: own, confederation }: PeerContext,
): ResolvedPeer['type'] {
  if (asn === own) return 'internal'
  const isMember = confederation?.members.some((member) => member === asn) === true
  return isMember ? 'confederation' : 'external'
}

/** Of internal peers they would be silent nonsense. */
const FOR_EXTERNAL_PEERS = ['asOverride', 'removePrivateAsn', 'role'] as const

/** What the put-together peer still gets wrong, told where it is written. */
function judge(
  peer: ResolvedPeer,
  draft: PeerDraft,
  levels: readonly Level[],
  context: PeerContext,
): void {
  const { complaints, world } = context
  const find = findIn(levels)
  const at = (key: keyof PeerSettings): Path => find(key)?.path ?? draft.path
  if (draft.range === undefined && isOwn(world, peer.address)) {
    const message = `${peer.address.text} is an address of this host`
    complaints.error([...draft.path, 'address'], message, "write the other router's")
  }
  if (peer.interface !== undefined) judgeUnnumbered(peer, draft, at, context)
  else if (peer.localAddress?.text === peer.address.text) {
    const message = `${peer.address.text} is the address of ${peer.name} itself`
    complaints.error(at('localAddress'), message, 'write an address of this host')
  } else if (peer.localAddress !== undefined && peer.localAddress.family !== peer.address.family) {
    const message = `${peer.localAddress.text} can't be the source of a session to ${peer.address.text}`
    const family = peer.address.family === 'ipv4' ? 'an IPv4' : 'an IPv6'
    complaints.error(at('localAddress'), message, `write ${family} address of this host`)
  } else if (peer.localAddress !== undefined && !mayBeOwn(world, peer.localAddress)) {
    const message = `${peer.localAddress.text} is not an address of this host`
    complaints.error(at('localAddress'), message, `write one of ${ownAddresses(world)}`)
  }
  if (peer.type !== 'external' && find('localAsn') !== undefined) {
    const where = peer.type === 'internal' ? 'an internal peer' : 'a peer within the confederation'
    const message = `${peer.name} is ${where}, which knows us by our own AS number`
    complaints.error(at('localAsn'), message, 'remove it')
  } else if (peer.asn === peer.localAsn && peer.type === 'external') {
    const shown = find('localAsn') !== undefined
    const message = shown
      ? `${peer.name} has this AS number too`
      : `${peer.asn} is the number of our confederation`
    const remedy = shown ? 'write another, or remove it' : 'write the member AS that it is in'
    complaints.error(at(shown ? 'localAsn' : 'asn'), message, remedy)
  }
  for (const key of FOR_EXTERNAL_PEERS) {
    if (peer.type === 'external' || (find(key)?.value ?? false) === false) continue
    complaints.error(at(key), `${peer.name} is no external peer`, 'remove it')
  }
  if (peer.announce === 'afterInstall' && !context.install) {
    const message = 'the kernel gets no routes here: nothing would be passed on'
    complaints.error(at('announce'), message, 'remove it, or write kernel: { install: true }')
  }
  if (peer.routeReflectorClient && peer.type !== 'internal') {
    const message = `${peer.name} is an external peer; only internal ones are reflected to (RFC 4456)`
    complaints.error(at('routeReflectorClient'), message, 'remove it, or write asn: internal')
  }
  const sendHold = find('sendHoldTime')
  if (sendHold !== undefined && sendHold.value > 0 && sendHold.value <= peer.holdTimeSeconds) {
    const message = `${sendHold.value}s is not longer than the hold time of ${peer.holdTimeSeconds}s (RFC 9687)`
    complaints.error(
      at('sendHoldTime'),
      message,
      `write 0 (off) or more than ${peer.holdTimeSeconds}s`,
    )
  }
  if (peer.type === 'external' && !written(levels, 'import', context)) {
    const message = `nothing will be accepted from ${peer.name}: no import policy (RFC 8212)`
    complaints.warning(draft.path, message, 'write import: accept')
  }
}

/** What makes no sense with a neighbour that is found on its link. */
function judgeUnnumbered(
  peer: ResolvedPeer,
  draft: PeerDraft,
  at: (key: keyof PeerSettings) => Path,
  { world, complaints }: PeerContext,
): void {
  const { name, localAddress, multihop } = peer
  const { links } = world
  if (links !== undefined && draft.interface !== undefined && !links.includes(draft.interface)) {
    const message = `there is no link ${draft.interface} on this host yet`
    const near = nearest(draft.interface, links)
    const remedy =
      near === undefined ? `the links here are ${listed(links)}` : `did you mean ${near}?`
    complaints.warning([...draft.path, 'interface'], message, remedy)
  }
  if (localAddress !== undefined) {
    const message = `the session with ${name} stands on the link-local address of ${peer.interface}`
    complaints.error(at('localAddress'), message, 'remove it')
  }
  for (const key of ['multihop', 'bfd'] as const) {
    const isFar = key === 'bfd' ? peer.bfd?.multihop === true : multihop !== undefined
    if (!isFar) continue
    const message = `${name} is on the link itself`
    complaints.error(at(key), message, key === 'bfd' ? 'remove its multihop' : 'remove it')
  }
}

interface Level {
  readonly path: Path
  readonly it: PeerSettings
}

/** The peer's own settings, then its group's; undefined when the group is missing or wrong. */
function levelsOf(draft: PeerDraft, { groups, complaints }: PeerContext): Level[] | undefined {
  const own: Level = { path: draft.path, it: draft.own }
  const name = draft.group
  if (name === undefined) return [own]
  const group = groups.get(name)
  if (group !== undefined) return [own, { path: ['peerGroups', name], it: group }]
  if (!groups.has(name)) {
    const names = [...groups.keys()]
    const near = nearest(name, names) ?? (names.length === 1 ? names[0] : undefined)
    const path = draft.path[0] === 'mesh' ? ['mesh', 'group'] : [...draft.path, 'group']
    const remedy = near === undefined ? `add ${name} to peerGroups` : `did you mean ${near}?`
    complaints.error(path, `there is no group ${name}`, remedy)
  }
  return undefined
}

/** True when the setting stands there, right or wrong. */
const written = (levels: readonly Level[], key: string, { root }: PeerContext): boolean =>
  levels.some(({ path }) => nodeAt(root, [...path, key]) !== undefined)

type Find = <K extends keyof PeerSettings>(
  key: K,
) => { readonly value: NonNullable<PeerSettings[K]>; readonly path: Path } | undefined

/** Looks a setting up, the peer's own level first, and says where it is written. */
function findIn(levels: readonly Level[]): Find {
  return (key) => {
    for (const level of levels) {
      const value = level.it[key]
      if (value !== undefined) return { value, path: [...level.path, key] }
    }
    return undefined
  }
}

const MOST_NAMED = 6

const listed = (texts: readonly string[]): string =>
  texts.slice(0, MOST_NAMED).join(', ') + (texts.length > MOST_NAMED ? ', ...' : '')

const ownAddresses = ({ ownAddresses: own = [] }: World): string =>
  listed(own.map(({ text }) => text))
