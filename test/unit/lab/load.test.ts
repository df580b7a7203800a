import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { loadLab } from '../../../src/lab/load.ts'
import { containerNamed, nodeNamed, ownerOf } from '../../../src/lab/topology.ts'
import { SMALL, load, smallLab } from './small-lab.ts'

/** SMALL with one thing changed, and the complaint that must come of it. */
const mistakes: { title: string; change: [string, string]; says: string }[] = [
  {
    title: 'a key that does not exist',
    change: ['name: small', 'name: small\nnods: {}'],
    says: 'lab.yaml:3:1: nods: unknown key; did you mean nodes?',
  },
  {
    title: 'a kind that does not exist',
    change: ['kind: bird', 'kind: brid'],
    says: 'lab.yaml:11:11: nodes.host2.kind: brid is not tor, linnet, frr, bird or host; write bird',
  },
  {
    title: 'an AS number of zero',
    change: ['asn: 65102', 'asn: 0'],
    says: 'lab.yaml:12:10: nodes.host2.asn: 0 is not an AS number; write 1..4294967295',
  },
  {
    title: 'a mistake inside the configuration of a daemon',
    change: ['asn: 65101', 'asn: AS65101'],
    says: 'lab.yaml:7:20: asn: AS65101 is text, not an AS number; write 65101',
  },
  {
    title: 'a link to a node that is not there',
    change: ["['tor1:eth2'", "['tor2:eth2'"],
    says: 'lab.yaml:17:19: links[1].endpoints[0]: there is no node tor2; did you mean tor1?',
  },
  {
    title: 'an interface with two cables',
    change: ["'tor1:eth2'", "'tor1:eth1'"],
    says: 'lab.yaml:17:19: links[1].endpoints[0]: tor1:eth1 is on a link already; use another interface',
  },
  {
    title: 'an address too few',
    change: ['[10.1.2.1/30, 10.1.2.2/30]', '[10.1.2.1/30]'],
    says: 'lab.yaml:17:58: links[1].addresses: 2 ends, 1 addresses; write an address for each end',
  },
  {
    title: 'two ends on different networks',
    change: ['10.1.2.2/30', '10.1.3.2/30'],
    says: 'lab.yaml:17:72: links[1].addresses[1]: 10.1.3.2/30 is not on 10.1.2.0/30; write an address on the same network',
  },
  {
    title: 'an address without a length',
    change: ['10.1.2.1/30', '10.1.2.1'],
    says: 'lab.yaml:17:59: links[1].addresses[0]: 10.1.2.1 is not an address on a network; write an address and a length, such as 10.0.1.1/30',
  },
  {
    title: 'an address that is used twice',
    change: ['address: 172.18.2.2', 'address: 172.18.2.1'],
    says: "lab.yaml:14:51: nodes.host2.containers.c1.address: 172.18.2.1 is host2:docker0's already; write another address",
  },
  {
    title: 'Docker on a ToR',
    change: ['kind: tor,', 'kind: tor, runtime: docker,'],
    says: 'lab.yaml:4:22: nodes.tor1.runtime: no containers run on a router; remove it, or write kind: linnet',
  },
  {
    title: 'Docker with a bridge of IPv6',
    change: [
      'bridges: { docker0: 172.18.2.1/24 }',
      'runtime: docker\n    bridges: { docker0: 172.18.2.1/24, br6: "fd00::1/64" }',
    ],
    says: 'lab.yaml:14:45: nodes.host2.bridges.br6: fd00::1/64: networks of Docker are IPv4 here; write an IPv4 address',
  },
  {
    title: 'a container off its bridge',
    change: ['address: 172.18.2.2', 'address: 172.18.3.2'],
    says: 'lab.yaml:14:51: nodes.host2.containers.c1.address: 172.18.3.2 is not on docker0 (172.18.2.0/24); write an address on the network of its bridge',
  },
  {
    title: 'a container on no bridge',
    change: [
      '{ c1: { bridge: docker0, address: 172.18.2.2',
      '{ c1: { bridge: br0, address: 172.18.2.2',
    ],
    says: 'lab.yaml:14:33: nodes.host2.containers.c1.bridge: there is no bridge br0; write one of docker0',
  },
  {
    title: 'a router without an AS number',
    change: ['kind: tor, asn: 65001,', 'kind: tor,'],
    says: 'lab.yaml:4:9: nodes.tor1.asn: is missing; add asn: 65001',
  },
  {
    title: 'a ToR with a configuration of its own',
    change: ['kind: tor,', 'kind: tor, config: { asn: 1 },'],
    says: "lab.yaml:4:22: nodes.tor1.config: a tor's configuration is made; remove it, or write kind: linnet, frr or bird",
  },
  {
    title: 'a daemon on a host that runs none',
    change: ['kind: bird\n', 'kind: host\n'],
    says: 'lab.yaml:12:5: nodes.host2.asn: no daemon runs on a host; remove it',
  },
  {
    title: 'a configuration file that is not there',
    change: ['asn: 65102', 'asn: 65102\n    config: host2.conf'],
    says: "lab.yaml:13:13: nodes.host2.config: can't read host2.conf: no such file; name a file, relative to this one",
  },
  {
    title: 'an expectation of nobody',
    change: ['on: host1', 'on: host3'],
    says: 'lab.yaml:19:9: expect[0].on: there is no node host3; did you mean host1?',
  },
  {
    title: 'an expectation of nothing',
    change: ['kernel: { 172.18.2.0/24: { nextHops: [10.1.1.1] } }', 'within: 3s'],
    says: 'lab.yaml:19:5: expect[0]: nothing is expected here; add kernel: { ... } or remove it',
  },
  {
    title: 'an expectation of a route to no prefix',
    change: ['172.18.2.0/24:', '172.18.2.1/24:'],
    says: 'lab.yaml:20:15: expect[0].kernel.172.18.2.1/24: 172.18.2.1/24 is not a prefix; write one such as 172.18.2.0/24',
  },
  {
    title: "linnet's tables expected of another daemon",
    change: ['on: host1\n', 'on: host2\n    peers: [{ name: tor1 }]\n'],
    says: 'lab.yaml:20:5: expect[0].peers: no linnet runs on host2; expect kernel routes',
  },
  {
    title: 'a proof with a router that is not there',
    change: ['expect:', 'proof: { fail: tor9 }\nexpect:'],
    says: 'lab.yaml:18:16: proof.fail: there is no router tor9; did you mean tor1?',
  },
  {
    title: 'a proof with a pair on one host',
    change: ['expect:', 'proof: { pairs: [[host1.c1, host1.c1]] }\nexpect:'],
    says: 'lab.yaml:18:18: proof.pairs[0]: both are on host1; name containers of different hosts',
  },
  {
    title: 'a spread over one container',
    change: ['expect:', 'proof: { spread: [{ from: host1.c1, to: 203.0.113.53 }] }\nexpect:'],
    says: 'lab.yaml:18:41: proof.spread[0].to: 203.0.113.53 is shared by no container; write anycast: [203.0.113.53] at two containers',
  },
  {
    title: "a shared address that is somebody's own",
    change: ['address: 172.18.2.2 }', 'address: 172.18.2.2, anycast: [10.1.1.1] }'],
    says: "lab.yaml:14:73: nodes.host2.containers.c1.anycast[0]: 10.1.1.1 is tor1:eth1's own; write another address",
  },
  {
    title: 'a proof with a container that is not there',
    change: ['expect:', 'proof: { pairs: [[host1.c1, host2.c9]] }\nexpect:'],
    says: 'lab.yaml:18:29: proof.pairs[0][1]: there is no container host2.c9; did you mean host2.c1?',
  },
]

