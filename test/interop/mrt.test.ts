/**
 * MRT files: ours as others read them, and those of BIRD and FRR about the same routes as a reader of the
 * RFC reads all three.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { bird } from '../support/daemons/bird.ts'
import { frr } from '../support/daemons/frr.ts'
import { route } from '../support/daemons/route.ts'
import { gobgp } from '../support/daemons/gobgp.ts'
import { eventually } from '../support/eventually.ts'
import { LabHost } from '../support/lab-host.ts'
import { readMrt, type MrtPeer } from '../support/mrt-file.ts'
import { addressOf, Chain, linnetTowards } from './chain.ts'

const LINNET = 65001
const BIRD = 4200000002
const FRR = 65003

let chain: Chain
beforeAll(async () => {
  chain = await Chain.open({
    linnetAsn: LINNET,
    left: { daemon: bird, asn: BIRD },
    right: { daemon: frr, asn: FRR },
    peers: {},
    more: {
      advertise: { prefixes: ['10.77.1.0/24'] },
      mrt: { rib: '/run/rib.mrt', updates: '/run/updates.mrt', every: '1s' },
    },
  })
  await chain.left.originate(OWN)
})
afterAll(() => chain?.close())

const OWN = [
  route({ prefix: '10.202.1.0/24', med: 5, communities: ['65001:5'], asPath: '65010 4200000010' }),
  route({ prefix: '10.202.2.0/24', origin: 'egp', largeCommunities: ['65001:1:2'] }),
  route({ prefix: 'fd00:202:1::/48', origin: 'incomplete', communities: ['65001:6'] }),
]
const ALL = ['10.202.1.0/24', '10.202.2.0/24', '10.77.1.0/24', 'fd00:202:1::/48']

/** One path of a dump, in words. */
interface Dumped {
  readonly prefix: string
  readonly from: string
  readonly origin: number | null
  readonly asPath: string
  readonly nextHop: string
  readonly communities: readonly string[]
  readonly large: string
}

function readDump(file: string): Dumped[] {
  let peers: readonly MrtPeer[] = []
  return readMrt(readFileSync(file)).flatMap((record) => {
    if (record.kind === 'peers') ({ peers } = record)
    if (record.kind !== 'rib') return []
    return record.entries.map(({ peer, attributes }) => ({
      prefix: record.prefix,
      from: peers[peer].address,
      origin: attributes.origin,
      asPath: attributes.asPath,
      nextHop: attributes.nextHop,
      communities: attributes.communities,
      large: attributes.others[32] ?? '',
    }))
  })
}

const sorted = (paths: readonly Dumped[]): Dumped[] =>
  paths.toSorted((a, b) => (a.prefix < b.prefix ? -1 : 1))

/** Our dump, once it has all routes. */
function ours(): Promise<Dumped[]> {
  const file = chain.host('linnet').path('rib.mrt')
  return eventually(
    'all routes in our dump',
    async () => (existsSync(file) ? readDump(file) : []),
    (paths) => ALL.every((prefix) => paths.some((it) => it.prefix === prefix)),
  )
}

/** What a daemon originates itself has no address. */
const isLearned = ({ from }: Dumped): boolean => from !== '0.0.0.0' && from !== '::'

const isIpv6 = ({ prefix }: { readonly prefix: string }): boolean => prefix.includes(':')

test('our dump has what BIRD announced, attribute by attribute, and our own prefix', async () => {
  expect(sorted(await ours())).toEqual(
    sorted([
      ...OWN.map((it) => ({
        prefix: it.prefix,
        from: addressOf('left', isIpv6(it) ? 'ipv6' : 'ipv4'),
        origin: ['igp', 'egp', 'incomplete'].indexOf(it.origin),
        asPath: [String(BIRD), it.asPath].filter(Boolean).join(' '),
        nextHop: addressOf('left', isIpv6(it) ? 'ipv6' : 'ipv4'),
        communities: it.communities,
        large: it.largeCommunities.length === 0 ? '' : '0000fde90000000100000002',
      })),
      {
        ...{ prefix: '10.77.1.0/24', from: '0.0.0.0', origin: 0, asPath: '', nextHop: '0.0.0.0' },
        ...{ communities: [], large: '' },
      },
    ]),
  )
})

/** What a peer must have of our routes: one AS more, by way of us. */
const passedOn = (paths: readonly Dumped[], side: 'left' | 'right'): Dumped[] =>
  sorted(
    paths.map((it) => {
      const us = linnetTowards(side, isIpv6(it) ? 'ipv6' : 'ipv4')
      const asPath = [String(LINNET), it.asPath].filter(Boolean).join(' ')
      return { ...it, from: us, nextHop: us, asPath }
    }),
  )

test("FRR's dump has the same routes, one AS further", async () => {
  const wanted = passedOn(await ours(), 'right')
  const host = chain.host('right')
  const dump = async (): Promise<Dumped[]> => {
    await host.run(
      'vtysh',
      '-c',
      'configure terminal',
      '-c',
      `dump bgp routes-mrt ${tmpdir()}/frr.mrt`,
    )
    const file = `/proc/${host.pid}/root${tmpdir()}/frr.mrt`
    if (!existsSync(file)) return []
    return sorted(readDump(file).filter(isLearned))
  }
  const found = await eventually('the dump of FRR', dump, (it) => it.length >= wanted.length)
  expect(found).toEqual(wanted)
})

