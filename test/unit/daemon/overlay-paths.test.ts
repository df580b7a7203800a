/** Ways through the tunnel, on sockets that a test answers for. */
import { beforeEach, describe, expect, test } from 'vitest'
import { Events } from '../../../src/daemon/events.ts'
import { OverlayPaths } from '../../../src/daemon/overlay-paths.ts'
import type { OverlayOptions } from '../../../src/fib/dataplanes/dataplane.ts'
import { Overlay } from '../../../src/fib/dataplanes/overlay.ts'
import type { PathAnswer, PathEcho, PathProbes } from '../../../src/linux/path-probes.ts'
import { SystemError } from '../../../src/linux/sys.ts'
import { address } from '../../../src/net/address.ts'
import { prefix } from '../../../src/net/prefix.ts'
import { FakeClock } from '../../support/fake-clock.ts'
import { MemoryHost } from '../../support/memory-host.ts'

const OPTIONS: OverlayOptions = {
  mode: 'ipip',
  when: 'crossSubnet',
  prefixes: [prefix('10.244.0.0/16')],
  acceptFrom: [],
  vxlan: { vni: 10, port: 4790, gpe: true },
}
const TUNNEL = 2

let clock: FakeClock
let host: MemoryHost
let told: string[]
let sent: PathEcho[]
let open: number
/** Which echoes arrive. */
let arrives: (echo: PathEcho) => boolean
beforeEach(() => {
  clock = new FakeClock()
  host = new MemoryHost().link('eth0').link('linnet-ipip', { kind: 'ipip', mtu: 1480 })
  host.link('docker0').address('docker0', '10.244.1.1/24').address('eth0', '10.1.0.11/24')
  told = []
  sent = []
  open = 0
  arrives = () => true
})

function openSockets(): PathProbes {
  const answers: PathAnswer[] = []
  open++
  return {
    sourceTo: () => address('10.1.0.11'),
    send(echo) {
      sent.push(echo)
      if (arrives(echo)) answers.push({ from: echo.to, sequence: echo.sequence })
    },
    drain: () => answers.splice(0),
    close: () => void open--,
  }
}

const nextHop = (text: string, onLink = false) => ({
  id: 1,
  address: address(text),
  resolution: {
    gateways: [{ via: address('10.1.0.1'), link: 1 }],
    ...{ onLink, own: false, metric: 0, resolvedBy: '' },
  },
})

function paths(more: Partial<OverlayOptions> = {}, opener: () => PathProbes = openSockets) {
  const overlay = new Overlay({ ...OPTIONS, ...more })
  overlay.use(TUNNEL)
  const events = new Events(clock)
  events.subscribe(({ kind, text }) => void told.push(`${kind}: ${text}`))
  return { overlay, ways: new OverlayPaths(overlay, { host, events, clock, open: opener }) }
}

/** `10.2.0.13 wrapped 1500 from 10.244.1.1` */
const asked = (): string[] =>
  sent.map(
    ({ to, wrapped, bytes, from }) =>
      `${to.text} ${wrapped ? 'wrapped' : 'plain'} ${bytes} from ${from.text}`,
  )
const blocked = ({ wrapped }: PathEcho): boolean => !wrapped

test('next hops beyond the tunnel are asked, soon and then each minute; nothing is said while all is well', () => {
  const { ways } = paths()
  ways.serve([nextHop('10.2.0.13'), nextHop('10.1.0.12', true), nextHop('10.2.0.13')])
  clock.advance(5_000)
  expect(asked()).toEqual(['10.2.0.13 wrapped 1500 from 10.244.1.1'])
  clock.advance(60_000)
  expect(sent).toHaveLength(2)
  expect(told).toEqual([])
  expect(ways.problems).toEqual([])
})

test('a blocked way is told once, and when it is free again', () => {
  const { ways } = paths()
  arrives = blocked
  ways.serve([nextHop('10.2.0.13')])
  clock.advance(120_000)
  const text =
    'packets of protocol 4 to 10.2.0.13 are not answered, others are: something on the way or a firewall there drops them (write overlay.mode: vxlan on all hosts), or that host has not the same overlay'
  expect(told).toEqual([`OverlayPathBlocked: ${text}`])
  expect(ways.problems).toEqual([text])
  arrives = () => true
  clock.advance(20_000)
  expect(told.slice(1)).toEqual(['OverlayPathFree: packets of protocol 4 to 10.2.0.13 arrive'])
  expect(ways.problems).toEqual([])
})

