/** Rows of `show routes`: walks the RIB's columns lazily and puts each path into words. */
import { covers } from '../net/prefix.ts'
import type { RouteFilter } from '../control/queries.ts'
import type { RouteRow } from '../control/rows.ts'
import type { Fate } from '../rib/decision.ts'
import type { FamilyRib } from '../rib/family-rib.ts'
import { Reader } from '../net/bytes.ts'
import { routeOriginAsn } from '../policy/match/rpki.ts'
import { Route } from '../policy/policy.ts'
import { valueIn } from '../policy/set-reader.ts'
import type { Rejection } from '../rib/paths.ts'
import { readAsPath } from '../wire/attributes/as-path.ts'
import { describeAttributes, type AttributeDescription } from '../wire/attributes/describe.ts'
import { loadShares } from './load-shares.ts'
import type { Neighbor } from './neighbor.ts'
import type { Speaker } from './speaker.ts'

/** Rows that match `filter`; routes that come or go meanwhile may be missed. */
export function* routeRows(speaker: Speaker, filter: RouteFilter): Iterable<RouteRow> {
  const neighbor = filter.peer === undefined ? undefined : speaker.neighbor(filter.peer)
  for (const rib of speaker.rib.families) {
    if (filter.family !== undefined && filter.family !== rib.family.name) continue
    for (const prefix of prefixesOf(rib, filter)) {
      if (filter.view === 'advertised') {
        if (neighbor !== undefined) yield* advertisedRows(speaker, rib, prefix, neighbor)
      } else yield* pathRows(speaker, rib, prefix, filter, neighbor)
    }
  }
}

function* prefixesOf({ prefixes }: FamilyRib, filter: RouteFilter): Iterable<number> {
  const { prefix: wanted, longer } = filter
  if (wanted !== undefined && wanted.family !== prefixes.family.name) return
  if (wanted !== undefined && !longer) {
    const id = prefixes.findPrefix(wanted)
    if (id !== 0) yield id
    return
  }
  for (let id = 1; id < prefixes.end; id++) {
    if (!prefixes.exists(id)) continue
    if (wanted === undefined || covers(wanted, prefixes.prefix(id))) yield id
  }
}

function* pathRows(
  speaker: Speaker,
  rib: FamilyRib,
  prefix: number,
  filter: RouteFilter,
  neighbor: Neighbor | undefined,
): Iterable<RouteRow> {
  const first = rib.prefixes.paths(prefix)
  if (first === 0) return
  const fates = rib.decision.explain(first)
  const weights = weightsOf(speaker, rib, fates)
  for (const [path, fate] of fates) {
    const peer = speaker.rib.peers.get(rib.paths.peer(path))
    if (!peer.up) continue
    if (filter.peer !== undefined && peer !== neighbor?.ribPeer) continue
    const eligible = isEligible(fate)
    if (filter.view === 'best' && fate !== 'best') continue
    if (filter.view === 'rejected' && eligible && refusal(speaker, rib, prefix, path) === '')
      continue
    yield pathRow(speaker, rib, prefix, path, fate, weights.get(path) ?? null)
  }
}

/** Of the paths that share the load of a prefix, where they don't share it evenly. */
function weightsOf(
  { config, rib: { attributes } }: Speaker,
  { paths }: FamilyRib,
  fates: ReadonlyMap<number, Fate>,
): ReadonlyMap<number, number> {
  if (config.decision.linkBandwidth === 'ignore') return new Map()
  const sharing = [...fates].flatMap(([path, fate]) => (forwards(fate) ? [path] : []))
  const shares = sharing.length < 2 ? [] : (loadShares(attributes, paths, sharing) ?? [])
  return new Map(shares.map((share, i) => [sharing[i], share]))
}

const forwards = (fate: Fate): boolean => fate === 'best' || fate === 'multipath'

function pathRow(
  speaker: Speaker,
  rib: FamilyRib,
  prefix: number,
  path: number,
  fate: Fate,
  weight: number | null,
): RouteRow {
  const { attributes, peers } = speaker.rib
  const set = rib.paths.accepted(path) || rib.paths.received(path)
  const peer = peers.get(rib.paths.peer(path))
  const state = speaker.forwarding?.fib.stateOf(rib.family.index, prefix)
  const text = rib.prefixes.text(prefix)
  const refused = isEligible(fate) ? refusal(speaker, rib, prefix, path) : ''
  return {
    prefix: text,
    family: rib.family.name,
    peer: peer.local ? null : peer.options.name,
    source: peer.local ? (speaker.localRoutes.get(text)?.source ?? 'static') : 'bgp',
    best: fate === 'best',
    multipath: fate === 'multipath',
    weight,
    valid: isEligible(fate),
    stale: rib.isStale(peer, path),
    installed: forwards(fate) && refused === '' && (state === 'installed' || state === 'stale'),
    ...attributeFields(describeAttributes(attributes.view(set)), peer.local, speaker),
    localPref: attributes.localPref(set),
    pathId: peer.options.addPath?.includes(rib.family.name) ? rib.paths.id(path) >>> 0 : null,
    rpki: validityOf(speaker, rib, prefix, attributes.view(set)),
    since: new Date(rib.paths.since(path) * 1000).toISOString(),
    reason:
      refused === ''
        ? reasonOf(fate, rib.paths.rejection(path)) + rejecter(speaker, rib, path)
        : `not installed: ${refused}`,
  }
}

