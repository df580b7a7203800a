/**
 * The configuration's shape: one row a key, with its value, its default, an example and what it means.
 *
 * This is the single source: the loader validates by it, `docs/configuration.md` and
 * `config/schema.json` are printed from it, and the types of the parsed tree are inferred from it. What
 * one key can't see (two peers with one address, a password given twice) is in check.ts and peers.ts.
 */
import { z } from 'zod'
import { cniSchema } from './cni.ts'
import { dockerSchema } from './docker.ts'
import { key, list } from './key.ts'
import { bmpSchema, mrtSchema } from './monitors.ts'
import { overlaySchema } from './overlay.ts'
import { policySchema, setsSchema } from './policy-schema.ts'
import { groupName, groupSchema, meshSchema, peerSchema, port } from './peer-schema.ts'
import { endpoint, ipAddress, ownPrefix, routerId } from './address-values.ts'
import {
  asn,
  choice,
  community,
  flag,
  integer,
  linkPattern,
  path,
  table,
  valueFacts,
} from './values.ts'

const staticPrefix = z.strictObject({
  prefix: key(ownPrefix, 'The prefix, host bits zero.', '10.244.7.0/26'),
  blackhole: key(
    flag.prefault(false),
    'Drop in the kernel what no container takes, so that it does not loop back to the router.',
    true,
  ),
  community: key(
    list(community, 'a list of communities', '["65101:7"]').prefault([]),
    'Communities to attach (RFC 1997): `asn:value`, or `no-export`, `no-advertise`, `no-export-subconfed`, `blackhole`, `graceful-shutdown`.',
    ['65101:7'],
  ),
  med: key(integer(0, 4294967295).optional(), 'MULTI_EXIT_DISC to attach.', 10, 'none'),
})

const aggregate = z.strictObject({
  prefix: key(ownPrefix, 'The prefix to announce.', '10.244.0.0/16'),
  summaryOnly: key(
    flag.prefault(false),
    'Announce none of the routes inside while the aggregate is announced.',
    true,
  ),
  blackhole: key(
    flag.prefault(true),
    'Drop in the kernel what no route inside takes, so that it does not loop back to the router.',
    false,
  ),
  community: staticPrefix.shape.community,
  med: staticPrefix.shape.med,
})

const hostRoutesSchema = z.strictObject({
  interfaces: key(
    list(linkPattern, 'a list of links', '["cali*", "veth*"]').min(1),
    'Links with containers: the /32 and /128 routes of the main table that lead straight there, as they come and go, while the link has a carrier; `*` and `?` match.',
    ['cali*', 'veth*'],
  ),
})

export const advertiseSchema = z.strictObject({
  interfaces: key(
    list(linkPattern, 'a list of links', '[docker0, "br-*"]').prefault([]),
    'Announce the networks on these links, as they come and go; `*` and `?` match.',
    ['docker0', 'br-*'],
  ),
  hostRoutes: key(
    hostRoutesSchema.optional(),
    "Announce the kernel's routes to single containers, as Calico and others make them.",
    { interfaces: ['cali*'] },
    'none',
  ),
  cni: key(
    cniSchema.optional(),
    'Announce the ranges that the container network interface (CNI) gives out on this host, by `host-local` in the files of /etc/cni/net.d, as these change: `true`, or a map.',
    true,
    '`false`',
  ),
  docker: key(
    dockerSchema.optional(),
    "Announce what Docker's API names: its networks, and single containers where asked for.",
    true,
    'off',
  ),
  prefixes: key(
    list(
      z.union([ownPrefix, staticPrefix]).register(valueFacts, {
        noun: 'a prefix to announce',
        write: '10.244.7.0/26 or { prefix: 10.244.7.0/26, blackhole: true }',
      }),
      'a list of prefixes',
      '[10.244.7.0/26]',
    ).prefault([]),
    'Announce these always: a prefix, or a map.',
    ['10.244.7.0/26', { prefix: '10.244.8.0/26', blackhole: true }],
  ),
  aggregates: key(
    list(
      z.union([ownPrefix, aggregate]).register(valueFacts, {
        noun: 'an aggregate',
        write: '10.244.0.0/16 or { prefix: 10.244.0.0/16, summaryOnly: true }',
      }),
      'a list of prefixes',
      '[10.244.0.0/16]',
    ).prefault([]),
    'Announce these while there is a route inside, ours or a learned one (RFC 4271 9.2.2.2, with ATOMIC_AGGREGATE and without AS_SET): a prefix, or a map.',
    [{ prefix: '10.244.0.0/16', summaryOnly: true }],
  ),
})

const sourceChoice = z
  .union([z.enum(['auto', 'none']), ipAddress, z.array(ipAddress).min(1).max(2)])
  .register(valueFacts, {
    noun: 'a source address',
    write: 'auto, none, an address, or one of each family in a list',
  })

