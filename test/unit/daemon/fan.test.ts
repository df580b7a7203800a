/** Fan's own parts of the daemon: the bridge of our slice, and hosts that nobody tells of. */
import { describe, expect, test } from 'vitest'
import { Events } from '../../../src/daemon/events.ts'
import { FanBridge } from '../../../src/daemon/fan-bridge.ts'
import type { FanConfig } from '../../../src/daemon/fan.ts'
import { FanHosts } from '../../../src/daemon/fan-hosts.ts'
import { prefix } from '../../../src/net/prefix.ts'
import { FakeClock } from '../../support/fake-clock.ts'
import { MemoryDevices } from '../../support/memory-devices.ts'
import { MemoryHost } from '../../support/memory-host.ts'
import { SpeakerStage } from '../../support/speaker-stage.ts'
import { updateMessage } from '../../support/update-builder.ts'
import { SmallRib } from '../rib/small-rib.ts'

const MAPPING = { overlay: prefix('10.0.0.0/8'), underlay: prefix('172.16.0.0/16') }

describe('the bridge of our slice', () => {
  function kept(bridge: FanConfig['bridge'], host: MemoryHost) {
    const told: string[] = []
    const events = new Events(new FakeClock())
    events.subscribe(({ kind, text }) => void told.push(`${kind}: ${text}`))
    const devices = new MemoryDevices(host)
    const config: FanConfig = {
      ...{ ...MAPPING, learn: 'bgp', validate: 'strict' },
      ...(bridge !== undefined && { bridge }),
    }
    const keeper = new FanBridge(config, { devices, host, events })
    keeper.start()
    const links = () => [...host.links()].map(({ name, mtu }) => `${name} ${mtu}`)
    const addresses = () =>
      [...host.addresses()].map(({ address, length }) => `${address.text}/${length}`)
    return { keeper, told, links, addresses }
  }
  const hostWithAddress = () => new MemoryHost().link('eth0').address('eth0', '172.16.3.4/16')

  test('is called after it, has its first address, and room for the outer header', () => {
    const { told, links, addresses } = kept({ name: undefined }, hostWithAddress())
    expect(links()).toEqual(['eth0 1500', 'fan-10-3-4 1480'])
    expect(addresses()).toEqual(['172.16.3.4/16', '10.3.4.1/24'])
    expect(told).toEqual([
      'FanBridgeMade: fan-10-3-4 has 10.3.4.1/24; for Docker, write { "bridge": "fan-10-3-4", "mtu": 1480 } in /etc/docker/daemon.json',
    ])
  })

  test('of a name of its own may be there already', () => {
    const { links, addresses } = kept({ name: 'br0' }, hostWithAddress().link('br0'))
    expect(links()).toEqual(['eth0 1500', 'br0 1500'])
    expect(addresses()).toEqual(['172.16.3.4/16', '10.3.4.1/24'])
  })

  test('waits for an address in the underlay', () => {
    const host = new MemoryHost().link('eth0')
    const { links } = kept({ name: undefined }, host)
    expect(links()).toEqual(['eth0 1500'])
    host.address('eth0', '172.16.3.4/16').tell()
    expect(links()).toEqual(['eth0 1500', 'fan-10-3-4 1480'])
  })

  test.each([
    ['goes with us', undefined, (host: MemoryHost) => host, ['eth0']],
    [
      'stays while something is plugged into it',
      undefined,
      (host: MemoryHost) => {
        const bridge = [...host.links()].find(({ name }) => name === 'fan-10-3-4')
        return host.link('veth1', { master: bridge?.index ?? 0 })
      },
      ['eth0', 'fan-10-3-4', 'veth1'],
    ],
    ['stays when it is named', 'br0', (host: MemoryHost) => host, ['eth0', 'br0']],
  ])('%s', (_title, name, change, left) => {
    const host = hostWithAddress()
    const { keeper } = kept({ name }, host)
    change(host)
    keeper.stop(true)
    expect([...host.links()].map((it) => it.name)).toEqual(left)
  })
})

describe('hosts that nobody tells of', () => {
  test('have each their slice, as the last choice, told to nobody', () => {
    const rib = new SmallRib()
    const clock = new FakeClock()
    const mapping = { overlay: prefix('240.0.0.0/8'), underlay: prefix('10.1.2.0/29') }
    new FanHosts(mapping, 65_000, rib.rib, clock).start()
    rib.settle()
    // 8 addresses, of which the first and the last are nobody's.
    expect([...rib.forwarded]).toEqual(
      [1, 2, 3, 4, 5, 6].map((i) => [`240.${32 * i}.0.0/11`, ['fan']]),
    )
    rib.peer('a', { external: false, asn: 65_000 }).send({
      announce: ['240.32.0.0/11'],
      set: { asPath: '', nextHop: '10.1.2.1', localPref: 1 },
    })
    rib.settle()
    expect(rib.forwarded.get('240.32.0.0/11')).toEqual(['a'])
  })

  test('are worked out some at a time', () => {
    const rib = new SmallRib()
    const clock = new FakeClock()
    const mapping = { ...MAPPING, underlay: prefix('172.16.4.0/22') }
    new FanHosts(mapping, 65_000, rib.rib, clock).start()
    rib.settle()
    expect(rib.forwarded.size).toBe(511)
    clock.advance(1)
    rib.settle()
    expect(rib.forwarded.size).toBe(1022)
  })
})

test('what comes from the wrong host is refused, told once, and shown with the reason', async () => {
  const stage = await new SpeakerStage(
    [{ name: 'b', address: '10.0.0.2', asn: 65_000 }],
    {},
    'overlay: { mode: fan, fan: { overlay: 240.0.0.0/8, underlay: 10.0.0.0/24 } }',
  ).start()
  // 10.0.0.1 and 10.0.0.2 have 240.1.0.0/16 and 240.2.0.0/16.
  const announce = ['240.1.0.0/16', '240.2.0.0/16', '10.9.0.0/16']
  const set = { asPath: '', nextHop: '10.0.0.2', localPref: 100 }
  stage.peer('b').send(updateMessage({ announce, set }))
  await stage.pass()
  const rows = stage.received('b')
  expect([...rows].map(([text, { reason }]) => `${text} ${reason}`)).toEqual([
    '240.1.0.0/16 rejected by import policy: fan: it belongs to 10.0.0.1, and is told by 10.0.0.2',
    '240.2.0.0/16 best',
    '10.9.0.0/16 best',
  ])
  expect(stage.told.filter(({ kind }) => kind === 'FanRefused').map(({ text }) => text)).toEqual([
    'refused 240.1.0.0/16 by 10.0.0.2: by the address plan it belongs to 10.0.0.1; correct what 10.0.0.2 announces, or overlay.fan',
  ])
  await stage.stop()
})
