import { describe, expect, test } from 'vitest'
import { planLab, stepsOf, type Step } from '../../../src/lab/plan.ts'
import { SABOTAGES, planSabotage } from '../../../src/lab/sabotage.ts'
import { SMALL, smallLab } from './small-lab.ts'

const OPTIONS = { directory: '/lab', program: ['node', 'main.js'] }

/** A step in a line. */
function lineOf(step: Step): string {
  switch (step.do) {
    case 'ip':
      return `${step.within === '' ? '' : `${step.within}: `}ip ${step.args}`
    case 'sysctl':
      return `${step.within}: ${step.key} = ${step.value}`
    case 'write':
      return `write ${step.path}`
    case 'start':
      return `${step.within}: ${step.command.join(' ')}`
    case 'await':
      return `await ${step.path}`
    case 'run':
      return `${step.within}: ${step.command.join(' ').replaceAll(/\s+/g, ' ')}`
    case 'nft':
      return `${step.within}: nft ${step.rules.replaceAll(/\s+/g, ' ').trim()}`
  }
}

test('a lab is built in this order', () => {
  const steps = planLab(smallLab(), OPTIONS).filter((it) => it.do !== 'sysctl')
  expect(steps.map(lineOf)).toEqual([
    'ip netns add tor1',
    'tor1: ip link set lo up',
    'ip netns add host1',
    'host1: ip link set lo up',
    'ip netns add host2',
    'host2: ip link set lo up',
    'ip link add eth1 netns tor1 type veth peer name eth0 netns host1',
    'tor1: ip addr add 10.1.1.1/30 dev eth1',
    'tor1: ip link set eth1 up',
    'host1: ip addr add 10.1.1.2/30 dev eth0',
    'host1: ip link set eth0 up',
    'ip link add eth2 netns tor1 type veth peer name eth0 netns host2',
    'tor1: ip addr add 10.1.2.1/30 dev eth2',
    'tor1: ip link set eth2 up',
    'host2: ip addr add 10.1.2.2/30 dev eth0',
    'host2: ip link set eth0 up',
    'host1: ip link add docker0 type bridge',
    'host1: ip addr add 172.18.1.1/24 dev docker0',
    'host1: ip link set docker0 up',
    'ip netns add host1.c1',
    'ip link add veth0 netns host1 type veth peer name eth0 netns host1.c1',
    'host1: ip link set veth0 master docker0 up',
    'host1.c1: ip link set lo up',
    'host1.c1: ip addr add 172.18.1.2/24 dev eth0',
    'host1.c1: ip link set eth0 up',
    'host1.c1: ip route add default via 172.18.1.1',
    'host2: ip link add docker0 type bridge',
    'host2: ip addr add 172.18.2.1/24 dev docker0',
    'host2: ip link set docker0 up',
    'ip netns add host2.c1',
    'ip link add veth0 netns host2 type veth peer name eth0 netns host2.c1',
    'host2: ip link set veth0 master docker0 up',
    'host2.c1: ip link set lo up',
    'host2.c1: ip addr add 172.18.2.2/24 dev eth0',
    'host2.c1: ip link set eth0 up',
    'host2.c1: ip route add default via 172.18.2.1',
    'write /lab/tor1/linnet.yaml',
    'tor1: node main.js run -c /lab/tor1/linnet.yaml --socket /lab/tor1/linnet.sock',
    'write /lab/host1/linnet.yaml',
    'host1: node main.js run -c /lab/host1/linnet.yaml --socket /lab/host1/linnet.sock',
    'write /lab/host2/bird.conf',
    'host2: bird -f -c /lab/host2/bird.conf -s /lab/host2/bird.ctl',
  ])
})

