/**
 * The shape of a lab file, in containerlab's words: nodes, links, what shall come true, what to prove.
 *
 * One row a key, as in the daemon's own configuration, so that complaints carry file:line:col and
 * docs/lab.md is printed from the same rows. What one key can't see (a link to a node that isn't
 * there) is checked in topology.ts.
 */
import { z } from 'zod'
import { key, list } from '../config/key.ts'
import { routerId } from '../config/address-values.ts'
import { asn, choice, integer, linkName, pause, valueFacts } from '../config/values.ts'
import { parseAddress } from '../net/address.ts'
import { parseAddressAndLength } from '../net/prefix.ts'

export const TOR_KINDS = ['linnet', 'frr', 'bird'] as const
export type TorKind = (typeof TOR_KINDS)[number]

const nodeName = z
  .string()
  .regex(/^[a-z][a-z0-9-]{0,19}$/)
  .register(valueFacts, { noun: 'a name', write: 'a name such as host1 (a-z, 0-9, -; up to 20)' })

const addressOnNetwork = z
  .string()
  .refine((text) => parseAddressAndLength(text) !== undefined)
  .register(valueFacts, {
    noun: 'an address on a network',
    write: 'an address and a length, such as 10.0.1.1/30',
  })

const plainAddress = z
  .string()
  .refine((text) => parseAddress(text) !== undefined)
  .register(valueFacts, { noun: 'an IP address', write: 'an address such as 172.18.1.2' })

const endpoint = z
  .string()
  .regex(/^[a-z][a-z0-9-]{0,19}:[^\s/:]{1,15}$/)
  .register(valueFacts, { noun: 'the end of a link', write: 'node:interface, such as tor1:eth1' })

const containerName = z
  .string()
  .regex(/^[a-z0-9][a-z0-9-]{0,19}$/)
  .register(valueFacts, { noun: 'a name', write: 'a name such as c1' })

/** Anything: a part of somebody else's document, checked by its owner. */
const anything = z.record(z.string(), z.unknown()).register(valueFacts, {
  noun: 'a map',
  write: 'a map of keys and values',
})

export const containerSchema = z.strictObject({
  bridge: key(linkName, 'The bridge of its host that it hangs on.', 'docker0'),
  address: key(plainAddress, 'Its address, on the network of the bridge.', '172.18.1.2'),
  anycast: key(
    list(plainAddress, 'a list of addresses', '[203.0.113.53]').prefault([]),
    'Addresses that containers of several hosts share, on its loopback. Its host routes them to it; that the host announces them is up to its configuration.',
    ['203.0.113.53'],
  ),
})

const sysctls = z
  .record(
    z.string().regex(/^[a-z][\w./-]+$/),
    z.union([z.string(), z.int()]).transform((it) => String(it)),
  )
  .register(valueFacts, {
    noun: 'a map of kernel settings',
    write: 'net.ipv4.fib_multipath_hash_policy: 1',
  })
  .prefault({})

export const nodeSchema = z.strictObject({
  kind: key(
    choice('tor', 'linnet', 'frr', 'bird', 'host'),
    'What runs there: `tor` = a top-of-rack router of the kind that `--tor` says, with a configuration made from the links; `linnet`, `frr`, `bird` = that daemon; `host` = none.',
    'tor',
  ),
  asn: key(
    asn.optional(),
    'AS number: needed for a `tor` and where the configuration is made for you.',
    65001,
    "the configuration's",
  ),
  routerId: key(
    routerId.optional(),
    'Router id for a configuration that is made for you.',
    '10.0.0.1',
    'the first address of the node',
  ),
  config: key(
    z
      .union([z.string().min(1), anything])
      .optional()
      .register(valueFacts, {
        noun: 'a configuration',
        write: "linnet's keys, or the name of a file",
      }),
    "linnet: its configuration, here or as a file's name. frr, bird: a file's name, or the text itself. Without it one is made from the links: a session to each neighbour, everything accepted; a node with bridges announces only their networks.",
    { asn: 65101, peers: [{ address: '10.0.1.1', asn: 65001 }] },
    'made from the links',
  ),
  set: key(
    anything.optional(),
    'linnet: laid over `config`, key by key; `peers` are added to those there.',
    { routerId: '10.0.1.2' },
    'nothing',
  ),
  bridges: key(
    z
      .record(linkName, addressOnNetwork)
      .register(valueFacts, {
        noun: 'a map of bridges',
        write: 'docker0: 172.18.1.1/24',
      })
      .prefault({}),
    'Bridges and the address of each.',
    { docker0: '172.18.1.1/24' },
  ),
  containers: key(
    z
      .record(containerName, containerSchema)
      .register(valueFacts, {
        noun: 'a map of containers',
        write: 'c1: { bridge: docker0, address: 172.18.1.2 }',
      })
      .prefault({}),
    'Containers: a namespace each, on a bridge, with a default route to it.',
    { c1: { bridge: 'docker0', address: '172.18.1.2' } },
  ),
  runtime: key(
    choice('namespaces', 'docker').prefault('namespaces'),
    'What its containers are: `namespaces`, or containers of a real `docker` engine of its own, in a network for each of its bridges. Docker needs root, and the packages docker.io and busybox-static.',
    'docker',
  ),
  routes: key(
    z
      .record(z.string(), plainAddress)
      .register(valueFacts, {
        noun: 'a map of routes',
        write: '"10.2.0.0/24": 10.1.0.1',
      })
      .prefault({}),
    'Routes of its kernel that nobody announces: prefixes and their gateways.',
    { '10.2.0.0/24': '10.1.0.1' },
  ),
  sysctls: key(
    sysctls,
    'Kernel settings of its namespace, besides those that make a router of it.',
    { 'net.ipv4.fib_multipath_hash_policy': 1 },
  ),
})

