/**
 * The keys of a peer, of a group of peers, and of the mesh: a part of schema.ts.
 *
 * Settings carry no zod default: a default would hide what the peer's group says. They stand in
 * `SESSION_DEFAULTS`, written as a user would write them.
 */
import { z } from 'zod'
import { bfdSchema } from './bfd.ts'
import { gracefulRestartSchema } from './graceful-restart.ts'
import { key, list } from './key.ts'
import { DEFAULT_MAX_PREFIXES, prefixLimitSchema } from './prefix-limit.ts'
import { tcpAoSchema } from './tcp-ao.ts'
import { ipAddress, ownPrefix, peerAddress } from './address-values.ts'
import {
  asn,
  asnAdvice,
  choice,
  flag,
  freeText,
  holdTime,
  integer,
  interval,
  limit,
  linkName,
  password,
  path,
  pause,
  peerAsn,
  valueFacts,
  word,
} from './values.ts'

const family = choice('ipv4', 'ipv6')
export const port = integer(1, 65535, 'a port')

/** Names are looked up in policy-names.ts. */
const policyNames = (write: string) =>
  z
    .union([z.string().min(1), z.array(z.string().min(1)).min(1)])
    .register(valueFacts, { noun: 'a policy', write: `${write}, the name of a policy, or a list` })

export const SESSION_DEFAULTS = {
  families: ['ipv4', 'ipv6'],
  holdTime: '90s',
  sendHoldTime: '8m',
  connectRetry: '5s',
  passive: false,
  port: 179,
  defaultOriginate: false,
  extendedMessages: true,
  enhancedRouteRefresh: false,
  gracefulRestart: true,
  routeReflectorClient: false,
  nextHop: 'auto',
  allowOwnAsn: 0,
  maxPrefixes: DEFAULT_MAX_PREFIXES,
  asOverride: false,
  removePrivateAsn: false,
  gracefulShutdown: true,
  announce: 'atOnce',
}

const addPath = z.strictObject({
  receive: key(
    flag.optional(),
    'Take several paths of a prefix, if the peer sends them. Each takes part in the decision and in ECMP.',
    true,
    '`false`',
  ),
  send: key(
    z
      .union([choice('best', 'all'), integer(1, 255)])
      .register(valueFacts, {
        noun: 'best, all or a number of paths',
        write: 'best, all or 1..255',
      })
      .optional(),
    'Send path identifiers, if the peer takes them: with the `best` path alone, with `all` that `export` lets through, or with the best so many of these. A path is never sent back to where it came from.',
    'all',
    'none',
  ),
})

const ROLE_WORDS = 'provider, customer, peer, rs or rs-client'
const roleName = choice('provider', 'customer', 'peer', 'rs', 'rs-client')
const roleMap = z.strictObject({
  is: key(roleName, 'The role.', 'customer'),
  strict: key(flag.prefault(false), 'Refuse a peer that says nothing of its own role.', true),
})

const localAsnMap = z.strictObject({
  asn: key(asn, 'The AS number that we show to the peer.', 65200),
  prependReceived: key(
    flag.prefault(false),
    'Put it in front of the paths that the peer sends, so that others see it (unless `no-prepend` elsewhere).',
    true,
  ),
  prependOwn: key(
    flag.prefault(false),
    'Our own `asn` follows it in the paths that we send (unless `replace-as` elsewhere).',
    true,
  ),
})

