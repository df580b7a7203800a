/**
 * Another configuration while the daemon runs, by SIGHUP and by `linnet reload`: what it says happens, to
 * those it names, and to nobody else.
 */
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { announce } from '../../support/bgp-messages.ts'
import { BgpPeer } from '../../support/bgp-peer.ts'
import { linnet, Workshop, type Daemon } from '../../support/daemon.ts'
import { enterFabric, ourRoutes, wire, type Host } from '../../support/fabric.ts'
import { until } from '../../support/until.ts'

const workshop = new Workshop()
let host: Host
const ADDRESSES = ['10.0.1.2', '10.0.1.3', '10.0.1.4']
beforeAll(async () => {
  const hosts = enterFabric()
  host = hosts[0]
  const fabric = ADDRESSES.map((it) => `${it}/24`)
  await wire(host, { link: 'eth0', host: ['10.0.1.1/24'], fabric })
})
const peers: BgpPeer[] = []
afterEach(async () => {
  for (const peer of peers.splice(0)) peer.close()
  await workshop.endDaemons()
  host.ip('route flush proto 179')
})
afterAll(() => workshop.close())

const LEARNED = ['192.0.2.0/24', '198.51.100.0/24', '203.0.113.0/24']

/** Three routers in a row; each announces one of the prefixes. */
function router(index: 0 | 1 | 2): BgpPeer {
  const local = ADDRESSES[index]
  const asn = 65001 + index
  const routes = [announce({ prefixes: [LEARNED[index]], nextHop: local, asPath: [asn] })]
  const peer = new BgpPeer({ local, remote: '10.0.1.1', asn, routes })
  peers.push(peer)
  return peer
}

interface Settings {
  /** Lines of YAML for each router; '' leaves it out. */
  readonly routers: readonly [a: string, b: string, c: string]
  readonly advertise?: string
  readonly more?: string
}

const NAMES = ['a', 'b', 'c'] as const
const PLAIN = 'import: accept, export: accept'

function config({ routers, advertise = '10.244.7.0/26', more = '' }: Settings): string {
  const lines = routers.map((settings, i) =>
    settings === ''
      ? ''
      : `  - { name: ${NAMES[i]}, address: ${ADDRESSES[i]}, asn: ${65001 + i}, passive: true, ${settings} }\n`,
  )
  return `
asn: 65101
routerId: 10.0.1.1
peers:
${lines.join('')}advertise: { prefixes: [${advertise}] }
${more}
`
}
const ALL: Settings = { routers: [PLAIN, PLAIN, PLAIN] }

interface Stage {
  readonly daemon: Daemon
  readonly a: BgpPeer
  readonly b: BgpPeer
  readonly c: BgpPeer
}

/** All three are up, and each hears our prefix and the other two's. */
async function stage(settings: Settings = ALL): Promise<Stage> {
  const daemon = await workshop.daemon(host, config(settings))
  const [a, b, c] = [router(0), router(1), router(2)]
  const wanted = settings.routers.map((it, i) => (it === '' ? undefined : [a, b, c][i]))
  await Promise.all(wanted.map(async (it) => it?.up()))
  return { daemon, a, b, c }
}

const hears = (peer: BgpPeer, ...prefixes: readonly string[]): Promise<void> =>
  until(
    `${peer.options.local} hears ${prefixes.join(', ')} and has heard ${[...peer.heard.keys()].join(', ')}`,
    () => [...peer.heard.keys()].toSorted().join() === prefixes.toSorted().join(),
  )

/** Since when each session has been up; what `action` leaves alone stays the same. */
async function sinceOf(daemon: Daemon, ...names: readonly string[]): Promise<string[]> {
  return Promise.all(names.map(async (name) => (await daemon.peer(name)).since))
}

const OWN = '10.244.7.0/26'
const ways: readonly (readonly [string, (daemon: Daemon) => Promise<void>])[] = [
  [
    'SIGHUP',
    async (daemon) => {
      const before = daemon.log.length
      daemon.signal('SIGHUP')
      await until('it is reloaded', () =>
        daemon.log.slice(before).some((it) => /^(ConfigReloaded|ReloadRefused)$/.test(it.event)),
      )
    },
  ],
  [
    'linnet reload',
    async (daemon) => {
      await linnet(host, ['reload', '--socket', daemon.socket])
    },
  ],
]