export const linkSchema = z.strictObject({
  endpoints: key(
    list(endpoint, 'a list of ends', '["tor1:eth1", "host1:eth0"]').min(2),
    'Two ends make a cable; more make a segment, as on a switch.',
    ['tor1:eth1', 'host1:eth0'],
  ),
  addresses: key(
    list(addressOnNetwork, 'a list of addresses', '[10.0.1.1/30, 10.0.1.2/30]'),
    'One for each end, in that order.',
    ['10.0.1.1/30', '10.0.1.2/30'],
  ),
})

const kernelExpectation = z.record(z.string(), z.union([z.null(), anything])).register(valueFacts, {
  noun: 'a map of prefixes',
  write: '"172.18.2.0/24": { nextHops: [10.0.1.1] }, or null for a route that must not be there',
})

const table = z.array(anything).register(valueFacts, {
  noun: 'a list of rows',
  write: '[{ name: tor1, state: Established }]',
})

/** The tables of `linnet show` that an expectation may name. */
export const EXPECTED_TABLES = ['peers', 'routes', 'fib', 'sources', 'nexthops'] as const
export type ExpectedTable = (typeof EXPECTED_TABLES)[number]

const rows = (name: ExpectedTable, example: Record<string, unknown>) =>
  key(
    table.optional(),
    `Rows that \`linnet show ${name} --json\` must have; only the keys given count.`,
    [example],
    'nothing',
  )

export const expectSchema = z.strictObject({
  on: key(nodeName, 'The node that is asked.', 'host1'),
  within: key(pause.optional(), 'How long it may take.', '30s', '`defaults.within`'),
  kernel: key(
    kernelExpectation.optional(),
    "Routes in the node's kernel: `nextHops`, `dev`, `protocol`, `metric`, `type` (main table); `null`: no such route.",
    { '172.18.2.0/24': { nextHops: ['10.0.1.1', '10.0.2.1'] } },
    'nothing',
  ),
  peers: rows('peers', { name: 'tor1', state: 'Established' }),
  routes: rows('routes', { prefix: '172.18.2.0/24', best: true }),
  fib: rows('fib', { prefix: '172.18.2.0/24', state: 'installed' }),
  sources: rows('sources', { prefix: '172.18.1.0/24', announced: true }),
  nexthops: rows('nexthops', { nextHops: ['10.0.1.1'] }),
})

const pair = z.array(z.string()).length(2).register(valueFacts, {
  noun: 'a pair of containers',
  write: '[host1.c1, host2.c1]',
})

export const spreadSchema = z.strictObject({
  from: key(
    z.string().register(valueFacts, { noun: 'a container', write: 'a name such as host1.c1' }),
    'The container that sends.',
    'host4.c1',
  ),
  to: key(plainAddress, 'An address that containers share (`anycast`).', '203.0.113.53'),
})

const hosts = z.tuple([nodeName, nodeName]).register(valueFacts, {
  noun: 'a pair of hosts',
  write: '[host1, host2]',
})