const settings = {
  asn: key(
    peerAsn.optional(),
    "The peer's AS number; `internal` = ours, `external` = any other than ours. One of `confederation.members` makes a peer within our confederation. Needed for each peer, here or in its group.",
    65001,
  ),
  families: key(
    list(family, 'a list of families', '[ipv4], [ipv6] or [ipv4, ipv6]').min(1).optional(),
    'The address families to exchange routes of; those that the peer does not offer are left out (RFC 4760).',
    ['ipv4'],
  ),
  extendedNextHop: key(
    flag.optional(),
    'Offer IPv6 next hops for IPv4 routes (RFC 8950). When the peer does too and the session runs over IPv6, our IPv4 routes are told with our IPv6 address as next hop: the link needs no IPv4 addresses.',
    true,
    '`false`; `true` for a peer with `interface`',
  ),
  holdTime: key(
    holdTime.optional(),
    'The session ends when nothing was heard for this long; keepalives are sent every third of it. `0` switches both off. The smaller of both sides counts (RFC 4271 4.2).',
    '30s',
  ),
  sendHoldTime: key(
    limit.optional(),
    'The session ends when the peer takes no bytes for this long (RFC 9687); `0` = never.',
    '10m',
    '`8m`, or twice `holdTime` if that is longer',
  ),
  connectRetry: key(
    pause.optional(),
    'How long to wait before connecting again; grows with each failure.',
    '1s',
  ),
  passive: key(flag.optional(), 'Never connect, only accept.', true),
  localAddress: key(
    ipAddress.optional(),
    'Source address of the session: one of this host, of the same family as `address`.',
    '10.0.1.11',
    "the kernel's choice",
  ),
  bindDevice: key(
    linkName.optional(),
    'Only speak through this link (SO_BINDTODEVICE).',
    'eth0',
    'any',
  ),
  port: key(port.optional(), 'TCP port of the peer.', 1179),
  password: key(
    password.optional(),
    'TCP MD5 key (RFC 2385), up to 80 bytes. Never printed, never logged. Or `passwordFile`. A reload gives a new one to the session that is up: change both sides within the hold time.',
    'correct horse',
    'none',
  ),
  passwordFile: key(
    path.optional(),
    'File whose first line is the password; relative to the file that names it. Read at start and by each reload.',
    '/etc/linnet/tor.key',
    'none',
  ),
  tcpAo: key(
    tcpAoSchema.optional(),
    'TCP-AO (RFC 5925), instead of a password: a key, or a list of them, below. Needs Linux 6.7 or newer with CONFIG_TCP_AO; elsewhere the peer is refused, for a session without signatures is not what was asked for.',
    { sendId: 1, receiveId: 1, key: 'correct horse' },
    'none',
  ),
  ttlSecurity: key(
    integer(1, 254, 'a number of hops').optional(),
    'GTSM (RFC 5082): send with TTL 255, refuse segments that came from further away than this many hops. Not together with `multihop`.',
    1,
    'off',
  ),
  multihop: key(
    integer(1, 255, 'a number of hops').optional(),
    'TTL of what we send: how many routers the peer may be away.',
    2,
    '`1` to an external peer, `255` to an internal one',
  ),
  localAsn: key(
    z
      .union([asn, localAsnMap])
      .register(valueFacts, {
        noun: 'an AS number',
        write: '65200 or { asn: 65200, prependReceived: true, prependOwn: true }',
        explain: asnAdvice,
      })
      .optional(),
    'The AS number that we show to this (external) peer, alone, as if it were ours; or a map of `asn`, `prependReceived` (put it in front of the paths that the peer sends) and `prependOwn` (our own `asn` follows it in the paths that we send).',
    65200,
    '`asn` of the document, or that of its confederation',
  ),
  routeReflectorClient: key(
    flag.optional(),
    'The peer is a client of our route reflector (RFC 4456): internal routes are passed on to it, and its routes to the others.',
    true,
  ),
  nextHop: key(
    choice('auto', 'self', 'keep').optional(),
    'Next hop that we announce. `auto`: ourselves to external peers unless the next hop stands on the network shared with them, unchanged to internal ones (RFC 4271 5.1.3).',
    'self',
  ),
  allowOwnAsn: key(
    integer(0, 10, 'a number of times').optional(),
    'Accept routes whose AS_PATH holds our own AS number up to this many times.',
    1,
  ),
  enhancedRouteRefresh: key(
    flag.optional(),
    'Refreshes with a marked beginning and end (RFC 7313): what is not told again is dropped. Off, because FRR 8 does not answer a refresh that is asked for by who offers it.',
    true,
  ),
  gracefulRestart: key(
    gracefulRestartSchema.optional(),
    'Routes outlive a session whose peer restarts (RFC 4724, RFC 8538), theirs here and ours there, as stale, until they are told again; forwarding goes on. `true`, `false`, or a map, below.',
    { restartTime: '60s' },
  ),
  extendedMessages: key(
    flag.optional(),
    'Messages of up to 65,535 bytes, with a peer that can (RFC 8654): fewer of them, and routes whose attributes do not fit into 4096.',
    false,
  ),
  addPath: key(
    addPath.optional(),
    'Several paths of a prefix in one session (RFC 7911), in all `families`.',
    { receive: true, send: 'best' },
    'off',
  ),
  bfd: key(
    bfdSchema.optional(),
    'Watch the path to the peer with BFD (RFC 5880, RFC 5881, RFC 5883): the session ends within a second of it failing, not after the hold time. `true`, or a map, below.',
    true,
    '`false`',
  ),
  maxPrefixes: key(
    prefixLimitSchema.optional(),
    'How many prefixes of each family the peer may announce, counted before `import`: a number, or a map, below.',
    50000,
  ),
  announce: key(
    choice('atOnce', 'afterInstall').optional(),
    'When to pass learned routes on: `atOnce`, or `afterInstall` = once the kernel has them, so that nobody sends packets here that it can not forward yet. One that the kernel refuses, or may not have, is not passed on. Needs `kernel: { install: true }`.',
    'afterInstall',
  ),
  defaultOriginate: key(
    flag.optional(),
    'Announce a default route of our own to the peer in each family, whether or not we have one, past `export`; nothing is forwarded by it here.',
    true,
  ),
  maxPrefixesOut: key(
    prefixLimitSchema.optional(),
    'How many prefixes of each family we announce to the peer, counted after `export`: a number, or a map, below.',
    1000,
    'no limit',
  ),
  enforceFirstAsn: key(
    flag.optional(),
    'Reject paths of an external peer that do not begin with its AS (RFC 4271 6.3). Off for route servers, which leave themselves out.',
    false,
    '`true`; `false` for an `rs-client`',
  ),
  asOverride: key(
    flag.optional(),
    "In paths that we send, put our AS number where the (external) peer's stands, so that sites of one AS hear each other.",
    true,
  ),
  removePrivateAsn: key(
    z
      .union([z.boolean(), z.enum(['all', 'replace'])])
      .register(valueFacts, {
        noun: 'true, false, all or replace',
        write: 'true, false, all or replace',
      })
      .optional(),
    "Take private AS numbers (RFC 6996) out of the paths that we send to an external peer: `true` = when there are no others, `all` = always, `replace` = put ours in their place. The peer's own stays.",
    'all',
  ),
  role: key(
    z
      .union([roleName, roleMap])
      .register(valueFacts, {
        noun: 'a role',
        write: `${ROLE_WORDS}, or { is: customer, strict: true }`,
      })
      .optional(),
    'What we are to the (external) peer: its `provider`, its `customer`, a `peer` of equal standing, its route server (`rs`; this does not make us transparent as of RFC 7947: our AS number and next hop are put in as for any external peer), a client of its route server (`rs-client`). Told in OPEN, where it must fit the role of the peer; routes that would leak are then rejected and not passed on (RFC 9234), and no-peer is honoured towards a `peer` (RFC 3765). Or a map of `is` and `strict`.',
    'customer',
    'none',
  ),
  gracefulShutdown: key(
    flag.optional(),
    'Routes that an external peer marks with graceful-shutdown get LOCAL_PREF 0, so that any other is preferred while they are still there (RFC 8326).',
    false,
  ),
  import: key(
    policyNames('accept, reject').optional(),
    "Which of the peer's routes to use, and with which attributes: `accept`, `reject`, or `policies` by name. In a list the first that accepts or rejects decides; what none does is rejected.",
    'accept',
    '`accept` from an internal peer, `reject` from an external one (RFC 8212)',
  ),
  export: key(
    policyNames('local, accept, reject').optional(),
    'Which routes to announce: `local` = only what `advertise` names, `accept` = learned ones too, or `policies`, as for `import`.',
    'accept',
    '`local`; `accept` to a `routeReflectorClient`',
  ),
}

