/** A running daemon and its BMP stations, good ones and bad ones. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { usualTable } from '../../bench/load/routes.ts'
import type { MonitorRow } from '../../src/control/rows.ts'
import { version } from '../../src/control/version.ts'
import { announce, withdraw } from '../support/bgp-messages.ts'
import { BgpPeer, type BgpPeerOptions } from '../support/bgp-peer.ts'
import { BmpCollector } from '../support/bmp-collector.ts'
import { Workshop, type Daemon } from '../support/daemon.ts'
import { enterFabric, wire, type Host } from '../support/fabric.ts'
import { until } from '../support/until.ts'

const workshop = new Workshop()
let host: Host
beforeAll(async () => {
  const hosts = enterFabric()
  host = hosts[0]
  const fabric = ['10.0.1.2/24', '10.0.1.3/24', '10.0.1.9/24', 'fd00:1::2/64']
  await wire(host, { link: 'eth0', host: ['10.0.1.1/24', 'fd00:1::1/64'], fabric })
})
const peers: BgpPeer[] = []
let station: BmpCollector | undefined
afterEach(async () => {
  for (const peer of peers.splice(0)) peer.close()
  await workshop.endDaemons()
  await station?.close()
  station = undefined
})
afterAll(() => workshop.close())

const STATION = '10.0.1.9'

const config = (bmp = ''): string => `
asn: 4200000001
routerId: 10.0.1.1
peers:
  - { name: tor-a, address: 10.0.1.2, asn: 65001, passive: true, import: accept, export: accept }
  - { name: tor-b, address: 10.0.1.3, asn: 65002, passive: true, import: reject, export: accept }
advertise: { prefixes: [10.244.7.0/26] }
kernel: { install: false }
bmp: [{ address: ${STATION}, connectRetry: 1s ${bmp} }]
`

async function peer(options: Partial<BgpPeerOptions> = {}): Promise<BgpPeer> {
  const it = new BgpPeer({
    ...{ local: '10.0.1.2', remote: '10.0.1.1', asn: 65001, families: ['ipv4', 'ipv6'] },
    routes: [
      announce({ prefixes: ['192.0.2.0/24'], nextHop: '10.0.1.2', asPath: [65001, 65010], med: 7 }),
      announce({ prefixes: ['2001:db8:1::/48'], nextHop: 'fd00:1::2', asPath: [65001] }),
    ],
    ...options,
  })
  peers.push(it)
  return it.up()
}

const torB = (): Promise<BgpPeer> =>
  peer({
    ...{ local: '10.0.1.3', asn: 65002, families: ['ipv4'] },
    routes: [announce({ prefixes: ['203.0.113.0/24'], nextHop: '10.0.1.3', asPath: [65002] })],
  })

async function monitor(daemon: Daemon): Promise<MonitorRow> {
  const [row] = await daemon.client.get<MonitorRow[]>('/v1/monitors')
  return row
}

const ALL = ['10.244.7.0/26', '192.0.2.0/24', '2001:db8:1::/48']

/** The tables of the station, by view and peer. */
const tablesOf = (it: BmpCollector) => ({
  preA: it.prefixes('pre 10.0.1.2'),
  postA: it.prefixes('post 10.0.1.2'),
  preB: it.prefixes('pre 10.0.1.3'),
  postB: it.prefixes('post 10.0.1.3'),
  locRib: it.prefixes('locRib'),
})

const WHOLE = {
  preA: ALL.slice(1),
  postA: ALL.slice(1),
  preB: ['203.0.113.0/24'],
  postB: [],
  locRib: ALL,
}

async function tablesAre(it: BmpCollector, wanted: object): Promise<void> {
  const text = JSON.stringify(wanted)
  await until(`the station has ${text}`, () => JSON.stringify(tablesOf(it)) === text).catch(() =>
    expect(tablesOf(it)).toEqual(wanted),
  )
}

