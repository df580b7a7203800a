/** /etc/network/fan in, a configuration out that linnet takes. */
import { describe, expect, test } from 'vitest'
import { formatComplaint } from '../../../../src/config/complaint.ts'
import { importFan } from '../../../../src/config/import/fan.ts'
import { configOf } from '../loading.ts'

const addressesOn = (link: string): string[] => (link === 'eth0' ? ['172.16.3.4/20'] : [])
const imported = (text: string) => importFan({ name: 'fan', text }, addressesOn)

/** The overlay as the daemon would take it, and what was told. */
function taken(text: string) {
  const it = imported(text)
  if (!('yaml' in it)) throw new Error(it.complaints.map(formatComplaint).join('\n'))
  const { overlay, nat } = configOf(it.yaml)
  const fan = overlay?.fan
  return {
    mapping: `${fan?.overlay.text} ${fan?.underlay.text}`,
    learn: fan?.learn,
    bridge: fan?.bridge?.name ?? 'after the slice',
    pools: nat?.pools.map((pool) => pool.text),
    told: it.told.map(formatComplaint),
  }
}

const PLAIN = {
  mapping: '10.0.0.0/8 172.16.0.0/16',
  ...{ learn: 'static', bridge: 'after the slice', pools: ['10.0.0.0/8'], told: [] },
}

describe('is carried over', () => {
  test.each([
    ['an address of the underlay', '10.0.0.0/8 172.16.3.4/16\n', PLAIN],
    ['the link that has it', '10.0.0.0/8\teth0/16', PLAIN],
    ['behind comments, and what is off', '# a\n\n10.0.0.0/8 lo/16 off\n10.0.0.0/8 eth0/16', PLAIN],
    [
      'another length, and an overlay of class E',
      '250.0.0.0/8 172.16.3.4/20',
      { ...PLAIN, mapping: '250.0.0.0/8 172.16.0.0/20', pools: ['250.0.0.0/8'] },
    ],
    [
      'a bridge by name',
      '10.0.0.0/8 172.16.3.4/16 bridge br0 host-reserve 1',
      { ...PLAIN, bridge: 'br0' },
    ],
    ['its usual name', '10.0.0.0/8 172.16.3.4/16 bridge fan-10-3-4', PLAIN],
  ])('%s', (_title, text, expected) => {
    expect(taken(text)).toEqual(expected)
  })

  test.each([
    ['dhcp', 'fan:1:26: warning: dhcp: linnet serves no DHCP; '],
    ['debug', 'fan:1:26: warning: debug: linnet has levels for its log; '],
    [
      'host-reserve 9',
      'fan:1:26: warning: host-reserve: linnet gives the bridge one address of the slice; keep the first 9 from Docker with --ip-range',
    ],
  ])('and what is not is told: %s', (words, told) => {
    const { told: lines, ...rest } = taken(`10.0.0.0/8 172.16.3.4/16 ${words}`)
    expect({ ...rest, told: [] }).toEqual(PLAIN)
    expect(lines).toEqual([expect.stringContaining(told)])
  })

  test('of several slices the first', () => {
    const { told, ...rest } = taken('10.0.0.0/8 172.16.3.4/16\n250.0.0.0/8 172.16.3.4/16\n')
    expect({ ...rest, told: [] }).toEqual(PLAIN)
    expect(told).toEqual([expect.stringMatching(/^fan:2:1: warning: 250.0.0.0\/8: linnet has one/)])
  })
})

describe('is refused, with its place:', () => {
  test.each([
    ['', 'fan: there is no slice in it that is on; write 10.0.0.0/8 172.16.3.4/16'],
    ['10.0.0.0/8 172.16.3.4/16 off', 'fan: there is no slice in it that is on; '],
    ['10.0.0.1/8 172.16.3.4/16', 'fan:1:1: 10.0.0.1/8: this is no overlay; '],
    ['10.0.0.0/8', 'fan:1:1: 10.0.0.0/8: the underlay is missing; '],
    ['10.0.0.0/8 eth9/16', 'fan:1:12: eth9/16: there is no IPv4 address on eth9 here; '],
    ['10.0.0.0/8 default', 'fan:1:12: default: the link of the default route is not looked up'],
    ['10.0.0.0/8 nonsense', 'fan:1:12: nonsense: this is no underlay; '],
    ['10.0.0.0/24 172.16.3.4/16', 'fan:1:1: 10.0.0.0/24: 10.0.0.0/24 has no room for the hosts'],
    ['10.0.0.0/8 172.16.3.4/16 bridge', 'fan:1:26: bridge: its value is missing; '],
    ['10.0.0.0/8 172.16.3.4/16 brdige br0', 'fan:1:26: brdige: fanctl knows no such word; '],
  ])('%j', (text, complaint) => {
    const it = imported(text)
    const lines = 'complaints' in it ? it.complaints.map(formatComplaint) : []
    expect(lines[0]).toContain(complaint)
  })
})