export const RANGE_DEFAULTS = { limit: 100, removeAfter: 300 }

export const groupSchema = z.strictObject(settings)

export const groupName = word('the name of a group', 63, 'tor')

export const peerSchema = z.strictObject({
  name: key(
    word('a name', 63, 'tor-a').optional(),
    'How the peer is called in logs and on the command line; unique.',
    'tor-a',
    'its address, or its interface',
  ),
  address: key(
    peerAddress.optional(),
    'Where the peer is; a link-local address with its link. Or `interface`.',
    '10.0.1.1',
    'needed where there is no `interface` or `range`',
  ),
  interface: key(
    linkName.optional(),
    'Instead of `address`, an unnumbered peer: the router that is heard on this link by its advertisements (RFC 4861), or that connects from there. We advertise ourselves likewise, as no default router. FRR calls it `neighbor eth1 interface`.',
    'eth1',
    'needed where there is no `address` or `range`',
  ),
  range: key(
    ownPrefix.optional(),
    'Instead of `address`, a range of peers: whoever connects from there gets a session with these settings, and is called by its address. Of two ranges the longer counts, and a peer with an `address` before both. A `password` is that of the whole range.',
    '10.0.1.0/24',
    'needed where there is no `address` or `interface`',
  ),
  limit: key(
    integer(1, 65535, 'a number of peers').optional(),
    'Of a `range`: how many peers at a time.',
    500,
    `\`${RANGE_DEFAULTS.limit}\``,
  ),
  removeAfter: key(
    interval.optional(),
    'Of a `range`: how long a peer that is down is remembered, with what ended its session.',
    '1h',
    '`5m`',
  ),
  group: key(
    groupName.optional(),
    'The `peerGroups` entry whose settings it shares.',
    'tor',
    'none',
  ),
  description: key(freeText.optional(), 'For people.', 'rack 7, left', 'none'),
  ...settings,
})

const meshNode = z.strictObject({
  address: key(peerAddress, 'The address of the node.', '10.0.1.12'),
  asn: key(asn.optional(), 'Its AS number.', 65112, '`asn` of the document'),
  name: key(word('a name', 63, 'node-2').optional(), 'As for a peer.', 'node-2', 'its address'),
})

const meshNodes = list(
  z.union([peerAddress, meshNode]).register(valueFacts, {
    noun: 'a node of the mesh',
    write: '10.0.1.12 or { address: 10.0.1.12, asn: 65112 }',
  }),
  'a list of nodes',
  '[10.0.1.11, 10.0.1.12]',
)

export const meshSchema = z.strictObject({
  nodes: key(
    meshNodes,
    'Every node of the mesh: an address, or a map of `address`, `asn` and `name`. Our own address is skipped, so one list serves all nodes. The same AS makes an internal peer.',
    ['10.0.1.11', { address: '10.0.1.12', asn: 65112 }],
  ),
  group: key(groupName.optional(), 'Settings that all of them share.', 'nodes', 'none'),
})

export type PeerSettings = z.output<typeof groupSchema>
export type MeshEntry = z.output<typeof meshSchema>
