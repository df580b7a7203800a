/**
 * The rows that linnet shows: one zod schema each, and nothing else decides a field's name or meaning.
 *
 * The types of the daemon's answers (`z.infer`), the OpenAPI document, docs/api.md and the columns of
 * `linnet show` all follow from here. Rows are plain data and mostly flat; a field is always there and is
 * null when it has nothing to say, so that a reader needs no second guess. Times are ISO 8601 in UTC.
 * Import this file for its types wherever start-up time counts: zod is loaded only by who needs schemas.
 */
import { z } from 'zod'

const count = (text: string) => z.number().int().min(0).describe(text)
const text = (meaning: string) => z.string().describe(meaning)
const maybeText = (meaning: string) => z.string().nullable().describe(meaning)
const maybeCount = (meaning: string) => z.number().int().min(0).nullable().describe(meaning)
const time = (meaning: string) => z.iso.datetime().describe(meaning)
const flag = (meaning: string) => z.boolean().describe(meaning)
const texts = (meaning: string) => z.array(z.string()).describe(meaning)
const family = z.enum(['ipv4', 'ipv6']).describe('Address family.')

export const peerRow = z.object({
  name: text('Name in the configuration; for a dynamic peer, range name and address.'),
  address: maybeText(
    'Its address; null while an unnumbered peer has not been found on its interface.',
  ),
  interface: maybeText('Interface of an unnumbered peer.'),
  range: maybeText(
    'The `range` that it has called from; null for a peer that is configured by itself.',
  ),
  asn: maybeCount('Its AS; null while unknown (asn: external before the first OPEN).'),
  group: maybeText('Peer group in the configuration.'),
  state: z
    .enum(['Idle', 'Connect', 'Active', 'OpenSent', 'OpenConfirm', 'Established'])
    .describe('State of the session (RFC 4271 section 8.2.2).'),
  reason: text(
    'The state in words: `shut down by linnet shutdown`, `trying again in 4 s`; or empty.',
  ),
  since: time('When it entered Established, or left it (or the daemon started).'),
  families: z.array(family).describe('Families agreed on; before that, those configured.'),
  received: count('Prefixes the peer announces to us, before the import policy.'),
  accepted: count('Of those, prefixes that the import policy and the sanity checks let in.'),
  stale: count(
    'Prefixes from an earlier session, or before a refresh, that the peer has not told again yet.',
  ),
  announced: count('Prefixes we announce to the peer.'),
  queued: count('Prefixes that are still to be looked at for the peer.'),
  withheld: count('Prefixes not announced to it, for it hears `maxPrefixesOut` of them.'),
  maxPrefixes: count('Prefixes of each family that the peer may announce (`maxPrefixes`).'),
  blocked: count(
    'Prefixes of the peer that were left out beyond `maxPrefixes`, each time that it announced one, since start or `clear counters`.',
  ),
  limitExceeded: count('Times that it went beyond `maxPrefixes`, since start or `clear counters`.'),
  holdTime: maybeCount('Hold time agreed on, in seconds; 0 = no keepalives; null when not up.'),
  keepalive: maybeCount('Seconds between our keepalives; null when not up.'),
  flaps: count('Times the session has left Established.'),
  malformed: count(
    'UPDATEs that were malformed and cost a route or an attribute, not the session (RFC 7606).',
  ),
  connectionsRefused: count('Connections that it opened too often and that were reset at once.'),
  messagesIn: count('BGP messages received since start or `clear counters`.'),
  messagesOut: count('BGP messages sent since start or `clear counters`.'),
  lastError: maybeText(
    'Why the session last ended or could not start: `sent OPEN Message Error/Bad Peer AS: peer says AS 65002, configured 65001`.',
  ),
  lastErrorAt: z.iso.datetime().nullable().describe('When that was.'),
  capabilities: texts('Capabilities in use by both sides, by name.'),
  bfd: z
    .enum(['AdminDown', 'Down', 'Init', 'Up'])
    .nullable()
    .describe('State of its BFD session (RFC 5880); null when it has none.'),
  bfdFailures: count('Times that BFD has found the path broken.'),
})
export type PeerRow = z.infer<typeof peerRow>

