import { fibWriter } from '../baseline/fib.ts'
import { bestPath } from './best-path.ts'
import { churn } from './churn.ts'
import { failover } from './failover.ts'
import { growth } from './growth.ts'
import { idle } from './idle.ts'
import { kernel } from './kernel.ts'
import { latency } from './latency.ts'
import { limit } from './limit.ts'
import { manyPeers } from './many-peers.ts'
import { policyChange } from './policy.ts'
import { reflector } from './reflector.ts'
import { restart } from './restart.ts'
import type { Scenario } from './scenario.ts'
import { transit } from './transit.ts'

export const SCENARIOS: readonly Scenario[] = [
  {
    name: 'S1',
    title: 'transit: 1,000,000 prefixes from one peer to another',
    aims: { bird: 0.7 },
    run: transit('ipv4', 1_000_000),
  },
  {
    name: 'S2',
    title: 'best path: 10 peers send the same 100,000 prefixes',
    aims: { bird: 0.7 },
    run: bestPath,
  },
  {
    name: 'S3',
    title: 'reflector: 100,000 prefixes of a client to 50 others',
    aims: { frr: 0.7 },
    run: reflector,
  },
  {
    name: 'S4',
    title: 'kernel: 500,000 prefixes into the kernel',
    aims: { bird: 0.6, fib: 1.1 },
    kernel: true,
    run: kernel('ipv4', 500_000),
    yardstick: fibWriter('ipv4', 500_000),
  },
  {
    name: 'S5',
    title: 'latency of a change at the other peer, with 10,000 prefixes held',
    aims: { bird: 1 },
    run: latency('peer'),
  },
  {
    name: 'S5k',
    title: 'latency of a change in the kernel, with 10,000 prefixes held',
    aims: { bird: 1 },
    kernel: true,
    run: latency('kernel'),
  },
  {
    name: 'S6',
    title: 'failover: 2 ToRs announce the same 100,000 prefixes, the session of one closes',
    aims: { bird: 0.02 },
    kernel: true,
    run: failover(100_000),
  },
  {
    name: 'S6k',
    title: 'failover with 500,000 prefixes',
    aims: { bird: 0.02 },
    kernel: true,
    run: failover(500_000),
  },
  {
    name: 'S7',
    title: 'many peers: 200 with 500 prefixes each, everyone hears all',
    aims: { frr: 1 },
    run: manyPeers(200),
  },
  {
    name: 'S9',
    title: 'growth of transit, from 100,000 to 3,000,000 prefixes',
    run: growth([100_000, 300_000, 1_000_000, 3_000_000], (size) => transit('ipv4', size)),
  },
  {
    name: 'S9p',
    title: 'growth of many peers, from 50 to 400',
    run: growth([50, 100, 200, 400], manyPeers),
  },
  {
    name: 'S10',
    title: 'IPv6 transit: 1,000,000 prefixes from one peer to another',
    aims: { bird: 0.8 },
    run: transit('ipv6', 1_000_000),
  },
  {
    name: 'S10k',
    title: 'IPv6 kernel: 500,000 prefixes into the kernel',
    aims: { bird: 0.8 },
    kernel: true,
    run: kernel('ipv6', 500_000),
    yardstick: fibWriter('ipv6', 500_000),
  },
  {
    name: 'S8',
    title: 'churn: 1,000,000 prefixes held, 10,000 changes a second for a minute',
    run: churn,
  },
  {
    name: 'S11',
    title: 'restart: kill -9 with 500,000 prefixes in the kernel, and a new start',
    aims: { bird: 1 },
    kernel: true,
    run: restart,
  },
  { name: 'idle', title: '2 peers, 100 prefixes, and nothing happens', run: idle },
  { name: 'limit', title: 'the load generator alone: 1,000,000 prefixes', alone: true, run: limit },
  {
    name: 'policy',
    title: 'a policy that changes 1,000,000 kept routes',
    alone: true,
    run: policyChange,
  },
]
