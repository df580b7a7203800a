import { describe, expect, test } from 'vitest'
import {
  detailOf,
  fibRoute,
  monitor,
  nextHop,
  peerDown,
  peerUp,
  route,
  source,
  status,
} from '../control/fake-daemon.ts'
import type { FakeDaemon } from '../control/fake-daemon.ts'
import { fakeDaemon, run, shellFor } from './command-line.ts'
import { having } from '../../support/containing.ts'

interface Golden {
  readonly title: string
  readonly line: string
  readonly given?: (daemon: FakeDaemon) => void
  readonly shows: string
}

const goldens: readonly Golden[] = [
  {
    title: 'peers, one up and one down with the reason',
    line: 'show peers',
    shows: `
NAME   ADDRESS      AS  STATE                        RECEIVED  ACCEPTED  ANNOUNCED
tor-a  10.0.1.1  65001  Established 10m                   120       118          4
tor-b  eth1          -  Active: trying again in 4 s         -         -          -
    last error: sent OPEN Message Error/Bad Peer AS: peer says AS 65002, configured 65001
`,
  },
  {
    title: 'routes of every kind',
    line: 'show routes',
    given: (daemon) => {
      daemon.routeRows = [
        route,
        {
          ...route,
          peer: 'tor-b',
          nextHops: ['10.0.2.1'],
          best: false,
          multipath: true,
          reason: 'higher router id',
        },
        {
          ...route,
          peer: 'tor-c',
          best: false,
          installed: false,
          origin: 'incomplete',
          med: 50,
          asPath: '65003 65001 65102',
          reason: 'longer AS path',
        },
        {
          ...route,
          prefix: '172.18.1.0/24',
          peer: null,
          source: 'interface',
          asPath: '',
          nextHops: [],
          installed: false,
          reason: 'only path',
        },
        {
          ...route,
          prefix: '0.0.0.0/0',
          best: false,
          valid: false,
          installed: false,
          localPref: null,
          reason: 'rejected: default route, and kernel.defaultRoute is false',
        },
        {
          ...route,
          prefix: '2001:db8:1::/48',
          family: 'ipv6',
          nextHops: ['2001:db8::1', 'fe80::1'],
          origin: null,
        },
      ]
    },
    shows: `
    PREFIX           NEXT HOP             FROM       AS PATH              PREF  MED  AGE  REASON
*>  172.18.2.0/24    10.0.1.1             tor-a      65001 65102 i         100    -  10m  lower router id
=>  172.18.2.0/24    10.0.2.1             tor-b      65001 65102 i         100    -  10m  higher router id
    172.18.2.0/24    10.0.1.1             tor-c      65003 65001 65102 ?   100   50  10m  longer AS path
*   172.18.1.0/24    -                    interface  i                     100    -  10m  only path
    0.0.0.0/0        10.0.1.1             tor-a      65001 65102 i           -    -  10m  rejected: default route, and kernel.defaultRoute is false
*>  2001:db8:1::/48  2001:db8::1 fe80::1  tor-a      65001 65102           100    -  10m  lower router id
`,
  },
  {
    title: 'routes with path identifiers, and with weights',
    line: 'show routes',
    given: (daemon) => {
      daemon.routeRows = [
        { ...route, pathId: 7, weight: 4 },
        { ...route, pathId: 12, weight: 1, best: false, multipath: true },
        { ...route, peer: 'tor-b', best: false, installed: false },
      ]
    },
    shows: `
    PREFIX         NEXT HOP  FROM   ID  AS PATH        PREF  MED  WEIGHT  AGE  REASON
*>  172.18.2.0/24  10.0.1.1  tor-a   7  65001 65102 i   100    -       4  10m  lower router id
=>  172.18.2.0/24  10.0.1.1  tor-a  12  65001 65102 i   100    -       1  10m  lower router id
    172.18.2.0/24  10.0.1.1  tor-b   -  65001 65102 i   100    -       -  10m  lower router id
`,
  },
  {
    title: 'kernel routes, with what the kernel said',
    line: 'show fib',
    given: (daemon) => {
      daemon.fibRows = [
        fibRoute,
        {
          ...fibRoute,
          prefix: '10.9.0.0/16',
          state: 'failed',
          error: 'ENETUNREACH: Nexthop has invalid gateway',
          nextHops: [{ via: '10.0.1.12', dev: 'tunl0', weight: 2, encap: 'ipip 10.0.1.12' }],
        },
        { ...fibRoute, prefix: '10.244.7.0/26', type: 'blackhole', nextHops: [], nexthopId: null },
      ]
    },
    shows: `
PREFIX         STATE      TABLE  METRIC        NHID  AGE  NEXT HOPS
172.18.2.0/24  installed    254      20  1275068419  10m  via 10.0.1.1 dev eth0, via 10.0.2.1 dev eth1
10.9.0.0/16    failed       254      20  1275068419  10m  via 10.0.1.12 dev tunl0 weight 2 encap ipip 10.0.1.12
    the kernel says: ENETUNREACH: Nexthop has invalid gateway
10.244.7.0/26  installed    254      20           -  10m  blackhole
`,
  },
  {
    title: 'own prefixes',
    line: 'show sources',
    given: (daemon) => {
      daemon.sourceRows = [
        source,
        {
          ...source,
          prefix: '10.244.7.9/32',
          source: 'docker',
          network: 'web',
          container: 'shop',
          announced: false,
        },
      ]
    },
    shows: `
PREFIX         SOURCE     ON                ANNOUNCED  AGE
172.18.1.0/24  interface  docker0           yes        10m
10.244.7.9/32  docker     docker0 web shop  no         10m
`,
  },
  {
    title: 'monitors',
    line: 'show monitors',
    given: (daemon) => {
      const rib = { name: 'mrt rib', kind: 'mrtRib', target: '/rib.mrt', state: 'waiting' } as const
      daemon.monitorRows = [monitor, { ...monitor, ...rib, lastError: null, lastErrorAt: null }]
    },
    shows: `
MONITOR      TARGET                       STATE    SINCE  MESSAGES   BYTES  QUEUED  LAST ERROR
mrt updates  /var/lib/linnet/updates.mrt  failed     10m       900  64 KiB       0  can't write /var/lib/linnet/updates.mrt: no space left on device
mrt rib      /rib.mrt                     waiting    10m       900  64 KiB       0  -
`,
  },
  {
    title: 'next hops',
    line: 'show nexthops',
    given: (daemon) => {
      daemon.nextHopRows = [
        nextHop,
        {
          ...nextHop,
          id: null,
          nextHops: ['10.9.9.9'],
          members: [],
          routes: 3,
          backup: 'via tor-b',
          resolvedBy: 'no route to 10.9.9.9',
        },
      ]
    },
    shows: `
        ID  NEXT HOP           REACHED                                       ROUTES  BACKUP     AGE  RESOLVED BY
1275068419  10.0.1.1 10.0.2.1  via 10.0.1.1 dev eth0, via 10.0.2.1 dev eth1     118  -          10m  connected on eth0, eth1
         -  10.9.9.9           unreachable                                        3  via tor-b  10m  no route to 10.9.9.9
`,
  },
  {
    title: 'the status, with a warning',
    line: 'show status',
    given: (daemon) => {
      daemon.statusRow = { ...status, warnings: ['net.ipv4.ip_forward is 0: set it to 1'] }
    },
    shows: `
linnet          0.1.0 on host1, process 4711
running         10m since 2026-03-01T11:50:00.000Z
AS              65101
router id       10.0.1.11
configuration   /etc/linnet/node.yaml, read 10m ago
sessions        1 of 2 established
prefixes        100 ipv4, 20 ipv6
paths           200 ipv4, 40 ipv6
own prefixes    1
kernel routes   117 installed, 1 pending, 0 failed, 0 stale, 0 refused; 2 repaired
waiting         3 announce
memory          64 MiB
event loop lag  1.5 ms
warning: net.ipv4.ip_forward is 0: set it to 1
`,
  },
  {
    title: 'what the configuration says of a peer, and where',
    line: 'show peer tor-a --config',
    shows: `
KEY       VALUE  SET IN
asn       65001  /etc/linnet/node.yaml:4:10 (group tor)
holdTime  30s    /etc/linnet/node.yaml:7:44
password  ***    /etc/linnet/node.yaml:7:60
port      179    default
`,
  },
  {
    title: 'one peer, whole',
    line: 'show peer tor-a',
    shows: `
peer              tor-a, of group tor
address           10.0.1.1
AS                65001 (external); we are 65101
state             Established 10m
flaps             1
last error        none
router id         10.0.0.1
connection        10.0.1.11:179 to 10.0.1.1:40001
hold time         90 s, keepalive every 30 s
import            accept
export            local
queued            0 prefixes
BFD               Up 10m (signed); we send every 300 ms, the peer every 250 ms, lost after 900 ms; longest silence 312 ms; 2 failures
max prefixes      5,000,000 (default), block
withheld          3 prefixes beyond max prefixes out
graceful restart  asks for 120 s, forwarded ipv4 meanwhile, NOTIFICATIONs keep routes
capabilities      multiprotocol ipv4, 4-octet AS
not offered       route refresh

FAMILY  RECEIVED  ACCEPTED  REJECTED  BLOCKED  ANNOUNCED  STALE         END OF RIB  ADD-PATH
ipv4         100        99         1        2          4  7, 42 s more  seen        receive, send all
ipv6          20        19         1        0          0  -             -           -

MESSAGES  OPEN  UPDATE  KEEPALIVE  NOTIFICATION  REFRESH   BYTES
received     1     600         39             0        0  123456
sent         1      32         39             0        0    4321
`,
  },
]

