import { expect, test } from 'vitest'
import { prefix } from '../../../src/net/prefix.ts'
import { FanSource } from '../../../src/sources/fan.ts'
import { MemoryHost } from '../../support/memory-host.ts'

const MAPPING = { overlay: prefix('10.0.0.0/8'), underlay: prefix('172.16.0.0/16') }

function watch(host: MemoryHost, bridge?: string) {
  const said: string[] = []
  const source = new FanSource(MAPPING, host, bridge)
  source.start({
    offer: (it) => said.push(`+${it.prefix.text} ${it.source} ${it.interface} ${it.blackhole}`),
    retract: (it) => said.push(`-${it.text}`),
  })
  return { source, take: () => said.splice(0) }
}

test.each([
  { title: 'no address in the underlay', addresses: ['192.168.1.1/24'], offered: [] },
  {
    title: 'the address of the host',
    addresses: ['172.16.3.4/16'],
    offered: ['+10.3.4.0/24 fan fan-10-3-4 true'],
  },
  {
    title: 'the length of its network means nothing',
    addresses: ['192.168.1.1/24', '172.16.3.4/32'],
    offered: ['+10.3.4.0/24 fan fan-10-3-4 true'],
  },
  {
    title: 'the lowest of two',
    addresses: ['172.16.3.40/16', '172.16.3.4/16', '172.16.9.1/16'],
    offered: ['+10.3.4.0/24 fan fan-10-3-4 true'],
  },
])('offers the slice of the host: $title', ({ addresses, offered }) => {
  const host = new MemoryHost().link('eth0')
  for (const it of addresses) host.address('eth0', it)
  expect(watch(host).take()).toEqual(offered)
})

test('follows the address, and says where the slice is', () => {
  const host = new MemoryHost().link('eth0').address('eth0', '172.16.3.4/16')
  const { source, take } = watch(host, 'br-fan')
  expect(take()).toEqual(['+10.3.4.0/24 fan br-fan true'])
  host.address('eth0', '172.16.3.3/16').tell()
  expect(take()).toEqual(['+10.3.3.0/24 fan br-fan true', '-10.3.4.0/24'])
  host.tell()
  expect(take()).toEqual([])
  source.stop()
  expect(take()).toEqual(['-10.3.3.0/24'])
})
