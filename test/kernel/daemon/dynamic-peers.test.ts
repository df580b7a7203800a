/**
 * Peers that call from a range: taken as they come, up to so many, shown as what they are, forgotten when they
 * stay away; a stranger outside costs nothing.
 */
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { announce } from '../../support/bgp-messages.ts'
import { readDropCounts } from '../../../src/linux/drop-counts.ts'
import { BgpPeer, type BgpPeerOptions } from '../../support/bgp-peer.ts'
import { linnet, Workshop, type Daemon } from '../../support/daemon.ts'
import { enterFabric, wire, type Host } from '../../support/fabric.ts'
import { until } from '../../support/until.ts'

const US = '10.0.1.1'
const NODES = ['10.0.1.65', '10.0.1.66', '10.0.1.67'] as const
const STRANGER = '10.0.1.5'
const THREE = announce({
  prefixes: ['192.0.2.0/24', '198.51.100.0/24', '203.0.113.0/24'],
  nextHop: NODES[0],
  asPath: [65_009],
  localPref: 100,
})

const workshop = new Workshop()
let host: Host
let far: Host
beforeAll(async () => {
  ;[host, far] = enterFabric(2)
  const fabric = [...NODES, STRANGER].map((it) => `${it}/24`)
  await wire(host, { link: 'eth0', host: [`${US}/24`], fabric })
})
const ends: { close(): void }[] = []
afterEach(async () => {
  for (const end of ends.splice(0)) end.close()
  await workshop.endDaemons()
})
afterAll(() => workshop.close())

const config = (settings = '', more = ''): string => `
asn: 65101
routerId: ${US}
peers:
  - { name: nodes, range: 10.0.1.64/26, asn: internal, routeReflectorClient: true${settings} }
${more}
kernel: { install: false }
`

function node(local: string, options: Partial<BgpPeerOptions> = {}): BgpPeer {
  const made = new BgpPeer({ local, asn: 65_101, remote: US, routerId: local, ...options })
  ends.push(made)
  return made
}

const namesOf = async (daemon: Daemon): Promise<string[]> =>
  (await daemon.peers()).map(({ name }) => name).toSorted()

async function reload(daemon: Daemon, text: string): Promise<string> {
  daemon.rewriteConfig(text)
  const { code, stdout, stderr } = await linnet(host, ['reload', '--socket', daemon.socket])
  expect(stderr).toBe('')
  expect(code).toBe(0)
  return stdout
}

describe('a range of peers', () => {
  test('takes who calls from there, and shows them by their address', async () => {
    const daemon = await workshop.daemon(host, config())
    expect(await namesOf(daemon)).toEqual([])
    const [first, second] = [await node(NODES[0]).up(), await node(NODES[1]).up()]
    first.send(THREE)
    await until('a route goes from one to the other', () => second.heard.size === 3)
    expect(await namesOf(daemon)).toEqual([NODES[0], NODES[1]])
    expect(await daemon.peer(NODES[0])).toMatchObject({
      range: 'nodes',
      address: NODES[0],
      state: 'Established',
    })
    const shown = await linnet(host, ['show', 'peers', '--socket', daemon.socket])
    expect(shown.stdout).toMatch(/10\.0\.1\.65 +dynamic \(nodes\) +65101 +Established/)
    const one = await linnet(host, ['show', 'peer', NODES[0], '--socket', daemon.socket])
    expect(one.stdout).toMatch(/^range +nodes$/m)
    expect(daemon.lines('DynamicPeerAdded').map(({ peer, text }) => `${peer}: ${text}`)).toEqual([
      `${NODES[0]}: connected from the range nodes (10.0.1.64/26)`,
      `${NODES[1]}: connected from the range nodes (10.0.1.64/26)`,
    ])
  })

  test('a stranger outside is refused', async () => {
    const daemon = await workshop.daemon(host, config())
    node(STRANGER)
    const line = await daemon.logged('StrangerRefused')
    expect(line.text).toContain(STRANGER)
    expect(await namesOf(daemon)).toEqual([])
  })

  test('has a limit; one that is down makes room', async () => {
    const daemon = await workshop.daemon(host, config(', limit: 2'))
    const [first] = [await node(NODES[0]).up(), await node(NODES[1]).up()]
    const third = node(NODES[2])
    expect((await daemon.logged('RangeFull')).text).toBe(
      `${NODES[2]} was refused: the range nodes (10.0.1.64/26) has 2 peers, its limit`,
    )
    expect(await namesOf(daemon)).toEqual([NODES[0], NODES[1]])
    first.close()
    await third.up()
    expect(await namesOf(daemon)).toEqual([NODES[1], NODES[2]])
  })

  test('forgets one that is down for a while, and no other', async () => {
    const daemon = await workshop.daemon(host, config(', removeAfter: 1s'))
    const [first, second] = [await node(NODES[0]).up(), await node(NODES[1]).up()]
    first.close()
    await daemon.logged('SessionEnded')
    expect((await daemon.peer(NODES[0])).state).toBe('Active')
    const gone = async (): Promise<boolean> => (await namesOf(daemon)).length === 1
    await until('it is forgotten', gone)
    expect(await namesOf(daemon)).toEqual([NODES[1]])
    expect(second.sessions).toBe(1)
    expect(second.established).toBe(true)
    await node(NODES[0]).up()
  })

  test('one that is shut down stays so', async () => {
    const daemon = await workshop.daemon(host, config(', limit: 1'))
    const first = await node(NODES[0]).up()
    await linnet(host, ['shutdown', NODES[0], '--socket', daemon.socket])
    await until('the session is over', () => !first.established)
    const other = node(NODES[1])
    await daemon.logged('RangeFull')
    other.close()
    expect(await daemon.peer(NODES[0])).toMatchObject({ state: 'Idle' })
    await linnet(host, ['startup', NODES[0], '--socket', daemon.socket])
    await until('it is back', () => first.established)
  })
})