test('packets that are answered only from the address that the kernel takes have arrived', () => {
  const { ways } = paths()
  arrives = ({ from }) => from.text === '10.1.0.11'
  ways.serve([nextHop('10.2.0.13')])
  clock.advance(60_000)
  expect(told).toEqual([])
  expect(asked()).toContain('10.2.0.13 wrapped 1500 from 10.1.0.11')
})

test('without an address in the overlay, what rp_filter may do is said as well', () => {
  host.unlink('docker0')
  arrives = blocked
  paths().ways.serve([nextHop('10.2.0.13')])
  clock.advance(20_000)
  expect(told[0]).toContain(
    'or its rp_filter takes them for forged, for this host has no address in 10.244.0.0/16',
  )
})

describe('a narrow way', () => {
  test.each<[Partial<OverlayOptions>, string]>([
    [
      {},
      'packets of protocol 4 to 10.2.0.13 are lost when they have 1500 bytes, and arrive up to 1400: write overlay.mtu: 1380, or raise the MTU on the way',
    ],
    [
      { device: 'tunl0' },
      'packets of protocol 4 to 10.2.0.13 are lost when they have 1500 bytes, and arrive up to 1400: ip link set tunl0 mtu 1380, or raise the MTU on the way',
    ],
    [
      { mode: 'vxlan' },
      'packets to UDP port 4790 of 10.2.0.13 are lost when they have 1516 bytes, and arrive up to 1400: write overlay.mtu: 1364, or raise the MTU on the way',
    ],
  ])('is told with the MTU that helps: %j', (more, text) => {
    const { ways } = paths(more)
    arrives = ({ bytes }) => bytes <= 1400
    ways.serve([nextHop('10.2.0.13')])
    clock.advance(120_000)
    expect(told).toEqual([`OverlayPathNarrow: ${text}`])
    expect(ways.problems).toEqual([text])
  })
})

describe('with many next hops', () => {
  const many = Array.from({ length: 400 }, (_, i) => nextHop(`10.2.${i >> 8}.${i & 255}`))

  test.each([
    ['of an open overlay', () => true],
    ['of a blocked one', blocked],
    ['that are all away', () => false],
  ])('%s, some tens of probes are sent a second', (_, network) => {
    arrives = network
    paths().ways.serve(many)
    clock.advance(2_000)
    for (let second = 0; second < 60; second++) {
      const before = sent.length
      clock.advance(1_000)
      expect(sent.length - before).toBeLessThanOrEqual(80)
    }
    expect(sent.length).toBeGreaterThanOrEqual(400)
  })

  test('a few problems are shown, and how many there are', () => {
    arrives = blocked
    const { ways } = paths()
    ways.serve(many.slice(0, 30))
    clock.advance(120_000)
    expect(told).toHaveLength(30)
    expect(ways.problems).toHaveLength(11)
    expect(ways.problems.at(-1)).toBe('and likewise to 20 more hosts of the overlay')
  })
})

test('what is no next hop any more is forgotten; nothing stays open, and no timer', () => {
  const { ways, overlay } = paths()
  arrives = blocked
  ways.serve([nextHop('10.2.0.13')])
  clock.advance(2_500)
  expect(open).toBe(1)
  overlay.use(undefined)
  ways.serve([nextHop('10.2.0.13')])
  expect(open).toBe(1)
  overlay.use(TUNNEL)
  ways.serve([])
  expect(open).toBe(0)
  expect(clock.pendingCount).toBe(0)
  expect(told).toEqual([])
})

test('without a device nothing is asked', () => {
  const { ways, overlay } = paths()
  ways.serve([nextHop('10.2.0.13')])
  overlay.use(undefined)
  clock.advance(60_000)
  expect(sent).toEqual([])
  overlay.use(TUNNEL)
  clock.advance(5_000)
  expect(sent).toHaveLength(1)
})

test('without the sockets it is left, and said once', () => {
  const { ways } = paths({}, () => {
    throw new SystemError('open a raw socket', 1)
  })
  ways.serve([nextHop('10.2.0.13')])
  clock.advance(120_000)
  ways.serve([nextHop('10.2.0.13')])
  clock.advance(120_000)
  expect(told).toEqual([
    'OverlayPathUnknown: whether wrapped packets arrive is not looked at: open a raw socket: EPERM: not permitted; it takes CAP_NET_RAW',
  ])
  expect(clock.pendingCount).toBe(0)
})

test('when it ends, nothing is left', () => {
  const { ways } = paths()
  arrives = blocked
  ways.serve([nextHop('10.2.0.13')])
  clock.advance(2_500)
  ways.close()
  expect(open).toBe(0)
  expect(clock.pendingCount).toBe(0)
})
