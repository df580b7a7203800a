/** The promise of the whole project, on the labs that are shipped. */
import { describe, expect, test } from 'vitest'
import { FAULT_OF, SABOTAGES, type Sabotage } from '../../src/lab/sabotage.ts'
import {
  HYPERVISORS,
  MESH,
  RACK_REFLECTOR,
  REFLECTOR,
  TWO_TOR,
  UNNUMBERED,
  VXLAN,
  hasBird,
  hasFrr,
  hasNft,
  lab,
  prove,
  type Tested,
} from './command.ts'

function expectHonest({ code, result, stderr }: Tested, pairs: number): void {
  const faults = result.pairs.flatMap((it) => it.faults.map(({ text }) => text))
  expect(faults).toEqual([])
  expect(result.pairs).toHaveLength(pairs)
  expect(stderr).not.toContain('exited')
  for (const { evidence, sourceSeen, ttlLost } of result.pairs) {
    expect(sourceSeen).toBe(evidence.from.address)
    expect(ttlLost).toBe(evidence.path.length)
    expect(evidence.onFabric.length).toBeGreaterThanOrEqual(2)
  }
  expect(result.ok).toBe(true)
  expect(code).toBe(0)
}

const tors = [
  { tor: 'linnet', possible: true },
  { tor: 'frr', possible: hasFrr },
  { tor: 'bird', possible: hasBird },
]

describe('containers on three hosts reach each other through two ToRs', () => {
  test.for(tors)('of kind $tor', async ({ tor, possible }, { skip }) => {
    skip(!possible, `${tor} is not installed`)
    const tested = await prove([TWO_TOR, '--tor', tor])
    expectHonest(tested, 12)
    const { pairs, failover } = tested.result
    for (const { evidence } of pairs) {
      const [first, second, third] = evidence.path.map((hop) => hop.node)
      expect(first).toBe(evidence.from.name.split('.')[0])
      expect(['tor1', 'tor2']).toContain(second)
      expect(third).toBe(evidence.to.name.split('.')[0])
    }
    expect(failover?.events.map((it) => it.title.split(/[/ ]/)[0])).toEqual([
      'tor1',
      'tor1',
      'tor2',
    ])
    expect(failover?.worstMs).toBeLessThanOrEqual(200)
    for (const { sent } of failover?.events ?? []) expect(sent).toBeGreaterThan(1000)
  })
})

test('containers on four hosts reach each other through an iBGP mesh, no router between them', async () => {
  const tested = await prove([MESH])
  expectHonest(tested, 6)
  for (const { evidence } of tested.result.pairs) {
    const ends = [evidence.from, evidence.to].map(({ name }) => name.split('.')[0])
    expect(evidence.path.map((hop) => hop.node)).toEqual(ends)
  }
  expect(tested.result.failover).toBeUndefined()
})

test('containers reach each other through ToRs over links without addresses', async () => {
  const tested = await prove([UNNUMBERED])
  expectHonest(tested, 16)
  expect(tested.result.failover).toBeDefined()
})

test('containers reach each other in VXLAN, over a router that does not know them', async () => {
  const tested = await prove([VXLAN])
  expectHonest(tested, 1)
  const [pair] = tested.result.pairs
  expect(pair?.evidence.wrapped).toMatchObject({
    by: 'VXLAN-GPE',
    hosts: [{ name: 'host1' }, { name: 'host2' }],
  })
  for (const { wrapping, inner } of pair?.evidence.onFabric ?? []) {
    expect(wrapping).toBe('VXLAN-GPE (UDP port 4790)')
    // There, and back.
    expect(new Set([inner?.source, inner?.destination])).toEqual(
      new Set(['10.244.1.2', '10.244.2.2']),
    )
  }
})

const reflected = [
  { title: 'six hosts with two reflectors beside the road', lab: REFLECTOR, pairs: 3, over: [] },
  {
    title: 'four hypervisors on two fabrics',
    lab: HYPERVISORS,
    pairs: 2,
    over: ['hv1.c1', 'hv2.c1', 'hv3.c1'],
  },
]

test.for(reflected)(
  'a reflector takes no route with it: $title',
  async ({ lab: file, pairs, over }) => {
    const tested = await prove([file])
    expectHonest(tested, pairs)
    // A third of the flows is 85; the proof asks for half of that.
    const shares = tested.result.spreads.flatMap((it) => it.shares)
    expect(shares.map((it) => it.container)).toEqual(over)
    for (const { flows } of shares) expect(flows).toBeGreaterThan(42)
    const [killed, back] = tested.result.failover?.events ?? []
    expect(killed?.note).toMatch(/^all routes were kept/)
    expect([killed?.lost, back?.lost]).toEqual([0, 0])
    expect(killed?.sent).toBeGreaterThan(1000)
  },
)

test('racks whose routers reflect: hosts of one reach each other directly, others through both', async () => {
  const tested = await prove([RACK_REFLECTOR])
  expectHonest(tested, 6)
  const crossed = tested.result.pairs.map(({ evidence }) => evidence.path.length)
  expect(crossed.toSorted((a, b) => a - b)).toEqual([2, 2, 4, 4, 4, 4])
})

test('the proof ends in one line, and a capture can be kept', async () => {
  const { code, stdout } = await lab(['test', TWO_TOR, '--no-failover'])
  expect(stdout.trimEnd().split('\n').at(-1)).toBe(
    'PROOF: 12 pairs, no NAT, no encapsulation, failover not tested',
  )
  expect(code).toBe(0)
})

const TITLES = {
  nat: 'NAT: ',
  encap: 'encapsulation: ',
  blackhole: 'no answer: ',
  ttl: 'TTL: ',
}

describe('a lab that was broken on purpose is found out', () => {
  const lacksNft = (sabotage: Sabotage): boolean => !hasNft && ['nat', 'ttl'].includes(sabotage)

  test.for(SABOTAGES)('%s', async (sabotage, { skip }) => {
    skip(lacksNft(sabotage), 'nft is not installed')
    const { code, stdout, stderr } = await lab(['test', TWO_TOR, '--sabotage', sabotage])
    const last = stdout.trimEnd().split('\n').at(-1)
    expect(last, stderr).toMatch(new RegExp(`^PROOF FAILED: ${TITLES[sabotage]}`))
    expect(stdout).toContain('sabotage: ')
    expect(code).toBe(1)
  })

  test.for(SABOTAGES)('%s, in a mesh', async (sabotage, { skip }) => {
    skip(lacksNft(sabotage), 'nft is not installed')
    const { code, result } = await prove([MESH, '--sabotage', sabotage])
    const [spoilt] = result.pairs
    expect(spoilt?.faults[0]?.fault).toBe(FAULT_OF[sabotage])
    expect(code).toBe(1)
  })
})