export const peerFamilyRow = z.object({
  family,
  received: count('Prefixes received.'),
  accepted: count('Prefixes accepted.'),
  rejected: count('Prefixes rejected.'),
  announced: count('Prefixes announced.'),
  withheld: count('Prefixes not announced beyond `maxPrefixesOut`.'),
  blocked: count('Prefixes left out beyond `maxPrefixes`, as in the row of the peer.'),
  limitExceeded: count('Times that the peer went beyond `maxPrefixes`.'),
  stale: count('Of those received: from an earlier session and not told again since.'),
  staleFor: maybeCount('Seconds that they stay at most; null when there are none.'),
  longLived: flag('They are kept as the last choice (RFC 9494).'),
  forwardingPreserved: flag('The peer has said that it forwarded while there was no session.'),
  endOfRib: flag('The peer has sent its End-of-RIB (RFC 4724 section 2).'),
  addPathReceive: flag('The peer may send several paths of a prefix (RFC 7911).'),
  addPathSend: maybeText(
    'The paths of a prefix that we send under path identifiers: `best`, `all`, or how many; null for none.',
  ),
})
export type PeerFamilyRow = z.infer<typeof peerFamilyRow>

const prefixLimitRow = z.object({
  direction: z
    .enum(['in', 'out'])
    .describe(
      'in = what the peer may announce, before the import policy; out = what it may hear, after the export policy.',
    ),
  limit: count('Prefixes of each family; of an ADD-PATH session, paths.'),
  isDefault: flag('Nothing else is configured.'),
  warnAt: count('Per cent of it at which a warning is logged.'),
  action: z.enum(['warn', 'block', 'disconnect', 'restart']).describe('What happens beyond it.'),
  after: maybeCount('Of `restart`: seconds that the peer stays down.'),
})
export type PrefixLimitRow = z.infer<typeof prefixLimitRow>

const settingRow = z.object({
  key: text('Key of the configuration.'),
  value: text('As written; of a default, as documented; `***` of a secret.'),
  place: maybeText('Where it is written, `linnet.yaml:7:5`; null for a default.'),
  group: maybeText('The `peerGroups` entry that it is inherited from.'),
})
export type SettingRow = z.infer<typeof settingRow>

const milliseconds = (meaning: string) => z.number().min(0).describe(meaning)
const bfdState = peerRow.shape.bfd.unwrap()

const bfdRow = z.object({
  since: time('When it entered its state.'),
  multihop: flag('Over routers (RFC 5883), port 4784; else on the link (RFC 5881), port 3784.'),
  diagnostic: text('Why it left Up last, as we see it: `control detection time expired`.'),
  remoteState: bfdState.describe('What the peer says of its side.'),
  remoteDiagnostic: text('Why the peer left Up last, as it sees it.'),
  discriminator: count('Our number of the session.'),
  remoteDiscriminator: count("The peer's; 0 while it is not heard."),
  transmitInterval: milliseconds('Between two of our packets, in milliseconds, before jitter.'),
  receiveInterval: milliseconds('Between two packets of the peer.'),
  remoteMultiplier: count('Packets of the peer that may be missing; 0 before it was heard.'),
  detectionTime: milliseconds('Silence that ends the session; 0 before the peer was heard.'),
  longestSilence: milliseconds('The longest silence of the peer while Up.'),
  controlPlaneIndependent: flag(
    'Its BFD goes on when its control plane restarts (C): then a failure is one of the forwarding.',
  ),
  authenticated: flag('Packets are signed.'),
  ups: count('Times that it came up.'),
})
export type BfdRow = z.infer<typeof bfdRow>

const messageCounts = z.object({
  open: count('OPEN messages.'),
  update: count('UPDATE messages.'),
  notification: count('NOTIFICATION messages.'),
  keepalive: count('KEEPALIVE messages.'),
  routeRefresh: count('ROUTE-REFRESH messages (RFC 2918).'),
  bytes: count('Bytes of all of them.'),
})
export type MessageCounts = z.infer<typeof messageCounts>

const gracefulRestartRow = z.object({
  restartTime: count('Seconds that the peer asks us to wait for its next session.'),
  notification: flag('Routes outlive NOTIFICATIONs that are no hard reset (RFC 8538).'),
  restarting: flag('It has restarted before this session.'),
  longLived: flag('It has long-lived graceful restart (RFC 9494).'),
})
export type GracefulRestartRow = z.infer<typeof gracefulRestartRow>

