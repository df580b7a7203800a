import { describe, expect, test } from 'vitest'
import {
  anyIpv4,
  networkAround,
  networksOf,
  nextHopBeside,
  ownAddresses,
} from '../../../src/daemon/host-addresses.ts'
import { address } from '../../../src/net/address.ts'
import type { Family } from '../../../src/net/family.ts'
import { MemoryHost } from '../../support/memory-host.ts'

/** Links get their indexes in order: lo 1, eth0 2, eth1 3, docker0 4. */
const host = (): MemoryHost =>
  new MemoryHost()
    .link('lo', { loopback: true })
    .address('lo', '127.0.0.1/8', { scope: 254 })
    .address('lo', '10.255.0.1/32')
    .link('eth0')
    .address('eth0', '10.0.1.2/30')
    .address('eth0', '2001:db8:1::2/64')
    .address('eth0', 'fe80::2/64', { scope: 253 })
    .link('eth1')
    .address('eth1', '10.0.2.2/30')
    .address('eth1', 'fe80::2/64', { scope: 253 })
    .address('eth1', '2001:db8:2::2/64', { tentative: true })
    .link('docker0')
    .address('docker0', '172.17.0.1/16')

describe('our address beside that of a session', () => {
  const cases: readonly [
    what: string,
    local: string,
    family: Family,
    beside: string | undefined,
    link: number,
  ][] = [
    ['of the same family: itself', '10.0.1.2', 'ipv4', '10.0.1.2', 2],
    ['of the other family: that of the link', '10.0.1.2', 'ipv6', '2001:db8:1::2', 2],
    ['the other way round', '2001:db8:1::2', 'ipv4', '10.0.1.2', 2],
    ['not one that is not usable yet', '10.0.2.2', 'ipv6', undefined, 3],
    ['none on a link that has none', '172.17.0.1', 'ipv6', undefined, 4],
    ['on the loopback', '10.255.0.1', 'ipv4', '10.255.0.1', 1],
    ['of an address that is not ours any more', '192.0.2.1', 'ipv4', '192.0.2.1', 0],
    ['and of the other family none', '192.0.2.1', 'ipv6', undefined, 0],
    ['link-local: the global one of the link', 'fe80::2%eth0', 'ipv6', '2001:db8:1::2', 2],
    ['link-local: itself where there is no global one', 'fe80::2%eth1', 'ipv6', 'fe80::2%eth1', 3],
    ['link-local: IPv4 of the link that the zone names', 'fe80::2%eth1', 'ipv4', '10.0.2.2', 3],
    ['link-local: the zone may be a number', 'fe80::2%3', 'ipv4', '10.0.2.2', 3],
  ]
  test.each(cases)('%s', (_, local, family, beside, link) => {
    const found = nextHopBeside(host(), address(local), family, false)
    expect([found.address?.text, found.link]).toEqual([beside, link])
  })

  const extended: readonly [what: string, local: string, told: string][] = [
    ['an IPv6 session: its address', '2001:db8:1::2', '2001:db8:1::2'],
    ['an IPv4 session: its address', '10.0.1.2', '10.0.1.2'],
    ['link-local: with the global one of the link', 'fe80::2%eth0', '2001:db8:1::2 fe80::2%eth0'],
    ['link-local: alone', 'fe80::2%eth1', 'fe80::2%eth1'],
  ]
  test.each(extended)('for IPv4 with IPv6 next hops, %s', (_, local, told) => {
    const { address: first, linkLocal } = nextHopBeside(host(), address(local), 'ipv4', true)
    const texts = [first?.text, linkLocal?.text].filter((text) => text !== undefined)
    expect(texts.join(' ')).toBe(told)
  })

  test('a host address of the link is no network that the peer shares', () => {
    const it = host().address('eth1', '2001:db8::9/128')
    expect(nextHopBeside(it, address('fe80::2%eth1'), 'ipv6', false)).toEqual({
      address: address('fe80::2%eth1'),
      link: 3,
    })
  })
})

test.each([
  ['10.0.1.1', '10.0.1.0/30'],
  ['10.0.1.5', undefined],
  ['172.17.9.9', '172.17.0.0/16'],
  ['2001:db8:1::1', '2001:db8:1::/64'],
  ['fe80::1%eth0', undefined],
])('the network of ours around %s is %s', (text, network) => {
  expect(networkAround(networksOf(host()), address(text))?.text).toBe(network)
})

test('all our addresses', () => {
  expect(ownAddresses(host()).map(({ text }) => text)).toEqual(
    expect.arrayContaining(['127.0.0.1', '10.0.1.2', 'fe80::2', '2001:db8:2::2']),
  )
})

describe('any IPv4 address of ours', () => {
  test('is the lowest on any link but the loopback', () => {
    expect(anyIpv4(host())?.text).toBe('10.0.1.2')
  })

  test('on a link: the lowest there, by number and not by text', () => {
    const it = host().address('docker0', '9.0.0.1/8').address('docker0', '100.0.0.1/8')
    expect(anyIpv4(it, 4)?.text).toBe('9.0.0.1')
    expect(anyIpv4(it, 3)?.text).toBe('10.0.2.2')
  })

  test('there may be none', () => {
    expect(anyIpv4(new MemoryHost())).toBeUndefined()
    expect(anyIpv4(host(), 9)).toBeUndefined()
  })
})
