/** VXLAN between two daemons on this machine's kernel: what is on the wire, who may send, what stays when it ends. */
import { execFileSync } from 'node:child_process'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import type { OverlayOptions } from '../../../src/fib/dataplanes/dataplane.ts'
import { vxlan } from '../../../src/fib/dataplanes/vxlan.ts'
import { encodeEcho, internetChecksum, openIcmp } from '../../../src/linux/icmp.ts'
import { openCapture, type CapturedFrame } from '../../../src/linux/packet.ts'
import { openPathProbes, type PathProbes } from '../../../src/linux/path-probes.ts'
import { socketAddress } from '../../../src/linux/socket-address.ts'
import * as sys from '../../../src/linux/sys.ts'
import { address, formatIpv4 } from '../../../src/net/address.ts'
import { ip } from '../../support/box.ts'
import { Workshop, type Daemon } from '../../support/daemon.ts'
import { enterFabric, type Host } from '../../support/fabric.ts'
import { until } from '../../support/until.ts'

const SIDES = {
  a: { address: '10.0.1.1', inside: '10.244.1.1' },
  b: { address: '10.0.1.2', inside: '10.244.2.1' },
} as const
type Side = keyof typeof SIDES
/** On the same link, and nobody's peer. */
const STRANGER = '10.0.1.66'

const workshop = new Workshop()
let hosts: Record<Side, Host>
beforeAll(() => {
  const [a, b] = enterFabric(2)
  hosts = { a, b }
  ip(`link add eth0 netns ${a.path} type veth peer name eth0 netns ${b.path}`)
  for (const side of ['a', 'b'] as const) {
    const host = hosts[side]
    host.ip('link add docker0 type veth peer name container0')
    host.ip('link set container0 up')
    host.ip(`addr add ${SIDES[side].inside}/24 dev docker0`)
    host.ip(`addr add ${SIDES[side].address}/24 dev eth0`)
    host.ip('link set docker0 up')
    host.ip('link set eth0 up')
  }
  b.ip(`addr add ${STRANGER}/24 dev eth0`)
})
afterEach(() => workshop.endDaemons())
afterAll(() => workshop.close())

const other = (side: Side): Side => (side === 'a' ? 'b' : 'a')

async function start(overlay: string): Promise<Record<Side, Daemon>> {
  const daemon = (side: Side): Promise<Daemon> => {
    const peer = other(side)
    const config = `
asn: 65000
routerId: ${SIDES[side].address}
peers: [{ name: ${peer}, address: ${SIDES[peer].address}, localAddress: ${SIDES[side].address}, asn: 65000, connectRetry: 1s }]
advertise: { interfaces: [docker0] }
kernel: { onStop: remove }
overlay: { ${overlay}, prefixes: [10.244.0.0/16] }
`
    return workshop.daemon(hosts[side], config, { name: side })
  }
  const [a, b] = await Promise.all([daemon('a'), daemon('b')])
  for (const side of ['a', 'b'] as const) {
    await until(`${side} has a route`, () => routeOf(side) !== '', 20_000)
  }
  return { a, b }
}

const routeOf = (side: Side): string =>
  hosts[side].ip(`route show ${SIDES[other(side)].inside}/24 proto 179`).trim()

/** One echo from a to b, answered or not. */
async function isAnswered(): Promise<boolean> {
  const icmp = hosts.a.within(() => openIcmp(address(SIDES.a.inside)))
  try {
    const identifier = 7
    icmp.send({
      to: address(SIDES.b.inside),
      identifier,
      sequence: 1,
      ttl: 64,
      payload: new Uint8Array(8),
    })
    await until(
      'the echo is answered',
      () => icmp.drain().some(({ kind }) => kind === 'reply'),
      500,
    )
    return true
  } catch {
    return false
  } finally {
    icmp.close()
  }
}

/** `10.0.1.1 > 10.0.1.2`, of the IPv4 header at `at`. */
function addressesAt({ bytes }: CapturedFrame, at: number): string {
  const view = new DataView(bytes.buffer, bytes.byteOffset)
  return `${formatIpv4(view.getUint32(at + 12))} > ${formatIpv4(view.getUint32(at + 16))}`
}

/** By which the daemons look whether the way is open: from or to a host's own address, inside or in the clear. */
const isProbe = (frame: CapturedFrame, inside: number): boolean =>
  addressesAt(frame, frame.bytes[23] === 17 ? inside : 14).includes('10.0.1.')

const MODES = [
  { mode: 'mode: vxlan', port: 4790, inside: 50, mtu: 1464, gpe: true },
  {
    mode: 'mode: vxlan, vxlan: { gpe: false, vni: 77 }',
    port: 4789,
    inside: 64,
    mtu: 1450,
    gpe: false,
  },
]

function openProbes(gpe: boolean): PathProbes {
  const options: OverlayOptions = {
    ...{ mode: 'vxlan', when: 'always', prefixes: [], acceptFrom: [] },
    vxlan: gpe ? { vni: 10, port: 4790, gpe } : { vni: 77, port: 4789, gpe },
  }
  const { protocol } = vxlan.outer(options)
  const header = (innerBytes: number): Uint8Array => vxlan.header(options, innerBytes)
  return hosts.a.within(() => openPathProbes({ protocol, header }, 0x4c4c))
}