const SHARED = SMALL.replaceAll(/(address: 172.18...2) /g, '$1, anycast: [203.0.113.53] ')

test('containers may share an address, over which traffic is spread', () => {
  const spread = 'proof: { spread: [{ from: host1.c1, to: 203.0.113.53 }] }'
  const { lab, complaints } = load(`${SHARED}${spread}\n`)
  expect(complaints).toEqual([])
  const over = ['host1.c1', 'host2.c1']
  expect(lab?.proof.spread).toEqual([{ from: 'host1.c1', to: '203.0.113.53', over }])
})

describe('a lab file with one mistake is refused', () => {
  test.each(mistakes)('$title', ({ change, says }) => {
    const text = SMALL.replace(...change)
    expect(text).not.toBe(SMALL)
    const { lab, complaints } = load(text)
    expect(lab).toBeUndefined()
    expect(complaints).toEqual([says])
  })
})

test('a file that is not there is told in a line', () => {
  const { complaints } = loadLab('/nowhere/lab.yaml')
  expect(complaints).toMatchObject([{ file: '/nowhere/lab.yaml', message: 'no such file' }])
})

test('a lab knows who owns its addresses', () => {
  const lab = smallLab()
  expect(ownerOf(lab, '10.1.2.2')).toBe('host2')
  expect(ownerOf(lab, '172.18.1.1')).toBe('host1')
  expect(ownerOf(lab, '172.18.1.2')).toBeUndefined()
  expect(containerNamed(lab, 'host1.c1').gateway).toBe('172.18.1.1')
  expect(lab.proof.pairs).toEqual([['host1.c1', 'host2.c1']])
})

test('--tor decides what a ToR is, and nothing else', () => {
  const lab = smallLab({ tor: 'frr' })
  expect(lab.nodes.map((it) => it.kind)).toEqual(['frr', 'linnet', 'bird'])
})

test("linnet's tables are not expected of a ToR of another kind", () => {
  const text = SMALL.replace('on: host1', 'on: tor1\n    peers: [{ name: host1 }]')
  expect(smallLab({}, text).expect[0]).toHaveProperty('peers')
  expect(smallLab({ tor: 'bird' }, text).expect[0]).not.toHaveProperty('peers')
})

test('a configuration can be a file, with the name of the node and settings laid over it', () => {
  const text = SMALL.replace(/config: \{.*\}/, 'config: node.yaml\n    set: { asn: 65109 }')
  const file =
    'asn: 65101\nrouterId: 10.0.0.1\npeers: [{ name: "${NODE}-up", address: 10.1.1.1, asn: 65001 }]'
  const { lab, complaints } = load(text, {}, { 'node.yaml': file })
  expect(complaints.filter((it) => !it.includes('warning'))).toEqual([])
  expect(lab === undefined ? undefined : nodeNamed(lab, 'host1').config).toEqual({
    asn: 65109,
    routerId: '10.0.0.1',
    peers: [{ name: 'host1-up', address: '10.1.1.1', asn: 65001 }],
  })
})

const SHIPPED = join(import.meta.dirname, '../../../config/lab')
const shipped = readdirSync(SHIPPED).filter((it) => it.endsWith('.yaml'))

test('there are labs to ship', () => expect(shipped).toContain('two-tor.yaml'))

test.each(shipped)('the shipped lab %s is in order', (name) => {
  const { lab, complaints } = loadLab(join(SHIPPED, name))
  expect(complaints).toEqual([])
  expect(lab?.expect.length).toBeGreaterThan(0)
  expect(lab?.proof.pairs.length).toBeGreaterThan(0)
})
