/**
 * Good configurations and what the daemon gets: groups merged, defaults filled in, the mesh expanded.
 */
import { describe, expect, test } from 'vitest'
import type { Config } from '../../../src/config/config.ts'
import { address } from '../../../src/net/address.ts'
import { configOf } from './loading.ts'

/** Addresses and prefixes as their text, so that expectations can be read; where it is written is not (settings.test.ts). */
function readable(config: Config): unknown {
  return JSON.parse(
    JSON.stringify({ ...config, settings: undefined }, (_, value: unknown) =>
      typeof value === 'object' && value !== null && 'text' in value ? value.text : value,
    ),
  )
}

test('three lines make a complete configuration', () => {
  const config = configOf('asn: 65101\npeers: [{ address: 10.0.1.1, asn: 65001, import: accept }]')
  expect(readable(config)).toEqual({
    asn: 65101,
    listen: [
      { address: '0.0.0.0', port: 179 },
      { address: '::', port: 179 },
    ],
    decision: {
      alwaysCompareMed: false,
      missingMedWorst: false,
      ignoreAsPathLength: false,
      ignoreRouterId: false,
      linkBandwidth: 'weigh',
    },
    peers: [
      {
        name: '10.0.1.1',
        address: '10.0.1.1',
        port: 179,
        asn: 65001,
        type: 'external',
        localAsn: 65101,
        prependLocalAsn: false,
        prependOwnAsn: false,
        families: ['ipv4', 'ipv6'],
        holdTimeSeconds: 90,
        sendHoldTimeSeconds: 480,
        extendedNextHop: false,
        connectRetrySeconds: 5,
        passive: false,
        nextHop: 'auto',
        importPolicy: [{ name: 'accept', rules: [] }],
        exportPolicy: [{ name: 'local', rules: [] }],
        routeReflectorClient: false,
        allowOwnAsn: 0,
        enhancedRouteRefresh: false,
        gracefulRestart: { restartTimeSeconds: 120 },
        extendedMessages: true,
        addPath: { receive: false, send: 'off' },
        maxPrefixes: { limit: 5_000_000, warnAt: 75, action: 'block' },
        enforceFirstAsn: true,
        asOverride: false,
        announce: 'atOnce',
        defaultOriginate: false,
        removePrivateAsn: false,
        gracefulShutdown: true,
      },
    ],
    ranges: [],
    rpki: [],
    policies: [],
    advertise: { interfaces: [], hostRoutes: { interfaces: [] }, prefixes: [], aggregates: [] },
    kernel: {
      install: true,
      table: 254,
      metric: 20,
      protocol: 179,
      nexthopObjects: 'auto',
      ecmp: 16,
      multipathRelax: true,
      defaultRoute: false,
      withinOwn: 'reject',
      preferredSource: 'auto',
      onStop: 'keep',
    },
    bmp: [],
    api: { socket: '/run/linnet/linnet.sock' },
    log: { level: 'info', format: 'auto' },
  })
})

