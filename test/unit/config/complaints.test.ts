/**
 * Bad configurations and the very line that is printed about each. Most rows are one mistake in an
 * otherwise good file.
 */
import { describe, expect, test } from 'vitest'
import { address } from '../../../src/net/address.ts'
import { complaintsAbout } from './loading.ts'

type Row = readonly [written: string, ...complaints: string[]]

/** Lines that stand alone; `asn: 65101` stands above them. */
const DOCUMENT: readonly Row[] = [
  [
    'hold: 1',
    'c.yaml:2:1: hold: unknown key; the keys here are asn, routerId, listen, clusterId, confederation, include, decision, peerGroups, peers, mesh, sets, policies, rpki, advertise, kernel, overlay, nat, bmp, mrt, api, log',
  ],
  ['advertize: {}', 'c.yaml:2:1: advertize: unknown key; did you mean advertise?'],
  ['holdTime: 90s', 'c.yaml:2:1: holdTime: unknown key; it belongs into peers or peerGroups'],
  ['interfaces: [docker0]', 'c.yaml:2:1: interfaces: unknown key; it belongs into advertise'],
  [
    'overlay: { mode: ipip }',
    'c.yaml:2:10: overlay.prefixes: no destination is reached through the overlay; write those of the containers of all hosts',
  ],
  [
    'overlay: { mode: vxlan, device: tunl0, prefixes: ["fd00::/64"], acceptFrom: ["fd00::/64"] }',
    'c.yaml:2:33: overlay.device: VXLAN goes through a device of our own; remove the key',
    'c.yaml:2:51: overlay.prefixes[0]: the overlay carries IPv4 only; remove it',
    'c.yaml:2:78: overlay.acceptFrom[0]: outer addresses are IPv4; remove it',
  ],
  [
    'overlay: { mode: ipip, device: linnet-ipip, mtu: 1400, prefixes: [10.244.0.0/16] }',
    "c.yaml:2:32: overlay.device: linnet-ipip is linnet's own; remove the key",
    "c.yaml:2:50: overlay.mtu: linnet-ipip is somebody else's, and its MTU stays as it is; remove it, and set it there",
  ],
  ['bfd: true', 'c.yaml:2:1: bfd: unknown key; it belongs into peers or peerGroups'],
  [
    'overlay: { mode: fan }',
    'c.yaml:2:18: overlay.mode: there is no address plan; write fan: { overlay: 10.0.0.0/8, underlay: 172.16.0.0/16 }',
  ],
  [
    'overlay: { mode: fan, prefixes: [10.9.0.0/16], fan: { overlay: 10.0.0.0/24, underlay: 172.16.0.0/16 } }',
    'c.yaml:2:33: overlay.prefixes: a Fan carries what is in its overlay; remove the key',
    'c.yaml:2:64: overlay.fan.overlay: 10.0.0.0/24 has no room for the hosts of 172.16.0.0/16; write an overlay of /16 or shorter',
  ],
  [
    'overlay: { mode: fan, fan: { overlay: 10.0.0.0/8, underlay: 10.0.0.0/12, learn: static } }',
    'c.yaml:2:39: overlay.fan.overlay: the hosts themselves are inside: 10.0.0.0/12; write an overlay that is elsewhere',
    'c.yaml:2:81: overlay.fan.learn: 10.0.0.0/12 has 1048576 hosts, and each would get a route; write bgp, or a longer underlay',
  ],
  [
    '__proto__: 1',
    'c.yaml:2:1: __proto__: unknown key; the keys here are asn, routerId, listen, clusterId, confederation, include, decision, peerGroups, peers, mesh, sets, policies, rpki, advertise, kernel, overlay, nat, bmp, mrt, api, log',
  ],
  [
    'routerId: 0.0.0.0',
    'c.yaml:2:11: routerId: 0.0.0.0 is not a router id; write an IPv4 address such as 10.0.1.11',
  ],
  [
    'routerId: 2001:db8::1',
    'c.yaml:2:11: routerId: 2001:db8::1 is not a router id; write an IPv4 address such as 10.0.1.11',
  ],
  [
    'routerId: 10.0.1.11/24',
    'c.yaml:2:11: routerId: 10.0.1.11/24 is a prefix, not an address; write 10.0.1.11',
  ],
  [
    'confederation: { asn: 65101, members: [65102] }',
    'c.yaml:2:23: confederation.asn: 65101 is the AS number of this host, which is a member; write the number that the outside knows',
  ],
  [
    'confederation: { asn: 65000, members: [65000, 65102, 65102] }',
    'c.yaml:2:40: confederation.members[0]: 65000 is the confederation itself; remove it',
    'c.yaml:2:54: confederation.members[2]: 65102 is here twice; remove one',
  ],
  [
    'confederation: { asn: 65000, members: [65102] }\npeers: [{ address: 10.0.1.1, asn: 65000, import: accept }]',
    'c.yaml:3:35: peers[0].asn: 65000 is the number of our confederation; write the member AS that it is in',
  ],
  [
    'confederation: { asn: 65000, members: [65102] }\npeers: [{ name: a, address: 10.0.1.1, asn: 65102, localAsn: 5 }]',
    'c.yaml:3:61: peers[0].localAsn: a is a peer within the confederation, which knows us by our own AS number; remove it',
  ],
  [
    'clusterId: 7',
    'c.yaml:2:12: clusterId: 7 is not a router id; write an IPv4 address such as 10.0.1.11',
  ],
  [
    'listen: []',
    'c.yaml:2:9: listen: nobody can connect to this host; write an address, or remove the key',
  ],
  [
    'listen: 0.0.0.0',
    'c.yaml:2:9: listen: 0.0.0.0 is not a list of addresses; write [{ address: 0.0.0.0, port: 179 }]',
  ],
  ['listen: [{ port: 179 }]', 'c.yaml:2:10: listen[0].address: is missing; add address: 10.0.1.11'],
  [
    'listen: [{ address: "::", port: 70000 }]',
    'c.yaml:2:33: listen[0].port: 70000 is not a port; write 1..65535',
  ],
  [
    'listen: [{ address: "::" }, { address: "0::0" }]',
    'c.yaml:2:29: listen[1]: :: port 179 is here twice; remove one',
  ],
  [
    'listen: [{ address: 10.0.1.11 }, { address: 0.0.0.0 }, { address: "::" }]',
    'c.yaml:2:10: listen[0]: 0.0.0.0 port 179 covers 10.0.1.11 already; remove one',
  ],
  [
    'decision: { alwaysCompareMed: yes }',
    'c.yaml:2:31: decision.alwaysCompareMed: yes is not true or false; write true',
  ],
  [
    'peers: { address: 10.0.1.1 }',
    'c.yaml:2:8: peers: a map is not a list of peers; write - { address: 10.0.1.1, asn: 65001 }',
  ],
  [
    'peers:',
    'c.yaml:2:7: peers: has no value; write - { address: 10.0.1.1, asn: 65001 }, or remove the key',
  ],
  [
    'peers: [10.0.1.1]',
    'c.yaml:2:9: peers[0]: 10.0.1.1 is not a map; write a map of name, address, interface, range...',
  ],
  [
    'peerGroups: [tor]',
    'c.yaml:2:13: peerGroups: a list is not a map of groups; write tor: { asn: 65001 }',
  ],
  [
    'peerGroups: { "my tor": {} }',
    'c.yaml:2:15: peerGroups.my tor: "my tor" is not the name of a group; write one without blanks, such as tor',
  ],
  [
    'include: site.yaml',
    'c.yaml:2:10: include: site.yaml is not a list of file names; write [/etc/linnet/site.yaml]',
  ],
  [
    'advertise: { interfaces: docker0 }',
    'c.yaml:2:26: advertise.interfaces: docker0 is not a list of links; write [docker0, "br-*"]',
  ],
  [
    'advertise: { interfaces: [a/b] }',
    'c.yaml:2:27: advertise.interfaces[0]: a/b is not the name of a link, or a pattern; write docker0 or br-*',
  ],
  [
    'advertise: { docker: yes }',
    'c.yaml:2:22: advertise.docker: yes is not true or false; write true',
  ],
  [
    'advertise: { docker: { network: all } }',
    'c.yaml:2:24: advertise.docker.network: unknown key; did you mean networks?',
  ],
  [
    'advertise: { docker: { networks: some } }',
    'c.yaml:2:34: advertise.docker.networks: some is not all or labelled; write all or labelled',
  ],
  [
    'advertise: { docker: { containers: healthy } }',
    'c.yaml:2:36: advertise.docker.containers: healthy is not true, false or labelled; write true, false or labelled',
  ],
  [
    'advertise: { docker: { host: 10.0.0.1 } }',
    'c.yaml:2:30: advertise.docker.host: 10.0.0.1 is not the address of an engine; write tcp://127.0.0.1:2376',
  ],
  [
    'advertise: { docker: { host: tcp://127.0.0.1, socket: /run/docker.sock } }',
    'c.yaml:2:55: advertise.docker.socket: host stands beside it, and only one can count; remove one of them',
  ],
  [
    'advertise: { docker: { tls: {} } }',
    'c.yaml:2:29: advertise.docker.tls: a unix socket has no TLS; add host:, or remove it',
  ],
  [
    'advertise: { docker: { host: tcp://127.0.0.1, tls: { key: k.pem } } }',
    'c.yaml:2:59: advertise.docker.tls.key: is nothing without cert; add cert: FILE',
  ],
  [
    'advertise: { prefixes: [10.0.0.1/24] }',
    'c.yaml:2:25: advertise.prefixes[0]: 10.0.0.1/24 has host bits set; write 10.0.0.0/24',
  ],
  [
    'advertise: { prefixes: [{ prefix: 10.0.0.1/24 }] }',
    'c.yaml:2:35: advertise.prefixes[0].prefix: 10.0.0.1/24 has host bits set; write 10.0.0.0/24',
  ],
  [
    'advertise: { prefixes: [10.0.0.1] }',
    'c.yaml:2:25: advertise.prefixes[0]: 10.0.0.1 is an address, not a prefix; write 10.0.0.1/32',
  ],
  [
    'advertise: { aggregates: [10.0.0.1/32] }',
    'c.yaml:2:27: advertise.aggregates[0]: nothing is inside 10.0.0.1/32; write a shorter prefix, or advertise.prefixes',
  ],
  [
    'advertise: { aggregates: [10.0.0.0/8, { prefix: 10.0.0.0/8 }] }',
    'c.yaml:2:49: advertise.aggregates[1].prefix: 10.0.0.0/8 is here twice; remove one',
  ],
  [
    'advertise: { aggregates: [{ prefix: 10.0.0.0/8, summaryonly: true }] }',
    'c.yaml:2:49: advertise.aggregates[0].summaryonly: unknown key; did you mean summaryOnly?',
  ],
  [
    'advertise: { prefixes: [127.0.0.0/8] }',
    'c.yaml:2:25: advertise.prefixes[0]: 127.0.0.0/8 is never routed; write a unicast prefix',
  ],
  [
    'advertise: { prefixes: [10.0.0.0/33] }',
    'c.yaml:2:25: advertise.prefixes[0]: 10.0.0.0/33 is not a prefix to announce; write 10.244.7.0/26 or { prefix: 10.244.7.0/26, blackhole: true }',
  ],
  [
    'advertise: { prefixes: [10.1.0.0/16, { prefix: 10.1.0.0/16 }] }',
    'c.yaml:2:48: advertise.prefixes[1].prefix: 10.1.0.0/16 is here twice; remove one',
  ],
  [
    'advertise: { prefixes: [{ prefix: 10.1.0.0/16, community: ["65101:70000"] }] }',
    'c.yaml:2:60: advertise.prefixes[0].community[0]: "65101:70000" is not a community; write asn:value, both up to 65535, or a name such as no-export',
  ],
  [
    'advertise: { prefixes: [{ prefix: 10.1.0.0/16, metric: 5 }] }',
    'c.yaml:2:48: advertise.prefixes[0].metric: unknown key; it belongs into kernel',
  ],
  [
    'kernel: { install: false }\npeers: [{ address: 10.0.1.1, asn: internal, announce: afterInstall }]',
    'c.yaml:3:55: peers[0].announce: the kernel gets no routes here: nothing would be passed on; remove it, or write kernel: { install: true }',
  ],
  ['kernel: { metric: 0 }', 'c.yaml:2:19: kernel.metric: 0 is not a metric; write 1..4294967295'],
  [
    'kernel: { protocol: 2 }',
    'c.yaml:2:21: kernel.protocol: 2 marks the routes of the kernel; write 179',
  ],
  [
    'kernel: { protocol: 3 }',
    'c.yaml:2:21: kernel.protocol: 3 marks the routes of the boot scripts; write 179',
  ],
  [
    'kernel: { protocol: 186 }',
    "c.yaml:2:21: warning: kernel.protocol: 186 marks the routes of FRR's bgpd: where that runs, linnet would take them for its own; write 179",
  ],
  [
    'kernel: { protocol: 256 }',
    'c.yaml:2:21: kernel.protocol: 256 is not a protocol number; write 1..255',
  ],
  [
    'kernel: { table: no-such-table }',
    'c.yaml:2:18: kernel.table: no routing table is called no-such-table; write its number, or name it in /etc/iproute2/rt_tables',
  ],
  [
    'kernel: { table: local }',
    "c.yaml:2:18: kernel.table: the table local is the kernel's own; write main",
  ],
  [
    'kernel: { onStop: leave }',
    'c.yaml:2:19: kernel.onStop: leave is not keep or remove; write keep or remove',
  ],
  [
    'kernel: { nexthopObjects: on }',
    'c.yaml:2:27: kernel.nexthopObjects: on is not auto or off; write auto or off',
  ],
  [
    'kernel: { preferredSource: [10.0.0.1, 10.0.0.2] }',
    'c.yaml:2:39: kernel.preferredSource[1]: two addresses of one family; write one of each',
  ],
  [
    'kernel: { preferredSource: docker0 }',
    'c.yaml:2:28: kernel.preferredSource: docker0 is not a source address; write auto, none, an address, or one of each family in a list',
  ],
  ['bmp: [{ port: 11019 }]', 'c.yaml:2:7: bmp[0].address: is missing; add address: 192.0.2.8'],
  [
    'bmp: [{ address: 192.0.2.8, monitor: [pre] }]',
    'c.yaml:2:39: bmp[0].monitor[0]: pre is not prePolicy, postPolicy or locRib; write prePolicy, postPolicy or locRib',
  ],
  [
    'bmp: [{ address: 192.0.2.8 }, { address: 192.0.2.8 }]',
    'c.yaml:2:31: bmp[1]: 192.0.2.8 port 11019 is here twice; remove one',
  ],
  ['mrt: {}', 'c.yaml:2:6: mrt: names no file; write updates: or rib: with a file, or remove it'],
  [
    'mrt: { rib: /r.mrt, updates: /r.mrt }',
    'c.yaml:2:13: mrt.rib: /r.mrt is the file for updates; write another one',
  ],
  [
    'mrt: { rib: /r.mrt, every: 1ms }',
    'c.yaml:2:28: mrt.every: 1ms is not a time; write 1s to 7d, such as 15m',
  ],
  [
    'mrt: { rib: /r.mrt, dump: /r }',
    'c.yaml:2:21: mrt.dump: unknown key; the keys here are updates, rib, every',
  ],
  ['every: 5m', 'c.yaml:2:1: every: unknown key; it belongs into mrt'],
  [
    'api: { http: 8179 }',
    'c.yaml:2:14: api.http: 8179 is not an address and port; write 127.0.0.1:8179 or [::1]:8179',
  ],
  [
    'log: { level: warning }',
    'c.yaml:2:15: log.level: warning is not trace, debug, info, warn, error or fatal; write trace, debug, info, warn, error or fatal',
  ],
  ['log: { format: jsn }', 'c.yaml:2:16: log.format: jsn is not auto, json or pretty; write json'],
  [
    'mesh: { nodes: [10.0.1.11, { address: 10.0.1.12, as: 5 }] }',
    'c.yaml:2:50: mesh.nodes[1].as: unknown key; did you mean asn?',
  ],
  [
    'mesh: { nodes: [10.0.1.11, 10.0.1.11] }',
    'c.yaml:2:28: mesh.nodes[1]: 10.0.1.11 is at 10.0.1.11 port 179 too; remove one of them',
  ],
  [
    'mesh: { nodes: [10.0.1.11], group: nodes }',
    'c.yaml:2:36: mesh.group: there is no group nodes; add nodes to peerGroups',
  ],
]