export const kernelSchema = z.strictObject({
  install: key(flag.prefault(true), 'Write learned routes into the kernel.', false),
  table: key(table.prefault('main'), 'Routing table, by name or number.', 100),
  metric: key(
    integer(1, 4294967295, 'a metric').prefault(20),
    'Metric of our routes; never 0, which would overwrite connected routes.',
    50,
  ),
  protocol: key(
    integer(1, 255, 'a protocol number').prefault(179),
    "The number that marks our routes (`ip route show proto 179`); nobody else's.",
    190,
  ),
  nexthopObjects: key(
    choice('auto', 'off').prefault('auto'),
    'Use kernel nexthop objects where there are any (Linux 5.3): fail-over in one call.',
    'off',
  ),
  ecmp: key(integer(1, 256, 'a number of paths').prefault(16), 'Paths per route at most.', 4),
  multipathRelax: key(
    flag.prefault(true),
    'Share load over paths of equal length through different ASes.',
    false,
  ),
  defaultRoute: key(flag.prefault(false), 'Install a learned default route.', true),
  withinOwn: key(
    choice('reject', 'accept').prefault('reject'),
    'Learned routes that equal or lie inside prefixes that we announce ourselves.',
    'accept',
  ),
  preferredSource: key(
    sourceChoice.prefault('auto'),
    'Source address of what this host itself sends over our routes.',
    '10.244.7.1',
  ),
  onStop: key(
    choice('keep', 'remove').prefault('keep'),
    'What becomes of our routes when the daemon stops.',
    'remove',
  ),
})

export const natSchema = z.strictObject({
  exempt: key(
    choice('auto', 'none').prefault('auto'),
    '`auto`: keep the source address of what goes from pool to pool, by rules in a table of our own (`nft list table inet linnet`), whatever Docker masquerades; the rest is left to its rules.',
    'none',
  ),
  pools: key(
    list(ownPrefix, 'a list of prefixes', '[10.244.0.0/16, 172.17.0.0/16]').min(1),
    'Where the containers of all hosts are.',
    ['10.244.0.0/16', '172.17.0.0/16'],
  ),
})

export const decisionSchema = z.strictObject({
  alwaysCompareMed: key(
    flag.prefault(false),
    'Compare MULTI_EXIT_DISC also between different neighbouring ASes.',
    true,
  ),
  missingMedWorst: key(
    flag.prefault(false),
    'A route without MULTI_EXIT_DISC loses against one with it (RFC 4271 9.1.2.2 c says 0, which wins).',
    true,
  ),
  ignoreAsPathLength: key(
    flag.prefault(false),
    'Skip the length of the AS path (RFC 4271 9.1.2.2 a).',
    true,
  ),
  ignoreRouterId: key(
    flag.prefault(false),
    'Skip the router id (RFC 4271 9.1.2.2 f), so that the lowest peer address decides.',
    true,
  ),
  linkBandwidth: key(
    choice('weigh', 'ignore').prefault('weigh'),
    'Paths that share the load get as much of it as their link bandwidth communities say (RFC 10005), if each of them has one; `ignore` = the same each.',
    'ignore',
  ),
})

export const confederationSchema = z.strictObject({
  asn: key(asn, 'The AS number that the outside knows.', 65000),
  members: key(
    list(asn, 'a list of AS numbers', '[65101, 65102]'),
    'The AS numbers of its members; the `asn` of this host is one, listed or not. Peers in the others are within the confederation.',
    [65101, 65102],
  ),
})

export const apiSchema = z.strictObject({
  socket: key(
    path.prefault('/run/linnet/linnet.sock'),
    'Unix socket of the control API.',
    '/run/linnet/two.sock',
  ),
  http: key(
    endpoint.optional(),
    'Serve reads (status, routes, metrics) over HTTP as well.',
    '127.0.0.1:8179',
    'off',
  ),
})

export const logSchema = z.strictObject({
  level: key(
    choice('trace', 'debug', 'info', 'warn', 'error', 'fatal').prefault('info'),
    'The least important lines to write.',
    'debug',
  ),
  format: key(
    choice('auto', 'json', 'pretty').prefault('auto'),
    '`auto`: pretty on a terminal, else one JSON object a line.',
    'json',
  ),
})

const listener = z.strictObject({
  address: key(ipAddress, 'A local address; `0.0.0.0` or `"::"` for all.', '10.0.1.11'),
  port: key(port.prefault(179), 'TCP port.', 1179),
})

const rpkiCache = z.strictObject({
  address: key(ipAddress, 'Where the cache is.', '192.0.2.9'),
  port: key(port.prefault(323), 'TCP port.', 8282),
})

