import { describe, expect, test } from 'vitest'
import type { Sighting } from '../../../src/lab/capture.ts'
import { pairTable, proofLine, type ProofResult } from '../../../src/lab/report.ts'
import type { SpreadReport } from '../../../src/lab/spread.ts'
import { judgePair, type Hop, type PairEvidence } from '../../../src/lab/verdict.ts'

const A = { name: 'host1.c1', address: '172.18.1.2' }
const B = { name: 'host2.c1', address: '172.18.2.2' }

const seen = (at: string, kind: Sighting['kind'], change: Partial<Sighting> = {}): Sighting => {
  const [from, to] = kind === 'request' ? [A, B] : [B, A]
  const outer = { source: from.address, destination: to.address, protocol: 1, ttl: 61 }
  return { at, pair: 0, kind, outer, wrapping: undefined, ...change }
}

const from = (source: string, ttl = 61): Partial<Sighting> => ({
  outer: { source, destination: B.address, protocol: 1, ttl },
})

const hop = (node: string | undefined, address: string | undefined = '10.0.0.1'): Hop => ({
  node,
  address,
})

/** A pair in order. */
const HONEST: PairEvidence = {
  from: A,
  to: B,
  roundTripMs: 0.2,
  refusal: undefined,
  atFar: [seen('host2.c1:eth0', 'request')],
  atNear: [seen('host1.c1:eth0', 'reply')],
  onFabric: [
    seen('host1:eth0', 'request'),
    seen('tor1:eth2', 'request'),
    seen('host2:eth0', 'reply'),
  ],
  path: [hop('host1'), hop('tor1'), hop('host2')],
  traced: true,
}

const tunnelled = seen('host1:eth0', 'request', {
  outer: { source: '10.0.0.1', destination: '10.0.0.2', protocol: 17, ttl: 64 },
  wrapping: 'VXLAN (UDP port 4789)',
})

const WRAPPED: PairEvidence['wrapped'] = {
  by: 'VXLAN',
  hosts: [
    { name: 'host1', addresses: ['10.0.0.1', '172.18.1.1'] },
    { name: 'host2', addresses: ['10.0.0.2'] },
  ],
}
const inside = { source: A.address, destination: B.address }
const outside = { source: '10.0.0.1', destination: '10.0.0.2', protocol: 17, ttl: 64 }
/** All that is on the fabric. */
const only = (sighting: Partial<Sighting>): Partial<PairEvidence> => ({
  wrapped: WRAPPED,
  onFabric: [{ ...tunnelled, ...sighting }],
})

