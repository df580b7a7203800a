/**
 * A peer with `tcpAo` whose router does not sign: refused both ways, in words, while the daemon goes on
 * with its other peers. Where the kernel can't sign at all, the words say so.
 */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { hasTcpAo } from '../../../src/linux/tcp-ao.ts'
import { ip } from '../../support/box.ts'
import { linnet, Workshop, type Daemon } from '../../support/daemon.ts'
import { enterFabric, type Host } from '../../support/fabric.ts'
import { until } from '../../support/until.ts'

const workshop = new Workshop()
let host: Host
let tor: Host
let daemon: Daemon

const SECRET = 'correct-horse'
const WORDS = hasTcpAo()
  ? /without a signature .*TCPAORequired/
  : /this kernel has no TCP-AO .*Linux 6\.7 or newer with CONFIG_TCP_AO/

beforeAll(async () => {
  const hosts = enterFabric(2)
  host = hosts[0]
  tor = hosts[1]
  ip(`link add eth0 netns ${host.path} type veth peer name eth1 netns ${tor.path}`)
  host.ip('addr add 10.0.1.11/24 dev eth0')
  for (const address of ['10.0.1.1', '10.0.1.2']) tor.ip(`addr add ${address}/24 dev eth1`)
  host.ip('link set eth0 up')
  tor.ip('link set eth1 up')
  daemon = await workshop.daemon(
    host,
    `
asn: 65101
peers:
  - { name: signed, address: 10.0.1.1, asn: 65001, import: accept, connectRetry: 1s, tcpAo: { sendId: 1, receiveId: 1, key: ${SECRET} } }
  - { name: quiet, address: 10.0.1.3, asn: 65001, import: accept, passive: true, tcpAo: { sendId: 1, receiveId: 1, key: ${SECRET} } }
  - { name: plain, address: 10.0.1.2, asn: 65001, import: accept, connectRetry: 1s }
kernel: { install: false }
`,
    { name: 'host' },
  )
  const peer = (name: string, address: string): string =>
    `{ name: ${name}, address: 10.0.1.11, localAddress: ${address}, asn: 65101, connectRetry: 1s }`
  // Two daemons on one router: each speaks from an address of its own.
  for (const [name, address] of [
    ['first', '10.0.1.1'],
    ['second', '10.0.1.2'],
  ] as const) {
    await workshop.daemon(
      tor,
      `
asn: 65001
routerId: ${address}
listen: [{ address: ${address} }]
peers: [${peer(name, address)}]
kernel: { install: false }
`,
      { name },
    )
  }
})
afterAll(() => workshop.close())

test('the peer that must sign is refused, in words, and the other is up', async () => {
  await until('the other is up', async () => (await daemon.peer('plain')).state === 'Established')
  await until('show peer says why the first is not', async () => {
    const { stdout } = await linnet(host, ['show', 'peer', 'signed', '--socket', daemon.socket])
    return WORDS.test(stdout.replaceAll(/\s+/g, ' '))
  })
  const { reason } = await daemon.peer('signed')
  expect(reason.match(new RegExp(WORDS, 'g'))).toHaveLength(1)
  // Also of one that nobody calls, where the kernel can't sign.
  if (!hasTcpAo()) expect((await daemon.peer('quiet')).reason).toMatch(WORDS)
  const event = hasTcpAo() ? 'CauseSuspected' : 'AttemptFailed'
  await daemon.logged(event, (it) => it.peer === 'signed' && WORDS.test(it.text))
  expect(await daemon.peer('signed')).toMatchObject({ flaps: 0 })
  expect((await daemon.peer('signed')).state).not.toBe('Established')
  expect((await daemon.peer('plain')).flaps).toBe(0)
})

test('check says so before anybody runs it', async () => {
  const file = workshop.write(
    'signed.yaml',
    'asn: 1\npeers: [{ address: 10.0.1.1, asn: internal, tcpAo: { sendId: 1, receiveId: 1, key: x } }]\n',
  )
  const { code, stderr } = await linnet(host, ['check', '--here', file])
  expect(code).toBe(0)
  expect(/signed\.yaml:2:\d+: warning: .*this kernel has no TCP-AO/.test(stderr)).toBe(!hasTcpAo())
})

test('the key is in nothing that is printed', async () => {
  const outputs = await Promise.all(
    [
      ['show', 'peer', 'signed', '--json'],
      ['show', 'peers', '--json'],
      ['show', 'status', '--json'],
    ].map((words) => linnet(host, [...words, '--socket', daemon.socket])),
  )
  for (const { code, stdout } of outputs) {
    expect(code).toBe(0)
    expect(stdout).not.toContain(SECRET)
  }
  const said = JSON.stringify([daemon.log, daemon.strayLines, daemon.stderr])
  expect(said).toContain('signed')
  expect(said).not.toContain(SECRET)
})