test('a container may have an address that others have too, and a node its own settings', () => {
  const text = SMALL.replace(
    /containers: \{ c1: \{ bridge: docker0, address: 172.18.1.2 \} \}/,
    `containers: { c1: { bridge: docker0, address: 172.18.1.2, anycast: [203.0.113.53] } }
    sysctls: { net.ipv4.fib_multipath_hash_policy: 1 }`,
  )
  const lines = planLab(smallLab({}, text), OPTIONS).map(lineOf)
  expect(lines).toContain('host1.c1: ip addr add 203.0.113.53 dev lo')
  expect(lines).toContain('host1: ip route add 203.0.113.53 via 172.18.1.2')
  expect(lines).toContain('host1: net.ipv4.fib_multipath_hash_policy = 1')
})

test('routers forward and answer traces', () => {
  const lines = planLab(smallLab(), OPTIONS).map(lineOf)
  expect(lines).toContain('tor1: net.ipv4.ip_forward = 1')
  expect(lines).toContain('host1: net.ipv4.icmp_ratemask = 0')
})

test('a ToR of kind frr is a zebra, and a bgpd that starts when zebra listens', () => {
  const daemons = planLab(smallLab({ tor: 'frr' }), OPTIONS).filter(
    (it) => it.nodes.includes('tor1') && ['start', 'await'].includes(it.do),
  )
  const common =
    '-u root -g root -z /lab/tor1/zserv.api --vty_socket /lab/tor1 -f /lab/tor1/frr.conf'
  expect(daemons.map(lineOf)).toEqual([
    `tor1: zebra ${common} -i /lab/tor1/zebra.pid --log stdout`,
    'await /lab/tor1/zserv.api',
    `tor1: bgpd ${common} -i /lab/tor1/bgpd.pid --log stdout`,
  ])
})

const configurations: { tor: 'linnet' | 'frr' | 'bird'; has: string[] }[] = [
  {
    tor: 'linnet',
    has: ['asn: 65001', 'routerId: 10.1.0.1', 'address: 10.1.1.2', 'asn: 65101', 'export: accept'],
  },
  {
    tor: 'frr',
    has: [
      'router bgp 65001',
      ' bgp router-id 10.1.0.1',
      ' neighbor 10.1.1.2 remote-as 65101',
      ' neighbor 10.1.2.2 remote-as 65102',
    ],
  },
  {
    tor: 'bird',
    has: [
      'router id 10.1.0.1;',
      'protocol bgp host1 from neighbor_of_mine { neighbor 10.1.1.2 as 65101; }',
      'protocol bgp host2 from neighbor_of_mine { neighbor 10.1.2.2 as 65102; }',
      'export all;',
    ],
  },
]

test.each(configurations)('the configuration of a ToR of kind $tor is made', ({ tor, has }) => {
  const steps = planLab(smallLab({ tor }), OPTIONS)
  const [text] = steps.flatMap((it) => (it.do === 'write' && it.nodes[0] === 'tor1' ? it.text : []))
  for (const line of has) expect(text).toContain(line)
})

test('a host announces only what is its own', () => {
  const steps = planLab(smallLab(), OPTIONS)
  const [text] = steps.flatMap((it) =>
    it.do === 'write' && it.nodes[0] === 'host2' ? it.text : [],
  )
  expect(text).toContain('protocol direct own { ipv4; interface "docker0"; }')
  expect(text).toContain('export where source = RTS_DEVICE')
})

test('what brings a removed ToR back: its steps, and the far ends of its cables', () => {
  const lines = stepsOf(planLab(smallLab(), OPTIONS), 'tor1').map(lineOf)
  expect(lines[0]).toBe('ip netns add tor1')
  expect(lines).toContain('host1: ip addr add 10.1.1.2/30 dev eth0')
  expect(lines).not.toContain('ip netns add host1')
  expect(lines.at(-1)).toContain('tor1: node main.js run')
})

const SEGMENT = `
name: segment
nodes:
  a: { kind: bird, asn: 65001 }
  b: { kind: bird, asn: 65001 }
  c: { kind: host }
links:
  - endpoints: ['a:eth0', 'b:eth0', 'c:eth0']
    addresses: [10.0.0.1/24, 10.0.0.2/24, 10.0.0.3/24]
`

