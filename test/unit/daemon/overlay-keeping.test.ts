/** The overlay's device, guards and rules, on a host of plain Maps. */
import { beforeEach, describe, expect, test } from 'vitest'
import { Events } from '../../../src/daemon/events.ts'
import { NextHopSets } from '../../../src/daemon/next-hop-sets.ts'
import { OverlayKeeping } from '../../../src/daemon/overlay-keeping.ts'
import type { OverlayOptions } from '../../../src/fib/dataplanes/dataplane.ts'
import { Overlay } from '../../../src/fib/dataplanes/overlay.ts'
import { forwardingText } from '../../../src/fib/forwarding.ts'
import { Targets } from '../../../src/fib/targets.ts'
import { address } from '../../../src/net/address.ts'
import { prefix } from '../../../src/net/prefix.ts'
import { accept } from '../../../src/policy/standard.ts'
import { RibPeer } from '../../../src/rib/peer.ts'
import { FakeClock } from '../../support/fake-clock.ts'
import { MemoryDevices } from '../../support/memory-devices.ts'
import { MemoryHost } from '../../support/memory-host.ts'
import { MemoryKernel } from '../../support/memory-kernel.ts'
import { MemoryRules } from '../../support/memory-rules.ts'

const OPTIONS: OverlayOptions = {
  mode: 'ipip',
  when: 'always',
  prefixes: [prefix('10.244.0.0/16')],
  acceptFrom: [prefix('192.0.2.0/24')],
  vxlan: { vni: 10, port: 4790, gpe: true },
}

let clock: FakeClock
let host: MemoryHost
let devices: MemoryDevices
let rules: MemoryRules
let told: string[]
beforeEach(() => {
  clock = new FakeClock()
  host = new MemoryHost().link('eth0', { kind: '', mtu: 9000 })
  devices = new MemoryDevices(host)
  rules = new MemoryRules()
  told = []
})

/** With one next hop beyond eth0. */
async function started(more: Partial<OverlayOptions> = {}) {
  const events = new Events(clock)
  events.subscribe(({ kind, text }) => void told.push(`${kind}: ${text}`))
  const targets = new Targets(new MemoryKernel(), clock, { failed: () => {} })
  const overlay = new Overlay({ ...OPTIONS, ...more })
  const sets = new NextHopSets(targets, 16, overlay)
  const routerId = address('10.0.1.1')
  const keeping = new OverlayKeeping(overlay, {
    devices,
    rules,
    host,
    events,
    clock,
    sets,
    routerId,
  })
  await keeping.start()
  const target = sets.target(
    { family: 'ipv4', overlaid: true },
    [
      {
        nextHop: {
          id: 1,
          address: address('10.0.2.1'),
          resolution: {
            gateways: [{ via: address('10.0.1.1'), link: 1 }],
            onLink: false,
            own: false,
            metric: 0,
            resolvedBy: '',
          },
        },
        peer: new RibPeer(
          1,
          {
            name: 'a',
            address: address('10.0.2.1'),
            routerId: 1,
            asn: 65_001,
            external: true,
            routeReflectorClient: false,
          },
          accept,
        ),
      },
    ],
    undefined,
  )
  keeping.neighborsChanged([])
  targets.retain(target)
  await settled()
  return {
    keeping,
    goes: () => forwardingText(targets.get(target)?.target ?? { kind: 'blackhole' }),
  }
}

/** The host tells of its links, and all that follows is done. */
async function settled(): Promise<void> {
  for (let i = 0; i < 5; i++) {
    host.tell()
    clock.advance(20)
    await new Promise((resolve) => setImmediate(resolve))
  }
}
const link = (name: string) => [...host.links()].find((it) => it.name === name)
const WRAPPED = /^via 10\.0\.2\.1 link \d+ onlink encap 0 10\.0\.2\.1$/