describe('a station', () => {
  test('hears of sessions and routes as they come, before and after policy, and of the Loc-RIB', async () => {
    station = await BmpCollector.listen(STATION)
    const daemon = await workshop.daemon(host, config())
    await until('it is connected', async () => (await monitor(daemon)).state === 'connected')
    const tor = await peer()
    await torB()
    await tablesAre(station, WHOLE)
    const [first] = station.messages
    expect(first).toMatchObject({
      kind: 'initiation',
      tlvs: { 1: `linnet ${version()}` },
    })
    const [own, ...ups] = station.of('peerUp')
    expect(own).toMatchObject({
      header: { type: 'locRib', asn: 4200000001, routerId: '10.0.1.1' },
      tlvs: { 3: 'global' },
    })
    expect(ups.map(({ header: { address, asn, routerId } }) => [address, asn, routerId])).toEqual([
      ['10.0.1.2', 65001, '10.0.1.2'],
      ['10.0.1.3', 65002, '10.0.1.3'],
    ])
    expect(ups[0]).toMatchObject({ local: '10.0.1.1', localPort: 179 })
    // OPENs as they went: version 4, and our AS_TRANS with the capability behind.
    expect([...ups[0].sentOpen.subarray(18, 22)]).toEqual([1, 4, 23456 >> 8, 23456 & 255])
    expect([...ups[0].receivedOpen.subarray(18, 24)]).toEqual([
      1,
      4,
      65001 >> 8,
      65001 & 255,
      0,
      90,
    ])
    expect(station.tables.get('pre 10.0.1.2')?.get('192.0.2.0/24')).toMatchObject({
      ...{ nextHop: '10.0.1.2', asPath: [65001, 65010], med: 7 },
    })
    expect(station.tables.get('locRib')?.get('10.244.7.0/26')).toMatchObject({ nextHop: '0.0.0.0' })
    await until('End-of-RIB of both families', () => station?.endOfRibs.get('pre 10.0.1.2') === 2)
    expect(station.endOfRibs.get('locRib')).toBe(2)

    tor.send(withdraw('192.0.2.0/24'))
    const without = ALL.filter((it) => it !== '192.0.2.0/24')
    await tablesAre(station, {
      ...WHOLE,
      preA: without.slice(1),
      postA: without.slice(1),
      locRib: without,
    })
  })

  test('that comes late gets the tables as they are, each with an end', async () => {
    const daemon = await workshop.daemon(host, config())
    await peer()
    await torB()
    await daemon.logged('StationLost')
    station = await BmpCollector.listen(STATION)
    await tablesAre(station, WHOLE)
    const ends = (name: string): number => station?.endOfRibs.get(name) ?? 0
    await until('all ends', () => ends('pre 10.0.1.2') === 2 && ends('locRib') === 2)
    expect([ends('post 10.0.1.2'), ends('pre 10.0.1.3'), ends('post 10.0.1.3')]).toEqual([2, 1, 1])
    expect(daemon.lines('MonitorRecovered')).toHaveLength(1)
  })

  test('hears why a session ended: a closed connection, our NOTIFICATION, the NOTIFICATION of the peer', async () => {
    station = await BmpCollector.listen(STATION)
    const daemon = await workshop.daemon(host, config())
    const down = async (count: number) => {
      await until('Peer Down', () => station?.of('peerDown').length === count)
      const it = station?.of('peerDown').at(-1)
      return [it?.reason, ...(it?.data.subarray(18, 21) ?? [])]
    }
    await until('it is connected', () => station?.connected === true)
    const tor = await peer()
    await tablesAre(station, { ...WHOLE, preB: [] })
    tor.close()
    expect(await down(1)).toEqual([4])
    await tablesAre(station, {
      preA: [],
      postA: [],
      preB: [],
      postB: [],
      locRib: ['10.244.7.0/26'],
    })
    const again = await peer()
    await daemon.client.post('/v1/reset', { peer: 'tor-a' })
    expect(await down(2)).toEqual([1, 3, 6, 4])
    await until('it is up again', () => again.sessions === 2)
    // Cease/Administrative Shutdown.
    again.send(Uint8Array.from([...Array<number>(16).fill(255), 0, 21, 3, 6, 2]))
    expect(await down(3)).toEqual([3, 3, 6, 2])
  })

  test('hears numbers', async () => {
    station = await BmpCollector.listen(STATION)
    await workshop.daemon(host, config(', statistics: 1s'))
    const tor = await peer()
    tor.send(
      announce({ prefixes: ['192.0.2.0/24'], nextHop: '10.0.1.2', asPath: [65001, 65010], med: 7 }),
    )
    tor.send(withdraw('198.51.100.0/24'))
    tor.send(
      announce({ prefixes: ['198.51.100.0/24'], nextHop: '10.0.1.2', asPath: [65001, 4200000001] }),
    )
    // ORIGIN of no length: treated as withdrawn (RFC 7606 section 7.1).
    tor.send(
      announce({
        ...{ prefixes: ['203.0.113.0/25', '203.0.113.128/25'], nextHop: '10.0.1.2' },
        ...{ asPath: [65001], also: [0x40, 1, 0] },
      }),
    )
    await torB()
    const of = (address: string) =>
      station?.of('statistics').findLast(({ header }) => header.address === address)?.counts
    await until(
      'the numbers are told',
      () => of('10.0.1.2')?.['12'] === 2 && of('10.0.1.3')?.['0'] === 1,
    )
    expect(of('10.0.1.2')).toMatchObject({
      // Treated as withdrawn, two prefixes that were not there: withdrawals all the same.
      ...{ 0: 0, 1: 1, 2: 3, 3: 0, 4: 1, 5: 0, 7: 3, 11: 1, 12: 2, '9 1/1': 2, '9 2/1': 1 },
    })
    expect(of('10.0.1.3')).toMatchObject({ 0: 1, 7: 1 })
    const locRib = station.of('statistics').findLast(({ header }) => header.type === 'locRib')
    expect(locRib?.counts).toEqual({ 8: 3, '10 1/1': 2, '10 2/1': 1 })
  })

  test('is told only what is asked for, and good-bye when it is no longer wanted', async () => {
    station = await BmpCollector.listen(STATION)
    const daemon = await workshop.daemon(host, config(', monitor: [postPolicy]'))
    await peer()
    await tablesAre(station, { preA: [], postA: ALL.slice(1), preB: [], postB: [], locRib: [] })
    expect(station.of('peerUp').map(({ header }) => header.type)).toEqual(['peer'])
    daemon.rewriteConfig(config().replace(/bmp:.*/, ''))
    await daemon.client.post('/v1/reload')
    await until('it is left', () => station?.connected === false)
    expect(station.of('termination')).toMatchObject([{ tlvs: { 1: '0000' } }])
    expect(await daemon.client.get<MonitorRow[]>('/v1/monitors')).toEqual([])
    expect((await daemon.peer('tor-a')).flaps).toBe(0)
  })
})