function* advertisedRows(
  speaker: Speaker,
  rib: FamilyRib,
  prefix: number,
  neighbor: Neighbor,
): Iterable<RouteRow> {
  const membership = neighbor.membership(rib.family.name)
  if (membership === undefined) return
  const { group, member } = membership
  for (const told of group.toldTo(member.peer.id, prefix)) {
    // A path that has just gone, or the default route of `defaultOriginate`, which is none of the table.
    const isNoPath = told.path === 0
    const since = isNoPath ? neighbor.snapshot().since : rib.paths.since(told.path) * 1000
    yield {
      prefix: rib.prefixes.text(prefix),
      family: rib.family.name,
      peer: neighbor.config.name,
      source: 'bgp',
      best: !isNoPath && told.path === rib.prefixes.best(prefix),
      multipath: false,
      weight: null,
      valid: true,
      stale: false,
      installed: false,
      ...attributeFields(describeAttributes(told.set), false, speaker),
      nextHops: [told.nextHop],
      localPref: describeAttributes(told.set).localPref ?? null,
      rpki: null,
      pathId: group.addPath === 'off' ? null : told.pathId,
      since: new Date(since).toISOString(),
      reason: 'announced',
    }
  }
}

function attributeFields(it: AttributeDescription, local: boolean, { linkName }: Speaker) {
  const nextHops = [it.nextHop, it.nextHopLinkLocal].filter((hop) => hop !== undefined)
  // The last is the link-local one, where there is one: it means something on its link only (RFC 4007).
  const link = it.nextHopLink
  if (link !== undefined) nextHops.push(`${nextHops.pop()}%${linkName(link)}`)
  return {
    nextHops: local ? [] : nextHops,
    asPath: it.asPath,
    origin: ORIGINS[it.origin],
    med: it.med ?? null,
    communities: [...it.communities],
    largeCommunities: [...it.largeCommunities],
    extendedCommunities: [...it.extendedCommunities],
    originatorId: it.originatorId ?? null,
    clusterList: [...it.clusterList],
    onlyToCustomer: it.onlyToCustomer ?? null,
    atomicAggregate: it.atomicAggregate,
    aggregator: it.aggregator ?? null,
    otherAttributes: it.unknown.map(
      ({ code, flags, value }) => `${code} ${flags.toString(16)} ${value}`,
    ),
  }
}

const ORIGINS = { IGP: 'igp', EGP: 'egp', incomplete: 'incomplete' } as const

const isEligible = (fate: Fate): boolean =>
  fate !== 'rejected' && fate !== 'peer down' && fate !== 'next hop unreachable'

/** Why the kernel doesn't get the prefix although the path is chosen; '' when it does. */
function refusal(speaker: Speaker, rib: FamilyRib, prefix: number, path: number): string {
  const { forwarding } = speaker
  if (forwarding === undefined || rib.paths.peer(path) === speaker.rib.localPeer.id) return ''
  const code = forwarding.eligibility.refusal(rib.family.index, rib.prefixes, prefix)
  return code === 0 ? '' : forwarding.eligibility.refusalText(code)
}

const REJECTIONS: Readonly<Record<Rejection, string>> = {
  none: '',
  importPolicy: 'rejected by import policy',
  ownAs: 'loop: our own AS is in its AS_PATH',
  ownOriginatorId: 'loop: we are its originator',
  ownCluster: 'loop: our cluster is in its CLUSTER_LIST',
  firstAs: "its AS_PATH does not begin with the peer's AS",
  routeLeak: 'route leak: by its ONLY_TO_CUSTOMER the peer must not have sent it (RFC 9234)',
  tooLong: 'its attributes would not fit into a message',
}

/** Null where nobody is asked. */
function validityOf(
  { rpkiCaches: { rpki, size }, config }: Speaker,
  { family, prefixes }: FamilyRib,
  prefix: number,
  attributes: Uint8Array,
): RouteRow['rpki'] {
  if (size === 0) return null
  const words = new Int32Array(4)
  prefixes.copyWords(prefix, words)
  const bytes = valueIn(attributes, AS_PATH) ?? new Uint8Array(0)
  const path = readAsPath(new Reader(bytes), true, 'withdraw')
  const origin = (Array.isArray(path) ? routeOriginAsn(path) : 0) ?? config.asn
  return rpki.validate(family, words, 0, prefixes.length(prefix), origin)
}

const AS_PATH = 2

/** The policy and rule that reject a path, found by asking once more; '' for one that none rejects. */
function rejecter({ rib: { attributes, peers } }: Speaker, rib: FamilyRib, path: number): string {
  if (rib.paths.rejection(path) !== 'importPolicy') return ''
  const prefix = rib.paths.prefix(path)
  const peer = peers.get(rib.paths.peer(path))
  const route = new Route()
  route.family = rib.family
  route.from = peer.origin
  route.set = rib.paths.received(path)
  rib.prefixes.copyWords(prefix, route.words)
  route.length = rib.prefixes.length(prefix)
  const { reason } = peer.importPolicy.judge(route)
  if (route.set !== rib.paths.received(path)) attributes.release(route.set)
  return `: ${reason}`
}

function reasonOf(fate: Fate, rejection: Rejection): string {
  switch (fate) {
    case 'rejected':
      return REJECTIONS[rejection]
    case 'best':
    case 'multipath':
    case 'peer down':
    case 'next hop unreachable':
      return fate
    default:
      return `loses by ${fate}`
  }
}
