/** What service managers, monitoring and people see of a daemon: and never a secret. */
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import type { HealthReport } from '../../../src/control/reports.ts'
import { unixAddress } from '../../../src/linux/notify.ts'
import * as sys from '../../../src/linux/sys.ts'
import { announce } from '../../support/bgp-messages.ts'
import { BgpPeer } from '../../support/bgp-peer.ts'
import { linnet, Workshop } from '../../support/daemon.ts'
import { enterFabric, wire, type Host } from '../../support/fabric.ts'
import { until } from '../../support/until.ts'

const workshop = new Workshop()
let host: Host
beforeAll(async () => {
  const hosts = enterFabric()
  host = hosts[0]
  const fabric = ['10.0.1.2/24', '10.0.1.3/24']
  await wire(host, { link: 'eth0', host: ['10.0.1.1/24'], fabric })
})
const peers: BgpPeer[] = []
afterEach(async () => {
  for (const peer of peers.splice(0)) peer.close()
  await workshop.endDaemons()
})
afterAll(() => workshop.close())

const config = (more = ''): string => `
asn: 65101
routerId: 10.0.1.1
peers:
  - { name: tor-a, address: 10.0.1.2, asn: 65001, passive: true, import: accept }
advertise: { prefixes: [10.244.7.0/26] }
${more}
`

async function tor(): Promise<BgpPeer> {
  const routes = [announce({ prefixes: ['192.0.2.0/24'], nextHop: '10.0.1.2', asPath: [65001] })]
  const peer = new BgpPeer({ local: '10.0.1.2', remote: '10.0.1.1', asn: 65001, routes })
  peers.push(peer)
  return peer.up()
}

/** A service manager that only listens: what it was told so far. */
function serviceManager(path: string): { told(): string[]; close(): void } {
  const address = unixAddress(path)
  if (address === undefined) throw new Error(`no address: ${path}`)
  const fd = sys.must('socket', sys.socket(sys.AF_UNIX, sys.SOCK_DGRAM | sys.SOCK_CLOEXEC, 0))
  sys.must('bind', sys.bind(fd, address))
  const datagrams: string[] = []
  const into = Buffer.alloc(512)
  return {
    told() {
      for (;;) {
        const length = sys.receive(fd, into, sys.MSG_DONTWAIT)
        if (length <= 0) return datagrams
        datagrams.push(into.toString('utf8', 0, length))
      }
    },
    close: () => sys.close(fd),
  }
}

describe('a service manager', () => {
  test('hears when the daemon is ready, that it lives, and that it stops', async () => {
    const path = join(workshop.folder, 'notify')
    const manager = serviceManager(path)
    const env = { NOTIFY_SOCKET: path, WATCHDOG_USEC: '200000' }
    const daemon = await workshop.daemon(host, config(), { env })
    expect(manager.told()[0]).toBe('READY=1\nSTATUS=1 peers')
    await until('it shows that it lives', () => manager.told().includes('WATCHDOG=1'))
    expect(await daemon.stop()).toBe(0)
    expect(manager.told().at(-1)).toBe('STOPPING=1')
    manager.close()
  })
})

describe('monitoring', () => {
  const HTTP = 'http://10.0.1.1:8179'

  test('/healthz, /readyz and /metrics, on the socket and over HTTP', async () => {
    const daemon = await workshop.daemon(host, config('api: { http: 10.0.1.1:8179 }'))
    const overHttp = async (path: string): Promise<{ status: number; text: string }> => {
      const answer = await fetch(`${HTTP}${path}`)
      return { status: answer.status, text: await answer.text() }
    }
    expect(await overHttp('/healthz')).toMatchObject({ status: 200 })
    expect(await daemon.isReady()).toBe(false)
    const early = await overHttp('/readyz')
    expect(early.status).toBe(503)
    expect((JSON.parse(early.text) as HealthReport).reasons).toEqual(['no session is Established'])

    await tor()
    await until('it is ready', () => daemon.isReady())
    expect((await overHttp('/readyz')).status).toBe(200)
    let metrics = ''
    for await (const piece of daemon.client.text('/metrics')) metrics += piece
    for (const text of [metrics, (await overHttp('/metrics')).text]) {
      expect(text).toContain('linnet_ready 1\n')
      expect(text).toContain('linnet_peer_up{peer="tor-a",address="10.0.1.2",asn="65001"} 1\n')
      expect(text).toContain('linnet_fib_routes{state="installed"} 1\n')
    }
    // Orders are for the socket, whose file system rights say who may give them.
    const order = await fetch(`${HTTP}/v1/reset`, { method: 'POST', body: '{"peer":"tor-a"}' })
    expect(order.status).toBeGreaterThanOrEqual(400)
    expect((await daemon.peer('tor-a')).state).toBe('Established')

    expect(await daemon.stop()).toBe(0)
    await expect(fetch(`${HTTP}/healthz`)).rejects.toThrow('fetch failed')
  })

  test('a daemon without peers is ready at once', async () => {
    const daemon = await workshop.daemon(host, 'asn: 65101\nrouterId: 10.0.1.1\n')
    await until('it is ready', () => daemon.isReady())
  })
})