describe('with 200,000 routes', () => {
  const COUNT = 200_000
  const routes = () => [usualTable(COUNT, 65001, '10.0.1.2')]

  test('a station gets them all while another session is served', async () => {
    const daemon = await workshop.daemon(host, config())
    const [, receiver] = await Promise.all([
      peer({ routes: routes(), families: ['ipv4'], countOnly: true }),
      peer({ local: '10.0.1.3', asn: 65002, routes: [], families: ['ipv4'], countOnly: true }),
    ])
    await until('all are passed on', () => receiver.announcedCount > COUNT, 60_000)
    await daemon.status() // takes the lag so far
    station = await BmpCollector.listen(STATION)
    let lag = 0
    const size = (table: string): number => station?.tables.get(table)?.size ?? 0
    await until(
      'all is told',
      async () => {
        lag = Math.max(lag, (await daemon.status()).eventLoopLagMs)
        return size('pre 10.0.1.2') === COUNT && size('locRib') === COUNT + 1
      },
      60_000,
    )
    expect(size('post 10.0.1.2')).toBe(COUNT)
    expect(station.routes).toBe(3 * COUNT + 1)
    expect(lag).toBeLessThan(200)
  }, 150_000)

  test('one that does not read is dropped and costs nobody else anything; then it gets everything', async () => {
    station = await BmpCollector.listen(STATION)
    station.stopReading()
    const daemon = await workshop.daemon(host, config(', sendHoldTime: 2s'))
    await until('it is connected', async () => (await monitor(daemon)).state === 'connected')
    const [, receiver] = await Promise.all([
      peer({ routes: routes(), families: ['ipv4'], countOnly: true }),
      peer({ local: '10.0.1.3', asn: 65002, routes: [], families: ['ipv4'], countOnly: true }),
    ])
    await until('all are passed on', () => receiver.announcedCount > COUNT, 60_000)
    expect((await daemon.logged('StationStuck')).text).toMatch(/takes no bytes for 2 s/)
    station.goOn()
    const size = (table: string): number => station?.tables.get(table)?.size ?? 0
    await until('it has everything', () => size('pre 10.0.1.2') === COUNT, 60_000)
    await until('it has everything', () => size('locRib') === COUNT + 1, 60_000)
    expect((await monitor(daemon)).queued).toBe(0)
    expect((await daemon.peer('tor-a')).flaps).toBe(0)
  }, 150_000)
})
