import { describe, expect, test } from 'vitest'
import { HostRouteSource } from '../../../src/sources/host-routes.ts'
import { MemoryHost } from '../../support/memory-host.ts'

/** A source over a host, and what it says: `+10.1.0.5/32 cali1`, `-10.1.0.5/32`. */
function watch(host: MemoryHost) {
  const said: string[] = []
  const source = new HostRouteSource(['cali*'], host)
  source.start({
    offer: (it) => said.push(`+${it.prefix.text} ${it.interface}`),
    retract: (prefix) => said.push(`-${prefix.text}`),
  })
  return { source, take: () => said.splice(0) }
}

const calico = (): MemoryHost => new MemoryHost().link('cali1').route('cali1', '10.1.0.5/32')

/** The numbers of RTPROT_* that programs mark their routes with. */
const WRITERS: readonly (readonly [name: string, number: number, offered: boolean])[] = [
  ['an ICMP redirect', 1, false],
  ['the kernel, for a point-to-point address', 2, true],
  ['whoever says nothing', 3, true],
  ['the administrator', 4, true],
  ['a router advertisement', 9, false],
  ['zebra', 11, false],
  ['BIRD', 12, false],
  ['a DHCP client', 16, false],
  ['keepalived', 18, false],
  ['babeld', 42, false],
  ['Calico with a number of its own', 80, true],
  ["FRR's bgpd", 186, false],
  ["FRR's ospfd", 188, false],
  ['anybody else', 250, true],
]

describe('a route to a container is offered, depending on who wrote it', () => {
  test.each(WRITERS)('%s', (_, protocol, offered) => {
    const host = new MemoryHost().link('cali1').route('cali1', '10.1.0.5/32', protocol)
    expect(watch(host).take()).toEqual(offered ? ['+10.1.0.5/32 cali1'] : [])
  })
})

describe('what a host has', () => {
  const found: readonly { title: string; host: MemoryHost; offered: string[] }[] = [
    {
      title: 'both families',
      host: calico().route('cali1', 'fd00::5/128'),
      offered: ['+10.1.0.5/32 cali1', '+fd00::5/128 cali1'],
    },
    { title: 'no link that matches', host: calico().link('cali1', { name: 'eth1' }), offered: [] },
    { title: 'switched off', host: calico().link('cali1', { up: false }), offered: [] },
    {
      title: 'nobody at the far end',
      host: calico().link('cali1', { carrier: false }),
      offered: [],
    },
    { title: 'the loopback', host: calico().link('cali1', { loopback: true }), offered: [] },
    {
      title: 'our own address, which IPv6 routes too',
      host: new MemoryHost()
        .link('cali1')
        .address('cali1', 'fd00::1/128')
        .route('cali1', 'fd00::1/128', 2),
      offered: [],
    },
  ]
  test.each(found)('$title', ({ host, offered }) => {
    expect(watch(host).take()).toEqual(offered)
  })
})

describe('what changes', () => {
  const changes: readonly {
    title: string
    change: (host: MemoryHost) => MemoryHost
    said: string[]
  }[] = [
    {
      title: 'a container more',
      change: (host) => host.link('cali2').route('cali2', '10.1.0.6/32'),
      said: ['+10.1.0.6/32 cali2'],
    },
    {
      title: 'its route goes',
      change: (host) => host.unroute('10.1.0.5/32'),
      said: ['-10.1.0.5/32'],
    },
    {
      title: 'its end goes down',
      change: (host) => host.link('cali1', { carrier: false }),
      said: ['-10.1.0.5/32'],
    },
    {
      title: 'the address moves to another container',
      change: (host) => host.link('cali2').route('cali2', '10.1.0.5/32'),
      said: ['+10.1.0.5/32 cali2'],
    },
    {
      title: 'the address moves to a link that is none of a container',
      change: (host) => host.link('eth1').route('eth1', '10.1.0.5/32'),
      said: ['-10.1.0.5/32'],
    },
  ]
  test.each(changes)('$title', ({ change, said }) => {
    const host = calico()
    const { take } = watch(host)
    take()
    change(host).tell()
    expect(take()).toEqual(said)
    host.tell()
    expect(take(), 'told twice').toEqual([])
  })

  test('stopped, it takes everything back and listens no more', () => {
    const host = calico()
    const { source, take } = watch(host)
    take()
    source.stop()
    expect(take()).toEqual(['-10.1.0.5/32'])
    expect(host.listeners).toBe(0)
  })
})