/** Whole files. */
const FILES: readonly Row[] = [
  ['', 'c.yaml:1:1: there is nothing in it; write at least asn: 65101'],
  ['- asn: 1', 'c.yaml:1:1: this is no map of keys; write at least asn: 65101'],
  ['log: {}', 'c.yaml:1:1: asn: is missing; add asn: 65101'],
  ['asn: 0', 'c.yaml:1:6: asn: 0 is not an AS number; write 1..4294967295'],
  ['asn: 65101\nasn: 65102', 'c.yaml:2:1: the key asn is here twice; keep one of them'],
  ['asn: 65101\nlog:\n\tlevel: debug', 'c.yaml:3:1: a tab indents this line; indent with spaces'],
  [
    'asn: 65101\n---\nasn: 2',
    'c.yaml:2:1: a second document begins here; keep one document (remove ---)',
  ],
  [
    'asn: [',
    'c.yaml:1:7: not YAML: Flow sequence in block collection must be sufficiently indented and end with a ]; mend the line, or quote the text',
  ],
  ['asn: *nope', 'c.yaml:1:6: asn: nothing above is called &nope; name it there, or quote the *'],
  [
    '{ asn: 1, routerId: ${A}, log: 5 }',
    'c.yaml:1:22: a variable inside { } or [ ] must be quoted; write "${NAME}"',
  ],
  ['asn: one\n  two', 'c.yaml:1:6: asn: one two is not an AS number; write 1..4294967295'],
  ['asn: "\\e[2J"', 'c.yaml:1:6: asn: "\\u001b[2J" is not an AS number; write 1..4294967295'],
  ['asn:', 'c.yaml:1:5: asn: has no value; write 1..4294967295'],
  [
    'asn: 1\nlog: &a\n  level: *a',
    'c.yaml:3:10: log.level: the aliases here never end; write the value itself',
  ],
  ['asn: 65101\n[a, b]: 1', 'c.yaml:2:1: a key must be a word; write it as plain text'],
  [
    'asn: 65101\nlog:\n  <<: { level: debug }',
    'c.yaml:3:3: log.<<: merge keys are not read; use peerGroups',
  ],
]