test('every key finds its way', () => {
  const config = configOf(`
asn: 65101
routerId: 10.0.1.11
clusterId: 10.0.1.12
listen: [{ address: 10.0.1.11, port: 1179 }]
decision: { alwaysCompareMed: true, missingMedWorst: true, ignoreAsPathLength: true, ignoreRouterId: true, linkBandwidth: ignore }
peerGroups:
  tor:
    asn: external
    families: [ipv4]
    holdTime: 8m
    connectRetry: 300ms
    localAddress: 10.0.1.11
    multihop: 2
    password: of-the-group
    export: accept
    bfd: true
peers:
  - name: tor-a
    description: rack 7, left
    address: 10.0.1.1
    group: tor
    passive: true
    port: 1179
    bindDevice: eth0
    password: of-the-peer
    ttlSecurity: 1
    localAsn: { asn: 65200, prependReceived: true, prependOwn: true }
    extendedNextHop: true
    nextHop: self
    allowOwnAsn: 1
    enhancedRouteRefresh: true
    gracefulRestart: { restartTime: 60s, longLivedStaleTime: 24h }
    extendedMessages: false
    addPath: { receive: true, send: 4 }
    bfd: { interval: 50ms, minReceive: 1s, multiplier: 5, multihop: true, strict: true, authentication: { key: of-bfd, keyId: 7, meticulous: true } }
    maxPrefixes: { limit: 50000, warnAt: 90%, action: restart }
    maxPrefixesOut: 1000
    announce: atOnce
    defaultOriginate: true
    enforceFirstAsn: false
    asOverride: true
    removePrivateAsn: all
    role: { is: customer, strict: true }
    gracefulShutdown: false
    import: reject
  - { name: rr, address: 2001:db8::1, asn: internal, routeReflectorClient: true, holdTime: 0, gracefulRestart: false }
advertise:
  interfaces: [docker0, br-*]
  hostRoutes: { interfaces: [cali*, veth*] }
  cni: { directory: /srv/cni }
  aggregates: [10.244.0.0/16, { prefix: 2001:db8::/32, summaryOnly: true, blackhole: false, med: 7 }]
  prefixes:
    - 2001:db8:7::/64
    - { prefix: 10.244.7.0/26, blackhole: true, community: [65101:007, no-export], med: 0 }
kernel:
  install: false
  table: 100
  metric: 50
  protocol: 180
  nexthopObjects: off
  ecmp: 1
  multipathRelax: false
  defaultRoute: true
  withinOwn: accept
  preferredSource: [2001:db8:7::1, 10.244.7.1]
  onStop: remove
bmp:
  - { address: "2001:db8::8", port: 1790, monitor: [locRib], statistics: 0, connectRetry: 5s, sendHoldTime: 1m }
mrt: { updates: /u.mrt, rib: /r.mrt, every: 15m }
api: { socket: /run/l.sock, http: "[::1]:8179" }
log: { level: trace, format: json }
`)
  expect(readable(config)).toEqual({
    asn: 65101,
    routerId: '10.0.1.11',
    clusterId: '10.0.1.12',
    listen: [{ address: '10.0.1.11', port: 1179 }],
    decision: {
      alwaysCompareMed: true,
      missingMedWorst: true,
      ignoreAsPathLength: true,
      ignoreRouterId: true,
      linkBandwidth: 'ignore',
    },
    peers: [
      {
        name: 'tor-a',
        description: 'rack 7, left',
        group: 'tor',
        address: '10.0.1.1',
        port: 1179,
        asn: 'external',
        type: 'external',
        localAsn: 65200,
        prependLocalAsn: true,
        prependOwnAsn: true,
        families: ['ipv4'],
        holdTimeSeconds: 480,
        sendHoldTimeSeconds: 960,
        extendedNextHop: true,
        connectRetrySeconds: 0.3,
        passive: true,
        localAddress: '10.0.1.11',
        bindDevice: 'eth0',
        password: '***',
        ttlSecurity: 1,
        nextHop: 'self',
        importPolicy: [{ name: 'reject', rules: [] }],
        exportPolicy: [{ name: 'accept', rules: [] }],
        routeReflectorClient: false,
        allowOwnAsn: 1,
        enhancedRouteRefresh: true,
        gracefulRestart: { restartTimeSeconds: 60, longLivedStaleSeconds: 86_400 },
        extendedMessages: false,
        addPath: { receive: true, send: 4 },
        bfd: {
          intervalMs: 50,
          minReceiveMs: 1000,
          multiplier: 5,
          strict: true,
          multihop: true,
          authentication: { key: '***', keyId: 7, meticulous: true },
        },
        maxPrefixes: { limit: 50_000, warnAt: 90, action: 'restart', afterSeconds: 300 },
        maxPrefixesOut: { limit: 1000, warnAt: 75, action: 'block' },
        announce: 'atOnce',
        defaultOriginate: true,
        enforceFirstAsn: false,
        asOverride: true,
        removePrivateAsn: 'all',
        role: 'customer',
        strictRole: true,
        gracefulShutdown: false,
      },
      {
        name: 'rr',
        address: '2001:db8::1',
        port: 179,
        asn: 65101,
        type: 'internal',
        localAsn: 65101,
        prependLocalAsn: false,
        prependOwnAsn: false,
        families: ['ipv4', 'ipv6'],
        holdTimeSeconds: 0,
        sendHoldTimeSeconds: 480,
        extendedNextHop: false,
        connectRetrySeconds: 5,
        passive: false,
        nextHop: 'auto',
        importPolicy: [{ name: 'accept', rules: [] }],
        exportPolicy: [{ name: 'accept', rules: [] }],
        routeReflectorClient: true,
        allowOwnAsn: 0,
        enhancedRouteRefresh: false,
        extendedMessages: true,
        addPath: { receive: false, send: 'off' },
        maxPrefixes: { limit: 5_000_000, warnAt: 75, action: 'block' },
        enforceFirstAsn: true,
        asOverride: false,
        announce: 'atOnce',
        defaultOriginate: false,
        removePrivateAsn: false,
        gracefulShutdown: true,
      },
    ],
    ranges: [],
    rpki: [],
    policies: [],
    advertise: {
      interfaces: ['docker0', 'br-*'],
      hostRoutes: { interfaces: ['cali*', 'veth*'] },
      cni: { directory: '/srv/cni' },
      prefixes: [
        { prefix: '2001:db8:7::/64', blackhole: false, communities: [] },
        {
          prefix: '10.244.7.0/26',
          blackhole: true,
          communities: ['65101:7', '65535:65281'],
          med: 0,
        },
      ],
      aggregates: [
        { prefix: '10.244.0.0/16', summaryOnly: false, blackhole: true, communities: [] },
        {
          prefix: '2001:db8::/32',
          summaryOnly: true,
          blackhole: false,
          communities: [],
          med: 7,
        },
      ],
    },
    kernel: {
      install: false,
      table: 100,
      metric: 50,
      protocol: 180,
      nexthopObjects: 'off',
      ecmp: 1,
      multipathRelax: false,
      defaultRoute: true,
      withinOwn: 'accept',
      preferredSource: { ipv6: '2001:db8:7::1', ipv4: '10.244.7.1' },
      onStop: 'remove',
    },
    bmp: [
      {
        address: '2001:db8::8',
        port: 1790,
        monitor: ['locRib'],
        statisticsSeconds: 0,
        connectRetrySeconds: 5,
        sendHoldTimeSeconds: 60,
      },
    ],
    mrt: { updates: '/u.mrt', rib: '/r.mrt', everySeconds: 900 },
    api: { socket: '/run/l.sock', http: { address: '::1', port: 8179 } },
    log: { level: 'trace', format: 'json' },
  })
  expect(config.peers[0]?.password?.reveal()).toBe('of-the-peer')
})