describe('what people see', () => {
  for (const { title, line, given, shows } of goldens) {
    test(`${line}: ${title}`, async () => {
      const { daemon, socket } = await fakeDaemon()
      given?.(daemon)
      const { code, out, err } = await run(line, shellFor(socket))
      expect(`\n${out}`).toBe(shows)
      expect({ code, err }).toEqual({ code: 0, err: '' })
    })
  }
})

describe('nothing to show says why that may be', () => {
  const cases: { line: string; says: RegExp; given?: (daemon: FakeDaemon) => void }[] = [
    { line: 'show peers', says: /^no peers: add some under peers: in \/etc\/linnet\/node.yaml\n$/ },
    {
      line: 'show routes',
      says: /^no routes: no session is up, see linnet show peers\n$/,
      given: (it) => void (it.statusRow = { ...status, established: 0 }),
    },
    {
      line: 'show routes',
      says: /^no routes: no peers are configured\n$/,
      given: (it) => void (it.statusRow = { ...status, peers: 0, established: 0 }),
    },
    { line: 'show routes --prefix 10.9.0.0/16', says: /^no routes\n$/ },
    { line: 'show fib', says: /^nothing to install: see linnet show routes/ },
    {
      line: 'show fib',
      says: /no session is up/,
      given: (it) => void (it.statusRow = { ...status, established: 0 }),
    },
    {
      line: 'show sources',
      says: /^no prefixes of our own: name interfaces .*\/etc\/linnet\/node.yaml\n$/,
    },
    { line: 'show nexthops', says: /^no next hops/ },
    { line: 'show monitors', says: /^no monitors: name files under mrt: or stations under bmp: / },
  ]
  for (const { line, says, given } of cases) {
    test(`${line}: ${says.source}`, async () => {
      const { daemon, socket } = await fakeDaemon()
      Object.assign(daemon, {
        peerRows: [],
        routeRows: [],
        fibRows: [],
        sourceRows: [],
        nextHopRows: [],
        monitorRows: [],
      })
      given?.(daemon)
      const { code, out, err } = await run(line, shellFor(socket))
      expect({ code, out }).toEqual({ code: 0, out: '' })
      expect(err).toMatch(says)
    })
  }
})

