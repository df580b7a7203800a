/**
 * Bad peers and the very line that is printed about each.
 */
import { expect, test } from 'vitest'
import { complaintsAbout } from './loading.ts'

type Row = readonly [written: string, ...complaints: string[]]

/** Maps in `peers`; the first stands in line 4. `tor` is a group with `asn: 65001, import: accept`. */
const PEERS: readonly Row[] = [
  [
    '{ address: 10.0.1.1, group: tor, addPath: { send: some } }',
    'c.yaml:4:55: peers[0].addPath.send: some is not best, all or a number of paths; write best, all or 1..255',
  ],
  [
    '{ address: 10.0.1.1, group: tor, addPath: { send: 0 } }',
    'c.yaml:4:55: peers[0].addPath.send: 0 is not best, all or a number of paths; write best, all or 1..255',
  ],
  [
    '{ address: 10.0.1.1, group: tor, addPath: all }',
    'c.yaml:4:47: peers[0].addPath: all is not a map; write a map of receive, send',
  ],
  ['{ asn: 65001 }', 'c.yaml:4:5: peers[0].address: is missing; add address: 10.0.1.1'],
  [
    '{ address: 10.0.1.1 }',
    'c.yaml:4:5: peers[0]: 10.0.1.1 has no AS number; add asn: 65001, or asn: internal',
  ],
  [
    '{ address: 10.0.1.1, group: torr }',
    'c.yaml:4:33: peers[0].group: there is no group torr; did you mean tor?',
  ],
  [
    '{ address: 10.0.1.1, group: tor, asn: 0 }',
    'c.yaml:4:43: peers[0].asn: 0 is not an AS number; write 1..4294967295',
  ],
  [
    '{ address: 10.0.1.1, group: tor, asn: "65001" }',
    'c.yaml:4:43: peers[0].asn: "65001" is text, not an AS number; write 65001',
  ],
  [
    '{ address: 10.0.1.1, group: tor, asn: AS65001 }',
    'c.yaml:4:43: peers[0].asn: AS65001 is text, not an AS number; write 65001',
  ],
  [
    '{ address: 10.0.1.1, group: tor, asn: 1.10 }',
    'c.yaml:4:43: peers[0].asn: 1.10 is in dotted notation; write 65546',
  ],
  [
    '{ address: 10.0.1.1, group: tor, asn: 23456 }',
    'c.yaml:4:43: peers[0].asn: 23456 is AS_TRANS, which stands for other numbers (RFC 6793); write the AS number itself',
  ],
  [
    '{ address: 10.0.1.1, group: tor, asn: 4294967296 }',
    'c.yaml:4:43: peers[0].asn: 4294967296 is not an AS number; write 1..4294967295',
  ],
  [
    '{ address: 10.0.1.300, group: tor }',
    "c.yaml:4:16: peers[0].address: 10.0.1.300 is not a router's address; write an address such as 10.0.1.1 or 2001:db8::1",
  ],
  [
    '{ address: 10.0.1.1/30, group: tor }',
    'c.yaml:4:16: peers[0].address: 10.0.1.1/30 is a prefix, not an address; write 10.0.1.1',
  ],
  [
    '{ address: 224.0.0.5, group: tor }',
    "c.yaml:4:16: peers[0].address: 224.0.0.5 is not a router's address; write an address such as 10.0.1.1 or 2001:db8::1",
  ],
  [
    '{ address: "::ffff:10.0.1.1", group: tor }',
    'c.yaml:4:16: peers[0].address: ::ffff:10.0.1.1 is IPv4 in the dress of IPv6 (RFC 4291 2.5.5.2); write 10.0.1.1',
  ],
  [
    '{ address: "fe80::1", group: tor }',
    'c.yaml:4:16: peers[0].address: fe80::1 is link-local and needs its link (RFC 4007); write fe80::1%eth0',
  ],
  [
    '{ address: 10.0.1.1, group: tor, holdTime: 2s }',
    'c.yaml:4:48: peers[0].holdTime: a hold time of 2s is too short (RFC 4271 4.2); write 0 (off) or at least 3s',
  ],
  [
    '{ address: 10.0.1.1, group: tor, holdTime: 1 }',
    'c.yaml:4:48: peers[0].holdTime: a hold time of 1s is too short (RFC 4271 4.2); write 0 (off) or at least 3s',
  ],
  [
    '{ address: 10.0.1.1, group: tor, holdTime: 3500ms }',
    'c.yaml:4:48: peers[0].holdTime: 3500ms is not a hold time; write 0 (off) or whole seconds from 3s to 65535s, such as 90s',
  ],
  [
    '{ address: 10.0.1.1, group: tor, holdTime: 1 min }',
    'c.yaml:4:48: peers[0].holdTime: 1 min is not a hold time; write 0 (off) or whole seconds from 3s to 65535s, such as 90s',
  ],
  [
    '{ address: 10.0.1.1, group: tor, holdtime: 9s }',
    'c.yaml:4:38: peers[0].holdtime: unknown key; did you mean holdTime?',
  ],
  [
    '{ address: 10.0.1.1, group: tor, table: main }',
    'c.yaml:4:38: peers[0].table: unknown key; it belongs into kernel',
  ],
  [
    '{ address: 10.0.1.1, group: tor, sendHoldTime: 60s }',
    'c.yaml:4:52: peers[0].sendHoldTime: 60s is not longer than the hold time of 90s (RFC 9687); write 0 (off) or more than 90s',
  ],
  [
    '{ address: 10.0.1.1, group: tor, connectRetry: 0 }',
    'c.yaml:4:52: peers[0].connectRetry: 0 is not a time; write 100ms to 1d, such as 5s',
  ],
  [
    '{ address: 10.0.1.1, group: tor, maxPrefixes: 0 }',
    'c.yaml:4:51: peers[0].maxPrefixes: 0 is not a number of prefixes; write 1..4294967295',
  ],
  [
    '{ address: 10.0.1.1, group: tor, maxPrefixes: many }',
    'c.yaml:4:51: peers[0].maxPrefixes: many is not a limit; write 50000 or { limit: 50000, action: restart }',
  ],
  [
    '{ address: 10.0.1.1, group: tor, maxPrefixes: { action: block } }',
    'c.yaml:4:51: peers[0].maxPrefixes.limit: is missing; add limit: 50000',
  ],
  [
    '{ address: 10.0.1.1, group: tor, maxPrefixes: { limit: 0 } }',
    'c.yaml:4:60: peers[0].maxPrefixes.limit: 0 is not a number of prefixes; write 1..4294967295',
  ],
  [
    '{ address: 10.0.1.1, group: tor, maxPrefixes: { limit: 9, warnAt: 0% } }',
    'c.yaml:4:71: peers[0].maxPrefixes.warnAt: 0% is not a percentage; write 1% to 100%, such as 75%',
  ],
  [
    '{ address: 10.0.1.1, group: tor, maxPrefixes: { limit: 9, warnAt: 75 } }',
    'c.yaml:4:71: peers[0].maxPrefixes.warnAt: 75 is not a percentage; write 75%',
  ],
  [
    '{ address: 10.0.1.1, group: tor, maxPrefixes: { limit: 9, action: disconect } }',
    'c.yaml:4:71: peers[0].maxPrefixes.action: disconect is not warn, block, disconnect or restart; write disconnect',
  ],
  [
    '{ address: 10.0.1.1, group: tor, maxPrefixes: { limit: 9, action: disconnect, after: 5m } }',
    'c.yaml:4:90: peers[0].maxPrefixes.after: after says when to begin again, and disconnect does not; remove it, or write action: restart',
  ],
  [
    '{ address: 10.0.1.1, group: tor, maxPrefixes: { limit: 9, after: 5m } }',
    'c.yaml:4:70: peers[0].maxPrefixes.after: after says when to begin again, and block does not; remove it, or write action: restart',
  ],
  [
    '{ address: 10.0.1.1, group: tor, maxPrefixesOut: { limit: 9, after: 5m } }',
    'c.yaml:4:73: peers[0].maxPrefixesOut.after: after says when to begin again, and block does not; remove it, or write action: restart',
  ],
  [
    '{ address: 10.0.1.1, group: tor, maxPrefixes: { limit: 9, warnat: 50% } }',
    'c.yaml:4:63: peers[0].maxPrefixes.warnat: unknown key; did you mean warnAt?',
  ],
  [
    '{ address: 10.0.1.1, group: tor, bfd: yes please }',
    'c.yaml:4:43: peers[0].bfd: yes please is not true, false or a map; write true, false, or { interval: 300ms, multiplier: 3 }',
  ],
  [
    '{ address: 10.0.1.1, group: tor, bfd: { interval: 1ms } }',
    'c.yaml:4:55: peers[0].bfd.interval: 1ms is not an interval; write 10ms to 30s, such as 300ms',
  ],
  [
    '{ address: 10.0.1.1, group: tor, bfd: { multiplier: 0 } }',
    'c.yaml:4:57: peers[0].bfd.multiplier: 0 is not a number of packets; write 1..255',
  ],
  [
    '{ address: 10.0.1.1, group: tor, bfd: { authentication: { keyId: 2 } } }',
    'c.yaml:4:61: peers[0].bfd.authentication.key: is missing; add key: "...", or keyFile: FILE',
  ],
  [
    '{ address: 10.0.1.1, group: tor, bfd: { authentication: { key: one, keyFile: two } } }',
    'c.yaml:4:82: peers[0].bfd.authentication.keyFile: key stands beside it, and only one can count; remove one of them',
    "c.yaml:4:82: peers[0].bfd.authentication.keyFile: can't read two: no such file; write a file that linnet may read",
  ],
  [
    `{ address: 10.0.1.1, group: tor, bfd: { authentication: { key: ${'x'.repeat(21)} } } }`,
    'c.yaml:4:68: peers[0].bfd.authentication.key: this is not a key; write text of 1 to 20 bytes, in quotes',
  ],
  [
    '{ interface: eth0, group: tor, bfd: { multihop: true } }',
    'c.yaml:4:41: peers[0].bfd: eth0 is on the link itself; remove its multihop',
  ],
  [
    '{ address: 10.0.1.1, range: 10.0.1.0/24, group: tor }',
    'c.yaml:4:33: peers[0].range: address stands beside it, and says where the peer is; remove one of them',
  ],
  [
    '{ range: 10.0.1.7, group: tor }',
    'c.yaml:4:14: peers[0].range: 10.0.1.7 is an address, not a prefix; write 10.0.1.7/32',
  ],
  [
    '{ range: 10.0.1.0/24, group: tor, passive: false }',
    'c.yaml:4:48: peers[0].passive: peers of a range are not called: nobody knows where they are; remove it',
  ],
  [
    '{ range: "fe80::/64", group: tor }',
    'c.yaml:4:14: peers[0].range: fe80::/64 is never routed; write a unicast prefix',
  ],
  [
    '{ range: 10.0.1.0/24, group: tor, limit: 0 }',
    'c.yaml:4:46: peers[0].limit: 0 is not a number of peers; write 1..65535',
  ],
  [
    '{ address: 10.0.1.1, group: tor, limit: 9 }',
    'c.yaml:4:45: peers[0].limit: belongs to a range of peers; remove it',
  ],
  [
    '{ address: 10.0.1.1, group: tor, removeAfter: 9s }',
    'c.yaml:4:51: peers[0].removeAfter: belongs to a range of peers; remove it',
  ],
  [
    '{ range: 10.0.1.0/24, group: tor }\n  - { name: b, range: 10.0.1.0/24, asn: 65001, import: accept }',
    'c.yaml:5:23: peers[1].range: 10.0.1.0/24 is whoever is in 10.0.1.0/24 too; remove one of them',
  ],
  [
    '{ address: 10.0.1.1, interface: eth1, group: tor }',
    'c.yaml:4:37: peers[0].interface: address stands beside it, and says where the peer is; remove one of them',
  ],
  [
    '{ interface: eth1, group: tor, localAddress: 10.0.1.11 }',
    'c.yaml:4:50: peers[0].localAddress: the session with eth1 stands on the link-local address of eth1; remove it',
  ],
  [
    '{ interface: eth1, group: tor, multihop: 2 }',
    'c.yaml:4:46: peers[0].multihop: eth1 is on the link itself; remove it',
  ],
  [
    '{ interface: eth1, group: tor }\n  - { name: b, interface: eth1, group: tor }',
    'c.yaml:5:27: peers[1].interface: eth1 is whoever is on eth1 too; remove one of them',
  ],
  [
    '{ interface: "e t h 1", group: tor }',
    'c.yaml:4:18: peers[0].interface: "e t h 1" is not the name of a link; write a name such as eth0',
  ],
  [
    '{ address: 10.0.1.1, group: tor, families: [] }',
    'c.yaml:4:48: peers[0].families: an empty list is not a list of families; write [ipv4], [ipv6] or [ipv4, ipv6]',
  ],
  [
    '{ address: 10.0.1.1, group: tor, families: [ipv4, ipv4] }',
    'c.yaml:4:55: peers[0].families[1]: ipv4 is here twice; remove one',
  ],
  [
    '{ address: 10.0.1.1, group: tor, families: [ipv7] }',
    'c.yaml:4:49: peers[0].families[0]: ipv7 is not ipv4 or ipv6; write ipv4',
  ],
  [
    '{ address: 10.0.1.1, group: tor, import: from-tor }',
    'c.yaml:4:46: peers[0].import: there is no policy from-tor; write accept or reject, or add from-tor to policies',
  ],
  [
    '{ address: 10.0.1.1, group: tor, export: [to-tor, locl] }',
    'c.yaml:4:47: peers[0].export[0]: there is no policy to-tor; write local, accept or reject, or add to-tor to policies',
    'c.yaml:4:55: peers[0].export[1]: there is no policy locl; did you mean local?',
  ],
  [
    '{ address: 10.0.1.1, group: tor, import: local }',
    'c.yaml:4:46: peers[0].import: local is for export; write accept or reject',
  ],
  [
    '{ address: 10.0.1.1, group: tor, nextHop: slef }',
    'c.yaml:4:47: peers[0].nextHop: slef is not auto, self or keep; write self',
  ],
  [
    '{ address: 10.0.1.1, group: tor, ttlSecurity: 1, multihop: 2 }',
    'c.yaml:4:64: peers[0].multihop: ttlSecurity stands beside it, and a far peer is not a near one; remove one of them',
  ],
  [
    '{ address: 10.0.1.1, group: tor, password: secret, passwordFile: key }',
    'c.yaml:4:70: peers[0].passwordFile: password stands beside it, and only one can count; remove one of them',
    "c.yaml:4:70: peers[0].passwordFile: can't read key: no such file; write a file that linnet may read",
  ],
  [
    '{ address: 10.0.1.1, group: tor, password: 12345 }',
    'c.yaml:4:48: peers[0].password: this is not a password; write text of 1 to 80 bytes, in quotes',
  ],
  [
    '{ address: 10.0.1.1, group: tor, password: "" }',
    'c.yaml:4:48: peers[0].password: this is not a password; write text of 1 to 80 bytes, in quotes',
  ],
  [
    '{ address: 10.0.1.1, group: tor, password: secret, tcpAo: { sendId: 1, receiveId: 1, key: secret } }',
    'c.yaml:4:63: peers[0].tcpAo: password stands beside it, and only one can count; remove one of them',
  ],
  [
    '{ address: 10.0.1.1, group: tor, tcpAo: secret }',
    'c.yaml:4:45: peers[0].tcpAo: this is not a key of TCP-AO; write { sendId: 1, receiveId: 1, key: "..." }, or a list of them',
  ],
  [
    '{ address: 10.0.1.1, group: tor, tcpAo: [secret] }',
    'c.yaml:4:46: peers[0].tcpAo[0]: this is not a key of TCP-AO; write { sendId: 1, receiveId: 1, key: "..." }',
  ],
  [
    '{ address: 10.0.1.1, group: tor, tcpAo: [] }',
    'c.yaml:4:45: peers[0].tcpAo: this is not a key of TCP-AO; write { sendId: 1, receiveId: 1, key: "..." }, or a list of them',
  ],
  [
    '{ address: 10.0.1.1, group: tor, tcpAo: { sendId: 1, key: 12345 } }',
    'c.yaml:4:45: peers[0].tcpAo.receiveId: is missing; add receiveId: 1',
    'c.yaml:4:63: peers[0].tcpAo.key: this is not a key; write text of 1 to 80 bytes, in quotes',
  ],
  [
    '{ address: 10.0.1.1, group: tor, tcpAo: { sendId: 1, receiveId: 256, key: secret, algorithm: md5 } }',
    'c.yaml:4:69: peers[0].tcpAo.receiveId: 256 is not the id of a key; write 0..255',
    'c.yaml:4:98: peers[0].tcpAo.algorithm: md5 is not hmac-sha1, cmac-aes128 or hmac-sha256; write hmac-sha1, cmac-aes128 or hmac-sha256',
  ],
  [
    '{ address: 10.0.1.1, group: tor, tcpAo: [{ sendId: 1, receiveId: 1 }, { sendId: 2, receiveId: 1, key: secret, keyFile: key }] }',
    'c.yaml:4:46: peers[0].tcpAo[0].key: is missing; add key: "...", or keyFile: FILE',
    'c.yaml:4:99: peers[0].tcpAo[1].receiveId: 1 is the receiveId of a key above; give each key ids of its own',
    'c.yaml:4:124: peers[0].tcpAo[1].keyFile: key stands beside it, and only one can count; remove one of them',
    "c.yaml:4:124: peers[0].tcpAo[1].keyFile: can't read key: no such file; write a file that linnet may read",
  ],
  [
    '{ address: 10.0.1.1, group: tor, localAddress: 2001:db8::1 }',
    "c.yaml:4:52: peers[0].localAddress: 2001:db8::1 can't be the source of a session to 10.0.1.1; write an IPv4 address of this host",
  ],
  [
    '{ name: a, address: 10.0.1.1, group: tor, localAddress: 10.0.1.1 }',
    'c.yaml:4:61: peers[0].localAddress: 10.0.1.1 is the address of a itself; write an address of this host',
  ],
  [
    '{ name: a, address: 10.0.1.1, asn: internal, routeReflectorClient: true, localAsn: 5 }',
    'c.yaml:4:88: peers[0].localAsn: a is an internal peer, which knows us by our own AS number; remove it',
  ],
  [
    '{ name: a, address: 10.0.1.1, group: tor, localAsn: 65001 }',
    'c.yaml:4:57: peers[0].localAsn: a has this AS number too; write another, or remove it',
  ],
  [
    '{ name: a, address: 10.0.1.1, group: tor, localAsn: { asn: 65200, prependSent: true } }',
    'c.yaml:4:71: peers[0].localAsn.prependSent: unknown key; did you mean prependOwn?',
  ],
  [
    '{ name: a, address: 10.0.1.1, group: tor, localAsn: "65200" }',
    'c.yaml:4:57: peers[0].localAsn: "65200" is text, not an AS number; write 65200',
  ],
  [
    '{ name: a, address: 10.0.1.1, asn: internal, asOverride: true, removePrivateAsn: all }',
    'c.yaml:4:62: peers[0].asOverride: a is no external peer; remove it',
    'c.yaml:4:86: peers[0].removePrivateAsn: a is no external peer; remove it',
  ],
  [
    '{ name: a, address: 10.0.1.1, asn: internal, role: peer }',
    'c.yaml:4:56: peers[0].role: a is no external peer; remove it',
  ],
  [
    '{ name: a, address: 10.0.1.1, group: tor, role: route-server }',
    'c.yaml:4:53: peers[0].role: route-server is not a role; write provider, customer, peer, rs or rs-client, or { is: customer, strict: true }',
  ],
  [
    '{ name: a, address: 10.0.1.1, group: tor, role: { is: customr, strict: yes } }',
    'c.yaml:4:59: peers[0].role.is: customr is not provider, customer, peer, rs or rs-client; write customer',
    'c.yaml:4:76: peers[0].role.strict: yes is not true or false; write true',
  ],
  [
    '{ name: a, address: 10.0.1.1, group: tor, role: { strict: true } }',
    'c.yaml:4:53: peers[0].role.is: is missing; add is: customer',
  ],
  [
    '{ name: a, address: 10.0.1.1, group: tor, announce: later }',
    'c.yaml:4:57: peers[0].announce: later is not atOnce or afterInstall; write atOnce or afterInstall',
  ],
  [
    '{ name: a, address: 10.0.1.1, group: tor, removePrivateAsn: some }',
    'c.yaml:4:65: peers[0].removePrivateAsn: some is not true, false, all or replace; write true, false, all or replace',
  ],
  [
    '{ name: a, address: 10.0.1.1, group: tor, routeReflectorClient: true }',
    'c.yaml:4:69: peers[0].routeReflectorClient: a is an external peer; only internal ones are reflected to (RFC 4456); remove it, or write asn: internal',
  ],
  [
    '{ name: tor-a, address: 10.0.1.1, asn: 65001 }',
    'c.yaml:4:5: warning: peers[0]: nothing will be accepted from tor-a: no import policy (RFC 8212); write import: accept',
  ],
  [
    '{ address: 10.0.1.1, group: tor, name: my tor }',
    'c.yaml:4:44: peers[0].name: my tor is not a name; write 1 to 63 characters without blanks, such as tor-a',
  ],
  [
    '{ address: 10.0.1.1, group: tor, port: }',
    'c.yaml:4:44: peers[0].port: has no value; write 1..65535, or remove the key',
  ],
  [
    '{ name: a, address: 10.0.1.1, group: tor }\n  - { name: b, address: 10.0.1.1, group: tor }',
    'c.yaml:5:25: peers[1].address: a is at 10.0.1.1 port 179 too; remove one of them',
  ],
  [
    '{ name: a, address: 10.0.1.1, group: tor }\n  - { name: a, address: 10.0.1.2, group: tor }',
    'c.yaml:5:13: peers[1].name: another peer is called a too; give it a name of its own',
  ],
  [
    '{ address: 10.0.1.1, group: tor }\n  - { address: 10.0.1.1, group: tor, port: 1179 }',
    'c.yaml:5:5: peers[1]: another peer is called 10.0.1.1 too; add a name',
  ],
  [
    '{ address: 10.0.1.1, group: tor, asn: "${NOPE}" }',
    'c.yaml:4:43: peers[0].asn: the variable NOPE is not set; set it in the environment',
  ],
  [
    '{ address: 10.0.1.1, group: tor, asn: "${HOSTNAME}" }',
    'c.yaml:4:43: peers[0].asn: host1 (from ${HOSTNAME}) is not an AS number, internal or external; write 1..4294967295, internal or external',
  ],
  [
    '{ address: 10.0.1.1, group: tor, description: "${}" }',
    "c.yaml:4:51: peers[0].description: '${' begins no variable here; write ${NAME}, or $${ for a plain ${",
  ],
]

const inPeers = (written: string): string =>
  `asn: 65101\npeerGroups: { tor: { asn: 65001, import: accept } }\npeers:\n  - ${written}\n`

test.each(PEERS)('%s', (written, ...complaints) => {
  expect(complaintsAbout(inPeers(written))).toEqual(complaints)
})