test("BIRD's dump has our own prefix as we announce it", async () => {
  const wanted = passedOn(await ours(), 'left').filter(({ prefix }) => prefix === '10.77.1.0/24')
  const host = chain.host('left')
  const dump = async (): Promise<Dumped[]> => {
    const command = ['mrt', 'dump', 'table', 'master4', 'to', '"/run/bird.mrt"']
    await host.run('birdc', '-s', '/run/bird.ctl', ...command)
    return readDump(host.path('bird.mrt')).filter(isLearned)
  }
  expect(await eventually('the dump of BIRD', dump, (it) => it.length >= wanted.length)).toEqual(
    wanted,
  )
})

/** Lines of `bgpdump -m`: fields by `|`. */
async function bgpdump(name: string): Promise<string[][]> {
  const text = await chain.host('linnet').run('bgpdump', '-m', `/run/${name}`)
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => line.split('|'))
}

test('bgpdump reads our dump: the same set', async () => {
  const rows = (await bgpdump('rib.mrt')).map((row) => ({
    ...{ prefix: row[5], from: row[3], asPath: row[6], nextHop: row[8], origin: row[7] },
  }))
  const names = ['IGP', 'EGP', 'INCOMPLETE']
  expect(rows.toSorted((a, b) => (a.prefix < b.prefix ? -1 : 1))).toEqual(
    sorted(await ours()).map(({ prefix, from, asPath, nextHop, origin }) => ({
      ...{ prefix, from, asPath, nextHop, origin: names[origin ?? 2] },
    })),
  )
})

test('bgpdump reads our updates: what BIRD announced, and each change of state', async () => {
  await ours()
  const rows = await eventually(
    'the updates in the file',
    () => bgpdump('updates.mrt'),
    (found) => OWN.every(({ prefix }) => found.some((row) => row[2] === 'A' && row[5] === prefix)),
  )
  const announced = rows.filter((row) => row[2] === 'A' && row[3] === addressOf('left', 'ipv4'))
  expect(announced.map((row) => `${row[5]} ${row[6]} ${row[8]} ${row[11]}`).toSorted()).toEqual([
    `10.202.1.0/24 ${BIRD} 65010 4200000010 10.1.0.2 65001:5`,
    `10.202.2.0/24 ${BIRD} 10.1.0.2 `,
  ])
  const states = rows.filter((row) => row[2] === 'STATE' && row[3] === addressOf('left', 'ipv4'))
  expect(states.at(-1)?.slice(5, 7)).toEqual(['5', '6'])
})

const RIB_IPV6_UNICAST = 4
const REPEATED = 300

/**
 * The dump as GoBGP 3.10 can take it. Without IPv6 routes: it reads MP_REACH_NLRI, cut down to its next
 * hop as RFC 6396 4.3.4 has it, as a whole one. And with the others many times over: its command ends
 * before the last are on their way.
 */
function forGobgp(file: Uint8Array): Uint8Array {
  const view = new DataView(file.buffer, file.byteOffset, file.length)
  const kept: Uint8Array[] = []
  for (let at = 0; at < file.length;) {
    const end = at + 12 + view.getUint32(at + 8)
    if (view.getUint16(at + 6) !== RIB_IPV6_UNICAST) kept.push(file.subarray(at, end))
    at = end
  }
  const [peers, ...routes] = kept
  return Buffer.concat([peers, ...Array.from({ length: REPEATED }, () => routes).flat()])
}

test('`gobgp mrt inject` takes our dump: the same set', async () => {
  const wanted = (await ours()).filter((it) => !isIpv6(it))
  const host = await LabHost.open('gobgp')
  try {
    const dump = readFileSync(chain.host('linnet').path('rib.mrt'))
    writeFileSync(host.path('rib.mrt'), forGobgp(dump))
    await gobgp.start(host, {
      ...{ asn: 65009, routerId: '10.9.0.1', holdTimeSeconds: 90, neighbors: [] },
      addresses: { ipv4: '10.9.0.1', ipv6: 'fd00:9::1' },
    })
    const ask = (...words: string[]): Promise<string> =>
      host.run('gobgp', '--target', 'unix:///run/gobgp.sock', ...words)
    await ask('mrt', 'inject', 'global', '/run/rib.mrt')
    const table = async (): Promise<{ prefix: string; asPath: string }[]> =>
      Object.entries(JSON.parse(await ask('global', 'rib', '-j')) as Table).map(
        ([prefix, [path]]) => ({ prefix, asPath: asPathOf(path) }),
      )
    const found = await eventually(
      'all routes in GoBGP',
      table,
      (routes) => routes.length >= wanted.length,
    )
    expect(byName(found)).toEqual(byName(wanted.map(({ prefix, asPath }) => ({ prefix, asPath }))))
  } finally {
    await host.close()
  }
})

type Table = Readonly<Record<string, readonly Path[]>>
interface Path {
  readonly attrs: readonly {
    readonly type: number
    readonly as_paths?: readonly { readonly asns: readonly number[] }[]
  }[]
}

const asPathOf = ({ attrs }: Path): string =>
  (attrs.find(({ type }) => type === 2)?.as_paths ?? []).flatMap(({ asns }) => asns).join(' ')

const byName = <T extends { prefix: string }>(rows: readonly T[]): T[] =>
  rows.toSorted((a, b) => (a.prefix < b.prefix ? -1 : 1))
