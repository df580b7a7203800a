/**
 * Forwarding recovers by itself: from somebody who changes our routes, from links and addresses that come and
 * go, from peers that die, and from the daemon's own death. Judged by the host's kernel.
 */
import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { listen } from '../../src/linux/tcp-listener.ts'
import { address } from '../../src/net/address.ts'
import { ip } from '../support/box.ts'
import { announce } from '../support/bgp-messages.ts'
import { BgpPeer } from '../support/bgp-peer.ts'
import { Workshop, type Daemon } from '../support/daemon.ts'
import { enterFabric, gatewaysOf, ourRoutes, wire, type Host } from '../support/fabric.ts'
import { until } from '../support/until.ts'

const workshop = new Workshop()
let host: Host
let farA: string
beforeAll(async () => {
  const hosts = enterFabric()
  host = hosts[0]
  farA = await wire(host, { link: 'eth0', host: ['10.0.1.1/24'], fabric: [`${A}/24`] })
  await wire(host, { link: 'eth1', host: ['10.0.2.1/24'], fabric: [`${B}/24`] })
})
const peers: BgpPeer[] = []
afterEach(async () => {
  for (const peer of peers.splice(0)) peer.close()
  await workshop.endDaemons()
  host.ip('link set eth0 up')
  ip(`link set ${farA} up`)
  host.ip('route flush proto 179')
  host.ip('nexthop flush')
})
afterAll(() => workshop.close())

const A = '10.0.1.2'
const B = '10.0.2.2'
/** RTN_BLACKHOLE. */
const BLACKHOLE = '6'
/** Both ToRs announce these, so that there are two ways. */
const BOTH = ['198.51.100.0/24', '198.51.101.0/24', '203.0.113.0/24']
/** Only tor-a announces this. */
const ONLY_A = '192.0.2.0/24'

const config = (more = ''): string => `
asn: 65101
routerId: 10.0.1.1
peers:
  - { name: tor-a, address: ${A}, asn: 65001, passive: true, import: accept, holdTime: 3s }
  - { name: tor-b, address: ${B}, asn: 65002, passive: true, import: accept }
${more}
`

function tor(name: 'a' | 'b', prefixes: readonly string[]): BgpPeer {
  const [local, remote, asn] = name === 'a' ? [A, '10.0.1.1', 65001] : [B, '10.0.2.1', 65002]
  const routes = [announce({ prefixes, nextHop: local, asPath: [asn, 65200] })]
  // An end that keeps quiet for long, unless the test wants the hold timer.
  const peer = new BgpPeer({ local, remote, asn, routes, holdTimeSeconds: name === 'a' ? 3 : 90 })
  peers.push(peer)
  return peer
}

const has = (gateways: readonly string[], prefixes: readonly string[] = BOTH): boolean =>
  prefixes.every((prefix) => gatewaysOf(host, prefix).join() === gateways.join())

interface Stage {
  readonly daemon: Daemon
  readonly a: BgpPeer
  readonly b: BgpPeer
}

/** The daemon with both ToRs, and all routes in the kernel. */
async function stage(more = ''): Promise<Stage> {
  const daemon = await workshop.daemon(host, config(more))
  const [a, b] = await Promise.all([tor('a', [...BOTH, ONLY_A]).up(), tor('b', BOTH).up()])
  await until('all routes are in the kernel, both ways', () => has([A, B]) && has([A], [ONLY_A]))
  return { daemon, a, b }
}

describe('somebody changes our routes', () => {
  const meddling: readonly (readonly [what: string, command: string])[] = [
    ['all routes of our protocol are flushed', 'route flush proto 179'],
    ['one is deleted', 'route del 198.51.100.0/24 proto 179'],
    ['one is replaced', 'route replace 198.51.100.0/24 via 10.0.2.2 dev eth1 proto 179 metric 20'],
    ['the nexthop objects are flushed, and with them the routes', 'nexthop flush'],
    ['all routes to the table are flushed, connected ones too', 'route flush table main'],
  ]

  test('and they are put back, without a word to the peers', async () => {
    const { daemon, a, b } = await stage()
    for (const [what, command] of meddling) {
      host.ip(command)
      if (command.endsWith('main')) {
        host.ip('route add 10.0.1.0/24 dev eth0 proto kernel scope link src 10.0.1.1')
        host.ip('route add 10.0.2.0/24 dev eth1 proto kernel scope link src 10.0.2.1')
      }
      await until(`recovered: ${what}`, () => has([A, B]) && has([A], [ONLY_A]))
    }
    expect([a.sessions, b.sessions]).toEqual([1, 1])
    const { fib } = await daemon.status()
    expect(fib).toMatchObject({ installed: 4, pending: 0, failed: 0 })
    expect(fib.repairs).toBeGreaterThan(0)
    await daemon.logged('RouteRepaired')
  })
})

