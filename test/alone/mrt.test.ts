/** MRT files of a running daemon, on disks good and bad. (test/interop/mrt.test.ts has others read them.) */
import { existsSync, readFileSync, renameSync, rmSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { usualTable } from '../../bench/load/routes.ts'
import type { MonitorRow } from '../../src/control/rows.ts'
import { announce, readUpdate, withdraw } from '../support/bgp-messages.ts'
import { BgpPeer, type BgpPeerOptions } from '../support/bgp-peer.ts'
import { Workshop, type Daemon } from '../support/daemon.ts'
import { enterFabric, wire, type Host } from '../support/fabric.ts'
import { readMrt, type MrtRecord } from '../support/mrt-file.ts'
import { until } from '../support/until.ts'

const workshop = new Workshop()
let host: Host
beforeAll(async () => {
  const hosts = enterFabric()
  host = hosts[0]
  const fabric = ['10.0.1.2/24', '10.0.1.3/24', 'fd00:1::2/64']
  await wire(host, { link: 'eth0', host: ['10.0.1.1/24', 'fd00:1::1/64'], fabric })
})
const peers: BgpPeer[] = []
afterEach(async () => {
  for (const peer of peers.splice(0)) peer.close()
  await workshop.endDaemons()
  for (const file of [UPDATES, RIB]) rmSync(file, { force: true })
})
afterAll(() => workshop.close())

const UPDATES = join(workshop.folder, 'updates.mrt')
const RIB = join(workshop.folder, 'rib.mrt')

const config = (mrt: string): string => `
asn: 4200000001
routerId: 10.0.1.1
peers:
  - { name: tor-a, address: 10.0.1.2, asn: 65001, passive: true, import: accept }
  - { name: tor-b, address: 10.0.1.3, asn: 65002, passive: true, import: reject, export: accept }
advertise: { prefixes: [10.244.7.0/26] }
kernel: { install: false }
${mrt}
`

async function peer(options: Partial<BgpPeerOptions> = {}): Promise<BgpPeer> {
  const routes = [
    announce({
      prefixes: ['192.0.2.0/24', '198.51.100.0/25'],
      nextHop: '10.0.1.2',
      asPath: [65001, 65010],
      med: 7,
    }),
    announce({ prefixes: ['2001:db8:1::/48'], nextHop: 'fd00:1::2', asPath: [65001] }),
  ]
  const it = new BgpPeer({
    ...{ local: '10.0.1.2', remote: '10.0.1.1', asn: 65001, families: ['ipv4', 'ipv6'], routes },
    ...options,
  })
  peers.push(it)
  return it.up()
}

async function monitor(daemon: Daemon, name: string): Promise<MonitorRow> {
  const rows = await daemon.client.get<MonitorRow[]>('/v1/monitors')
  const row = rows.find((it) => it.name === name)
  if (row === undefined) throw new Error(`no monitor ${name}`)
  return row
}

const ofKind = <K extends MrtRecord['kind']>(records: readonly MrtRecord[], kind: K) =>
  records.filter((it): it is Extract<MrtRecord, { kind: K }> => it.kind === kind)

/** The prefixes of a dump. */
const dumped = (file: string): string[] =>
  existsSync(file) ? ofKind(readMrt(readFileSync(file)), 'rib').map(({ prefix }) => prefix) : []

describe('the RIB file', () => {
  test('has every accepted path, our own too', async () => {
    await workshop.daemon(host, config(`mrt: { rib: ${RIB}, every: 1s }`))
    await peer()
    await peer({
      ...{ local: '10.0.1.3', asn: 65002, families: ['ipv4'] },
      routes: [announce({ prefixes: ['203.0.113.0/24'], nextHop: '10.0.1.3', asPath: [65002] })],
    })
    const all = ['10.244.7.0/26', '192.0.2.0/24', '198.51.100.0/25', '2001:db8:1::/48']
    await until('all is dumped', () => dumped(RIB).length >= all.length, 10_000)
    const records = readMrt(readFileSync(RIB))
    expect(dumped(RIB).toSorted()).toEqual(all)
    expect(ofKind(records, 'peers')).toMatchObject([
      {
        collector: '10.0.1.1',
        view: '',
        peers: [
          { routerId: '10.0.1.1', address: '0.0.0.0', asn: 4200000001 },
          { routerId: '10.0.1.2', address: '10.0.1.2', asn: 65001 },
          { routerId: '10.0.1.3', address: '10.0.1.3', asn: 65002 },
        ],
      },
    ])
    const [entry] = ofKind(records, 'rib').find((it) => it.prefix === '192.0.2.0/24')?.entries ?? []
    expect(entry).toMatchObject({
      peer: 1,
      attributes: { origin: 0, asPath: '65001 65010', nextHop: '10.0.1.2', med: 7 },
    })
    expect(Math.abs((entry?.since ?? 0) - Date.now() / 1000)).toBeLessThan(60)
  })

  test('a full disk: the old one stays, the log hears once, and the next one is whole', async () => {
    symlinkSync('/dev/full', `${RIB}.new`)
    const daemon = await workshop.daemon(host, config(`mrt: { rib: ${RIB}, every: 1s }`))
    const line = await daemon.logged('MonitorFailed')
    expect(line.text).toMatch(/^mrt rib: can't write .*rib\.mrt: ENOSPC/)
    await daemon.logged('MonitorRecovered')
    expect(dumped(RIB)).toEqual(['10.244.7.0/26'])
    expect(daemon.lines('MonitorFailed')).toHaveLength(1)
  })

  test('200,000 routes are dumped while another session is served', async () => {
    const count = 200_000
    const daemon = await workshop.daemon(host, config(`mrt: { rib: ${RIB}, every: 2s }`))
    const routes = [usualTable(count, 65001, '10.0.1.2')]
    const [, receiver] = await Promise.all([
      peer({ routes, families: ['ipv4'], countOnly: true }),
      peer({ local: '10.0.1.3', asn: 65002, routes: [], families: ['ipv4'], countOnly: true }),
    ])
    await until('all are passed on', () => receiver.announcedCount > count, 60_000)
    const before = await monitor(daemon, 'mrt rib')
    await daemon.status() // takes the lag so far
    let lag = 0
    await until(
      'a dump of all is there',
      async () => {
        lag = Math.max(lag, (await daemon.status()).eventLoopLagMs)
        const { state, messages } = await monitor(daemon, 'mrt rib')
        return state === 'waiting' && messages - before.messages > count
      },
      60_000,
    )
    expect(new Set(dumped(RIB)).size).toBe(count + 1)
    expect(lag).toBeLessThan(200)
  }, 150_000)
})

describe('the updates file', () => {
  test('has every UPDATE as it came, and every change of state', async () => {
    const daemon = await workshop.daemon(host, config(`mrt: { updates: ${UPDATES} }`))
    const tor = await peer()
    tor.send(withdraw('192.0.2.0/24'))
    await until('it is withdrawn', async () => (await daemon.peer('tor-a')).received === 2)
    tor.close()
    await until('the session is over', async () => (await daemon.peer('tor-a')).flaps === 1)
    await daemon.stop()
    const records = readMrt(readFileSync(UPDATES))
    const updates = ofKind(records, 'message').map(({ message }) =>
      readUpdate(message.subarray(19)),
    )
    expect(updates.map((it) => [it.announced, it.withdrawn, it.endOfRib])).toEqual([
      [['192.0.2.0/24', '198.51.100.0/25'], [], false],
      [['2001:db8:1::/48'], [], false],
      [[], [], true],
      [[], [], true],
      [[], ['192.0.2.0/24'], false],
    ])
    expect(ofKind(records, 'message')[0].session).toEqual({
      ...{ peerAsn: 65001, localAsn: 4200000001, interfaceIndex: 0 },
      ...{ peer: '10.0.1.2', local: '10.0.1.1' },
    })
    const states = ofKind(records, 'state').filter(({ session }) => session.peer === '10.0.1.2')
    expect(states.map(({ from, to }) => `${from} ${to}`)).toEqual([
      ...['Idle Active', 'Active OpenSent', 'OpenSent OpenConfirm', 'OpenConfirm Established'],
      ...['Established Idle', 'Idle Active', 'Active Idle'],
    ])
  })

  test('is opened anew on reload, and closed when the configuration drops it', async () => {
    const daemon = await workshop.daemon(host, config(`mrt: { updates: ${UPDATES} }`))
    const tor = await peer()
    const messages = (file: string): number =>
      existsSync(file) ? ofKind(readMrt(readFileSync(file)), 'message').length : 0
    await until('the first are written', () => messages(UPDATES) === 4)
    renameSync(UPDATES, `${UPDATES}.1`)
    await daemon.client.post('/v1/reload')
    tor.send(withdraw('192.0.2.0/24'))
    await until('the new file has the next', () => messages(UPDATES) === 1)
    expect(messages(`${UPDATES}.1`)).toBe(4)
    daemon.rewriteConfig(config(''))
    await daemon.client.post('/v1/reload')
    tor.send(withdraw('198.51.100.0/25'))
    await until('it is withdrawn', async () => (await daemon.peer('tor-a')).received === 1)
    expect(await daemon.client.get<MonitorRow[]>('/v1/monitors')).toEqual([])
    expect(messages(UPDATES)).toBe(1)
    expect((await daemon.peer('tor-a')).flaps).toBe(0)
  })

  test('a full disk costs records and nothing else; with room again it goes on', async () => {
    symlinkSync('/dev/full', UPDATES)
    const daemon = await workshop.daemon(host, config(`mrt: { updates: ${UPDATES} }`))
    const tor = await peer()
    expect((await daemon.logged('MonitorFailed')).text).toMatch(/updates\.mrt: ENOSPC/)
    await until('the loss is counted', async () => (await monitor(daemon, 'mrt updates')).lost > 0)
    const failed = await monitor(daemon, 'mrt updates')
    expect(failed).toMatchObject({ state: 'failed', bytes: 0 })
    expect(failed.lastError).toMatch(/ENOSPC/)
    rmSync(UPDATES)
    // Nothing of the session suffered meanwhile.
    expect(await daemon.peer('tor-a')).toMatchObject({
      state: 'Established',
      received: 3,
      flaps: 0,
    })
    await until('it is written again', async () => {
      tor.send(withdraw('192.0.2.0/24'))
      return (await monitor(daemon, 'mrt updates')).state === 'writing'
    })
    expect(ofKind(readMrt(readFileSync(UPDATES)), 'message').length).toBeGreaterThan(0)
    expect(daemon.lines('MonitorFailed')).toHaveLength(1)
  })
})
