/**
 * What a reload does: the difference of two Configs, as data. Nothing is done here; the daemon acts on
 * the answer and `linnet plan` can print it.
 *
 * The two tables below say for each field what its change costs, and are meant to be read. Peers are
 * the same peer when they have the same name. Remove before you add: a renamed peer is both.
 */
import type { Config, ResolvedPeer } from './config.ts'
import { Secret } from './secret.ts'

/** What a changed setting of a peer costs, mildest first. */
export type PeerEffect =
  /** Applied to the running session; no message is lost, routes are judged or announced anew. */
  | 'live'
  /** Counts from the next connection on; the session that is up stays. */
  | 'nextSession'
  /** The session ends (Cease, RFC 4486 subcode 6) and begins again. */
  | 'reset'

export type GlobalEffect =
  /** Applied while running. */
  | 'live'
  /** Refused by a reload: the daemon must be restarted. */
  | 'restart'

const PEER_FIELDS: Readonly<Record<keyof ResolvedPeer, readonly [PeerEffect, because: string]>> = {
  name: ['live', 'the name is what tells peers apart'],
  description: ['live', 'for people only'],
  group: ['live', 'the group itself means nothing; its settings are compared one by one'],
  importPolicy: ['live', 'the routes received are judged anew'],
  exportPolicy: ['live', 'what the new policy adds is announced, what it forbids is withdrawn'],
  bfd: ['live', 'the path is watched in another way, or no longer; the session stays'],
  maxPrefixes: ['live', 'counted anew; a peer that is held down is called again'],
  maxPrefixesOut: ['live', 'counted anew; a peer that is held down is called again'],
  announce: ['live', 'what waits is announced, what the kernel lacks is withdrawn'],
  defaultOriginate: ['live', 'the default route is announced or withdrawn'],
  password: [
    'live',
    'TCP signs with the new one, and sends again what is lost until the peer has it',
  ],
  tcpAo: [
    'live',
    'keys are added and taken away; a session without one that stays as it is begins again',
  ],
  passive: ['nextSession', 'decides who connects'],
  connectRetrySeconds: ['nextSession', 'only waits between connections'],
  address: ['reset', 'the session is with another address'],
  interface: ['reset', 'the session is with another neighbour'],
  range: ['live', 'it says only where the peer came from'],
  port: ['reset', 'the session is with another port'],
  asn: ['reset', 'the AS number is checked in OPEN'],
  type: ['reset', 'internal and external sessions follow different rules'],
  localAsn: ['reset', 'our AS number is told in OPEN'],
  families: ['reset', 'families are agreed on in OPEN'],
  extendedNextHop: ['reset', 'next hops of IPv6 are agreed on in OPEN'],
  holdTimeSeconds: ['reset', 'the hold time is agreed on in OPEN'],
  sendHoldTimeSeconds: ['reset', 'the timer begins with the session'],
  localAddress: ['reset', 'the connection has another source'],
  bindDevice: ['reset', 'the connection goes through another link'],
  ttlSecurity: ['reset', 'the TTL belongs to the connection'],
  multihop: ['reset', 'the TTL belongs to the connection'],
  nextHop: ['reset', 'every route must be announced with another next hop'],
  routeReflectorClient: ['reset', 'reflection decides about every route'],
  extendedMessages: ['reset', 'the length of messages is agreed on in OPEN'],
  enhancedRouteRefresh: ['reset', 'marks of refreshes are agreed on in OPEN'],
  gracefulRestart: ['nextSession', 'it is agreed on in OPEN'],
  addPath: ['reset', 'path identifiers are agreed on in OPEN'],
  prependLocalAsn: ['live', 'the routes received are judged anew'],
  prependOwnAsn: ['live', 'every route is announced again'],
  allowOwnAsn: ['live', 'the routes received are judged anew'],
  enforceFirstAsn: ['live', 'the routes received are judged anew'],
  asOverride: ['live', 'every route is announced again'],
  removePrivateAsn: ['live', 'every route is announced again'],
  role: ['reset', 'the role is told in OPEN'],
  strictRole: ['nextSession', 'roles are compared in OPEN'],
  gracefulShutdown: ['live', 'the routes received are judged anew'],
}

