import { describe, expect, test } from 'vitest'
import { address } from '../../../src/net/address.ts'
import { InterfaceSource } from '../../../src/sources/interface.ts'
import { MemoryHost } from '../../support/memory-host.ts'

const SCOPE_LINK = 253
const SCOPE_HOST = 254

/** A source over a host, and what it says: `+172.17.0.0/16 docker0`, `-172.17.0.0/16`. */
function watch(patterns: readonly string[], host: MemoryHost) {
  const said: string[] = []
  const source = new InterfaceSource(patterns, host)
  source.start({
    offer: (it) => said.push(`+${it.prefix.text} ${it.interface}`),
    retract: (prefix) => said.push(`-${prefix.text}`),
  })
  return { source, take: () => said.splice(0) }
}

const docker0 = (): MemoryHost =>
  new MemoryHost().link('docker0').address('docker0', '172.17.0.1/16')

describe('what a host has', () => {
  const found: readonly { title: string; host: MemoryHost; offered: string[] }[] = [
    { title: 'docker0', host: docker0(), offered: ['+172.17.0.0/16 docker0'] },
    {
      title: 'both families, and several networks on one bridge',
      host: docker0().address('docker0', '2001:db8:7::1/64').address('docker0', '10.1.0.1/24'),
      offered: ['+172.17.0.0/16 docker0', '+2001:db8:7::/64 docker0', '+10.1.0.0/24 docker0'],
    },
    {
      title: 'two addresses in one network are one prefix',
      host: docker0().address('docker0', '172.17.0.9/16'),
      offered: ['+172.17.0.0/16 docker0'],
    },
    {
      title: 'a bridge by pattern, but no other link',
      host: docker0()
        .link('br-1')
        .address('br-1', '10.2.0.1/24')
        .link('eth0')
        .address('eth0', '10.0.1.2/24'),
      offered: ['+172.17.0.0/16 docker0', '+10.2.0.0/24 br-1'],
    },
    {
      title: 'a bridge without containers has no carrier, and counts',
      host: docker0().link('docker0', { carrier: false }),
      offered: ['+172.17.0.0/16 docker0'],
    },
    { title: 'switched off', host: docker0().link('docker0', { up: false }), offered: [] },
    { title: 'the loopback', host: docker0().link('docker0', { loopback: true }), offered: [] },
    {
      title: 'link-local addresses, and those of smaller scope',
      host: new MemoryHost()
        .link('docker0')
        .address('docker0', 'fe80::1/64', { scope: SCOPE_LINK })
        .address('docker0', '169.254.0.1/16', { scope: SCOPE_LINK })
        .address('docker0', '10.3.0.1/24', { scope: SCOPE_HOST }),
      offered: [],
    },
    {
      title: 'the far end of a point-to-point link is not our network',
      host: new MemoryHost()
        .link('br-vpn')
        .address('br-vpn', '10.9.0.1/32', { peer: address('10.9.0.2') }),
      offered: [],
    },
    {
      title: 'a host address',
      host: new MemoryHost().link('docker0').address('docker0', '10.9.0.1/32'),
      offered: ['+10.9.0.1/32 docker0'],
    },
    {
      title: 'an IPv6 address that may turn out to be taken',
      host: new MemoryHost()
        .link('docker0')
        .address('docker0', '2001:db8::1/64', { tentative: true }),
      offered: [],
    },
    {
      title: 'without a carrier nobody can say whether it is taken',
      host: new MemoryHost()
        .link('docker0', { carrier: false })
        .address('docker0', '2001:db8::1/64', { tentative: true }),
      offered: ['+2001:db8::/64 docker0'],
    },
    { title: 'nothing', host: new MemoryHost(), offered: [] },
  ]

  test.each(found)('$title', ({ host, offered }) => {
    expect(watch(['docker0', 'br-*'], host).take()).toEqual(offered)
  })
})

describe('what happens to it', () => {
  const changes: readonly {
    title: string
    change: (host: MemoryHost) => MemoryHost
    said: string[]
  }[] = [
    {
      title: 'a new bridge',
      change: (host) => host.link('br-2').address('br-2', '10.2.0.1/24'),
      said: ['+10.2.0.0/24 br-2'],
    },
    {
      title: 'docker0 vanishes',
      change: (host) => host.unlink('docker0'),
      said: ['-172.17.0.0/16'],
    },
    {
      title: 'it loses its address',
      change: (host) => host.unaddress('docker0', '172.17.0.1/16'),
      said: ['-172.17.0.0/16'],
    },
    {
      title: 'it gets another address',
      change: (host) =>
        host.unaddress('docker0', '172.17.0.1/16').address('docker0', '10.7.0.1/24'),
      said: ['-172.17.0.0/16', '+10.7.0.0/24 docker0'],
    },
    {
      title: 'another address in the same network',
      change: (host) =>
        host.unaddress('docker0', '172.17.0.1/16').address('docker0', '172.17.0.2/16'),
      said: [],
    },
    {
      title: 'switched off',
      change: (host) => host.link('docker0', { up: false }),
      said: ['-172.17.0.0/16'],
    },
    {
      title: 'the last container ends',
      change: (host) => host.link('docker0', { carrier: false }),
      said: [],
    },
    {
      title: 'a new name',
      change: (host) => host.link('docker0', { name: 'other0' }),
      said: ['-172.17.0.0/16'],
    },
    {
      title: 'the network moves to another bridge',
      change: (host) => host.unlink('docker0').link('br-2').address('br-2', '172.17.0.1/16'),
      said: ['+172.17.0.0/16 br-2'],
    },
    {
      title: 'something elsewhere',
      change: (host) => host.link('eth0').address('eth0', '10.0.1.2/24'),
      said: [],
    },
  ]

  test.each(changes)('$title', ({ change, said }) => {
    const host = docker0()
    const { take } = watch(['docker0', 'br-*'], host)
    take()
    change(host).tell()
    expect(take()).toEqual(said)
    host.tell()
    expect(take(), 'told twice').toEqual([])
  })

  test('the first container of a bridge makes its IPv6 address tentative: the prefix stays', () => {
    const host = new MemoryHost().link('docker0', { carrier: false })
    host.address('docker0', '2001:db8::1/64', { tentative: true })
    const { take } = watch(['docker0'], host)
    expect(take()).toEqual(['+2001:db8::/64 docker0'])
    host.link('docker0', { carrier: true }).tell()
    expect(take()).toEqual([])
    host.address('docker0', '2001:db8::1/64', { tentative: false }).tell()
    expect(take()).toEqual([])
  })

  test('down and up again, it is offered again', () => {
    const host = docker0()
    const { take } = watch(['docker0'], host)
    host.link('docker0', { up: false }).tell()
    host.link('docker0', { up: true }).tell()
    expect(take()).toEqual(['+172.17.0.0/16 docker0', '-172.17.0.0/16', '+172.17.0.0/16 docker0'])
  })

  test('stopped, it takes everything back and listens no more', () => {
    const host = docker0()
    const { source, take } = watch(['docker0', 'br-*'], host)
    take()
    source.stop()
    expect(take()).toEqual(['-172.17.0.0/16'])
    expect(host.listeners).toBe(0)
    host.link('br-2').address('br-2', '10.2.0.1/24').tell()
    expect(take()).toEqual([])
  })
})