describe('what a session is signed with', () => {
  const signing = (group: string, own: string) => {
    const [peer] = configOf(`
asn: 1
peerGroups: { tor: { ${group} } }
peers: [{ address: 10.0.1.1, asn: internal, group: tor, ${own} }]`).peers
    const keys = peer?.tcpAo?.map(({ key, ...it }) => ({ ...it, key: key.reveal() }))
    return { password: peer?.password?.reveal(), keys }
  }
  const written = (id: number, key: string): string =>
    `{ sendId: ${id}, receiveId: 7, key: ${key} }`
  const read = (id: number, key: string) => ({
    ...{ sendId: id, receiveId: 7, algorithm: 'hmac-sha1', key },
  })

  test('one key of TCP-AO, or several with their algorithms', () => {
    const { keys: one } = signing('passive: true', `tcpAo: ${written(1, 'one')}`)
    expect(one).toEqual([read(1, 'one')])
    const second = '{ sendId: 2, receiveId: 8, key: two, algorithm: cmac-aes128 }'
    const { keys: two } = signing('passive: true', `tcpAo: [${written(1, 'one')}, ${second}]`)
    expect(two).toEqual([
      read(1, 'one'),
      { sendId: 2, receiveId: 8, algorithm: 'cmac-aes128', key: 'two' },
    ])
  })

  test('the level that says anything decides: TCP-AO instead of the password of the group', () => {
    expect(signing('password: hush', `tcpAo: ${written(1, 'one')}`)).toEqual({
      password: undefined,
      keys: [read(1, 'one')],
    })
    expect(signing(`tcpAo: ${written(1, 'one')}`, 'password: hush')).toEqual({
      password: 'hush',
      keys: undefined,
    })
  })
})