export const peerDetail = peerRow.extend({
  routerId: maybeText('Its BGP identifier.'),
  hostname: maybeText(
    'What it calls itself (FQDN capability), with its domain where it tells one; null when it does not say.',
  ),
  type: z
    .enum(['internal', 'confederation', 'external'])
    .describe('In our AS, in another member AS of our confederation (RFC 5065), or outside.'),
  localAsn: count('The AS we present to it.'),
  role: maybeText('What we are to it (RFC 9234); null when not configured.'),
  localAddress: maybeText('Our end of the connection, `address:port`.'),
  remoteAddress: maybeText('Its end of the connection, `address:port`.'),
  passive: flag('We only accept, never connect.'),
  routeReflectorClient: flag('It is our route reflector client (RFC 4456).'),
  importPolicy: text('Name of the import policy.'),
  exportPolicy: text('Name of the export policy.'),
  gracefulRestart: gracefulRestartRow
    .nullable()
    .describe('What both sides have agreed on (RFC 4724); null for nothing, or without a session.'),
  perFamily: z.array(peerFamilyRow).describe('Counts per family.'),
  settings: z
    .array(settingRow)
    .describe('What the configuration says of the peer, and where; those of its range.'),
  prefixLimits: z.array(prefixLimitRow).describe('How many prefixes the session may carry.'),
  bfdSession: bfdRow.nullable().describe('Its BFD session; null when it has none.'),
  messagesReceived: messageCounts.describe('Messages received, by type.'),
  messagesSent: messageCounts.describe('Messages sent, by type.'),
  capabilitiesSent: texts('Capabilities we offered.'),
  capabilitiesReceived: texts('Capabilities it offered.'),
})
export type PeerDetail = z.infer<typeof peerDetail>

export const routeRow = z.object({
  prefix: text('Destination, `10.244.7.0/26`.'),
  family,
  peer: maybeText(
    'Peer it was learned from; for `view=advertised` the peer that hears it; null for our own.',
  ),
  source: z
    .enum(['bgp', 'interface', 'static', 'docker', 'cni', 'hostRoute', 'aggregate', 'fan'])
    .describe('bgp = learned from a peer; otherwise the prefix source on this host.'),
  best: flag('Chosen by the decision process (RFC 4271 9.1.2).'),
  multipath: flag('Used beside the best path (ECMP).'),
  weight: maybeCount(
    'How much of the load this path gets beside the others of its prefix, by their link bandwidths (RFC 10005); null where each gets the same.',
  ),
  stale: flag(
    'Told before the session, or the refresh, that is under way, and not again since (RFC 4724, RFC 7313).',
  ),
  valid: flag('Eligible: accepted by policy, no loop, next hop reachable.'),
  installed: flag('In the kernel through this path.'),
  nextHops: texts('Next hop addresses: NEXT_HOP, or global and link-local of MP_REACH_NLRI.'),
  asPath: text('AS_PATH: `65001 65102`, sets as `{1,2}`, confederation segments as `(1 2)`.'),
  origin: z
    .enum(['igp', 'egp', 'incomplete'])
    .nullable()
    .describe('ORIGIN; null when there is none.'),
  localPref: maybeCount('LOCAL_PREF, as the decision process sees it.'),
  med: maybeCount('MULTI_EXIT_DISC; null when there is none.'),
  communities: texts('RFC 1997, `65101:1` or the well-known name.'),
  largeCommunities: texts('RFC 8092, `65101:1:2`.'),
  extendedCommunities: texts('RFC 4360, `rt:65101:1` or hexadecimal.'),
  originatorId: maybeText('ORIGINATOR_ID (RFC 4456).'),
  clusterList: texts('CLUSTER_LIST (RFC 4456), nearest first.'),
  onlyToCustomer: maybeCount(
    'AS of ONLY_TO_CUSTOMER (RFC 9234): it must not go up any more; null when there is none.',
  ),
  atomicAggregate: flag('ATOMIC_AGGREGATE: somebody on the way has left out parts of the AS_PATH.'),
  aggregator: maybeText('AGGREGATOR: its AS and router id, `65001 10.0.0.1`.'),
  otherAttributes: texts(
    'Attributes that linnet only passes on (RFC 4271 section 5): code, flags and value, `99 e0 0102`, the last two in hexadecimal.',
  ),
  pathId: maybeCount(
    'Path identifier (RFC 7911), as the peer chose it, for `view=advertised` as we did; null when the session has none in this family.',
  ),
  rpki: z
    .enum(['valid', 'invalid', 'notFound'])
    .nullable()
    .describe('Origin validation (RFC 6811); null where no `rpki` cache is configured.'),
  since: time('When this path arrived or last changed.'),
  reason: text(
    'The rung of the decision process that put it above or below its neighbour (`shorter AS path`), or why it is rejected.',
  ),
})
export type RouteRow = z.infer<typeof routeRow>