describe('a reload', () => {
  test('changes the peers of a range as those configured one by one', async () => {
    const daemon = await workshop.daemon(host, config())
    const [first, second] = [await node(NODES[0]).up(), await node(NODES[1]).up()]
    first.send(THREE)
    await until('a route goes from one to the other', () => second.heard.size === 3)
    await reload(daemon, config(', import: reject'))
    await until('it is withdrawn', () => second.heard.size === 0)
    expect([first.sessions, second.sessions]).toEqual([1, 1])
    await reload(daemon, config(', sendHoldTime: 5m'))
    await until('both have begun anew', () => first.sessions === 2 && second.sessions === 2)
    expect(first.notifications.map(({ code, subcode }) => `${code}/${subcode}`)).toEqual(['6/6'])
  })

  test('that names one of them makes it a peer by itself; without the range the others go', async () => {
    const daemon = await workshop.daemon(host, config())
    const [first, second] = [await node(NODES[0]).up(), await node(NODES[1]).up()]
    const own = `  - { name: one, address: ${NODES[0]}, asn: internal, passive: true }`
    await reload(daemon, config('', own))
    await until('it has begun anew', () => first.sessions === 2)
    expect(await namesOf(daemon)).toEqual([NODES[1], 'one'].toSorted())
    await reload(daemon, `asn: 65101\nrouterId: ${US}\npeers:\n${own}\nkernel: { install: false }`)
    await until('the other is gone', () => !second.established)
    expect(second.notifications.map(({ code, subcode }) => `${code}/${subcode}`)).toEqual(['6/3'])
    expect(await namesOf(daemon)).toEqual(['one'])
    expect(first.sessions).toBe(2)
  })
})

/** The far one is a linnet, for a bare peer can't sign. */
test('all of a range sign with one key (RFC 2385)', async () => {
  wireFar()
  const text = config(', password: of the range').replace('10.0.1.64/26', '10.0.2.128/25')
  const daemon = await workshop.daemon(host, text)
  const signer = (password: string): string => `
asn: 65101
routerId: 10.0.2.129
peers: [{ name: reflector, address: 10.0.2.1, asn: internal, connectRetry: 1s, password: ${password} }]
kernel: { install: false }
`
  const client = await workshop.daemon(far, signer('another'), { name: 'signer' })
  const refused = (): boolean => host.within(readDropCounts).TCPMD5Failure > 0
  await until('the kernel drops what is signed with another', refused)
  expect(await namesOf(daemon)).toEqual([])
  client.rewriteConfig(signer('of the range'))
  await linnet(far, ['reload', '--socket', client.socket])
  await client.logged('SessionEstablished')
  expect(await namesOf(daemon)).toEqual(['10.0.2.129'])
})

function wireFar(): void {
  host.ip(`link add eth9 type veth peer name eth0 netns ${far.path}`)
  host.ip('addr add 10.0.2.1/24 dev eth9')
  far.ip('addr add 10.0.2.129/24 dev eth0')
  host.ip('link set eth9 up')
  far.ip('link set eth0 up')
}