const SECRET = 'Tr0ub4dor'
const secretConfig = (password = SECRET): string => `
asn: 65101
routerId: 10.0.1.1
peers:
  - { name: tor-a, address: 10.0.1.2, asn: 65001, passive: true, password: "${password}" }
  - { name: tor-b, address: 10.0.1.3, asn: 65002, connectRetry: 1s, passwordFile: key }
log: { level: trace }
`

describe('the stream of events', () => {
  test('tells what changes in each table, at once: --watch waits for it', async () => {
    const daemon = await workshop.daemon(host, config())
    const heard = new Set<string>()
    const ending = new AbortController()
    const listening = (async () => {
      for await (const { topic, kind } of daemon.client.events(undefined, ending.signal))
        heard.add(`${topic} ${kind}`)
    })()
    await until('the stream is open', async () => {
      await daemon.client.post('/v1/reload', {})
      return heard.has('config ConfigReloaded')
    })
    await tor()
    await until('routes came', () => heard.has('routes RoutesChanged'))
    await until('they were written', () => heard.has('fib FibChanged'))
    host.ip('link set eth0 down')
    await until('the next hop went', () => heard.has('nexthops NextHopChanged'))
    host.ip('link set eth0 up')
    await until('it came back', async () => (await daemon.routes({ view: 'best' })).length === 2)
    ending.abort()
    await listening
  })
})

describe('the log', () => {
  test('in a pipe it is JSON, one event a line', async () => {
    const daemon = await workshop.daemon(host, config('log: { level: trace }'))
    const peer = await tor()
    peer.close()
    await daemon.logged('SessionEnded')
    await daemon.stop()
    expect(daemon.strayLines).toEqual([])
    for (const line of daemon.log) {
      expect(line.level).toMatch(/^(trace|debug|info|warn|error)$/)
      expect(new Date(line.time).getTime()).toBeGreaterThan(0)
      expect(line.event).toMatch(/^([A-Z][a-z]+)+$/)
      expect(line.topic).toMatch(/^(peers|routes|fib|sources|nexthops|config|daemon)$/)
      expect(line.text.trim()).not.toBe('')
      expect(line.text).not.toContain('\n')
    }
    const told = daemon.log.map((it) => it.event)
    const story = [
      'DaemonStarted',
      'SessionEstablished',
      'SessionEnded',
      'StopOrdered',
      'DaemonStopped',
    ]
    expect(told.filter((it) => story.includes(it))).toEqual(story)
  })

  test('for people, when asked: no colours in a pipe', async () => {
    const daemon = await workshop.daemon(host, config('log: { format: pretty }'))
    await until('it is up', () => daemon.strayLines.some((it) => it.includes('control socket')))
    for (const line of daemon.strayLines) {
      expect(line).toMatch(/^\d\d:\d\d:\d\d\.\d{3} (debug|info|warn|error) +\w+ +\S/)
      expect(line).not.toContain('\u001b')
    }
    expect(daemon.log).toEqual([])
  })

  test('a peer that is not there is told about once, not with every attempt', async () => {
    const daemon = await workshop.daemon(
      host,
      config().replace(
        '- { name',
        '- { name: tor-b, address: 10.0.1.3, asn: 65002, connectRetry: 1s }\n  - { name',
      ) + 'log: { level: debug }',
    )
    const attempts = (): number =>
      daemon.log.filter((it) => it.peer === 'tor-b' && it.text.startsWith('Connect -> Active'))
        .length
    await until('three attempts were made', () => attempts() >= 3)
    const [line, ...more] = daemon.lines('AttemptFailed').filter((it) => it.peer === 'tor-b')
    expect(line.text).toMatch(/10\.0\.1\.3:179 refused the connection/)
    expect(more).toEqual([])
  })
})

describe('a secret', () => {
  test('is never shown: not in the log, the answers, the metrics, nor in complaints', async () => {
    workshop.write('key', `${SECRET}\n`)
    const daemon = await workshop.daemon(host, secretConfig())
    await daemon.logged('StateChanged', (it) => it.peer === 'tor-b')
    daemon.rewriteConfig(secretConfig(`${SECRET}2`))
    const outputs: string[] = []
    const ask = async (...words: readonly string[]): Promise<void> => {
      const { stdout, stderr } = await linnet(host, [...words, '--socket', daemon.socket])
      outputs.push(stdout, stderr)
    }
    await ask('reload')
    daemon.rewriteConfig(secretConfig(`${SECRET}${'x'.repeat(90)}`))
    await ask('reload')
    expect(outputs.at(-1)).toMatch(/password/)
    daemon.rewriteConfig(secretConfig().replace('passwordFile: key', `password: ["${SECRET}"]`))
    await ask('reload')
    await ask('show', 'peer', 'tor-a')
    await ask('show', 'peers', '--json')
    for (const path of ['/metrics', '/v1/status', '/v1/peers', '/v1/peers/tor-a']) {
      for await (const piece of daemon.client.text(path)) outputs.push(piece)
    }
    await daemon.stop()
    outputs.push(JSON.stringify(daemon.log), ...daemon.strayLines, daemon.stderr)
    expect(outputs.join('').length).toBeGreaterThan(2000)
    expect(outputs.filter((it) => it.includes(SECRET))).toEqual([])
    expect(daemon.lines('ConfigReloaded')).toHaveLength(1)
    expect(daemon.lines('ReloadRefused').length).toBeGreaterThanOrEqual(2)
  })
})
