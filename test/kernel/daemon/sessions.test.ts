/** Peers that misbehave, and how the daemon says good-bye: judged by what the peer on the wire sees. */
import { once } from 'node:events'
import { connect } from 'node:net'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { announce, message, UPDATE, withdraw } from '../../support/bgp-messages.ts'
import { BgpPeer } from '../../support/bgp-peer.ts'
import { linnet, Workshop } from '../../support/daemon.ts'
import { enterFabric, wire, type Host } from '../../support/fabric.ts'
import { until } from '../../support/until.ts'

const workshop = new Workshop()
let host: Host
beforeAll(async () => {
  const hosts = enterFabric()
  host = hosts[0]
  const link = { link: 'eth0', host: ['10.0.1.1/24'], fabric: ['10.0.1.2/24', '10.0.1.3/24'] }
  await wire(host, link)
})
const peers: BgpPeer[] = []
afterEach(async () => {
  for (const peer of peers.splice(0)) peer.close()
  await workshop.endDaemons()
})
afterAll(() => workshop.close())

function peer(local: string, asn: number, options: object = {}): BgpPeer {
  const made = new BgpPeer({ local, remote: '10.0.1.1', asn, ...options })
  peers.push(made)
  return made
}

const CONFIG = `
asn: 65101
routerId: 10.0.1.1
peers:
  - { name: tor-a, address: 10.0.1.2, asn: 65001, passive: true, import: accept, export: accept }
  - { name: tor-b, address: 10.0.1.3, asn: 65002, passive: true, import: accept, export: accept }
advertise: { prefixes: [10.244.7.0/26] }
kernel: { install: false }
`
const fromA = { nextHop: '10.0.1.2', asPath: [65001] }

describe('a peer with another AS than configured', () => {
  test('both numbers are named in show peers and in the log, and the peer hears Bad Peer AS', async () => {
    const daemon = await workshop.daemon(host, CONFIG)
    const wrong = peer('10.0.1.2', 65999)
    await until('it is refused', () => wrong.notifications.length > 0)
    expect(wrong.notifications[0]).toMatchObject({ code: 2, subcode: 2 })
    const line = await daemon.logged('AttemptFailed', (it) => it.peer === 'tor-a')
    expect(line.text).toMatch(/AS 65999\b.*\b65001\b|\b65001\b.*AS 65999\b/)
    const shown = await daemon.peer('tor-a')
    expect(shown.state).not.toBe('Established')
    expect(`${shown.reason} ${shown.lastError}`).toContain('65999')
    expect(`${shown.reason} ${shown.lastError}`).toContain('65001')
    const table = await linnet(host, ['show', 'peers', '--socket', daemon.socket])
    expect(table.code).toBe(0)
    expect(table.stdout).toMatch(/65999/)
  })

  test('causes that take turns are told once each', async () => {
    const daemon = await workshop.daemon(host, CONFIG)
    for (let turn = 0; turn < 3; turn++) {
      const wrong = peer('10.0.1.2', 65999)
      await until('it is refused', () => wrong.notifications.length > 0)
      wrong.close()
      const silent = connect({ host: '10.0.1.1', port: 179, localAddress: '10.0.1.2' })
      await once(silent, 'data') // its OPEN
      silent.destroy()
    }
    await daemon.logged('AttemptFailed', (it) => /without an OPEN/.test(it.text))
    const told = daemon.lines('AttemptFailed').map((it) => `${it.peer}: ${it.text}`)
    expect(told.length).toBeGreaterThanOrEqual(2)
    expect(new Set(told).size).toBe(told.length)
  })
})

/** A whole UPDATE, made wrong by hand. */
const update = (attributes: readonly number[], nlri: readonly number[]): Uint8Array =>
  message(UPDATE, [0, 0, 0, attributes.length, ...attributes, ...nlri])
const ORIGIN = [0x40, 1, 1, 0]
const AS_PATH = [0x40, 2, 6, 2, 1, 0, 0, 0xfd, 0xe9]
const NEXT_HOP = [0x40, 3, 4, 10, 0, 1, 2]
const NLRI = [24, 198, 51, 100]

/** What RFC 7606 makes of each: the prefix withdrawn, or the attribute forgotten. */
const malformed: readonly (readonly [
  what: string,
  bytes: Uint8Array,
  costs: 'route' | 'nothing',
])[] = [
  ['an ORIGIN of two bytes', update([0x40, 1, 2, 0, 0, ...AS_PATH, ...NEXT_HOP], NLRI), 'route'],
  ['an ORIGIN of 9', update([0x40, 1, 1, 9, ...AS_PATH, ...NEXT_HOP], NLRI), 'route'],
  [
    'an AS_PATH that overruns itself',
    update([...ORIGIN, 0x40, 2, 6, 2, 9, 0, 0, 0xfd, 0xe9, ...NEXT_HOP], NLRI),
    'route',
  ],
  ['no NEXT_HOP', update([...ORIGIN, ...AS_PATH], NLRI), 'route'],
  [
    'an attribute longer than the message',
    update([...ORIGIN, ...AS_PATH, ...NEXT_HOP, 0xc0, 8, 200, 1], NLRI),
    'route',
  ],
  [
    'communities of five bytes',
    update([...ORIGIN, ...AS_PATH, ...NEXT_HOP, 0xc0, 8, 5, 1, 2, 3, 4, 5], NLRI),
    'route',
  ],
  [
    'an ATOMIC_AGGREGATE with a value',
    update([...ORIGIN, ...AS_PATH, ...NEXT_HOP, 0x40, 6, 1, 0], NLRI),
    'nothing',
  ],
  [
    'an AGGREGATOR of three bytes',
    update([...ORIGIN, ...AS_PATH, ...NEXT_HOP, 0xc0, 7, 3, 1, 2, 3], NLRI),
    'nothing',
  ],
]