/** With the host's own addresses known. */
const ON_HOST: readonly Row[] = [
  [
    'peers: [{ address: 10.0.1.11, asn: internal }]',
    "c.yaml:2:20: peers[0].address: 10.0.1.11 is an address of this host; write the other router's",
  ],
  [
    'peers: [{ address: 10.0.1.1, asn: internal, localAddress: 10.0.1.99 }]',
    'c.yaml:2:59: peers[0].localAddress: 10.0.1.99 is not an address of this host; write one of 10.0.1.11, 2001:db8::11',
  ],
  [
    'listen: [{ address: 10.0.1.99 }]',
    'c.yaml:2:21: listen[0].address: 10.0.1.99 is not an address of this host; write one that is, or 0.0.0.0',
  ],
  [
    'kernel: { preferredSource: 10.0.1.99 }',
    'c.yaml:2:28: kernel.preferredSource: 10.0.1.99 is not an address of this host; write one that is, or auto',
  ],
  [
    'mesh: { nodes: [10.0.1.12, 10.0.1.13] }',
    'c.yaml:2:16: warning: mesh.nodes: none of these is this host; add an address of it',
  ],
  ['peers: [{ interface: eth1, asn: internal }]'],
  [
    'peers: [{ interface: eth7, asn: internal }]',
    'c.yaml:2:22: warning: peers[0].interface: there is no link eth7 on this host yet; did you mean eth1?',
  ],
  [
    'peers: [{ interface: uplink, asn: internal }]',
    'c.yaml:2:22: warning: peers[0].interface: there is no link uplink on this host yet; the links here are lo, eth1',
  ],
  [
    'peers: [{ address: 10.0.1.1, asn: internal, tcpAo: { sendId: 1, receiveId: 1, key: x } }]',
    'c.yaml:2:52: warning: peers[0].tcpAo: this kernel has no TCP-AO, so that the peer will be refused; run Linux 6.7 or newer with CONFIG_TCP_AO, or write password on both sides',
  ],
]

const host = {
  variables: {},
  ownAddresses: [address('10.0.1.11'), address('2001:db8::11')],
  links: ['lo', 'eth1'],
  hasTcpAo: () => false,
}

describe('the document', () => {
  test.each(DOCUMENT)('%s', (written, ...complaints) => {
    expect(complaintsAbout(`asn: 65101\n${written}\n`)).toEqual(complaints)
  })
})

describe('a whole file', () => {
  test.each(FILES)('%j', (written, ...complaints) => {
    expect(complaintsAbout(written)).toEqual(complaints)
  })
})

describe('on a host whose addresses, links and kernel are known', () => {
  test.each(ON_HOST)('%s', (written, ...complaints) => {
    expect(complaintsAbout(`asn: 65101\n${written}\n`, host)).toEqual(complaints)
  })
})