test('a link with more than two ends is a switch in the box', () => {
  const lines = planLab(smallLab({}, SEGMENT), OPTIONS).map(lineOf)
  const at = lines.indexOf('ip link add segment0 type bridge')
  expect(lines.slice(at, at + 6)).toEqual([
    'ip link add segment0 type bridge',
    'ip link set segment0 up',
    'ip link add s0p0 type veth peer name eth0 netns a',
    'ip link set s0p0 master segment0 up',
    'ip link add s0p1 type veth peer name eth0 netns b',
    'ip link set s0p1 master segment0 up',
  ])
})

test('on a segment every speaker is a neighbour, but no host', () => {
  const steps = planLab(smallLab({}, SEGMENT), OPTIONS)
  const texts = steps.flatMap((it) => (it.do === 'write' ? it.text : []))
  expect(texts).toHaveLength(2)
  expect(texts[0]).toContain('protocol bgp b from')
  expect(texts[0]).not.toContain('protocol bgp c from')
})

describe('sabotage is a plan too', () => {
  const deeds: Record<(typeof SABOTAGES)[number], string[]> = {
    nat: [
      'host1: nft table ip sabotage { chain it { type nat hook postrouting priority srcnat; ip saddr 172.18.1.0/24 oifname != "docker0" masquerade } }',
    ],
    encap: [
      'host1: ip link add wrap type vxlan id 99 local 172.18.1.1 remote 172.18.2.1 dstport 4789',
      'host1: ip addr add 192.0.2.1/30 dev wrap',
      'host1: ip link set wrap up',
      'host1: ip route add 172.18.2.2/32 via 192.0.2.2 dev wrap metric 1',
      'host2: ip link add wrap type vxlan id 99 local 172.18.2.1 remote 172.18.1.1 dstport 4789',
      'host2: ip addr add 192.0.2.2/30 dev wrap',
      'host2: ip link set wrap up',
      'host2: ip route add 172.18.1.2/32 via 192.0.2.1 dev wrap metric 1',
    ],
    blackhole: ['host1: ip route add blackhole 172.18.2.0/24 metric 1'],
    ttl: [
      'host2: nft table ip sabotage { chain it { type filter hook forward priority filter; ip daddr 172.18.2.2 ip ttl set 64 } }',
    ],
  }

  test.each(SABOTAGES)('%s', (sabotage) => {
    expect(planSabotage(smallLab(), sabotage).steps.map(lineOf)).toEqual(deeds[sabotage])
  })
})

test('a Docker host has an engine, a network for each bridge, and containers with names of namespaces', () => {
  const text = SMALL.replace('kind: linnet', 'kind: linnet\n    runtime: docker')
  const steps = planLab(smallLab({}, text), { ...OPTIONS, cgroup: 'linnet-lab-7' })
  const lines = steps.filter((it) => it.nodes.join() === 'host1').map(lineOf)
  const engine = lines.findIndex((it) => it.startsWith('host1: dockerd '))
  expect(lines[engine - 1]).toBe('write /lab/host1/daemon.json')
  expect(lines[engine]).toContain('--host=unix:///lab/host1/docker.sock ')
  expect(lines[engine]).toContain('--cgroup-parent=/linnet-lab-7 ')
  const docker = 'host1: docker --host=unix:///lab/host1/docker.sock'
  const from = lines.indexOf('await /lab/host1/docker.sock')
  expect(from).toBeGreaterThan(engine)
  expect(lines.slice(from + 1, from + 4)).toEqual([
    `${docker} import /lab/image.tar lab`,
    `${docker} network create --driver=bridge --subnet=172.18.1.0/24 --gateway=172.18.1.1 --opt=com.docker.network.bridge.name=docker0 docker0`,
    `${docker} run --detach --name=c1 --network=docker0 --ip=172.18.1.2 lab sleep 2000000000`,
  ])
  expect(lines[from + 4]).toMatch(/^: sh -c ip netns attach .* c1 host1\.c1$/)
  expect(lines.filter((it) => it.includes('type bridge'))).toEqual([])
  expect(lines.at(-1)).toContain('host1: node main.js run')
})