const leg = z.object({
  via: maybeText('The neighbour; null for a route that is on the link itself.'),
  dev: maybeText('Interface.'),
  weight: count('Share among the legs, 1..256.'),
  encap: maybeText('Encapsulation, `ipip 10.0.1.12`; null for none.'),
})

export const fibRow = z.object({
  prefix: text('Destination.'),
  family,
  type: z
    .enum(['unicast', 'blackhole', 'unreachable'])
    .describe('What becomes of packets; `unreachable`: the overlay has no way for them.'),
  nextHops: z.array(leg).describe('Where packets go; empty unless unicast.'),
  nexthopId: maybeCount('Kernel nexthop object; null where gateways are written in the route.'),
  table: count('Kernel routing table; 254 is main.'),
  metric: count('Kernel metric.'),
  protocol: count('Kernel protocol id (RTPROT_*).'),
  state: z
    .enum(['installed', 'pending', 'failed', 'stale'])
    .describe('stale = found at start and not confirmed yet.'),
  error: maybeText('What the kernel said, when failed.'),
  since: time('When it entered this state.'),
})
export type FibRow = z.infer<typeof fibRow>

export const sourceRow = z.object({
  prefix: text('Our own prefix.'),
  family,
  source: z
    .enum(['interface', 'static', 'docker', 'cni', 'hostRoute', 'aggregate', 'fan'])
    .describe('Kind of source.'),
  interface: maybeText('Interface it stands on.'),
  network: maybeText('Network of Docker or of the CNI that it belongs to.'),
  container: maybeText('Container it belongs to.'),
  announced: flag('At least one peer hears it.'),
  since: time('When the source offered it.'),
})
export type SourceRow = z.infer<typeof sourceRow>

export const nextHopRow = z.object({
  id: maybeCount('Kernel nexthop object (0x4c000000 and up); null when it has none.'),
  nextHops: texts('BGP next hops that lead here.'),
  members: z.array(leg).describe('How it is reached; empty when unreachable.'),
  routes: count('Prefixes that use it.'),
  backup: maybeText('What takes over when it is lost; null when nothing can.'),
  resolvedBy: text('`connected on eth0`, `no route to 10.9.9.9`.'),
  since: time('When its resolution last changed.'),
})
export type NextHopRow = z.infer<typeof nextHopRow>

export const monitorRow = z.object({
  name: text('`mrt updates`, `mrt rib`, or `bmp` with the address of the station.'),
  kind: z
    .enum(['mrtUpdates', 'mrtRib', 'bmp'])
    .describe(
      'File of MRT messages, file of MRT table dumps (RFC 6396), or BMP station (RFC 7854).',
    ),
  target: text('The file, or `address:port` of the station.'),
  state: z
    .enum(['writing', 'waiting', 'connecting', 'connected', 'failed'])
    .describe(
      'writing = takes records (a table dump: one is being made); waiting = for the time of the next dump or attempt to connect; failed = the last write failed, the next is tried all the same.',
    ),
  since: time('When it entered this state.'),
  messages: count('Records or messages handed to it.'),
  bytes: count('Bytes written or sent.'),
  queued: count('Bytes on their way to the file, or routes that wait for the station.'),
  lost: count('Bytes of records that could not be written.'),
  lastError: maybeText('What went wrong last.'),
  lastErrorAt: z.iso.datetime().nullable().describe('When that was.'),
})
export type MonitorRow = z.infer<typeof monitorRow>

export const rpkiRow = z.object({
  cache: text('Address and port.'),
  state: z
    .enum(['down', 'connecting', 'synchronizing', 'synchronized'])
    .describe('Of the session with the cache.'),
  used: flag('Its data are those that routes are held against.'),
  version: count('Version of RPKI-RTR: 1 (RFC 8210) or 0 (RFC 6810).'),
  sessionId: maybeCount('Session id; null before the first answer.'),
  serial: maybeCount('Serial number of the data; null before the first answer.'),
  ipv4: count('IPv4 VRPs (validated ROA payloads).'),
  ipv6: count('IPv6 VRPs.'),
  since: time('When it entered this state.'),
  lastError: maybeText('Why the session ended last, until it is synchronized again.'),
})
export type RpkiRow = z.infer<typeof rpkiRow>