export const wrappedSchema = z.strictObject({
  in: key(
    choice('ipip', 'vxlan', 'vxlan-gpe'),
    'What must be around their packets on every link.',
    'ipip',
  ),
  between: key(
    z
      .union([z.literal('all'), z.array(hosts).min(1)])
      .prefault('all')
      .register(valueFacts, {
        noun: 'a list of pairs of hosts',
        write: 'all, or [[host1, host3]]',
      }),
    '`all` hosts, or those listed; between the others nothing may be around them.',
    [['host1', 'host3']],
  ),
})

export const proofSchema = z.strictObject({
  pairs: key(
    z
      .union([z.literal('all'), z.array(pair).min(1)])
      .prefault('all')
      .register(valueFacts, {
        noun: 'a list of pairs',
        write: 'all, or [[host1.c1, host2.c1]]',
      }),
    '`all` pairs of containers on different hosts, or those listed.',
    [['host1.c1', 'host2.c1']],
  ),
  fail: key(
    nodeName.optional(),
    'The router whose daemon is killed under load, and comes back; or a reflector that forwards nothing (`kernel: { install: false }`), with which no route may go.',
    'tor1',
    'no fail-over is tested',
  ),
  restart: key(
    nodeName.optional(),
    'The host whose linnet is killed and started again under load, then stopped and started again: no packet may be lost.',
    'host1',
    'no restart is tested',
  ),
  drain: key(
    nodeName.optional(),
    'The router with linnet that is drained and stopped under load (`linnet drain --stop`): no packet may be lost.',
    'tor1',
    'no drain is tested',
  ),
  remove: key(
    nodeName.optional(),
    'The router that is removed with its whole namespace afterwards.',
    'tor2',
    'the first other `tor`',
  ),
  wrapped: key(
    wrappedSchema.optional(),
    'Packets that must be encapsulated from host to host (`overlay`), with the addresses inside unchanged.',
    { in: 'ipip' },
    'none may be',
  ),
  spread: key(
    list(spreadSchema, 'a list of spreads', '- { from: host4.c1, to: 203.0.113.53 }').prefault([]),
    'Traffic that must reach all containers which share an address: none of 256 flows may be lost, and each container gets half of an equal share at least.',
    [{ from: 'host4.c1', to: '203.0.113.53' }],
  ),
  maxLossMs: key(
    integer(1, 60_000, 'a number of milliseconds').prefault(200),
    'The longest outage that the proof allows.',
    200,
  ),
})

export const defaultsSchema = z.strictObject({
  tor: key(
    choice(...TOR_KINDS).prefault('linnet'),
    'What a `tor` is; `--tor` overrides it.',
    'frr',
  ),
  within: key(pause.prefault('30s'), 'How long the expectations may take.', '30s'),
})

export const labSchema = z.strictObject({
  name: key(
    z
      .string()
      .regex(/^[a-z][a-z0-9-]{0,30}$/)
      .register(valueFacts, { noun: 'a name', write: 'a name such as two-tor (a-z, 0-9, -)' }),
    'Names the lab for `exec`, `down` and `list`; one of a name runs at a time.',
    'two-tor',
  ),
  defaults: key(defaultsSchema.prefault({}), 'Settings for the whole lab.', { tor: 'linnet' }),
  nodes: key(
    z.record(nodeName, nodeSchema).register(valueFacts, {
      noun: 'a map of nodes',
      write: 'tor1: { kind: tor, asn: 65001 }',
    }),
    'Routers and hosts: a network namespace each.',
    { tor1: { kind: 'tor', asn: 65001 } },
  ),
  links: key(
    list(linkSchema, 'a list of links', '- { endpoints: [...], addresses: [...] }').prefault([]),
    'The fabric.',
    [{ endpoints: ['tor1:eth1', 'host1:eth0'], addresses: ['10.0.1.1/30', '10.0.1.2/30'] }],
  ),
  expect: key(
    list(expectSchema, 'a list of expectations', '- { on: host1, kernel: {...} }').prefault([]),
    'Polled until all is true, or the time is up. Lists of text are sets, lists of numbers are in order.',
    [{ on: 'host1', kernel: { '172.18.2.0/24': { nextHops: ['10.0.1.1'] } } }],
  ),
  proof: key(proofSchema.prefault({}), 'What `lab test` proves.', { fail: 'tor1' }),
})

export type LabDocument = z.output<typeof labSchema>
export type NodeEntry = z.output<typeof nodeSchema>
export type Expectation = z.output<typeof expectSchema>