async function reload(daemon: Daemon, settings: Settings | string) {
  daemon.rewriteConfig(typeof settings === 'string' ? settings : config(settings))
  return linnet(host, ['reload', '--socket', daemon.socket])
}

describe('peers', () => {
  for (const [way, order] of ways) {
    test(`added and removed by ${way}, while the other session stays`, async () => {
      const { daemon, a, b, c } = await stage({ routers: [PLAIN, PLAIN, ''] })
      await hears(a, OWN, LEARNED[1])
      const before = await sinceOf(daemon, 'a')
      daemon.rewriteConfig(config({ routers: [PLAIN, '', PLAIN] }))
      await order(daemon)
      await c.up()
      await hears(a, OWN, LEARNED[2])
      await hears(c, OWN, LEARNED[0])
      await until('the kernel follows', () => !ourRoutes(host).has(LEARNED[1]))
      expect(b.notifications).toMatchObject([{ code: 6, subcode: 3 }])
      expect(await sinceOf(daemon, 'a')).toEqual(before)
      expect(a.sessions).toBe(1)
    })
  }

  test('policies change live: what they add is told, what they forbid is withdrawn', async () => {
    const { daemon, a, b, c } = await stage()
    await hears(a, OWN, LEARNED[1], LEARNED[2])
    await hears(b, OWN, LEARNED[0], LEARNED[2])
    const before = await sinceOf(daemon, 'a', 'b', 'c')
    // a hears our own prefixes only; what b says is not taken any more.
    const outcome = await reload(daemon, {
      routers: ['import: accept, export: local', 'import: reject, export: accept', PLAIN],
    })
    expect(outcome.stdout).toMatch(/changed +a: exportPolicy \(applied to the running session\)/)
    expect(outcome.code).toBe(0)
    await hears(a, OWN)
    await hears(b, OWN, LEARNED[0], LEARNED[2])
    await hears(c, OWN, LEARNED[0])
    await until('the kernel follows', () => !ourRoutes(host).has(LEARNED[1]))
    const [rejected] = await daemon.routes({ view: 'rejected' })
    expect(rejected).toMatchObject({
      prefix: LEARNED[1],
      reason: 'rejected by import policy: policy reject',
    })
    // And back: b is not asked to tell it again.
    await reload(daemon, ALL)
    await hears(a, OWN, LEARNED[1], LEARNED[2])
    await hears(c, OWN, LEARNED[0], LEARNED[1])
    await until('the kernel follows', () => ourRoutes(host).has(LEARNED[1]))
    await reload(daemon, { routers: ['import: accept, export: reject', PLAIN, PLAIN] })
    await hears(a)
    expect(await sinceOf(daemon, 'a', 'b', 'c')).toEqual(before)
    expect([a.sessions, b.sessions, c.sessions]).toEqual([1, 1, 1])
  })

  test('what is agreed on in OPEN resets the session that it concerns, and only that', async () => {
    const { daemon, a, b } = await stage()
    await hears(b, OWN, LEARNED[0], LEARNED[2])
    const before = await sinceOf(daemon, 'b', 'c')
    const outcome = await reload(daemon, { routers: [`${PLAIN}, holdTime: 30s`, PLAIN, PLAIN] })
    expect(outcome.stdout).toMatch(
      /changed +a: holdTimeSeconds \(session reset\)\n +2 peers as before/,
    )
    await until('it is back', () => a.sessions === 2)
    expect(a.notifications).toMatchObject([{ code: 6, subcode: 6 }])
    await hears(a, OWN, LEARNED[1], LEARNED[2])
    await hears(b, OWN, LEARNED[0], LEARNED[2])
    expect((await daemon.peer('a')).holdTime).toBe(30)
    expect(await sinceOf(daemon, 'b', 'c')).toEqual(before)
  })
})