describe('the mesh', () => {
  const MESH = `
asn: 65000
peerGroups: { nodes: { holdTime: 3s, import: accept } }
mesh:
  nodes: [10.0.1.11, { address: 10.0.1.12, asn: 65112, name: far }, 10.0.1.13]
  group: nodes
`
  const names = (own: string[]): string[] =>
    configOf(MESH, { variables: {}, ownAddresses: own.map(address) }).peers.map((it) => it.name)

  test.each([
    ['10.0.1.11', ['far', '10.0.1.13']],
    ['10.0.1.12', ['10.0.1.11', '10.0.1.13']],
    ['10.0.1.13', ['10.0.1.11', 'far']],
  ])('leaves out %s, which is this host', (own, others) => {
    expect(names(['192.0.2.1', own])).toEqual(others)
  })

  test('leaves out the source of its sessions, whoever checks the file', () => {
    const text = MESH.replace('holdTime: 3s', 'localAddress: 10.0.1.12')
    expect(configOf(text).peers.map((it) => it.name)).toEqual(['10.0.1.11', '10.0.1.13'])
  })

  test('speaks internally with nodes of our AS, and shares the settings of its group', () => {
    const peers = configOf(MESH).peers
    expect(peers.map(({ asn, type, holdTimeSeconds }) => [asn, type, holdTimeSeconds])).toEqual([
      [65000, 'internal', 3],
      [65112, 'external', 3],
      [65000, 'internal', 3],
    ])
  })
})

describe('a variable', () => {
  const environment = { variables: { HOSTNAME: 'host1', ASN: '65101', EMPTY: '', KEY: '007' } }
  const nameOf = (text: string): string | undefined => {
    const peers = `peers:\n  - address: 10.0.1.1\n    asn: internal\n    description: ${text}\n`
    return configOf(`asn: 1\n${peers}`, environment).peers[0]?.description
  }

  test.each([
    ['${HOSTNAME}', 'host1'],
    ['at-${HOSTNAME}-${ASN}', 'at-host1-65101'],
    ['"${ASN}"', '65101'],
    ['$${ASN}', '${ASN}'],
    ['$HOME costs $5', '$HOME costs $5'],
    ['"<${EMPTY}>"', '<>'],
  ])('%s reads %s', (written, meant) => {
    expect(nameOf(written)).toBe(meant)
  })

  test.each(['asn: ${ASN}', 'asn: "${ASN}"', '{ asn: "${ASN}" }'])('makes a number: %s', (text) => {
    expect(configOf(text, environment).asn).toBe(65101)
  })

  test('makes text of digits where text belongs', () => {
    const peers =
      'peers: [{ address: 10.0.1.1, asn: "${ASN}", password: "${KEY}", name: "${ASN}" }]'
    const [peer] = configOf(`asn: 65101\n${peers}`, environment).peers
    expect([peer?.asn, peer?.name, peer?.password?.reveal()]).toEqual([65101, '65101', '007'])
  })
})

test('aliases repeat values', () => {
  const config = configOf(`
asn: 65101
peers:
  - { address: 10.0.1.1, asn: &tor 65001, import: accept }
  - { address: 10.0.2.1, asn: *tor, import: accept }
`)
  expect(config.peers.map((peer) => peer.asn)).toEqual([65001, 65001])
})

describe('in a confederation (RFC 5065)', () => {
  const of = (peer: string) =>
    configOf(
      `asn: 65101\nconfederation: { asn: 65000, members: [65101, 65102] }\npeers: [{ address: 10.0.1.1, ${peer} }]`,
    ).peers[0]

  const cases: readonly [peer: string, type: string, localAsn: number, importPolicy: string][] = [
    ['asn: 65101', 'internal', 65101, 'accept'],
    ['asn: internal', 'internal', 65101, 'accept'],
    ['asn: 65102', 'confederation', 65101, 'accept'],
    ['asn: 65103', 'external', 65000, 'reject'],
    ['asn: external', 'external', 65000, 'reject'],
    ['asn: 65103, localAsn: 65200', 'external', 65200, 'reject'],
  ]
  test.each(cases)('%s: %s, to whom we are %i; import %s', (peer, type, localAsn, importPolicy) => {
    expect(of(peer)).toMatchObject({ type, localAsn, importPolicy: [{ name: importPolicy }] })
  })
})

test('bfd: what a peer says takes the place of what its group says, as a whole', () => {
  const config = configOf(`asn: 1
peerGroups: { tor: { asn: internal, bfd: { multiplier: 9, interval: 1s } } }
peers:
  - { name: as-the-group, address: 10.0.0.1, group: tor }
  - { name: own, address: 10.0.0.2, group: tor, bfd: { interval: 50ms } }
  - { name: without, address: 10.0.0.3, group: tor, bfd: false }
`)
  const default3 = { minReceiveMs: 50, multiplier: 3, strict: false }
  expect(config.peers.map(({ bfd }) => bfd)).toEqual([
    { intervalMs: 1000, minReceiveMs: 1000, multiplier: 9, strict: false },
    { intervalMs: 50, ...default3 },
    undefined,
  ])
})
