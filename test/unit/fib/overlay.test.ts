import { describe, expect, test } from 'vitest'
import { DATAPLANES } from '../../../src/fib/dataplanes/index.ts'
import type { OverlayOptions } from '../../../src/fib/dataplanes/dataplane.ts'
import { Overlay } from '../../../src/fib/dataplanes/overlay.ts'
import { forwardingText } from '../../../src/fib/forwarding.ts'
import { address, wordsOf } from '../../../src/net/address.ts'
import { FAMILIES } from '../../../src/net/family.ts'
import { prefix } from '../../../src/net/prefix.ts'
import { PrefixTable } from '../../../src/rib/prefix-table.ts'

const OPTIONS: OverlayOptions = {
  mode: 'ipip',
  when: 'always',
  prefixes: [prefix('10.244.0.0/16')],
  acceptFrom: [],
  vxlan: { vni: 10, port: 4790, gpe: true },
}
const TUNNEL = 9

/** How `nextHop` is reached when the kernel reaches it by `gateways`: `10.0.1.1@2`. */
function ways(
  more: Partial<OverlayOptions>,
  nextHop: string,
  gateways: string,
  { onLink = false, open = true } = {},
): string {
  const overlay = new Overlay({ ...OPTIONS, ...more })
  overlay.use(open ? TUNNEL : undefined)
  const found = gateways === '' ? [] : gateways.split(' ').map((it) => it.split('@'))
  const resolution = {
    gateways: found.map(([via = '', link]) => ({ via: address(via), link: Number(link) })),
    onLink,
  }
  const hops = overlay.waysTo({ address: address(nextHop), resolution })
  return forwardingText({ kind: 'gateways', hops })
}

describe('the way to a next hop', () => {
  const wrapped = 'via 10.0.2.1 link 9 onlink encap 0 10.0.2.1'
  const plain = 'via 10.0.1.1 link 2'
  test.each<[string, string, string]>([
    ['beyond a router is the tunnel', ways({}, '10.0.2.1', '10.0.1.1@2'), wrapped],
    [
      'is one, however many gateways lead there',
      ways({}, '10.0.2.1', '10.0.1.1@2 10.0.3.1@3'),
      wrapped,
    ],
    ['on a link too', ways({}, '10.0.2.1', '10.0.2.1@2', { onLink: true }), wrapped],
    [
      'on a link is the link with crossSubnet',
      ways({ when: 'crossSubnet' }, '10.0.1.1', '10.0.1.1@2', { onLink: true }),
      plain,
    ],
    [
      'beyond a router is the tunnel with crossSubnet',
      ways({ when: 'crossSubnet' }, '10.0.2.1', '10.0.1.1@2'),
      wrapped,
    ],
    [
      "through somebody else's device names the far end as gateway alone",
      ways({ device: 'tunl0' }, '10.0.2.1', '10.0.1.1@2'),
      'via 10.0.2.1 link 9 onlink',
    ],
    [
      'in VXLAN has the network identifier',
      ways({ mode: 'vxlan' }, '10.0.2.1', '10.0.1.1@2'),
      'via 10.0.2.1 link 9 onlink encap 10 10.0.2.1',
    ],
    ['that is unreachable is none', ways({}, '10.0.2.1', ''), ''],
    ['without a device is none', ways({}, '10.0.2.1', '10.0.1.1@2', { open: false }), ''],
    ['of IPv6 is none', ways({}, '2001:db8::1', '2001:db8::1@2'), ''],
    ['that lies inside the overlay itself is none', ways({}, '10.244.9.9', '10.0.1.1@2'), ''],
  ])('%s', (_, found, wanted) => {
    expect(found).toBe(wanted)
  })
})

test.each([
  ['10.244.0.0/16', true],
  ['10.244.7.0/26', true],
  ['10.0.0.0/8', false],
  ['10.245.0.0/24', false],
] as const)('%s is carried: %s', (text, carried) => {
  const prefixes = new PrefixTable(FAMILIES[0])
  const { bytes, length } = prefix(text)
  const id = prefixes.intern(wordsOf(bytes), 0, length)
  expect(new Overlay(OPTIONS).carries(0, prefixes, id)).toBe(carried)
  expect(new Overlay(OPTIONS).carries(1, prefixes, id)).toBe(false)
})

test('each dataplane has a name and a device of its own, and says what it costs', () => {
  const facts = DATAPLANES.map((it) => [it.mode, it.deviceName, it.overheadBytes(OPTIONS)])
  expect(facts).toEqual([
    ['ipip', 'linnet-ipip', 20],
    ['vxlan', 'linnet-vxlan', 36],
    ['fan', 'linnet-fan', 20],
  ])
  const ethernet = { ...OPTIONS, vxlan: { ...OPTIONS.vxlan, gpe: false } }
  expect(DATAPLANES[1]?.overheadBytes(ethernet)).toBe(50)
})