describe('our own prefixes', () => {
  test('are announced and withdrawn; one that stays is not told again', async () => {
    const { daemon, a } = await stage()
    await hears(a, OWN, LEARNED[1], LEARNED[2])
    const told = a.announcedCount
    await reload(daemon, { ...ALL, advertise: '10.244.7.0/26, 10.244.8.0/26' })
    await hears(a, OWN, '10.244.8.0/26', LEARNED[1], LEARNED[2])
    expect(a.announcedCount).toBe(told + 1)
    await reload(daemon, { ...ALL, advertise: '10.244.8.0/26' })
    await hears(a, '10.244.8.0/26', LEARNED[1], LEARNED[2])
    // Attributes of one that stays.
    await reload(daemon, {
      ...ALL,
      advertise: '{ prefix: 10.244.8.0/26, med: 7, community: ["65101:7"] }',
    })
    await until('med and community', () => a.heard.get('10.244.8.0/26')?.med === 7)
    expect(a.heard.get('10.244.8.0/26')?.communities).toEqual(['65101:7'])
    expect(a.sessions).toBe(1)
  })
})

/** Each is refused as a whole. */
const refusals: readonly (readonly [what: string, yaml: string, complaint: RegExp])[] = [
  ['an unknown key', `${config(ALL)}\nholdtime: 3\n`, /linnet\.yaml:\d+:1: holdtime: unknown key/],
  ['AS 0', config(ALL).replace('asn: 65101', 'asn: 0'), /linnet\.yaml:2:6: asn: /],
  ['two peers with one address', config(ALL).replace(ADDRESSES[2], ADDRESSES[1]), /10\.0\.1\.3/],
  ['no YAML at all', 'asn: [', /linnet\.yaml:1:/],
  [
    'what needs a restart',
    config({ routers: [PLAIN, '', ''], more: 'kernel: { metric: 30 }' }),
    /kernel\.metric can't change while linnet runs .*restart/,
  ],
  [
    'a listener that can not be had',
    config({
      routers: [PLAIN, '', ''],
      more: 'listen: [{ address: 10.0.1.1, port: 179 }, { address: 10.99.0.1, port: 179 }]',
    }),
    /10\.99\.0\.1/,
  ],
]

describe('a file that can not be used changes nothing', () => {
  test('the complaint, exit code 2, and all sessions as before', async () => {
    const { daemon, a, b, c } = await stage()
    await hears(a, OWN, LEARNED[1], LEARNED[2])
    const before = await sinceOf(daemon, 'a', 'b', 'c')
    const routes = [...ourRoutes(host).keys()]
    for (const [what, yaml, complaint] of refusals) {
      const { code, stdout, stderr } = await reload(daemon, yaml)
      expect(stderr, what).toMatch(complaint)
      expect(stderr, what).toMatch(/not loaded, nothing has changed/)
      expect(stdout, what).toBe('')
      expect(code, what).toBe(2)
      const line = daemon.lines('ReloadRefused').at(-1)
      expect(line?.text, what).toMatch(complaint)
    }
    const told = daemon.lines('ReloadRefused').length
    daemon.signal('SIGHUP')
    await until('SIGHUP is refused too', () => daemon.lines('ReloadRefused').length > told)
    expect(await sinceOf(daemon, 'a', 'b', 'c')).toEqual(before)
    expect([...ourRoutes(host).keys()]).toEqual(routes)
    // The listeners are as before, too: who comes back is let in.
    a.close()
    const again = await router(0).up()
    await hears(again, OWN, LEARNED[1], LEARNED[2])
    expect([b.sessions, c.sessions]).toEqual([1, 1])
    // And a good file is good again.
    const good = await reload(daemon, { routers: [PLAIN, PLAIN, ''] })
    expect(good.code).toBe(0)
    await until('c is gone', () => c.notifications.length > 0)
  })

  test('the same file again is nothing', async () => {
    const { daemon, a } = await stage()
    await hears(a, OWN, LEARNED[1], LEARNED[2])
    const { code, stdout } = await reload(daemon, ALL)
    expect(stdout).toMatch(/loaded, nothing in it has changed/)
    expect(code).toBe(0)
    expect(a.sessions).toBe(1)
  })
})