describe('links and addresses', () => {
  test('a link that goes down takes only its own way; it comes back with the link', async () => {
    const { a, b } = await stage()
    host.ip('link set eth0 down')
    await until('the other way remains', () => has([B]) && has([], [ONLY_A]))
    host.ip('link set eth0 up')
    await until('both ways again', () => has([A, B]) && has([A], [ONLY_A]))
    expect(b.sessions).toBe(1)
    expect(a.sessions).toBeGreaterThan(0)
  })

  test('a cable that is pulled at the far end', async () => {
    const { b } = await stage()
    // The fabric's end of the link.
    ip(`link set ${farA} down`)
    await until('the other way remains', () => has([B]))
    ip(`link set ${farA} up`)
    await until('both ways again', () => has([A, B]) && has([A], [ONLY_A]))
    expect(b.sessions).toBe(1)
  })

  test('a link that flaps', async () => {
    const { daemon } = await stage()
    for (let i = 0; i < 20; i++) {
      host.ip('link set eth0 down')
      host.ip('link set eth0 up')
    }
    await until('both ways in the end', () => has([A, B]) && has([A], [ONLY_A]))
    await until('nothing is left to do', async () => {
      const { fib } = await daemon.status()
      return fib.pending === 0 && fib.installed === 4 && fib.failed === 0
    })
  })

  test('an address that is taken away and given back', async () => {
    await stage()
    host.ip('addr del 10.0.1.1/24 dev eth0')
    await until('the other way remains', () => has([B]) && has([], [ONLY_A]))
    host.ip('addr add 10.0.1.1/24 dev eth0')
    await until('both ways again', () => has([A, B]) && has([A], [ONLY_A]))
  })
})

describe('peers that die', () => {
  test('killed: the other one carries on, without a gap', async () => {
    const { a } = await stage()
    const seen = new Set<string>()
    a.close()
    await until('only the other way is left', () => {
      const gateways = gatewaysOf(host, BOTH[0]).join()
      seen.add(gateways)
      return gateways === B && has([B])
    })
    expect([...seen].filter((it) => it !== `${A},${B}` && it !== B)).toEqual([])
    expect(has([], [ONLY_A])).toBe(true)
    await tor('a', [...BOTH, ONLY_A]).up()
    await until('both ways again', () => has([A, B]) && has([A], [ONLY_A]))
  })

  test('frozen: the hold timer finds out', async () => {
    const { a } = await stage()
    a.fallSilent()
    await until('the other way is left', () => has([B]) && has([], [ONLY_A]))
  })
})

/** What `ip monitor` tells of our routes while `action` runs. */
async function changesOfRoutes(action: () => Promise<void>): Promise<string[]> {
  const lines: string[] = []
  const child = host.within(() =>
    spawn('setpriv', ['--pdeathsig', 'KILL', 'stdbuf', '-oL', 'ip', '-N', 'monitor', 'route'], {
      stdio: ['ignore', 'pipe', 'inherit'],
    }),
  )
  createInterface(child.stdout).on('line', (line) => lines.push(line))
  const heard = (prefix: string): Promise<void> =>
    until('the monitor has told all so far', () => {
      host.ip(`route add blackhole ${prefix} proto 99`)
      host.ip(`route del blackhole ${prefix} proto 99`)
      return lines.some((it) => it.includes(prefix))
    })
  try {
    await heard('233.252.0.0/30')
    lines.length = 0
    await action()
    await heard('233.252.0.8/30')
    return lines.filter((line) => line.includes('proto 179'))
  } finally {
    child.kill('SIGKILL')
  }
}