const cases: { title: string; change: Partial<PairEvidence>; faults: string[][] }[] = [
  { title: 'a pair in order', change: {}, faults: [] },
  {
    title: 'a source that was translated, as the far container sees it',
    change: { atFar: [seen('host2.c1:eth0', 'request', from('10.1.1.2'))] },
    faults: [['nat', 'host1.c1 is 10.1.1.2 instead of 172.18.1.2 at host2.c1:eth0']],
  },
  {
    title: 'a source that was translated, and whose answer is lost',
    change: {
      roundTripMs: undefined,
      atFar: [],
      atNear: [],
      onFabric: [seen('host1:eth0', 'request', from('10.1.1.2'))],
    },
    faults: [
      ['nat', 'host1.c1 is 10.1.1.2 instead of 172.18.1.2 at host1:eth0'],
      ['unanswered', 'host1.c1 > host2.c1 was last seen on host1:eth0'],
    ],
  },
  {
    title: 'a translation that is undone before the far container',
    change: { onFabric: [seen('host1:eth0', 'request', from('10.1.1.2'))] },
    faults: [['nat', 'host1.c1 is 10.1.1.2 instead of 172.18.1.2 at host1:eth0']],
  },
  {
    title: 'an answer whose source was translated',
    change: {
      atNear: [
        seen('host1.c1:eth0', 'reply', {
          outer: { source: '10.1.2.2', destination: A.address, protocol: 1, ttl: 61 },
        }),
      ],
    },
    faults: [['nat', 'host2.c1 is 10.1.2.2 instead of 172.18.2.2 at host1.c1:eth0']],
  },
  {
    title: 'a destination that was translated',
    change: {
      onFabric: [
        seen('host1:eth0', 'request', {
          outer: { source: A.address, destination: '10.9.9.9', protocol: 1, ttl: 63 },
        }),
      ],
    },
    faults: [['nat', 'what host1.c1 sent to 172.18.2.2 goes to 10.9.9.9 at host1:eth0']],
  },
  {
    title: 'a tunnel on one link',
    change: { onFabric: [...HONEST.onFabric, tunnelled] },
    faults: [
      [
        'encapsulation',
        'host1.c1 > host2.c1 is wrapped in VXLAN (UDP port 4789) 10.0.0.1 > 10.0.0.2 on host1:eth0',
      ],
    ],
  },
  {
    title: 'a tunnel that is wanted, from host to host',
    change: only({ inner: inside }),
    faults: [],
  },
  {
    title: 'a packet that is to be wrapped, and is not',
    change: { ...only({}), onFabric: HONEST.onFabric },
    faults: [
      ['encapsulation', 'host1.c1 > host2.c1 is not wrapped on host1:eth0, instead of in VXLAN'],
    ],
  },
  {
    title: 'a tunnel of another kind',
    change: only({ inner: inside, wrapping: 'VXLAN-GPE (UDP port 4790)' }),
    faults: [
      [
        'encapsulation',
        'host1.c1 > host2.c1 is wrapped in VXLAN-GPE (UDP port 4790) on host1:eth0, instead of in VXLAN',
      ],
    ],
  },
  {
    title: "a tunnel to somebody else's",
    change: only({ inner: inside, outer: { ...outside, destination: '10.0.0.9' } }),
    faults: [
      [
        'encapsulation',
        'host1.c1 > host2.c1 is wrapped 10.0.0.1 > 10.0.0.9 on host1:eth0, not from host to host',
      ],
    ],
  },
  {
    title: 'addresses that were translated in the tunnel',
    change: only({ inner: { ...inside, source: '10.0.0.1' } }),
    faults: [['nat', 'host1.c1 > host2.c1 is 10.0.0.1 > 172.18.2.2 inside on host1:eth0']],
  },
  {
    title: 'a TTL that lost less than the path is long',
    change: { atFar: [seen('host2.c1:eth0', 'request', from(A.address, 64))] },
    faults: [['ttl', 'host1.c1 > host2.c1 lost 0 of its TTL, but crossed 3 routers']],
  },
  {
    title: 'a TTL that lost more than the path is long',
    change: { path: [hop('host1'), hop('host2')] },
    faults: [['ttl', 'host1.c1 > host2.c1 lost 3 of its TTL, but crossed 2 routers']],
  },
  {
    title: 'a path that leads through strangers',
    change: { path: [hop('host1'), hop(undefined, '192.0.2.9'), hop('host2')] },
    faults: [['path', 'host1.c1 > host2.c1: 192.0.2.9 is no router of the lab']],
  },
  {
    title: 'a router that hides',
    change: { path: [hop('host1'), { address: undefined, node: undefined }, hop('host2')] },
    faults: [['path', 'host1.c1 > host2.c1: router 2 did not answer the trace']],
  },
  {
    title: 'a trace that does not arrive',
    change: { traced: false },
    faults: [['path', 'host1.c1 > host2.c1: the trace did not arrive']],
  },
  {
    title: 'an answer that crossed no link of the lab',
    change: { onFabric: [] },
    faults: [['unseen', 'host1.c1 > host2.c1 was answered, but crossed no link of the lab']],
  },
  {
    title: 'no answer, and no trace of the question',
    change: { roundTripMs: undefined, atFar: [], atNear: [], onFabric: [] },
    faults: [['unanswered', 'host1.c1 > host2.c1 left no trace on any link']],
  },
  {
    title: 'no answer, but the question arrived',
    change: { roundTripMs: undefined, atNear: [] },
    faults: [['unanswered', 'host1.c1 > host2.c1 arrived, but no answer came back']],
  },
  {
    title: 'a router that says no',
    change: {
      roundTripMs: undefined,
      refusal: '10.1.1.1 says network unreachable',
      atFar: [],
      atNear: [],
      onFabric: [],
    },
    faults: [['unanswered', 'host1.c1 > host2.c1: 10.1.1.1 says network unreachable']],
  },
]

describe('the verdict on', () => {
  test.each(cases)('$title', ({ change, faults }) => {
    const verdict = judgePair({ ...HONEST, ...change })
    expect(verdict.faults.map(({ fault, text }) => [fault, text])).toEqual(faults)
  })
})