describe('--json', () => {
  const cases: { line: string; is: unknown }[] = [
    { line: 'show peers --json', is: [peerUp, peerDown] },
    { line: 'show peer tor-a --json', is: detailOf(peerUp) },
    { line: 'show routes --json', is: [route] },
    { line: 'show routes --json --prefix 10.9.0.0/16', is: [] },
    { line: 'show fib --json', is: [fibRoute] },
    { line: 'show sources --json', is: [source] },
    { line: 'show nexthops --json', is: [nextHop] },
    { line: 'show monitors --json', is: [monitor] },
    { line: 'show status --json', is: status },
  ]
  for (const { line, is } of cases) {
    test(`${line} is what the API answers`, async () => {
      const { socket } = await fakeDaemon()
      const { code, out, err } = await run(line, shellFor(socket))
      expect(JSON.parse(out)).toEqual(is)
      expect({ code, err }).toEqual({ code: 0, err: '' })
    })
  }
})

describe('filters reach the daemon', () => {
  const cases: { options: string; asks: object }[] = [
    { options: '', asks: { view: 'all', longer: false } },
    { options: '--best', asks: { view: 'best' } },
    { options: '--rejected --family ipv6', asks: { view: 'rejected', family: 'ipv6' } },
    { options: '--received --peer tor-a', asks: { view: 'received', peer: 'tor-a' } },
    { options: '--advertised --peer 10.0.1.1', asks: { view: 'advertised', peer: 'tor-a' } },
    {
      options: '--prefix 10.0.0.0/8 --longer',
      asks: { longer: true, prefix: having({ text: '10.0.0.0/8' }) },
    },
  ]
  for (const { options, asks } of cases) {
    test(`show routes ${options}`, async () => {
      const { daemon, socket } = await fakeDaemon()
      await run(`show routes ${options}`, shellFor(socket))
      expect(daemon.asked).toEqual([expect.objectContaining(asks)])
    })
  }

  test('show sources --prefix --longer', async () => {
    const { daemon, socket } = await fakeDaemon()
    daemon.sourceRows = [source, { ...source, prefix: '10.1.0.0/16' }]
    const { out } = await run(
      'show sources --prefix 172.16.0.0/12 --longer --json',
      shellFor(socket),
    )
    expect(JSON.parse(out)).toEqual([source])
  })
})

describe('the look', () => {
  test('colours on a terminal', async () => {
    const { socket } = await fakeDaemon()
    const { out } = await run('show peers', shellFor(socket, { interactive: true, colour: true }))
    expect(out).toContain('\u001b[32mEstablished 10m\u001b[0m')
    expect(out).toContain('\u001b[31mActive: trying again in 4 s\u001b[0m')
  })

  test('a terminal gets the legend of the marks, a pipe does not', async () => {
    const { socket } = await fakeDaemon()
    const onTerminal = await run('show routes', shellFor(socket, { interactive: true }))
    const inPipe = await run('show routes', shellFor(socket))
    expect(onTerminal.out).toBe(`* best   = multipath   > in the kernel   s stale\n${inPipe.out}`)
  })
})
