/**
 * The kernel's routes are as they shall be, whatever others do to them: who meddled is named, what is fought over
 * is left alone, and storms of other people's changes lose nothing. The link to the router is a VLAN; where the
 * kernel has none, a macvlan, which goes with the link below in the same way.
 *
 * LINNET_STORM=1 makes the storms as large as they are meant: 500,000 routes of others, 4,000 VLANs and 2,000
 * pairs of veths at once.
 */
import { execFileSync, spawn, type ChildProcess } from 'node:child_process'
import { symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { ip, ipBatch } from '../support/box.ts'
import { announce } from '../support/bgp-messages.ts'
import { BgpPeer } from '../support/bgp-peer.ts'
import { Workshop, type Daemon, type Running } from '../support/daemon.ts'
import { enterFabric, ourRoutes, wire, type Host } from '../support/fabric.ts'
import { until } from '../support/until.ts'

const LARGE = process.env['LINNET_STORM'] !== undefined
const FOREIGN_ROUTES = LARGE ? 500_000 : 40_000
const VLANS = LARGE ? 4_000 : 400
const VETHS = LARGE ? 2_000 : 200
const PATIENCE_MS = LARGE ? 120_000 : 20_000

const TOR = '10.0.1.2'
const PREFIXES = Array.from({ length: 200 }, (_, i) => `198.18.${i}.0/24`)
const [FIRST] = PREFIXES

const workshop = new Workshop()
let host: Host
beforeAll(async () => {
  host = enterFabric()[0]
  const far = await wire(host, { link: 'eth0', host: [], fabric: [] })
  hasVlan = tryIp(`link add link ${far} name vlan100 type vlan id 100`)
  host.within(() => ipBatch(addSubInterface()))
  ip(`addr add ${TOR}/24 dev ${hasVlan ? 'vlan100' : far}`)
  if (hasVlan) ip('link set vlan100 up')
})

let hasVlan = false
const subType = (id: number): string =>
  hasVlan ? `type vlan id ${id}` : 'type macvlan mode bridge'
const addSubInterface = (): string[] => [
  `link add link eth0 name eth0.100 ${subType(100)}`,
  'addr add 10.0.1.1/24 dev eth0.100',
  'link set eth0.100 up',
]

function tryIp(command: string): boolean {
  try {
    ip(command)
    return true
  } catch {
    return false
  }
}
let tor: BgpPeer | undefined
afterEach(async () => {
  tor?.close()
  await workshop.endDaemons()
  host.ip('route flush proto 179')
  host.ip('nexthop flush')
})
afterAll(() => workshop.close())

const config = `
asn: 65101
routerId: 10.0.1.1
peers: [{ name: tor, address: ${TOR}, asn: 65001, passive: true, import: accept }]
`

const allThere = (): boolean => {
  const routes = ourRoutes(host)
  return PREFIXES.every((prefix) => routes.has(prefix))
}

/** The daemon, with all routes of its router in the kernel. */
async function stage(running: Running = {}): Promise<Daemon> {
  const daemon = await workshop.daemon(host, config, running)
  const routes = [announce({ prefixes: PREFIXES, nextHop: TOR, asPath: [65001] })]
  tor = new BgpPeer({ local: TOR, remote: '10.0.1.1', asn: 65001, routes })
  await tor.up()
  await until('all routes are there', allThere)
  return daemon
}

/** A process that the kernel knows as `bird`, and that speaks to it about routes. */
function startRival(): ChildProcess {
  const path = join(workshop.folder, 'bird')
  symlinkSync(execFileSync('sh', ['-c', 'command -v ip'], { encoding: 'utf8' }).trim(), path)
  return host.within(() => spawn(path, ['monitor', 'link'], { stdio: 'ignore' }))
}

const isQuiet = async (daemon: Daemon): Promise<boolean> => {
  const { fib, queues } = await daemon.status()
  const left = [fib.pending, fib.failed, ...Object.values(queues)]
  return fib.installed === PREFIXES.length && left.every((it) => it === 0)
}

describe('somebody meddles', () => {
  test('it is repaired within a second, and told who did what', async () => {
    const rival = startRival()
    const daemon = await stage()
    const named = await daemon.logged('RivalFound')
    expect(named.text).toContain(`bird (pid ${rival.pid}) may write routes`)
    rival.kill()
    const deeds: readonly (readonly [command: string, told: RegExp])[] = [
      [`route del ${FIRST} proto 179`, /\(pid \d+\) deleted it$/],
      [
        `route replace blackhole ${FIRST} proto 179 metric 20`,
        /\(pid \d+\) changed it to blackhole/,
      ],
      ['nexthop flush', /\((pid|netlink port) \d+\) deleted its nexthop object$/],
    ]
    for (const [command, told] of deeds) {
      host.ip(command)
      const meddledAt = performance.now()
      const isRight = (): boolean => allThere() && ourRoutes(host).get(FIRST)?.nhid !== undefined
      await until(`repaired: ${command}`, isRight)
      expect(performance.now() - meddledAt, command).toBeLessThan(1000)
      await daemon.logged('RouteRepaired', ({ text }) => told.test(text))
    }
    await until('nothing is left to do', () => isQuiet(daemon))
  })

  test('a rival who insists gets the route for five minutes, and is named', async () => {
    const daemon = await stage()
    const has = (): boolean => host.ip(`route show ${FIRST} proto 179`).trim() !== ''
    const fought = (): boolean => daemon.lines('RouteFought').length > 0
    for (let i = 0; i < 11; i++) {
      await until('the route is there', has)
      host.ip(`route del ${FIRST} proto 179`)
    }
    await until('the daemon has had enough', fought)
    const [{ prefix, text }] = daemon.lines('RouteFought')
    expect(prefix).toBe(FIRST)
    expect(text).toMatch(
      /changed 11 times in a minute.*\(pid \d+\) deleted it.*left alone for 300 s/,
    )
    const [row] = await daemon.fib({ prefix: FIRST })
    expect(row).toMatchObject({ state: 'failed' })
    expect(row.error).toMatch(/^left alone for 5 minutes: /)
    expect((await daemon.status()).fib).toMatchObject({ fights: 1, failed: 1, installed: 199 })
    expect(has()).toBe(false)
  })
})

describe('memory', () => {
  const meminfo = (availableMib: number): string =>
    workshop.write('meminfo', `MemTotal: 8388608 kB\nMemAvailable: ${1024 * availableMib} kB\n`)

  test('when it is short, no more routes are taken; those in the kernel stay, and so do sessions', async () => {
    const script = 'mount --bind "$0" /proc/meminfo && exec "$@"'
    const wrap = ['unshare', '--mount', 'sh', '-c', script, meminfo(4000)]
    const daemon = await stage({ wrap })
    meminfo(100)
    await daemon.logged('MemoryShort')
    const more = announce({ prefixes: ['198.19.0.0/24'], nextHop: TOR, asPath: [65001] })
    tor?.send(more)
    await daemon.logged('PrefixesBlocked')
    const { warnings, fib } = await daemon.status()
    expect(warnings).toContainEqual(expect.stringMatching(/^the machine has 100 MiB of 8,192 MiB/))
    expect(fib.installed).toBe(PREFIXES.length)
    meminfo(4000)
    await daemon.logged('MemoryRecovered')
    tor?.send(more)
    await until('it is taken now', () => ourRoutes(host).has('198.19.0.0/24'))
    expect(allThere()).toBe(true)
    expect(tor?.sessions).toBe(1)
  })
})

describe('the VLAN to the router', () => {
  test('its routes go and come back with it', async () => {
    const daemon = await stage()
    const up = ['link set eth0 up', 'link set eth0.100 up']
    const losses: readonly (readonly [title: string, lose: string, back: readonly string[]])[] = [
      ['goes down with the link below', 'link set eth0 down', up],
      ['is removed and made again', 'link del eth0.100', addSubInterface()],
    ]
    for (const [title, lose, back] of losses) {
      host.ip(lose)
      await until(`no routes: it ${title}`, () => ourRoutes(host).size === 0)
      host.within(() => ipBatch(back))
      await until(`all routes again: it ${title}`, allThere, 15_000)
      await until('nothing is left to do', () => isQuiet(daemon))
    }
  })
})

describe('storms', () => {
  /** Resolves when all is in order; the longest that the daemon was deaf since it was last asked, in ms. */
  async function recovered(daemon: Daemon): Promise<number> {
    let longest = 0
    const isRight = async (): Promise<boolean> => {
      longest = Math.max(longest, (await daemon.status()).eventLoopLagMs)
      return allThere() && (await isQuiet(daemon))
    }
    await until('all is in order again', isRight, PATIENCE_MS)
    expect(tor?.sessions).toBe(1)
    return longest
  }

  test('of routes of others, with an overrun in which ours were flushed', async () => {
    const daemon = await stage()
    const routes = Array.from({ length: FOREIGN_ROUTES }, (_, i) => {
      return `${20 + (i >> 16)}.${(i >> 8) & 255}.${i & 255}.0/24`
    })
    const change = (verb: string): void =>
      host.within(() => ipBatch(routes.map((it) => `route ${verb} blackhole ${it} proto 99`)))
    change('add')
    // It hears nothing for a while, and the socket's buffer overflows: that ours go is not told.
    daemon.signal('SIGSTOP')
    change('del')
    host.ip('route flush proto 179')
    daemon.signal('SIGCONT')
    await daemon.status() // it was deaf because we wanted it to be
    expect(await recovered(daemon)).toBeLessThan(1_000)
  })

  test('of sub-interfaces and of containers', async () => {
    const daemon = await stage()
    const numbers = (count: number): number[] => Array.from({ length: count }, (_, i) => i)
    const links = [
      ...numbers(VLANS).map(
        (i) => `link add link eth0 name s${i} ${subType(i + (i < 99 ? 1 : 2))}`,
      ),
      ...numbers(VETHS).map((i) => `link add w${i} type veth peer name x${i}`),
    ]
    host.within(() => ipBatch(links))
    host.ip(`route del ${FIRST} proto 179`)
    expect(await recovered(daemon)).toBeLessThan(1_000)
  })
})