test('a pair is a line of a table', () => {
  expect(pairTable([judgePair(HONEST)])).toEqual([
    'containers           answer   source seen  on the wire                            TTL lost  routers crossed',
    'host1.c1 > host2.c1  0.20 ms  172.18.1.2   172.18.1.2 > 172.18.2.2 proto 1, ICMP  3         host1 tor1 host2',
  ])
})

const event = { title: 'tor1/linnet killed', sent: 4000, lost: 12, outageMs: 12, note: '' }
const failover = { streams: 4, packetsPerSecond: 1000, events: [event], worstMs: 12, doubts: [] }
const spread: SpreadReport = {
  from: 'host3.c1',
  to: '203.0.113.53',
  flows: 256,
  lost: 0,
  shares: [
    { container: 'host1.c1', flows: 192 },
    { container: 'host2.c1', flows: 64 },
  ],
}
const uneven = [
  { container: 'host1.c1', flows: 193 },
  { container: 'host2.c1', flows: 63 },
]

const honest: ProofResult = {
  pairs: [judgePair(HONEST), judgePair(HONEST)],
  spreads: [],
  failover,
  maxLossMs: 200,
  mishaps: [],
}

const lines: { title: string; change: Partial<ProofResult>; line: string }[] = [
  {
    title: 'all is well',
    change: {},
    line: 'PROOF: 2 pairs, no NAT, no encapsulation, failover 12 ms',
  },
  {
    title: 'no fail-over was asked for',
    change: { failover: undefined },
    line: 'PROOF: 2 pairs, no NAT, no encapsulation, failover not tested',
  },
  {
    title: 'the outage was too long',
    change: { maxLossMs: 11 },
    line: 'PROOF FAILED: failover: tor1/linnet killed: 12 ms, 12 packets lost, allowed are 11 ms',
  },
  {
    title: 'the measurement means nothing',
    change: { failover: { ...failover, doubts: ['a stream never got through'] } },
    line: 'PROOF FAILED: failover: a stream never got through',
  },
  {
    title: 'a daemon died',
    change: { mishaps: ['host3/linnet exited with code 1'] },
    line: 'PROOF FAILED: host3/linnet exited with code 1',
  },
  {
    title: 'one pair of two is wrapped',
    change: { pairs: [judgePair(HONEST), judgePair({ ...HONEST, onFabric: [tunnelled] })] },
    line: 'PROOF FAILED: encapsulation: host1.c1 > host2.c1 is wrapped in VXLAN (UDP port 4789) 10.0.0.1 > 10.0.0.2 on host1:eth0 (1 of 2 pairs)',
  },
  {
    title: 'all are wrapped, as is wanted',
    change: { pairs: [judgePair({ ...HONEST, ...only({ inner: inside }) })] },
    line: 'PROOF: 1 pair, no NAT, encapsulated in VXLAN between host1 and host2; inner addresses unchanged, failover 12 ms',
  },
  {
    title: 'one pair of two is wrapped, as is wanted',
    change: { pairs: [judgePair(HONEST), judgePair({ ...HONEST, ...only({ inner: inside }) })] },
    line: 'PROOF: 2 pairs, no NAT, 1 of them encapsulated in VXLAN between host1 and host2; inner addresses unchanged, failover 12 ms',
  },
  {
    title: 'each of two that share an address gets half of its half',
    change: { spreads: [spread] },
    line: 'PROOF: 2 pairs, no NAT, no encapsulation, 203.0.113.53 spread over 2, failover 12 ms',
  },
  {
    title: 'one of them gets less',
    change: { spreads: [{ ...spread, shares: uneven }] },
    line: 'PROOF FAILED: spread: host3.c1 > 203.0.113.53: host1.c1 193, host2.c1 63 of 256 flows',
  },
  {
    title: 'a flow to them is lost',
    change: { spreads: [{ ...spread, lost: 1 }] },
    line: 'PROOF FAILED: spread: host3.c1 > 203.0.113.53: host1.c1 192, host2.c1 64 of 256 flows, 1 lost',
  },
  {
    title: 'there was nothing to prove',
    change: { pairs: [] },
    line: 'PROOF FAILED: there is no pair of containers on different hosts',
  },
]

describe('the last line when', () => {
  test.each(lines)('$title', ({ change, line }) => {
    expect(proofLine({ ...honest, ...change })).toBe(line)
  })
})
