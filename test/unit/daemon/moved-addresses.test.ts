import { describe, expect, test } from 'vitest'
import { MovedAddresses } from '../../../src/daemon/moved-addresses.ts'
import type { KernelTarget } from '../../../src/fib/kernel.ts'
import { wordsOf } from '../../../src/net/address.ts'
import { prefix as prefixFrom } from '../../../src/net/prefix.ts'
import { MemoryHost } from '../../support/memory-host.ts'

/** br0 is the first link, eth0 the second. */
const host = (): MemoryHost =>
  new MemoryHost()
    .link('br0')
    .address('br0', '10.1.0.1/24')
    .link('eth0')
    .address('eth0', '10.0.1.1/31')

const BR0 = 1
const ETH0 = 2
const VIA_ETH0: KernelTarget = { kind: 'gateways', hops: [{ link: ETH0 }] }

const cases: readonly {
  title: string
  prefix?: string
  state?: 'installed' | 'failed'
  target?: KernelTarget
  host?: MemoryHost
  told: readonly string[]
}[] = [
  { title: 'an address of the bridge that is elsewhere', told: ['10.1.0.5 on br0'] },
  { title: 'an address of no network of ours', prefix: '10.2.0.5/32', told: [] },
  { title: 'a network', prefix: '10.1.0.4/31', told: [] },
  { title: 'a route that the kernel has refused', state: 'failed', told: [] },
  { title: 'a blackhole', target: { kind: 'blackhole' }, told: [] },
  {
    title: 'a way that leads over the bridge itself',
    target: { kind: 'gateways', hops: [{ link: BR0 }] },
    told: [],
  },
  { title: 'a link for two has no neighbours', prefix: '10.0.1.0/32', told: [] },
  { title: 'a bridge that is down', host: host().link('br0', { up: false }), told: [] },
  {
    title: 'two addresses of one network are one',
    host: host().address('br0', '10.1.0.2/24'),
    told: ['10.1.0.5 on br0'],
  },
]

describe('who is told when a route is settled', () => {
  test.each(cases)('$title', (it) => {
    const { prefix = '10.1.0.5/32', state = 'installed', target = VIA_ETH0, told } = it
    const { bytes, length } = prefixFrom(prefix)
    const said: string[] = []
    const moved = new MovedAddresses(
      { length: () => length, word: () => wordsOf(bytes)[0] },
      { fib: { stateOf: () => state, wanted: () => 7 }, targets: { get: () => ({ target }) } },
      it.host ?? host(),
      (link, { text }) => said.push(`${text} on ${link}`),
    )
    moved.settled(1)
    expect(said).toEqual(told)
  })
})
