/**
 * What linnet speaks, RFC by RFC: the table of docs/protocol.md.
 *
 * A row names what it covers of wire/'s tables, and tests that would fail without it. `protocol.test.ts`
 * holds the rows to the code: no code point without a row, no row without a test that is there and runs.
 */
export interface ProtocolRow {
  readonly rfc: string
  readonly title: string
  readonly done: string
  /** What the RFC has and linnet has not. */
  readonly missing?: string
  /** `message 1`, `attribute 2`, `capability 65`: rows of the tables in wire/. */
  readonly codes?: readonly string[]
  /** `file: title`, the file below test/, the title as it stands in that file. */
  readonly tests: readonly string[]
}

export const PROTOCOL: readonly ProtocolRow[] = [
  {
    rfc: 'RFC 4271',
    title: 'BGP-4: messages and attributes',
    done: 'every message and attribute, canonical form, passing on of unknown attributes',
    codes: [
      ...['message 1', 'message 2', 'message 3', 'message 4'],
      ...['attribute 1', 'attribute 2', 'attribute 3', 'attribute 4', 'attribute 5'],
      ...['attribute 6', 'attribute 7'],
    ],
    tests: [
      'unit/wire/attributes.test.ts: golden bytes of $name',
      'unit/wire/open.test.ts: golden bytes: %s',
      'unit/wire/framer.test.ts: byte by byte, also when all are pushed before the first is read',
      'unit/wire/rewrite.test.ts: what stays and what goes',
    ],
  },
  {
    rfc: 'RFC 4271 section 8',
    title: 'finite state machine',
    done: 'all states; both directions at once; collisions; back-off with jitter',
    missing: 'DelayOpen and DampPeerOscillations, which are optional: the back-off spaces attempts',
    tests: [
      'unit/session/fsm.test.ts: the session begins on Established and ends with Idle, only there',
      'unit/session/peer.test.ts: when both call at once, over exactly one connection',
      'unit/session/collision.test.ts: both ends keep the same connection, whichever OPEN each sees last',
    ],
  },
  {
    rfc: 'RFC 4271 section 9',
    title: 'decision process, route dissemination',
    done: 'every rung of 9.1.2.2, with the reason kept; MEDs independent of arrival order',
    missing: 'MinRouteAdvertisementInterval: changes coalesce by what the socket takes instead',
    tests: [
      'unit/rib/decision.test.ts: every rung of the ladder is in the table, or in a test below',
      'unit/rib/decision.test.ts: changes nothing: all 120 orders of five candidates agree',
      'unit/rib/update-group.test.ts: know exactly what they shall, whatever has happened',
    ],
  },
  {
    rfc: 'RFC 4271 section 9.2.2.2, RFC 9774',
    title: 'aggregates',
    done: 'ATOMIC_AGGREGATE and AGGREGATOR, an empty AS_PATH, the routes inside left out where wanted, a blackhole in the kernel',
    missing: 'AS_SET, which must not be sent any more: those of others pass',
    tests: [
      'unit/daemon/aggregates.test.ts: whatever comes and goes, in whatever order',
      'kernel/daemon/aggregates.test.ts: drops what no route inside takes, and goes with the last of them',
    ],
  },
  {
    rfc: 'RFC 4760',
    title: 'multiprotocol extensions',
    done: 'IPv4 and IPv6 unicast; other families are ignored',
    codes: ['attribute 14', 'attribute 15', 'capability 1'],
    tests: [
      'unit/rib/adj-rib-in.test.ts: families that were not agreed on are ignored (RFC 4760 section 8)',
      'unit/wire/update.test.ts: multiprotocol NLRI are no part of the set: %s',
    ],
  },
  {
    rfc: 'RFC 2545',
    title: 'IPv6 next hops',
    done: 'a global one, and a link-local one beside it',
    tests: ['unit/wire/normalize.test.ts: IPv6 next hop: %s'],
  },
  {
    rfc: 'RFC 5492',
    title: 'capabilities',
    done: 'one or many per parameter, duplicates, unknown ones kept and shown',
    tests: [
      'unit/wire/open.test.ts: duplicates are kept (RFC 5492 section 4)',
      'unit/wire/capabilities.test.ts: every row of the table has golden bytes',
      'unit/conformance/session-errors.ts: RFC 5492 sections 3 and 4: capabilities that are taken',
      'unit/conformance/session-errors.ts: RFC 5492 section 5: Unsupported Capability, with those that we miss',
    ],
  },
  {
    rfc: 'RFC 9072',
    title: 'extended optional parameters',
    done: 'read, and written when the parameters take more than 255 bytes',
    tests: [
      'unit/wire/open.test.ts: more than 255 bytes of them are written in the extended format and read back',
      'unit/conformance/session-errors.ts: RFC 9072 section 2: extended optional parameters',
    ],
  },
  {
    rfc: 'RFC 6793',
    title: 'AS numbers of four octets',
    done: 'old peers too: AS_TRANS, AS4_PATH and AS4_AGGREGATOR, merged and made',
    codes: ['attribute 17', 'attribute 18', 'capability 65'],
    tests: [
      'unit/wire/as-path.test.ts: AS_PATH and AS4_PATH together (RFC 6793 4.2.3)',
      'unit/wire/rewrite.test.ts: is the same to an old speaker that puts it together again (RFC 6793 4.2.3)',
    ],
  },
  {
    rfc: 'RFC 2918',
    title: 'route refresh',
    done: 'asked for and answered; policy changes never need it, for Adj-RIB-In is kept',
    codes: ['message 5', 'capability 2'],
    tests: [
      'unit/wire/route-refresh.test.ts: golden bytes (RFC 2918 section 3, RFC 7313 section 3.2)',
      'interop/cases.ts: sends its routes again when `linnet refresh --in` asks',
    ],
  },
  {
    rfc: 'RFC 1997',
    title: 'communities',
    done: 'carried; NO_EXPORT, NO_ADVERTISE and NO_EXPORT_SUBCONFED honoured',
    codes: ['attribute 8'],
    tests: ['unit/wire/scan.test.ts: %s as flags'],
  },
  {
    rfc: 'RFC 4360',
    title: 'extended communities',
    done: 'carried and shown',
    codes: ['attribute 16'],
    tests: [
      'unit/wire/attributes.test.ts: every row has golden bytes, except those that are never in a set',
    ],
  },
  {
    rfc: 'RFC 10005',
    title: 'link bandwidth extended community',
    done: 'weights of ECMP in the kernel, from both types, if all paths of the prefix have one; set by policy; the non-transitive one stays within the AS, as FRR does it',
    missing:
      'sums for a route that is told with ourselves as next hop: the community goes on as it came, unless a policy takes it off',
    tests: [
      'unit/wire/extended-communities.test.ts: link bandwidth (RFC 10005): %s',
      'unit/daemon/load-shares.test.ts: evenly where one of them tells of none, wherever it stands',
      'unit/fib/shares.test.ts: whole numbers that the kernel takes; a faster link never gets less',
      'kernel/daemon/link-bandwidth.test.ts: each gets what its link carries, as long as both tell of theirs',
      'interop/link-bandwidth.test.ts: linnet forwards over both, each by its weight',
    ],
  },
  {
    rfc: 'RFC 8092',
    title: 'large communities',
    done: 'carried and shown',
    codes: ['attribute 32'],
    tests: [
      'unit/wire/attributes.test.ts: every row has golden bytes, except those that are never in a set',
    ],
  },
  {
    rfc: 'RFC 4456',
    title: 'route reflection',
    done: 'clients and non-clients, loops by ORIGINATOR_ID and CLUSTER_LIST',
    codes: ['attribute 9', 'attribute 10'],
    tests: [
      'unit/rib/decision.test.ts: two paths that differ in one rung: the better one is best and the other falls there',
    ],
  },
  {
    rfc: 'RFC 7606',
    title: 'revised error handling',
    done: 'discard, withdraw and reset as each attribute asks; reset rather than AFI/SAFI disable; the log has prefixes and bytes',
    tests: [
      'unit/conformance/attribute-errors.test.ts: every attribute that we know has rows',
      'unit/conformance/message-errors.ts: RFC 7606 section 4: attributes that overrun their field, which is trusted',
      'unit/conformance/message-errors.ts: RFC 7606 5.2: attributes of no prefix',
      'fuzz/update.fuzz.test.ts: do what RFC 7606 says',
      'unit/wire/malformed-attributes.test.ts: every row has a malformed value in these tables',
      'unit/wire/normalize.test.ts: of several errors the strongest counts, and all are told (RFC 7606 section 3 h)',
    ],
  },
  {
    rfc: 'RFC 6608',
    title: 'FSM error subcodes',
    done: 'with the type of the unexpected message as data',
    tests: [
      'unit/session/fsm.test.ts: a NOTIFICATION is never answered with a NOTIFICATION (RFC 4271 6.4)',
      'unit/conformance/session-errors.ts: RFC 6608: messages out of state, with their type',
    ],
  },
  {
    rfc: 'RFC 6286',
    title: 'AS-wide BGP identifiers',
    done: 'zero and our own within the AS are refused; ties of collisions',
    tests: [
      'unit/session/collision.test.ts: with equal identifiers the larger AS number wins (RFC 6286 2.3)',
      'unit/conformance/session-errors.ts: RFC 4271 6.2, RFC 6286: Bad BGP Identifier',
    ],
  },
  {
    rfc: 'RFC 7607',
    title: 'AS 0',
    done: 'in OPEN a Bad Peer AS, in paths and aggregators malformed; never configured',
    tests: [
      'unit/conformance/attribute-errors.ts: RFC 7607 section 2: AS 0',
      'unit/conformance/session-errors.ts: RFC 4271 6.2, RFC 6793 4.2.1, RFC 7607: Bad Peer AS',
    ],
  },
  {
    rfc: 'RFC 4271 section 6',
    title: 'errors of headers, OPENs and the state machine',
    done: 'exact codes, subcodes and data, whatever the cut of the stream',
    tests: [
      'unit/conformance/session-errors.test.ts: , whatever the cut',
      'kernel/daemon/errors.test.ts: with every code and subcode that there is for it',
      'fuzz/stream.fuzz.test.ts: do what the RFCs say of what they have become',
      'fuzz/stream.fuzz.test.ts: get the answer of RFC 4271 6.1 and 6.2 and their successors',
    ],
  },
  {
    rfc: 'RFC 4486',
    title: 'cease subcodes',
    done: 'sent and named; the limit of prefixes with its data (section 4), both ways; a peer beyond it is warned of, blocked, or held down; so is one that would hear more than it may',
    tests: [
      'unit/wire/constants.test.ts: error %i/%i is "%s"',
      'unit/wire/notification.test.ts: %s is told in words',
      'unit/daemon/prefix-limits.test.ts: $title',
      'interop/protection.ts: `disconnect`: it shows our Cease 6/1; all is back after `linnet startup`',
      'interop/protection.ts: we announce more than its limit: `show peer` tells its Cease 6/1 in words',
      'replay/prefix-limits/events.jsonl: one beyond ends the session: its routes go',
      'unit/daemon/outbound-limits.test.ts: $limit: the session ends before anything beyond is sent',
      'unit/rib/export-limit.test.ts: whatever happens, with ADD-PATH %s',
    ],
  },
  {
    rfc: 'RFC 9003',
    title: 'shutdown communication',
    done: 'sent with `linnet shutdown --message`, shown when received',
    tests: [
      'unit/wire/notification.test.ts: are cut at 255 bytes, not within a character',
      'interop/cases.ts: we show the reason that it gives when it shuts down',
    ],
  },
  {
    rfc: 'RFC 5880',
    title: 'bidirectional forwarding detection (BFD)',
    done: 'asynchronous mode; timer negotiation, poll sequences, slow start, jitter; keyed SHA1, meticulous too; AdminDown; the demand mode and the C bit of the peer',
    missing: 'echo, demand mode of our own, simple passwords and MD5, which are optional',
    tests: [
      'unit/bfd/packet.test.ts: the bytes of a packet are those of RFC 5880 section 4.1',
      'unit/bfd/state-machine.test.ts: every cell of the table of RFC 5880 section 6.8.6',
      'unit/bfd/authentication.test.ts: the digest is that of the packet with the padded key in its place (RFC 5880 section 6.7.4)',
    ],
  },
  {
    rfc: 'RFC 5881, RFC 5883',
    title: 'BFD on a link and over routers',
    done: 'IPv4, IPv6, link-local; TTL 255 sent, and checked on the link',
    tests: [
      'alone/bfd-sockets.test.ts: %s: comes up, and a cut is found',
      'alone/bfd-sockets.test.ts: what has crossed a router is dropped, unless that is expected',
      'alone/bfd-sockets.test.ts: packets are marked, sent with TTL 255 and from a port that RFC 5881 allows',
    ],
  },
  {
    rfc: 'RFC 5882, RFC 9384',
    title: 'what BFD does to BGP',
    done: 'a path that fails ends the session with Cease / BFD Down; AdminDown does not; flapping paths are damped; `strict` without the capability',
    tests: [
      'unit/daemon/bfd-peers.test.ts: ends the session at once, in words at both ends, and it begins again',
      'unit/daemon/bfd-peers.test.ts: and is switched off ends nothing (RFC 5882 section 4.2)',
      'unit/bfd/damping.test.ts: each that follows soon doubles the wait',
    ],
  },
  {
    rfc: 'RFC 9687',
    title: 'send hold timer',
    done: '`sendHoldTime`',
    tests: [
      'alone/hostile.test.ts: loses its session after the send hold time, and costs no more than a queue',
      'unit/session/peer.test.ts: that nobody takes for eight minutes end the session (RFC 9687)',
    ],
  },
  {
    rfc: 'RFC 2385',
    title: 'TCP MD5 signatures',
    done: 'a key per peer, on listeners also per prefix; a new key takes over a live session on reload',
    tests: [
      'kernel/daemon/dynamic-peers.test.ts: all of a range sign with one key (RFC 2385)',
      'unit/linux/tcp-options.test.ts: holds the peer, the length of the key, and the key',
      'kernel/tcp-protection.test.ts: a key that changes on both sides, one after the other: what was lost is sent again',
      'kernel/daemon/diagnosis.test.ts: $title',
      'kernel/daemon/password.test.ts: first at the $first, then at the $second: the session lives, and what was said meanwhile arrives',
      'interop/protection.ts: our key changes and changes back: the sessions live, what was said meanwhile arrives',
    ],
  },
  {
    rfc: 'RFC 5925',
    title: 'TCP authentication option (TCP-AO)',
    done: '`tcpAo`: keys of RFC 5926 and HMAC-SHA-256, both directions, replaced while the session lives; refused, with the reason in `show peer` and in the log, where the kernel has none',
    missing:
      'MACs that leave TCP options out; a key that is taken from a whole range leaves the sessions that are up with their end',
    tests: [
      'unit/linux/tcp-ao.test.ts: of $peer: address, algorithm, ids, lengths, key',
      'unit/config/change.test.ts: from %j to %j',
      'kernel/tcp-ao.test.ts: $title: up only if both sign',
      'kernel/daemon/tcp-ao.test.ts: the peer that must sign is refused, in words, and the other is up',
    ],
  },
  {
    rfc: 'RFC 5082',
    title: 'generalized TTL security (GTSM)',
    done: '`ttlSecurity`, both directions; listeners answer with TTL 255',
    tests: [
      'kernel/tcp-protection.test.ts: what a peer sends with a lower TTL is dropped',
      'kernel/tcp.test.ts: is answered with TTL 255, or a GTSM peer would not hear the SYN-ACK',
      'kernel/daemon/traffic.test.ts: every message is marked, and sent with TTL $ttl',
      'interop/protection.ts: we send without GTSM: it drops that',
    ],
  },
  {
    rfc: 'RFC 8212',
    title: 'no eBGP without a policy',
    done: 'routes of an external peer without `import` are kept and not used',
    tests: ['unit/config/complaints-of-peers.test.ts: no import policy (RFC 8212)'],
  },
  {
    rfc: 'RFC 8950',
    title: 'IPv4 routes with IPv6 next hops',
    done: '`extendedNextHop`: IPv4 unicast with IPv6 next hops, global, link-local or both, told and taken; link-local ones live on the link of the session',
    missing: 'other families than IPv4 unicast',
    codes: ['capability 5'],
    tests: [
      'unit/rib/extended-next-hop.test.ts: the same route over two links has two next hops',
      'unit/conformance/extended-errors.ts: RFC 8950 section 3: IPv4 with next hops of IPv6, agreed on',
      'interop/cases.ts: our IPv4 routes are in its table with our IPv6 address as next hop',
    ],
  },
  {
    rfc: 'RFC 4861',
    title: 'router advertisements, for unnumbered peers',
    done: '`interface`: sent every ten seconds and when solicited, as no default router; heard ones name the neighbour',
    missing: 'everything that hosts need of a router: prefixes, lifetimes, other options',
    tests: [
      'unit/linux/router-advertisement.test.ts: an advertisement: hop limit 64, and a router lifetime of 0, for we are nobody’s default router',
      'kernel/router-advertisement.test.ts: who asks is answered at once, not when the next one is due ten seconds later',
      'interop/cases.ts: it is found, and the session comes up',
      'kernel/daemon/unnumbered.test.ts: find their ToR, and have its routes over its link-local address',
    ],
  },
  {
    rfc: 'RFC 2545',
    title: 'BGP-4 for IPv6: next hops',
    done: 'global, link-local or both are read; to a neighbour at a link-local address ours are told likewise',
    missing: 'to a neighbour at a global address only the global one is told',
    tests: [
      'unit/rib/extended-next-hop.test.ts: %s',
      'unit/daemon/update-groups.test.ts: on a link with link-local addresses both of ours are told (RFC 2545 section 3)',
    ],
  },
  {
    rfc: 'RFC 8654',
    title: 'extended messages',
    done: 'both ways, with `extendedMessages`; a route too long for a peer that can not is not told to it, and said',
    codes: ['capability 6'],
    tests: [
      'unit/session/peer.test.ts: of up to 65,535 bytes, where both sides wish for them (RFC 8654)',
      'unit/wire/framer.test.ts: extended messages, once negotiated (RFC 8654)',
      'unit/conformance/extended-errors.ts: RFC 8654 section 4: messages of more than 4096 bytes, agreed on',
      'interop/features.test.ts: a route whose attributes fit into no message of 4096 bytes',
    ],
  },
  {
    rfc: 'RFC 9234',
    title: 'roles and Only-To-Customer',
    done: '`role`, strict or not; leaks are rejected with the reason, and not passed on',
    codes: ['capability 9', 'attribute 35'],
    tests: [
      'unit/session/negotiation.test.ts: we are its %s, it says that it is our %s',
      'unit/rib/adj-rib-in.test.ts: what is changed in a route that passes',
      'unit/daemon/update-groups.test.ts: we are its %s: a bare route %s, a marked one %s',
      'interop/paths.ts: what comes from above is marked and goes down; what comes from below goes up',
    ],
  },
  {
    rfc: 'RFC 5065',
    title: 'confederations',
    done: '`confederation`: segments, loops, decision, and what NO_EXPORT_SUBCONFED means',
    tests: [
      'unit/wire/rewrite.test.ts: within a confederation (RFC 5065)',
      'unit/daemon/update-groups.test.ts: to the outside no segment of it is left',
      'unit/rib/adj-rib-in.test.ts: loops and policy: the path is kept, but takes no part',
      'unit/conformance/confederation-errors.ts: RFC 5065 section 5: paths from another member of the confederation',
      'interop/paths.ts: routes pass it with LOCAL_PREF and MED, and each member is in the path',
    ],
  },
  {
    rfc: 'RFC 3765',
    title: 'NOPEER',
    done: 'kept from a peer of equal standing, which `role: peer` says it is',
    tests: ['unit/daemon/update-groups.test.ts: what is told at all'],
  },
  {
    rfc: 'RFC 8326',
    title: 'graceful shutdown',
    done: 'GRACEFUL_SHUTDOWN of an external peer makes its route the last choice; sent by `linnet drain`',
    tests: [
      'unit/daemon/leaving.test.ts: drain --stop: the last choice for a while, then withdrawn, then the end',
      'lab/restart.test.ts: linnet drain --stop loses no packet: they go by the other router',
      'unit/rib/adj-rib-in.test.ts: what is changed in a route that passes',
      'unit/daemon/update-groups.test.ts: external peers hear GRACEFUL_SHUTDOWN',
    ],
  },
  {
    rfc: 'RFC 7999',
    title: 'BLACKHOLE',
    done: 'named, carried and attached',
    missing: 'acting on it: a policy may match it',
    tests: ['unit/wire/attributes.test.ts: golden bytes of $name'],
  },
  {
    rfc: 'RFC 4724',
    title: 'graceful restart',
    done: 'as the one who restarts, with the routes that are found in the kernel, and as the one who helps: `gracefulRestart`',
    missing:
      'route selection is not deferred: the kernel keeps the old routes meanwhile, and only End-of-RIB waits',
    codes: ['capability 64'],
    tests: [
      'unit/wire/capabilities.test.ts: golden bytes of %o',
      'unit/session/graceful-restart.test.ts: the families that have been forwarded all the time, and whether we have restarted',
      'unit/daemon/retention.test.ts: stay as long as the peer has asked for',
      'unit/daemon/retention.test.ts: go at once, of a family that was not forwarded or is no longer offered',
      'unit/daemon/retention.test.ts: do not get another time when the peer restarts once more before it has told them (section 4.2)',
      'unit/daemon/retention.test.ts: a peer that restarts and tells the same as before leaves everything as it was',
      'unit/daemon/restart.test.ts: End-of-RIB waits for that of the peers',
      'interop/restarts.test.ts: its routes stay in use, as stale',
      'interop/restarts.test.ts: it comes back: what it announces again stays, the rest goes',
      'lab/restart.test.ts: kill -9 and start, SIGTERM and start lose no packet beside ToRs of kind $tor',
    ],
  },
  {
    rfc: 'RFC 8538',
    title: 'NOTIFICATION support for graceful restart',
    done: 'routes outlive NOTIFICATIONs, unless they are hard resets; what an operator orders is one',
    tests: [
      'unit/session/graceful-restart.test.ts: the routes of a session outlive',
      'unit/daemon/retention.test.ts: an order from us goes out as a hard reset where both know it (RFC 8538), else as it is',
    ],
  },
  {
    rfc: 'RFC 9494',
    title: 'long-lived graceful restart',
    done: 'with `longLivedStaleTime`: the last choice, marked with LLGR_STALE, not with NO_LLGR, told only to who has it too',
    missing: 'telling others with NO_EXPORT (section 4.6)',
    codes: ['capability 71'],
    tests: [
      'unit/wire/capabilities.test.ts: golden bytes of %o',
      'unit/daemon/retention.test.ts: the last choice after the restart time, marked, for the shorter time of both sides',
      'unit/daemon/retention.test.ts: told to nobody who has no part in it, and what is marked with no-llgr goes',
    ],
  },
  {
    rfc: 'RFC 7911',
    title: 'ADD-PATH',
    done: '`addPath`: received paths take part in the decision and in ECMP; sent are the best, the best so many or all',
    codes: ['capability 69'],
    tests: [
      'unit/wire/capabilities.test.ts: golden bytes of %o',
      'unit/session/negotiation.test.ts: several paths of a prefix, each direction by itself (RFC 7911)',
      'unit/conformance/add-path-errors.ts: RFC 7911 section 3: prefixes behind identifiers',
      'unit/rib/add-path.test.ts: stand side by side, and the lowest identifier breaks the tie',
      'unit/rib/add-path.test.ts: whatever peers with and without identifiers say, each holds what it said last',
      'unit/rib/multi-path.test.ts: know exactly what they shall, whatever has happened: %s',
      'unit/rib/multi-path.test.ts: a path keeps its identifier while it lives, whatever its attributes',
      'interop/several-paths.ts: we have all of its paths, its own and what it passes on; each has an identifier',
      'replay/add-path/events.jsonl: the best one goes: one path moves up for two',
    ],
  },
  {
    rfc: 'RFC 7313',
    title: 'enhanced route refresh',
    done: 'with `enhancedRouteRefresh`: our answers are marked; what a peer does not tell again between its marks is dropped',
    codes: ['capability 70'],
    tests: [
      'unit/daemon/refreshes.test.ts: one that never ends is ended here: routes do not live on for a promise',
      'unit/rib/refresh.test.ts: loses what it does not tell again, of that family, and nobody else anything',
      'unit/session/peer.test.ts: that mark a refresh reach who asked for it (RFC 7313), of families in use',
      'replay/enhanced-route-refresh/events.jsonl: b hears the beginning, all of it, the end',
      'interop/features.test.ts: a refresh between marks',
    ],
  },
  {
    rfc: 'draft-walton-bgp-hostname-capability',
    title: 'names of speakers',
    done: 'the capability is read, and the name stands in `show peer`',
    missing: 'we tell no name of ours',
    codes: ['capability 73'],
    tests: [
      'unit/wire/capabilities.test.ts: golden bytes of %o',
      'interop/features.test.ts: tells its name, which show peer has',
    ],
  },
  {
    rfc: 'RFC 6396, RFC 8050',
    title: 'MRT',
    done: 'TABLE_DUMP_V2 of both families, BGP4MP_ET messages and changes of state, in files',
    missing: 'messages that we send',
    tests: [
      'unit/mrt/records.test.ts: RIB_IPV4_UNICAST (4.3.2): the paths of one prefix',
      'alone/mrt.test.ts: 200,000 routes are dumped while another session is served',
      'interop/mrt.test.ts: bgpdump reads our dump: the same set',
      'interop/mrt.test.ts: `gobgp mrt inject` takes our dump: the same set',
    ],
  },
  {
    rfc: 'RFC 8210',
    title: 'RPKI to router protocol',
    done: 'version 1 and, with caches that know no other, version 0 (RFC 6810): serial and reset queries, timers, error reports; several caches by preference',
    missing: 'router keys, which are for BGPsec: ignored; transports other than TCP',
    tests: [
      'unit/rpki/client.test.ts: tells all, then what has changed',
      'unit/rpki/client.test.ts: what was learned stays while the cache is away, until it expires',
      'unit/rpki/client.test.ts: of several caches the first that has data is believed (RFC 8210 section 10)',
      'unit/rpki/client.test.ts: what a cache must not say ends the session',
      'interop/policies.ts: the cache has other data (RFC 8210): the tables follow, no session and no refresh is needed',
      'unit/rpki/client.test.ts: is taken in steps, while the connection waits; it counts when all is there',
    ],
  },
  {
    rfc: 'RFC 6811',
    title: 'BGP prefix origin validation',
    done: 'valid, invalid, notFound as a match of policies; routes are judged anew when the data change',
    tests: [
      'unit/rpki/validation.test.ts: VRPs come and go, each once',
      'unit/policy/matches.test.ts: rpki: [valid, notFound]',
      'interop/policies.ts: `rpki` (RFC 6811): without a cache all is notFound, with one the invalid go nowhere',
    ],
  },
  {
    rfc: 'RFC 7854',
    title: 'BMP',
    done: 'Adj-RIB-In before and after import policy, Peer Up with the OPENs, Peer Down with the reason, numbers, Initiation and Termination',
    missing:
      'Route Mirroring; the number of repeated messages (13), for prefixes are counted; Peer Down 2 and 5, which nothing here leads to, are only encoded',
    tests: [
      'unit/bmp/messages.test.ts: Route Monitoring (4.6): IPv4 before policy, two prefixes in one UPDATE',
      'unit/daemon/bmp-feed.test.ts: hears of each path of a session with path identifiers (RFC 7911), and of no other',
      'unit/daemon/bmp-feed.test.ts: whatever happens, and whenever it takes bytes: its tables are those of the RIB in the end',
      'alone/bmp.test.ts: hears why a session ended: a closed connection, our NOTIFICATION, the NOTIFICATION of the peer',
      'alone/bmp.test.ts: one that does not read is dropped and costs nobody else anything; then it gets everything',
    ],
  },
  {
    rfc: 'RFC 9069',
    title: 'BMP of the Loc-RIB',
    done: 'peer type 3 with its Peer Up, table name, routes and End-of-RIB',
    missing: 'no Peer Down: the Loc-RIB lives as long as the connection',
    tests: [
      'unit/bmp/messages.test.ts: Peer Up of the Loc-RIB (RFC 9069 4.1, 5.3): peer type 3, and the name of the table',
      'alone/bmp.test.ts: hears of sessions and routes as they come, before and after policy, and of the Loc-RIB',
    ],
  },
  {
    rfc: 'RFC 7705',
    title: 'another AS number of ours (local-as)',
    done: '`localAsn` with `prependReceived` and `prependOwn`; both numbers are ours when loops are looked for',
    tests: [
      'unit/wire/outgoing-path.test.ts: whatever is done, a path comes out, without what is not to leave',
      'interop/paths.ts: either of our numbers stands in the paths, as `local-as` does elsewhere',
    ],
  },
  {
    rfc: 'practice',
    title: 'what other speakers have that no RFC describes',
    done: 'allowOwnAsn, asOverride, removePrivateAsn, defaultOriginate, maxPrefixesOut, nextHop self and keep, options of the decision',
    tests: [
      'unit/wire/outgoing-path.test.ts: %s',
      'unit/daemon/default-originate.test.ts: is told in each family, past the policy, as ours: %s',
      'unit/daemon/outbound-limits.test.ts: keeps back what is beyond, and only from this peer',
      'unit/rib/decision.test.ts: every rung of the ladder is in the table, or in a test below',
    ],
  },
]
