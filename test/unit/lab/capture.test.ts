import { describe, expect, test } from 'vitest'
import { encodePcap } from '../../../src/lab/pcap.ts'
import { sightingIn, type Sighting } from '../../../src/lab/capture.ts'
import { echo, echoReply, ethernet, icmpError, ipv4, ipv6, udp } from './frames.ts'

const A = '172.18.1.2'
const B = '172.18.2.2'
const inner = ipv4({ from: A, to: B }, echo(7))
const tunnel = { from: '10.0.0.1', to: '10.0.0.2', ttl: 64 }

const frames: { title: string; frame: Uint8Array; seen: Partial<Sighting> | undefined }[] = [
  {
    title: 'a plain probe',
    frame: ethernet(inner),
    seen: {
      pair: 7,
      kind: 'request',
      wrapping: undefined,
      outer: { source: A, destination: B, protocol: 1, ttl: 61 },
    },
  },
  {
    title: 'its answer',
    frame: ethernet(ipv4({ from: B, to: A }, echoReply(7))),
    seen: { pair: 7, kind: 'reply', wrapping: undefined },
  },
  {
    title: 'a probe in IP-in-IP',
    frame: ethernet(ipv4({ ...tunnel, protocol: 4 }, inner)),
    seen: {
      kind: 'request',
      wrapping: 'IP-in-IP (protocol 4)',
      outer: { source: '10.0.0.1', destination: '10.0.0.2', protocol: 4, ttl: 64 },
      inner: { source: A, destination: B },
    },
  },
  {
    title: 'a probe in GRE',
    frame: ethernet(ipv4({ ...tunnel, protocol: 47 }, Uint8Array.of(0, 0, 8, 0, ...inner))),
    seen: { wrapping: 'GRE (protocol 47)' },
  },
  {
    title: 'a probe in VXLAN',
    frame: ethernet(
      ipv4(
        { ...tunnel, protocol: 17 },
        udp(4789, Uint8Array.of(8, 0, 0, 0, 0, 0, 99, 0, ...ethernet(inner))),
      ),
    ),
    seen: { wrapping: 'VXLAN (UDP port 4789)', inner: { source: A, destination: B } },
  },
  {
    title: 'a probe in some UDP',
    frame: ethernet(ipv4({ ...tunnel, protocol: 17 }, udp(999, inner))),
    seen: { wrapping: 'UDP port 999' },
  },
  {
    title: 'a probe in IPv6',
    frame: ethernet(ipv6({ from: 'fd00::1', to: 'fd00::2' }, inner), 0x86dd),
    seen: {
      wrapping: 'IP-in-IP (protocol 4)',
      outer: { source: 'fd00::1', destination: 'fd00::2', protocol: 4, ttl: 61 },
    },
  },
  {
    title: 'a probe under an MPLS label',
    frame: ethernet(Uint8Array.of(0, 1, 1, 64, ...inner), 0x8847),
    seen: { wrapping: 'MPLS', outer: undefined },
  },
  {
    title: 'a probe in a VLAN',
    frame: ethernet(Uint8Array.of(0, 5, 8, 0, ...inner), 0x8100),
    seen: { wrapping: 'a VLAN' },
  },
  {
    title: 'a probe quoted by an error is none',
    frame: ethernet(ipv4({ from: '10.1.1.1', to: A }, icmpError(11, 0, inner))),
    seen: undefined,
  },
  {
    title: 'other traffic',
    frame: ethernet(ipv4({ from: A, to: B }, new Uint8Array(64))),
    seen: undefined,
  },
  { title: 'a frame that is cut short', frame: ethernet(inner).subarray(0, 45), seen: undefined },
  { title: 'no bytes at all', frame: new Uint8Array(0), seen: undefined },
  { title: 'the mark alone', frame: echo(3).subarray(8), seen: undefined },
]

describe('what a frame says', () => {
  test.each(frames)('$title', ({ frame, seen }) => {
    const sighting = sightingIn(frame, 'tor1:eth1')
    if (seen === undefined) expect(sighting).toBeUndefined()
    else expect(sighting).toMatchObject({ at: 'tor1:eth1', ...seen })
  })
})

test('a pcap file has the frames in the order of their time', () => {
  const file = encodePcap([
    { bytes: Uint8Array.of(2, 2), seconds: 5, nanoseconds: 7 },
    { bytes: Uint8Array.of(1), seconds: 5, nanoseconds: 6 },
  ])
  const hex = [...file].map((it) => it.toString(16).padStart(2, '0')).join('')
  expect(hex).toBe(
    'a1b23c4d000200040000000000000000' +
      '0000ffff00000001' +
      '000000050000000600000001' +
      '0000000101' +
      '000000050000000700000002' +
      '000000020202',
  )
})

test('a pcap file of nothing is a header', () => expect(encodePcap([])).toHaveLength(24))