describe.each(MODES)('$mode', ({ mode, port, inside, mtu, gpe }) => {
  test('UDP between the hosts, inner addresses as they were; nothing else; gone with linnet', async () => {
    const daemons = await start(mode)
    await until('packets get through', isAnswered, 20_000)
    const wire = hosts.a.within(() => openCapture('eth0'))
    expect(await isAnswered()).toBe(true)
    const frames = wire.drain().filter(({ bytes }) => bytes[12] === 8 && bytes[13] === 0)
    wire.close()
    const packets = frames.filter((it) => it.bytes[23] !== 6 && !isProbe(it, inside))
    const seen = packets.map((frame) => {
      const { bytes } = frame
      const to = ((bytes[36] ?? 0) << 8) | (bytes[37] ?? 0)
      return `${addressesAt(frame, 14)} udp ${bytes[23] === 17 ? to : 'no'}: ${addressesAt(frame, inside)}`
    })
    expect([...new Set(seen)]).toEqual([
      `10.0.1.1 > 10.0.1.2 udp ${port}: 10.244.1.1 > 10.244.2.1`,
      `10.0.1.2 > 10.0.1.1 udp ${port}: 10.244.2.1 > 10.244.1.1`,
    ])
    expect(hosts.a.ip('link show dev linnet-vxlan')).toContain(`mtu ${mtu} `)
    const row = (await daemons.a.fib()).find(({ prefix }) => prefix === '10.244.2.0/24')
    expect(row?.nextHops).toEqual([
      {
        via: '10.0.1.2',
        dev: 'linnet-vxlan',
        weight: 1,
        encap: `vxlan ${port === 4790 ? 10 : 77} 10.0.1.2`,
      },
    ])

    const probes = openProbes(gpe)
    const probe = { to: address(SIDES.b.address), from: address(SIDES.a.inside), wrapped: true }
    probes.send({ ...probe, bytes: 1500, sequence: 1 })
    await until('a packet of full length is answered', () => probes.drain().length > 0)
    probes.close()

    hosts.a.ip('link del linnet-vxlan')
    await until('the device is back', isAnswered, 10_000)

    await daemons.a.stop()
    expect(hosts.a.ip('route show proto 179') + hosts.a.ip('nexthop show')).toBe('')
    expect(hosts.a.ip('-br link show')).not.toContain('linnet')
    expect(rules()).toBe('')
  })
})

const rules = (): string =>
  hosts.a.within(() => execFileSync('nft', ['list', 'tables'], { encoding: 'utf8' }))
/** Packets that our rule has dropped on a. */
function dropped(): number {
  if (!rules().includes('linnet-overlay')) return Number.NaN
  const listing = hosts.a.within(() =>
    execFileSync('nft', ['list', 'table', 'ip', 'linnet-overlay'], { encoding: 'utf8' }),
  )
  return Number(/counter packets (\d+)/.exec(listing)?.[1] ?? Number.NaN)
}

/** An echo from b's inside to a's, wrapped by hand. */
function innerEcho(): Uint8Array {
  const echo = encodeEcho({ identifier: 9, sequence: 1, payload: new Uint8Array(8) })
  const packet = new Uint8Array(20 + echo.length)
  packet.set([0x45, 0, 0, packet.length, 0, 0, 0, 0, 64, 1, 0, 0])
  packet.set(address(SIDES.b.inside).bytes, 12)
  packet.set(address(SIDES.a.inside).bytes, 16)
  new DataView(packet.buffer).setUint16(10, internetChecksum(packet.subarray(0, 20)))
  packet.set(echo, 20)
  return packet
}

/** Sends from one of b's addresses to a. */
function send(from: string, type: number, protocol: number, port: number, bytes: Uint8Array): void {
  hosts.b.within(() => {
    const fd = sys.must('open a socket', sys.socket(sys.AF_INET, type | sys.SOCK_CLOEXEC, protocol))
    sys.must('bind', sys.bind(fd, socketAddress(address(from), 0)))
    sys.must(
      'send',
      sys.sendTo(fd, bytes, bytes.length, socketAddress(address(SIDES.a.address), port)),
    )
    sys.close(fd)
  })
}

const SOCK_DGRAM = 2
/** I and P bits, next protocol IPv4, VNI 10. */
const GPE = Uint8Array.of(0x0c, 0, 0, 1, 0, 0, 10, 0)
const WRAPPINGS = [
  {
    mode: 'vxlan',
    sendFrom: (from: string) =>
      send(from, SOCK_DGRAM, 17, 4790, Uint8Array.of(...GPE, ...innerEcho())),
  },
  { mode: 'ipip', sendFrom: (from: string) => send(from, sys.SOCK_RAW, 4, 0, innerEcho()) },
]

test.each(WRAPPINGS)(
  '$mode: a stranger may not send wrapped packets, a peer may',
  async ({ mode, sendFrom }) => {
    hosts.a.within(() => execFileSync('nft', ['flush', 'ruleset'])) // of daemons that were killed
    await start(`mode: ${mode}`)
    await until('there are rules', () => dropped() === 0)
    sendFrom(SIDES.b.address)
    expect(dropped()).toBe(0)
    sendFrom(STRANGER)
    await until('it is dropped', () => dropped() === 1)
  },
)