describe('the device', () => {
  test('is made, with the MTU of the links below less the outer header', async () => {
    const { goes } = await started()
    expect(link('linnet-ipip')?.mtu).toBe(8980)
    expect(goes()).toMatch(WRAPPED)
    expect(told).toEqual(['OverlayOpened: IP-in-IP through linnet-ipip for 10.244.0.0/16'])
    host.link('eth0', { mtu: 1500 })
    await settled()
    expect(link('linnet-ipip')?.mtu).toBe(1480)
  })

  test('has the MTU that is asked for', async () => {
    await started({ mtu: 1400 })
    expect(link('linnet-ipip')?.mtu).toBe(1400)
  })

  test('that goes is made again; meanwhile there is no way', async () => {
    const { goes } = await started()
    clock.advance(2_000)
    host.unlink('linnet-ipip')
    host.tell()
    expect(goes()).toBe('unreachable')
    await settled()
    expect(goes()).toMatch(WRAPPED)
    expect(told.at(-2)).toBe(
      'OverlayClosed: no overlay: linnet-ipip is gone; routes inside 10.244.0.0/16 are unreachable until then',
    )
  })

  test('that goes again and again is made once a second', async () => {
    await started()
    const before = devices.asked
    for (let i = 0; i < 50; i++) {
      host.unlink('linnet-ipip')
      await settled()
    }
    expect(devices.asked - before).toBeLessThanOrEqual(6)
  })

  test('that is taken down is taken up again', async () => {
    const { goes } = await started()
    clock.advance(2_000)
    host.link('linnet-ipip', { up: false })
    host.tell()
    expect(goes()).toBe('unreachable')
    await settled()
    expect(goes()).toMatch(WRAPPED)
  })

  test('that the kernel has no kind for leaves the overlay closed, and is tried again', async () => {
    devices.refuses = { errno: 95, text: 'EOPNOTSUPP: Unknown device type' }
    const { goes, keeping } = await started()
    expect(goes()).toBe('unreachable')
    expect(keeping.problems[0]).toContain('this kernel has no ipip devices')
    devices.refuses = undefined
    clock.advance(4_000)
    await settled()
    expect(goes()).toMatch(WRAPPED)
    expect(keeping.problems).toEqual([])
  })

  test('of that name that is something else is left alone', async () => {
    host.link('linnet-ipip', { kind: 'dummy' })
    const { goes, keeping } = await started()
    expect(goes()).toBe('unreachable')
    expect(keeping.problems[0]).toContain("linnet-ipip is somebody else's")
  })

  test('of an earlier run with other settings is made anew', async () => {
    const tunnel = 'external port 4789'
    host.link('linnet-vxlan', { kind: 'vxlan', tunnel, mtu: 1450 })
    const { goes } = await started({ mode: 'vxlan' })
    expect(link('linnet-vxlan')?.tunnel).toBe('external port 4790 gpe')
    expect(goes()).toMatch(/ encap 10 10\.0\.2\.1$/)
  })

  test('of somebody else is used as it is, when it is there and up', async () => {
    const { goes, keeping } = await started({ device: 'tunl0' })
    expect(goes()).toBe('unreachable')
    host.link('tunl0', { kind: 'ipip', up: false, mtu: 1480 })
    await settled()
    expect(keeping.problems[0]).toContain('tunl0 is down: ip link set tunl0 up')
    host.link('tunl0', { up: true })
    await settled()
    expect(goes()).toMatch(/^via 10\.0\.2\.1 link \d+ onlink$/)
    expect(link('tunl0')?.mtu).toBe(1480)
    await keeping.stop('remove')
    expect(link('tunl0')).toBeDefined()
  })
})

test('its prefixes are guarded, and only hosts of the overlay may send', async () => {
  const { keeping } = await started()
  expect(devices.guarded).toEqual(['10.244.0.0/16'])
  keeping.neighborsChanged([address('10.0.1.9'), address('2001:db8::1')])
  await settled()
  const text = JSON.stringify(rules.table)
  expect(text).toContain('["10.0.1.9","10.0.2.1",{"prefix":{"addr":"192.0.2.0","len":24}}]')
  await keeping.stop('remove')
  expect(devices.guarded).toEqual([])
  expect(link('linnet-ipip')).toBeUndefined()
  expect(rules.table).toBeUndefined()
})

test('rules of an earlier run stay until all peers have spoken', async () => {
  const first = await started()
  await first.keeping.stop('keep')
  const before = rules.applied
  const { keeping } = await started()
  expect(rules.applied).toBe(before)
  keeping.sweep()
  await settled()
  expect(rules.applied).toBe(before + 1)
})

test('all stays when routes do', async () => {
  const { keeping } = await started()
  await keeping.stop('keep')
  expect(devices.guarded).toEqual(['10.244.0.0/16'])
  expect(link('linnet-ipip')).toBeDefined()
  expect(rules.table).toBeDefined()
})

describe('the rules', () => {
  test('that somebody takes away are back', async () => {
    await started()
    rules.table = undefined
    clock.advance(10_000)
    await settled()
    expect(rules.table).toBeDefined()
  })

  test('that can not be had are told of once, and tried again', async () => {
    rules.broken = 'there is no program nft on this host: install the package nftables'
    const { keeping } = await started()
    clock.advance(30_000)
    await settled()
    expect(told.filter((it) => it.startsWith('RulesFailed'))).toEqual([
      'RulesFailed: anybody may send wrapped packets into the overlay: there is no program nft on this host: install the package nftables',
    ])
    rules.broken = undefined
    clock.advance(10_000)
    await settled()
    clock.advance(10_000)
    await settled()
    expect(keeping.problems).toEqual([])
    expect(rules.table).toBeDefined()
  })
})