const GLOBAL_FIELDS: readonly (readonly [field: string, GlobalEffect, because: string])[] = [
  ['asn', 'restart', 'every session and every route is built on it'],
  ['routerId', 'restart', 'peers know us by it'],
  ['clusterId', 'restart', 'it is in the routes that were reflected'],
  ['confederation', 'restart', 'every session and every route is built on it'],
  ['decision', 'restart', 'every prefix would have to be decided anew'],
  ['ranges', 'live', 'peers that called from there get the new settings, or go'],
  ['listen', 'live', 'listeners are opened and closed; sessions stay'],
  [
    'policies',
    'live',
    'routes received are judged anew; of what is told only the difference is sent',
  ],
  ['rpki', 'live', 'caches are left and asked; routes are judged anew'],
  ['advertise.interfaces', 'live', 'prefixes are announced and withdrawn'],
  ['advertise.hostRoutes', 'live', 'host routes are announced and withdrawn'],
  ['advertise.cni', 'live', 'prefixes are announced and withdrawn'],
  ['advertise.docker', 'live', 'the engine is looked at anew; what is found again stays announced'],
  ['advertise.prefixes', 'live', 'prefixes are announced and withdrawn'],
  ['advertise.aggregates', 'live', 'prefixes are announced and withdrawn'],
  ['kernel.install', 'restart', 'the tables of the FIB are laid out at start'],
  ['kernel.table', 'restart', 'routes would stay behind in the old table'],
  ['kernel.metric', 'restart', 'routes would stay behind under the old metric'],
  ['kernel.protocol', 'restart', 'routes would stay behind under the old number'],
  ['kernel.nexthopObjects', 'restart', 'every route would have to be written anew'],
  ['kernel.ecmp', 'restart', 'every prefix would have to be decided anew'],
  ['kernel.multipathRelax', 'restart', 'every prefix would have to be decided anew'],
  ['kernel.defaultRoute', 'restart', 'what was refused is not kept'],
  ['kernel.withinOwn', 'restart', 'what was refused is not kept'],
  ['kernel.preferredSource', 'restart', 'every route would have to be written anew'],
  ['kernel.onStop', 'live', 'it counts when the daemon stops'],
  ['overlay', 'restart', 'every route in it would have to be written anew'],
  ['nat', 'live', 'rules are put and taken away'],
  ['bmp', 'live', 'stations are connected and left; one that changed hears everything anew'],
  ['mrt', 'live', 'files are opened and closed; sessions stay'],
  ['api.socket', 'restart', 'clients are connected to it'],
  ['api.http', 'restart', 'clients are connected to it'],
  ['log.level', 'live', 'it counts from the next line on'],
  ['log.format', 'restart', 'the writer is made at start'],
]

export interface FieldChange<Effect> {
  readonly field: string
  readonly effect: Effect
  readonly because: string
}

export interface PeerChange {
  readonly name: string
  readonly before: ResolvedPeer
  readonly after: ResolvedPeer
  /** The strongest effect of its fields. */
  readonly effect: PeerEffect
  readonly fields: readonly FieldChange<PeerEffect>[]
}

export interface ConfigChange {
  readonly removed: readonly ResolvedPeer[]
  readonly added: readonly ResolvedPeer[]
  readonly changed: readonly PeerChange[]
  /** Peers that nothing happens to. */
  readonly unchanged: readonly ResolvedPeer[]
  /** What changed beside the peers. */
  readonly global: readonly FieldChange<GlobalEffect>[]
  /** The global changes that a reload must refuse, as sentences; empty = the reload can be done. */
  readonly refusals: readonly string[]
}

export function changeOf(before: Config, after: Config): ConfigChange {
  const old = new Map(before.peers.map((peer) => [peer.name, peer]))
  const kept = new Set(after.peers.map((peer) => peer.name))
  const changes = after.peers.flatMap((peer) => {
    const was = old.get(peer.name)
    return was === undefined ? [] : [peerChange(was, peer)]
  })
  const global = globalChanges(before, after)
  return {
    removed: before.peers.filter((peer) => !kept.has(peer.name)),
    added: after.peers.filter((peer) => !old.has(peer.name)),
    changed: changes.filter((change) => change.fields.length > 0),
    unchanged: changes.filter((change) => change.fields.length === 0).map((it) => it.after),
    global,
    refusals: global
      .filter((it) => it.effect === 'restart')
      .map((it) => `${it.field} can't change while linnet runs (${it.because}); restart it`),
  }
}

const STRENGTH: readonly PeerEffect[] = ['live', 'nextSession', 'reset']

/** How a peer becomes what it is `after`. */
export function peerChange(before: ResolvedPeer, after: ResolvedPeer): PeerChange {
  const fields = Object.entries(PEER_FIELDS).flatMap(([field, [usual, because]]) => {
    if (same(valueOf(before, field), valueOf(after, field))) return []
    const effect = field === 'tcpAo' && !overlap(before, after) ? 'reset' : usual
    return [{ field, effect, because }]
  })
  const strongest = Math.max(0, ...fields.map((it) => STRENGTH.indexOf(it.effect)))
  return { name: after.name, before, after, effect: STRENGTH[strongest] ?? 'reset', fields }
}

/**
 * A connection can go over from one key of TCP-AO to another while it has both; it can't begin to sign,
 * nor take another key under the ids of one that it has.
 */
function overlap(
  { tcpAo: before = [] }: ResolvedPeer,
  { tcpAo: after = [] }: ResolvedPeer,
): boolean {
  const stays = before.filter((key) => after.some((it) => same(it, key)))
  const reused = before.filter(
    (key) =>
      !stays.includes(key) &&
      after.some((it) => it.sendId === key.sendId || it.receiveId === key.receiveId),
  )
  return stays.length > 0 && reused.length === 0
}

function globalChanges(before: Config, after: Config): FieldChange<GlobalEffect>[] {
  return GLOBAL_FIELDS.flatMap(([field, effect, because]) =>
    same(valueOf(before, field), valueOf(after, field)) ? [] : [{ field, effect, because }],
  )
}

/** The value at a dotted path. */
function valueOf(it: unknown, path: string): unknown {
  return path.split('.').reduce((at: unknown, key) => (isRecord(at) ? at[key] : undefined), it)
}

const isRecord = (it: unknown): it is Readonly<Record<string, unknown>> =>
  typeof it === 'object' && it !== null

/** Deep equality of configuration values. */
function same(a: unknown, b: unknown): boolean {
  if (a instanceof Secret && b instanceof Secret) return a.equals(b)
  if (!isRecord(a) || !isRecord(b)) return a === b
  const keys = Object.keys(a)
  return keys.length === Object.keys(b).length && keys.every((key) => same(a[key], b[key]))
}

/** The tables, for the reference. */
export const EFFECTS = { peer: PEER_FIELDS, global: GLOBAL_FIELDS }