describe('a malformed UPDATE costs what RFC 7606 says, and never the session', () => {
  test('one after the other, in one session', async () => {
    const daemon = await workshop.daemon(host, CONFIG)
    const sender = await peer('10.0.1.2', 65001).up()
    const receiver = await peer('10.0.1.3', 65002).up()
    const hears = (prefix: string): boolean => receiver.heard.has(prefix)
    sender.send(announce({ ...fromA, prefixes: ['192.0.2.0/24'] }))
    await until('the route before is there', () => hears('192.0.2.0/24'))
    for (const [i, [what, bytes, costs]] of malformed.entries()) {
      // There before, so that a withdrawal shows.
      sender.send(announce({ ...fromA, prefixes: ['198.51.100.0/24'] }))
      await until(`${what}: the prefix is there before`, () => hears('198.51.100.0/24'))
      const after = `203.0.113.${i}/32`
      sender.send(bytes, announce({ ...fromA, prefixes: [after] }))
      await until(`${what}: the route after is there`, () => hears(after))
      await until(
        `${what}: costs ${costs}`,
        () => hears('198.51.100.0/24') === (costs === 'nothing'),
      )
      expect(hears('192.0.2.0/24'), what).toBe(true)
    }
    expect(sender.sessions).toBe(1)
    expect(sender.notifications).toEqual([])
    const [line] = daemon.lines('MalformedUpdateReceived')
    expect(line).toMatchObject({ level: 'warn', peer: 'tor-a' })
    expect(line.text).toMatch(/ORIGIN.*\(withdraw\)/)
    // One that does it with every UPDATE must not fill the disk.
    expect(daemon.lines('MalformedUpdateReceived')).toHaveLength(1)
  })

  test('prefixes that can not be told apart end the session, and it comes back', async () => {
    const daemon = await workshop.daemon(host, CONFIG)
    const sender = await peer('10.0.1.2', 65001, {
      routes: [announce({ ...fromA, prefixes: ['192.0.2.0/24'] })],
    }).up()
    const receiver = await peer('10.0.1.3', 65002).up()
    await until('the route is there', () => receiver.heard.has('192.0.2.0/24'))
    sender.send(update([...ORIGIN, ...AS_PATH, ...NEXT_HOP], [33, 10, 0, 0, 0, 0]))
    await until('it hears why', () => sender.notifications.length > 0)
    expect(sender.notifications[0]).toMatchObject({ code: 3, subcode: 10 })
    await until('the session is back', () => sender.sessions === 2)
    await until('and the route', () => receiver.heard.has('192.0.2.0/24'))
    expect((await daemon.peer('tor-a')).lastError).toMatch(/broken ipv4 prefix/)
    expect(receiver.sessions).toBe(1)
  })

  test('a withdrawal of what was never announced is nothing', async () => {
    await workshop.daemon(host, CONFIG)
    const sender = await peer('10.0.1.2', 65001).up()
    const receiver = await peer('10.0.1.3', 65002).up()
    sender.send(withdraw('192.0.2.0/24'), announce({ ...fromA, prefixes: ['192.0.2.128/25'] }))
    await until('what follows is heard', () => receiver.heard.has('192.0.2.128/25'))
    expect(sender.sessions).toBe(1)
  })
})

describe('SIGTERM', () => {
  test('the peer hears an administrative shutdown with its reason, and the exit code is 0', async () => {
    const daemon = await workshop.daemon(host, CONFIG)
    const tor = await peer('10.0.1.2', 65001).up()
    expect(await daemon.stop()).toBe(0)
    await until('it is told', () => tor.notifications.length > 0)
    expect(tor.notifications).toEqual([{ code: 6, subcode: 2, text: 'linnet is stopped' }])
    expect(daemon.stderr).toBe('')
    expect(daemon.log.slice(-1)).toMatchObject([{ event: 'DaemonStopped' }])
  })

  test('a second one ends a daemon that hangs', async () => {
    const daemon = await workshop.daemon(host, CONFIG)
    daemon.signal('SIGTERM')
    await daemon.logged('StopOrdered')
    daemon.signal('SIGTERM')
    await daemon.ended()
  })
})

describe('a peer that dies', () => {
  test('killed: its routes are withdrawn from the others at once', async () => {
    const daemon = await workshop.daemon(host, CONFIG)
    const dying = await peer('10.0.1.2', 65001).up()
    const other = await peer('10.0.1.3', 65002).up()
    dying.send(announce({ ...fromA, prefixes: ['192.0.2.0/24'] }))
    await until('the route is there', () => other.heard.has('192.0.2.0/24'))
    dying.close()
    await until('it is withdrawn', () => !other.heard.has('192.0.2.0/24'))
    const line = await daemon.logged('SessionEnded')
    expect(line).toMatchObject({ level: 'warn', peer: 'tor-a' })
    expect(line.text).toContain('the peer reset the connection')
  })

  test('frozen: the hold timer tells', async () => {
    const daemon = await workshop.daemon(host, CONFIG)
    const dying = await peer('10.0.1.2', 65001, { holdTimeSeconds: 3 }).up()
    const other = await peer('10.0.1.3', 65002).up()
    dying.send(announce({ ...fromA, prefixes: ['192.0.2.0/24'] }))
    await until('the route is there', () => other.heard.has('192.0.2.0/24'))
    dying.fallSilent()
    await until('it is withdrawn', () => !other.heard.has('192.0.2.0/24'))
    expect(dying.notifications).toEqual([{ code: 4, subcode: 0, text: '' }])
    expect((await daemon.logged('SessionEnded')).text).toMatch(
      /nothing heard from the peer for 3 s/,
    )
  })
})