describe('the daemon dies', () => {
  test('by kill -9: routes stay; the next one adopts them and writes nothing anew', async () => {
    const first = await stage()
    const objects = host.ip('nexthop show')
    await first.daemon.kill()
    expect(has([A, B]) && has([A], [ONLY_A])).toBe(true)
    const changes = await changesOfRoutes(async () => {
      const daemon = await workshop.daemon(host, config())
      await until('all is confirmed', async () => {
        const { fib } = await daemon.status()
        return fib.installed === 4 && fib.stale === 0 && fib.pending === 0
      })
      await until('ready', () => daemon.isReady())
    })
    expect(changes).toEqual([])
    // Peers come one by one, so a set of one may have been made for a moment; it goes when it has rested.
    await until('the objects are as before', () => host.ip('nexthop show') === objects)
    expect(has([A, B]) && has([A], [ONLY_A])).toBe(true)
  })

  test('what nobody announces any more is swept once the peers have told everything', async () => {
    const first = await stage()
    await first.daemon.kill()
    for (const peer of peers.splice(0)) peer.close()
    const daemon = await workshop.daemon(host, config())
    expect((await daemon.status()).fib.stale).toBe(4)
    expect(has([A, B])).toBe(true)
    await Promise.all([tor('a', [BOTH[0]]).up(), tor('b', [BOTH[0]]).up()])
    await until('the rest is gone', () => ourRoutes(host).size === 1)
    expect(has([A, B], [BOTH[0]])).toBe(true)
    expect((await daemon.status()).fib).toMatchObject({ installed: 1, stale: 0 })
  })

  test('by SIGTERM with onStop keep: routes stay', async () => {
    const { daemon } = await stage('kernel: { onStop: keep }')
    expect(await daemon.stop()).toBe(0)
    expect(has([A, B]) && has([A], [ONLY_A])).toBe(true)
  })

  test('by SIGTERM with onStop remove: nothing of ours stays', async () => {
    const sysctl = (): string =>
      host.within(() => readFileSync('/proc/sys/net/ipv4/nexthop_compat_mode', 'utf8'))
    const before = sysctl()
    const { daemon } = await stage('kernel: { onStop: remove }')
    expect(await daemon.stop()).toBe(0)
    expect(ourRoutes(host).size).toBe(0)
    expect(host.json('nexthop show')).toEqual([])
    expect(sysctl()).toBe(before)
  })

  test('a second daemon leaves the routes of the first alone', async () => {
    await stage()
    const second = workshop.daemon(host, config('kernel: { onStop: remove }'), { name: 'second' })
    await expect(second).rejects.toThrow(/another linnet writes routes here .*linnet\.yaml/)
    expect(has([A, B]) && has([A], [ONLY_A])).toBe(true)
  })

  test('a daemon that can not start leaves the routes that it found', async () => {
    const { daemon } = await stage()
    await daemon.kill()
    const endpoint = { address: address('10.0.1.1'), port: 179 }
    const squatter = host.within(() => listen(endpoint, { onConnection: (it) => it.abort() }))
    const next = workshop.daemon(host, config('kernel: { onStop: remove }'), { name: 'next' })
    await expect(next).rejects.toThrow(/port 179 is held by /)
    squatter.close()
    expect(has([A, B]) && has([A], [ONLY_A])).toBe(true)
  })
})

describe('a static prefix with blackhole', () => {
  test('is a blackhole route in the kernel for as long as it is configured', async () => {
    const blackhole = 'advertise: { prefixes: [{ prefix: 10.244.7.0/26, blackhole: true }] }'
    const { daemon } = await stage(blackhole)
    await until('it is there', () => ourRoutes(host).get('10.244.7.0/26')?.type === BLACKHOLE)
    host.ip('route del blackhole 10.244.7.0/26')
    await until('it is back', () => ourRoutes(host).get('10.244.7.0/26')?.type === BLACKHOLE)
    daemon.rewriteConfig(config())
    daemon.signal('SIGHUP')
    await until('it is gone', () => !ourRoutes(host).has('10.244.7.0/26'))
    expect(has([A, B])).toBe(true)
  })
})