export const configSchema = z.strictObject({
  asn: key(asn, 'The AS number of this host.', 65101),
  routerId: key(
    routerId.optional(),
    'Four bytes that no other speaker has.',
    '10.0.1.11',
    'the address that the first peer is reached from',
  ),
  listen: key(
    list(listener, 'a list of addresses', '[{ address: 0.0.0.0, port: 179 }]').prefault([
      { address: '0.0.0.0', port: 179 },
      { address: '::', port: 179 },
    ]),
    'Where to accept sessions.',
    [{ address: '10.0.1.11', port: 179 }],
  ),
  clusterId: key(
    routerId.optional(),
    'Names the route reflector cluster (RFC 4456); the same for reflectors that serve the same clients.',
    '10.0.1.11',
    '`routerId`',
  ),
  confederation: key(
    confederationSchema.optional(),
    'The confederation that this host is in (RFC 5065).',
    { asn: 65000, members: [65101, 65102] },
    'none',
  ),
  include: key(
    list(path, 'a list of file names', '[/etc/linnet/site.yaml]').prefault([]),
    'Files to read first, relative to this one. Maps are merged key by key, lists of `peers` are joined, all else here wins.',
    ['site.yaml'],
  ),
  decision: key(decisionSchema.prefault({}), 'How the best route is chosen.', {
    alwaysCompareMed: true,
  }),
  peerGroups: key(
    z
      .record(groupName, groupSchema)
      .register(valueFacts, { noun: 'a map of groups', write: 'tor: { asn: 65001 }' })
      .prefault({}),
    'Settings that several peers share, by name.',
    { tor: { asn: 65001, import: 'accept' } },
  ),
  peers: key(
    list(peerSchema, 'a list of peers', '- { address: 10.0.1.1, asn: 65001 }').prefault([]),
    'The routers to speak with. What a peer says itself goes before its group.',
    [{ name: 'tor-a', address: '10.0.1.1', asn: 65001 }],
  ),
  mesh: key(meshSchema.optional(), 'Every node speaks with every other.', { nodes: ['10.0.1.12'] }),
  sets: key(setsSchema.prefault({}), 'Values that several policies name.', {
    prefixes: { pool: ['10.244.0.0/16 le 32'] },
  }),
  policies: key(
    z
      .record(z.string(), policySchema)
      .register(valueFacts, { noun: 'a map of policies', write: 'from-tor: [{ then: accept }]' })
      .prefault({}),
    'Lists of rules, by name, for `import` and `export`.',
    {
      'from-tor': [
        // oxlint-disable-next-line unicorn/no-thenable -- the word of the configuration
        { match: { community: ['65001:100'] }, set: { localPref: 200 }, then: 'accept' },
      ],
    },
  ),
  rpki: key(
    list(rpkiCache, 'a list of caches', '[{ address: 192.0.2.9, port: 323 }]').prefault([]),
    'RPKI caches to ask (RPKI-RTR, RFC 8210), the preferred one first; for `match: { rpki: invalid }`. The first that has data is believed.',
    [{ address: '192.0.2.9', port: 323 }],
  ),
  advertise: key(advertiseSchema.prefault({}), 'Our own prefixes.', { interfaces: ['docker0'] }),
  kernel: key(kernelSchema.prefault({}), 'How routes reach the kernel.', { table: 100 }),
  overlay: key(
    overlaySchema.optional(),
    'Destinations that are reached through a tunnel between hosts.',
    { mode: 'ipip', prefixes: ['10.244.0.0/16'] },
    'all packets go as they are',
  ),
  nat: key(
    natSchema.optional(),
    'Whose source addresses stay as they are.',
    { pools: ['10.244.0.0/16'] },
    'all stay or go as the rules of this host say',
  ),
  bmp: key(
    list(bmpSchema, 'a list of stations', '[{ address: 192.0.2.8 }]').prefault([]),
    'BMP stations to tell of sessions and routes (RFC 7854).',
    [{ address: '192.0.2.8', port: 11019 }],
  ),
  mrt: key(
    mrtSchema.optional(),
    'Files of MRT records (RFC 6396), for `bgpdump` and the like.',
    { updates: '/var/lib/linnet/updates.mrt' },
    'none',
  ),
  api: key(apiSchema.prefault({}), 'The control API.', { http: '127.0.0.1:8179' }),
  log: key(logSchema.prefault({}), 'What the daemon writes.', { level: 'debug' }),
})

export type AdvertiseEntry = z.output<typeof advertiseSchema>
export type NatEntry = z.output<typeof natSchema>
export type KernelEntry = z.output<typeof kernelSchema>
export type DecisionEntry = z.output<typeof decisionSchema>
